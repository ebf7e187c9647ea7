"""The certificate of a run: what was compared where, in words and as JSON; iterates; second derivatives."""

from __future__ import annotations

import json

import numpy as np
import pytest

import autoopt
from autoopt.check import Verification, check_objective
from autoopt.errors import VerificationError
from autoopt.verification import periodic
from autoopt.verification.certificate import Finding
from autoopt.verification.periodic import Periodic, of_products, of_slopes
from autoopt.verification.secants import of_slope


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


START = np.full(4, -1.2)


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (Finding("value", "x0", 0.0, 0.0), "agrees to 15 digits, as well as the function allows"),
        (Finding("gradient", "x0", 2e-12, 1e-11), "agrees to 11 digits, as well as the function allows"),
        (Finding("gradient", "x0", 2e-9, 1e-11), "agrees to 8 digits"),
        (Finding("product", "x0", 0.1, 0.5, "cannot tell", "there is a kink"), "cannot tell: there is a kink"),
        (Finding("value", "x0", 0.1, 0.0, "disagrees", "1.0 for 2.0"), "disagrees: 1.0 for 2.0"),
    ],
)
def test_a_finding_in_words(finding, words):
    assert str(finding) == words


@pytest.mark.parametrize(
    ("off", "error", "verdict"),
    [
        (0.5, 1e5, "cannot tell"),
        (0.5, 2.0, "cannot tell"),
        (1e-9, 1e5, "agrees"),
        (0.5, 0.6, "agrees"),
        (0.0, 0.0, "agrees"),
    ],
)
def test_a_slope_below_rounding_is_not_said_to_agree(off, error, verdict):
    found = of_slope(off, error, 1.0, "the solution")
    assert found.verdict == verdict and ("to 0 digits" in str(found)) == (error == 0.6)


def test_nothing_told_at_the_solution_stands_apart_from_the_digits_at_the_start():
    found = Verification(True, findings=(of_slope(1e-14, 1e-11, 1.0, "x0"), of_slope(0.47, 2e5, 1.0, "the solution")))
    text = " ".join(str(found).split())
    assert str(Verification.of_dict(found.to_dict())) == str(found)
    assert "x0: agrees to 14 digits" in text and "the solution: cannot tell" in text and "to 0 digits" not in text


@pytest.mark.parametrize("method", ["trust-exact", "newton-cg"])
def test_the_certificate_says_what_was_compared_where(method):
    found = autoopt.minimize(rosenbrock, START + 0.013, method=method).verification
    text = str(found)
    assert "value     x0" in text and "gradient  x0" in text and "product   x0, the solution: agrees to" in text
    assert "beside the solution" in text and f"{found.evaluations} evaluation" in text
    plain = json.loads(found.to_json())
    assert plain["verdict"] == "agrees" and plain["evaluations"] == found.evaluations
    assert {one["what"] for one in plain["findings"]} == {"value", "gradient", "product"}
    assert all(one["digits"] >= 6 for one in plain["findings"])
    again = Verification.of_dict(plain)
    assert str(again) == text and again.to_dict() == plain


def test_at_most_six_evaluations_at_the_start_and_two_at_the_solution():
    found = autoopt.minimize(lambda x: rosenbrock(x) + 0.0 * x[0], START).verification
    assert found.evaluations <= 8 and found.at_solution


def test_periodic_compares_iterates_within_its_part_of_the_time():
    result = autoopt.minimize(rosenbrock, np.full(30, -1.2), method="bfgs", verify="periodic")
    found = result.verification
    assert found.passed and found.iterates == len({one.place for one in found.findings if "iterate " in one.place}) // 2
    assert autoopt.minimize(rosenbrock, START, method="bfgs", verify="start").verification.iterates == 0


def test_periodic_keeps_to_its_part_of_the_time():
    """What a comparison takes is known from the start, so the first of a run that is short is not made."""
    objective = autoopt.objective(rosenbrock, START)
    objective.value_and_grad(START)
    watch = Periodic([of_slopes(lambda x: (objective, x), 1.0)], Verification(True, evaluations=1, seconds=1.0))
    for k in range(100):
        watch.look(START + 0.01 * k)
    assert watch.found.iterates == 0


def test_an_iterate_at_which_the_gradient_is_wrong_is_an_error(monkeypatch):
    monkeypatch.setattr(periodic, "SHARE", np.inf)
    objective = autoopt.objective(rosenbrock, START)
    right = objective.value_and_grad

    def wrong(x):
        value, gradient = right(x)
        return value, gradient * (1.001 if x[0] > 0 else 1.0)

    objective.value_and_grad = wrong
    objective.on_known_path = wrong
    watch = Periodic([of_slopes(lambda x: (objective, x), 1.0)], Verification(True, evaluations=1))
    watch.look(START)
    with pytest.raises(VerificationError, match="At iterate 2: The derived gradient is wrong"):
        watch.look(-START)
    assert watch.found.iterates == 1


def test_least_squares_takes_periodic_too():
    t = np.linspace(0, 3, 40)
    result = autoopt.least_squares(lambda p: p[0] * np.exp(-p[1] * t) - 2 * np.exp(-t), [1.0, 0.1], verify="periodic")
    assert result.success and result.verification.passed


@pytest.fixture
def patient(monkeypatch):
    """Comparisons may take all the time that they like."""
    monkeypatch.setattr(periodic, "SHARE", np.inf)


def compared_at(found, what) -> set[str]:
    return {one.place for one in found.findings if one.what == what and one.place.startswith("iterate")}


@pytest.mark.parametrize("method", ["newton-cg", "trust-exact", "trust-krylov", "dogleg"])
def test_products_are_compared_at_iterates(method, patient):
    convex = lambda x: np.sum(np.cosh(x) + x**4) + x[0] * x[1]  # noqa: E731
    found = autoopt.minimize(convex, START + 0.1 * np.arange(4), method=method, verify="periodic").verification
    assert found.passed and len(compared_at(found, "product")) >= 2 and len(compared_at(found, "gradient")) >= 2
    assert found.iterates == len(compared_at(found, "gradient") | compared_at(found, "product"))


def test_a_product_that_becomes_wrong_on_the_way_is_an_error(patient):
    objective = autoopt.objective(rosenbrock, START)
    kept = [None]
    watch = Periodic([of_products(objective, lambda: kept[0], "give none.")], Verification(True, evaluations=1))
    watch.look(START)
    assert watch.found.iterates == 0
    for factor in (1.0, 1.0, 1.01):
        kept[0] = START, None, factor * objective.hess(START)
        if factor == 1.0:
            watch.look(START)
    assert watch.found.iterates == 2
    with pytest.raises(VerificationError, match="At iterate 4: The derived Hessian, times a direction, is wrong"):
        watch.look(START)


CIRCLE = {"type": "ineq", "fun": lambda x: np.array([4.0 - np.sum(x**2), 10.0 - np.sum(np.exp(x))])}


@pytest.mark.parametrize("method", ["slsqp", "trust-constr"])
def test_constraints_are_compared_at_iterates(method, patient):
    result = autoopt.minimize(rosenbrock, 0.4 * np.ones(4), constraints=CIRCLE, method=method, verify="periodic")
    assert result.success and len(compared_at(result.verification, "gradient")) >= 3


def test_a_constraint_that_becomes_wrong_on_the_way_is_an_error(patient):
    """Its gradient is right at the start, where the second parameter is positive."""
    wrong = {"type": "ineq", "fun": lambda x: 4.0 - x @ x, "jac": lambda x: -2.0 * x * np.where(x[1] > 0, 1.0, 1.01)}
    with pytest.raises(VerificationError, match=r"At iterate \d+: The Jacobian of constraints\[0\] that jac"):
        autoopt.minimize(
            lambda x: np.sum((x + [1.0, 2.0]) ** 4), np.ones(2), constraints=wrong, method="slsqp", verify="periodic"
        )


def equations(x):
    return np.array([x[0] ** 3 + x[1] - 3.0, np.exp(x[0]) - x[1] ** 2])


@pytest.mark.parametrize("method", [None, "hybr", "lm", "newton", "krylov"])
def test_roots_take_periodic(method, patient):
    result = autoopt.root(equations, [3.0, 5.0], method=method, verify="periodic")
    found = result.verification
    assert result.success and found.passed and found.at_solution and found.iterates >= 2
    assert len(compared_at(found, "gradient")) == found.iterates and f"{found.iterates} iterates" in str(found)


def test_equations_whose_jacobian_becomes_wrong_are_an_error(patient):
    wrong = lambda x: np.array([[3 * x[0] ** 2, 1.0], [np.exp(x[0]), -2 * x[1]]]) * (1.0 if x[0] > 2 else 1.01)  # noqa: E731
    with pytest.raises(VerificationError, match=r"At iterate \d+: .* is wrong"):
        autoopt.root(equations, [3.0, 5.0], jac=wrong, method="newton", verify="periodic")
    result = autoopt.root(equations, [3.0, 5.0], jac=wrong, method="newton")
    assert not result.success and "Not verified at the solution" in result.message


@pytest.mark.parametrize("factor", [1.001, -1.0, 0.0])
@pytest.mark.parametrize("given", ["hess", "hessp"])
def test_second_derivatives_that_are_given_are_compared(given, factor):
    def hess(x):
        return factor * np.diag(12.0 * x**2)

    supplied = {"hess": hess} if given == "hess" else {"hessp": lambda x, p: hess(x) @ p}
    with pytest.raises(VerificationError, match=rf"Hessian that {given} gives") as caught:
        autoopt.minimize(lambda x: np.sum(x**4) + x[0], np.ones(3), method="newton-cg", **supplied)
    assert "test_certificate.py" in str(caught.value) and "To fix this" in str(caught.value)


def test_second_derivatives_that_are_given_and_right_pass():
    result = autoopt.minimize(
        lambda x: np.sum(x**4) + x @ x, np.ones(3), method="trust-exact", hess=lambda x: np.diag(12.0 * x**2 + 2)
    )
    assert result.success and "product" in str(result.verification)


CURVES = np.random.default_rng(0).normal(size=(50, 3))
MASKS = {
    "right": np.ones((3, 3)),
    "all but column 0": np.array([[1.0, 1, 1], [1, 2, 2], [1, 2, 2]]),
    "all but column 2": np.array([[2.0, 2, 1], [2, 2, 1], [1, 1, 1]]),
    "signs": np.array([[1.0, -1, 1], [-1, 1, 1], [1, 1, 1]]),
}


@pytest.mark.parametrize("given", ["hess", "hessp"])
@pytest.mark.parametrize("name", MASKS)
def test_second_derivatives_that_become_wrong_in_some_columns_are_no_success(name, given):
    """A run may end with products along an axis, which show nothing of the other columns."""
    start = np.array([3.0, -2.0, 1.0])

    def f(w):
        return np.sum(np.logaddexp(0, CURVES @ w) - 0.3 * CURVES @ w) + 0.5 * np.sum((w - 1) ** 2) + 0.1 * np.sum(w**4)

    def jac(w):
        return CURVES.T @ (1 / (1 + np.exp(-CURVES @ w)) - 0.3) + (w - 1) + 0.4 * w**3

    def hess(w):
        s = 1 / (1 + np.exp(-CURVES @ w))
        whole = CURVES.T @ (CURVES * (s * (1 - s))[:, None]) + np.diag(1 + 1.2 * w**2)
        return whole * (MASKS[name] if np.linalg.norm(w - start) > 0.5 else 1.0)

    supplied = {"hess": hess} if given == "hess" else {"hessp": lambda w, p: hess(w) @ p}
    for method in ("newton-cg", "trust-ncg", "trust-krylov"):
        result = autoopt.minimize(f, start, method=method, jac=jac, **supplied)
        assert result.success == (name == "right"), (method, result.message)


@pytest.mark.parametrize("method", ["newton-cg", "trust-exact", "trust-krylov"])
def test_a_right_hessian_whose_gradient_has_a_kink_at_the_solution_is_no_alarm(method):
    result = autoopt.minimize(
        lambda x: np.where(x[0] > 0, 1.0, 3.0) * x[0] ** 2 + (x[1] - 1) ** 2 + x[1] ** 4,
        np.array([1.0, 3.0]),
        method=method,
        jac=lambda x: np.array([(2.0 if x[0] > 0 else 6.0) * x[0], 2 * (x[1] - 1) + 4 * x[1] ** 3]),
        hess=lambda x: np.diag([2.0 if x[0] >= 0 else 6.0, 2 + 12 * x[1] ** 2]),
    )
    assert result.success and abs(result.x[0]) < 1e-8, result.message
    assert "the solution: cannot tell: the gradient has a kink there" in str(result.verification)


def test_a_derived_hessian_that_is_wrong_is_no_success(monkeypatch):
    from autoopt.objectives.objective import Objective

    right = Objective.hess
    monkeypatch.setattr(Objective, "hess", lambda self, x, sparse=None: 1.001 * right(self, x, sparse))
    result = autoopt.minimize(lambda x: rosenbrock(x) + x[1] ** 2, START, method="trust-exact")
    assert not result.success and not result.verification.passed
    assert "derived Hessian, times a direction, is wrong" in result.message


# At a kink ------------------------------------------------------------------------------------------------------------

ROWS = np.random.default_rng(0).normal(size=(20, 3))

KINKED = {
    "penalty": (lambda w: np.sum((ROWS @ w - 1) ** 2) + 3 * np.sum(np.abs(w)), np.zeros(3)),
    "ramp": (lambda w: np.sum(np.maximum(w, 0) * [1.0, 2.0, 3.0]) + w @ w, np.zeros(3)),
    "lengths": (lambda w: np.sum(np.hypot(w[:2], w[1:]) * [1.0, 2.0]), np.zeros(3)),
    "norm": (lambda w: np.sqrt(w @ w) + w[0], np.zeros(3)),
    "clipped": (lambda w: np.sum(np.sin(np.clip(w, 0, 1))), np.array([0.0, 0.5, 1.0])),
}


@pytest.mark.parametrize("name", KINKED)
def test_a_slope_that_is_wrong_beside_a_kink_at_the_start_is_an_error(name):
    """Differences on both sides of a kink are the mean of its slopes, such as 0, whatever the code gives beside it."""
    f, x0 = KINKED[name]
    objective = autoopt.objective(f, x0)
    assert check_objective(objective, x0), "as it is"
    right, known, product = objective.value_and_grad, objective.on_known_path, objective.hessp
    for factor in (1.001, -1.0):
        objective.value_and_grad = lambda x, s=factor: (right(x)[0], s * right(x)[1])
        objective.on_known_path = lambda x, s=factor: (known(x)[0], s * known(x)[1])
        assert not check_objective(objective, x0).verification.passed
    objective.value_and_grad, objective.on_known_path = right, known
    objective.hessp = lambda x, p: 1.001 * product(x, p) + 1e-3 * p
    assert not check_objective(objective, x0), "second derivatives, too"
