"""The functions of Python's own `statistics`: averages, variances, regressions of lists of numbers.

They calculate with exact fractions, which a trace does not; what is computed here differs in the last digit at most.
"""

from __future__ import annotations

import statistics

import numpy as np

from autoopt.tracing.formulas.table import formula


def _numbers(data, least=1):
    """Return `data`, which must be that many numbers."""
    if len(data) < least:
        raise statistics.StatisticsError(f"at least {least} data points are required")
    return data


@formula(statistics.mean)
def mean(data):
    return np.mean(_numbers(data))


@formula(statistics.fmean)
def fmean(data, weights=None):
    return np.average(_numbers(data), weights=weights)


@formula(statistics.geometric_mean)
def geometric_mean(data):
    return np.exp(np.mean(np.log(_numbers(data))))


@formula(statistics.harmonic_mean)
def harmonic_mean(data, weights=None):
    return 1 / np.average(1 / _numbers(data), weights=weights)


@formula(statistics.median)
def median(data):
    return np.median(_numbers(data))


def _squares(data, middle):
    return np.sum((data - (np.mean(data) if middle is None else middle)) ** 2)


@formula(statistics.variance)
def variance(data, xbar=None):
    return _squares(_numbers(data, 2), xbar) / (len(data) - 1)


@formula(statistics.stdev)
def stdev(data, xbar=None):
    return np.sqrt(_squares(_numbers(data, 2), xbar) / (len(data) - 1))


@formula(statistics.pvariance)
def pvariance(data, mu=None):
    return _squares(_numbers(data), mu) / len(data)


@formula(statistics.pstdev)
def pstdev(data, mu=None):
    return np.sqrt(_squares(_numbers(data), mu) / len(data))


def _products(x, y):
    """Return the sum of the products of the deviations of two samples."""
    if len(x) != len(y):
        raise statistics.StatisticsError("both samples must be of the same length")
    return np.sum((_numbers(x, 2) - np.mean(x)) * (y - np.mean(y)))


@formula(statistics.covariance)
def covariance(x, y):
    return _products(x, y) / (len(x) - 1)


@formula(statistics.correlation)
def correlation(x, y):
    return _products(x, y) / np.sqrt(_products(x, x) * _products(y, y))


@formula(statistics.linear_regression)
def linear_regression(x, y, *, proportional=False):
    if proportional:
        _products(x, y)  # which sees that there are enough
        return statistics.LinearRegression(np.sum(x * y) / np.sum(x * x), 0.0)
    slope = _products(x, y) / _products(x, x)
    return statistics.LinearRegression(slope, np.mean(y) - slope * np.mean(x))


@formula(statistics._normal_dist_inv_cdf)
def normal_dist_inv_cdf(p, mu, sigma):
    """What NormalDist.inv_cdf computes, in machine code."""
    from scipy.special import ndtri

    return mu + sigma * ndtri(p)


if hasattr(statistics, "_mean_stdev"):

    @formula(statistics._mean_stdev)
    def mean_stdev(data):
        """What NormalDist.from_samples asks for, both at once."""
        return np.mean(_numbers(data, 2)), stdev(data)
