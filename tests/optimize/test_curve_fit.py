"""`curve_fit`: SciPy's returns, with exact Jacobians and errors that say what is wrong."""

import math
import warnings

import numpy as np
import pytest
from scipy import optimize

import autoopt
from autoopt.errors import FitError, ObjectiveError, UsageError

rng = np.random.default_rng(1)
X = np.linspace(0.0, 4.0, 40)
Y = 2.5 * np.exp(-1.3 * X) + 0.5 + 0.1 * rng.normal(size=40)
SIGMA = rng.uniform(0.05, 0.2, size=40)
SPREAD = 0.01 * (np.eye(40) + 0.4 * (np.eye(40, k=1) + np.eye(40, k=-1)))


def model(x, a, b, c):
    return a * np.exp(-b * x) + c


def slopes(x, a, b, c):
    return np.stack([np.exp(-b * x), -a * x * np.exp(-b * x), np.ones_like(x)], axis=1)


SETTINGS = {
    "plain": {},
    "start": {"p0": [2.0, 1.0, 0.0]},
    "sigma": {"sigma": SIGMA},
    "absolute": {"sigma": SIGMA, "absolute_sigma": True},
    "covariance": {"sigma": SPREAD, "absolute_sigma": True},
    "bounds": {"bounds": (0.0, [3.0, 2.0, 1.0])},
    "active": {"bounds": ([0.0, 0.0, 0.55], [3.0, 2.0, 1.0])},
    "robust": {"loss": "soft_l1", "f_scale": 0.1, "method": "trf"},
    "dogbox": {"method": "dogbox"},
    "jac": {"jac": slopes},
    "jac and covariance": {"jac": slopes, "sigma": SPREAD},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_parameters_and_covariance_are_scipys(name):
    settings = SETTINGS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best, covariance = autoopt.curve_fit(model, X, Y, **settings)
        sharp = {"ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14}
        scipys, spread = optimize.curve_fit(model, X, Y, **({"jac": slopes} | settings | sharp))
    np.testing.assert_allclose(best, scipys, rtol=3e-6)
    np.testing.assert_allclose(covariance, spread, rtol=1e-5)


def test_one_sigma_for_all_values():
    one, many = (autoopt.curve_fit(model, X, Y, sigma=sigma, absolute_sigma=True) for sigma in (0.3, np.full(40, 0.3)))
    np.testing.assert_array_equal(one[1], many[1])


def test_full_output():
    best, covariance, told, message, flag = autoopt.curve_fit(model, X, Y, full_output=True)
    assert best.shape == (3,) and covariance.shape == (3, 3) and flag in (1, 2, 3, 4) and "Converged" in message
    np.testing.assert_allclose(told["fvec"], model(X, *best) - Y)
    np.testing.assert_allclose(told["fjac"], slopes(X, *best), rtol=1e-12)
    assert told["nfev"] > 1 and told["result"].x == dict(zip("abc", best, strict=True))


def test_covariance_does_not_depend_on_units():
    best, covariance = autoopt.curve_fit(model, X, Y)
    scaled, spread = autoopt.curve_fit(lambda x, a, b, c: model(x, 1e9 * a, b, 1e-9 * c), X, Y, p0=[1e-9, 1.0, 1e9])
    units = np.array([1e9, 1.0, 1e-9])
    np.testing.assert_allclose(scaled * units, best, rtol=1e-9)
    np.testing.assert_allclose(spread * np.outer(units, units), covariance, rtol=1e-8)


def test_xdata_may_have_several_rows_or_be_anything():
    x = np.stack([X, X**2])
    best, _ = autoopt.curve_fit(lambda x, a, b: a * x[0] + b * x[1], x, 2 * X - 3 * X**2)
    np.testing.assert_allclose(best, [2.0, -3.0], rtol=1e-10)
    best, _ = autoopt.curve_fit(lambda d, a, b: a * d["t"] + b, {"t": X}, 2 * X - 3)
    np.testing.assert_allclose(best, [2.0, -3.0], rtol=1e-10)


def test_nan_policies():
    y = Y.copy()
    y[[3, 20]] = np.nan
    with pytest.raises(ValueError, match="ydata is not finite in rows 3, 20"):
        autoopt.curve_fit(model, X, y)
    with pytest.raises(ValueError, match="ydata is NaN in rows 3, 20"):
        autoopt.curve_fit(model, X, y, nan_policy="raise")
    left = np.isfinite(y)
    best, covariance = autoopt.curve_fit(model, X, y, sigma=SIGMA, nan_policy="omit")
    expected = autoopt.curve_fit(model, X[left], Y[left], sigma=SIGMA[left])
    np.testing.assert_allclose(best, expected[0])
    np.testing.assert_allclose(covariance, expected[1])


def test_number_of_parameters_comes_from_the_signature():
    with pytest.raises(UsageError, match="p0 has 2 entries, but f takes 3 parameters after xdata: a, b, c"):
        autoopt.curve_fit(model, X, Y, p0=[1.0, 2.0])
    with pytest.raises(UsageError, match="cannot be seen from its signature"):
        autoopt.curve_fit(lambda x, *p: p[0] * x, X, Y)
    best, _ = autoopt.curve_fit(lambda x, *p: p[0] * x + p[1], X, 2 * X - 3, p0=[1.0, 1.0])
    np.testing.assert_allclose(best, [2.0, -3.0], rtol=1e-10)


def test_no_fit_is_an_error_as_in_scipy():
    with pytest.raises(RuntimeError, match="Optimal parameters not found") as caught:
        autoopt.curve_fit(model, X, Y, p0=[50.0, 5.0, 20.0], maxfev=3)
    assert isinstance(caught.value, FitError) and not caught.value.result.success


def test_covariance_that_cannot_be_estimated_is_infinite_with_a_warning():
    with pytest.warns(optimize.OptimizeWarning, match="could not be estimated"):
        best, covariance = autoopt.curve_fit(lambda x, a, b: a * x + b, X[:2], 2 * X[:2] - 3)
    np.testing.assert_allclose(best, [2.0, -3.0], rtol=1e-10)
    assert np.isinf(covariance).all()


def test_options_that_are_not_understood_are_refused():
    with pytest.raises(UsageError, match="no option 'epsfcn'"):
        autoopt.curve_fit(model, X, Y, epsfcn=1e-3)
    with pytest.raises(UsageError, match="takes no bounds"):
        autoopt.curve_fit(model, X, Y, method="lm", bounds=(0, 1))
    with pytest.raises(UsageError, match="sigma has shape"):
        autoopt.curve_fit(model, X, Y, sigma=np.ones(3))
    with pytest.raises(UsageError, match="not positive definite"):
        autoopt.curve_fit(model, X, Y, sigma=np.ones((40, 40)))


def test_a_mistake_in_the_model_is_shown_as_the_users():
    with pytest.raises(ObjectiveError, match="f raised AttributeError") as caught:
        autoopt.curve_fit(lambda x, a, b: a * np.expo(b * x), X, Y)
    assert "np.expo(b * x)" in str(caught.value) and "test_curve_fit.py" in str(caught.value)
    with pytest.raises(ObjectiveError, match="shapes"):
        autoopt.curve_fit(lambda x, a, b: a * x[:3] + b, X, Y)


def test_repeated_fits_of_other_data_are_right():
    for scale in (1.0, 2.0, 3.0):
        best, _ = autoopt.curve_fit(model, X, scale * Y)
        scipys, _ = optimize.curve_fit(model, X, scale * Y)
        np.testing.assert_allclose(best, scipys, rtol=1e-5)


def test_models_that_make_lists_of_python_numbers_are_fitted():
    t = np.linspace(0, 4, 25)
    model = lambda t, a, b: [a * math.exp(-b * u) for u in t]  # noqa: E731
    for y in (2 * np.exp(-0.5 * t), 2 * np.exp(-0.5 * t) + 0.01 * np.sin(9 * t)):
        ours, theirs = autoopt.curve_fit(model, t, y, [1, 0.5]), optimize.curve_fit(model, t, y, [1, 0.5])
        assert ours[0] == pytest.approx(theirs[0], rel=1e-6) and ours[1] == pytest.approx(
            theirs[1], rel=1e-4, abs=1e-12
        )
    assert autoopt.least_squares(lambda p: [math.sqrt(p[0]) - 2, p[1] ** 2 - 1], [1.0, 2.0]).x == pytest.approx([4, 1])
    assert autoopt.root(lambda x: [math.exp(x[0]) - 2, x[0] * x[1] - 1], [1.0, 1.0]).x[0] == pytest.approx(np.log(2))
