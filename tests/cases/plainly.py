"""Whether an objective's value, gradient and product are those of the plain function, by differences of that alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autoopt
from autoopt import differences

POINTS = (np.array([1.1, 0.55]), np.array([0.7, 1.3]), np.array([2.2, -0.4]))
DIRECTION = np.array([0.5, 1.0])


class Cases(list):
    """Objectives of two parameters, entered by `@case`."""

    def __call__(self, f: Callable) -> Callable:
        self.append(f)
        return f


def check(f: Callable, points: Any = POINTS, rtol: float = 1e-6, product: bool = True) -> None:
    """Compare one Objective at several points, as a solver uses it, with the plain function run there.

    The `product` with the Hessian is compared with differences of the gradient, once that is known to be right.
    """
    objective = autoopt.objective(f, points[0])

    def plain(x: np.ndarray) -> float:
        return float(np.ravel(f(x.copy()))[0])

    for x in points:
        with np.errstate(all="ignore"):
            expected, slope = plain(x), differences.gradient(plain, x)[0]
        value, gradient = objective.value_and_grad(x)
        np.testing.assert_allclose(value, expected, rtol=1e-9)
        np.testing.assert_allclose(gradient, slope, rtol=rtol, atol=1e-7)
        if product:
            turned = differences.hessp(objective.grad, x, DIRECTION)[0]
            np.testing.assert_allclose(objective.hessp(x, DIRECTION), turned, rtol=10 * rtol, atol=1e-6)
