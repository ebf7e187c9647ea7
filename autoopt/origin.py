"""Whose code is it: the user's, an installed package's, a library's that autoopt knows, or autoopt's own.

Traces, messages and error reports ask here, and know only files and names of modules:

    model.py                                  the user's
    <stdin>, <string>                         the user's: typed in, or made by `exec` and `eval`
    site-packages/statsmodels/api.py          an installed package's
    site-packages/scipy/stats/_qmc.py         a library's; so are Python's own files
    autoopt/tracing/trace.py, <autoopt 1a2b>  autoopt's own; the second is printed by it

A trace follows the user's code, and an installed package's like it: a package of models is installed as any other is.
An error shows the user's lines alone. They cannot mend what is installed, so that where an installed package fails, the
line to show is theirs that called it.
"""

from __future__ import annotations

import enum
import functools
import inspect
import os
import re
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any

import numpy as np

from autoopt.errors import Location


class Owner(enum.Enum):
    """Who has written a piece of code."""

    USER = "user"
    INSTALLED = "installed package"
    LIBRARY = "library"
    AUTOOPT = "autoopt"


PRINTED = "<autoopt "
"""What the names of the files of printed code begin with."""

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep
_STANDARD = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib")})


def _sites() -> tuple[str, ...]:
    """Return the folders into which pip, and the system, install packages for this Python; NumPy's among them."""
    folders = {sysconfig.get_path(name) for name in ("purelib", "platlib")} | {os.path.dirname(os.path.dirname(_NUMPY))}
    for ask in ("getsitepackages", "getusersitepackages"):  # which some environments have not
        answer: str | list[str] | None = getattr(site, ask, list)()
        folders |= {answer} if isinstance(answer, str) else set(answer or ())
    return tuple(sorted((folder + os.sep for folder in folders), key=len, reverse=True))


_SITES = _sites()

DATA_LIBRARIES = ("pandas", "polars")
"""Libraries of tables that a trace has stand-ins for, each in `tracing/frames/<name>.py`."""

DATA_MODULES = (*DATA_LIBRARIES, "scipy.sparse")
"""Where the classes are defined whose objects are data as arrays are: tables and sparse matrices."""

_KNOWN = ("numpy", "scipy", *DATA_LIBRARIES, "click")
"""Installed packages that a trace does not follow: it has stand-ins and rules for them, or they are the command's."""

_ADAPTED = _PACKAGE + os.path.join("objectives", "adapted.py")

_FOLLOWED = (
    _NUMPY + "polynomial" + os.sep,
    _NUMPY + os.path.join("lib", "_polynomial_impl.py"),
    *(part + "statistics.py" for part in _STANDARD),
    _ADAPTED,
)

_UNCHANGING = frozenset(("numpy", "scipy", *DATA_LIBRARIES, "numba", "pytensor", "autoopt", "builtins"))

_verdicts: dict[int, tuple[CodeType, bool]] = {}


def owner(file: str) -> Owner:
    """Return whose code that of `file` is, by the name that its code objects have for it."""
    if file.startswith((_PACKAGE, PRINTED)):
        return Owner.AUTOOPT
    if file.startswith((_NUMPY, "<frozen ")) or "__array_function__" in file:
        return Owner.LIBRARY
    if file.startswith(_SITES):
        folder = next(folder for folder in _SITES if file.startswith(folder))
        package = re.split(r"[/\\.]", file[len(folder) :], maxsplit=1)[0]
        return Owner.LIBRARY if package in _KNOWN else Owner.INSTALLED
    return Owner.LIBRARY if file.startswith(_STANDARD) else Owner.USER


def is_library(code: CodeType) -> bool:
    """Whether `code` belongs to autoopt or is printed by it, or to NumPy, SciPy, pandas, polars or Python's library."""
    known = _verdicts.get(id(code))
    if known is not None and known[0] is code:
        return known[1]
    verdict = owner(code.co_filename) in (Owner.LIBRARY, Owner.AUTOOPT)
    _verdicts[id(code)] = (code, verdict)
    return verdict


def may_be_copied(code: CodeType) -> bool:
    """Whether a trace runs a copy of `code`: the user's own, printed, adapted, NumPy's polynomials, statistics."""
    return not is_library(code) or code.co_filename.startswith((*_FOLLOWED, PRINTED))


def is_unchanging(module: Any) -> bool:
    """Whether `module` names a module of a library whose functions and classes nobody changes."""
    top = str(module).partition(".")[0]
    return top in _UNCHANGING or top in sys.stdlib_module_names


def is_shown(place: Location) -> bool:
    """Whether a place is the user's own and has a line to show: what `exec` was given has none."""
    return owner(place.file) is Owner.USER and not (place.file.startswith("<") and not place.text)


def as_written(function: Callable) -> Callable:
    """Return the user's function that one of `objectives/adapted.py` calls; any other as it is."""
    while isinstance(function, FunctionType):  # attributes of other objects that are called may do what they like
        names, cells = function.__code__.co_freevars, function.__closure__
        if function.__code__.co_filename != _ADAPTED or "function" not in names or cells is None:
            break
        function = cells[names.index("function")].cell_contents
    return function


def definition(function: Callable) -> Location | None:
    """Return the place where `function` is defined; of an object that is called, where its `__call__` is."""
    try:
        plain = inspect.unwrap(as_written(function))
        while isinstance(plain, functools.partial):
            plain = inspect.unwrap(plain.func)
        code = getattr(plain, "__code__", None) or getattr(type(plain).__call__, "__code__", None)
    except Exception:  # of an object's own `__getattr__`
        return None
    return Location(code.co_filename, code.co_firstlineno, function=code.co_name) if code else None


def traces(error: BaseException) -> Iterator[TracebackType]:
    """Yield the entries of the traceback of `error`, outermost first."""
    trace = error.__traceback__
    while trace is not None:
        yield trace
        trace = trace.tb_next


def place_of(trace: TracebackType) -> Location:
    """Return the place of an entry of a traceback."""
    return Location.of_instruction(trace.tb_frame.f_code, trace.tb_lasti)


def calling_place() -> Location | None:
    """Return the user's line that autoopt is called from, None if none shows."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        place = Location.of_instruction(frame.f_code, frame.f_lasti)
        if is_shown(place):
            return place
        frame = frame.f_back
    return None


def users_places(error: BaseException) -> list[Location]:
    """Return the places in the user's files that an exception came through, outermost first."""
    return [place for place in map(place_of, traces(error)) if is_shown(place)]


def shorten(error: BaseException) -> None:
    """Leave of the traceback of what the user's function raised, or of such a cause, the user's lines and what follows.

    Lines of this package and of solvers before them say nothing of the mistake. Where this package has failed itself,
    all lines stay.
    """
    for one in (error, error.__cause__):
        if one is None or is_ours(one):
            continue
        entries = list(traces(one))
        last = max((k for k, entry in enumerate(entries) if is_shown(place_of(entry))), default=-1)
        kept = [entry for entry in entries[:last] if is_shown(place_of(entry))] + entries[max(last, 0) :]
        if last < 0 or len(kept) == len(entries):
            continue
        following: TracebackType | None = None
        for entry in reversed(kept):
            following = TracebackType(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        one.__traceback__ = following


def followed_places(error: BaseException) -> list[Location]:
    """Return the places in code that a trace follows which an exception came through, outermost first.

    Lines without a text are among them, as those that `exec` was given: their numbers tell the user more than nothing.
    """
    return [place_of(trace) for trace in traces(error) if not is_library(trace.tb_frame.f_code)]


def is_ours(error: BaseException) -> bool:
    """Return whether code of this package was running, on behalf of the user's or not, when the exception arose."""
    owners = [owner(trace.tb_frame.f_code.co_filename) for trace in traces(error)]
    last = max((k for k, one in enumerate(owners) if one is Owner.USER), default=-1)
    return Owner.AUTOOPT in owners[last + 1 :]


def is_from_solver(error: Exception) -> bool:
    """Whether the exception arose in SciPy or NumPy as SciPy called it, and in no function of the user's."""
    trace, files = error.__traceback__, []
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    last = max((i for i, file in enumerate(files) if "scipy" in Path(file).parts), default=-1)
    return last >= 0 and all({"numpy", "scipy"} & {*Path(file).parts} for file in files[last:])
