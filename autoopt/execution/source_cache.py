"""The on-disk cache of derivative source: one file of NumPy source for each tape and kind of derivative.

What is kept is text, named by the digest of the tape and the versions that made it; never data. `AUTOOPT_CACHE` names
the folder, or turns the cache off if it is "0", "off" or empty.

The text is executed. So a folder that others can write into, and files that they own or can change, are not used.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from autoopt.errors import CacheWarning
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
    """Return the source kept under `key`, None if there is none that is whole."""
    if key in _recent:
        return _recent[key]
    place = folder()
    if place is None or not _is_safe(place, "folder"):
        return None
    try:
        with open(place / f"{key}.py", encoding="utf-8") as file:
            if not _is_safe(file.name, "file", os.fstat(file.fileno())):
                return None
            text = file.read()
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
            if _is_safe(place, "folder"):
                _replace(place / f"{key}.py", text.encode())
    return _remember(key, text)


def remembered(key: str, text: str) -> str:
    """Keep source under `key` in this process alone, and return it as kept: it is quickly made of what is in files."""
    return _remember(key, text + _end(key, text))


def _is_safe(path: Path | str, what: str, status: os.stat_result | None = None) -> bool:
    """Whether nobody but this user (and root) can write a folder or file; if not, warn once for each.

    A group may write if it is the user's own by the custom of user-private groups: the user's primary group, with the
    number of the user. A folder that is not there yet is safe.
    """
    if not hasattr(os, "geteuid"):  # Windows, whose permissions are others
        return True
    if status is None:
        try:
            status = os.stat(path)
        except OSError:
            return True
    user = os.geteuid()
    is_private = status.st_gid == os.getegid() == user and user != 0
    reason = None
    if status.st_uid not in (user, 0):
        reason = f"belongs to another user (uid {status.st_uid})"
    elif status.st_mode & (stat.S_IWOTH if is_private else stat.S_IWOTH | stat.S_IWGRP):
        reason = "can be written by others"
    if reason is None:
        return True
    if str(path) not in _warned:
        _warned.add(str(path))
        remedy = f"run chmod go-w {path}" if "written" in reason else "name a folder of your own in AUTOOPT_CACHE"
        warnings.warn(
            f"The {what} {path} of the cache {reason}, and its code would be run; it is not used.\n"
            f"To fix this: {remedy}, or turn the cache off with AUTOOPT_CACHE=off.",
            CacheWarning,
            stacklevel=2,
        )
    return False


_warned: set[str] = set()

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


def bare(text: str) -> str:
    """Return source without that line."""
    body, mark, _ = text.rpartition(_MARK)
    return body if mark else text


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
