"""The on-disk cache of derivative source: one file of NumPy source for each tape and kind of derivative.

What is kept is text, named by the digest of the tape and the versions that made it; never data. `AUTOOPT_CACHE` names
the folder, or turns the cache off if it is "0", "off" or empty.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np

_OFF = ("", "0", "off", "no", "false")


def folder() -> Path | None:
    """Return the folder of the cache, None if it is turned off."""
    chosen = os.environ.get("AUTOOPT_CACHE")
    if chosen is not None:
        return None if chosen.lower() in _OFF else Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "autoopt"


@functools.cache
def version() -> str:
    """Return what the source depends on besides the tape: the releases, and the very files, of what writes it."""
    from autoopt import __version__

    package = Path(__file__).parent
    files = sorted(
        file for room in ("ops", "rules", "graph", "source", "tape") for file in (package / room).glob("*.py")
    )
    stamp = ";".join(f"{file.name}{os.stat(file).st_mtime_ns}" for file in files)
    releases = (np.__version__, metadata.version("scipy"), metadata.version("pytensor"))
    return ";".join((__version__, *releases, stamp))


def read(key: str) -> str | None:
    """Return the source kept under `key`, None if there is none that is whole."""
    if key in _recent:
        return _recent[key]
    place = folder()
    if place is None:
        return None
    try:
        text = (place / f"{key}.py").read_text()
    except (OSError, ValueError):
        return None
    body, mark, _ = text.rpartition(_MARK)
    return _remember(key, text) if mark and text == body + _end(key, body) else None


def write(key: str, text: str) -> str:
    """Keep source under `key` and return it as kept; a folder that cannot be written is no error."""
    text += _end(key, text)
    place = folder()
    if place is not None:
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            _replace(place / f"{key}.py", text.encode())
    return _remember(key, text)


_recent: dict[str, str] = {}
_RECENT = 128


def _remember(key: str, text: str) -> str:
    """Keep the source in memory too, so that this process never derives it twice."""
    while len(_recent) >= _RECENT:
        _recent.pop(next(iter(_recent)))
    _recent[key] = text
    return text


_MARK = "\n# autoopt "


def _end(key: str, text: str) -> str:
    """Return the last line of an entry, by which a damaged one is told from a whole one."""
    return f"{_MARK}{key} {hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}\n"


def _replace(path: Path, content: bytes) -> None:
    """Write a file at once and readable by its owner alone."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
