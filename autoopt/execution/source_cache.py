"""The on-disk cache of derivative source: one file of NumPy source for each tape and kind of derivative.

What is kept is text, named by the digest of the tape and the versions that made it; never data. `AUTOOPT_CACHE` names
the folder, or turns the cache off if it is "0", "off" or empty.

The text is executed. So a folder that others can write into, and files that they own or can change, are not used
(`permissions.py`), nor is what does not bear the signature of this user's cache (`signature.py`).
"""

from __future__ import annotations

import contextlib
import functools
import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from autoopt.execution.permissions import content, is_safe, new_file
from autoopt.execution.signature import require_secret, signature
from autoopt.version import __version__

_ROOMS = ("ops", "rules", "graph", "codegen", "tape")
"""Those whose files make the source."""

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
    package = Path(__file__).parent.parent
    files = sorted(file for room in _ROOMS for file in (package / room).rglob("*.py"))
    stamp = ";".join(f"{file.relative_to(package)}{os.stat(file).st_mtime_ns}" for file in files)
    releases = (np.__version__, release("scipy"), release("pytensor"))
    return ";".join((__version__, *releases, stamp))


def release(package: str) -> str:
    """Return the release of an installed package, as the name of the folder with its metadata has it.

    `importlib.metadata`, which takes as long to load as a first gradient of a few lines, is asked if that is not clear.
    """
    spec = find_spec(package)
    if spec is not None and spec.origin is not None:
        folders = list(Path(spec.origin).parent.parent.glob(f"{package}-*.dist-info"))
        if len(folders) == 1:
            return folders[0].name.removeprefix(f"{package}-").removesuffix(".dist-info")
    from importlib import metadata

    return metadata.version(package)


def read(key: str) -> str | None:
    """Return the source kept under `key`, None if there is none that is whole and signed."""
    if key in _recent:
        return _recent[key]
    place = folder()
    if place is None or not is_safe(place, "folder"):
        return None
    kept = content(place / f"{key}.py", lambda path, status: is_safe(path, "file", status))
    if kept is None:
        return None
    text, _, _ = kept.rpartition(_MARK)
    return remembered(key, text.decode()) if kept == _signed(place, key, text) else None


def write(key: str, text: str) -> str:
    """Keep source under `key` and return it; a folder that cannot be written is no error."""
    place = folder()
    if place is not None:
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            if is_safe(place, "folder"):
                require_secret(place)
                if (entry := _signed(place, key, text.encode())) is not None:
                    _replace(place / f"{key}.py", entry)
    return remembered(key, text)


def _signed(place: Path, key: str, text: bytes) -> bytes | None:
    """Return what a file of the cache has in it: the source, and its signature; None if there is no secret."""
    signed = signature(place, key, text)
    return None if signed is None else text + _MARK + f"{signed}\n".encode()


_MARK = b"\n# autoopt "

_recent: dict[str, str] = {}
_RECENT = 128


def remembered(key: str, text: str) -> str:
    """Keep source in memory, so that this process never derives it twice, and return it.

    Alone there is kept what is quickly made of that in files.
    """
    while len(_recent) >= _RECENT:
        _recent.pop(next(iter(_recent)))
    _recent[key] = text
    return text


def _replace(path: Path, kept: bytes) -> None:
    """Write a file at once and readable by its owner alone."""
    new = new_file(path.parent, kept)
    try:
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise
