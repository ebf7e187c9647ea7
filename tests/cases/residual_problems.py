"""The test problems of More, Garbow and Hillstrom as residuals, with their starts and printed minima.

References
----------
More, J. J., Garbow, B. S. and Hillstrom, K. E. (1981). ACM Transactions on Mathematical Software 7(1), 17-41.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ResidualProblem:
    """Residuals, a start (n,), and the sums of squares at local minima, 0 at those that fit exactly."""

    fun: Callable
    x0: np.ndarray
    minima: tuple[float, ...]


PROBLEMS: dict[str, ResidualProblem] = {}
"""By the name of the function."""


def problem(x0, *minima):
    """Enter a function with its start and the printed sums of squares."""

    def enter(fun):
        PROBLEMS[fun.__name__] = ResidualProblem(fun, np.array(x0, dtype=float), minima)
        return fun

    return enter


@problem([-1.2, 1.0], 0.0)
def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


@problem([0.5, -2.0], 0.0, 48.9842)
def freudenstein_roth(x):
    first = -13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1]
    return np.array([first, -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]])


@problem([0.0, 1.0], 0.0)
def powell_badly_scaled(x):
    return np.array([1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001])


@problem([1.0, 1.0], 0.0)
def brown_badly_scaled(x):
    return np.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


@problem([1.0, 1.0], 0.0)
def beale(x):
    return np.array([y - x[0] * (1 - x[1] ** k) for k, y in ((1, 1.5), (2, 2.25), (3, 2.625))])


@problem([0.3, 0.4], 124.362)
def jennrich_sampson(x):
    i = np.arange(1, 11)
    return 2 + 2 * i - (np.exp(i * x[0]) + np.exp(i * x[1]))


@problem([-1.0, 0.0, 0.0], 0.0)
def helical_valley(x):
    turn = np.arctan(x[1] / x[0]) / (2 * np.pi) + (0.5 if x[0] < 0 else 0.0)
    return np.array([10 * (x[2] - 10 * turn), 10 * (np.hypot(x[0], x[1]) - 1), x[2]])


@problem([1.0, 1.0, 1.0], 8.21487e-3)
def bard(x):
    y = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])
    u = np.arange(1.0, 16.0)
    v = 16 - u
    return y - (x[0] + u / (v * x[1] + np.minimum(u, v) * x[2]))


@problem([0.4, 1.0, 0.0], 1.12793e-8)
def gaussian(x):
    half = np.array([0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521])
    y = np.concatenate([half, [0.3989], half[::-1]])
    t = (8 - np.arange(1.0, 16.0)) / 2
    return x[0] * np.exp(-x[1] * (t - x[2]) ** 2 / 2) - y


@problem([5.0, 2.5, 0.15], 0.0)
def gulf(x):
    t = np.arange(1, 100) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return np.exp(-(np.abs(y - x[1]) ** x[2]) / x[0]) - t


@problem([0.0, 10.0, 20.0], 0.0)
def box(x):
    t = 0.1 * np.arange(1, 11)
    return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


@problem([3.0, -1.0, 0.0, 1.0], 0.0)
def powell_singular(x):
    return np.array([x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2])


@problem([-3.0, -1.0, -3.0, -1.0], 0.0)
def wood(x):
    return np.array(
        [
            10 * (x[1] - x[0] ** 2), 1 - x[0], 90**0.5 * (x[3] - x[2] ** 2), 1 - x[2],
            10**0.5 * (x[1] + x[3] - 2), 10**-0.5 * (x[1] - x[3]),
        ]
    )  # fmt: skip


@problem([0.25, 0.39, 0.415, 0.39], 3.07505e-4)
def kowalik_osborne(x):
    y = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
    u = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
    return y - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


@problem([0.02, 4000.0, 250.0], 87.9458)
def meyer(x):
    y = np.array(
        [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872.0]
    )
    return x[0] * np.exp(x[1] / (45 + 5 * np.arange(1, 17) + x[2])) - y


@problem([25.0, 5.0, -5.0, -1.0], 85822.2)
def brown_dennis(x):
    t = np.arange(1, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


@problem([0.5, 1.5, -1.0, 0.01, 0.02], 5.46489e-5)
def osborne_1(x):
    y = [0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603]
    y += [0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.420, 0.414]
    y += [0.411, 0.406]
    t = 10.0 * np.arange(33)
    return np.array(y) - (x[0] + x[1] * np.exp(-t * x[3]) + x[2] * np.exp(-t * x[4]))


@problem([1.0, 2.0, 1.0, 1.0, 1.0, 1.0], 0.0, 5.65565e-3)
def biggs_exp6(x):
    t = 0.1 * np.arange(1, 14)
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y


@problem([1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5], 4.01377e-2)
def osborne_2(x):
    y = [1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606]
    y += [0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.500]
    y += [0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708]
    y += [0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428]
    y += [0.292, 0.162, 0.098, 0.054]
    t = np.arange(65) / 10
    peaks = sum(x[k] * np.exp(-((t - x[k + 7]) ** 2) * x[k + 4]) for k in (1, 2, 3))
    return np.array(y) - (x[0] * np.exp(-t * x[4]) + peaks)


@problem(np.zeros(6), 2.28767e-3)
def watson(x):
    t = np.arange(1, 30)[:, None] / 29
    j = np.arange(x.size)
    inner = (j[1:] * x[1:] * t ** (j[1:] - 1)).sum(axis=1) - (x * t**j).sum(axis=1) ** 2 - 1
    return np.concatenate([inner, [x[0], x[1] - x[0] ** 2 - 1]])


@problem(np.tile([-1.2, 1.0], 5), 0.0)
def extended_rosenbrock(x):
    return np.concatenate([10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]])


@problem(np.arange(1.0, 5.0), 2.24997e-5)
def penalty_1(x):
    return np.concatenate([1e-5**0.5 * (x - 1), [np.sum(x**2) - 0.25]])


@problem(np.full(4, 0.5), 9.37629e-6)
def penalty_2(x):
    i = np.arange(2, 5)
    y = np.exp(i / 10) + np.exp((i - 1) / 10)
    rise = 1e-5**0.5 * (np.exp(x[1:] / 10) + np.exp(x[:-1] / 10) - y)
    fall = 1e-5**0.5 * (np.exp(x[1:] / 10) - np.exp(-0.1))
    return np.concatenate([[x[0] - 0.2], rise, fall, [np.arange(4, 0, -1) @ x**2 - 1]])


@problem(1 - np.arange(1, 11) / 10, 0.0)
def variably_dimensioned(x):
    weighted = np.arange(1, 11) @ (x - 1)
    return np.concatenate([x - 1, [weighted, weighted**2]])


@problem(np.full(10, 0.1), 0.0, 2.79506e-5)
def trigonometric(x):
    return 10 - np.sum(np.cos(x)) + np.arange(1, 11) * (1 - np.cos(x)) - np.sin(x)


@problem(np.full(10, 0.5), 0.0, 1.0)
def brown_almost_linear(x):
    return np.concatenate([x[:-1] + np.sum(x) - 11, [np.prod(x) - 1]])


@problem(np.linspace(0, 1, 12)[1:-1] * (np.linspace(0, 1, 12)[1:-1] - 1), 0.0)
def discrete_boundary_value(x):
    h = 1 / 11
    padded = np.concatenate([[0.0], x, [0.0]])
    return 2 * x - padded[:-2] - padded[2:] + h**2 * (x + h * np.arange(1, 11) + 1) ** 3 / 2


@problem(np.full(10, -1.0), 0.0)
def broyden_tridiagonal(x):
    padded = np.concatenate([[0.0], x, [0.0]])
    return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1


@problem(np.full(10, 1.0), 10.0)
def linear_full_rank(x):
    return np.concatenate([x, np.zeros(10)]) - 2 / 20 * np.sum(x) - 1


@problem(np.arange(1, 9) / 9, 3.51687e-3)
def chebyquad(x):
    z = 2 * x - 1
    before, now, means = np.ones_like(x), z, []
    for i in range(1, 9):
        means.append(np.mean(now) - (0.0 if i % 2 else -1 / (i**2 - 1)))
        before, now = now, 2 * z * now - before
    return np.array(means)
