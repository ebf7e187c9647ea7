"""Whose code is it: the user's, or a library's."""

from __future__ import annotations

import os
import sysconfig
from types import CodeType

import numpy as np

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
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
