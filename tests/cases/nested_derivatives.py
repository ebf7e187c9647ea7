"""Objectives that use derivatives of other functions, beside the same ones by hand."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest
from complex_steps import complex_step
from scipy import special

import autoopt
from autoopt import grad, hessian, hvp, jacobian, value_and_grad

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
