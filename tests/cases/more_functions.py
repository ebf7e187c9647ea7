"""The least-squares functions of Moré, Garbow and Hillstrom, from their formulas, each in one of several styles.

Moré, J. J., Garbow, B. S. and Hillstrom, K. E. (1981). Testing unconstrained optimization software. ACM Transactions
on Mathematical Software 7(1), 17-41. The numbers are those of the paper; where m or n can be chosen it is small.
"""

from __future__ import annotations

import math

import numpy as np

MORE = {}
"""By name: the function, the start and the data, of which there are none."""


def system(*start):
    """Enter a function with its standard start."""

    def enter(f):
        MORE[f.__name__] = (f, np.array(start, dtype=float), ())
        return f

    return enter


@system(-1.2, 1.0)
def rosenbrock(x):  # 1
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


@system(0.5, -2.0)
def freudenstein_roth(x):  # 2
    return [
        -13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1],
        -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1],
    ]


@system(0.0, 1.0)
def powell_badly_scaled(x):  # 3
    r = np.zeros(2)
    r[0] = 1e4 * x[0] * x[1] - 1
    r[1] = np.exp(-x[0]) + np.exp(-x[1]) - 1.0001
    return r


@system(1.0, 1.0)
def brown_badly_scaled(x):  # 4
    return np.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


@system(1.0, 1.0)
def beale(x):  # 5
    y = np.array([1.5, 2.25, 2.625])
    return y - x[0] * (1 - x[1] ** np.arange(1, 4))


@system(0.3, 0.4)
def jennrich_sampson(x):  # 6
    i = np.arange(1, 11)
    return 2 + 2 * i - (np.exp(i * x[0]) + np.exp(i * x[1]))


@system(-1.0, 0.3, 0.2)
def helical_valley(x):  # 7
    theta = np.arctan2(x[1], x[0]) / (2 * np.pi)
    radius = np.hypot(x[0], x[1])
    return np.array([10 * (x[2] - 10 * theta), 10 * (radius - 1), x[2]])


@system(1.0, 1.0, 1.0)
def bard(x):  # 8
    y = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
    r = []
    for i in range(1, 16):
        u, v = i, 16 - i
        w = min(u, v)
        r.append(y[i - 1] - (x[0] + u / (v * x[1] + w * x[2])))
    return np.array(r)


@system(0.4, 1.0, 0.0)
def gaussian(x):  # 9
    y = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989]
    y = np.array(y + y[-2::-1])
    t = (8 - np.arange(1, 16)) / 2
    return x[0] * np.exp(-x[1] * (t - x[2]) ** 2 / 2) - y


@system(0.02, 4000.0, 250.0)
def meyer(x):  # 10
    y = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
    r = np.empty(16)
    for i in range(16):
        r[i] = x[0] * math.exp(x[1] / (45 + 5 * (i + 1) + x[2])) - y[i]
    return r


@system(5.0, 2.5, 0.15)
def gulf_research(x):  # 11
    t = np.arange(1, 21) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return np.exp(-(np.abs(y - x[1]) ** x[2]) / x[0]) - t


@system(0.0, 10.0, 20.0)
def box_three_dimensional(x):  # 12
    t = 0.1 * np.arange(1, 11)
    return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


@system(3.0, -1.0, 0.0, 1.0)
def powell_singular(x):  # 13
    a, b, c, d = x
    return a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2


@system(-3.0, -1.0, -3.0, -1.0)
def wood(x):  # 14
    return np.hstack(
        [
            10 * (x[1::2] - x[::2] ** 2) * np.array([1.0, 9.0**0.5]),
            (1 - x[::2]),
            10**0.5 * (x[1] + x[3] - 2),
            (x[1] - x[3]) / 10**0.5,
        ]
    )


@system(0.25, 0.39, 0.415, 0.39)
def kowalik_osborne(x):  # 15
    y = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
    u = np.array([4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
    return y - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


@system(25.0, 5.0, -5.0, -1.0)
def brown_dennis(x):  # 16
    t = np.arange(1, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


@system(0.5, 1.5, -1.0, 0.01, 0.02)
def osborne_1(x):  # 17
    t = 10.0 * np.arange(33)
    basis = np.column_stack([np.ones_like(t), np.exp(-t * x[3]), np.exp(-t * x[4])])
    return basis @ x[:3] - 0.9 * np.exp(-t / 300)


@system(1.0, 2.0, 1.0, 1.0, 1.0, 1.0)
def biggs_exp6(x):  # 18
    t = np.arange(1, 14) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y


@system(1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5)
def osborne_2(x):  # 19
    t = np.arange(65) / 10
    r = np.cos(t / 3) - x[0] * np.exp(-t * x[4])
    for k in range(1, 4):
        r = r - x[k] * np.exp(-((t - x[7 + k]) ** 2) * x[4 + k])
    return r


@system(*np.zeros(9))
def watson(x):  # 20
    n = len(x)
    r = np.zeros(31)
    for i in range(29):
        t = (i + 1) / 29
        slope = sum(j * x[j] * t ** (j - 1) for j in range(1, n))
        level = sum(x[j] * t**j for j in range(n))
        r[i] = slope - level**2 - 1
    r[29], r[30] = x[0], x[1] - x[0] ** 2 - 1
    return r


@system(*np.tile([-1.2, 1.0], 10))
def extended_rosenbrock(x):  # 21
    r = np.zeros(len(x))
    r[::2] = 10 * (x[1::2] - x[::2] ** 2)
    r[1::2] = 1 - x[::2]
    return r


@system(*np.tile([3.0, -1.0, 0.0, 1.0], 5))
def extended_powell_singular(x):  # 22
    r = np.zeros_like(x)
    for k in range(0, len(x), 4):
        r[k] = x[k] + 10 * x[k + 1]
        r[k + 1] = 5**0.5 * (x[k + 2] - x[k + 3])
        r[k + 2] = (x[k + 1] - 2 * x[k + 2]) ** 2
        r[k + 3] = 10**0.5 * (x[k] - x[k + 3]) ** 2
    return r


@system(*np.arange(1.0, 11.0))
def penalty_1(x):  # 23
    return np.concatenate([1e-5**0.5 * (x - 1), [np.sum(x**2) - 0.25]])


@system(*np.full(8, 0.5))
def penalty_2(x):  # 24
    n, a = len(x), 1e-5**0.5
    i = np.arange(2, n + 1)
    y = np.exp(i / 10) + np.exp((i - 1) / 10)
    first = a * (np.exp(x[1:] / 10) + np.exp(x[:-1] / 10) - y)
    second = a * (np.exp(x[1:] / 10) - np.exp(-1 / 10))
    last = np.sum(np.arange(n, 0, -1) * x**2) - 1
    return np.r_[x[0] - 0.2, first, second, last]


@system(*(1 - np.arange(1, 11) / 10))
def variably_dimensioned(x):  # 25
    n = x.size
    total = np.arange(1, n + 1) @ (x - 1)
    return np.append(x - 1, [total, total**2])


@system(*np.full(10, 0.1))
def trigonometric(x):  # 26
    n = len(x)
    i = np.arange(1, n + 1)
    return n - np.sum(np.cos(x)) + i * (1 - np.cos(x)) - np.sin(x)


@system(*np.full(10, 0.5))
def brown_almost_linear(x):  # 27
    n = len(x)
    return np.array([x[i] + np.sum(x) - (n + 1) for i in range(n - 1)] + [np.prod(x) - 1])


@system(*(np.arange(1, 11) / 11 * (np.arange(1, 11) / 11 - 1)))
def discrete_boundary_value(x):  # 28
    n = len(x)
    h = 1 / (n + 1)
    t = h * np.arange(1, n + 1)
    padded = np.pad(x, 1)
    return 2 * x - padded[:-2] - padded[2:] + h**2 * (x + t + 1) ** 3 / 2


@system(*(np.arange(1, 11) / 11 * (np.arange(1, 11) / 11 - 1)))
def discrete_integral_equation(x):  # 29
    n = len(x)
    h = 1 / (n + 1)
    t = [h * (i + 1) for i in range(n)]
    r = np.zeros(n)
    for i in range(n):
        below = sum(t[j] * (x[j] + t[j] + 1) ** 3 for j in range(i + 1))
        above = sum((1 - t[j]) * (x[j] + t[j] + 1) ** 3 for j in range(i + 1, n))
        r[i] = x[i] + h * ((1 - t[i]) * below + t[i] * above) / 2
    return r


@system(*np.full(12, -1.0))
def broyden_tridiagonal(x):  # 30
    r = (3 - 2 * x) * x + 1
    r[1:] -= x[:-1]
    r[:-1] -= 2 * x[1:]
    return r


@system(*np.full(15, -1.0))
def broyden_banded(x):  # 31
    n = len(x)
    r = np.zeros(n)
    for i in range(n):
        near = [j for j in range(max(0, i - 5), min(n, i + 2)) if j != i]
        r[i] = x[i] * (2 + 5 * x[i] ** 2) + 1 - sum(x[j] * (1 + x[j]) for j in near)
    return r


@system(*np.ones(6))
def linear_full_rank(x):  # 32
    m, n = 9, len(x)
    r = np.full(m, -2 * np.sum(x) / m - 1)
    r[:n] += x
    return r


@system(*np.ones(6))
def linear_rank_1(x):  # 33
    return np.arange(1, 10) * np.dot(np.arange(1, 7), x) - 1


@system(*np.ones(6))
def linear_rank_1_with_zeros(x):  # 34
    m, n = 9, len(x)
    inner = sum((j + 1) * x[j] for j in range(1, n - 1))
    return np.array([-1.0 if i in (0, m - 1) else i * inner - 1 for i in range(m)])


@system(*(np.arange(1, 9) / 9))
def chebyquad(x):  # 35
    n = len(x)
    before, now, r = np.ones(n), 2 * x - 1, np.zeros(n)
    for i in range(n):
        r[i] = now.mean()
        if i % 2:
            r[i] += 1 / ((i + 1) ** 2 - 1)
        before, now = now, 2 * (2 * x - 1) * now - before
    return r
