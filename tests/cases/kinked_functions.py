"""Smooth functions as users write them, with kinks, each beside what it is, in mpmath."""

from collections.abc import Callable

import numpy as np
from mpmath import mp, mpf

RANDOM = np.random.default_rng(11)
X = RANDOM.normal(size=(7, 3)).round(2)
X[2] = 0.0
X[4, 1:] = 0.0
Y = (X[:, 0] > 0) * 1.0
ROWS = RANDOM.normal(size=(25, 3)).round(2)
ROWS[3] = 0.0
BEND = mpf("0.9")

CASES: dict[str, tuple[Callable, Callable]] = {}
"""By name: the function, and the same one in mpmath."""


def case(smooth: Callable) -> Callable:
    """Enter a function beside what it is."""

    def enter(written: Callable) -> Callable:
        CASES[written.__name__] = written, smooth
        return written

    return enter


def each(g):
    return lambda x: sum(g(v) for v in x)


def rows(w, table=X):
    return [sum(mpf(float(a)) * v for a, v in zip(row, w, strict=True)) for row in table]


def softplus(z):
    return mp.log(1 + mp.exp(z))


def sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def log_sum(v):
    return mp.log(sum(mp.exp(u) for u in v))


def entropy(w):
    return sum(softplus(z) - z * mpf(float(y)) for z, y in zip(rows(w), Y, strict=True))


def pairs(k):
    return lambda x: sum(k(abs(a - b)) for a in x for b in x)


def squares(x):
    return sum(v**2 for v in x)


def huber(v):
    return v**2 / 2 if abs(v) <= BEND else BEND * (abs(v) - BEND / 2)


def biweight_loss(v):
    return (1 - (1 - v**2) ** 3) / 6 if abs(v) <= 1 else mpf(1) / 6


def matern(order):
    def kernel(d):
        s = mp.sqrt(2 * mpf(order)) * d
        return (1 + s) * mp.exp(-s) if order == 1.5 else (1 + s + s**2 / 3) * mp.exp(-s)

    return kernel


def gaussian_process(x):
    n = len(x)
    y = mp.matrix([mpf(1), mpf("-0.5"), mpf("0.25")])
    K = mp.matrix(n, n)
    for i in range(n):
        for j in range(n):
            K[i, j] = matern(2.5)(abs(x[i] - x[j])) + (mpf("0.5") if i == j else 0)
    return (y.T * mp.lu_solve(K, y))[0] / 2 + mp.log(mp.det(K)) / 2


def glued(v):
    u = v - mpf(0.3)
    return 1 + u + u**2 + (u**3 if u > 0 else -2 * u**3)


def spline(v):
    return sum(c * max(v - mpf(k), 0) ** 3 for c, k in ((1.0, 0.0), (-2.0, 0.3), (0.7, 0.6)))


def smoother(v):
    t = min(max(v, 0), 1)
    return t**3 * (t * (6 * t - 15) + 10)


def recurrence(w):
    s, t = mpf(0), mpf(0)
    for z in rows(w, ROWS):
        s = mpf(0.5) * s + z
        t += softplus(s)
    return t


def variance(x):
    m = sum(x) / 3
    return sum((v - m) ** 2 for v in x) / 3


@case(entropy)
def loss_relu(w):
    z = X @ w
    return np.sum(np.maximum(z, 0) - z * Y + np.log1p(np.exp(-np.abs(z))))


@case(entropy)
def loss_separate_sums(w):
    z = X @ w
    return np.maximum(0, z).sum() - z @ Y + np.log1p(np.exp(-np.abs(z))).sum()


@case(entropy)
def loss_half_abs(w):
    z = X @ w
    return np.sum(0.5 * (z + np.abs(z)) + np.log1p(np.exp(-np.abs(z))) - Y * z)


@case(entropy)
def loss_minimum(w):
    m = (2 * Y - 1) * (X @ w)
    return np.sum(np.log1p(np.exp(-np.abs(m))) - np.minimum(m, 0))


@case(entropy)
def loss_mask_assign(w):
    z = X @ w
    out = np.empty(len(z))
    pos = z >= 0
    out[pos] = z[pos] + np.log1p(np.exp(-z[pos]))
    out[~pos] = np.log1p(np.exp(z[~pos]))
    return np.sum(out - Y * z)


@case(entropy)
def loss_zip_max(w):
    return sum(
        max(0.0, float(x @ w)) - float(x @ w) * y + np.log1p(np.exp(-abs(float(x @ w))))
        for x, y in zip(X, Y, strict=True)
    )


@case(entropy)
def loss_sigmoid_log(w):
    z = X @ w
    a = np.exp(-np.abs(z))
    s = np.where(z >= 0, 1 / (1 + a), a / (1 + a))
    return -np.sum(Y * np.log(s) + (1 - Y) * np.log(1 - s))


@case(entropy)
def loss_stack_max(w):
    z = X @ w
    Z = np.column_stack([np.zeros(len(z)), z])
    m = Z.max(axis=1)
    return np.sum(m + np.log(np.exp(Z - m[:, None]).sum(axis=1)) - Y * z)


@case(entropy)
def loss_clip(w):
    z = X @ w
    return np.sum(z.clip(0) - z * Y + np.log1p(np.exp(-np.sqrt(z**2))))


@case(each(sigmoid))
def sigmoid_abs(x):
    return np.sum(np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x)))))


@case(each(sigmoid))
def sigmoid_branches(x):
    return np.sum(np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x))))


@case(each(sigmoid))
def sigmoid_sign(x):
    return np.sum(0.5 + 0.5 * np.sign(x) * (1 - 2 / (1 + np.exp(np.abs(x)))))


@case(each(sigmoid))
def sigmoid_select(x):
    e = np.exp(-np.abs(x))
    return np.sum(np.select([x > 0, x <= 0], [1 / (1 + e), e / (1 + e)]))


@case(each(mp.tanh))
def tanh_sign(x):
    e = np.exp(-2 * np.abs(x))
    return np.sum(np.sign(x) * (1 - e) / (1 + e))


@case(each(mp.tanh))
def tanh_copysign(x):
    e = np.exp(-2 * np.abs(x))
    return np.sum(np.copysign((1 - e) / (1 + e), x))


@case(each(lambda v: mp.log(mp.cosh(v))))
def logcosh_abs(x):
    return np.sum(np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(2))


@case(each(lambda v: mp.cosh(mp.sqrt(mpf(2)) * v)))
def cosh_norm(x):
    return sum(cosh(np.linalg.norm(np.array([v, v]))) for v in x)


@case(each(lambda v: v**2))
def hinges_two(x):
    return np.sum(np.maximum(x, 0) ** 2 + np.minimum(x, 0) ** 2)


@case(each(lambda v: max(v, 0) ** 3))
def hinge_cubed(x):
    return np.sum(np.maximum(x, 0) ** 3)


@case(each(lambda v: abs(v) ** 3))
def abs_cubed(x):
    return np.sum(np.abs(x) ** 3)


@case(each(lambda v: v**3))
def signed_cube(x):
    return np.sum(np.sign(x) * np.abs(x) ** 3)


@case(each(lambda v: v**2))
def sqrt_square(x):
    return np.sum(np.sqrt(x**2) ** 2)


@case(each(lambda v: v**2))
def sqrt_fourth(x):
    return sum(np.sqrt(v**4) for v in x)


@case(squares)
def norm_square(x):
    return np.linalg.norm(x) ** 2


@case(lambda x: mp.sqrt(sum(v**2 for v in x)) ** 3)
def norm_cube(x):
    return np.linalg.norm(x) ** 3


@case(lambda x: sum(v**2 for v in x) ** 2)
def norm_fourth(x):
    return np.linalg.norm(x) ** 4


@case(lambda w: sum(z**2 for z in rows(w)))
def norm_rows(w):
    return np.linalg.norm(X @ w) ** 2


@case(lambda x: mp.exp(-sum(v**2 for v in x) / 2))
def gauss_norm(x):
    return np.exp(-0.5 * np.linalg.norm(x) ** 2)


@case(lambda x: mp.exp(-sum(v**2 for v in x) / 2))
def gauss_hypot(x):
    return np.exp(-0.5 * np.hypot(np.hypot(x[0], x[1]), x[2]) ** 2)


@case(lambda x: mp.sqrt(1 + sum(v**2 for v in x)))
def pseudo_huber_norm(x):
    return np.sqrt(1 + np.linalg.norm(x) ** 2)


@case(each(huber))
def huber_where(x):
    a = np.abs(x)
    return np.sum(np.where(a <= 0.9, 0.5 * x**2, 0.9 * (a - 0.45)))


@case(each(huber))
def huber_minimum(x):
    a = np.abs(x)
    q = np.minimum(a, 0.9)
    return np.sum(0.5 * q**2 + 0.9 * (a - q))


@case(each(biweight_loss))
def biweight(x):
    return np.sum(np.where(np.abs(x) <= 1, (1 - (1 - x**2) ** 3) / 6, 1 / 6))


@case(pairs(matern(2.5)))
def matern52(x):
    s = np.sqrt(5) * np.abs(x[:, None] - x[None, :])
    return np.sum((1 + s + s**2 / 3) * np.exp(-s))


@case(pairs(matern(2.5)))
def matern52_loops(x):
    total = 0.0
    for i in range(3):
        for j in range(3):
            d = abs(x[i] - x[j])
            s = 5**0.5 * d
            total = total + (1 + s + s**2 / 3) * np.exp(-s)
    return total


@case(lambda x: sum(matern(1.5)(abs(v)) for v in x))
def matern32(x):
    s = np.sqrt(3) * np.abs(x)
    return np.sum((1 + s) * np.exp(-s))


@case(lambda x: sum(matern(2.5)(mp.sqrt((x[0] - i) ** 2 + (x[1] - i) ** 2)) for i in (0, mpf("0.3"))))
def matern52_inputs(x):
    P = np.array([[0.0, 0.0], [0.3, 0.3]])
    d = np.linalg.norm(P - x[:2], axis=1)
    s = np.sqrt(5) * d
    return np.sum((1 + s + s**2 / 3) * np.exp(-s))


@case(gaussian_process)
def gp_likelihood(x):
    y = np.array([1, -0.5, 0.25])
    r = np.abs(np.subtract.outer(x, x))
    s = np.sqrt(5) * r
    K = (1 + s + s**2 / 3) * np.exp(-s) + 0.5 * np.eye(3)
    L = np.linalg.cholesky(K)
    a = np.linalg.solve(L, y)
    return 0.5 * a @ a + np.sum(np.log(np.diag(L)))


@case(lambda x: sum(mp.exp(-((a - b) ** 2)) for a in x for b in x))
def rbf_distance(x):
    P = x.reshape(3, 1)
    D = np.linalg.norm(P[:, None, :] - P[None, :, :], axis=-1)
    return np.sum(np.exp(-(D**2)))


@case(lambda x: mp.log(mp.exp(x[0]) + mp.exp(x[1])))
def logaddexp_by_hand(x):
    m = max(x[0], x[1])
    return m + np.log(np.exp(x[0] - m) + np.exp(x[1] - m))


@case(lambda x: mp.log(mp.exp(x[0]) + mp.exp(x[1])))
def logaddexp_abs(x):
    return np.maximum(x[0], x[1]) + np.log1p(np.exp(-np.abs(x[0] - x[1])))


def cosh(v):
    return (np.exp(v) + np.exp(-v)) / 2
