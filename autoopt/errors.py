"""What autoopt raises: what happened, where in the user's file, what to do.

Every error is an `AutooptError`; the kinds say which stage spoke. Nothing here knows tapes or PyTensor.
"""

from __future__ import annotations

import dis
import linecache
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType


@dataclass(frozen=True)
class Location:
    """A place in the user's source: the file, the line and the columns of one expression."""

    file: str
    line: int
    column: int | None = None
    end_column: int | None = None
    function: str = ""

    @classmethod
    def of_instruction(cls, code: CodeType, offset: int) -> Location:
        """Return the place of the bytecode instruction at `offset` (a frame's `f_lasti`) of `code`."""
        line, end_line, column, end_column = position(code, offset)
        if end_line != line:
            column = end_column = None
        return cls(code.co_filename, line or code.co_firstlineno, column, end_column, code.co_name)

    @classmethod
    def of_loop(cls, code: CodeType, offset: int) -> Location | None:
        """Return the line of the outermost loop of `code` around an instruction, None if there is no loop around it."""
        line = {
            place.offset: place.positions.lineno
            for place in dis.get_instructions(code)
            if place.positions and place.positions.lineno
        }
        loops = [
            (jump.argval, jump.offset)
            for jump in dis.get_instructions(code)
            if "BACKWARD" in jump.opname and jump.argval <= offset <= jump.offset
        ]
        if not loops:
            return None
        # A `while` may be tested at its end, a `for` at its start.
        return cls(code.co_filename, min(line[place] for place in min(loops) if place in line), function=code.co_name)

    @property
    def text(self) -> str:
        """The source line without its indentation, empty if the source is not at hand."""
        return linecache.getline(self.file, self.line).strip()

    @property
    def expression(self) -> str:
        """The text of the expression alone, or of the whole line where columns are unknown."""
        line = linecache.getline(self.file, self.line)
        if self.column is None or self.end_column is None:
            return line.strip()
        raw = line.encode()
        return raw[self.column : self.end_column].decode(errors="replace")

    def __str__(self) -> str:
        shown = f"  {display_path(self.file)}:{self.line}"
        line = linecache.getline(self.file, self.line).rstrip("\n")
        if not line.strip():
            return shown
        indent = len(line) - len(line.lstrip())
        shown += f"\n    {line.strip()}"
        if self.column is not None and self.end_column is not None:
            before = len(line.encode()[: self.column].decode(errors="replace"))
            width = len(line.encode()[self.column : self.end_column].decode(errors="replace"))
            shown += "\n    " + " " * (before - indent) + "^" * max(width, 1)
        return shown


def position(code: CodeType, offset: int) -> tuple[int | None, int | None, int | None, int | None]:
    """Return (line, end line, column, end column) of the instruction at byte `offset`."""
    for index, position in enumerate(code.co_positions()):
        if index == offset // 2:
            return position
    return code.co_firstlineno, code.co_firstlineno, None, None


def display_path(file: str) -> str:
    """Return `file` relative to the working folder where it lies below it."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file


class AutooptError(Exception):
    """Something autoopt will not do, and says so.

    Parameters
    ----------
    happened : str
        One or more full sentences.
    where : Location or sequence of Location, optional
        The places in the user's file that caused it.
    remedy : str, optional
        What to do; printed after "To fix this:".
    """

    def __init__(
        self, happened: str, where: Location | Sequence[Location] | None = None, remedy: str | None = None
    ) -> None:
        self.happened = happened
        self.where = (where,) if isinstance(where, Location) else tuple(where or ())
        self.remedy = remedy
        super().__init__(happened)

    def __str__(self) -> str:
        parts = [self.happened, *(str(place) for place in self.where)]
        if self.remedy:
            parts.append(f"To fix this: {self.remedy}")
        return "\n".join(parts)


class TracingError(AutooptError):
    """The objective did something that cannot be followed."""


class UnsupportedFunctionError(TracingError):
    """The objective calls a function, or uses an option, that autoopt cannot differentiate."""


class ModelError(AutooptError):
    """The objective or the model file is not of the form that is needed."""


class ObjectiveError(ModelError):
    """The user's own objective raised, returned no scalar, or is not finite at the start."""


class DataError(AutooptError):
    """The data cannot be used: missing file or column, missing or non-numeric values."""


class NoRowsError(DataError):
    """A table has columns and no rows; among several, others may have some."""


class UsageError(AutooptError, ValueError):
    """An argument of a call to autoopt is not one that it takes."""


class VerificationError(AutooptError):
    """The derived code and the original function disagree."""

    is_located = False
    """Whether its place is where the two part, which a cause that is found may tell better."""


class FitError(AutooptError, RuntimeError):
    """No minimum was found by a function that returns nothing but the parameters at one; `result` is where it ended."""

    result: object = None


class RootError(AutooptError, RuntimeError):
    """No root was found by a function that returns nothing but the root."""


class BracketError(RootError, ValueError):
    """A bracket shows no root: signs at its ends do not differ, or the function has no value in it."""


class InferenceError(AutooptError):
    """Standard errors or intervals do not exist at this solution."""


class RunError(AutooptError):
    """The directory or checkpoint of a run cannot be written or read, or belongs to another run."""


class ClusterError(AutooptError, RuntimeError):
    """A cluster is not reached, or its workers end again and again."""


class RunWarning(UserWarning):
    """What is kept of a run cannot be written any more; the run goes on."""


class PathsWarning(UserWarning):
    """The objective's path through its branches changes so often that it is no longer compiled."""


class KeptValueWarning(UserWarning):
    """A value is compared that an objective kept while it was traced."""


class CacheWarning(UserWarning):
    """The cache of derivative source is not used, as others could have written what it holds."""


class SinglePrecisionWarning(UserWarning):
    """An objective asks for single precision, and is followed in double precision."""
