"""Least squares with parameters held, tied and transformed: the solution is that of fewer numbers."""

import numpy as np
import pytest

from autoopt import Parameter, Parameters, least_squares
from autoopt.errors import UsageError
from autoopt.optimize.residuals import Residuals
from autoopt.variables.residuals import ChangedResiduals
from autoopt.variables.start import Start

T = np.linspace(0.1, 4.0, 40)
Y = 2.5 * np.exp(-0.7 * T) + 0.3 + 0.05 * np.sin(20 * T)
X0 = {"height": 1.0, "rate": 1.0, "floor": 0.5}


def decay(p):
    return p["height"] * np.exp(-p["rate"] * T) + p["floor"] - Y


def plain(x):
    return x[0] * np.exp(-x[1] * T) + x[2] - Y


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox"])
def test_what_is_held_or_tied_is_as_written_into_the_residuals(method):
    wanted = least_squares(lambda u: plain([u[0], u[1], 0.4]), [1.0, 1.0])
    result = least_squares(decay, X0, fixed={"floor": 0.4}, method=method)
    assert result.success and np.allclose(result.x_flat, [*wanted.x, 0.4], rtol=1e-9)
    assert result.x["floor"] == 0.4 and result.jac.shape == (40, 3) and np.array_equal(result.fun, decay(result.x))
    assert np.allclose(result.grad, result.jac.T @ result.fun) and abs(result.grad[2]) > 0.1
    assert result.optimality < 1e-8
    wanted = least_squares(lambda u: plain([u[0], u[1], u[0] / 8]), [1.0, 1.0])
    tied = least_squares(decay, X0, fixed={"floor": "height / 8"}, method=method)
    assert tied.success and np.allclose(tied.x_flat, [*wanted.x, wanted.x[0] / 8], rtol=1e-9)


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox"])
def test_transforms_leave_the_solution_where_it_is(method):
    table = Parameters(height=1.0, rate=Parameter(1.0, transform="log"), floor=Parameter(0.5, transform="logit"))
    result = least_squares(decay, table, method=method, x_scale=[1.0, 2.0, 3.0])
    assert result.success and np.allclose(result.x_flat, least_squares(decay, X0).x_flat, rtol=1e-8)
    assert result.params["rate"] == Parameter(result.x["rate"], transform="log")


def test_limits_of_a_table_are_met_and_reported():
    table = Parameters(height=Parameter(1.0, upper=2.0), rate=1.0, floor=Parameter(0.5, fixed=True))
    result = least_squares(decay, table)
    assert result.success and result.x["height"] == 2.0 and result.active_mask.tolist() == [1, 0, 0]
    with pytest.raises(UsageError, match="bounds beside a table"):
        least_squares(decay, table, bounds=(0.0, 5.0))


@pytest.mark.slow
def test_second_derivatives_are_those_of_the_composition():
    table = Parameters(height=Parameter(1.0, tied="2 * rate + 1"), rate=Parameter(1.0, transform="log"), floor=0.5)
    start = Start.of(table)
    changed = ChangedResiduals(Residuals(decay, start.x0), start.variables.scaled(np.array([2.0, 0.5])))
    composed = Residuals(lambda z: plain([2 * np.exp(2 * z[0]) + 1, np.exp(2 * z[0]), z[1] / 2]), [0.1, 0.2])
    z, v, p = np.array([0.3, 0.7]), np.cos(T), np.array([1.0, -2.0])
    assert np.allclose(changed.value(z), composed.value(z)) and np.allclose(changed.original(z), composed.value(z))
    assert np.allclose(changed.jacobian(z), composed.jacobian(z), rtol=1e-12)
    assert np.allclose(changed.jacobian_beside(z), composed.dense_jacobian(z), rtol=1e-12)
    assert np.allclose(changed.hessian(z, v), composed.hessian(z, v), rtol=1e-10)
    assert np.allclose(changed.hessp(z, v, p), composed.hessian(z, v) @ p, rtol=1e-10)


def test_what_goes_to_a_limit_that_it_cannot_reach_is_no_success():
    result = least_squares(lambda p: [p["a"] + 1.0, p["b"] - 2.0], Parameters(a=Parameter(1.0, transform="log"), b=0.0))
    assert not result.success and "a goes to its limit 0" in result.message


def test_callback_sees_the_users_parameters_and_a_jac_of_their_own_is_taken():
    seen = []

    def jac(p):
        wave = np.exp(-p["rate"] * T)
        return np.column_stack([wave, -p["height"] * T * wave, np.ones(40)])

    result = least_squares(decay, X0, jac=jac, fixed=["floor"], callback=lambda p: seen.append(p))
    assert result.success and seen and all(p["floor"] == 0.5 and set(p) == set(X0) for p in seen)
    with pytest.raises(Exception, match="Jacobian of fun that jac gives is wrong"):
        least_squares(decay, X0, jac=lambda p: 1.01 * jac(p), fixed=["floor"])
