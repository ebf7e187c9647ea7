"""Rosenbrock's function of many variables."""

import numpy as np


def objective(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def value_and_grad(x):
    rise, rest = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    gradient = np.zeros_like(x)
    gradient[1:] = 200 * rise
    gradient[:-1] -= 400 * rise * x[:-1] + 2 * rest
    value = 100 * rise @ rise + rest @ rest
    return value, gradient


def start(rng):
    return rng.normal(size=1000), ()
