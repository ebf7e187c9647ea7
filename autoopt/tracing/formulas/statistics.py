"""scipy.stats' functions of samples: means, moments, scores, log-likelihoods of transformations."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from autoopt.signatures import Unsupported
from autoopt.tracing.formulas.table import formula


@formula(stats.zscore)
def zscore(a, axis=0, ddof=0):
    return (a - np.mean(a, axis=axis, keepdims=True)) / np.std(a, axis=axis, ddof=ddof, keepdims=True)


@formula(stats.gmean)
def gmean(a, axis=0, weights=None, keepdims=False):
    return np.exp(np.average(np.log(a), axis=axis, weights=weights, keepdims=keepdims))


@formula(stats.hmean)
def hmean(a, axis=0, weights=None, keepdims=False):
    return 1 / np.average(1 / a, axis=axis, weights=weights, keepdims=keepdims)


@formula(stats.pmean)
def pmean(a, p, axis=0, weights=None, keepdims=False):
    if not isinstance(p, int | float) or p == 0:
        raise Unsupported("scipy.stats.pmean with p that is 0 or computed", "use gmean, or write it with np.average")
    return np.average(a**p, axis=axis, weights=weights, keepdims=keepdims) ** (1 / p)


@formula(stats.sem)
def sem(a, axis=0, ddof=1, keepdims=False):
    count = a.size if axis is None else a.shape[axis]
    return np.std(a, axis=axis, ddof=ddof, keepdims=keepdims) / count**0.5


@formula(stats.variation)
def variation(a, axis=0, ddof=0, *, keepdims=False):
    return np.std(a, axis=axis, ddof=ddof, keepdims=keepdims) / np.mean(a, axis=axis, keepdims=keepdims)


@formula(stats.moment)
def moment(a, order=1, axis=0, *, center=None, keepdims=False):
    middle = np.mean(a, axis=axis, keepdims=True) if center is None else center
    return np.mean((a - middle) ** order, axis=axis, keepdims=keepdims)


def _standardised(a, axis, power):
    """Return the mean of a power of the deviations over that power of their standard deviation."""
    deviations = a - np.mean(a, axis=axis, keepdims=True)
    return np.mean(deviations**power, axis=axis) / np.mean(deviations**2, axis=axis) ** (power / 2)


@formula(stats.skew)
def skew(a, axis=0, bias=True):
    n = a.size if axis is None else a.shape[axis]
    found = _standardised(a, axis, 3)
    return found if bias or n < 3 else found * (n * (n - 1)) ** 0.5 / (n - 2)


@formula(stats.kurtosis)
def kurtosis(a, axis=0, fisher=True, bias=True):
    n = a.size if axis is None else a.shape[axis]
    found = _standardised(a, axis, 4)
    found = found if bias or n < 4 else ((n * n - 1) * found - 3 * (n - 1) ** 2) / ((n - 2) * (n - 3)) + 3
    return found - 3 if fisher else found


@formula(stats.entropy)
def entropy(pk, qk=None, base=None, axis=0, *, keepdims=False):
    pk = pk / np.sum(pk, axis=axis, keepdims=True)
    terms = special.entr(pk) if qk is None else special.rel_entr(pk, qk / np.sum(qk, axis=axis, keepdims=True))
    found = np.sum(terms, axis=axis, keepdims=keepdims)
    return found if base is None else found / np.log(base)


@formula(stats.trim_mean)
def trim_mean(a, proportiontocut, axis=0):
    a, axis = (np.ravel(a), 0) if axis is None else (a, axis)
    cut = int(proportiontocut * a.shape[axis])
    return np.mean(np.take(np.sort(a, axis=axis), np.arange(cut, a.shape[axis] - cut), axis=axis), axis=axis)


@formula(stats.iqr)
def iqr(x, axis=None, rng=(25, 75), *, keepdims=False):
    low, high = (np.percentile(x, share, axis=axis, keepdims=keepdims) for share in rng)
    return high - low


@formula(stats.tmean)
def tmean(a, *, axis=None):
    return np.mean(a, axis=axis)


@formula(stats.tvar)
def tvar(a, *, axis=0, ddof=1):
    return np.var(a, axis=axis, ddof=ddof)


@formula(stats.tstd)
def tstd(a, *, axis=0, ddof=1):
    return np.std(a, axis=axis, ddof=ddof)


# Transformations ------------------------------------------------------------------------------------------------------


@formula(stats.boxcox)
def boxcox(x, lmbda=None):
    if lmbda is None:
        raise Unsupported("scipy.stats.boxcox without lmbda", "pass lmbda, or use scipy.stats.boxcox_llf")
    return special.boxcox(x, lmbda)


@formula(stats.boxcox_llf)
def boxcox_llf(lmb, data, *, axis=0, keepdims=False):
    n, logs = data.shape[axis], np.log(data)
    spread = np.var(special.boxcox(data, lmb), axis=axis, keepdims=keepdims)
    return (lmb - 1) * np.sum(logs, axis=axis, keepdims=keepdims) - n / 2 * np.log(spread)


@formula(stats.yeojohnson)
def yeojohnson(x, lmbda=None):
    if lmbda is None:
        raise Unsupported("scipy.stats.yeojohnson without lmbda", "pass lmbda, or use scipy.stats.yeojohnson_llf")
    right = x >= 0
    above, below = np.where(right, x, 0.0), np.where(right, 0.0, -x)
    return np.where(right, special.boxcox1p(above, lmbda), -special.boxcox1p(below, 2 - lmbda))


@formula(stats.yeojohnson_llf)
def yeojohnson_llf(lmb, data):
    n = data.shape[0]
    jacobian = (lmb - 1) * np.sum(np.sign(data) * np.log1p(np.abs(data)), axis=0)
    return jacobian - n / 2 * np.log(np.var(yeojohnson(data, lmb), axis=0))
