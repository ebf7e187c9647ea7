"""Options of methods that are arrays in the parameters mean the same, whatever is held or scaled."""

import numpy as np
import pytest

from autoopt.errors import UsageError
from autoopt.minimize import minimize

START = [-1.2, 1.0, 0.5]
B0 = np.array([[2.0, 0.5, 0.3], [0.5, 1.0, 0.1], [0.3, 0.1, 4.0]])


def valley(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + (x[2] - x[0]) ** 2


def held(u):
    return valley([u[0], u[1], 0.5])


def same(one, other):
    assert one.success and (one.nit, one.nfev) == (other.nit, other.nfev)
    assert np.allclose(one.x[: other.x.size], other.x, rtol=1e-12)


@pytest.mark.parametrize("sizes", [None, [4.0, 0.25, 2.0]])
@pytest.mark.parametrize(
    ("method", "name", "whole", "part"),
    [
        ("bfgs", "hess_inv0", B0, B0[:2, :2]),
        (
            "nelder-mead",
            "initial_simplex",
            np.array([[0, 0, 0.5], [1, 0, 0.5], [0, 2, 0.5]]),
            [[0, 0], [1, 0], [0, 2.0]],
        ),
        ("powell", "direc", np.array([[1.0, 1, 0], [0, 1, 0]]), np.array([[1.0, 1], [0, 1]])),
        ("tnc", "scale", np.array([2.0, 3.0, 5.0]), np.array([2.0, 3.0])),
        ("tnc", "offset", np.array([0.5, -1.0, 5.0]), np.array([0.5, -1.0])),
    ],
)
def test_arrays_of_all_parameters_are_cut_to_what_is_moved(method, name, whole, part, sizes):
    result = minimize(valley, START, method=method, fixed=[2], scale=sizes, options={name: whole})
    plain = minimize(held, START[:2], method=method, options={name: np.asarray(part)})
    assert result.success, result.message
    if sizes is None:
        same(result, plain)
    else:
        assert np.allclose(result.x[:2], plain.x, rtol=1e-5)


def test_the_first_step_of_bfgs_is_that_of_the_matrix_in_any_sizes():
    first = []
    for sizes in (None, [64.0, 1 / 64, 8.0]):
        points = []
        options = {"hess_inv0": 1e-3 * B0}
        minimize(valley, START, method="bfgs", scale=sizes, options=options, callback=points.append)
        first.append(points[0] - START)
    assert np.allclose(first[1] / np.linalg.norm(first[1]), first[0] / np.linalg.norm(first[0]), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("hess_inv0", np.eye(2), r"hess_inv0 has shape \(2, 2\), but there are 3 parameters"),
        ("initial_simplex", np.zeros((4, 3)), "initial_simplex has 4 rows, but 2 parameters are moved"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name, value, message):
    method = "bfgs" if name == "hess_inv0" else "nelder-mead"
    with pytest.raises(UsageError, match=message):
        minimize(valley, START, method=method, fixed=[2], options={name: value})
