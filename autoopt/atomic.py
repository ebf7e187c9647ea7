"""Files that are written whole or not at all, and whether a file could be written, before there is anything to lose."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def write(path: Path, text: str, *, lasting: bool = False) -> None:
    """Write the file whole or not at all, where a link leads, with the rights that it had; a pipe or device is kept.

    One that is `lasting` is on the disk when this returns: it outlives the machine, too, and not the process alone.
    """
    path = Path(os.path.realpath(path))
    there = path.stat() if path.exists() else None
    if there is not None and not stat.S_ISREG(there.st_mode):
        path.write_text(text, encoding="utf-8")
        return
    temporary = _beside(path)
    try:
        temporary.touch(0o666 if there is None else stat.S_IMODE(there.st_mode))
        temporary.write_text(text, encoding="utf-8")
        if there is not None:
            _give(temporary, there)
        if lasting:
            _settle(temporary)
        os.replace(temporary, path)
        if lasting:
            _settle(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def probe(path: Path, size: int = 1 << 16) -> None:
    """Raise OSError if a file of `size` bytes could not be written at `path`: one is, beside it, and removed again.

    What is a pipe or a device is asked for its rights alone, as what is written there cannot be taken back.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise IsADirectoryError(21, "Is a directory", str(path))
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "Permission denied", str(path))
        return
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(13, "Permission denied", str(path))
    temporary = _beside(path)
    try:
        with temporary.open("wb") as file:
            file.write(bytes(size))
            file.flush()
            os.fsync(file.fileno())
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def sweep(path: Path) -> None:
    """Remove what processes that were killed have left beside a file; for those who alone write to it."""
    path = Path(os.path.realpath(path))
    for left in path.parent.glob(f".{path.name}.*"):
        with contextlib.suppress(OSError):
            left.unlink()


def _beside(path: Path) -> Path:
    """Return a name in the same folder, so on the same disk, that no other process uses."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def _settle(path: Path) -> None:
    """Have the disk hold a file, or the names in a folder; systems that cannot open folders do without."""
    with contextlib.suppress(PermissionError):
        number = os.open(path, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _give(path: Path, like: os.stat_result) -> None:
    """Give a file the owner, if that is allowed, and the rights of another."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(path, like.st_uid, like.st_gid)
    path.chmod(stat.S_IMODE(like.st_mode))
