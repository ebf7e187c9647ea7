"""Logarithms of gamma functions of large numbers, of which differences keep their digits."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

LARGE = 50.0
"""Beyond this, four terms of Stirling's series are exact to the last digit."""


def log_rising(y, size):
    """Return log(gamma(y + size) / gamma(size))."""
    series = (y + size - 0.5) * np.log1p(y / size) + y * np.log(size) - y + _tail(y + size) - _tail(size)
    return np.where(size > LARGE, series, gammaln(y + size) - gammaln(size))


def log_factor(shape):
    """Return log(gamma(shape) exp(shape) / shape^shape)."""
    series = 0.5 * np.log(2 * np.pi / shape) + _tail(shape)
    return np.where(shape > LARGE, series, gammaln(shape) - shape * np.log(shape) + shape)


def _tail(z):
    """Return what Stirling's formula (z - 1/2) log z - z + log(2 pi) / 2 of log gamma(z) lacks."""
    return (1 - (1 / 30 - 1 / (105 * z**2)) / z**2) / (12 * z)
