"""Text files with columns: how they are laid out, read in pieces by pandas, and on which line a row stands.

When something is wrong the file is read again, line by line, to say where.
"""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autoopt.errors import DataError, NoRowsError, UsageError
from autoopt.stages import stage
from autoopt.tables.dataset import Dataset
from autoopt.tables.growing import Growing
from autoopt.tables.source import Source
from autoopt.tables.syntax import Syntax
from autoopt.wording import listed, times

_SHOWN = 5  # lines listed in a message before "and ... more"
_OF_R = " (R's write.table names one column fewer, if it is not told col.names=NA.)"
_PIECE = 2_000_000
"""Numbers to a piece: 16 MB, so that few of them stand beside what is kept, and each takes 0.1 s."""

_UNNAMED = "\0"
"""What the names begin with that columns without one have here: R and pandas write the numbers of rows so."""

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe\x00\x00": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Byte order marks, longer ones before those that they begin with."""


@dataclass(frozen=True)
class Layout:
    """How a text file is read.

    Parameters
    ----------
    source : Source
    delimiter : str
        One character.
    encoding : str
        A name that Python knows.
    syntax : Syntax
        How numbers are written.
    is_guessed : bool
        Whether another encoding may be tried.
    """

    source: Source
    delimiter: str
    encoding: str = "utf-8"
    syntax: Syntax = field(default_factory=Syntax)
    is_guessed: bool = True
    told: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def lines(self) -> Iterator[Any]:
        """Give csv's reader of the file."""
        with self.source.text(self.encoding) as text:
            reader = csv.reader(self._trimmed(text), delimiter=self.delimiter, skipinitialspace=self.is_blank)
            try:
                yield reader
            except csv.Error as error:
                raise DataError(
                    f"{self.source.name}, line {reader.line_num}: {error}.", remedy="correct this line."
                ) from error

    @property
    def is_blank(self) -> bool:
        """Whether blanks are between columns, as many as there may be."""
        return self.delimiter == " "

    def _trimmed(self, text: Any) -> Iterator[str]:
        return (f"{line.strip()}\n" for line in text) if self.is_blank else text

    def header(self) -> list[str]:
        """Return the names in the first line."""
        with self.lines() as reader:
            return [name.strip() for name in next(filter(None, reader), [])]

    def second_line(self) -> str:
        """Return the text of the second line."""
        with self.lines() as reader:
            lines = filter(None, reader)
            next(lines, None)
            return self.delimiter.join(next(lines, []))

    def places(self, rows: Sequence[int]) -> list[str]:
        """Return "line 5" for each row, numbered from 0, ascending."""
        wanted, found = set(rows), []
        with self.lines() as reader:
            filled = filter(None, reader)
            next(filled)
            for row, _ in enumerate(filled):
                if row in wanted:
                    found.append(f"line {reader.line_num}")
                    if len(found) == len(rows):
                        break
        return found


def text_table(source: Source, delimiter: str, options: Mapping[str, str]) -> Dataset:
    """Return the columns of a text file; DataError if it is no table with names.

    Parameters
    ----------
    source : Source
    delimiter : str
        What separates columns if `options` does not say.
    options : mapping
        delimiter, encoding, decimal, thousands.
    """
    table = text_file(source, delimiter, options)
    return Dataset(
        source.name,
        table.names,
        table.read,
        table=True,
        places=table.places,
        told=table.layout.told,
        syntax=table.layout.syntax,
        as_text=table.as_text,
    )


def text_file(source: Source, delimiter: str, options: Mapping[str, str]) -> TextTable:
    """Return a text file with its layout and the names of its columns, as `text_table` takes them."""
    layout = _layout(source, delimiter, options)
    try:
        header = layout.header()
    except UnicodeDecodeError:
        layout = _other_encoding(layout)
        header = layout.header()
    _check_header(layout, header)
    return TextTable(layout, [name or f"{_UNNAMED}{place}" for place, name in enumerate(header)])


def _layout(source: Source, delimiter: str, options: Mapping[str, str]) -> Layout:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(options.get("delimiter", ""), options.get("delimiter", delimiter))
    if len(delimiter) != 1:
        raise UsageError(f"delimiter is {delimiter!r}.", remedy="give one character, such as ';', or tab.")
    layout = Layout(source, delimiter, syntax=_syntax(delimiter, options))
    if (encoding := options.get("encoding")) is not None:
        try:
            "".encode(encoding)
        except LookupError as error:
            raise UsageError(f"encoding is {encoding!r}, which Python does not know.", remedy="as utf-8.") from error
        is_marked = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
        return replace(layout, encoding="utf-8-sig" if is_marked else encoding, is_guessed=False)
    encoding = encoding_told_by(source.head())
    if encoding.startswith(("utf-16", "utf-32")):
        layout.told.append(f"{source.name} was read as {encoding.upper()}.")
    return replace(layout, encoding=encoding, is_guessed=encoding == "utf-8")


def _syntax(delimiter: str, options: Mapping[str, str]) -> Syntax:
    decimal, thousands = options.get("decimal", "."), options.get("thousands")
    if decimal not in (".", ",") or decimal == delimiter:
        remedy = "give '.' or ','" + (", and another delimiter, as ';'." if decimal == delimiter else ".")
        raise UsageError(f"decimal is {decimal!r}, with {delimiter!r} between columns.", remedy=remedy)
    if thousands is not None and (len(thousands) != 1 or thousands.isalnum() or thousands == decimal):
        raise UsageError(
            f"thousands is {thousands!r}, and decimals stand behind {decimal!r}.",
            remedy="give the mark between thousands, such as ',' or '.', another one than that of decimals.",
        )
    return Syntax(decimal, thousands)


def encoding_told_by(head: bytes) -> str:
    """Return the encoding that the first bytes tell: by their mark, or by zeros in every other place."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    zeros = np.frombuffer(head[: len(head) // 2 * 2], np.uint8).reshape(-1, 2) == 0
    if len(zeros) and zeros.any():
        even, odd = zeros.mean(axis=0)
        if max(even, odd) > 0.7 and min(even, odd) < 0.3:
            return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8"


def _other_encoding(layout: Layout) -> Layout:
    """Return the layout with the encoding of what is not UTF-8: that of Windows, or Latin-1, which has every byte."""
    source, name = layout.source, layout.source.name
    if not layout.is_guessed:
        raise DataError(
            f"{name} is not {layout.encoding.upper()} text.",
            remedy="give the encoding that it has, as in --encoding cp1252.",
        )
    for encoding in ("cp1252", "latin-1"):
        other = replace(layout, encoding=encoding, is_guessed=False)
        try:
            with source.text(encoding) as text:
                while text.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        break
    called = "Windows' cp1252" if encoding == "cp1252" else "Latin-1"
    layout.told.append(f"{name} is not UTF-8 and was read as {called}; --encoding says otherwise.")
    return other


def _check_header(layout: Layout, names: list[str]) -> None:
    source = layout.source.name
    if not names:
        raise DataError(f"The data file {source} is empty.", remedy="give a file with data.")
    if all(layout.syntax.number(name) is not None for name in names):
        raise DataError(f"The first line of {source} holds numbers.", remedy="put the names of the columns there.")
    marks = [mark for mark in ";\t|," if mark != layout.delimiter]
    values = layout.second_line().split() if len(names) == 1 else []
    if len(values) == len(names[0].split()) > 1 and all(layout.syntax.number(value) is not None for value in values):
        marks.append(" ")
    if len(names) == 1 and (other := next((mark for mark in marks if mark in names[0]), None)):
        given = "tab" if other == "\t" else other
        raise DataError(
            f"{source} has a single column {names[0]!r}; its columns seem to be separated by {other!r}.",
            remedy=f"say so, --delimiter '{given}' (reading={{'delimiter': '{given}'}} in Python), or separate "
            "them by commas (.csv) or tabs (.tsv).",
        )
    if not any(names):
        raise DataError(f"The columns of {source} have no names.", remedy="name them in the first line.")
    refuse_duplicates(source, list(filter(None, names)))
    if nameless := [str(place) for place, name in enumerate(names, start=1) if not name]:
        which = "column" if len(nameless) == 1 else "columns"
        verb = "has no name and is" if len(nameless) == 1 else "have no names and are"
        layout.told.append(f"{which.title()} {listed(nameless)} of {source} {verb} not read.")


def refuse_duplicates(source: str, names: Sequence[str]) -> None:
    """Raise DataError if two columns have one name."""
    if twice := sorted({name for name in names if list(names).count(name) > 1}):
        raise DataError(f"{source} has more than one column {listed(twice)}.", remedy="give each a name of its own.")


class _Counted:
    """A text that counts the delimiters that have been read of it."""

    def __init__(self, text: Any, delimiter: str) -> None:
        self._text, self._delimiter = text, delimiter
        self.delimiters = 0

    def read(self, size: int = -1) -> str:
        part = self._text.read(size)
        self.delimiters += part.count(self._delimiter)
        return part

    def __iter__(self) -> Iterator[str]:  # pandas asks whether it has lines, and reads
        return iter(self._text)


class _MixedError(Exception):
    """A column is text in some parts of a piece and numbers in others."""


class TextTable:
    """The columns of one text file, read in pieces: what is not asked for never stands in memory as a whole."""

    def __init__(self, layout: Layout, header: Sequence[str]) -> None:
        self.layout, self.header = layout, header
        self.rows = 0
        self.in_parts = True  # pandas is faster so, but takes each part for what it is: text, or numbers

    @property
    def names(self) -> list[str]:
        """The columns that have names."""
        return [name for name in self.header if not name.startswith(_UNNAMED)]

    def places(self, rows: Sequence[int]) -> list[str]:
        """Return "line 5" for each row, numbered from 0, ascending."""
        return self.layout.places(rows)

    def first(self, names: Sequence[str], rows: int) -> Any:
        """Return the first rows of these columns as a pandas frame."""
        try:
            with self.layout.source.text(self.layout.encoding) as text:
                places = sorted(self.header.index(name) for name in names)
                frame = next(self._pieces(text, places, None, rows))
                return frame.set_axis([self.header[place] for place in places], axis=1)
        except UnicodeDecodeError:
            self.layout = _other_encoding(self.layout)
        except _MixedError:
            self.in_parts = False
        return self.first(names, rows)

    def survey(self, names: Sequence[str]) -> dict[str, str]:
        """Go through the file, count its rows, check its lines, and return NumPy's kind of each of these columns.

        What is whole numbers in one piece and others in the next is "f", all that is no number in some piece "O".
        """
        kinds: dict[str, set[str]] = {name: set() for name in names}
        try:
            with stage(f"counting the rows of {self.layout.source.name}", self._far):
                for frame, wanted in self._checked(names, None):
                    for place, name in enumerate(wanted):
                        if name in kinds:
                            kind = getattr(frame.dtypes.iloc[place], "kind", "O")
                            kinds[name].add(kind if kind in "bf" else "i" if kind in "iu" else "O")
        except UnicodeDecodeError:
            self.layout = _other_encoding(self.layout)
            return self.survey(names)
        except _MixedError:
            self.in_parts = False
            return self.survey(names)
        return {
            name: "O" if "O" in each or {"b"} < each else max(each, key="bif".index) for name, each in kinds.items()
        }

    def read(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return these columns."""
        try:
            with stage(f"reading {self.layout.source.name}", self._far):
                columns = self._columns(names)
                if mixed := [name for name, column in columns.items() if column.is_mixed]:
                    columns |= self._columns(mixed, dtype=str)
                return {name: column.array for name, column in columns.items()}
        except UnicodeDecodeError:
            self.layout = _other_encoding(self.layout)
        except _MixedError:
            self.in_parts = False
        return self.read(names)

    def as_text(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return these columns as they are written."""
        return {name: column.array for name, column in self._columns(names, dtype=str).items()}

    def _far(self) -> str:
        return f"{self.rows} rows, {self.layout.source.far()}"

    def _columns(self, names: Sequence[str], dtype: Any = None) -> dict[str, Growing]:
        """Return these columns."""
        columns = {name: Growing() for name in names}
        for frame, wanted in self._checked(names, dtype):
            expected = int(1.02 * self.rows / (self.layout.source.share() or 1.0))
            for position, name in enumerate(wanted):
                if name in columns:
                    columns[name].add(frame.iloc[:, position], expected)
        return columns

    def _checked(self, names: Sequence[str], dtype: Any) -> Iterator[tuple[Any, list[str]]]:
        """Yield pieces with at least these columns, and the names of what they have; lines are checked at the end."""
        last = self.header[-1]
        wanted = [name for name in self.header if name in set(names) or name == last]
        self.rows, has_gaps, source = 0, False, self.layout.source
        with source.text(self.layout.encoding) as text:
            counted = _Counted(text, self.layout.delimiter) if len(wanted) < len(self.header) else None
            for frame in self._pieces(counted or text, [self.header.index(name) for name in wanted], dtype):
                self.rows += len(frame)
                has_gaps = has_gaps or bool(frame.iloc[:, -1].isna().any())
                yield frame, wanted
        if not self.rows:
            raise NoRowsError(f"{source.name} has column names and no rows.", remedy="give a file with data.")
        # A line that is too short has nothing in the last column. One that is too long is not noticed by pandas where
        # it is asked for some columns only, but has a delimiter too many; so has one that is quoted.
        # Of blanks there may be more.
        expected = (len(self.header) - 1) * (self.rows + 1)
        if has_gaps or (counted and (counted.delimiters != expected or self.layout.is_blank)):
            self._check_lengths()

    def _pieces(self, text: Any, positions: Sequence[int], dtype: Any, rows: int | None = None) -> Iterator[Any]:
        """Yield these columns of the file as frames of so many rows, or as many as make a piece."""
        import warnings

        import pandas as pd

        layout = self.layout
        rows = rows or max(1, _PIECE // len(positions))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                warnings.simplefilter("error", pd.errors.DtypeWarning)
                yield from pd.read_csv(
                    text, sep=r"\s+" if layout.is_blank else layout.delimiter, decimal=layout.syntax.decimal,
                    thousands=layout.syntax.thousands,
                    usecols=None if len(positions) == len(self.header) else positions, dtype=dtype, index_col=False,
                    chunksize=rows, low_memory=self.in_parts,
                )  # fmt: skip
        except pd.errors.DtypeWarning as warning:
            raise _MixedError from warning
        except pd.errors.EmptyDataError as error:
            raise DataError(f"The data file {layout.source.name} is empty.", remedy="give a file with data.") from error
        except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
            self._check_lengths()
            raise DataError(f"{layout.source.name} cannot be read as a table: {error}", remedy="correct it.") from error

    def _check_lengths(self) -> None:
        """Refuse a file with lines longer or shorter than its header."""
        width, faults, total, longer, lines = len(self.header), [], 0, 0, -1
        with self.layout.lines() as reader:
            for row in reader:
                lines, longer = lines + bool(row), longer + (len(row) == width + 1)
                if row and len(row) != width:
                    total += 1
                    if len(faults) < _SHOWN:
                        faults.append(f"  line {reader.line_num}: {len(row)} values")
        if total:
            more = [f"  ... and {total - _SHOWN} more"] if total > _SHOWN else []
            raise DataError(
                f"{self.layout.source.name} has {times(total, 'line')} of another length than the first, which names "
                f"{width} columns:\n" + "\n".join([*faults, *more]),
                remedy=f"give each line one value for each column.{_OF_R if longer == lines else ''}",
            )
