"""The arrays in the arguments of a rule's case, and the results of its function, in order."""

from __future__ import annotations

import operator

import numpy as np
import rule_cases_arrays  # noqa: F401  (these fill CASES)
import rule_cases_special  # noqa: F401
from rule_cases import CASES, Data

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
