"""Iterations to convergence: Newton, fixed points, secants, means, series; each with points that take other numbers of steps."""

import math

import numpy as np

from corpus.table import Case


def newton_cube_root(p):
    x = 1.0
    for it in range(100):
        new = x - (x**3 - p[0]) / (3 * x**2)
        if abs(new - x) < 1e-9:
            break
        x = new
    return new**2 + p[1] * new


def newton_while(p):
    x = p[0]
    f, df = x**3 - p[1], 3 * x**2
    while abs(f) > 1e-10:
        x = x - f / df
        f, df = x**3 - p[1], 3 * x**2
    return x * x * p[0] + np.exp(-x)


def secant_root(p):
    x0, x1 = p[0], p[0] + 0.3
    f0 = np.exp(x0) - p[1] * x0 - 3
    for i in range(50):
        f1 = np.exp(x1) - p[1] * x1 - 3
        if abs(f1) < 1e-11:
            break
        x0, x1, f0 = x1, x1 - f1 * (x1 - x0) / (f1 - f0), f1
    return x1**2 + p[1] * x1


def kepler_equation(p, M):
    e, E = p[0], M
    for i in range(50):
        d = (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
        E = E - d
        if np.abs(d).max() < 1e-9:
            break
    return np.sum((p[1] * (np.cos(E) - e) - np.sin(M)) ** 2)


def mean_field(p, A):
    x = np.zeros(3)
    for it in range(500):
        new = np.tanh(A @ x + p)
        if np.max(np.abs(new - x)) < 1e-14:
            return np.sum(new**2) + np.sum(new)
        x = new
    raise RuntimeError("no fixed point")


def guarded_newton(p):
    x = p[0]
    for it in range(100):
        f = np.arctan(x) - p[1]
        if math.isnan(f):
            return 1e10 * x
        d = f * (1 + x * x)
        if abs(d) > 1e3:
            return 5 * x
        x = x - d
        if abs(d) < 1e-9:
            break
    return x**2 + p[0] * x


def equilibrium(p):
    M = np.array([[2 + p[0] ** 2, 0.3], [0.3, 1 + p[1] ** 2]])
    b = np.array([1.0, 2.0]) * p
    x = np.zeros(2)
    for it in range(60):
        r = M @ x + 0.1 * x**3 - b
        J = M + np.diag(0.3 * x**2)
        d = np.linalg.solve(J, r)
        x = x - d
        if np.sqrt(d @ d) < 1e-9:
            break
    return x @ b


def two_solvers(p):
    def root(a, x):
        while True:
            new = 0.5 * (x + a / x)
            if abs(new - x) <= 1e-9:
                return new
            x = new

    return root(p[0], 1.0 + p[1] ** 2) * root(p[1] + 2, p[0])


def counts_its_steps(p):
    x = p[0]
    for it in range(100):
        new = 0.5 * (x + p[1] / x)
        if abs(new - x) < 1e-9:
            break
        x = new
    return new * (1 + 0.1 * it)


def gives_up(p):
    x = p[0]
    for it in range(5):
        new = np.cos(p[1] * x)
        if abs(new - x) < 0.05:
            break
        x = new
    else:
        return 10 * x**2
    return new + p[0] * x


def squared_matrix(p):
    A = np.array([[0.3, p[0]], [p[1], 0.2]])
    S = np.eye(2)
    while True:
        new = np.eye(2) + A @ S
        if np.abs(new - S).max() < 1e-14:
            break
        S = new
    return np.trace(S) + np.linalg.det(new)


M = np.linspace(0.1, 3, 7)
A = np.random.default_rng(0).normal(size=(3, 3)) * 0.4

CASES = [
    Case("newton_cube_root", newton_cube_root, np.array([2.0, 0.5]), (), tuple(np.array([a, 0.5]) for a in (30.0, 1.2, 7.0, 0.4)), tags="for-break"),
    Case("newton_while", newton_while, np.array([1.5, 3.0]), (), tuple(np.array(p) for p in ((0.7, 4.0), (2.2, 2.5), (1.5, 20.0))), tags="while"),
    Case("secant_root", secant_root, np.array([0.8, 1.0]), (), tuple(np.array(p) for p in ((1.9, 0.6), (0.6, 0.9), (1.4, 0.5))), tags="for-break", noise=1e-13),
    Case("kepler_equation", kepler_equation, np.array([0.3, 1.2]), (M,), tuple(np.array(p) for p in ((0.05, 1.0), (0.65, 0.7))), tags="for-break"),
    Case("mean_field", mean_field, np.array([0.1, 0.2, 0.3]), (A,), tuple(np.array(p) for p in ((1.0, -0.7, 0.4), (-0.3, 0.1, 2.0))), tags="early-return", noise=1e-13),
    Case("guarded_newton", guarded_newton, np.array([0.5, 0.4]), (), tuple(np.array(p) for p in ((0.9, 0.3), (0.3, 0.85))), tags="for-break"),
    Case("equilibrium", equilibrium, np.array([0.5, 0.4]), (), tuple(np.array(p) for p in ((1.5, 1.9), (0.1, 0.2))), tags="for-break"),
    Case("two_solvers", two_solvers, np.array([1.5, 0.8]), (), tuple(np.array(p) for p in ((6.0, 0.8), (0.5, 3.0))), tags="while-true closure"),
    Case("counts_its_steps", counts_its_steps, np.array([1.0, 3.0]), (), (np.array([1.1, 20.0]),), tags="for-break"),
    Case("gives_up", gives_up, np.array([0.6, 0.7]), (), (np.array([0.3, 1.9]), np.array([0.1, 0.8])), tags="for-else"),
    Case("squared_matrix", squared_matrix, np.array([0.2, 0.3]), (), (np.array([0.5, 0.4]), np.array([-0.1, 0.05])), tags="while-true", noise=1e-13),
]
