"""Problems with bounds alone, in various styles.

References
----------
Hock, W. and Schittkowski, K. (1981). Test Examples for Nonlinear Programming Codes: those called hs. Starts that lie
outside the bounds are moved onto them.
Bongartz, I., Conn, A. R., Gould, N. and Toint, Ph. L. (1995). CUTE. ACM TOMS 21(1), 123-160: hatfld, pspdoc, allinit.
Numerical Algorithms Group, Library Manual, e04lb: Powell's singular function in a box.
"""

from __future__ import annotations

import numpy as np
from smooth_rows import enter, smooth


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


enter("hs1", rosenbrock, [-2.0, 1.0], 0.0, bounds=((None, None), (-1.5, None)))
enter("hs2", rosenbrock, [-2.0, 1.5], (0.0504261879, 4.941229318), bounds=((None, None), (1.5, None)))


@smooth([10.0, 1.0], 0.0, bounds=((None, None), (0.0, None)))
def hs3(x):
    return x[1] + 1e-5 * (x[1] - x[0]) ** 2


@smooth([1.125, 0.125], 8 / 3, bounds=((1.0, None), (0.0, None)))
def hs4(x):
    return (x[0] + 1) ** 3 / 3 + x[1]


@smooth([0.0, 0.0], -np.sqrt(3) / 2 - np.pi / 3, bounds=((-1.5, 4.0), (-3.0, 3.0)))
def hs5(x):
    return np.sin(x[0] + x[1]) + (x[0] - x[1]) ** 2 - 1.5 * x[0] + 2.5 * x[1] + 1


@smooth([100.0, 12.5, 3.0], 0.0, bounds=((0.1, 100.0), (0.0, 25.6), (0.0, 5.0)))
def hs25(x):
    i = np.arange(1, 100)
    u = 25 + (-50 * np.log(0.01 * i)) ** (2 / 3)
    return np.sum((-0.01 * i + np.exp(-((u - x[1]) ** x[2]) / x[0])) ** 2)


@smooth([-3.0, -1.0, -3.0, -1.0], 0.0, bounds=((-10.0, 10.0),) * 4)
def hs38(x):
    a, b, c, d = x
    valleys = 100 * (b - a**2) ** 2 + (1 - a) ** 2 + 90 * (d - c**2) ** 2 + (1 - c) ** 2
    return valleys + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)


@smooth([1.0, 2.0, 2.0, 2.0, 2.0], 1.0, bounds=tuple((0.0, k) for k in range(1, 6)))
def hs45(x):
    return 2 - np.prod(x) / 120


@smooth(np.full(10, 9.0), -45.77846971, bounds=((2.001, 9.999),) * 10)
def hs110(x):
    return np.sum(np.log(x - 2) ** 2 + np.log(10 - x) ** 2) - np.prod(x) ** 0.2


def hatfld(x):
    return (x[0] - 1) ** 2 + np.sum((x[:-1] - np.sqrt(x[1:])) ** 2)


enter("hatflda", hatfld, np.full(4, 0.1), 0.0, bounds=((1e-7, None),) * 4)
enter(
    "hatfldb", hatfld, np.full(4, 0.1), 0.00557280900008,
    bounds=((1e-7, None), (1e-7, 0.8), (1e-7, None), (1e-7, None)),
)  # fmt: skip


@smooth(np.full(25, 0.9), 0.0, bounds=((0.0, 10.0),) * 24 + ((None, None),))
def hatfldc(x):
    return (x[0] - 1) ** 2 + np.sum((x[1:-1] - x[:-2] ** 2) ** 2) + (x[-1] - 1) ** 2


@smooth([-1.0, 3.0, 3.0, 3.0], 1 + np.sqrt(2), bounds=((None, -1.0), *((None, None),) * 3))
def pspdoc(x):
    first = np.sqrt(1 + x[0] ** 2 + (x[1] - x[2]) ** 2)
    return first + np.sqrt(1 + x[1] ** 2 + (x[2] - x[3]) ** 2)


@smooth([0.0, 1.0, 1.0, 2.0], 16.705968432879903, bounds=((None, None), (1.0, None), (-1e10, 1.0), (2.0, 2.0)))
def allinit(x):
    a, b, c, d = x
    s, t = np.sin(c) ** 2, np.sin(d) ** 2
    return (
        c - 1 + a**2 + b**2 + (c + d) ** 2 + s + a**2 * b**2 + d - 3 + s + (d - 1) ** 2 + b**4
        + (c**2 + (d + a) ** 2) ** 2 + (a - 4 + t + b**2 * c**2) ** 2 + t**2
    )  # fmt: skip


@smooth([3.0, -1.0, 0.0, 1.0], 2.43378751212073, bounds=((1.0, 3.0), (-2.0, 0.0), (None, None), (1.0, 3.0)))
def powell_in_a_box(x):
    a, b, c, d = x
    return (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4


@smooth(np.zeros(10), (-15.282241209954325, -15.27265862813855), bounds=((-1.5, 4.0),) + ((-3.0, 3.0),) * 9)
def mccormck(x):
    a, b = x[:-1], x[1:]
    return np.sum(-1.5 * a + 2.5 * b + 1 + (a - b) ** 2 + np.sin(a + b))


@smooth(np.full(3, 0.5), (-3.86278214782076, -3.08976), bounds=((0.0, 1.0),) * 3)
def hartmann_3(x):
    """Dixon and Szegö (1978)."""
    A = np.array([[3.0, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
    P = np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381.5, 5743, 8828]]) * 1e-4
    return -np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-np.sum(A * (x - P) ** 2, axis=1))


@smooth(np.full(6, 0.5), (-3.32236801141551, -3.20316191929), bounds=((0.0, 1.0),) * 6)
def hartmann_6(x):
    A = np.array([
        [10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]
    ])  # fmt: skip
    P = 1e-4 * np.array([
        [1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381],
    ])  # fmt: skip
    weights = [1.0, 1.2, 3.0, 3.2]
    return -sum(w * np.exp(-np.dot(a, (x - p) ** 2)) for w, a, p in zip(weights, A, P, strict=True))


@smooth(np.zeros(25), -0.27615467735777, bounds=tuple((0.0, 0.1 + 0.01 * (k % 5)) for k in range(25)))
def torsion(x):
    """Elastic and plastic twist of a bar on a grid of 5 x 5, a quadratic in a box.

    Moré, J. J. and Toraldo, G. (1989). Numerische Mathematik 55, 377-400.
    """
    u = np.pad(x.reshape(5, 5), 1)
    h = 1 / 6
    stretch = np.sum(np.diff(u, axis=0) ** 2) + np.sum(np.diff(u, axis=1) ** 2)
    return stretch / 2 - 5 * h**2 * np.sum(u)


enter("rosenbrock at a corner", rosenbrock, [-1.2, 0.5], 0.25, bounds=((-2.0, 0.5), (-2.0, 2.0)))
