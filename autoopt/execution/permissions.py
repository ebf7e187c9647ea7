"""Which files and folders nobody but the user can have written: what is in others is not run."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Callable
from pathlib import Path

from autoopt.errors import CacheWarning

_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
"""No link is followed out of the folder, and no pipe waited for."""


def is_safe(path: Path | str, what: str, status: os.stat_result | None = None) -> bool:
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
    remedy = f"run chmod go-w {path}" if "written" in reason else "name a folder of your own in AUTOOPT_CACHE"
    _warn(
        path,
        f"The {what} {path} of the cache {reason}, and its code would be run; it is not used.\n"
        f"To fix this: {remedy}, or turn the cache off with AUTOOPT_CACHE=off.",
    )
    return False


def is_secret(path: Path | str, status: os.stat_result) -> bool:
    """Whether nobody but this user can read a file either; if not, warn once for each."""
    if not hasattr(os, "geteuid"):
        return True
    reason = None
    if status.st_uid != os.geteuid():
        reason = f"belongs to another user (uid {status.st_uid})"
    elif status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        reason = f"can be read or written by others (mode {stat.S_IMODE(status.st_mode):o})"
    if reason is None:
        return True
    _warn(
        path,
        f"The file {path}, whose secret signs what the cache keeps, {reason}.\n"
        "What it signed is not used: a new secret is made, and derivatives are derived anew.",
    )
    return False


def content(path: Path, is_allowed: Callable[[Path, os.stat_result], bool]) -> bytes | None:
    """Return what a plain file of which `is_allowed` holds has in it, None if there is none."""
    try:
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or not is_allowed(path, status):
            return None
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    except OSError:
        return None
    finally:
        os.close(handle)


def new_file(folder: Path, kept: bytes) -> Path:
    """Return a new file in a folder, with what is to be kept in it, that its owner alone can read."""
    path = folder / f"new-{os.urandom(8).hex()}"  # `tempfile` takes 1 ms to import
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(kept)
    except BaseException:
        os.unlink(path)
        raise
    return path


_warned: set[str] = set()


def _warn(path: Path | str, message: str) -> None:
    if str(path) not in _warned:
        _warned.add(str(path))
        warnings.warn(message, CacheWarning, stacklevel=3)
