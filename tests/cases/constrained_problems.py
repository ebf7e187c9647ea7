"""Problems of Hock and Schittkowski, written from their formulas in plain NumPy, with the values at their solutions.

Hock, W. and Schittkowski, K. (1981). Test Examples for Nonlinear Programming Codes. Numbers are theirs; starts that lie
outside the bounds are moved onto them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Constrained:
    """Minimise f from x0 where equal(x) = 0, inside(x) >= 0 and the bounds hold; `lowest` is the value there.

    `other` are values at other local minima.
    """

    f: Callable
    x0: tuple
    lowest: float
    equal: Callable | None = None
    inside: Callable | None = None
    bounds: tuple | None = None
    other: tuple = ()


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def rosen_suzuki(x):
    squares = np.array([1.0, 1.0, 2.0, 1.0]) @ x**2
    return squares - 5 * x[0] - 5 * x[1] - 21 * x[2] + 7 * x[3]


def inside_rosen_suzuki(x):
    a, b, c, d = x
    return [
        8 - a**2 - b**2 - c**2 - d**2 - a + b - c + d,
        10 - a**2 - 2 * b**2 - c**2 - 2 * d**2 + a + d,
        5 - 2 * a**2 - b**2 - c**2 - 2 * a + b + d,
    ]


def equal_78(x):
    return np.array([np.sum(x**2) - 10, x[1] * x[2] - 5 * x[3] * x[4], x[0] ** 3 + x[1] ** 3 + 1])


def hs100(x):
    a, b, c, d, e, f, g = x
    return (
        (a - 10) ** 2 + 5 * (b - 12) ** 2 + c**4 + 3 * (d - 11) ** 2 + 10 * e**6 + 7 * f**2 + g**4
        - 4 * f * g - 10 * f - 8 * g
    )  # fmt: skip


def inside_100(x):
    a, b, c, d, e, f, g = x
    return [
        127 - 2 * a**2 - 3 * b**4 - c - 4 * d**2 - 5 * e,
        282 - 7 * a - 3 * b - 10 * c**2 - d + e,
        196 - 23 * a - b**2 - 6 * f**2 + 8 * g,
        -4 * a**2 - b**2 + 3 * a * b - 2 * c**2 - 5 * f + 11 * g,
    ]


def hs113(x):
    shift = np.array([10.0, 5, 3, 1, 0, 11, 10, 7])
    weight = np.array([1.0, 4, 1, 2, 5, 7, 2, 1])
    ahead = x[0] ** 2 + x[1] ** 2 + x[0] * x[1] - 14 * x[0] - 16 * x[1]
    return ahead + weight @ (x[2:] - shift) ** 2 + 45


def inside_113(x):
    return np.array(
        [
            105 - 4 * x[0] - 5 * x[1] + 3 * x[6] - 9 * x[7],
            -10 * x[0] + 8 * x[1] + 17 * x[6] - 2 * x[7],
            8 * x[0] - 2 * x[1] - 5 * x[8] + 2 * x[9] + 12,
            -3 * (x[0] - 2) ** 2 - 4 * (x[1] - 3) ** 2 - 2 * x[2] ** 2 + 7 * x[3] + 120,
            -5 * x[0] ** 2 - 8 * x[1] - (x[2] - 6) ** 2 + 2 * x[3] + 40,
            -0.5 * (x[0] - 8) ** 2 - 2 * (x[1] - 4) ** 2 - 3 * x[4] ** 2 + x[5] + 30,
            -(x[0] ** 2) - 2 * (x[1] - 2) ** 2 + 2 * x[0] * x[1] - 14 * x[4] + 6 * x[5],
            3 * x[0] - 6 * x[1] - 12 * (x[8] - 8) ** 2 + 7 * x[9],
        ]
    )


ROOT = np.sqrt(2.0)
POSITIVE = (0.0, None)
NARROW = ((-2.3, 2.3),) * 2 + ((-3.2, 3.2),) * 3

PROBLEMS = {
    6: Constrained(lambda x: (1 - x[0]) ** 2, (-1.2, 1.0), 0.0, equal=lambda x: 10 * (x[1] - x[0] ** 2)),
    7: Constrained(
        lambda x: np.log(1 + x[0] ** 2) - x[1], (2.0, 2.0), -np.sqrt(3.0),
        equal=lambda x: (1 + x[0] ** 2) ** 2 + x[1] ** 2 - 4,
    ),
    9: Constrained(
        lambda x: np.sin(np.pi * x[0] / 12) * np.cos(np.pi * x[1] / 16), (0.0, 0.0), -0.5,
        equal=lambda x: 4 * x[0] - 3 * x[1],
    ),
    10: Constrained(
        lambda x: x[0] - x[1], (-10.0, 10.0), -1.0,
        inside=lambda x: -3 * x[0] ** 2 + 2 * x[0] * x[1] - x[1] ** 2 + 1,
    ),
    11: Constrained(
        lambda x: (x[0] - 5) ** 2 + x[1] ** 2 - 25, (4.9, 0.1), -8.498464223, inside=lambda x: -(x[0] ** 2) + x[1]
    ),
    12: Constrained(
        lambda x: 0.5 * x[0] ** 2 + x[1] ** 2 - x[0] * x[1] - 7 * x[0] - 7 * x[1], (0.0, 0.0), -30.0,
        inside=lambda x: 25 - 4 * x[0] ** 2 - x[1] ** 2,
    ),
    14: Constrained(
        lambda x: (x[0] - 2) ** 2 + (x[1] - 1) ** 2, (2.0, 2.0), 9 - 2.875 * np.sqrt(7.0),
        equal=lambda x: x[0] - 2 * x[1] + 1, inside=lambda x: -0.25 * x[0] ** 2 - x[1] ** 2 + 1,
    ),
    15: Constrained(
        rosenbrock, (-2.0, 1.0), 306.5, inside=lambda x: [x[0] * x[1] - 1, x[0] + x[1] ** 2],
        bounds=((None, 0.5), (None, None)), other=(360.379767,),
    ),
    18: Constrained(
        lambda x: 0.01 * x[0] ** 2 + x[1] ** 2, (2.0, 2.0), 5.0,
        inside=lambda x: [x[0] * x[1] - 25, x[0] ** 2 + x[1] ** 2 - 25], bounds=((2, 50), (0, 50)),
    ),
    19: Constrained(
        lambda x: (x[0] - 10) ** 3 + (x[1] - 20) ** 3, (20.1, 5.84), -6961.81381,
        inside=lambda x: [(x[0] - 5) ** 2 + (x[1] - 5) ** 2 - 100, -((x[1] - 5) ** 2) - (x[0] - 6) ** 2 + 82.81],
        bounds=((13, 100), (0, 100)),
    ),
    22: Constrained(
        lambda x: (x[0] - 2) ** 2 + (x[1] - 1) ** 2, (2.0, 2.0), 1.0,
        inside=lambda x: [-x[0] - x[1] + 2, -(x[0] ** 2) + x[1]],
    ),
    23: Constrained(
        lambda x: x @ x, (3.0, 1.0), 2.0,
        inside=lambda x: [
            x[0] + x[1] - 1, x @ x - 1, 9 * x[0] ** 2 + x[1] ** 2 - 9, x[0] ** 2 - x[1], x[1] ** 2 - x[0]
        ],
        bounds=((-50, 50),) * 2,
    ),
    24: Constrained(
        lambda x: ((x[0] - 3) ** 2 - 9) * x[1] ** 3 / (27 * np.sqrt(3.0)), (1.0, 0.5), -1.0,
        inside=lambda x: np.array([[1 / 3**0.5, -1], [1, 3**0.5], [-1, -(3**0.5)]]) @ x + np.array([0, 0, 6.0]),
        bounds=(POSITIVE,) * 2,
    ),
    26: Constrained(
        lambda x: (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 4, (-2.6, 2.0, 2.0), 0.0,
        equal=lambda x: (1 + x[1] ** 2) * x[0] + x[2] ** 4 - 3,
    ),
    27: Constrained(
        lambda x: 0.01 * (x[0] - 1) ** 2 + (x[1] - x[0] ** 2) ** 2, (2.0, 2.0, 2.0), 0.04,
        equal=lambda x: x[0] + x[2] ** 2 + 1,
    ),
    28: Constrained(
        lambda x: (x[0] + x[1]) ** 2 + (x[1] + x[2]) ** 2, (-4.0, 1.0, 1.0), 0.0,
        equal=lambda x: x[0] + 2 * x[1] + 3 * x[2] - 1,
    ),
    29: Constrained(
        lambda x: -np.prod(x), (1.0, 1.0, 1.0), -16 * ROOT, inside=lambda x: 48 - np.array([1.0, 2.0, 4.0]) @ x**2
    ),
    30: Constrained(
        lambda x: x @ x, (1.0, 1.0, 1.0), 1.0, inside=lambda x: x[0] ** 2 + x[1] ** 2 - 1,
        bounds=((1, 10), (-10, 10), (-10, 10)),
    ),
    32: Constrained(
        lambda x: (x[0] + 3 * x[1] + x[2]) ** 2 + 4 * (x[0] - x[1]) ** 2, (0.1, 0.7, 0.2), 1.0,
        equal=lambda x: 1 - np.sum(x), inside=lambda x: 6 * x[1] + 4 * x[2] - x[0] ** 3 - 3, bounds=(POSITIVE,) * 3,
    ),
    35: Constrained(
        lambda x: (
            9 - 8 * x[0] - 6 * x[1] - 4 * x[2] + 2 * x[0] ** 2 + 2 * x[1] ** 2 + x[2] ** 2
            + 2 * x[0] * x[1] + 2 * x[0] * x[2]
        ),
        (0.5, 0.5, 0.5), 1 / 9, inside=lambda x: 3 - x[0] - x[1] - 2 * x[2], bounds=(POSITIVE,) * 3,
    ),
    36: Constrained(
        lambda x: -np.prod(x), (10.0, 10.0, 10.0), -3300.0, inside=lambda x: 72 - x[0] - 2 * x[1] - 2 * x[2],
        bounds=((0, 20), (0, 11), (0, 42)),
    ),
    37: Constrained(
        lambda x: -np.prod(x), (10.0, 10.0, 10.0), -3456.0,
        inside=lambda x: [72 - x[0] - 2 * x[1] - 2 * x[2], x[0] + 2 * x[1] + 2 * x[2]], bounds=((0, 42),) * 3,
    ),
    39: Constrained(
        lambda x: -x[0], (2.0, 2.0, 2.0, 2.0), -1.0,
        equal=lambda x: [x[1] - x[0] ** 3 - x[2] ** 2, x[0] ** 2 - x[1] - x[3] ** 2],
    ),
    40: Constrained(
        lambda x: -np.prod(x), (0.8, 0.8, 0.8, 0.8), -0.25,
        equal=lambda x: [x[0] ** 3 + x[1] ** 2 - 1, x[0] ** 2 * x[3] - x[2], x[3] ** 2 - x[1]],
    ),
    42: Constrained(
        lambda x: np.sum((x - np.arange(1.0, 5.0)) ** 2), (1.0, 1.0, 1.0, 1.0), 28 - 10 * ROOT,
        equal=lambda x: [x[0] - 2, x[2] ** 2 + x[3] ** 2 - 2],
    ),
    43: Constrained(rosen_suzuki, (0.0, 0.0, 0.0, 0.0), -44.0, inside=inside_rosen_suzuki),
    48: Constrained(
        lambda x: (x[0] - 1) ** 2 + (x[1] - x[2]) ** 2 + (x[3] - x[4]) ** 2, (3.0, 5.0, -3.0, 2.0, -2.0), 0.0,
        equal=lambda x: [np.sum(x) - 5, x[2] - 2 * (x[3] + x[4]) + 3],
    ),
    51: Constrained(
        lambda x: (x[0] - x[1]) ** 2 + (x[1] + x[2] - 2) ** 2 + (x[3] - 1) ** 2 + (x[4] - 1) ** 2,
        (2.5, 0.5, 2.0, -1.0, 0.5), 0.0,
        equal=lambda x: [x[0] + 3 * x[1] - 4, x[2] + x[3] - 2 * x[4], x[1] - x[4]],
    ),
    60: Constrained(
        lambda x: (x[0] - 1) ** 2 + (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 4, (2.0, 2.0, 2.0), 0.03256820025,
        equal=lambda x: x[0] * (1 + x[1] ** 2) + x[2] ** 4 - 4 - 3 * ROOT, bounds=((-10, 10),) * 3,
    ),
    63: Constrained(
        lambda x: 1000 - x[0] ** 2 - 2 * x[1] ** 2 - x[2] ** 2 - x[0] * x[1] - x[0] * x[2], (2.0, 2.0, 2.0),
        961.7151721, equal=lambda x: [np.dot([8.0, 14.0, 7.0], x) - 56, x @ x - 25], bounds=(POSITIVE,) * 3,
    ),
    64: Constrained(
        lambda x: np.array([5.0, 20, 10]) @ x + np.sum(np.array([50000.0, 72000, 144000]) / x), (1.0, 1.0, 1.0),
        6299.842428, inside=lambda x: 1 - np.sum(np.array([4.0, 32, 120]) / x), bounds=((1e-5, None),) * 3,
    ),
    65: Constrained(
        lambda x: (x[0] - x[1]) ** 2 + (x[0] + x[1] - 10) ** 2 / 9 + (x[2] - 5) ** 2, (-4.5, 4.5, 0.0), 0.9535288567,
        inside=lambda x: 48 - x @ x, bounds=((-4.5, 4.5), (-4.5, 4.5), (-5, 5)),
    ),
    66: Constrained(
        lambda x: 0.2 * x[2] - 0.8 * x[0], (0.0, 1.05, 2.9), 0.5181632741, inside=lambda x: x[1:] - np.exp(x[:-1]),
        bounds=((0, 100), (0, 100), (0, 10)),
    ),
    71: Constrained(
        lambda x: x[0] * x[3] * np.sum(x[:3]) + x[2], (1.0, 5.0, 5.0, 1.0), 17.0140173, equal=lambda x: x @ x - 40,
        inside=lambda x: np.prod(x) - 25, bounds=((1, 5),) * 4,
    ),
    76: Constrained(
        lambda x: (
            np.array([1, 0.5, 1, 0.5]) @ x**2 - x[0] * x[2] + x[2] * x[3] - x[0] - 3 * x[1] + x[2] - x[3]
        ),
        (0.5, 0.5, 0.5, 0.5), -4.681818181,
        inside=lambda x: np.array([[-1.0, -2, -1, -1], [-3, -1, -2, 1], [0, 1, 4, 0]]) @ x + np.array([5, 4, -1.5]),
        bounds=(POSITIVE,) * 4,
    ),
    77: Constrained(
        lambda x: (x[0] - 1) ** 2 + (x[0] - x[1]) ** 2 + (x[2] - 1) ** 2 + (x[3] - 1) ** 4 + (x[4] - 1) ** 6,
        (2.0,) * 5, 0.24150513,
        equal=lambda x: [x[0] ** 2 * x[3] + np.sin(x[3] - x[4]) - 2 * ROOT, x[1] + x[2] ** 4 * x[3] ** 2 - 8 - ROOT],
    ),
    78: Constrained(lambda x: np.prod(x), (-2.0, 1.5, 2.0, -1.0, -1.0), -2.91970041, equal=equal_78),
    79: Constrained(
        lambda x: (
            (x[0] - 1) ** 2 + (x[0] - x[1]) ** 2 + (x[1] - x[2]) ** 2 + (x[2] - x[3]) ** 4 + (x[3] - x[4]) ** 4
        ),
        (2.0,) * 5, 0.0787768209,
        equal=lambda x: [
            x[0] + x[1] ** 2 + x[2] ** 3 - 2 - 3 * ROOT, x[1] - x[2] ** 2 + x[3] + 2 - 2 * ROOT, x[0] * x[4] - 2
        ],
    ),
    80: Constrained(
        lambda x: np.exp(np.prod(x)), (-2.0, 2.0, 2.0, -1.0, -1.0), 0.0539498478, equal=equal_78, bounds=NARROW
    ),
    100: Constrained(hs100, (1.0, 2.0, 0.0, 4.0, 0.0, 1.0, 1.0), 680.6300573, inside=inside_100),
    113: Constrained(hs113, (2.0, 3, 5, 5, 1, 2, 7, 3, 6, 10), 24.3062091, inside=inside_113),
}  # fmt: skip
