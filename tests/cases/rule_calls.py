"""The arrays in the arguments of a rule's case, and the results of its function, in order."""

from __future__ import annotations

import operator

import numpy as np
import rule_cases_arrays  # noqa: F401  (these fill CASES)
import rule_cases_special  # noqa: F401
from rule_cases import CASES, Case, Data

from autoopt.tape import operations

MASKED = operator.getitem, operations.put  # a mask that is data leaves the shape open


def leaves(args: object) -> list:
    """Return the arrays in `args` that become variables, in order."""
    if isinstance(args, np.ndarray | Data):
        return [args]
    if isinstance(args, list | tuple):
        return [leaf for part in args for leaf in leaves(part)]
    if isinstance(args, dict):
        return leaves(list(args.values()))
    return []


def refill(args: object, values: list) -> object:
    """Return `args` with each leaf replaced by the next of `values`."""
    if isinstance(args, np.ndarray | Data):
        return values.pop(0)
    if isinstance(args, list):
        return [refill(part, values) for part in args]
    if isinstance(args, tuple):
        return tuple(refill(part, values) for part in args)
    if isinstance(args, dict):
        return {key: refill(part, values) for key, part in args.items()}
    return args


def array(leaf: object) -> np.ndarray:
    return leaf.value if isinstance(leaf, Data) else leaf


def outputs(result: object) -> list:
    """Return the arrays of `result`, of which there are several where the function returns a tuple."""
    return [part for whole in result for part in outputs(whole)] if isinstance(result, list | tuple) else [result]


FIRST = {case.key: case for case in reversed(CASES)}


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
