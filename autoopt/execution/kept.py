"""What the cache of derivative source holds: how much there is, and how it is made less.

Only files that the cache itself has written are counted and removed, whatever else lies in its folder.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from autoopt.execution.permissions import new_file
from autoopt.execution.source_cache import folder

_ENTRY = re.compile(r"[0-9a-f]{32}\.py|new-[0-9a-f]{16}")
"""What entries are called, and those that were being written when a process was killed."""


@dataclass(frozen=True)
class Entry:
    """A file of the cache: its size in bytes, and when it was last used, in seconds since 1970."""

    path: Path
    size: int
    used: float


def entries() -> list[Entry]:
    """Return the files of the cache, the one that has not been used for longest first; none if it is turned off."""
    place = folder()
    found = []
    if place is not None and place.is_dir():
        for path in place.iterdir():
            if _ENTRY.fullmatch(path.name):
                with contextlib.suppress(OSError):  # another process has just removed it
                    status = path.stat(follow_symlinks=False)
                    found.append(Entry(path, status.st_size, max(status.st_atime, status.st_mtime)))
    return sorted(found, key=lambda entry: entry.used)


def reduce(most: int) -> list[Entry]:
    """Remove the files that have not been used for longest until those left have `most` bytes; return what is gone.

    Raises
    ------
    OSError
        If one cannot be removed.
    """
    kept = entries()
    size = sum(entry.size for entry in kept)
    gone = []
    while kept and size > most:
        entry = kept.pop(0)
        entry.path.unlink(missing_ok=True)
        size -= entry.size
        gone.append(entry)
    return gone


def unwritable(place: Path) -> str:
    """Return why a folder cannot be written; empty if it can."""
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.unlink(new_file(place, b"autoopt"))
    except OSError as error:
        return error.strerror or str(error)
    return ""
