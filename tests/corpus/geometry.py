"""Helper functions of another module, as users keep them. No objectives of its own."""

import numpy as np

SQUARE = np.array([[0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
WEIGHT = 0.3


def rotation_matrix(angle):
    c, s = np.cos(angle), np.sin(angle)
    R = np.zeros((2, 2))
    R[0] = c, -s
    R[1] = s, c
    return R


def cross2(a, b):
    return a[0] * b[1] - a[1] * b[0]


def polygon_moment(points):
    m = 0.0
    n = points.shape[1]
    for k in range(n):
        p, q = points[:, k], points[:, (k + 1) % n]
        m += cross2(p, q) * (p @ p + p @ q + q @ q)
    return m / 12


def penalty(p):
    return WEIGHT * float(np.sum(np.asarray(p) ** 2))
