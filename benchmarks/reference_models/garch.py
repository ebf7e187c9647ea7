"""GARCH(1, 1) with normal errors, its variances by a loop; by hand by linear filters."""

import numpy as np
from scipy.signal import lfilter


def objective(params, r):
    omega, alpha, beta = params
    h = np.var(r)
    value = 0.0
    for t in range(len(r)):
        value += 0.5 * (np.log(h) + r[t] ** 2 / h)
        h = omega + alpha * r[t] ** 2 + beta * h
    return value


def value_and_grad(params, r):
    omega, alpha, beta = params
    r2 = r**2
    h = lfilter([1.0], [1.0, -beta], np.append(np.var(r), omega + alpha * r2[:-1]))
    ratio = r2 / h
    value = 0.5 * (np.log(h) + ratio).sum()
    slope = lfilter([0.5], [1.0, -beta], ((1 - ratio) / h)[:0:-1])[::-1]
    gradient = np.array([slope.sum(), slope @ r2[:-1], slope @ h[:-1]])
    return value, gradient


def start(rng):
    r, h = np.empty(1000), 1.0
    for t in range(1000):
        r[t] = np.sqrt(h) * rng.normal()
        h = 0.1 + 0.1 * r[t] ** 2 + 0.8 * h
    return np.array([0.2, 0.15, 0.7]), (r,)
