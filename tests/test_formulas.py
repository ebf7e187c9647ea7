"""Every formula against the function that it stands for: value, and derivatives against differences, to second order.

The objective is a weighted sum of what the function returns; float arrays among the arguments depend on its parameters,
in part linearly, so that a function that is linear in them has curvature, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from formula_cases import CASES, REFUSED, Case, Data
from test_corpus import check_gradient, check_hessp, check_value

from autoopt.errors import UnsupportedFunctionError
from autoopt.objective import Objective
from autoopt.tape.names import qualified
from autoopt.tracing.formulas import load_all


def arrays(args: Any) -> list[np.ndarray]:
    """Return the float arrays in `args` that are differentiated, in order."""
    if isinstance(args, np.ndarray):
        return [args] if args.dtype == float else []
    if isinstance(args, list | tuple):
        return [found for part in args for found in arrays(part)]
    return arrays(list(args.values())) if isinstance(args, dict) else []


def refilled(args: Any, parts: list) -> Any:
    """Return `args` with the next of `parts` in place of each float array."""
    if isinstance(args, np.ndarray):
        return parts.pop(0) if args.dtype == float else args
    if isinstance(args, Data):
        return args.value
    if isinstance(args, list | tuple):
        return type(args)(refilled(part, parts) for part in args)
    return {key: refilled(part, parts) for key, part in args.items()} if isinstance(args, dict) else args


def outputs(found: Any) -> list:
    return [part for whole in found for part in outputs(whole)] if isinstance(found, list | tuple) else [found]


@dataclass
class Weighted:
    """The objective of a case: a function of the flat vector of all its float arrays."""

    case: Case
    starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.given = arrays((self.case.args, self.case.kwargs))
        self.starts = np.cumsum([0, *(part.size for part in self.given)]).tolist()
        self.x0 = np.concatenate([part.ravel() for part in self.given])

    def __call__(self, x: np.ndarray) -> Any:
        bounds = zip(self.starts, self.starts[1:], self.given, strict=False)
        parts = [x[start:stop].reshape(part.shape) for start, stop, part in bounds]
        args, kwargs = refilled((self.case.args, self.case.kwargs), parts)
        total = np.sum(x**2) / 10
        for found in outputs(self.case.call(self.case.function, *args, **kwargs)):
            total = total + np.sum(np.sin(np.arange(np.size(found)) + 1.0) * np.ravel(found + 0.1 * found**2))
        return total


@pytest.mark.parametrize("case", CASES, ids=str)
def test_formula(case: Case) -> None:
    with np.errstate(all="ignore"):
        f = Weighted(case)
        objective = Objective(f, f.x0)
        check_value(objective, f.x0)
        check_gradient(objective, f.x0, 0.0)
        if not case.kink:
            check_hessp(objective, f.x0, np.random.default_rng(1).normal(size=f.x0.size), 0.0)


def test_every_formula_has_a_case() -> None:
    covered = {case.function for case in CASES} | {function for function, *_ in REFUSED}
    assert sorted(qualified(function) for function in load_all() if function not in covered) == []


@pytest.mark.parametrize("function, args, kwargs, words", REFUSED, ids=[row[-1] for row in REFUSED])
def test_refusal_names_the_function_and_the_line(function: Any, args: tuple, kwargs: dict, words: str) -> None:
    f = Weighted(Case(function, args, kwargs))
    with pytest.raises(UnsupportedFunctionError, match=words) as refusal:
        Objective(f, f.x0).grad(f.x0)
    assert refusal.value.where and refusal.value.remedy


def test_formula_leaves_data_to_the_function_itself() -> None:
    from scipy.signal import lfilter

    y = np.random.default_rng(0).normal(size=20)

    def f(x, y):
        return np.sum((lfilter([1.0, 0.5], [1.0, -0.3], y) - x[0]) ** 2)

    assert "lfilter" in Objective(f, np.array([0.1]), (y,)).source()
