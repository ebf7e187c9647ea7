"""Statistics and reductions that are smooth, written with kinks."""

import numpy as np
import scipy.linalg
import scipy.special
from kinked_functions import ROWS, case, each, huber, log_sum, recurrence, sigmoid, smoother, spline, squares, variance
from mpmath import mp, mpf
from scipy.spatial.distance import cdist, pdist
from scipy.special import erf


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
