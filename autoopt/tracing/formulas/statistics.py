"""scipy.stats' functions of samples: means, moments, scores, tests, lines, log-likelihoods of transformations."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import special, stats

from autoopt.tape.signatures import Unsupported
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


# Tests and lines ------------------------------------------------------------------------------------------------------


class Interval(NamedTuple):
    """The ends of a confidence interval."""

    low: Any
    high: Any


class _Pair(NamedTuple):
    statistic: Any
    pvalue: Any


class TTest(_Pair):
    """What SciPy returns of a t-test: the statistic and its p-value, the degrees of freedom, an interval."""

    def __new__(cls, estimate: Any, expected: Any, error: Any, df: Any, alternative: str) -> TTest:
        statistic = (estimate - expected) / error
        made = super().__new__(cls, statistic, _tail(special.stdtr, df, statistic, alternative))
        made.df, made.estimate, made.error, made.alternative = df, estimate, error, alternative
        return made

    def confidence_interval(self, confidence_level: float = 0.95) -> Interval:
        share = (1 + confidence_level) / 2 if self.alternative == "two-sided" else confidence_level
        reach = special.stdtrit(self.df, share) * self.error
        low = -np.inf if self.alternative == "less" else self.estimate - reach
        high = np.inf if self.alternative == "greater" else self.estimate + reach
        return Interval(low, high)


class Correlation(_Pair):
    """What SciPy returns of a correlation: the statistic and its p-value, an interval by Fisher's transformation."""

    def __new__(cls, statistic: Any, pvalue: Any, n: int, alternative: str) -> Correlation:
        made = super().__new__(cls, statistic, pvalue)
        made.correlation, made.n, made.alternative = statistic, n, alternative
        return made

    def confidence_interval(self, confidence_level: float = 0.95) -> Interval:
        if self.n <= 3:
            raise Unsupported("confidence_interval of a correlation of three pairs or fewer", "use more of them")
        share = (1 + confidence_level) / 2 if self.alternative == "two-sided" else confidence_level
        middle, reach = np.arctanh(self.statistic), special.ndtri(share) / np.sqrt(self.n - 3)
        low = -1.0 if self.alternative == "less" else np.tanh(middle - reach)
        high = 1.0 if self.alternative == "greater" else np.tanh(middle + reach)
        return Interval(low, high)


class _Five(NamedTuple):
    slope: Any
    intercept: Any
    rvalue: Any
    pvalue: Any
    stderr: Any


class Line(_Five):
    """What SciPy returns of a linear regression: five numbers and the error of the intercept."""

    intercept_stderr: Any


def _tail(distribution, shape, statistic, alternative):
    """The p-value of a statistic whose distribution is symmetric."""
    if alternative == "two-sided":
        return 2 * distribution(shape, -np.abs(statistic))
    if alternative not in ("less", "greater"):
        raise Unsupported(f"a test with alternative={alternative!r}", "use 'two-sided', 'less' or 'greater'")
    return distribution(shape, statistic if alternative == "less" else -statistic)


def _flat(axis, *samples):
    """Return samples as they are, or as one row each and its axis where that is None."""
    return (*map(np.ravel, samples), 0) if axis is None else (*samples, axis)


@formula(stats.ttest_1samp)
def ttest_1samp(a, popmean, axis=0, alternative="two-sided"):
    a, axis = _flat(axis, a)
    if np.ndim(popmean) > 0 and np.ndim(a) > 1:
        raise Unsupported("scipy.stats.ttest_1samp of several samples and means", "test them one by one")
    count = a.shape[axis]
    error = np.std(a, axis=axis, ddof=1) / count**0.5
    return TTest(np.mean(a, axis=axis), popmean, error, count - 1.0, alternative)


@formula(stats.ttest_rel)
def ttest_rel(a, b, axis=0, alternative="two-sided"):
    return ttest_1samp(a - b, 0.0, axis, alternative)


@formula(stats.ttest_ind)
def ttest_ind(a, b, *, axis=0, equal_var=True, alternative="two-sided"):
    a, b, axis = _flat(axis, a, b)
    n, m = a.shape[axis], b.shape[axis]
    one, other = np.var(a, axis=axis, ddof=1), np.var(b, axis=axis, ddof=1)
    if equal_var:
        df = n + m - 2.0
        error = np.sqrt(((n - 1) * one + (m - 1) * other) / df * (1 / n + 1 / m))
    else:
        one, other = one / n, other / m
        df = (one + other) ** 2 / (one**2 / (n - 1) + other**2 / (m - 1))
        error = np.sqrt(one + other)
    return TTest(np.mean(a, axis=axis) - np.mean(b, axis=axis), 0.0, error, df, alternative)


@formula(stats.pearsonr)
def pearsonr(x, y, *, alternative="two-sided"):
    """The p-value is that of a beta distribution of r on (-1, 1)."""
    if np.ndim(x) != 1 or np.ndim(y) != 1 or len(x) < 3:
        raise Unsupported("scipy.stats.pearsonr of tables, or of fewer than three pairs", "correlate them one by one")
    x, y = x - np.mean(x), y - np.mean(y)
    r = np.sum(x * y) / np.sqrt(np.sum(x**2) * np.sum(y**2))
    shape = len(x) / 2 - 1
    pvalue = _tail(lambda a, r: special.betainc(a, a, (1 + r) / 2), shape, r, alternative)
    return Correlation(r, pvalue, len(x), alternative)


@formula(stats.linregress)
def linregress(x, y, alternative="two-sided"):
    if np.ndim(x) != 1 or np.ndim(y) != 1 or len(x) < 3:
        raise Unsupported("scipy.stats.linregress of tables, or of fewer than three points", "regress one by one")
    middle = np.mean(x)
    spread, height = x - middle, y - np.mean(y)
    sxx, sxy, syy = np.mean(spread**2), np.mean(spread * height), np.mean(height**2)
    slope, r, df = sxy / sxx, sxy / np.sqrt(sxx * syy), len(x) - 2.0
    rest = 1 - r**2
    pvalue = _tail(special.stdtr, df, r * np.sqrt(df / rest), alternative)
    stderr = np.sqrt(rest * syy / sxx / df)
    line = Line(slope, np.mean(y) - slope * middle, r, pvalue, stderr)
    line.intercept_stderr = stderr * np.sqrt(sxx + middle**2)
    return line


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
