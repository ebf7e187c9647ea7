"""One process at a time writes to a run: a file says which, and the system takes the lock back when that ends."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

from autoopt.errors import RunError


class Lock:
    """The lock of a run, held from the making of this to `release`, or to the end of the process, however it ends.

    The file stays, with the number of the process that held it last; it says nothing by itself.

    Raises
    ------
    RunError
        If another process holds it.
    """

    def __init__(self, path: Path, run: Path) -> None:
        self._number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _take(self._number)
        except BlockingIOError:
            holder = os.read(self._number, 200).decode(errors="replace").strip()
            os.close(self._number)
            raise RunError(
                f"Another process is at work on the run {run}: {holder or 'it has not said which'}.",
                remedy="wait for its end, or end it; a run is one process at a time.",
            ) from None
        with contextlib.suppress(OSError):  # a full disk: the lock itself takes no room
            os.ftruncate(self._number, 0)
            os.write(self._number, f"process {os.getpid()} on {platform.node()}\n".encode())

    def release(self) -> None:
        """Let others have it."""
        if self._number >= 0:
            os.close(self._number)
            self._number = -1


def _take(number: int) -> None:
    """Lock an open file, or raise BlockingIOError; where the system, or the disk, has no such locks there are none."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return
