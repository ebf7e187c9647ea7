"""Verification at bends that are shorter than the steps of its secants: what is right is not called wrong."""

import numpy as np
import pytest

import autoopt
from autoopt.errors import VerificationError

QUANTILES = np.linspace(-1, 1, 9)


def softplus(p, w, k):
    return k * np.sum(w * np.logaddexp(0, (QUANTILES - p[0]) / w) - 0.3 * (QUANTILES - p[0]))


def hyperbola(p, w, k):
    return k * np.sum(np.sqrt((QUANTILES - p[0]) ** 2 + w * w) - 0.3 * (QUANTILES - p[0]))


@pytest.mark.parametrize("f", [softplus, hyperbola])
@pytest.mark.parametrize("w", [1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
def test_smoothed_kinks_are_minima(f, w):
    for k in (1.0, 1e-8, 1e6):
        r = autoopt.minimize(f, [3.0], (w, k), method="bfgs")
        assert r.success, r.message
        ends = np.array([f([q], w, k) for q in QUANTILES])
        assert r.fun <= ends.min() + 1e-9 * abs(ends.min())


@pytest.mark.parametrize("w", [1e-4, 1e-6, 1e-7])
def test_a_gradient_that_is_wrong_at_a_bend_is_found_out(w):
    def wrong(p, w, k):
        return k * np.array([np.sum(0.3 - 0.6 / (1 + np.exp(-np.clip((QUANTILES - p[0]) / w, -500, 500))))])

    with pytest.raises(VerificationError, match="wrong"):
        autoopt.minimize(softplus, [0.5], (w, 1.0), method="bfgs", jac=wrong)
