"""The distributions of scipy.stats in plain NumPy and scipy.special: one row for each, on z = (x - loc) / scale.

A row says what holds inside the support for valid parameters; `distributions.py` does the rest. Formulas are those of
SciPy's documentation, in a form that neither overflows nor cancels in the tails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log, pi, sqrt
from typing import Any

import numpy as np
import scipy.special as special

Bound = float | Callable[..., Any]


@dataclass(frozen=True)
class Row:
    """One distribution in standard form.

    Attributes
    ----------
    logpdf : callable, (z, *shapes)
        The logarithm of the density, or of the mass at an integer z.
    valid : callable, (*shapes) -> tuple of conditions
        What must hold of the shape parameters; SciPy gives NaN where it does not.
    low, high : float or callable of the shapes
        The ends of the support.
    inner : float or callable of the shapes
        A point inside the support, which stands in for those that lie outside.
    cdf, sf, logcdf, logsf : callable, (z, *shapes), optional
    ppf, isf : callable, (q, *shapes), optional
    mean, var, entropy : callable, (*shapes), optional
    is_open : bool
        True if the density is 0 at the ends of the support, whatever the formula gives there.
    discrete : bool
    """

    logpdf: Callable
    valid: Callable = lambda *shapes: ()
    low: Bound = -inf
    high: Bound = inf
    inner: Bound = 1.0
    cdf: Callable | None = None
    sf: Callable | None = None
    logcdf: Callable | None = None
    logsf: Callable | None = None
    ppf: Callable | None = None
    isf: Callable | None = None
    mean: Callable | None = None
    var: Callable | None = None
    entropy: Callable | None = None
    is_open: bool = False
    discrete: bool = False


_LOG_2PI = log(2 * pi)
_HALF_LOG_2PI = log(2 * pi) / 2
_EULER = -float(special.digamma(1.0))


def positive(*shapes: Any) -> tuple:
    return tuple(shape > 0 for shape in shapes)


def _normal(z: Any) -> Any:
    return -(z**2) / 2 - _HALF_LOG_2PI


def _laplace_cdf(z: Any) -> Any:
    right = z > 0
    return np.where(right, 1 - 0.5 * np.exp(-np.where(right, z, 0.0)), 0.5 * np.exp(np.where(right, 0.0, z)))


def _laplace_logcdf(z: Any) -> Any:
    """log(exp(z) / 2) on the left, log(1 - exp(-z) / 2) on the right."""
    right = z > 0
    return np.where(right, np.log1p(-0.5 * np.exp(-np.where(right, z, 0.0))), z - log(2))


def _laplace_ppf(q: Any) -> Any:
    left = q < 0.5
    return np.where(left, np.log(2 * np.where(left, q, 0.5)), -np.log(2 * np.where(left, 0.5, 1 - q)))


def _gauss_mass(a: Any, b: Any) -> Any:
    """log(ndtr(b) - ndtr(a)): on the side of 0 where both tails are small, or as 1 less the two tails around it."""
    flipped, around = a > 0, (a <= 0) & (b > 0)
    a, b = np.where(flipped, -b, a), np.where(flipped, -a, b)
    outside = np.where(around, special.ndtr(a) + special.ndtr(-b), 0.5)
    top = special.log_ndtr(b)
    ratio = np.where(around, -1.0, special.log_ndtr(a) - top)
    return np.where(around, np.log1p(-outside), top + np.log(-np.expm1(ratio)))


def _truncnorm_inner(a: Any, b: Any) -> Any:
    """The point of [a, b] that is nearest to 0: finite even where an end is not."""
    return np.maximum(a, np.minimum(b, 0.0))


def _truncnorm_logcdf(z: Any, a: Any, b: Any) -> Any:
    return _gauss_mass(a, z) - _gauss_mass(a, b)


def _truncnorm_logsf(z: Any, a: Any, b: Any) -> Any:
    return _gauss_mass(z, b) - _gauss_mass(a, b)


def _truncnorm_ppf(q: Any, a: Any, b: Any) -> Any:
    """By the logarithm of the tail on the side of 0 where it is small."""
    mass, right = _gauss_mass(a, b), a > 0
    share = np.where(right, np.log1p(-q), np.log(q)) + mass
    tail = np.logaddexp(np.where(right, special.log_ndtr(-b), special.log_ndtr(a)), share)
    return np.where(right, -1.0, 1.0) * special.ndtri_exp(tail)


def _log_choose(n: Any, k: Any) -> Any:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


def _f_logpdf(z: Any, m: Any, n: Any) -> Any:
    return (
        n / 2 * np.log(n) + m / 2 * np.log(m) + special.xlogy(m / 2 - 1, z) - (n + m) / 2 * np.log(n + m * z)
        - special.betaln(m / 2, n / 2)
    )  # fmt: skip


def _where_more(shape: Any, bound: float, formula: Callable, otherwise: float = inf) -> Any:
    """`formula(shape)` where shape > bound, elsewhere `otherwise`; the formula is never asked for the rest."""
    more = shape > bound
    return np.where(more, formula(np.where(more, shape, bound + 1.0)), otherwise)


CONTINUOUS: dict[str, Row] = {
    "norm": Row(
        _normal, cdf=special.ndtr, sf=lambda z: special.ndtr(-z), logcdf=special.log_ndtr,
        logsf=lambda z: special.log_ndtr(-z), ppf=special.ndtri, isf=lambda q: -special.ndtri(q),
        mean=lambda: 0.0, var=lambda: 1.0, entropy=lambda: _HALF_LOG_2PI + 0.5,
    ),
    "halfnorm": Row(
        lambda z: log(2 / pi) / 2 - z**2 / 2, low=0.0, cdf=lambda z: special.erf(z / sqrt(2)),
        sf=lambda z: 2 * special.ndtr(-z), logsf=lambda z: log(2) + special.log_ndtr(-z),
        ppf=lambda q: special.ndtri((1 + q) / 2), isf=lambda q: -special.ndtri(q / 2),
        mean=lambda: sqrt(2 / pi), var=lambda: 1 - 2 / pi, entropy=lambda: log(pi / 2) / 2 + 0.5,
    ),
    "lognorm": Row(
        lambda z, s: -((np.log(z) / s) ** 2) / 2 - np.log(s) - np.log(z) - _HALF_LOG_2PI, positive,
        low=0.0, is_open=True,
        cdf=lambda z, s: special.ndtr(np.log(z) / s), sf=lambda z, s: special.ndtr(-np.log(z) / s),
        logcdf=lambda z, s: special.log_ndtr(np.log(z) / s), logsf=lambda z, s: special.log_ndtr(-np.log(z) / s),
        ppf=lambda q, s: np.exp(s * special.ndtri(q)), isf=lambda q, s: np.exp(-s * special.ndtri(q)),
        mean=lambda s: np.exp(s**2 / 2), var=lambda s: np.expm1(s**2) * np.exp(s**2),
        entropy=lambda s: 0.5 + _HALF_LOG_2PI + np.log(s),
    ),
    "truncnorm": Row(
        lambda z, a, b: _normal(z) - _gauss_mass(a, b), lambda a, b: (a < b,), low=lambda a, b: a, high=lambda a, b: b,
        inner=_truncnorm_inner, logcdf=_truncnorm_logcdf, logsf=_truncnorm_logsf,
        ppf=_truncnorm_ppf, isf=lambda q, a, b: -_truncnorm_ppf(q, -b, -a),
        cdf=lambda z, a, b: np.exp(_truncnorm_logcdf(z, a, b)), sf=lambda z, a, b: np.exp(_truncnorm_logsf(z, a, b)),
    ),
    "skewnorm": Row(lambda z, a: log(2) + _normal(z) + special.log_ndtr(a * z)),
    "t": Row(
        lambda z, df: -np.log(df) / 2 - special.betaln(df / 2, 0.5) - (df + 1) / 2 * np.log1p(z**2 / df), positive,
        cdf=lambda z, df: special.stdtr(df, z), sf=lambda z, df: special.stdtr(df, -z),
        ppf=lambda q, df: special.stdtrit(df, q), isf=lambda q, df: -special.stdtrit(df, q),
        mean=lambda df: _where_more(df, 1.0, lambda df: 0.0 * df),
        var=lambda df: np.where(df > 1, _where_more(df, 2.0, lambda df: df / (df - 2)), np.nan),
    ),
    "cauchy": Row(
        lambda z: -log(pi) - np.log1p(z**2), cdf=lambda z: np.arctan2(1.0, -z) / pi,
        sf=lambda z: np.arctan2(1.0, z) / pi, entropy=lambda: log(4 * pi),
        ppf=lambda q: -np.cos(pi * q) / np.sin(pi * q), isf=lambda q: np.cos(pi * q) / np.sin(pi * q),
    ),
    "halfcauchy": Row(
        lambda z: log(2 / pi) - np.log1p(z**2), low=0.0, cdf=lambda z: 2 / pi * np.arctan(z),
        sf=lambda z: 2 / pi * np.arctan2(1.0, z), isf=lambda q: 1 / np.tan(pi / 2 * q),
        ppf=lambda q: 1 / np.tan(pi / 2 * (1 - q)), entropy=lambda: _LOG_2PI,
    ),
    "laplace": Row(
        lambda z: -log(2) - np.abs(z), cdf=_laplace_cdf, sf=lambda z: _laplace_cdf(-z), logcdf=_laplace_logcdf,
        logsf=lambda z: _laplace_logcdf(-z), ppf=_laplace_ppf, isf=lambda q: -_laplace_ppf(q),
        mean=lambda: 0.0, var=lambda: 2.0, entropy=lambda: 1 + log(2),
    ),
    "logistic": Row(
        lambda z: 2 * special.log_expit(z) - z, cdf=special.expit, sf=lambda z: special.expit(-z),
        logcdf=special.log_expit, logsf=lambda z: special.log_expit(-z),
        ppf=special.logit, isf=lambda q: -special.logit(q),
        mean=lambda: 0.0, var=lambda: pi**2 / 3, entropy=lambda: 2.0,
    ),
    "gumbel_r": Row(
        lambda z: -z - np.exp(-z), cdf=lambda z: np.exp(-np.exp(-z)), sf=lambda z: -np.expm1(-np.exp(-z)),
        logcdf=lambda z: -np.exp(-z), ppf=lambda q: -np.log(-np.log(q)), isf=lambda q: -np.log(-np.log1p(-q)),
        mean=lambda: _EULER, var=lambda: pi**2 / 6, entropy=lambda: _EULER + 1,
    ),
    "gumbel_l": Row(
        lambda z: z - np.exp(z), cdf=lambda z: -np.expm1(-np.exp(z)), sf=lambda z: np.exp(-np.exp(z)),
        logsf=lambda z: -np.exp(z), ppf=lambda q: np.log(-np.log1p(-q)), isf=lambda q: np.log(-np.log(q)),
        mean=lambda: -_EULER, var=lambda: pi**2 / 6, entropy=lambda: _EULER + 1,
    ),
    "expon": Row(
        lambda z: -z, low=0.0, cdf=lambda z: -np.expm1(-z), sf=lambda z: np.exp(-z), logsf=lambda z: -z,
        ppf=lambda q: -np.log1p(-q), isf=lambda q: -np.log(q), mean=lambda: 1.0, var=lambda: 1.0, entropy=lambda: 1.0,
    ),
    "gamma": Row(
        lambda z, a: special.xlogy(a - 1, z) - z - special.gammaln(a), positive, low=0.0,
        cdf=lambda z, a: special.gammainc(a, z), sf=lambda z, a: special.gammaincc(a, z),
        ppf=lambda q, a: special.gammaincinv(a, q), isf=lambda q, a: special.gammainccinv(a, q),
        mean=lambda a: a, var=lambda a: a, entropy=lambda a: special.digamma(a) * (1 - a) + a + special.gammaln(a),
    ),
    "chi2": Row(
        lambda z, df: special.xlogy(df / 2 - 1, z) - z / 2 - special.gammaln(df / 2) - log(2) / 2 * df, positive,
        low=0.0, cdf=lambda z, df: special.gammainc(df / 2, z / 2), sf=lambda z, df: special.gammaincc(df / 2, z / 2),
        ppf=lambda q, df: 2 * special.gammaincinv(df / 2, q), isf=lambda q, df: 2 * special.gammainccinv(df / 2, q),
        mean=lambda df: df, var=lambda df: 2 * df,
        entropy=lambda df: df / 2 + log(2) + special.gammaln(df / 2) + (1 - df / 2) * special.digamma(df / 2),
    ),
    "invgamma": Row(
        lambda z, a: -(a + 1) * np.log(z) - special.gammaln(a) - 1 / z, positive, low=0.0, is_open=True,
        cdf=lambda z, a: special.gammaincc(a, 1 / z), sf=lambda z, a: special.gammainc(a, 1 / z),
        ppf=lambda q, a: 1 / special.gammainccinv(a, q), isf=lambda q, a: 1 / special.gammaincinv(a, q),
        mean=lambda a: _where_more(a, 1.0, lambda a: 1 / (a - 1)),
        var=lambda a: _where_more(a, 2.0, lambda a: 1 / (a - 1) ** 2 / (a - 2)),
        entropy=lambda a: a - (a + 1) * special.digamma(a) + special.gammaln(a),
    ),
    "beta": Row(
        lambda z, a, b: special.xlog1py(b - 1, -z) + special.xlogy(a - 1, z) - special.betaln(a, b), positive,
        low=0.0, high=1.0, inner=0.5, cdf=lambda z, a, b: special.betainc(a, b, z),
        sf=lambda z, a, b: special.betaincc(a, b, z),
        ppf=lambda q, a, b: special.betaincinv(a, b, q), isf=lambda q, a, b: special.betainccinv(a, b, q),
        mean=lambda a, b: a / (a + b), var=lambda a, b: a * b / (a + b) ** 2 / (a + b + 1),
        entropy=lambda a, b: special.betaln(a, b) - (a - 1) * special.digamma(a) - (b - 1) * special.digamma(b)
        + (a + b - 2) * special.digamma(a + b),
    ),
    "f": Row(
        _f_logpdf, positive, low=0.0, cdf=lambda z, m, n: special.betainc(m / 2, n / 2, m * z / (n + m * z)),
        sf=lambda z, m, n: special.betainc(n / 2, m / 2, n / (n + m * z)),
        ppf=lambda q, m, n: special.fdtri(m, n, q), isf=lambda q, m, n: 1 / special.fdtri(n, m, q),
        mean=lambda m, n: np.where(m > 0, _where_more(n, 2.0, lambda n: n / (n - 2)), np.nan),
    ),
    "weibull_min": Row(
        lambda z, c: np.log(c) + special.xlogy(c - 1, z) - z**c, positive, low=0.0,
        cdf=lambda z, c: -np.expm1(-(z**c)), sf=lambda z, c: np.exp(-(z**c)), logsf=lambda z, c: -(z**c),
        ppf=lambda q, c: (-np.log1p(-q)) ** (1 / c), isf=lambda q, c: (-np.log(q)) ** (1 / c),
        mean=lambda c: special.gamma(1 + 1 / c),
        var=lambda c: special.gamma(1 + 2 / c) - special.gamma(1 + 1 / c) ** 2,
        entropy=lambda c: -_EULER / c - np.log(c) + _EULER + 1,
    ),
    "pareto": Row(
        lambda z, b: np.log(b) - (b + 1) * np.log(z), positive, low=1.0, inner=2.0,
        cdf=lambda z, b: -np.expm1(-b * np.log(z)), sf=lambda z, b: z**-b, logsf=lambda z, b: -b * np.log(z),
        ppf=lambda q, b: (1 - q) ** (-1 / b), isf=lambda q, b: q ** (-1 / b),
        mean=lambda b: _where_more(b, 1.0, lambda b: b / (b - 1)),
        var=lambda b: _where_more(b, 2.0, lambda b: b / (b - 1) ** 2 / (b - 2)),
        entropy=lambda b: 1 + 1 / b - np.log(b),
    ),
    "uniform": Row(
        lambda z: 0.0 * z, low=0.0, high=1.0, inner=0.5, cdf=lambda z: z, sf=lambda z: 1 - z, ppf=lambda q: q,
        isf=lambda q: 1 - q, mean=lambda: 0.5, var=lambda: 1 / 12, entropy=lambda: 0.0,
    ),
    "rayleigh": Row(
        lambda z: np.log(z) - z**2 / 2, low=0.0, is_open=True, cdf=lambda z: -np.expm1(-(z**2) / 2),
        sf=lambda z: np.exp(-(z**2) / 2), logsf=lambda z: -(z**2) / 2, ppf=lambda q: np.sqrt(-2 * np.log1p(-q)),
        isf=lambda q: np.sqrt(-2 * np.log(q)), mean=lambda: sqrt(pi / 2), var=lambda: (4 - pi) / 2,
        entropy=lambda: _EULER / 2 + 1 - log(2) / 2,
    ),
    "vonmises": Row(
        lambda z, kappa: kappa * special.cosm1(z) - _LOG_2PI - np.log(special.i0e(kappa)), lambda kappa: (kappa >= 0,)
    ),
    "invgauss": Row(
        lambda z, mu: -_HALF_LOG_2PI - 1.5 * np.log(z) - ((z - mu) / mu) ** 2 / (2 * z), positive,
        low=0.0, is_open=True, mean=lambda mu: mu, var=lambda mu: mu**3,
    ),
    "lomax": Row(
        lambda z, c: np.log(c) - (c + 1) * np.log1p(z), positive, low=0.0,
        cdf=lambda z, c: -np.expm1(-c * np.log1p(z)), sf=lambda z, c: np.exp(-c * np.log1p(z)),
        logsf=lambda z, c: -c * np.log1p(z),
        ppf=lambda q, c: np.expm1(-np.log1p(-q) / c), isf=lambda q, c: np.expm1(-np.log(q) / c),
        entropy=lambda c: 1 + 1 / c - np.log(c),
    ),
    "fisk": Row(
        lambda z, c: np.log(c) + special.xlogy(c - 1, z) - 2 * np.log1p(z**c), positive, low=0.0,
        cdf=lambda z, c: 1 / (1 + z**-c), sf=lambda z, c: 1 / (1 + z**c), logsf=lambda z, c: -np.log1p(z**c),
        ppf=lambda q, c: (q / (1 - q)) ** (1 / c), isf=lambda q, c: ((1 - q) / q) ** (1 / c),
    ),
}  # fmt: skip


def _share(p: Any) -> tuple:
    return p >= 0, p <= 1


DISCRETE: dict[str, Row] = {
    "poisson": Row(
        lambda k, mu: special.xlogy(k, mu) - special.gammaln(k + 1) - mu, lambda mu: (mu >= 0,), low=0.0,
        cdf=lambda k, mu: special.gammaincc(k + 1, mu), sf=lambda k, mu: special.gammainc(k + 1, mu),
        mean=lambda mu: mu, var=lambda mu: mu, discrete=True,
    ),
    "binom": Row(
        lambda k, n, p: _log_choose(n, k) + special.xlogy(k, p) + special.xlog1py(n - k, -p),
        lambda n, p: (n >= 0, np.floor(n) == n, *_share(p)), low=0.0, high=lambda n, p: n, inner=0.0,
        cdf=lambda k, n, p: special.betainc(n - k, k + 1, 1 - p), sf=lambda k, n, p: special.betainc(k + 1, n - k, p),
        mean=lambda n, p: n * p, var=lambda n, p: n * p * (1 - p), discrete=True,
    ),
    "bernoulli": Row(
        lambda k, p: special.xlogy(k, p) + special.xlog1py(1 - k, -p), _share, low=0.0, high=1.0, inner=0.0,
        cdf=lambda k, p: 1 - p, sf=lambda k, p: p, mean=lambda p: p, var=lambda p: p * (1 - p),
        entropy=lambda p: special.entr(p) + special.entr(1 - p), discrete=True,
    ),
    "nbinom": Row(
        lambda k, n, p: special.gammaln(n + k) - special.gammaln(k + 1) - special.gammaln(n) + n * np.log(p)
        + special.xlog1py(k, -p),
        lambda n, p: (n > 0, p > 0, p <= 1), low=0.0, cdf=lambda k, n, p: special.betainc(n, k + 1, p),
        sf=lambda k, n, p: special.betaincc(n, k + 1, p),
        mean=lambda n, p: n * (1 - p) / p, var=lambda n, p: n * (1 - p) / p**2, discrete=True,
    ),
    "geom": Row(
        lambda k, p: special.xlog1py(k - 1, -p) + np.log(p), lambda p: (p > 0, p <= 1), low=1.0,
        cdf=lambda k, p: -np.expm1(special.xlog1py(k, -p)), sf=lambda k, p: np.exp(special.xlog1py(k, -p)),
        logsf=lambda k, p: special.xlog1py(k, -p), mean=lambda p: 1 / p, var=lambda p: (1 - p) / p**2, discrete=True,
    ),
    "betabinom": Row(
        lambda k, n, a, b: special.betaln(k + a, n - k + b) - special.betaln(a, b) - np.log(n + 1)
        - special.betaln(n - k + 1, k + 1),
        lambda n, a, b: (n >= 0, np.floor(n) == n, a > 0, b > 0), low=0.0, high=lambda n, a, b: n, inner=0.0,
        mean=lambda n, a, b: n * a / (a + b), discrete=True,
    ),
}  # fmt: skip
