"""The files that are read while an objective is traced: other contents there mean another objective.

Python announces each file that it opens to the hooks of `sys.addaudithook`, which cannot be taken away again and cost a
little at each `id(...)`. So the hook is set when a function is met whose code names something that may read a file.
What is announced without saying what is read (a process, a connection, a directory), and what is not announced (whether
there is a file), makes the record one whose values are compared with the objective's own.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_READING = re.compile(
    r"open|load|read|file|memmap|getline|[pP]ath|connect|scan_|system|check_|run|glob|listdir|scandir"
)
"""Names of functions that read files, or go by names that may."""

_LOOKING = frozenset(
    ("exists", "isfile", "isdir", "islink", "getmtime", "getctime", "getatime", "getsize", "stat", "lstat", "access")
    + ("is_file", "is_dir", "is_symlink", "samefile", "fstat", "ismount", "lexists", "getline", "getlines")
)
"""Names of functions that look at files without opening them."""

_UNSEEN = frozenset(
    ("os.listdir", "os.scandir", "glob.glob", "pathlib.Path.glob", "subprocess.Popen", "os.system", "os.posix_spawn")
    + ("socket.connect", "sqlite3.connect", "urllib.Request", "ftplib.connect", "os.exec")
)
"""Events by which something outside is read that is not a file with a name."""

_CODE = (".py", ".pyc", ".so", ".pyd", ".dll", ".pth")
"""Endings of files that are read to import modules, and to show lines of errors."""

_RACY = 2 * 10**9
"""For how many ns after a file was written it may be written again at the same time: file systems count coarsely."""

_reader = threading.local()
_hooked: list[bool] = []


def reads(name: str) -> bool:
    """Whether a function of this name may read files."""
    return _READING.search(name) is not None


def looks(name: str) -> bool:
    """Whether a function of this name looks at files without opening them."""
    return name in _LOOKING


@contextmanager
def announced(note: Callable[[str | None], Any]) -> Iterator[None]:
    """Call `note` with the path of each file that this thread opens for reading, with None for what has no path."""
    before = getattr(_reader, "note", None)
    _reader.note = note
    try:
        yield
    finally:
        _reader.note = before


def listen() -> None:
    """Set the audit hook: Python announces what it opens from now on."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_hear)


def _hear(event: str, args: tuple) -> None:
    if event != "open" and event not in _UNSEEN:
        return
    note = getattr(_reader, "note", None)
    if note is None:
        return
    _reader.note = None  # what is done here is not announced
    try:
        if event != "open":
            note(None)
        elif _is_for_reading(*args) and not isinstance(args[0], int):
            path = os.path.abspath(os.fsdecode(args[0]))
            if not path.endswith(_CODE):
                note(path)
    finally:
        _reader.note = note


def _is_for_reading(path: Any, mode: str | None = None, flags: int = 0) -> bool:
    if mode is not None:
        return not mode.startswith(("w", "a", "x")) or "+" in mode
    return flags & (os.O_WRONLY | os.O_RDWR) != os.O_WRONLY


class FileState:
    """What a file was: when it was written, of what size, and what was in it if it had been written just before."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._state = _state(path)
        self._digest = _digest(path) if self._is_racy() else None

    @property
    def is_known(self) -> bool:
        """Whether a change can be seen: not in a pipe or device."""
        return self._state is None or self._state[0]

    def __call__(self) -> bool:
        """Whether the file is what it was."""
        if _state(self.path) != self._state:
            return False
        if self._digest is not None:
            racy = self._is_racy()
            if _digest(self.path) != self._digest:
                return False
            if not racy:
                self._digest = None
        return True

    def _is_racy(self) -> bool:
        return self._state is not None and self._state[0] and abs(time.time_ns() - self._state[1]) < _RACY


def _state(path: str) -> tuple | None:
    """Return what changes when a file is written, None if there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return stat.S_ISREG(status.st_mode), status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev


def _digest(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:
        return None
