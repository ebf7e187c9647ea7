"""NumPy's functions in the forms that a trace must take apart itself: other names, counts that are data, methods.

Each objective runs once against NumPy's own value and against differences, to second order.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
from derivative_checks import check_gradient, check_hessp, check_value
from scipy import stats

import autoopt
from autoopt.errors import TracingError
from autoopt.objectives.objective import Objective

COUNTS = np.array([2, 0, 1])
MASK = np.array([True, False, True])
LEVELS = np.array([0.1, 0.6])
INSIDE = np.array([[True, True, False], [True, True, True]])

FORMS = {
    "other names": lambda x: (
        np.amax(x) * np.amin(x) + np.around(x[0]) + np.linalg.vecdot(x, x) * np.linalg.tensordot(x, x, axes=1)
    ),
    "counts": lambda x: (
        np.sum(np.repeat(x, COUNTS) ** 2) + np.sum(np.roll(x, COUNTS[0]) * x) + np.sum(np.tile(x, COUNTS[:1]) ** 3)
    ),
    "places": lambda x: (
        np.sum(np.delete(x, MASK) ** 2)
        + np.sum(np.insert(x, COUNTS[:2], x[0]) ** 2)
        + np.sum(np.pad(x, COUNTS[:2]) ** 3)
    ),
    "levels": lambda x: np.sum(np.quantile(x, LEVELS) ** 2) * np.percentile(x, 100 * LEVELS)[1],
    "clip": lambda x: np.sum(x.clip(0.2) ** 2) + np.sum(x.clip(max=0.5) ** 2) + np.sum(COUNTS.clip(1) * x**2),
    "one by one": lambda x: np.hypot.reduce(x) * np.subtract.reduce(x) + np.sum(np.fmax.accumulate(x) ** 2),
    "lists": lambda x: np.maximum.reduce([x, x**2, [0.1, 0.2, 0.3]]).prod() + np.add.outer([x[0], 1.0], x).prod(),
    "linspace": lambda x: np.sum(np.linspace(x, 2.0, 4, axis=1, dtype=float) ** 2),
    "of either sign": lambda x: np.sum(np.emath.sqrt(x + 2)) + np.sum(np.abs(np.emath.log(x - 3)) ** 2),
    "kinds": lambda x: np.sum(np.isreal(x) * x**2) + np.isneginf(x).sum() + np.astype(x, float).prod(),
    "equal": lambda x: x[0] ** 2 if np.array_equiv(x, x[None]) and not np.array_equiv(x, x[:2]) else x[1],
    "unravelled": lambda x: np.outer(x, x)[np.unravel_index(np.argmax(np.outer(x, x)), (3, 3))] ** 2,
    "kernel": lambda x: np.sum(scipy.ndimage.convolve1d(x, COUNTS, mode="wrap") ** 2),
    "whole part": lambda x: np.sum((x // 1) * x) + np.sum(divmod(4 * x, 1)[0] * x),
    "hyperbolic": lambda x: stats.hypsecant.logpdf(x[0] - 0.3) * x[1],
    "shape 0": lambda x: (
        stats.genpareto.logpdf([0.5, 2.0], x[0] - 0.3) * x[1] @ [1.0, 2.0] + stats.genextreme.logpdf(x[1], 0.3 - x[0])
    ),
    "data alone": lambda x: (
        np.sum(scipy.ndimage.distance_transform_edt(INSIDE) * x) + scipy.ndimage.label(INSIDE)[1] * x[0] ** 2
    ),
}


@pytest.mark.slow_for("one by one")
@pytest.mark.parametrize("f", FORMS.values(), ids=FORMS)
@pytest.mark.sampled(9)
def test_form(f) -> None:
    x = np.array([0.3, 0.9, -0.4])
    objective = Objective(f, x)
    check_value(objective, x)
    check_gradient(objective, x, 0.0)
    check_hessp(objective, x, np.array([0.7, -0.4, 1.1]), 0.0)


@pytest.mark.parametrize("method", ["cdf", "sf", "logcdf", "logsf"])
def test_laplace_has_a_slope_at_its_median(method) -> None:
    def f(x):
        return np.sum(getattr(stats.laplace, method)(x))

    x = np.array([0.0, 0.3])
    check_gradient(Objective(f, x), x, 0.0)


def test_machine_code_that_writes_into_its_argument_is_refused() -> None:
    from scipy.linalg import blas

    def f(x):
        y = np.zeros(3)
        blas.dcopy(np.ones(3), y)
        return np.sum(y * x)

    with pytest.raises(TracingError, match="dcopy, which writes into its argument"):
        Objective(f, np.ones(3))


def test_values_in_a_tuple_made_by_a_builtin_keep_their_slopes() -> None:
    from collections import namedtuple

    pair = namedtuple("pair", "a b")
    objective = Objective(lambda x: pair(*x).a ** 2 + pair(*x).b, np.ones(2))
    np.testing.assert_array_equal(objective.grad(np.ones(2)), [2.0, 1.0])


def test_arrays_filled_with_a_number_of_the_data_hold_that_of_the_data() -> None:
    """The number of the first call was part of the code."""

    def f(x, k):
        return np.sum(np.full(2, k) * x) + np.sum(np.full_like(x, 2 * k) * x) + np.full(1, k**2)[0] * x[0]

    gradient = autoopt.grad(f)
    for k in (1.0, 2.5):
        np.testing.assert_allclose(gradient(np.ones(2), k), [3 * k + k**2, 3 * k])


def test_shapes_may_be_whole_numbers_of_numpy():
    counted = np.ma.masked_array([1.0, 2.0, 3.0], mask=[0, 1, 0])

    def f(x):
        full, spread = np.full(counted.count(), x[0]), np.broadcast_to(x[0], np.array([0, 2, 1]).max())
        return counted.compressed() @ full**2 + spread.sum()

    np.testing.assert_allclose(autoopt.grad(f)(np.array([0.5, 1.0])), [6.0, 0.0])
