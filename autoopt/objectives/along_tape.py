"""Exact products with the Hessian at a point for which no code is derived: along the tape, where none is compiled.

Who looks at a solution asks for a few of them, once. Deriving code would take longer than the run did.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autoopt.errors import AutooptError
from autoopt.execution.eager.functions import EagerFunctions, EagerPathChanged, EagerTied
from autoopt.objectives.dispatch import Dispatch
from autoopt.objectives.paths import Path


def product_at(dispatch: Dispatch, x: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the function p -> H(x) p on vectors of shape (n,).

    None where that is no answer: the path meets kinks at `x` or finds numbers equal, is compared with the values or
    followed step by step, or has an operation without second derivatives.
    """
    dispatch.run("value_and_grad", x)
    path = dispatch.paths[0]
    if dispatch.eager is not None or not path.is_plain:
        return None
    for kind in ("hessp", "hess"):
        compiled = path.compiled.get(kind)
        if compiled is not None and not getattr(compiled, "is_eager", False) and not compiled.by_products:
            return _compiled(dispatch, kind, x)
    return _stepwise(path, x)


def _compiled(dispatch: Dispatch, kind: str, x: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
    if kind == "hessp":
        return lambda p: dispatch.run("hessp", x, p)
    hessian = dispatch.run("hess", x)
    return lambda p: hessian @ p


def _stepwise(path: Path, x: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the products along the tape of a path that holds at `x`."""
    try:
        if path.along_tape is None:
            path.along_tape = EagerFunctions(path.tape, "hessp", "", ties=True), path.tape
        functions, tape = path.along_tape
        if tape is not path.tape:
            functions.bind(path.tape)
            path.along_tape = functions, path.tape
        functions.admit(path.counts)
        with np.errstate(all="ignore"):
            functions.begin(x)
    except (AutooptError, NotImplementedError, EagerPathChanged, EagerTied):
        return None

    def product(p: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return functions.run(x, p)

    return product
