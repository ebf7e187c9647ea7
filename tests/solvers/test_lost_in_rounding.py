"""Parameters that run off to where terms cancel: minima by rounding there are no success, true ones are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln

import autoopt

METHODS = (None, "bfgs", "l-bfgs-b", "newton-cg", "trust-region", "cg", "trust-exact", "tnc")


def student(y):
    size = np.std(y)

    def negative(p):
        mean, scale, freedom = p[0] * size, np.exp(p[1]) * size, np.exp(p[2])
        z = (y - mean) / scale
        constant = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - 0.5 * np.log(freedom * np.pi) - np.log(scale)
        return -np.sum(constant - (freedom + 1) / 2 * np.log1p(z * z / freedom))

    return negative, [0.0, 0.0, 1.0]


def negative_binomial(counts, in_logs):
    def negative(p):
        mean, r = np.exp(p) if in_logs else p
        terms = gammaln(counts + r) - gammaln(r) - gammaln(counts + 1)
        return -np.sum(terms + r * np.log(r / (r + mean)) + counts * np.log(mean / (r + mean)))

    return negative, [1.0, 0.0] if in_logs else [3.0, 2.0]


def random(seed):
    return np.random.default_rng(seed)


LOST = {
    "light tails": lambda seed: student(random(seed).uniform(-3, 3, 300) * 10.0 ** (seed - 2)),
    "few light tails": lambda seed: student(random(seed).uniform(-3, 3, 40)),
    "binomial counts": lambda seed: negative_binomial(random(seed).binomial(20, 0.3, 400).astype(float), True),
    "counts and size itself": lambda seed: negative_binomial(random(seed).binomial(9, 0.5, 200).astype(float), False),
}

KEPT = {
    "heavy tails": lambda seed: student(random(seed).standard_t(4, 300) * 10.0 ** (seed - 2)),
    "nearly light tails": lambda seed: student(random(seed + 1).standard_t(15, 3000)),
    "dispersed counts": lambda seed: negative_binomial(random(seed).negative_binomial(3, 0.3, 600).astype(float), True),
    "nearly Poisson": lambda seed: negative_binomial(
        random(seed).negative_binomial(60, 0.6, 4000).astype(float), False
    ),
    "cancelling": lambda seed: (lambda x: np.sum(1e8 * np.cosh(1e-3 * (x - 300.0)) - 1e8), [0.0, 10.0 + seed]),
    "offset": lambda seed: (lambda x: 1e13 + 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2, [-1.2, 1.0 + seed]),
}


@pytest.mark.slow_for("light tails-newton-cg")
@pytest.mark.sampled(9)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", LOST)
def test_minima_by_rounding_are_no_success(name, method):
    for seed in range(3):
        result = autoopt.minimize(*LOST[name](seed), method=method)
        assert not result.success, result.message
        assert result.diagnosis


@pytest.mark.sampled(9)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", KEPT)
def test_true_minima_are(name, method):
    for seed in range(3):
        f, start = KEPT[name](seed)
        result = autoopt.minimize(f, start, method=method)
        assert result.success, result.message
        best = autoopt.minimize(f, start, method="nelder-mead", options={"maxfev": 4000}).fun
        assert result.fun <= best + 1e-7 * abs(best)
