"""Fits under equations, against the same models with a parameter put in from the others."""

import numpy as np
import pytest

import autoopt
from autoopt.errors import InferenceError

NLL = "negative log-likelihood"
RNG = np.random.default_rng(14)
X = RNG.normal(size=60)
DATA = X, 1 + 0.5 * X + RNG.normal(size=60)


def normal(p, x, y):
    return 0.5 * np.log(2 * np.pi) + p[2] + 0.5 * ((y - p[0] - p[1] * x) / np.exp(p[2])) ** 2


def squares(p, x, y):
    return y - p[0] - p[1] * x - p[2] * x**2


def twice(p):
    return p[0] - 2 * p[1]


def circle(p):
    return p[0] ** 2 + p[1] ** 2 - 1.0


def model(objective, kind, *equations, type="eq"):
    class Model:
        x0 = [0.5, 0.4, 0.1]  # noqa: RUF012

    Model.objective, Model.kind = staticmethod(objective), kind
    Model.constraints = [{"type": type, "fun": one} for one in equations]
    return Model


@pytest.mark.parametrize(
    ("equations", "put_in"),
    [
        ([twice], lambda q: [2 * q[0], q[0], q[1]]),
        pytest.param(
            [twice, lambda p: 3 * p[0] - 6 * p[1]], lambda q: [2 * q[0], q[0], q[1]], marks=pytest.mark.slow
        ),  # the same twice
        pytest.param([circle], lambda q: [np.cos(q[0]), np.sin(q[0]), q[1]], marks=pytest.mark.slow),
    ],
)
def test_equations_take_parameters_away(equations, put_in):
    fitted = autoopt.fit(model(normal, NLL, *equations), data=DATA)
    same = autoopt.fit(lambda q, x, y: normal(put_in(q), x, y), [0.5, 0.0], DATA, kind=NLL)
    np.testing.assert_allclose(put_in(same.params), fitted.params, rtol=1e-6)
    assert (fitted.df_model, fitted.df_resid) == (2, 58)
    np.testing.assert_allclose([fitted.aic, fitted.bic], [same.aic, same.bic], rtol=1e-9)
    free = autoopt.fit(normal, [0.5, 0.4, 0.1], DATA, kind=NLL)
    test = free.lr_test(fitted)
    assert test.df == 1 and test.pvalue == pytest.approx(free.lr_test(same).pvalue, rel=1e-6)


@pytest.mark.slow
def test_least_squares_has_as_many_degrees_of_freedom():
    fitted = autoopt.fit(model(squares, "least squares", twice), data=DATA)
    same = autoopt.fit(lambda q, x, y: squares([2 * q[0], q[0], q[1]], x, y), [0.5, 0.0], DATA, kind="least squares")
    assert fitted.df_resid == same.df_resid
    np.testing.assert_allclose(fitted.scale, same.scale, rtol=1e-9)


@pytest.mark.slow
def test_scores_are_taken_along_the_equations():
    fitted = autoopt.fit(model(normal, NLL, twice), data=DATA, fixed={2: 0.0})
    same = autoopt.fit(lambda q, x, y: normal([2 * q[0], q[0], q[1]], x, y), [0.5, 0.0], DATA, kind=NLL, fixed={1: 0.0})
    here, there = fitted.score_test(), same.score_test()
    assert here.df == there.df == 1
    np.testing.assert_allclose(here.statistic, there.statistic, rtol=1e-6)


@pytest.mark.slow
def test_inequalities_count_for_nothing_and_have_no_scores():
    fitted = autoopt.fit(model(normal, NLL, lambda p: p[0] - 1.5, type="ineq"), data=DATA, x0=[2.0, 0.4, 0.0])
    assert fitted.df_model == 3
    held = autoopt.fit(
        model(normal, NLL, lambda p: p[0] - 1.5, type="ineq"), data=DATA, x0=[2.0, 0.4, 0.0], fixed={2: 0.0}
    )
    with pytest.raises(InferenceError, match="at a bound"):
        held.score_test()
