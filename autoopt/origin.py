"""Whose code is it: the user's, or a library's."""

from __future__ import annotations

import inspect
import os
import sysconfig
from collections.abc import Callable
from types import CodeType

import numpy as np

from autoopt.errors import Location

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep
_SITE = os.path.dirname(os.path.dirname(_NUMPY)) + os.sep
_STANDARD = sysconfig.get_paths()["stdlib"] + os.sep
_LIBRARIES = (_PACKAGE, _NUMPY, *(_SITE + name + os.sep for name in ("scipy", "pandas", "polars", "click")))

PRINTED = "<autoopt "
"""What the names of the files of printed code begin with."""

_FOLLOWED = (
    _NUMPY + "polynomial" + os.sep,
    _NUMPY + os.path.join("lib", "_polynomial_impl.py"),
    _STANDARD + "statistics.py",
)

_verdicts: dict[int, tuple[CodeType, bool]] = {}


def is_library(code: CodeType) -> bool:
    """Whether `code` belongs to autoopt or is printed by it, or to NumPy, SciPy, pandas, polars or Python's library."""
    known = _verdicts.get(id(code))
    if known is not None and known[0] is code:
        return known[1]
    file = code.co_filename
    standard = file.startswith(_STANDARD) and "site-packages" not in file
    verdict = file.startswith(_LIBRARIES) or standard or file.startswith(("<frozen ", PRINTED))
    if "__array_function__" in file:
        verdict = True
    _verdicts[id(code)] = (code, verdict)
    return verdict


def may_be_copied(code: CodeType) -> bool:
    """Whether a trace runs a copy of `code`: the user's own, printed, NumPy's polynomials, Python's statistics."""
    return not is_library(code) or code.co_filename.startswith((*_FOLLOWED, PRINTED))


def definition(function: Callable) -> Location | None:
    """Return the place where `function` is defined."""
    try:
        code = getattr(inspect.unwrap(function), "__code__", None)
    except Exception:  # of an object's own `__getattr__`
        return None
    return Location(code.co_filename, code.co_firstlineno, function=code.co_name) if code else None


def frames_of_user(error: BaseException) -> list[Location]:
    """Return the user's own lines in the traceback of `error`, outermost first."""
    found, entry = [], error.__traceback__
    while entry is not None:
        if not is_library(entry.tb_frame.f_code):
            found.append(Location.of_instruction(entry.tb_frame.f_code, entry.tb_lasti))
        entry = entry.tb_next
    return found
