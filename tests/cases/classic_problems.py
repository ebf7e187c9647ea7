"""Problems of the literature without constraints, beside those of Moré, Garbow and Hillstrom, in various styles.

References
----------
Bongartz, I., Conn, A. R., Gould, N. and Toint, Ph. L. (1995). CUTE: Constrained and unconstrained testing environment.
ACM Transactions on Mathematical Software 21(1), 123-160: the names in capitals, with its starts and values.
Dixon, L. C. W. and Szegö, G. P. (1978). Towards Global Optimisation 2: Branin, Goldstein-Price, camel.
Conn, A. R., Gould, N. and Toint, Ph. L. (1988). Mathematics of Computation 50, 399-430: the chained forms.
"""

from __future__ import annotations

import math

import numpy as np
from smooth_rows import smooth


@smooth([0.0, 0.0], 0.0)
def himmelblau(p):
    x, y = p
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@smooth(np.ones(10), (0.0, 2 / 3))
def dixon_price(x):
    i = np.arange(2, x.size + 1)
    return (x[0] - 1) ** 2 + np.sum(i * (2 * x[1:] ** 2 - x[:-1]) ** 2)


@smooth(np.tile([-1.2, 1.0], 5), (0.0, 3.9865791123471386))
def chained_rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


@smooth(np.tile([-3.0, -1.0, -3.0, -1.0], 3)[:8], 0.0)
def chained_wood(x):
    f = 0.0
    for i in range(0, len(x) - 2, 2):
        f += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 + 90 * (x[i + 3] - x[i + 2] ** 2) ** 2
        f += (1 - x[i + 2]) ** 2 + 10 * (x[i + 1] + x[i + 3] - 2) ** 2 + 0.1 * (x[i + 1] - x[i + 3]) ** 2
    return f


@smooth(np.r_[1.0, np.full(9, 2.0)], 1.88656589666311)
def cragg_levy(x):  # CRAGGLVY
    a, b, c, d = x[:-3:2], x[1:-2:2], x[2:-1:2], x[3::2]
    return np.sum((np.exp(a) - b) ** 4 + 100 * (b - c) ** 6 + (np.tan(c - d) + c - d) ** 4 + a**8 + (d - 1) ** 2)


@smooth(np.full(50, 2.0), 53.5822148852076)
def engval1(x):
    head, tail = x[:-1], x[1:]
    return ((head**2 + tail**2) ** 2 - 4 * head + 3).sum()


@smooth(np.full(15, 2.0), 1.0)
def dixmaan_a(x):
    n = len(x)
    m = n // 3
    return 1 + np.sum(x**2) + 0.125 * np.sum(x[: 2 * m] ** 2 * x[m:] ** 4) + 0.125 * np.sum(x[:m] * x[2 * m :])


@smooth(np.full(15, 2.0), 1.0)
def dixmaan_j(x):
    n = len(x)
    m = n // 3
    i = np.arange(1, n + 1) / n
    f = 1.0 + i**2 @ x**2
    f += 0.0625 * np.sum(x[:-1] ** 2 * (x[1:] + x[1:] ** 2) ** 2)
    f += 0.0625 * np.sum(x[: 2 * m] ** 2 * x[m:] ** 4)
    f += 0.0625 * np.sum(i[:m] ** 2 * x[:m] * x[2 * m :])
    return f


@smooth(np.ones(50), 0.0)
def arwhead(x):
    return sum((xi**2 + x[-1] ** 2) ** 2 - 4 * xi + 3 for xi in x[:-1])


@smooth(np.ones(100), 378.769191808684)
def bdqrtic(x):
    a, b, c, d = (x[k : k - 4] for k in range(4))
    return np.sum((-4 * a + 3) ** 2 + (a**2 + 2 * b**2 + 3 * c**2 + 4 * d**2 + 5 * x[-1] ** 2) ** 2)


@smooth(np.ones(30), 0.0)
def tridia(x):
    i = np.arange(2, x.size + 1)
    return (x[0] - 1) ** 2 + i @ np.square(2 * x[1:] - x[:-1])


@smooth(np.full(20, -1.0), 0.0)
def nondia(x):
    return np.square(x[0] - 1) + 100 * np.sum(np.square(x[0] - x[:-1] ** 2))


@smooth(np.tile([1.0, -1.0], 10), 0.0, kind="singular")
def nondquar(x):
    return (x[0] - x[1]) ** 2 + np.sum((x[:-2] + x[1:-1] + x[-1]) ** 4) + (x[-2] + x[-1]) ** 2


@smooth(np.full(36, 4.0), 0.0)
def liarwhd(x):
    return np.dot(x - 1, x - 1) + 4 * np.linalg.norm(x**2 - x[0]) ** 2


@smooth(np.full(36, 8.0), 219.284592020765)
def edensch(x):
    a, b = x[:-1], x[1:]
    return 16 + np.sum((a - 2) ** 4 + (a * b - 2 * b) ** 2 + (b + 1) ** 2)


@smooth(np.full(25, 2.0), 0.0, kind="singular")
def quartc(x):
    return np.sum((x - np.arange(1.0, len(x) + 1)) ** 4)


@smooth(np.arange(1, 11) / 11, 1.0)
def genrose(x):
    return 1 + (100 * (x[1:] - x[:-1] ** 2) ** 2 + (x[1:] - 1) ** 2).sum()


@smooth(np.ones(10), -9.0)
def cosine(x):
    return np.cos(-0.5 * x[1:] + x[:-1] ** 2).sum()


@smooth(np.zeros(10), 0.0)
def fletchcr(x):
    return 100 * np.sum((x[1:] - x[:-1] + 1 - x[:-1] ** 2) ** 2)


@smooth(np.full(10, 3.0), 0.0)
def dqdrtic(x):
    return np.sum(x[:-2] ** 2 + 100 * x[1:-1] ** 2 + 100 * x[2:] ** 2)


@smooth([0.0, -1.0], 0.199786613677700)
def cliff(x):
    return (0.01 * x[0] - 0.03) ** 2 - x[0] + x[1] + math.exp(20 * (x[0] - x[1]))


@smooth([-1.2, 1.0], 0.0)
def cube(x):
    return (x[0] - 1) ** 2 + 100 * (x[1] - x[0] ** 3) ** 2


@smooth([1.0, 1.0], 0.0)
def denschna(x):
    return x[0] ** 4 + (x[0] + x[1]) ** 2 + (np.exp(x[1]) - 1) ** 2


@smooth([1.0, 1.0], 0.0)
def denschnb(x):
    return (x[0] - 2) ** 2 + ((x[0] - 2) * x[1]) ** 2 + (x[1] + 1) ** 2


@smooth([2.0, 3.0], (0.0, 0.18336165467847))
def denschnc(x):
    a, b = x
    return (-2 + a**2 + b**2) ** 2 + (-2 + np.exp(a - 1) + b**3) ** 2


@smooth([10.0, 10.0, 10.0], 0.0, kind="singular")
def denschnd(x):
    a, b, c = x
    return (a**2 + b**3 - c**4) ** 2 + (2 * a * b * c) ** 2 + (2 * a * b - 3 * b * c + a * c) ** 2


@smooth([2.0, 3.0, -8.0], (0.0, 1.0))
def denschne(x):
    return x[0] ** 2 + (x[1] + x[1] ** 2) ** 2 + (-1 + np.exp(x[2])) ** 2


@smooth([2.0, 0.0], 0.0)
def denschnf(x):
    plus, minus = x[0] + x[1], x[0] - x[1]
    return (2 * plus**2 + minus**2 - 8) ** 2 + (5 * x[0] ** 2 + (x[1] - 3) ** 2 - 9) ** 2


@smooth([-5.0, -7.0], 20.0)
def hairy(x):
    hlength, cslope, smoothing, dens = 30.0, 100.0, 0.01, 7.0
    s = np.sin(dens * x[0]) ** 2 * np.cos(dens * x[1]) ** 2
    cup = np.sqrt(smoothing + (x[0] - x[1]) ** 2) + np.sqrt(smoothing + x[0] ** 2)
    return hlength * s + cslope * cup


@smooth(np.array([-4.0, -2, -4 / 3, -1, -0.8, -2 / 3, -4 / 7, -0.5, -4 / 9, -0.4]), 0.0)
def hilbert_a(x):  # HILBERTA; its condition number is 1.6e13
    n = len(x)
    H = 1.0 / (np.arange(n)[:, None] + np.arange(n) + 1)
    return x @ H @ x / 2


@smooth(np.full(10, -3.0), 0.0)
def hilbert_b(x):
    i = np.arange(x.size)
    H = 1 / np.add.outer(i, i + 1) + 5 * np.eye(x.size)
    return 0.5 * x.dot(H.dot(x))


@smooth([1.0, 0.1], 0.0, kind="singular")
def sisser(x):
    return 3 * x[0] ** 4 - 2 * (x[0] * x[1]) ** 2 + 3 * x[1] ** 4


@smooth([3.0, 8.0], -18.2)
def zangwil2(x):
    return (-56 * x[0] - 256 * x[1] + 991 + 16 * x[0] ** 2 + 16 * x[1] ** 2 - 8 * x[0] * x[1]) / 15


@smooth([2.0, 2.0], 0.16904267919645)
def brkmcc(x):
    off = x[0] - 2 * x[1] + 1
    return (x[0] - 2) ** 2 + (x[1] - 1) ** 2 + off**2 / 0.2 + 0.04 / (-0.25 * x[0] ** 2 - x[1] ** 2 + 1)


@smooth(np.zeros(4), 5.74438491032034)
def allinitu(x):
    a, b, c, d = x
    s, t = np.sin(c) ** 2, np.sin(d) ** 2
    return (
        c - 1 + a**2 + b**2 + (c + d) ** 2 + s + a**2 * b**2 + d - 3 + s + (d - 1) ** 2 + b**4
        + (c**2 + (d + a) ** 2) ** 2 + (a - 4 + t + b**2 * c**2) ** 2 + t**2
    )  # fmt: skip


@smooth([0.5, 0.5], 0.0)
def himmelbg(x):
    return np.exp(-x[0] - x[1]) * (2 * x[0] ** 2 + 3 * x[1] ** 2)


@smooth([0.0, 2.0], -1.0)
def himmelbh(x):
    return -3 * x[0] - 2 * x[1] + 2 + x[0] ** 3 + x[1] ** 2


@smooth([3.0, 0.1], 0.773199056492924)
def s308(x):
    return (x[0] ** 2 + x[0] * x[1] + x[1] ** 2) ** 2 + np.sin(x[0]) ** 2 + np.cos(x[1]) ** 2


@smooth([4.712389, -1.0], 0.0)
def sineval(x):
    return 1e4 * (x[1] - np.sin(x[0])) ** 2 + 0.25 * x[0] ** 2


@smooth([1.0, 1.0, 1.0], 2.5872773953)
def hobbs_weeds(b):
    """Nash, J. C. (1979). Compact Numerical Methods for Computers: scaled, 100 b1 / (1 + 10 b2 exp(-0.1 b3 t))."""
    y = [5.308, 7.24, 9.638, 12.866, 17.069, 23.192, 31.443, 38.558, 50.156, 62.948, 75.995, 91.972]
    t = np.arange(1, 13)
    return np.sum((100 * b[0] / (1 + 10 * b[1] * np.exp(-0.1 * b[2] * t)) - np.array(y)) ** 2)


@smooth([2.0, 3.0], 0.39788735772973816)
def branin(x):
    a = x[1] - 5.1 * x[0] ** 2 / (4 * np.pi**2) + 5 * x[0] / np.pi - 6
    return a**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x[0]) + 10


@smooth([0.5, 0.5], (-1.0316284534898774, -0.21546382438372, 2.104250310311))
def camel_six(x):
    a, b = x[0], x[1]
    return (4 - 2.1 * a**2 + a**4 / 3) * a**2 + a * b + (-4 + 4 * b**2) * b**2


@smooth([1.0, 1.5], (0.0, 0.29863844223686))
def camel_three(x):
    return 2 * x[0] ** 2 - 1.05 * x[0] ** 4 + x[0] ** 6 / 6 + x[0] * x[1] + x[1] ** 2


@smooth([-0.5, -0.5], (3.0, 30.0, 84.0, 840.0))
def goldstein_price(x):
    a, b = x
    u = 1 + (a + b + 1) ** 2 * (19 - 14 * a + 3 * a**2 - 14 * b + 6 * a * b + 3 * b**2)
    v = 30 + (2 * a - 3 * b) ** 2 * (18 - 32 * a + 12 * a**2 + 48 * b - 36 * a * b + 27 * b**2)
    return u * v


@smooth([0.0, 0.0], 0.0)
def booth(x):
    return (x[0] + 2 * x[1] - 7) ** 2 + (2 * x[0] + x[1] - 5) ** 2


@smooth([5.0, -3.0], 0.0)
def matyas(x):
    return 0.26 * (x @ x) - 0.48 * np.prod(x)


@smooth(np.linspace(-1.0, 2.0, 10), 0.0)
def zakharov(x):
    s = 0.5 * np.arange(1, len(x) + 1) @ x
    return x @ x + s**2 + s**4


@smooth(np.zeros(4) + 0.5, (-156.6646628150857, -100.11778662113578))
def styblinski_tang(x):
    return np.sum(np.polyval([0.5, 0.0, -8.0, 2.5, 0.0], x))


@smooth(np.zeros(10), -210.0)
def trid(x):
    return ((x - 1) ** 2).sum() - (x[1:] * x[:-1]).sum()


@smooth(np.array([0.4, -0.3, 0.2, 0.5, -0.1]), -1.0)
def exponential(x):
    return -math.exp(-0.5 * np.sum(x**2))


@smooth([0.3, -0.2], (0.0, 0.46988241492113))
def bohachevsky(x):
    return x[0] ** 2 + 2 * x[1] ** 2 - 0.3 * np.cos(3 * np.pi * x[0]) - 0.4 * np.cos(4 * np.pi * x[1]) + 0.7


@smooth(np.array([1.0, -1.5, 0.7]), 0.0)
def griewank(x):
    return 1 + np.sum(x**2) / 4000 - np.prod(np.cos(x / np.sqrt(np.arange(1, len(x) + 1))))


# No minimum -----------------------------------------------------------------------------------------------------------


@smooth([0.0, 0.0], (), kind="infinity")
def separated_classes(b):
    """Albert, A. and Anderson, J. A. (1984). Biometrika 71(1), 1-10: completely separated, no estimate is finite."""
    x, y = np.array([-2.0, -1.5, -1.0, 1.0, 1.5, 2.5]), np.array([-1.0, -1, -1, 1, 1, 1])
    return np.sum(np.log1p(np.exp(-y * (b[0] + b[1] * x))))


@smooth([0.5, 0.0], (), kind="infinity")
def poisson_without_counts(b):
    return np.sum(np.exp(b[0] + b[1] * np.array([-1.0, 0.0, 1.0])))


@smooth([1.0, 1.0], (), kind="infinity")
def falls_for_ever(x):
    return x[0] ** 2 - 3 * x[1]


@smooth([1.0, 2.0], (), kind="infinity")
def towards_an_asymptote(x):
    return 1 / (1 + x[0] ** 2) + (x[1] - 1) ** 2
