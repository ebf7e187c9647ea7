"""Whose fault an exception is: the user's own is shown as theirs, with their lines and without ours.

Knows only files: the user's are all but this package's and the installed libraries'.
"""

from __future__ import annotations

import linecache
import os
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import AutooptError, Location, ModelError

_PACKAGE = f"{Path(__file__).parent}{os.sep}"
_LIBRARIES = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})


@contextmanager
def users_code(doing: str, kind: type[AutooptError] = ModelError) -> Iterator[None]:
    """Raise what the user's code raises as an error of `kind`: "`doing` raised ...", and where in their files.

    An exception without a line of theirs, or one that autoopt raised while it worked for them, is not their fault.
    """
    try:
        yield
    except AutooptError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, SyntaxError) and error.filename:
            raise syntax_error(error, error.filename) from error
        places = [place for place in _places(error) if _is_users(place)]
        if not places:
            raise
        said = traceback.format_exception_only(error)[-1].rstrip()
        if is_ours(error):
            raise AutooptError(
                f"autoopt itself failed at this line of the model, with {said}",
                where=places,
                remedy="report it with the full traceback, which autoopt fit --traceback shows.",
            ) from error
        raise kind(f"{doing} raised {said}", where=places) from error


def is_ours(error: BaseException) -> bool:
    """Return whether code of this package was running, on behalf of the user's or not, when the exception arose."""
    places = _places(error)
    last = max((i for i, place in enumerate(places) if _is_users(place)), default=-1)
    return any(place.file.startswith(_PACKAGE) for place in places[last + 1 :])


def syntax_error(error: SyntaxError | ValueError, file: str) -> ModelError:
    """Return the error that shows the line of `file` that is not Python."""
    where = None
    if isinstance(error, SyntaxError) and error.lineno:
        line = linecache.getline(file, error.lineno)
        start = max(error.offset or 1, 1) - 1
        end = error.end_offset - 1 if error.end_lineno == error.lineno and (error.end_offset or 0) > start else start
        columns = [len(line[:column].encode()) for column in (start, max(end, start + 1))]
        where = Location(file, error.lineno, *columns)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return ModelError(f"{Path(file).name} is not valid Python: {said}.", where, "correct this line.")


def _places(error: BaseException) -> list[Location]:
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(Location.of_instruction(trace.tb_frame.f_code, trace.tb_lasti))
        trace = trace.tb_next
    return places


def _is_users(place: Location) -> bool:
    return not place.file.startswith(("<", _PACKAGE, *_LIBRARIES))
