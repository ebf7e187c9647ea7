"""By people who came from Matlab: star imports, capital letters, column vectors, imports where they are needed."""

# ruff: noqa: F403, F405
from math import *  # noqa: I001
from numpy import *

from corpus.table import Case

TIME = linspace(0, 2, 8)
DATA = 2 * exp(-TIME) + 0.05 * sin(9 * TIME)


def expfit(P):
    A = P[0]; k = P[1]; c = P[2]  # fmt: skip  # noqa: E702
    Y = A * exp(-k * TIME) + c
    SSE = sum((Y - DATA) ** 2)
    return SSE


def column_vectors(P, M):
    b = reshape(P, (-1, 1))
    e = dot(M, b) - ones((shape(M)[0], 1))
    return asscalar_(dot(e.T, e))


def asscalar_(v):
    return float(v[0, 0])


def matrix_assembly(P):
    K = zeros((3, 3))
    F = zeros(3)
    for e in range(0, 2):
        K[e, e] = K[e, e] + P[e]
        K[e, e + 1] = K[e, e + 1] - P[e]
        K[e + 1, e] = K[e + 1, e] - P[e]
        K[e + 1, e + 1] = K[e + 1, e + 1] + P[e]
    K[0, :] = 0
    K[0, 0] = 1
    F[2] = P[2]
    u = linalg.solve(K, F)
    return u[2] ** 2 - u[1] + dot(P, P)


def griewank(P):
    p = 1.0
    s = 0.0
    for i in range(size(P)):
        p *= cos(P[i] / sqrt(i + 1))
        s += P[i] ** 2 / 4000
    return s - p + 1


def ackley(x):
    from numpy import cos, e, exp, pi, sqrt

    n = len(x)
    return -20 * exp(-0.2 * sqrt(sum(x**2) / n)) - exp(sum(cos(2 * pi * x)) / n) + 20 + e


def import_inside(x):
    import math as m

    import numpy as numerical
    import scipy.special
    from scipy import linalg as la

    w = numerical.asarray(x, dtype=float)
    M = numerical.array([[2 + w[0] ** 2, w[1]], [w[1], 3.0]])
    return m.exp(w[0]) + scipy.special.gamma(2 + w[1]) + la.det(M) + la.norm(M)


def any_find(P):
    k = where(P > 0)[0]
    if any(P < -5):
        return 1e3 * sum(P[P < -5] ** 2)
    return sum(P[k] ** 2) + max(P) * min(P) + mean(P) + sum(sort(P)[:2]) ** 2


def beale(P):
    x, y = P
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def hartmann(x):
    alpha = array([1.0, 1.2, 3.0, 3.2])
    A = array([[3.0, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
    P = 1e-4 * array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]])
    outer = 0
    for ii in arange(4):
        inner = 0
        for jj in arange(3):
            inner = inner + A[ii, jj] * (x[jj] - P[ii, jj]) ** 2
        outer = outer + alpha[ii] * exp(-inner)
    return -outer


def scalar_parameter(x):
    return x**4 - 3 * x**3 + log(1 + x * x) + hypot(x, 1.0)


CASES = [
    Case("expfit", expfit, array([1.5, 0.8, 0.1]), tags="star-import globals"),
    Case("column_vectors", column_vectors, array([0.3, -0.2]), (array([[1.0, 2], [3, 4], [5, 6]]),), tags="star-import float reshape"),
    Case("matrix_assembly", matrix_assembly, array([1.0, 2.0, 0.5]), tags="star-import assembly"),
    Case("griewank", griewank, array([1.0, 2.0, 0.5]), (), (zeros(3),), tags="star-import augmented"),
    Case("ackley", ackley, array([1.0, 2.0, 0.5]), tags="import-inside star-import"),
    Case("import_inside", import_inside, array([0.4, 0.7]), tags="import-inside math linalg"),
    Case("any_find", any_find, array([0.4, -0.7, 1.2]), (), (array([-6.0, 1.0, 2.0]),), tags="where any branch"),
    Case("beale", beale, array([1.0, 0.8]), (), (array([3.0, 0.5]), zeros(2)), tags="unpack"),
    Case("hartmann", hartmann, array([0.1, 0.5, 0.8]), tags="double-loop arange"),
    Case("scalar_parameter", scalar_parameter, 0.7, (), (0.0,), tags="scalar-x0"),
]
