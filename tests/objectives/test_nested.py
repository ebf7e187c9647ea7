"""Derivatives that objectives take themselves, against the same functions with inner derivatives written by hand."""

from __future__ import annotations

import numpy as np
import pytest
from complex_steps import complex_step
from nested_derivatives import (
    CASES,
    POINTS,
    WEIGHTS,
    X,
    curvature_penalty,
    differential_equation,
    gradient_norm,
    gradient_of_gradient,
    product,
    tasks,
    y,
)
from scipy import sparse, special

import autoopt
from autoopt import differences, grad, hessian
from autoopt.execution import engines
from autoopt.objectives import dispatch
from autoopt.objectives.objective import printed


@pytest.mark.slow_for("made_outside")
@pytest.mark.parametrize(("f", "by_hand", "points"), CASES)
@pytest.mark.sampled(4)
def test_value_gradient_and_product(f, by_hand, points) -> None:
    objective = autoopt.objective(f, points[0])
    for x in points:
        p = np.cos(np.arange(x.size))
        value, gradient = objective.value_and_grad(x)
        np.testing.assert_allclose(value, np.real(by_hand(x)), rtol=1e-11)
        np.testing.assert_allclose(gradient, complex_step(by_hand, x), rtol=1e-9, atol=1e-10)
        bend = product(by_hand, x, p)
        room = {"rtol": 1e-6, "atol": 1e-6 * (1 + np.abs(bend).max())}
        np.testing.assert_allclose(objective.hessp(x, p), bend, **room)
    np.testing.assert_allclose(objective.value(x), f(x), rtol=1e-11)  # with derivatives of numbers
    np.testing.assert_allclose(autoopt.grad(f)(x), gradient, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("f", [curvature_penalty, tasks, gradient_of_gradient])
def test_hessian(f) -> None:
    objective = autoopt.objective(f, POINTS[0])
    columns = [objective.hessp(POINTS[1], unit) for unit in np.eye(2)]
    np.testing.assert_allclose(objective.hess(POINTS[1]), columns, rtol=1e-10)
    np.testing.assert_allclose(autoopt.hessian(f)(POINTS[1]), columns, rtol=1e-10)
    np.testing.assert_allclose(autoopt.hvp(f)(POINTS[1], np.array([0.0, 1.0])), columns[1], rtol=1e-10)


def fitted(x, X, y, scale):
    def loss(w):
        return np.sum((X @ w - y) ** 2) * scale

    return loss(x - 0.05 * grad(loss)(x))


def fitted_by_hand(x, X, y, scale):
    w = x - 0.1 * scale * X.T @ (X @ x - y)
    return np.sum((X @ w - y) ** 2) * scale


def test_data_may_be_others() -> None:
    slope = autoopt.grad(fitted)
    rng = np.random.default_rng(0)
    for rows in (5, 5, 8):
        data = rng.normal(size=(rows, 2)), rng.normal(size=rows), float(rng.random())
        expected = complex_step(lambda x, data=data: fitted_by_hand(x, *data), POINTS[0])
        np.testing.assert_allclose(slope(POINTS[0], *data), expected, rtol=1e-10)


def test_data_of_an_objective_made_outside_may_be_written_into() -> None:
    A = X.copy()
    inner = autoopt.objective(lambda w, A: np.sum((A @ w) ** 4), np.ones(2), A)
    objective = autoopt.objective(lambda x: np.sum(inner.grad(x) ** 2), POINTS[0])
    for _ in range(2):
        expected = complex_step(lambda x: np.sum((4 * A.T @ (A @ x) ** 3) ** 2), POINTS[1])
        np.testing.assert_allclose(objective.grad(POINTS[1]), expected, rtol=1e-10)
        A[0] *= 2


@pytest.mark.slow
def test_source_is_numpy_alone() -> None:
    source = printed(differential_equation, WEIGHTS[0])
    body = source.split('"""', 2)[2].split("# autoopt")[0]
    assert "autoopt" not in body and "import numpy as np" in body
    assert len(body.split("\n")) < 70, "points are one array, not one after the other"


@pytest.mark.slow
def test_many_points_in_a_loop_are_one_array() -> None:
    """A network of two layers, whose inner derivatives have axes added, matrices transposed, arrays written into."""
    points = np.linspace(0.0, 1.0, 60)
    inner, outer = np.array([0.3, -0.5, 0.8]), np.array([[0.2, 0.1, -0.4], [0.5, -0.3, 0.7]])

    def f(w):
        def u(t):
            return np.sum(w * np.tanh(outer @ np.tanh(w[0] * t + inner)))

        slope, total = grad(u), 0.0
        for t in points:
            total += (slope(t) - u(t)) ** 2
        return total

    def by_hand(w):
        total = 0.0
        for t in points:
            h = np.tanh(w[0] * t + inner)
            k = np.tanh(outer @ h)
            total = total + (np.sum(w * (1 - k**2) * (outer @ ((1 - h**2) * w[0]))) - np.sum(w * k)) ** 2
        return total

    objective = autoopt.objective(f, POINTS[0])
    np.testing.assert_allclose(objective.grad(POINTS[1]), complex_step(by_hand, POINTS[1]), rtol=1e-10)
    assert len(objective.source().split("\n")) < 90


def test_numbers_of_a_loop_share_one_piece_of_code(monkeypatch) -> None:
    """Those that the text does not hold are handed to the derivative's code, the same in each iteration."""
    compiled, made = engines.compiled, []
    rows = [[1.3 + 0.01 * k, 0.7 - 0.02 * k, 0.1 * k - 0.77] for k in range(20)]

    def f(x):
        total = 0.0
        for a, b, target in rows:

            def loss(w, a=a, b=b, target=target):
                return (np.sin(w[0] * a + 0.5 * w[1] * b) - target) ** 2

            total += loss(x - 0.1 * grad(loss)(x))
        return total

    def by_hand(x):
        total = 0.0
        for a, b, target in rows:
            z = x[0] * a + 0.5 * x[1] * b
            w = x - 0.2 * np.array([a, 0.5 * b]) * (np.sin(z) - target) * np.cos(z)
            total = total + (np.sin(w[0] * a + 0.5 * w[1] * b) - target) ** 2
        return total

    monkeypatch.setattr(engines, "compiled", lambda *given, **options: made.append(1) or compiled(*given, **options))
    objective = autoopt.objective(f, POINTS[0])
    assert len(made) <= 3, "but for numbers that the text holds too"
    np.testing.assert_allclose(objective.grad(POINTS[1]), complex_step(by_hand, POINTS[1]), rtol=1e-10)
    assert objective.source().partition("def value_and_grad")[2].count("\n") < 80


def test_number_that_a_rule_wants_in_the_code() -> None:
    """Handed to the code as data, it would be refused."""
    order = float(np.sqrt(2.0))
    followed(lambda x: grad(lambda u: special.jv(order, u) * x[1])(x[0] + 2) ** 2)
    followed(lambda x: grad(lambda u: np.quantile(u**2, order / 3) * x[1])(np.array([x[0], 2.5, x[1]]))[0] ** 2)


def test_function_is_called_once() -> None:
    """What the inner function leaves outside is left once, as it is without a trace."""
    calls, kept = [], {}

    def f(x):
        def inner(u):
            calls.append(1)
            kept["double"] = 2 * u
            return x[0] * np.sum(u**2)

        return np.sum(grad(inner)(x)) + np.sum(kept["double"])

    expected = complex_step(lambda x: 2 * x[0] * np.sum(x) + 2 * np.sum(x), POINTS[0])
    np.testing.assert_allclose(autoopt.grad(f)(POINTS[0]), expected, rtol=1e-12)
    assert len(calls) == 1


def test_derivative_that_is_kept_outside_is_one_of_numbers() -> None:
    class Body:
        def energy(self, q):
            return np.sum(q**3)

        def objective(self, x):
            if not hasattr(self, "force"):
                self.force = autoopt.grad(self.energy)
                self.inner = autoopt.objective(self.energy, np.ones(2))
            return np.sum(self.force(x) ** 2) + np.sum(self.inner.hess(x))

    body = Body()
    objective = autoopt.objective(body.objective, np.ones(2))
    np.testing.assert_allclose(objective.grad(np.ones(2)), [42.0, 42.0])
    np.testing.assert_allclose(body.force(np.ones(2)), [3.0, 3.0])
    assert body.objective(np.ones(2)) == objective.value(np.ones(2)) == 30.0


def test_a_wrong_inner_derivative_would_be_noticed(monkeypatch) -> None:
    from autoopt.objectives import nested

    right = nested.Inner.gradient
    monkeypatch.setattr(nested.Inner, "gradient", lambda inner: right(inner) * (1 + 1e-6))
    check = autoopt.check(gradient_norm, POINTS[0])
    assert not check


def followed(f, points=POINTS) -> None:
    """Compare derivatives with differences of values, which are compared with the function's own."""
    objective = autoopt.objective(f, points[0])
    for x in points:
        p = np.cos(np.arange(x.size))
        value, gradient = objective.value_and_grad(x)
        np.testing.assert_allclose(value, f(x.copy()), rtol=1e-10)
        np.testing.assert_allclose(gradient, differences.gradient(objective.value, x)[0], rtol=1e-6, atol=1e-7)
        turned = differences.hessp(objective.grad, x, p)[0]
        np.testing.assert_allclose(objective.hessp(x, p), turned, rtol=1e-6, atol=1e-6)


class Held:
    """An object without methods: what it holds is called as it is."""


class Buffered:
    def __init__(self) -> None:
        self.buffer = np.zeros(2)

    def objective(self, x):
        self.buffer[:] = grad(lambda u: np.sum(u**3) * x[0])(x)
        return np.sum(self.buffer**2)


def test_derivative_held_by_an_object_without_methods() -> None:
    held = Held()
    held.slope = autoopt.grad(lambda u: np.sum(u**3))
    followed(lambda x: np.sum(held.slope(x) ** 2) + x[1])


def test_sparse_matrix_in_the_inner_function() -> None:
    A = sparse.csr_matrix(np.array([[1.0, 0.0], [0.5, 2.0], [0.0, 3.0]]))
    followed(lambda x: np.sum(grad(lambda u: np.sum((A @ u) ** 4) * x[0])(x) ** 2))


def test_buffer_of_an_object() -> None:
    followed(Buffered().objective)


def test_complex_values_in_the_inner_function() -> None:
    z = np.array([1 + 2j, 0.5 - 1j])
    followed(lambda x: np.sum(grad(lambda u: np.sum(np.abs(np.exp(z * u) + x[0]) ** 2))(x) ** 2))


def test_loop_until_converged() -> None:
    def f(x):
        def loss(w):
            return np.sum((w - x) ** 2) + 0.1 * np.sum(np.exp(w))

        slope, w = grad(loss), np.zeros(2)
        for _ in range(200):
            step = slope(w)
            w = w - 0.3 * step
            if np.sum(step**2) < 1e-20:
                break
        return np.sum(w**2)

    followed(f)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::autoopt.errors.PathsWarning")
def test_more_branches_than_are_compiled(monkeypatch) -> None:
    monkeypatch.setattr(dispatch, "MAX_PATHS", 2)
    monkeypatch.setattr(dispatch, "KEPT_PATHS", 1)

    def f(x):
        total = 0.0
        for k in range(4):
            total += grad(lambda u, k=k: u**3 * x[1] if u > k * 0.3 else np.sin(u) * x[1])(x[0]) ** 2
        return total

    followed(f, [np.array([0.1 + 0.29 * k, 0.5]) for k in range(3)])


def test_whole_numbers_of_the_outer_parameters() -> None:
    """They are guards of the objective, and what they lead to is compared there."""
    followed(lambda x: grad(lambda u: u ** (int(3 * x[0]) + 1))(x[1] + 2) ** 2 * x[0])


# Kinks ----------------------------------------------------------------------------------------------------------------


def stable(w):
    z = X @ w
    return np.sum(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


@pytest.mark.parametrize(
    ("f", "by_hand"),
    [
        (lambda x: np.sum(grad(stable)(x) ** 2), lambda x: np.sum((X.T @ (1 / (1 + np.exp(-X @ x)) - y)) ** 2)),
        (lambda x: np.sum(grad(lambda u: np.sum(np.sqrt(np.sum(u**2)) ** 2))(x) ** 2), lambda x: np.sum(4 * x**2)),
        (
            lambda x: np.sum(grad(lambda u: np.sum(np.maximum(u, 0) ** 2 + np.maximum(-u, 0) ** 2))(x) ** 2),
            lambda x: np.sum(4 * x**2),
        ),
        (
            lambda x: np.sum(grad(lambda u: np.sum(abs(u) + np.log1p(np.exp(-2 * abs(u)))))(x) ** 2),
            lambda x: np.sum(np.tanh(x) ** 2),
        ),
    ],
    ids=["logistic", "norm", "squares", "log-cosh"],
)
def test_smooth_functions_at_ties(f, by_hand) -> None:
    objective = autoopt.objective(f, np.zeros(2))
    for x in ([0.0, 0.0], [0.4, -0.2], [0.7, 0.0], [0.0, 0.0]):
        x, p = np.array(x), np.array([0.6, -1.0])
        value, gradient = objective.value_and_grad(x)
        np.testing.assert_allclose(value, by_hand(x), rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(gradient, complex_step(by_hand, x), rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(objective.hessp(x, p), product(by_hand, x, p), rtol=1e-5, atol=1e-5)


def test_kink_keeps_its_convention() -> None:
    objective = autoopt.objective(lambda x: np.sum((x - 0.3 * grad(lambda u: np.sum(abs(u)))(x)) ** 2), np.zeros(2))
    np.testing.assert_allclose(objective.value_and_grad(np.array([0.0, 1.0]))[1], [0.0, 1.4], atol=1e-9)
    np.testing.assert_allclose(objective.value_and_grad(np.array([-1.0, 1.0]))[1], [-1.4, 1.4])


# Refusals -------------------------------------------------------------------------------------------------------------


def bisection(x):
    def root(u):
        low, high = 0.0, 4.0
        for _ in range(60):
            middle = (low + high) / 2
            if middle**3 + u * middle > x[1] + 1:
                high = middle
            else:
                low = middle
        return middle

    return grad(root)(x[0]) ** 2


def cosine_of_abs(x):
    return np.sum(hessian(lambda u: np.sum(np.cos(np.abs(u))))(x * 0.0 + x) ** 2)


def equal_numbers(x):
    return grad(lambda u: u**2 if u == 1.1 else u**3)(x[0])


def minimised(x):
    return autoopt.minimize(lambda u: np.sum((u - x) ** 2), np.zeros(2)).fun


MEMO = {int(POINTS[0, 0] * 1e9): 3.0, "1.1": 3.0}


def looked_up(u):
    key = int(u * 1e9)
    if key not in MEMO:
        MEMO[key] = np.exp(u)
    return MEMO[key] ** 2


def looked_up_by_text(u):
    return (MEMO[str(u)] if str(u) in MEMO else np.exp(u)) ** 2


REFUSED = {
    "memo": (lambda x: grad(looked_up)(x[0]) ** 2, POINTS[0], "a text or a whole number of its argument", "np.floor"),
    "text key": (lambda x: grad(looked_up_by_text)(x[0]) ** 2, POINTS[0], "a text or a whole number", "np.floor"),
    "search": (bisection, POINTS[0], "finds a number by decisions", "scipy.optimize.brentq"),
    "limit": (cosine_of_abs, np.zeros(2), "where operands of abs, maximum or a condition are equal", "np.logaddexp"),
    "equal": (equal_numbers, POINTS[0], "finds numbers equal", "write this derivative as a formula"),
    "minimize": (minimised, POINTS[0], "has autoopt trace a function that uses values", "steps of Newton's method"),
    "array": (lambda x: np.sum(grad(lambda u: u**2)(x)), POINTS[0], r"returned an array of shape \(2,\)", "np.sum"),
    "nothing": (lambda x: np.sum(grad(lambda u: None)(x)), POINTS[0], "returned nothing", "return one scalar"),
    "argument": (lambda x: np.sum(grad(np.sum)()), POINTS[0], "without the argument", "by position"),
    "text": (lambda x: np.sum(grad(lambda u: 1.0)("a")), POINTS[0], "x: 'a'", "put only finite numbers"),
    "method": (
        lambda x: autoopt.objective(np.sum, x).source(),
        POINTS[0],
        "uses .source of an objective within it",
        "outside of the objective",
    ),
    "rule": (
        lambda x: grad(lambda u: special.jv(u, x[1]))(x[0]),
        POINTS[0],
        "derivative of scipy.special.jv in its first argument",
        "keep that argument free",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_line(name) -> None:
    f, x, happened, remedy = REFUSED[name]
    with pytest.raises(autoopt.AutooptError, match=happened) as caught:
        autoopt.objective(f, x).grad(x)
    assert "test_nested.py:" in str(caught.value) and remedy in str(caught.value)


def test_search_with_brentq_is_followed() -> None:
    """The remedy of the refusal."""
    from scipy.optimize import brentq

    def f(x):
        return grad(lambda u: brentq(lambda m: m**3 + u * m - x[1] - 1, 0.0, 4.0))(x[0]) ** 2

    def by_hand(x):
        m = 1.0
        for _ in range(30):
            m = m - (m**3 + x[0] * m - x[1] - 1) / (3 * m**2 + x[0])
        return (m / (3 * m**2 + x[0])) ** 2

    np.testing.assert_allclose(autoopt.grad(f)(POINTS[0]), complex_step(by_hand, POINTS[0]), rtol=1e-8)
