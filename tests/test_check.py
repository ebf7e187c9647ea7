"""The checker: wrong derivatives are caught, right ones at awkward points are not refused."""

import numpy as np
import pytest
from scipy.special import expit

import autoopt
from autoopt import differences
from autoopt.check import check_objective, compare, verify, verify_solution
from autoopt.errors import ObjectiveError, UsageError, VerificationError
from autoopt.parameters import Structure


class Claimed:
    """An objective with the value, gradient and Hessian-vector product that it is claimed to have."""

    single, gradient_source = False, "derived gradient"

    def __init__(self, f, grad, x0, value=None, hessp=None):
        self.function, self.args = f, ()
        self.original, self.grad, self._value, self.hessp = f, grad, value or f, hessp
        self.structure = Structure.of(x0)

    def value_and_grad(self, x):
        return self._value(x), self.grad(x)

    def closer(self, x):
        return None


def logistic(m=3000, n=5):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((m, n))
    y = rng.random(m) < 0.4

    def f(w):
        return np.sum(np.logaddexp(0, X @ w) - y * (X @ w))

    return f, lambda w: X.T @ (expit(X @ w) - y)


def offset():
    """A sum whose terms cancel: value 1e-3 from terms of 1e9, so that rounding is loud."""
    rng = np.random.default_rng(3)
    a = 1e9 * rng.standard_normal(1000)
    return lambda x: np.sum(a * (1 + x[0] * 0)) - np.sum(a) + np.sum(np.cos(x)), lambda x: -np.sin(x)


LOGISTIC = logistic()
SMOOTH = {
    "logistic": (*LOGISTIC, np.linspace(-1, 1, 5)),
    "logistic at zero": (*LOGISTIC, np.zeros(5)),
    "large sum": (*logistic(100_000), np.ones(5)),
    "exp of steep": (lambda x: np.exp(300 * x[0]), lambda x: 300 * np.exp(300 * x), np.array([0.3])),
    "log near its edge": (lambda x: np.sum(x - np.log(x)), lambda x: 1 - 1 / x, np.array([1e-4, 2.0])),
    "badly scaled": (lambda x: 1e8 * x[0] ** 2 + 1e-8 * x[1] ** 2, lambda x: x * [2e8, 2e-8], np.array([1e-3, 1e3])),
    "stationary": (lambda x: np.sum(x**2), lambda x: 2 * x, np.zeros(3)),
    "constant": (lambda x: 3.0, lambda x: 0 * x, np.zeros(3)),
    "tiny": (lambda x: 1e-30 * np.sum(np.sin(x)), lambda x: 1e-30 * np.cos(x), np.ones(2)),
    "huge": (lambda x: 1e200 * np.sum(np.sin(x)), lambda x: 1e200 * np.cos(x), np.ones(2)),
    "wave": (lambda x: np.sin(1e5 * x[0]), lambda x: 1e5 * np.cos(1e5 * x), np.array([0.7])),
    "cancelling": (*offset(), np.array([0.4])),
    "far away": (lambda x: np.sum((x - 1e6) ** 2), lambda x: 2 * (x - 1e6), np.array([1e6 + 1, 2e6])),
    "single precision": (
        lambda x: float(np.sum(np.sin(x.astype(np.float32)), dtype=np.float32)),
        lambda x: np.cos(x).astype(np.float32).astype(float),
        np.linspace(0.1, 1, 5),
    ),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_right_derivative_passes(name):
    f, grad, x = SMOOTH[name]
    assert verify(Claimed(f, grad, x), x).passed


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", SMOOTH)
def test_right_derivative_passes_along_any_direction(name, seed):
    f, grad, x = SMOOTH[name]
    assert compare(Claimed(f, grad, x), x, seed=seed).passed


@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0, 0.0])
@pytest.mark.parametrize("name", sorted(set(SMOOTH) - {"stationary", "constant", "cancelling"}))
def test_wrong_derivative_is_caught(name, factor):
    f, grad, x = SMOOTH[name]
    with pytest.raises(VerificationError, match="The derived gradient is wrong") as caught:
        verify(Claimed(f, lambda x: factor * grad(x), x), x)
    assert "To fix this" in str(caught.value)


def test_one_wrong_entry_is_caught():
    f, grad = LOGISTIC
    with pytest.raises(VerificationError, match="gradient is wrong"):
        verify(Claimed(f, lambda x: grad(x) * [1, 1, 1.01, 1, 1], np.ones(5)), np.ones(5))


def test_hopelessly_rough_objective_is_not_called_checked():
    rng = np.random.default_rng(0)
    table = {}

    def f(x):
        return x[0] + table.setdefault(x.tobytes(), rng.standard_normal())

    found = compare(Claimed(f, np.ones_like, np.zeros(1)), np.zeros(1))
    assert found.passed and not found.conclusive
    assert "could not be checked well" in found.message


@pytest.mark.parametrize("factor", [1 + 1e-7, 1.001, -1])
def test_wrong_value_is_caught(factor):
    f, grad = LOGISTIC
    with pytest.raises(VerificationError, match="value of the compiled objective is wrong"):
        verify(Claimed(f, grad, np.ones(5), value=lambda x: factor * f(x)), np.ones(5))


def test_another_order_of_summation_passes():
    rng = np.random.default_rng(0)
    a = rng.standard_normal(10_000) * 1e6

    def f(x):
        return float(np.sum(a * x[0]))

    def backwards(x):
        return float(sum(a[::-1] * x[0]))

    assert verify(Claimed(f, lambda x: np.array([a.sum()]), np.ones(1), value=backwards), np.ones(1)).passed


def test_changing_objective_is_named():
    rng = np.random.default_rng(0)
    claimed = Claimed(lambda x: rng.random(), np.zeros_like, np.ones(1), value=lambda x: 0.0)
    with pytest.raises(VerificationError, match="different values for the same parameters"):
        verify(claimed, np.ones(1))


@pytest.mark.parametrize("slope", [0.0, 1.0, 0.3])
def test_kink_at_the_start_is_recorded(slope):
    claimed = Claimed(
        lambda x: np.sum(np.maximum(x, 0.0)), lambda x: np.where(x == 0, slope, 1.0 * (x > 0)), np.zeros(3)
    )
    found = verify(claimed, np.zeros(3))
    assert found.passed
    assert found.kink or slope == 0.5 or "agree" in found.message


def test_wrong_derivative_beside_a_kink_is_caught():
    claimed = Claimed(lambda x: np.sum(np.abs(x) + x), lambda x: 1.01 * (np.sign(x) + 1), np.zeros(3))
    with pytest.raises(VerificationError):
        verify(claimed, np.zeros(3))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_objective_not_finite_at_the_start(bad):
    with pytest.raises(ObjectiveError, match=f"The objective is {bad} at x0"):
        verify(Claimed(lambda x: bad, np.zeros_like, np.ones(1)), np.ones(1))


def test_gradient_not_finite_at_the_start_names_the_entry():
    claimed = Claimed(lambda x: np.sum(np.sqrt(x)), lambda x: np.where(x == 0, np.inf, 1.0), np.array([1.0, 0.0]))
    with pytest.raises(ObjectiveError, match=r"The gradient is inf at x0 along x\[1\]"):
        verify(claimed, np.array([1.0, 0.0]))


def test_verification_can_be_off_and_nothing_else():
    assert verify(None, np.ones(1), "off") is None
    assert verify(None, np.ones(1), False) is None
    with pytest.raises(UsageError, match="verify='always' is not understood"):
        verify(None, np.ones(1), "always")


@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_check_compares_second_derivatives(factor):
    f, grad, x = (lambda x: np.sum(np.exp(x))), np.exp, np.array([0.1, -2.0])
    report = check_objective(Claimed(f, grad, x, hessp=lambda x, p: factor * np.exp(x) * p), x)
    assert bool(report) is (factor == 1.0)
    assert ("All is well." in str(report)) is bool(report)


@pytest.mark.parametrize("factor", [1.0, 1.001])
def test_check_of_second_derivatives_where_a_column_is_large(factor):
    """Steps of 1 in every parameter go so far that the gradient is flat at both ends."""
    X = np.array([1.0, 1e7]) * np.random.default_rng(2).standard_normal((50, 2))
    grad = lambda w: X.T @ (expit(X @ w) - 0.4)  # noqa: E731

    def hessp(w, p):
        s = expit(X @ w)
        return factor * (X.T @ (s * (1 - s) * (X @ p)))

    f = lambda w: np.sum(np.logaddexp(0, X @ w) - 0.4 * (X @ w))  # noqa: E731
    assert bool(check_objective(Claimed(f, grad, np.zeros(2), hessp=hessp), np.zeros(2))) is (factor == 1.0)


def test_gradient_and_its_error_by_differences():
    f, grad = LOGISTIC
    gradient, error = differences.gradient(f, np.ones(5))
    assert np.all(np.abs(gradient - grad(np.ones(5))) <= error)
    assert np.all(error <= 1e-8 * np.abs(gradient))


def test_hessian_by_differences_of_the_gradient():
    hessian, error = differences.hessian(lambda x: np.array([2 * x[0] * x[1], x[0] ** 2]), np.array([1.0, 2.0]))
    assert np.allclose(hessian, [[4, 2], [2, 0]], atol=1e-10)
    assert np.all(error < 1e-8)


def test_product_by_differences_of_the_gradient():
    product, error = differences.hessp(np.exp, np.zeros(2), np.array([1e-3, 5.0]))
    assert np.all(np.abs(product - [1e-3, 5.0]) <= error + 1e-15)
    assert np.array_equal(differences.hessp(np.exp, np.zeros(2), np.zeros(2))[0], [0, 0])


def test_steps_out_of_the_domain_are_left_out():
    slope, error = differences.directional(lambda x: np.log(x[0]), np.array([1e-3]), np.ones(1))
    assert abs(slope - 1000) <= error < 1e-6
    assert np.isnan(differences.directional(lambda x: np.nan, np.ones(1), np.ones(1))[0])


@pytest.mark.parametrize("at", [np.array([0.3, -0.8, 0.5]), None], ids=["a point", "the minimum"])
def test_finite_differences_take_few_calls(at):
    """At most 15 calls a parameter, at a minimum too, where no relative error of the slope can be reached."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = np.sign(X @ [1.0, -2.0, 0.5] + np.random.default_rng(1).normal(size=60))
    calls = []

    def loss(w):
        calls.append(1)
        return np.sum(np.logaddexp(0, -y * (X @ w)))

    exact = autoopt.Objective(loss, np.zeros(3))
    x = at if at is not None else autoopt.minimize(loss, np.zeros(3), method="newton-cg").x
    calls.clear()
    slope, error = differences.gradient(loss, x)
    assert len(calls) <= 45
    assert np.all(np.abs(slope - exact.grad(x)) <= error) and np.all(error < 1e-8)


def test_differences_at_a_minimum_of_zero_are_zero() -> None:
    slope, error = differences.directional(lambda x: np.sum((1 - x) ** 2) ** 2, np.ones(3), np.array([1.0, 0.5, 0.0]))
    assert abs(slope) <= error < 1e-20


@pytest.mark.parametrize("term", [lambda w: 0.0 * np.log(2 - w), lambda w: np.log(2 - w) - np.log(2 - w)])
def test_a_solution_where_the_original_is_nan_is_no_success(term):
    """Zero times anything is zero in the compiled code."""
    with np.errstate(all="ignore"):
        found = autoopt.minimize(lambda w: (w[0] - 3) ** 2 + w[1] ** 2 + term(w[0]), np.array([0.0, 1.0]))
    assert not found.success
    assert "the original function is NaN" in found.message


def test_a_solution_where_the_original_raises_is_no_success():
    objective = autoopt.objective(lambda w: np.sum(w**2), np.ones(2))

    def refuses(x):
        raise KeyError("nothing there")

    objective.original = refuses
    found = verify_solution(objective, np.zeros(2), 1.0)
    assert not found.passed
    assert "raises KeyError" in found.message


@pytest.mark.parametrize("unit", [1e-6, 1e-8, 1e-10])
def test_parameter_in_small_units_that_begins_at_0_is_compared_in_steps_by_its_slope(unit):
    def f(x):
        return -np.exp(-((x[0] / unit - 1) ** 2) / 2) + 0.05 * np.log1p((x[0] / unit) ** 2) + x[1] ** 2

    result = autoopt.minimize(f, np.array([0.0, 1.0]))
    assert result.success and result.verification.passed

    def wrong(x):
        z = x[0] / unit
        own = ((z - 1) * np.exp(-((z - 1) ** 2) / 2) + 0.1 * z / (1 + z**2)) / unit
        return np.array([1.001 * own, 2 * x[1]])

    with pytest.raises(VerificationError):
        autoopt.minimize(f, np.array([0.0, 1.0]), jac=wrong)


def counted(f):
    """Return a function that counts its calls in `calls`."""

    def called(x):
        called.calls += 1
        return f(x)

    called.calls = 0
    return called


@pytest.mark.parametrize("name", ["logistic", "logistic at zero", "large sum", "stationary", "far away"])
def test_a_smooth_objective_is_compared_by_few_calls(name):
    f, grad, x = SMOOTH[name]
    original = counted(f)
    found = verify(Claimed(original, grad, x, value=f), x)
    assert found.passed and original.calls <= 3 and found.evaluations == original.calls
    assert {one.place for one in found.findings} == {"x0", "beside x0"}


def test_a_value_that_is_wrong_beside_the_start_alone_is_caught():
    f, grad = LOGISTIC
    with pytest.raises(VerificationError, match="value of the compiled objective is wrong beside x0"):
        verify(Claimed(f, grad, np.zeros(5), value=lambda x: f(x) * (1 + 1e-6 * bool(x.any()))), np.zeros(5))
