"""Systems of equations with chained, banded and structured unknowns, and models with matrices, in several styles.

After Lukšan, L. and Vlček, J. (1998). Sparse and partially separable test problems for unconstrained and equality
constrained optimization. Technical report 767, Academy of Sciences of the Czech Republic; and after the textbooks.
"""

from __future__ import annotations

import numpy as np

CHAINED = {}
"""By name: the function, the start and the data."""

_random = np.random.default_rng(13)
T = np.linspace(0.1, 2.0, 30)
X = _random.normal(size=(25, 4))
Y = _random.normal(size=25)
CAMERAS, POINTS = np.repeat(np.arange(2), 6), np.tile(np.arange(6), 2)
SEEN = _random.normal(size=(12, 2))


def system(start, *args):
    """Enter a system with its start and its data."""

    def enter(f):
        CHAINED[f.__name__] = (f, np.asarray(start, dtype=float), args)
        return f

    return enter


@system(np.tile([-1.2, 1.0], 6))
def chained_rosenbrock(x):
    return np.concatenate([10 * (x[:-1] ** 2 - x[1:]), x[:-1] - 1])


@system(np.tile([-1.2, 1.0], 6))
def chained_rosenbrock_by_a_loop(x):
    r = []
    for i in range(len(x) - 1):
        r.append(10 * (x[i] ** 2 - x[i + 1]))
        r.append(x[i] - 1)
    return np.array(r)


@system(np.tile([-2.0, -1.0, -2.0, -1.0], 3))
def chained_wood(x):
    r = np.zeros((len(x) // 2 - 1, 6))
    for j in range(len(x) // 2 - 1):
        a, b, c, d = x[2 * j : 2 * j + 4]
        r[j] = [10 * (a**2 - b), a - 1, 90**0.5 * (c**2 - d), c - 1, 10**0.5 * (b + d - 2), (b - d) / 10**0.5]
    return r.ravel()


@system(np.tile([3.0, -1.0, 0.0, 1.0], 3))
def chained_powell(x):
    rows = [
        (x[k] + 10 * x[k + 1], 5**0.5 * (x[k + 2] - x[k + 3]), (x[k + 1] - 2 * x[k + 2]) ** 2, (x[k] - x[k + 3]) ** 2)
        for k in range(0, len(x) - 3, 2)
    ]
    return np.array(rows)


@system(np.full(10, -1.0))
def generalised_broyden_tridiagonal(x):
    inner = (3 - 2 * x[1:-1]) * x[1:-1] - x[:-2] - x[2:] + 1
    return np.hstack([(3 - 2 * x[0]) * x[0] - x[1] + 1, inner, (3 - 2 * x[-1]) * x[-1] - x[-2] + 1])


@system(np.full(10, -1.0))
def broyden_with_np_where(x):
    i = np.arange(len(x))
    left, right = np.where(i > 0, np.roll(x, 1), 0.0), np.where(i < len(x) - 1, np.roll(x, -1), 0.0)
    return (3 - 2 * x) * x - left - 2 * right + 1


@system(np.ones(9))
def chained_singular_sums(x):
    r = np.zeros(len(x) + 1)
    r[:-1] = np.cumsum(x**2) - 1
    r[-1] = x[0] * x[-1]
    return r


@system(np.full(9, 0.4))
def countercurrent_reactors(x):
    a, r = 0.414214, np.zeros(9)
    for k in range(9):
        ahead, behind = x[min(k + 1, 8)], x[max(k - 1, 0)]
        r[k] = a * behind - (1 - a) * ahead - x[k] * (1 + 4 * ahead)
    return r


@system(np.full(8, 0.3))
def seven_diagonal(x):
    n, r = len(x), []
    for k in range(n):
        value = 3 * x[k] * (2 - x[k])
        for shift in (1, 2, 3):
            value = value + (x[k - shift] ** 2 if k >= shift else 0) - (x[k + shift] if k + shift < n else 0)
        r.append(value)
    return np.asarray(r)


@system(np.full(10, 0.5))
def attracting_repelling(x):
    return np.vstack([x[1:] * np.exp(x[:-1]), np.sin(x[1:] - x[:-1])]).T


@system(np.linspace(0.1, 0.9, 9).reshape(3, 3))
def laplace_on_a_grid(u):
    whole = np.pad(u, 1)
    return whole[1:-1, :-2] + whole[1:-1, 2:] + whole[:-2, 1:-1] + whole[2:, 1:-1] - 4 * u + 0.1 * np.exp(u)


@system(np.linspace(0.2, 0.9, 9).reshape(3, 3))
def matrix_square_root(a):
    return a @ a - np.array([[1e-4, 1.0, 0.0], [0.0, 1e-4, 0.5], [0.3, 0.0, 1e-4]])


@system(np.linspace(0.2, 0.9, 10))
def matrix_factors(x):
    left, right = x[:6].reshape(3, 2), x[6:].reshape(2, 2)
    return (left @ right - np.ones((3, 2))).ravel()


@system([0.3, -0.2, 0.1, 0.4], X, Y)
def logistic_residuals(b, X, y):
    return 1 / (1 + np.exp(-(X @ b))) - y


@system([0.3, -0.2, 0.1, 0.4, 0.2, -0.5], X, Y)
def linear_with_intercept_and_power(b, X, y):
    return y - b[0] - np.abs(X @ b[1:5]) ** 1.5 * b[5]


@system(np.linspace(-0.5, 0.6, 17), X, Y)
def hidden_layer(w, X, y):
    hidden = np.tanh(X @ w[:12].reshape(4, 3))
    return y - hidden @ w[12:15] - w[15] * w[16]


@system([1.0, 0.5, 0.3, 0.8], T)
def fitzhugh_by_euler(p, t):
    v, w, out = 0.1, 0.2, []
    for k in range(len(t)):
        v, w = v + 0.05 * (v - v**3 / 3 - w + p[0]), w + 0.05 * p[3] * (v + p[1] - p[2] * w)
        out.append(v - np.sin(t[k]))
    return np.array(out)


@system([0.7, 0.2, -0.1], T)
def autoregression(p, y):
    return y[2:] - p[0] * y[1:-1] - p[1] * y[:-2] - p[2]


@system([0.5, 0.3], T)
def moving_average(p, y):
    e = np.zeros(len(y))
    for t in range(1, len(y)):
        e[t] = y[t] - p[0] - p[1] * e[t - 1]
    return e


@system([1.0, 0.2, 0.6, 0.3, 2.0, 1.1], T)
def two_groups(p, t):
    first, second = np.split(p, 2)
    return np.concatenate([group[0] * np.exp(-group[1] * t) + group[2] for group in (first, second)])


@system(np.concatenate([np.linspace(-0.2, 0.3, 12), np.linspace(0.5, 2.0, 18)]), SEEN)
def bundle_adjustment(x, seen):
    cameras, points = x[:12].reshape(2, 6), x[12:].reshape(6, 3)
    turn, shift, p = cameras[CAMERAS, :3], cameras[CAMERAS, 3:], points[POINTS]
    moved = p + np.cross(turn, p) + shift
    return (moved[:, :2] / (4 + moved[:, 2:]) - seen).ravel()


@system([0.5, 1.0, 1.5, 0.1], T)
def grouped_by_masks(p, t):
    r = np.zeros_like(t)
    early = t < 1.0
    r[early] = p[0] * t[early] - p[3]
    r[~early] = p[1] * np.sqrt(t[~early]) + p[2] * t[~early] ** 2
    return r


@system([0.5, 1.0, 0.3, 1.4], T)
def basis_of_cosines(c, t):
    return np.cos(np.outer(t, np.arange(4))) @ c - np.exp(-t)


@system([0.5, 1.0, 0.3, 1.4, 0.2], T)
def piecewise_linear(c, t):
    return np.interp(t, np.linspace(0, 2, 5), c) - t**2


@system([1.0, 0.5, 0.2], T)
def convolved_response(p, t):
    return np.convolve(np.exp(-p[0] * t), p[1:], mode="same") - t


@system([1.0, 2.0, 3.0])
def no_residuals(x):
    return x[:0] ** 2


@system([1.5])
def one_unknown(x):
    return x**3 - 2


@system([1.5, 0.5])
def one_equation(x):
    return np.atleast_1d(x[0] ** 2 * x[1])
