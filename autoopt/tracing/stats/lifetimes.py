"""More distributions of scipy.stats: lifetimes, extremes, sizes; rows as in `densities.py`, and the table of all."""

from __future__ import annotations

from math import log, pi, sqrt
from typing import Any

import numpy as np
import scipy.special as special

from autoopt.tracing.stats.densities import CONTINUOUS, DISCRETE, Row, positive

_HALF_LOG_2PI = log(2 * pi) / 2


def _reduced(z: Any, c: Any) -> Any:
    """log(1 + c z) / c; near c z = 0 as z F(1, 1; 2; -c z), whose derivatives in c need no division by it."""
    u = c * z
    near = np.abs(u) < 0.1
    far = np.where(near, 1.0, u)
    return z * np.where(near, special.hyp2f1(1.0, 1.0, 2.0, -np.where(near, u, 0.0)), np.log1p(far) / far)


def _or_one(side: Any) -> Any:
    """The length of a side of a triangle; 1 where there is no such side, as a divisor."""
    return np.where(side > 0, side, 1.0)


def _fatigue(u: Any) -> Any:
    """The z of u = sqrt(z) - 1 / sqrt(z)."""
    return (u / 2 + np.hypot(u / 2, 1.0)) ** 2


def _extreme(z: Any, c: Any) -> Any:
    """The standard Gumbel value of a generalised extreme one."""
    return -_reduced(z, -c)


LIFETIMES: dict[str, Row] = {
    "genpareto": Row(
        lambda z, c: -(c + 1) * _reduced(z, c), low=0.0,
        high=lambda c: np.where(c < 0, -1 / np.where(c < 0, c, -1.0), np.inf), inner=0.0,
        cdf=lambda z, c: -np.expm1(-_reduced(z, c)), sf=lambda z, c: np.exp(-_reduced(z, c)),
        logsf=lambda z, c: -_reduced(z, c), ppf=lambda q, c: -special.boxcox1p(-q, -c),
        isf=lambda q, c: -special.boxcox(q, -c),
    ),
    "genextreme": Row(
        lambda z, c: _extreme(z, c) * (1 - c) - np.exp(_extreme(z, c)),
        low=lambda c: np.where(c < 0, 1 / np.where(c < 0, c, -1.0), -np.inf),
        high=lambda c: np.where(c > 0, 1 / np.where(c > 0, c, 1.0), np.inf), inner=0.0, is_open=True,
        cdf=lambda z, c: np.exp(-np.exp(_extreme(z, c))), sf=lambda z, c: -np.expm1(-np.exp(_extreme(z, c))),
        logcdf=lambda z, c: -np.exp(_extreme(z, c)), ppf=lambda q, c: -special.boxcox(-np.log(q), c),
        isf=lambda q, c: -special.boxcox(-np.log1p(-q), c),
    ),
    "gompertz": Row(
        lambda z, c: np.log(c) + z - c * np.expm1(z), positive, low=0.0, cdf=lambda z, c: -np.expm1(-c * np.expm1(z)),
        sf=lambda z, c: np.exp(-c * np.expm1(z)), logsf=lambda z, c: -c * np.expm1(z),
        ppf=lambda q, c: np.log1p(-np.log1p(-q) / c), isf=lambda q, c: np.log1p(-np.log(q) / c),
    ),
    "exponweib": Row(
        lambda z, a, c: np.log(a) + np.log(c) + special.xlogy(a - 1, -np.expm1(-(z**c))) - z**c
        + special.xlogy(c - 1, z),
        positive, low=0.0, cdf=lambda z, a, c: (-np.expm1(-(z**c))) ** a,
        logcdf=lambda z, a, c: a * np.log(-np.expm1(-(z**c))),
        ppf=lambda q, a, c: (-np.log(-np.expm1(np.log(q) / a))) ** (1 / c),
        isf=lambda q, a, c: (-np.log(-np.expm1(np.log1p(-q) / a))) ** (1 / c),
    ),
    "gengamma": Row(
        lambda z, a, c: np.log(np.abs(c)) + special.xlogy(c * a - 1, z) - z**c - special.gammaln(a),
        lambda a, c: (a > 0, c != 0), low=0.0,
    ),
    "invweibull": Row(
        lambda z, c: np.log(c) - (c + 1) * np.log(z) - z**-c, positive, low=0.0, is_open=True,
        cdf=lambda z, c: np.exp(-(z**-c)), sf=lambda z, c: -np.expm1(-(z**-c)), logcdf=lambda z, c: -(z**-c),
        ppf=lambda q, c: (-np.log(q)) ** (-1 / c), isf=lambda q, c: (-np.log1p(-q)) ** (-1 / c),
    ),
    "weibull_max": Row(
        lambda z, c: np.log(c) + special.xlogy(c - 1, -z) - (-z) ** c, positive, high=0.0, inner=-1.0,
        cdf=lambda z, c: np.exp(-((-z) ** c)), logcdf=lambda z, c: -((-z) ** c),
        sf=lambda z, c: -np.expm1(-((-z) ** c)), ppf=lambda q, c: -((-np.log(q)) ** (1 / c)),
    ),
    "burr12": Row(
        lambda z, c, d: np.log(c) + np.log(d) + special.xlogy(c - 1, z) - (d + 1) * np.log1p(z**c), positive, low=0.0,
        cdf=lambda z, c, d: -np.expm1(-d * np.log1p(z**c)), sf=lambda z, c, d: np.exp(-d * np.log1p(z**c)),
        logsf=lambda z, c, d: -d * np.log1p(z**c),
        ppf=lambda q, c, d: np.expm1(-np.log1p(-q) / d) ** (1 / c),
        isf=lambda q, c, d: np.expm1(-np.log(q) / d) ** (1 / c),
    ),
    "loguniform": Row(
        lambda z, a, b: -np.log(z) - np.log(np.log(b) - np.log(a)), lambda a, b: (a > 0, b > a),
        low=lambda a, b: a, high=lambda a, b: b, inner=lambda a, b: a,
        cdf=lambda z, a, b: (np.log(z) - np.log(a)) / (np.log(b) - np.log(a)),
        ppf=lambda q, a, b: np.exp(np.log(a) + q * (np.log(b) - np.log(a))),
    ),
    "powerlaw": Row(
        lambda z, a: np.log(a) + special.xlogy(a - 1, z), positive, low=0.0, high=1.0, inner=0.5,
        cdf=lambda z, a: z**a, logcdf=lambda z, a: a * np.log(z), ppf=lambda q, a: q ** (1 / a),
    ),
    "maxwell": Row(
        lambda z: log(2 / pi) / 2 + 2 * np.log(z) - z**2 / 2, low=0.0, is_open=True,
        cdf=lambda z: special.gammainc(1.5, z**2 / 2), sf=lambda z: special.gammaincc(1.5, z**2 / 2),
        ppf=lambda q: np.sqrt(2 * special.gammaincinv(1.5, q)), isf=lambda q: np.sqrt(2 * special.gammainccinv(1.5, q)),
    ),
    "chi": Row(
        lambda z, df: log(2) - df / 2 * log(2) - special.gammaln(df / 2) + special.xlogy(df - 1, z) - z**2 / 2,
        positive, low=0.0, cdf=lambda z, df: special.gammainc(df / 2, z**2 / 2),
        sf=lambda z, df: special.gammaincc(df / 2, z**2 / 2),
        ppf=lambda q, df: np.sqrt(2 * special.gammaincinv(df / 2, q)),
        isf=lambda q, df: np.sqrt(2 * special.gammainccinv(df / 2, q)),
    ),
    "levy": Row(
        lambda z: -_HALF_LOG_2PI - 1.5 * np.log(z) - 1 / (2 * z), low=0.0, is_open=True,
        cdf=lambda z: special.erfc(np.sqrt(0.5 / z)), sf=lambda z: special.erf(np.sqrt(0.5 / z)),
        ppf=lambda q: 1 / special.ndtri(q / 2) ** 2, isf=lambda q: 0.5 / special.erfinv(q) ** 2,
    ),
    "nakagami": Row(
        lambda z, nu: log(2) + special.xlogy(nu, nu) - special.gammaln(nu) + special.xlogy(2 * nu - 1, z) - nu * z**2,
        positive, low=0.0, cdf=lambda z, nu: special.gammainc(nu, nu * z**2),
        sf=lambda z, nu: special.gammaincc(nu, nu * z**2),
        ppf=lambda q, nu: np.sqrt(special.gammaincinv(nu, q) / nu),
        isf=lambda q, nu: np.sqrt(special.gammainccinv(nu, q) / nu),
    ),
    "moyal": Row(
        lambda z: -(z + np.exp(-z)) / 2 - _HALF_LOG_2PI, cdf=lambda z: special.erfc(np.exp(-z / 2) / sqrt(2)),
        sf=lambda z: special.erf(np.exp(-z / 2) / sqrt(2)),
        ppf=lambda q: -np.log(2 * special.erfcinv(q) ** 2), isf=lambda q: -np.log(2 * special.erfinv(q) ** 2),
    ),
    "halflogistic": Row(
        lambda z: log(2) - z - 2 * np.log1p(np.exp(-z)), low=0.0, cdf=lambda z: np.tanh(z / 2),
        ppf=lambda q: 2 * np.arctanh(q), isf=lambda q: np.log((2 - q) / q),
    ),
    "hypsecant": Row(
        lambda z: log(2 / pi) - np.logaddexp(z, -z),
        cdf=lambda z: 2 / pi * np.arctan(np.exp(z)), sf=lambda z: 2 / pi * np.arctan(np.exp(-z)),
        ppf=lambda q: np.log(np.tan(pi / 2 * q)), isf=lambda q: -np.log(np.tan(pi / 2 * q)),
    ),
    "genlogistic": Row(lambda z, c: np.log(c) - z - (c + 1) * np.logaddexp(0.0, -z), positive,
        cdf=lambda z, c: np.exp(-c * np.logaddexp(0.0, -z)), ppf=lambda q, c: -np.log(np.expm1(-np.log(q) / c)),
    ),
    "gennorm": Row(lambda z, beta: np.log(beta / 2) - special.gammaln(1 / beta) - np.abs(z) ** beta, positive),
    "betaprime": Row(
        lambda z, a, b: special.xlogy(a - 1, z) - special.xlog1py(a + b, z) - special.betaln(a, b), positive, low=0.0,
        ppf=lambda q, a, b: special.betaincinv(a, b, q) / special.betainccinv(b, a, q),
        isf=lambda q, a, b: special.betainccinv(a, b, q) / special.betaincinv(b, a, q),
    ),
    "johnsonsu": Row(
        lambda z, a, b: np.log(b) - np.log1p(z**2) / 2 - (a + b * np.arcsinh(z)) ** 2 / 2 - _HALF_LOG_2PI,
        lambda a, b: (b > 0,), cdf=lambda z, a, b: special.ndtr(a + b * np.arcsinh(z)),
        sf=lambda z, a, b: special.ndtr(-a - b * np.arcsinh(z)),
        ppf=lambda q, a, b: np.sinh((special.ndtri(q) - a) / b),
        isf=lambda q, a, b: np.sinh((-special.ndtri(q) - a) / b),
    ),
    "laplace_asymmetric": Row(
        lambda z, kappa: -np.where(z >= 0, z * kappa, -z / kappa) - np.log(kappa + 1 / kappa), positive,
    ),
    "wald": Row(
        lambda z: -_HALF_LOG_2PI - 1.5 * np.log(z) - (z - 1) ** 2 / (2 * z), low=0.0, is_open=True,
    ),
    "gibrat": Row(
        lambda z: -np.log(z) ** 2 / 2 - np.log(z) - _HALF_LOG_2PI, low=0.0, is_open=True,
        cdf=lambda z: special.ndtr(np.log(z)), sf=lambda z: special.ndtr(-np.log(z)),
        ppf=lambda q: np.exp(special.ndtri(q)), isf=lambda q: np.exp(-special.ndtri(q)),
    ),
    "rice": Row(
        lambda z, b: np.log(z) - (z - b) ** 2 / 2 + np.log(special.i0e(z * b)), lambda b: (b >= 0,), low=0.0,
        is_open=True,
    ),
    "foldnorm": Row(
        lambda z, c: log(2 / pi) / 2 - (z**2 + c**2) / 2 + np.logaddexp(c * z, -c * z) - log(2), lambda c: (c >= 0,),
        low=0.0, cdf=lambda z, c: special.ndtr(z - c) - special.ndtr(-z - c),
    ),
    "truncexpon": Row(
        lambda z, b: -z - np.log(-np.expm1(-b)), positive, low=0.0, high=lambda b: b, inner=0.0,
        cdf=lambda z, b: np.expm1(-z) / np.expm1(-b), ppf=lambda q, b: -np.log1p(q * np.expm1(-b)),
    ),
    "dgamma": Row(
        lambda z, a: special.xlogy(a - 1, np.abs(z)) - log(2) - special.gammaln(a) - np.abs(z), positive,
    ),
    "dweibull": Row(
        lambda z, c: np.log(c) - log(2) + special.xlogy(c - 1, np.abs(z)) - np.abs(z) ** c, positive,
    ),
    "loglaplace": Row(
        lambda z, c: np.log(c / 2) - np.log(z) - c * np.abs(np.log(z)), positive, low=0.0, is_open=True,
    ),
    "skewcauchy": Row(
        lambda z, a: -log(pi) - np.log1p(z**2 / (1 + a * np.sign(z)) ** 2), lambda a: (a > -1, a < 1),
    ),
    "triang": Row(
        lambda z, c: log(2) + np.where(z < c, np.log(z / _or_one(c)), np.log((1 - z) / _or_one(1 - c))),
        lambda c: (c >= 0, c <= 1), low=0.0, high=1.0, inner=0.5,
        cdf=lambda z, c: np.where(z < c, z**2 / _or_one(c), 1 - (1 - z) ** 2 / _or_one(1 - c)),
        mean=lambda c: (1 + c) / 3, var=lambda c: (1 - c + c**2) / 18,
    ),
    "exponnorm": Row(
        lambda z, K: -np.log(K) + 1 / (2 * K**2) - z / K + special.log_ndtr(z - 1 / K), positive,
        cdf=lambda z, K: special.ndtr(z) - np.exp(1 / (2 * K**2) - z / K + special.log_ndtr(z - 1 / K)),
        sf=lambda z, K: special.ndtr(-z) + np.exp(1 / (2 * K**2) - z / K + special.log_ndtr(z - 1 / K)),
        mean=lambda K: K, var=lambda K: 1 + K**2,
    ),
    "arcsine": Row(
        lambda z: -log(pi) - np.log(z) / 2 - np.log1p(-z) / 2, low=0.0, high=1.0, inner=0.5,
        cdf=lambda z: 2 / pi * np.arcsin(np.sqrt(z)), ppf=lambda q: np.sin(pi / 2 * q) ** 2,
        mean=lambda: 0.5, var=lambda: 0.125,
    ),
    "bradford": Row(
        lambda z, c: np.log(c) - np.log1p(c * z) - np.log(np.log1p(c)), positive, low=0.0, high=1.0, inner=0.5,
        cdf=lambda z, c: np.log1p(c * z) / np.log1p(c), ppf=lambda q, c: np.expm1(q * np.log1p(c)) / c,
    ),
    "semicircular": Row(lambda z: log(2 / pi) + np.log1p(-(z**2)) / 2, low=-1.0, high=1.0, inner=0.0,
        cdf=lambda z: 0.5 + (z * np.sqrt(1 - z**2) + np.arcsin(z)) / pi, mean=lambda: 0.0, var=lambda: 0.25,
    ),
    "loggamma": Row(lambda z, c: c * z - np.exp(z) - special.gammaln(c), positive,
        mean=lambda c: special.digamma(c), ppf=lambda q, c: np.log(special.gammaincinv(c, q)),
        isf=lambda q, c: np.log(special.gammainccinv(c, q)),
    ),
    "fatiguelife": Row(
        lambda z, c: np.log1p(z) - (z - 1) ** 2 / (2 * z * c**2) - log(2) - _HALF_LOG_2PI - np.log(c) - 1.5 * np.log(z),
        positive, low=0.0, is_open=True, cdf=lambda z, c: special.ndtr((np.sqrt(z) - 1 / np.sqrt(z)) / c),
        sf=lambda z, c: special.ndtr((1 / np.sqrt(z) - np.sqrt(z)) / c),
        ppf=lambda q, c: _fatigue(c * special.ndtri(q)), isf=lambda q, c: _fatigue(-c * special.ndtri(q)),
    ),
    "halfgennorm": Row(lambda z, beta: np.log(beta) - special.gammaln(1 / beta) - z**beta, positive, low=0.0),
    "burr": Row(
        lambda z, c, d: np.log(c) + np.log(d) + special.xlogy(c * d - 1, z) - (d + 1) * np.log1p(z**c), positive,
        low=0.0, is_open=True, logcdf=lambda z, c, d: -d * np.log1p(z**-c), cdf=lambda z, c, d: (1 + z**-c) ** -d,
        ppf=lambda q, c, d: np.expm1(-np.log(q) / d) ** (-1 / c),
        isf=lambda q, c, d: np.expm1(-np.log1p(-q) / d) ** (-1 / c),
    ),
    "johnsonsb": Row(
        lambda z, a, b: np.log(b) - np.log(z) - np.log1p(-z) - (a + b * special.logit(z)) ** 2 / 2 - _HALF_LOG_2PI,
        lambda a, b: (b > 0,), low=0.0, high=1.0, inner=0.5, is_open=True,
        cdf=lambda z, a, b: special.ndtr(a + b * special.logit(z)),
        sf=lambda z, a, b: special.ndtr(-a - b * special.logit(z)),
        ppf=lambda q, a, b: special.expit((special.ndtri(q) - a) / b),
        isf=lambda q, a, b: special.expit((-special.ndtri(q) - a) / b),
    ),
    "powernorm": Row(
        lambda z, c: np.log(c) - z**2 / 2 - _HALF_LOG_2PI + (c - 1) * special.log_ndtr(-z), positive,
        logsf=lambda z, c: c * special.log_ndtr(-z), sf=lambda z, c: np.exp(c * special.log_ndtr(-z)),
        cdf=lambda z, c: -np.expm1(c * special.log_ndtr(-z)),
        ppf=lambda q, c: -special.ndtri_exp(np.log1p(-q) / c), isf=lambda q, c: -special.ndtri_exp(np.log(q) / c),
    ),
}  # fmt: skip

COUNTS: dict[str, Row] = {
    "logser": Row(
        lambda k, p: special.xlogy(k, p) - np.log(k) - np.log(-np.log1p(-p)), lambda p: (p > 0, p < 1), low=1.0,
        discrete=True,
    ),
    "planck": Row(
        lambda k, lambda_: np.log(-np.expm1(-lambda_)) - lambda_ * k, positive, low=0.0,
        cdf=lambda k, lambda_: -np.expm1(-lambda_ * (k + 1)), sf=lambda k, lambda_: np.exp(-lambda_ * (k + 1)),
        logsf=lambda k, lambda_: -lambda_ * (k + 1), discrete=True,
    ),
    "yulesimon": Row(
        lambda k, alpha: np.log(alpha) + special.betaln(k, alpha + 1), positive, low=1.0, discrete=True,
    ),
    "skellam": Row(
        lambda k, mu1, mu2: -((np.sqrt(mu1) - np.sqrt(mu2)) ** 2) + k / 2 * (np.log(mu1) - np.log(mu2))
        + np.log(special.ive(np.abs(k), 2 * np.sqrt(mu1 * mu2))),
        positive, mean=lambda mu1, mu2: mu1 - mu2, var=lambda mu1, mu2: mu1 + mu2, discrete=True,
    ),
}  # fmt: skip

SAME = {"reciprocal": LIFETIMES["loguniform"]}
DISTRIBUTIONS: dict[str, Row] = CONTINUOUS | LIFETIMES | DISCRETE | COUNTS | SAME
