"""Where the bytes of data come from: a file or stdin, compressed or not, and what they are by their first bytes."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import importlib
import io
import lzma
import re
import shutil
import sys
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from autoopt.errors import DataError
from autoopt.extras import imported
from autoopt.stages import stage
from autoopt.wording import near

STDIN = "-"
"""The path that stands for standard input."""

_MB = 1e6
_OBJECT, _ARRAY = re.compile(rb'\{\s*(["}]|$)'), re.compile(rb"\[\s*([\[{\]]|$)")
"""How records of JSON begin, and how names of columns as {x} and [Na+] do not."""


@dataclass(frozen=True)
class Compression:
    """How to open what is compressed: the suffix of such files, the bytes they begin with, and a stream of the rest."""

    suffix: str
    begins: bytes
    opened: Callable[[Any], Any]


def _zstd(file: Any) -> Any:
    """Return what Python (since 3.14) or pyarrow makes of it."""
    try:
        return importlib.import_module("compression.zstd").ZstdFile(file)
    except ModuleNotFoundError:
        return imported("pyarrow", "parquet", "A file compressed by zstd").CompressedInputStream(file, "zstd")


COMPRESSIONS = (
    Compression(".gz", b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    Compression(".bz2", b"BZh", bz2.BZ2File),
    Compression(".xz", b"\xfd7zXZ\x00", lzma.LZMAFile),
    Compression(".zst", b"\x28\xb5\x2f\xfd", _zstd),
)

SIGNATURES = {b"PAR1": ".parquet", b"ARROW1": ".feather", b"PK\x03\x04": ".npz", b"\x93NUMPY": ".npy"}
"""What files begin with -> the suffix of such files; all others are text."""


@dataclass(frozen=True)
class Source:
    """A file of data.

    Parameters
    ----------
    name : str
        For messages: the path as it was given, or stdin.
    path : Path
        What is opened.
    suffix : str
        Lower case, that of what is in it once it is decompressed: ".csv" of "d.csv.gz".
    compression : Compression or None
    """

    name: str
    path: Path
    suffix: str
    compression: Compression | None = None
    _open: list[Any] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of(cls, path: str | Path) -> Source:
        """Return the source of a path, "-" for stdin; DataError if there is no such file, or nothing in it."""
        if str(path) == STDIN:
            return _spooled()
        path = Path(path)
        _refuse_absent(path)
        return cls(str(path), path, *suffixes_of(path.name))

    @property
    def is_stdin(self) -> bool:
        return self.name == "stdin"

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        """Give the bytes from the beginning, decompressed; DataError if they cannot be."""
        try:
            with self.path.open("rb") as raw:
                self._open.append(raw)
                try:
                    yield raw if self.compression is None else self.compression.opened(raw)
                finally:
                    self._open.remove(raw)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError) as error:
            raise self.unreadable(error) from error

    @contextlib.contextmanager
    def text(self, encoding: str) -> Iterator[Any]:
        """Give the text from the beginning, its line ends as they are."""
        with self.opened() as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
            yield text

    def unreadable(self, error: Exception) -> DataError:
        """Return the error for bytes that cannot be had."""
        if self.compression is not None and not isinstance(error, FileNotFoundError | PermissionError):
            return DataError(
                f"{self.name} cannot be decompressed: {error}.",
                remedy=f"check that the file is whole, and compressed as {self.compression.suffix} says.",
            )
        return DataError(f"{self.name} cannot be read: {error}.", remedy="check the file and its permissions.")

    def head(self, size: int = 65536) -> bytes:
        """Return the first bytes of what is in it."""
        with self.opened() as file:
            return cast(bytes, file.read(size))

    def far(self) -> str:
        """Return how much of the file that is being read has been read, such as "120 of 500 MB"."""
        size = self.path.stat().st_size
        return f"{self.share() * size / _MB:.0f} of {size / _MB:.0f} MB"

    def share(self) -> float:
        """Return the share of the file that has been read, 0 where it is not being read."""
        try:
            return self._open[-1].tell() / self.path.stat().st_size
        except (IndexError, ValueError, OSError):  # it is closed: another thread asks
            return 0.0


def suffixes_of(name: str) -> tuple[str, Compression | None]:
    """Return the suffix of what is in a file, and how it is compressed, by its name."""
    for each in COMPRESSIONS:
        if name.lower().endswith(each.suffix):
            return Path(name[: -len(each.suffix)]).suffix.lower(), each
    return Path(name).suffix.lower(), None


def _refuse_absent(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"The data file {path} is a folder.", remedy="give a file.")
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir() if entry.is_file()] if path.parent.is_dir() else []
        raise DataError(
            f"There is no data file {path}.{near(path.name, beside)}",
            remedy=f"check the name; the working folder is {Path.cwd()}.",
        )
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"The data file {path} is empty.", remedy="give a file with data.")


def _spooled() -> Source:
    """Return the source of what comes by stdin, kept in a file that goes with it, as it is read more than once."""
    handle, name = tempfile.mkstemp(prefix="autoopt-")
    path = Path(name)
    if sys.stdin is None:
        raise DataError('The data are "-", and stdin is closed.', remedy="pipe them in, or name a file.")
    stdin = getattr(sys.stdin, "buffer", sys.stdin)
    with open(handle, "wb") as spool, stage("reading stdin", lambda: f"{spool.tell() / _MB:.0f} MB"):
        shutil.copyfileobj(stdin, spool)
    if path.stat().st_size == 0:
        path.unlink()
        raise DataError("There is nothing on stdin.", remedy="pipe the data into the command, or name a file.")
    with path.open("rb") as file:
        begins = file.read(16)
    compression = next((each for each in COMPRESSIONS if begins.startswith(each.begins)), None)
    head = Source("stdin", path, "", compression).head(4096)
    source = Source("stdin", path, told_by(head), compression)
    weakref.finalize(source, path.unlink, missing_ok=True)
    return source


def told_by(head: bytes) -> str:
    """Return the suffix of files with such contents."""
    for begins, suffix in SIGNATURES.items():
        if head.startswith(begins):
            return suffix
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if _OBJECT.match(text):
        return ".jsonl"
    if _ARRAY.match(text):
        return ".json"
    first = head.partition(b"\n")[0]
    return ".tsv" if first.count(b"\t") > first.count(b",") else ".csv"
