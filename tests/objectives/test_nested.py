"""Derivatives that objectives take themselves, against the same functions with inner derivatives written by hand."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest
from complex_steps import complex_step
from scipy import sparse, special

import autoopt
from autoopt import differences, grad, hessian, hvp, jacobian, value_and_grad
from autoopt.execution import engines
from autoopt.objectives import dispatch

POINTS = np.array([[1.1, 0.55], [0.7, 1.3], [1.6, -0.4]])
T = np.linspace(0.1, 0.9, 7)
X = np.array([[1.0, 0.5], [-0.3, 1.2], [0.8, -0.7], [0.2, 0.9], [-1.1, 0.4]])
y = np.array([1.0, 0.0, 1.0, 1.0, 0.0])

CASES = []


def case(by_hand, points=POINTS):
    """Enter an objective with the same function in which the inner derivatives are formulas."""

    def enter(f):
        CASES.append(pytest.param(f, by_hand, points, id=f.__name__))
        return f

    return enter


def product(by_hand, x, p):
    """Return the Hessian times `p`, by differences of a gradient that is exact."""
    slopes = [complex_step(by_hand, x + h * p) for h in (-2e-4, -1e-4, 1e-4, 2e-4)]
    return (slopes[0] - 8 * slopes[1] + 8 * slopes[2] - slopes[3]) / 12e-4


# Curvature penalties --------------------------------------------------------------------------------------------------


def cubic(x):
    return np.sum(x**3) + x[0] * x[1] ** 2


@case(lambda x: (3 * x[0] ** 2 + x[1] ** 2) ** 2 + (3 * x[1] ** 2 + 2 * x[0] * x[1]) ** 2)
def gradient_norm(x):
    return np.sum(grad(cubic)(x) ** 2)


@case(lambda x: np.sum(x**2) + (6 * x[0]) ** 2 + 2 * (2 * x[1]) ** 2 + (6 * x[1] + 2 * x[0]) ** 2)
def curvature_penalty(x):
    return np.sum(x**2) + np.sum(hessian(cubic)(x) ** 2)


outside = autoopt.grad(cubic)
outside_hessian = autoopt.hessian(cubic)
cubic_objective = autoopt.objective(cubic, np.ones(2))


@case(lambda x: (3 * x[0] ** 2 + x[1] ** 2) * 2 + (3 * x[1] ** 2 + 2 * x[0] * x[1]) ** 2 + 8 * x[0] + 6 * x[1])
def made_outside(x):
    g = outside(x)
    return 2 * g[0] + g[1] ** 2 + np.trace(outside_hessian(x))


@case(
    lambda x: x[0] ** 3 + x[1] ** 3 + x[0] * x[1] ** 2 + (3 * x[0] ** 2 + x[1] ** 2) * (3 * x[1] ** 2 + 2 * x[0] * x[1])
)
def value_and_gradient(x):
    value, g = value_and_grad(cubic)(x)
    return value + g[0] * g[1]


@case(
    lambda x: (6 * x[0] * np.sin(x[0]) + 2 * x[1] * x[1]) ** 2 + 2 * x[1] * np.sin(x[0]) + (6 * x[1] + 2 * x[0]) * x[1]
)
def product_with_direction(x):
    v = hvp(cubic)(x, np.array([np.sin(x[0]), x[1]]))
    return v[0] ** 2 + v[1]


@case(lambda x: np.log((x[0] * 2 * x[0] * np.cos(x[1])) ** 2 + (x[0] ** 2 * np.sin(x[1])) ** 2 + x[1] ** 2 + 1))
def jacobian_of_array(x):
    J = jacobian(lambda z: np.array([z[0] ** 2 * np.cos(z[1]), z[1] + z[0] * 0]))(x)
    return np.log((x[0] * J[0, 0]) ** 2 + J[0, 1] ** 2 + (x[1] * J[1, 1]) ** 2 + 1)


@case(
    lambda x: (
        (3 * x[0] ** 2 + x[1] ** 2) ** 2 + 6 * x[1] + 2 * x[0] + x[0] ** 3 + x[1] ** 3 + x[0] * x[1] ** 2 + 2 * x[1]
    )
)
def methods_of_objective(x):
    value, g = cubic_objective.value_and_grad(x)
    return g[0] ** 2 + cubic_objective.hess(x)[1, 1] + value + cubic_objective.hessp(x, np.array([0.0, 1.0]))[0]


@case(lambda x: (2 * x[0] * x[1] + 3 * x[0] ** 2) ** 2)
def objective_made_inside(x):
    inner = autoopt.objective(lambda u: u[0] ** 2 * x[1] + u[0] ** 3, np.array([1.0]))
    return inner.grad(x[:1])[0] ** 2


# What the inner function reads ----------------------------------------------------------------------------------------


@case(lambda x: (x[1] * np.cos(x[0] * x[1]) + x[1] ** 2) ** 2 + x[0])
def closure_and_argument(x):
    """The slope in the argument alone, not in what the function reads outside."""
    g = grad(lambda u: np.sin(u * x[1]) + x[1] ** 2 * u)
    return g(x[0]) ** 2 + x[0]


@case(lambda x: (x[0] ** 2 * 2 * x[0]) ** 2 + x[1])
def closure_of_the_same_value(x):
    return grad(lambda u: x[0] ** 2 * u**2)(x[0]) ** 2 + x[1]


@case(lambda x: (2 * x[0] * np.exp(x[1]) + 3 * x[0] ** 2 * x[1]) ** 2)
def passed_as_argument(x):
    def inner(u, w, scale=1.0):
        return u**2 * np.exp(w) + scale * u**3

    return grad(inner)(x[0], x[1], scale=x[1]) ** 2


@case(lambda x: np.sum((T * x[0] * np.cos(T * x[1])) ** 2))
def second_argument(x):
    return np.sum(grad(lambda w, u: np.sum(x[0] * np.sin(w * u)), argnums=1)(T, x[1] * np.ones(7)) ** 2)


@case(lambda x: (2 * x[0] + x[1]) ** 2 + (x[0] * 3) ** 2 + x[1])
def dictionary_argument(x):
    g = grad(lambda p: p["a"] ** 2 + p["a"] * x[1] + x[0] * np.sum(p["b"] * 3))({"a": x[0], "b": x})
    return g["a"] ** 2 + g["b"][1] ** 2 + x[1]


@case(lambda x: 2 * x[0] * x[1] + (x[0] ** 2) ** 2)
def list_argument(x):
    g = grad(lambda p: p[0] ** 2 * p[1])([x[0], x[1]])
    return g[0] + g[1] ** 2


@case(lambda x: (x[0] * (3 - 2)) ** 2 + (x[1] * 2) ** 3)
def constant_argument(x):
    """The argument depends on no parameter, the function does."""
    g = grad(lambda u: x[0] * (u[0] ** 3 / 3 * 3 - u[0] ** 2) + x[1] * u[1] ** 2)(np.array([1.0, 1.0]))
    return g[0] ** 2 + g[1] ** 3


def likelihood(w, X, y):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


def information(w):
    s = 1 / (1 + np.exp(-(X @ w)))
    return (X.T * (s * (1 - s))) @ X


@case(lambda w: np.sum(np.log(1 + np.exp(X @ w)) - y * (X @ w)) + 0.5 * np.log(np.prod([
    information(w)[0, 0] * information(w)[1, 1] - information(w)[0, 1] ** 2])))  # fmt: skip
def jeffreys_prior(w):
    return likelihood(w, X, y) + 0.5 * np.linalg.slogdet(hessian(likelihood)(w, X, y))[1]


# Steps of gradient descent --------------------------------------------------------------------------------------------


def ridge_step(w, rate, penalty):
    return w - rate * (2 * X.T @ (X @ w - y) + 2 * penalty * w)


@case(
    lambda x: np.sum(
        (X @ ridge_step(ridge_step(ridge_step(x, 0.05, x[0] ** 2), 0.05, x[0] ** 2), 0.05, x[0] ** 2) - y) ** 2
    )
)
def steps_of_gradient_descent(x):
    def inner(w):
        return np.sum((X @ w - y) ** 2) + x[0] ** 2 * np.sum(w**2)

    w = x
    for _ in range(3):
        w = w - 0.05 * grad(inner)(w)
    return np.sum((X @ w - y) ** 2)


def many_steps_by_hand(x):
    w = np.array([0.0 * x[0], 0.0 * x[0]])
    for _ in range(40):
        w = ridge_step(w, 0.05, np.exp(x[1]))
        w = w - 0.05 * np.cos(x[0] * w) * x[0]
    return np.sum(w**2)


@case(many_steps_by_hand)
def many_steps(x):
    def inner(w):
        return np.sum((X @ w - y) ** 2) + np.exp(x[1]) * np.sum(w**2)

    w = np.zeros(2)
    for _ in range(40):
        w = w - 0.05 * grad(inner)(w)
        w = w - 0.05 * grad(lambda u: np.sum(np.sin(x[0] * u)))(w)
    return np.sum(w**2)


def tasks_by_hand(x):
    total = 0.0
    for k in range(5):
        w = x - 0.1 * (np.cos(x) * X[k])
        total = total + np.sum((np.sin(w) @ X[k] - y[k]) ** 2)
    return total


@case(tasks_by_hand)
def tasks(x):
    total = 0.0
    for k in range(5):
        w = x - 0.1 * grad(lambda w, row=X[k]: np.sum(np.sin(w) * row))(x)
        total += (np.sin(w) @ X[k] - y[k]) ** 2
    return total


def newton_by_hand(x):
    u = 1.0
    for _ in range(4):
        u = u - (np.exp(u) * x[0] + 2 * u - x[1]) / (np.exp(u) * x[0] + 2)
    return u**2


@case(newton_by_hand)
def newtons_method(x):
    def inner(u):
        return np.exp(u) * x[0] + u**2 - x[1] * u

    slope, u = grad(inner), 1.0
    for _ in range(4):
        u = u - slope(u) / grad(slope)(u)
    return u**2


# Physics --------------------------------------------------------------------------------------------------------------


def network(w, t):
    return np.sum(w[4:] * np.tanh(w[:2] * t + w[2:4]))


def residual_by_hand(w):
    total = 0.0
    for t in T:
        h = np.tanh(w[:2] * t + w[2:4])
        first = np.sum(w[4:] * (1 - h**2) * w[:2])
        second = np.sum(w[4:] * -2 * h * (1 - h**2) * w[:2] ** 2)
        total = total + (second + first + np.sum(w[4:] * h)) ** 2
    return total / 7


WEIGHTS = np.array(
    [[0.5, -0.7, 0.1, 0.3, 1.2, -0.8], [1.5, 0.7, -0.1, 0.3, 0.2, 0.8], [0.3, 0.2, 0.9, -0.4, -0.6, 1.0]]
)


@case(residual_by_hand, WEIGHTS)
def differential_equation(w):
    def u(t):
        return network(w, t)

    slope = grad(u)
    bend = grad(slope)
    total = 0.0
    for t in T:
        total += (bend(t) + slope(t) + u(t)) ** 2
    return total / len(T)


@case(residual_by_hand, WEIGHTS)
def differential_equation_with_weights_as_argument(w):
    def u(t, w):
        return network(w, t)

    rows = [hessian(u)(t, w) + grad(u)(t, w) + u(t, w) for t in T]
    return np.mean(np.array(rows) ** 2)


@case(residual_by_hand, WEIGHTS)
def differential_equation_all_points_at_once(w):
    def total(t):
        return np.sum(np.tanh(np.outer(t, w[:2]) + w[2:4]) @ w[4:])

    u = np.tanh(np.outer(T, w[:2]) + w[2:4]) @ w[4:]
    return np.mean((hvp(total)(T, np.ones(7)) + grad(total)(T) + u) ** 2)


# Nested more than once, branches, loops -------------------------------------------------------------------------------


@case(lambda x: (6 * x[0] * x[1] + np.cos(x[0])) ** 2 + x[1])
def gradient_of_gradient(x):
    return grad(grad(lambda u: u**3 * x[1] - np.cos(u)))(x[0]) ** 2 + x[1]


@case(lambda x: (24 * x[0] * x[1] - np.sin(x[0]) * x[1]) ** 2)
def three_times(x):
    return grad(grad(grad(lambda u: (u**4 - np.cos(u)) * x[1])))(x[0]) ** 2


@case(lambda x: (2 * x[0] * (2 * x[0] ** 2 * x[1]) + x[1]) ** 2)
def inner_function_with_a_derivative(x):
    """d/du (g'(u)**2 / 2 + x1 u) with g'(u) = 2 u sqrt(x1) ..."""

    def outer(u):
        slope = grad(lambda v: u * v**2)(x[0])  # 2 u x0
        return 0.5 * slope**2 * x[1] + x[1] * u

    return grad(outer)(x[0]) ** 2


@case(lambda x: np.where(np.real(x[1]) > 0, (3 * x[0] ** 2) ** 2 * x[1], np.cos(x[0]) ** 2 * x[1]))
def branch_on_the_parameter(x):
    g = grad(lambda u: u**3 if x[1] > 0 else np.sin(u))
    return g(x[0]) ** 2 * x[1]


@case(lambda x: np.where(np.real(x[0]) > 1, (3 * x[0] ** 2 * x[1]) ** 2, (2 * x[0] * x[1]) ** 2))
def branch_on_the_argument(x):
    return grad(lambda u: u**3 * x[1] if u > 1 else u**2 * x[1])(x[0]) ** 2


@case(lambda x: np.sum((np.where(np.real(x) > 0, 2 * x, 0) * x[0]) ** 2) + x[1])
def where_in_the_inner_function(x):
    return np.sum(grad(lambda u: x[0] * np.sum(np.maximum(u, 0) ** 2))(x) ** 2) + x[1]


def recurrence_by_hand(x):
    state, slope = 0.5, 0.0
    for k in range(30):
        slope = slope * np.cos(state * x[0]) * x[0] * 0.5 + np.cos(state * x[0]) * state * 0.5 * 0 + T[k % 7]
        state = 0.5 * np.sin(state * x[0]) + x[1] * T[k % 7]
    return slope**2


@case(recurrence_by_hand)
def loop_in_the_inner_function(x):
    def inner(u):
        state = 0.5
        for k in range(30):
            state = 0.5 * np.sin(state * x[0]) + u * T[k % 7]
        return state

    return grad(inner)(x[1]) ** 2


@case(lambda x: np.sum((2 * x[0] * np.array([x[0], x[1], x[0] * x[1]])) ** 2))
def written_into_an_array(x):
    def inner(u):
        out = np.zeros(3)
        out[0], out[1] = u[0], u[1]
        out[2] = u[2]
        return x[0] * np.sum(out**2)

    v = np.empty(3)
    v[:2] = x
    v[2] = x[0] * x[1]
    return np.sum(grad(inner)(v) ** 2)


@case(lambda x: (special.psi(x[0] + 2) * x[1]) ** 2, POINTS[:2])
def special_functions(x):
    return grad(lambda u: x[1] * special.gammaln(u + 2))(x[0]) ** 2


@case(lambda x: np.sum((2 * np.array([[3 + x[0] ** 2, x[1]], [x[1], 2]]) @ x) ** 2))
def quadratic_form(x):
    A = np.array([[3 + x[0] ** 2, x[1]], [x[1], 2.0]])
    return np.sum(grad(lambda u: u @ A @ u)(x) ** 2)


def solved(x):
    det = (3 + x[0] ** 2) * 2 - x[1] ** 2
    inverse = np.array([[2 / det, -x[1] / det], [-x[1] / det, (3 + x[0] ** 2) / det]])
    return np.sum((inverse @ (inverse @ np.ones(2) * 2)) ** 2)


@case(solved)
def linear_system(x):
    A = np.array([[3 + x[0] ** 2, x[1]], [x[1], 2.0]])
    return np.sum(grad(lambda b: np.sum(np.linalg.solve(A, b) ** 2))(np.ones(2)) ** 2)


Point = namedtuple("Point", "a b")


class Energy:
    """A method whose derivative is taken."""

    def __init__(self, scale):
        self.scale = scale

    def energy(self, q):
        return self.scale * np.sum(np.cos(q)) + q[0] * q[1]

    def force(self, q):
        return -autoopt.grad(self.energy)(q)


@case(lambda x: (2 * np.sin(x[0]) - x[1]) ** 2 + (2 * np.sin(x[1]) - x[0]) ** 2)
def method(x):
    return np.sum(Energy(2.0).force(x) ** 2)


def leapfrog_by_hand(x):
    q, p = x, np.array([0.3, -0.2])
    for _ in range(20):
        p = p + 0.05 * (2 * np.sin(q) - q[::-1])
        q = q + 0.1 * p
        p = p + 0.05 * (2 * np.sin(q) - q[::-1])
    return np.sum(q**2)


@case(leapfrog_by_hand)
def leapfrog(x):
    field, q, p = Energy(2.0), x, np.array([0.3, -0.2])
    for _ in range(20):
        p = p + 0.05 * field.force(q)
        q = q + 0.1 * p
        p = p + 0.05 * field.force(q)
    return np.sum(q**2)


@case(lambda x: (2 * x[0] * x[1]) ** 2 + x[0] ** 4)
def named_tuple(x):
    g = grad(lambda p: p.a**2 * p.b)(Point(x[0], x[1]))
    return g.a**2 + g.b**2


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


def test_source_is_numpy_alone() -> None:
    source = autoopt.source(differential_equation, WEIGHTS[0])
    body = source.split('"""', 2)[2].split("# autoopt")[0]
    assert "autoopt" not in body and "import numpy as np" in body
    assert len(body.split("\n")) < 70, "points are one array, not one after the other"


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
