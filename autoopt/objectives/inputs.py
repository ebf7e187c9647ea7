"""What the arguments of a printed module are in terms of the objective's own names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from autoopt.execution.printed import NAMELESS
from autoopt.objectives.dispatch import Dispatch
from autoopt.tracing.expressions import namespace
from autoopt.tracing.outside.origins import COMPUTED

_WORD = re.compile(r"[^\W\d]\w*")


class Input(NamedTuple):
    """How an argument of the printed functions is had.

    Attributes
    ----------
    expression : str
        Python text by the names that the objective has, such as `data["X"]`; empty if there is none.
    root : str
        The first name in it that is not a module's.
    kind : str
        What that is to the objective: "argument", "outer" variable, "global" or "self"; empty if there is none, and
        "computed" if it is no array of the user's but one that the objective computes.
    value : array, or sparse matrix
    """

    expression: str
    root: str
    kind: str
    value: Any


def inputs(dispatch: Dispatch, kind: str) -> dict[str, Input]:
    """Return the inputs of the printed functions of one kind by their argument names, those of the tape first.

    An expression that does not give the values, or raises, is none.
    """
    path, original = dispatch.paths[0], dispatch.original
    known = dispatch.compiler.printed(path, kind).inputs
    kinds, values = namespace(original.function, original.args)
    found = {}
    for name, value in known.of(path.tape).items():
        text = known.expressions.get(name, "")
        if text == COMPUTED or NAMELESS.fullmatch(name):
            found[name] = Input("", "", "computed", value)
            continue
        if text and not _gives(text, value, values):
            text = ""
        root = next((word for word in _WORD.findall(text) if not isinstance(values.get(word, re), ModuleType)), "")
        found[name] = Input(text, root, kinds.get(root, ""), value)
    return found


def _gives(text: str, value: Any, names: Mapping[str, Any]) -> bool:
    """Whether an expression gives a value."""
    try:
        given = eval(text, dict(names))
        if hasattr(value, "tocsr"):
            return given.shape == value.shape and not (given != value).nnz
        one, other = np.asarray(given), np.asarray(value)
        return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    except Exception:  # the user's objects raise what they like
        return False
