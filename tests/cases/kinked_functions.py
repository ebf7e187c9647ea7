"""Smooth functions as users write them, with kinks, each beside what it is, in mpmath."""

from collections.abc import Callable

import numpy as np
import scipy.linalg
import scipy.special
from mpmath import mp, mpf
from scipy.spatial.distance import cdist, pdist
from scipy.special import erf

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


@case(lambda x: mp.log(mp.exp(x[0]) + mp.exp(x[1])))
def logaddexp_sorted(x):
    lo, hi = sorted([x[0], x[1]])
    return hi + np.log1p(np.exp(lo - hi))


@case(log_sum)
def logsumexp_max(x):
    m = x.max()
    return m + np.log(np.exp(x - m).sum())


@case(log_sum)
def logsumexp_sort(x):
    s = np.sort(x)
    return s[-1] + np.log(np.sum(np.exp(s - s[-1])))


@case(log_sum)
def logsumexp_stream(x):
    m, s = x[0], 1.0
    for v in x[1:]:
        new = np.maximum(m, v)
        s = s * np.exp(m - new) + np.exp(v - new)
        m = new
    return m + np.log(s)


@case(lambda x: mp.exp(x[0]) / sum(mp.exp(v) for v in x))
def softmax_max(x):
    e = np.exp(x - np.max(x))
    return (e / e.sum())[0]


@case(lambda x: sum((k + 1) * (mp.exp(x[k]) / sum(mp.exp(v) for v in x)) ** 2 for k in range(3)))
def softmax_sorted(x):
    e = np.exp(x - np.sort(x)[-1])
    p = e / np.sum(e)
    return np.sum(np.arange(1, 4) * p**2)


@case(lambda x: x[0] * x[1])
def max_times_min(x):
    return np.maximum(x[0], x[1]) * np.minimum(x[0], x[1])


@case(lambda x: x[0] * x[1] * x[2])
def sorted_product(x):
    a, b, c = np.sort(x)
    return a * b * c


@case(lambda x: x[0] ** 2 + x[1] ** 2 + x[2] ** 2)
def min_median_max(x):
    return np.min(x) ** 2 + np.median(x) ** 2 + np.max(x) ** 2


@case(lambda x: sum((a - b) ** 2 for a in x for b in x) / 2)
def gaps_of_sorted(x):
    s = np.sort(x)
    d = np.diff(s)
    return d[0] ** 2 + d[1] ** 2 + (d[0] + d[1]) ** 2


@case(each(lambda v: v**3 if v > 0 else mpf(0)))
def mask_cube(x):
    return np.sum((x > 0) * x**3)


@case(each(spline))
def spline_truncated(x):
    knots, coefficients = np.array([0.0, 0.3, 0.6]), np.array([1.0, -2.0, 0.7])
    return np.sum(np.maximum(x[:, None] - knots, 0) ** 3 @ coefficients)


@case(each(smoother))
def smootherstep(x):
    t = np.clip(x, 0, 1)
    return np.sum(t**3 * (t * (6 * t - 15) + 10))


@case(each(lambda v: mp.exp(-1 / v) if v > 0 else mpf(0)))
def bump(x):
    return np.sum(np.where(x > 0, np.exp(-1 / np.where(x > 0, x, 1)), 0))


@case(each(lambda v: v * mp.ncdf(v)))
def gelu(x):
    return np.sum(0.5 * x * (1 + np.sign(x) * erf(np.abs(x) / np.sqrt(2))))


@case(each(lambda v: v * sigmoid(v)))
def silu(x):
    e = np.exp(-np.abs(x))
    return np.sum(x * np.where(x >= 0, 1, e) / (1 + e))


@case(each(lambda v: mp.erf(v)))
def erf_odd(x):
    return np.sum(np.sign(x) * erf(np.abs(x)))


@case(each(mp.atan))
def arctan_odd(x):
    return np.sum(np.copysign(np.arctan(np.abs(x)), x))


@case(each(lambda v: mp.asinh(v)))
def arcsinh_log(x):
    return np.sum(np.sign(x) * np.log(np.abs(x) + np.sqrt(x**2 + 1)))


@case(recurrence)
def in_a_recurrence(w):
    s, t = 0.0, 0.0
    for row in ROWS:
        s = 0.5 * s + row @ w
        t += max(s, 0) + np.log1p(np.exp(-abs(s)))
    return t


@case(lambda x: (x[0] - x[1]) ** 2)
def ptp_square(x):
    return np.ptp(x[:2]) ** 2


@case(variance)
def std_square(x):
    return np.std(x) ** 2


@case(lambda x: mp.exp(-variance(x)))
def std_gauss(x):
    return np.exp(-(x.std() ** 2))


@case(squares)
def vector_norm(x):
    return np.linalg.vector_norm(x) ** 2


@case(squares)
def matrix_norm(x):
    return np.linalg.matrix_norm(np.outer(x, [3 / 5, 4 / 5])) ** 2


@case(lambda x: x[0] ** 2 + x[1] ** 2)
def norm_inf(x):
    return np.linalg.norm(x[:2], np.inf) ** 2 + np.linalg.norm(x[:2], -np.inf) ** 2


@case(lambda x: (abs(x[0]) + abs(x[1])) ** 2 + (abs(x[0]) - abs(x[1])) ** 2)
def norm_one(x):
    return np.linalg.norm(x[:2], 1) ** 2 + (np.abs(x[0]) - np.abs(x[1])) ** 2


@case(lambda x: mp.log(1 + sum(mp.exp(v) for v in x)))
def lse_initial(x):
    m = np.max(x, initial=0.0)
    return m + np.log(np.exp(-m) + np.exp(x - m).sum())


@case(lambda x: mp.log(sum(mp.exp(v) for v in x)))
def lse_nanmax(x):
    m = np.nanmax(x)
    return m + np.log(np.exp(x - m).sum())


@case(lambda x: mp.log(sum(mp.exp(v) for v in x)))
def lse_reduce_plain(x):
    m = np.maximum.reduce(x)
    return m + np.log(np.exp(x - m).sum())


@case(lambda x: x[0] * x[1])
def arg_extremes(x):
    return x[:2][np.argmax(x[:2])] * x[:2][np.argmin(x[:2])]


@case(lambda x: x[0] ** 2 + x[1] ** 2)
def sort_both(x):
    return np.sort(x[:2])[0] ** 2 + (-np.sort(-x[:2])[0]) ** 2


@case(lambda x: x[0] ** 2 + x[1] ** 2)
def argsort_both(x):
    y = x[:2]
    return y[np.argsort(y)][0] ** 2 + y[np.argsort(-y)][0] ** 2


@case(lambda x: (x[0] + x[1] + x[2]) ** 2)
def order_statistics(x):
    return (np.min(x) + np.percentile(x, 50) + np.max(x)) ** 2


@case(squares)
def order_squares(x):
    return np.quantile(x, 0) ** 2 + np.median(x) ** 2 + (-np.sort(-x))[0] ** 2


@case(squares)
def sort_axis(x):
    A = np.array([[x[0], x[1]], [x[2], x[2]]])
    return np.sum(np.sort(A, axis=0)[0] ** 2) + np.sum(np.max(A, axis=0) ** 2) - x[2] ** 2


@case(lambda x: sum(mp.log(mp.besseli(0, v)) for v in x))
def log_i0(x):
    return np.sum(np.log(scipy.special.i0e(x)) + np.abs(x))


@case(lambda x: sum(mp.log(mp.besseli(0, v)) for v in x))
def log_i0_sqrt(x):
    return np.sum(np.log(scipy.special.i0e(np.sqrt(x**2))) + np.sqrt(x**2))


@case(lambda x: sum(mp.cos(2 * mp.pi * v) for v in x))
def cos_mod(x):
    return np.sum(np.cos(2 * np.pi * np.mod(x, 1.0)))


@case(lambda x: sum(mp.cos(2 * mp.pi * v) for v in x))
def cos_triangle(x):
    return np.sum(np.cos(np.pi * np.abs(np.mod(2 * x + 1, 2.0) - 1) + 0 * x))


@case(each(lambda v: v**2))
def signbit(x):
    return np.sum(np.where(np.signbit(x), -1, 1) * x * np.abs(x))


@case(each(lambda v: v**2))
def cbrt_six(x):
    return np.sum(np.cbrt(x) ** 6)


@case(each(lambda v: v**4))
def cbrt_twelve(x):
    return np.sum(np.cbrt(x) ** 12)


@case(each(huber))
def scipy_huber(x):
    return np.sum(scipy.special.huber(0.9, np.abs(x)))


@case(lambda x: sum((a - b) ** 2 for a in x for b in x) / 2)
def hypot_pairs(x):
    t = 0.0
    for i in range(3):
        for j in range(i):
            t = t + np.hypot(x[i] - x[j], 0.0) ** 2
    return t


@case(lambda x: sum((a - b) ** 2 for a in x for b in x) / 2)
def pdist_pairs(x):
    return np.sum(pdist(x.reshape(3, 1)) ** 2)


@case(lambda x: sum(mp.exp(-((a - b) ** 2)) for a in x for b in x))
def cdist_pairs(x):
    P = x.reshape(3, 1)
    return np.sum(np.exp(-(cdist(P, P) ** 2)))


def cosh(v):
    return (np.exp(v) + np.exp(-v)) / 2
