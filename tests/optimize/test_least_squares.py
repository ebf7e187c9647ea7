"""`least_squares`: SciPy's result with exact Jacobians, losses, bounds, and what is no minimum."""

import re

import numpy as np
import pytest
from nist_strd import MODELS, reference
from scipy import optimize, sparse

import autoopt
from autoopt.errors import ObjectiveError, UsageError, VerificationError
from autoopt.optimize.losses import LOSSES, Loss

TIMES = np.linspace(0.0, 10.0, 15)
HEIGHTS = 0.5 + 2 * np.exp(-TIMES) + 0.05 * np.random.default_rng(0).normal(size=15)
HEIGHTS[5] += 3.0  # an outlier


def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def decay(p, t, y):
    return p[0] + p[1] * np.exp(p[2] * t) - y


def slopes_of_decay(p, t, y):
    return np.stack([np.ones_like(t), np.exp(p[2] * t), p[1] * t * np.exp(p[2] * t)], axis=1)


# SciPy's results ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
def test_result_has_scipys_fields(method):
    result = autoopt.least_squares(rosenbrock, [-1.2, 1.0], method=method)
    assert result.success and result.status > 0 and result.method == (method or "lm")
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(result.fun, [0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(result.jac, [[-20.0, 10.0], [-1.0, 0.0]], rtol=1e-12)
    np.testing.assert_allclose(result.grad, result.jac.T @ result.fun, atol=1e-15)
    assert result.cost == pytest.approx(0.5 * result.fun @ result.fun, abs=1e-25)
    assert result.active_mask.tolist() == [0, 0] and result.nfev > 1 and result.njev > 1
    assert result.verification.passed and result.verification.at_solution
    assert {"trace", "compile", "verify", "solve"} <= set(result.timings)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_losses_lead_where_scipy_comes_with_the_slopes_written_by_hand(loss, method):
    start = [0.5, 2.0, -1.0]
    result = autoopt.least_squares(decay, start, args=(TIMES, HEIGHTS), loss=loss, f_scale=0.1, method=method)
    sharp = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-15)
    scipys = optimize.least_squares(
        decay, start, slopes_of_decay, args=(TIMES, HEIGHTS), loss=loss, f_scale=0.1, x_scale="jac", **sharp
    )
    assert result.success, result.message
    np.testing.assert_allclose(result.x, scipys.x, rtol=1e-6)
    np.testing.assert_allclose(result.jac, scipys.jac, rtol=1e-5, atol=1e-9)
    assert result.cost == pytest.approx(scipys.cost, rel=1e-12)
    assert np.max(np.abs(result.grad)) < 1e-10


@pytest.mark.parametrize("name", LOSSES)
def test_loss_has_the_slope_and_curvature_of_its_cost(name):
    loss = Loss.of(name, 0.7)
    r = np.array([0.0, 1e-6, 0.3, -0.6, 0.9, -4.0, 50.0])
    h = 1e-5
    cost, slopes, curvatures = loss.of_residuals(r)
    for k, unit in enumerate(np.eye(r.size)):
        ahead, behind = loss.of_residuals(r + h * unit), loss.of_residuals(r - h * unit)
        assert slopes[k] == pytest.approx((ahead[0] - behind[0]) / (2 * h), rel=1e-6, abs=1e-6)
        assert curvatures[k] == pytest.approx((ahead[1][k] - behind[1][k]) / (2 * h), rel=1e-6, abs=1e-6)
    scipys = optimize.least_squares(lambda x: r + 0 * x, [1.0], loss=name, f_scale=0.7)
    assert cost == pytest.approx(scipys.cost, rel=1e-13)


def test_loss_may_be_a_function():
    def pseudo_huber(z):
        root = np.sqrt(1 + z)
        return np.array([2 * (root - 1), 1 / root, -0.5 / root**3])

    options = {"args": (TIMES, HEIGHTS), "f_scale": 0.1}
    ours = autoopt.least_squares(decay, [0.5, 2.0, -1.0], loss=pseudo_huber, **options)
    named = autoopt.least_squares(decay, [0.5, 2.0, -1.0], loss="soft_l1", **options)
    np.testing.assert_allclose(ours.x, named.x, rtol=1e-9)


def test_bounds_that_are_active_are_met_exactly():
    result = autoopt.least_squares(rosenbrock, [-1.2, 1.0], bounds=([-2.0, -2.0], [0.5, 2.0]))
    assert result.success and result.method == "trf"
    assert result.x.tolist() == [0.5, 0.25] and result.active_mask.tolist() == [1, 0]
    assert result.optimality < 1e-10 < abs(result.grad[0])


@pytest.mark.parametrize("bounds", [(0.0, 0.8), optimize.Bounds(0.0, 0.8), {"x": (0.0, 0.8), "y": (0.0, 0.8)}])
def test_forms_of_bounds(bounds):
    result = autoopt.least_squares(
        lambda p: np.array([10 * (p["y"] - p["x"] ** 2), 1 - p["x"]]), {"x": 0.1, "y": 0.1}, bounds=bounds
    )
    assert result.success and result.x == pytest.approx({"x": 0.8, "y": 0.64})


def test_nested_parameters_keywords_and_matrices_of_residuals():
    def fun(p, x, *, y):
        return p["level"] + p["slopes"] * x[:, None] - y

    x = np.arange(4.0)
    y = np.stack([1 + 2 * x, 1 - 3 * x], axis=1)
    result = autoopt.least_squares(fun, {"level": 0.0, "slopes": np.zeros(2)}, args=(x,), kwargs={"y": y})
    assert result.success and result.x["level"] == pytest.approx(1.0)
    np.testing.assert_allclose(result.x["slopes"], [2.0, -3.0])
    assert result.fun.shape == (8,) and result.jac.shape == (8, 3) and result.x_flat.shape == (3,)


@pytest.mark.parametrize("jac", [slopes_of_decay, "2-point", "3-point", "cs", "finite-difference"])
def test_jacobians_of_the_user_and_differences(jac):
    result = autoopt.least_squares(decay, [0.5, 2.0, -1.0], jac, args=(TIMES, HEIGHTS), loss="cauchy", f_scale=0.1)
    exact = autoopt.least_squares(decay, [0.5, 2.0, -1.0], args=(TIMES, HEIGHTS), loss="cauchy", f_scale=0.1)
    assert result.success
    np.testing.assert_allclose(result.x, exact.x, rtol=1e-7)


def test_a_jacobian_that_is_wrong_by_a_thousandth_is_refused():
    def wrong(p, t, y):
        return slopes_of_decay(p, t, y) * np.array([1.0, 1.001, 1.0])

    with pytest.raises(VerificationError, match=r"Jacobian of fun that jac gives is wrong: the slope of value \[0\]"):
        autoopt.least_squares(decay, [0.5, 2.0, -1.0], wrong, args=(TIMES, HEIGHTS))


def test_a_sparse_problem_of_ten_thousand_residuals():
    """Broyden's tridiagonal function, of which each residual depends on three parameters."""

    def broyden(x):
        left, right = np.concatenate([[0.0], x[:-1]]), np.concatenate([x[1:], [0.0]])
        return (3 - 2 * x) * x - left - 2 * right + 1

    result = autoopt.least_squares(broyden, -np.ones(10_000))
    assert result.success and sparse.issparse(result.jac) and result.method == "trf"
    assert np.max(np.abs(result.fun)) < 1e-8
    assert result.jac.nnz < 30_000


def test_what_is_shown_to_be_a_minimum_is_not_asked_again():
    """No more residuals than SciPy takes to the same digits; those of the verdict on other runs come on top."""
    result = autoopt.least_squares(decay, [0.5, 2.0, -1.0], args=(TIMES, HEIGHTS))
    sharp = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-14)
    scipys = optimize.least_squares(
        decay, [0.5, 2.0, -1.0], slopes_of_decay, method="lm", args=(TIMES, HEIGHTS), **sharp
    )
    assert result.success and result.nfev <= scipys.nfev


@pytest.mark.parametrize("options", [{"tr_solver": "exact"}, {"tr_solver": "lsmr", "tr_options": {"damp": 1e-8}}])
def test_options_of_steps_are_used(options):
    result = autoopt.least_squares(decay, [0.5, 2.0, -1.0], args=(TIMES, HEIGHTS), **options)
    assert result.success and result.method == "trf"


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox"])
def test_tolerances_below_rounding_are_as_small_as_can_be(method):
    none = {"ftol": 0.0, "xtol": 0.0, "gtol": 0.0}
    result = autoopt.least_squares(decay, [0.5, 2.0, -1.0], args=(TIMES, HEIGHTS), method=method, **none)
    assert result.success and result.method == method


# What is no minimum ---------------------------------------------------------------------------------------------------


def test_a_saddle_is_left():
    result = autoopt.least_squares(lambda x: np.array([x[0] ** 2 - 1, x[1] ** 2 - 4]), [0.0, 0.0])
    assert result.success
    np.testing.assert_allclose(np.abs(result.x), [1.0, 2.0], rtol=1e-12)


def test_points_where_residuals_are_not_defined_are_stepped_back_from():
    def fun(x):
        if x[0] <= 0:
            raise ValueError("x must be positive")
        return np.array([np.log(x[0]) + 3.0, x[1] - 1.0])

    for method in ("lm", "trf", "dogbox"):
        result = autoopt.least_squares(fun, [1.0, 0.0], method=method)
        assert result.success, result.message
        np.testing.assert_allclose(result.x, [np.exp(-3.0), 1.0], rtol=1e-10)
    assert result.nundefined > 0 and "x must be positive" in result.message


def test_rows_that_are_not_finite_at_the_start_are_named():
    y = np.array([1.0, np.nan, 2.0, np.inf])
    with pytest.raises(ObjectiveError, match=r"rows 1, 3 \(2 of 4") as caught:
        autoopt.least_squares(lambda p, x, y: p[0] * x - y, [1.0], args=(np.arange(4.0), y))
    assert "nan at row 1" in str(caught.value)


def test_a_mistake_in_the_users_function_is_shown_as_theirs():
    with pytest.raises(ObjectiveError, match="has no attribute 'sine'") as caught:
        autoopt.least_squares(lambda p: np.array([p[0], np.sine(p[1])]), [1.0, 1.0])
    assert "test_least_squares.py" in str(caught.value)


def test_units_of_the_parameters_do_not_matter():
    plain = autoopt.least_squares(decay, [0.5, 2.0, -1.0], args=(TIMES, HEIGHTS))
    units = np.array([1e6, 1e-6, 1e3])
    scaled = autoopt.least_squares(
        lambda q, t, y: decay(q * units, t, y), np.array([0.5, 2.0, -1.0]) / units, args=(TIMES, HEIGHTS)
    )
    assert scaled.success
    np.testing.assert_allclose(scaled.x * units, plain.x, rtol=1e-9)


def test_why_a_run_failed_is_said():
    result = autoopt.least_squares(rosenbrock, [-1.2, 1.0], max_nfev=4)
    assert not result.success and "limit of iterations or evaluations" in result.diagnosis[0]
    np.testing.assert_allclose(result.fun, rosenbrock(result.x))


@pytest.mark.slow
def test_a_method_that_raises_is_followed_by_the_next():
    """trf multiplies by what overflows, and raises; what other methods come to counts."""
    data, model = reference("Rat43"), MODELS["Rat43"]
    with np.errstate(all="ignore"):
        result = autoopt.least_squares(lambda b: model(data.x, *b) - data.y, [700.0, 5.0, 100.0, 1.0])
    assert not result.success and np.isfinite(result.fun).all()
    assert "dogbox was tried" in result.notes[0]


def test_separation_lies_at_infinity():
    result = autoopt.least_squares(lambda p: 1 / (1 + np.exp(-(p[0] + p[1] * TIMES))) - (TIMES > 5), [0.0, 1.0])
    assert not result.success and "infinity" in result.message


def test_parameters_that_data_do_not_tell_apart_are_named():
    def product(p):
        return p["a"] * p["b"] * np.exp(-p["rate"] * TIMES) - HEIGHTS

    result = autoopt.least_squares(product, {"a": 1.0, "b": 2.0, "rate": 1.0})
    assert result.success, result.message
    assert re.search(r"do not change along -?[\d.]+ \* a \+ b: the data do not tell", result.notes[0])
    alone = autoopt.least_squares(lambda p: p[0] * np.exp(-p[1] * TIMES) - HEIGHTS, [2.0, 1.0])
    assert alone.success and alone.notes == []


def test_residuals_whose_slopes_vanish_at_the_minimum_are_determined_by_their_curvature():
    result = autoopt.least_squares(lambda p: np.array([p[0] ** 2 + 1, p[1] - 2]), [0.5, 0.0])
    assert result.success and not any("do not tell" in note for note in result.notes)
    np.testing.assert_allclose(result.x, [0.0, 2.0], atol=1e-8)


# Calling habits -------------------------------------------------------------------------------------------------------


def test_callback_sees_each_iterate_and_may_end_the_run():
    seen = []

    def see(intermediate_result):
        seen.append((intermediate_result.cost, intermediate_result.nit, intermediate_result.fun.shape))
        if len(seen) == 3:
            raise StopIteration

    result = autoopt.least_squares(rosenbrock, [-1.2, 1.0], callback=see)
    assert not result.success and result.nit == len(seen) == 3 and result.status == 99
    assert seen[-1] == (result.cost, 3, (2,))


def test_an_interruption_keeps_the_best_point():
    calls = []

    def interrupt(x):
        calls.append(x.copy())
        if len(calls) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        autoopt.least_squares(rosenbrock, [-1.2, 1.0], callback=interrupt, method="trf")
    result = caught.value.result
    assert not result.success and result.cost < 0.5 * rosenbrock([-1.2, 1.0]) @ rosenbrock([-1.2, 1.0])
    assert np.isin(result.x, np.array(calls)).all() and result.fun.shape == (2,)


def test_limit_of_evaluations_is_no_success():
    result = autoopt.least_squares(rosenbrock, [-1.2, 1.0], max_nfev=3, method="trf")
    assert not result.success and result.status == 0


def test_verbose_prints_how_it_ended(capsys):
    autoopt.least_squares(rosenbrock, [-1.2, 1.0], verbose=1)
    assert "Converged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "newton"}, "There is no method 'newton'"),
        ({"method": "lm", "bounds": (0, 2)}, "takes no bounds"),
        ({"method": "lm", "loss": "huber"}, "takes no loss but linear"),
        ({"loss": "l1"}, "loss='l1' is not understood"),
        ({"f_scale": -1.0}, "no positive number"),
        ({"x_scale": "auto"}, "x_scale='auto'"),
        ({"x_scale": [1.0, 0.0]}, "x_scale="),
        ({"diff_step": 1e-3}, "diff_step would be of no use"),
        ({"jac": "4-point"}, "jac='4-point'"),
        ({"bounds": [(0, 1), (0, 1), (0, 1)]}, "no pair|not a pair"),
        ({"bounds": ([0, 1], [2, 1])}, "limits of x.1. are equal"),
        ({"bounds": ([2, 2], [3, 3])}, "starts outside"),
        ({"verify": "always"}, "verify='always'"),
        ({"ftol": "small"}, "ftol='small'"),
        ({"max_nfev": 0}, "max_nfev=0"),
        ({"tr_solver": "cg"}, "tr_solver='cg'"),
        ({"tr_options": 3}, "tr_options=3"),
        ({"tr_solver": "exact", "method": "lm"}, "takes no tr_solver"),
    ],
)
def test_what_is_not_understood_is_refused(options, words):
    with pytest.raises(UsageError, match=words):
        autoopt.least_squares(rosenbrock, [1.5, 1.0], **options)


@pytest.mark.parametrize(
    ("fun", "words"),
    [
        (lambda x: "a", "no real numbers"),
        (lambda x: None, "a NoneType"),
        (lambda x: np.array([1.0, 2.0]), "does not depend"),
        (lambda x: np.floor(x), "by steps"),
        (lambda x: x + 1j, "imaginary"),
        (lambda x, y: x - y, "missing 1 required"),
    ],
)
def test_functions_that_give_no_residuals_are_refused(fun, words):
    with pytest.raises(ObjectiveError, match=words):
        autoopt.least_squares(fun, [1.0, 2.0])


@pytest.mark.parametrize(
    ("fun", "said"),
    [
        (
            lambda p: np.log(np.arange(5.0)) * p[0] - p[1],
            "in row 0 (1 of 5 residuals are not finite): np.log of 0 is -inf",
        ),
        (lambda p: np.sqrt(p[0] - 2) - p[1] * np.arange(4.0), "np.sqrt of -1, which is negative, is nan"),
    ],
)
def test_residuals_that_are_not_finite_name_the_operation(fun, said):
    with pytest.raises(ObjectiveError) as caught:
        autoopt.least_squares(fun, [1.0, 1.0])
    assert said in str(caught.value) and "test_least_squares.py" in str(caught.value) and "^^^" in str(caught.value)


def test_entry_that_is_no_number_is_named():
    y = np.array([1, 2, "abc", None], dtype=object)
    with pytest.raises(UsageError, match="ydata holds 'abc' at entry 2, which is no real number"):
        autoopt.curve_fit(lambda t, a, b: a * t + b, np.arange(4.0), y)
