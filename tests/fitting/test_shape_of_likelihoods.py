"""Standard errors where the likelihood is nothing like the quadratic with its Hessian."""

import numpy as np
import pytest
from scipy import stats

import autoopt
from autoopt.inference import excess, newton_step, rises

RNG = np.random.default_rng(1)
AGE = RNG.normal(45, 14, 500).round(1)
Y = RNG.poisson(np.exp(-0.2 + 0.01 * (AGE - 45))).astype(float)


def poisson(params, x, y):
    eta = params[0] + params[1] * x
    return np.exp(eta) - y * eta


def with_sentinel(number):
    x = AGE.copy()
    x[3] = number
    return autoopt.fit(poisson, np.zeros(2), (x, Y), kind="negative log-likelihood", names=["const", "age"])


SAYS_LITTLE = "Standard errors and Wald intervals of age say little"


def test_intervals_over_which_the_likelihood_hardly_falls_are_said_to_say_little():
    fitted = with_sentinel(1e12)
    assert [note for note in fitted.notes if note.startswith(SAYS_LITTLE)]
    assert fitted.status == "converged" and np.isfinite(fitted.bse).all()


@pytest.mark.parametrize("number", [1e15, 1e20, 1e150])
def test_no_sentinel_has_standard_errors_without_a_word(number):
    fitted = with_sentinel(number)
    assert np.isnan(fitted.bse).all() or any(note.startswith(SAYS_LITTLE) for note in fitted.notes)


@pytest.mark.parametrize("number", [1e155, 1e200, 1e300])
def test_a_gradient_that_promises_a_better_point_leaves_no_standard_errors(number):
    fitted = with_sentinel(number)
    assert np.isnan(fitted.bse).all()
    assert any("the gradient at the solution does not vanish" in note and "in age" in note for note in fitted.notes)


def test_nothing_is_said_of_clean_data():
    fitted = autoopt.fit(poisson, np.zeros(2), (AGE, Y), kind="negative log-likelihood")
    assert fitted.notes == () and np.isfinite(fitted.bse).all()


def fourth_order(p, y):
    return (y - p) ** 4


def skewed(p, y):
    return -stats.skewnorm.logpdf(y, p[0], loc=p[1], scale=np.exp(p[2]))


DEGENERATE = {
    "fourth order": (fourth_order, [0.1, 0.5, 2.0], np.zeros(3)),
    "skewness of symmetric data": (
        skewed,
        [np.array([0.5, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]), np.array([0.1, 0.1, 0.0])],
        np.concatenate([np.linspace(0.05, 1.7, 30), -np.linspace(0.05, 1.7, 30)]),
    ),
}


@pytest.mark.slow_for("skewness of symmetric data")
@pytest.mark.parametrize("name", DEGENERATE)
def test_minima_of_higher_order_have_no_standard_errors(name):
    """The information is 0 there (Azzalini 1985, Scandinavian Journal of Statistics 12, for the skewness)."""
    terms, starts, y = DEGENERATE[name]
    for start in starts:
        fitted = autoopt.fit(terms, start, (y,), kind="negative log-likelihood")
        assert fitted.status == "not identified" and np.isnan(fitted.bse).all()


def test_rises_and_steps_do_not_depend_on_units():
    hessian = np.array([[4.0, 1.0], [1.0, 9.0]])
    units = np.diag([1e-8, 1e6])
    other = units @ hessian @ units

    def values(matrix):
        return lambda points: [3.0 + x @ matrix @ x / 2 for x in points]

    for matrix in (hessian, other):
        inverse = np.linalg.inv(matrix)
        found = rises(values(matrix), np.zeros(2), inverse, np.eye(2), 1.0)
        assert found == pytest.approx(np.ones((2, 2)), rel=1e-9)
        assert excess(values(matrix), np.zeros(2), inverse, np.ones(2), 1.0) == 1.0
    steps = [
        newton_step(np.linalg.inv(matrix), gradient)[1]
        for matrix, gradient in ((hessian, np.array([1.0, 2.0])), (other, units @ [1.0, 2.0]))
    ]
    assert (
        steps[0]
        == pytest.approx(steps[1], rel=1e-9)
        == pytest.approx(np.sqrt([1.0, 2.0] @ np.linalg.solve(hessian, [1.0, 2.0])))
    )


def test_nothing_is_said_of_intervals_that_are_rounding():
    x = np.arange(12.0)
    fitted = autoopt.fit(lambda p, x, y: y - p[0] - p[1] * x, np.zeros(2), (x, 1 + 2 * x), kind="least squares")
    assert not any(note.startswith(SAYS_LITTLE) for note in fitted.notes)


@pytest.mark.parametrize("kind", ["least squares", "negative log-likelihood"])
def test_weights_of_which_none_counts_are_refused(kind):
    with pytest.raises(autoopt.errors.UsageError, match="All weights are 0"):
        autoopt.fit(lambda p, y: (y - p) ** 2, 0.5, (np.arange(5.0),), kind=kind, weights=np.zeros(5))
