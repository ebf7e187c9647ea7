"""Every case of every rule, asked for its pattern: no entry of its Jacobian or of a Hessian may be missing."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from rule_calls import FIRST, array, leaves, outputs, refill
from rule_cases import Case, Data

from autoopt.errors import UnsupportedFunctionError
from autoopt.execution.eager.sweeps import Sweeps
from autoopt.parameters import Structure
from autoopt.tape import operations
from autoopt.tape.sparsity import propagation
from autoopt.tracing.trace import trace


def moves(leaf: object) -> bool:
    return not isinstance(leaf, Data) and leaf.dtype == float


def parameters(case: Case) -> np.ndarray:
    """Return the entries of all arrays of a case that are differentiated by, one after another."""
    return np.concatenate([np.zeros(0), *(leaf.ravel() for leaf in leaves((case.args, case.kwargs)) if moves(leaf))])


def is_called_by_users(case: Case) -> bool:
    """Whether the function is one that a user may call: those of tapes alone take no traced arrays."""
    return getattr(case.function, "__module__", None) != operations.__name__


CALLED = [
    case
    for case in FIRST.values()
    if is_called_by_users(case) and parameters(case).size and np.isfinite(parameters(case)).all()
]


def as_vectors(case: Case):
    """Return the case's function of the flat parameters, its results flat, one after another."""

    def function(x):
        values, at = [], 0
        for leaf in leaves((case.args, case.kwargs)):
            size = leaf.size if moves(leaf) else 0
            values.append(x[at : at + size].reshape(leaf.shape) if moves(leaf) else array(leaf))
            at += size
        args, kwargs = refill((case.args, case.kwargs), values)
        return np.concatenate([np.ravel(part * 1.0) for part in outputs(case.function(*args, **kwargs))])

    return function


def missing(kind: str, f, x: np.ndarray) -> int:
    tape = trace(f, Structure.of(x), x, (), scalar=kind == "hessian").tape
    mask = getattr(propagation, kind)(tape).pattern.matrix().toarray()
    found = 0
    for k, scale in enumerate((0.0, 0.01, 0.05)):
        try:
            matrix = getattr(Sweeps(tape).at(x + scale * np.random.default_rng(k).normal(size=x.size)), kind)()
        except UnsupportedFunctionError:  # the value has a rule, the derivative as it is called here has none
            return 0
        found += np.count_nonzero((matrix != 0) & np.isfinite(matrix) & ~mask)
    return found


@pytest.mark.parametrize("case", CALLED, ids=str)
@pytest.mark.sampled(20)
def test_no_entry_is_missing(case) -> None:
    f, x = as_vectors(case), parameters(case)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert missing("jacobian", f, x) == 0
        assert missing("hessian", lambda x: np.sum(np.sin(f(x))), x) == 0


def test_the_table_is_that_of_the_rules() -> None:
    assert len(CALLED) > 1000
    assert {np.dot, np.inner, np.matmul, np.einsum, np.cumsum, np.take} <= {case.function for case in CALLED}
