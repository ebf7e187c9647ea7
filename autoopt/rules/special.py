"""scipy.special: stable through two derivatives, at +-1000 and where a factor vanishes."""

from __future__ import annotations

from math import log, pi
from typing import Any

import numpy as np
import pytensor.tensor as pt
import scipy.special as special
from pytensor.gradient import disconnected_grad

from autoopt.rules import special_scalars as scalars
from autoopt.rules.operands import axes, real, shape, static, tensor
from autoopt.rules.reductions import total
from autoopt.rules.table import Unsupported, refuse, rule

for function, expression in {
    special.gamma: scalars.gamma,
    special.gammaln: scalars.gammaln,
    special.digamma: scalars.digamma,
    special.rgamma: scalars.rgamma,
    special.beta: scalars.beta,
    special.betaln: scalars.betaln,
    special.erf: pt.erf,
    special.erfc: pt.erfc,
    special.erfcx: scalars.erfcx,
    special.erfi: scalars.erfi,
    special.erfinv: scalars.erfinv,
    special.erfcinv: scalars.erfcinv,
    special.dawsn: scalars.dawsn,
    special.ndtr: scalars.ndtr,
    special.ndtri: scalars.ndtri,
    special.log_ndtr: scalars.log_ndtr,
    special.expit: pt.sigmoid,
    special.logit: scalars.logit,
    special.log_expit: lambda x: -pt.softplus(-x),
    special.exprel: scalars.exprel,
    special.log1p: pt.log1p,
    special.expm1: pt.expm1,
    special.exp2: lambda x: pt.exp(x * tensor(log(2))),
    special.exp10: lambda x: pt.exp(x * tensor(log(10))),
    special.cosm1: lambda x: -2 * pt.sqr(pt.sin(x / 2)),
    special.cbrt: lambda x: pt.sign(x) * pt.pow(pt.abs(x), tensor(1 / 3)),
    special.xlogy: scalars.xlogy,
    special.xlog1py: scalars.xlog1py,
    special.entr: scalars.entr,
    special.rel_entr: scalars.rel_entr,
    special.kl_div: scalars.kl_div,
    special.boxcox: scalars.boxcox,
    special.boxcox1p: scalars.boxcox1p,
    special.huber: scalars.huber,
    special.pseudo_huber: scalars.pseudo_huber,
    special.i0: pt.i0,
    special.i1: pt.i1,
    special.i0e: scalars.i0e,
    special.i1e: scalars.i1e,
    special.j0: pt.j0,
    special.j1: pt.j1,
    special.y0: scalars.y0,
    special.y1: scalars.y1,
    special.k0: scalars.k0,
    special.k1: scalars.k1,
    special.exp1: scalars.exp1,
    special.expi: scalars.expi,
    special.poch: lambda z, m: pt.exp(scalars.gammaln(z + m) - scalars.gammaln(z)),
}.items():
    rule(function)(expression)

for function, expression in {
    special.iv: scalars.iv,
    special.ive: scalars.ive,
    special.kv: scalars.kv,
    special.kve: scalars.kve,
    special.jv: scalars.jv,
    special.yv: scalars.yv,
    special.kn: scalars.kv,
    special.jn: scalars.jv,
    special.expn: scalars.expn,
    special.gammainc: pt.gammainc,
    special.gammaincc: pt.gammaincc,
    special.hyp1f1: scalars.hyp1f1,
}.items():
    rule(function, note="differentiable in the last argument")(expression)


@rule(special.betainc, note="differentiable in x")
def betainc(a, b, x):
    return scalars.betainc(a, b, x)


@rule(special.betaincc, note="differentiable in x")
def betaincc(a, b, x):
    return scalars.betainc(b, a, 1 - x)


@rule(special.stdtr, note="differentiable in t")
def stdtr(df, t):
    return scalars.stdtr(df, t)


@rule(special.pdtr, note="differentiable in m")
def pdtr(k, m):
    return pt.gammaincc(pt.floor(k) + 1, m)


@rule(special.loggamma)
def loggamma(z):
    return scalars.gammaln(z)


@rule(special.binom)
def binom(n, k):
    """n! / (k! (n - k)!), by logarithms, for n > -1 and -1 < k < n + 1."""
    return scalars.binom(n, k)


@rule(special.comb)
def comb(N, k, exact=False):
    if exact:
        raise Unsupported("scipy.special.comb with exact=True", "leave out exact")
    N, k = real(N), real(k)
    inside = pt.and_(pt.le(k, N), pt.and_(pt.ge(N, 0), pt.ge(k, 0)))
    return pt.switch(inside, scalars.binom(N, k), 0.0)


@rule(special.factorial)
def factorial(n, exact=False):
    if exact:
        raise Unsupported("scipy.special.factorial with exact=True", "leave out exact")
    n = real(n)
    return pt.switch(pt.lt(n, 0), 0.0, scalars.gamma(1 + pt.maximum(n, 0)))


@rule(special.polygamma)
def polygamma(n, x):
    x = real(x)
    return scalars.digamma(x) if static(n) is not None and np.all(static(n) == 0) else scalars.polygamma(real(n), x)


@rule(special.multigammaln)
def multigammaln(a, d):
    a = real(a)
    terms = sum(scalars.gammaln(a - j / 2) for j in range(1, d))
    return scalars.gammaln(a) + terms + tensor(d * (d - 1) / 4 * log(pi))


@rule(special.zeta, note="differentiable in q")
def zeta(x, q=None):
    if q is None:
        raise Unsupported("scipy.special.zeta without q", "pass q=1")
    return scalars.zeta(real(x), real(q))


@rule(special.logsumexp)
def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    """log(sum(b exp(a))), shifted by the largest element, which takes no part in the derivatives since it cancels."""
    if return_sign:
        raise Unsupported("scipy.special.logsumexp with return_sign=True", "use weights b that keep the sum positive")
    a = real(a)
    if b is not None:
        b = real(b)
        common = np.broadcast_shapes(shape(a), shape(b))
        a = a if shape(a) == common else pt.broadcast_to(a, common)
        a = pt.switch(pt.eq(b, 0), -np.inf, a) if static(b) is None or np.any(static(b) == 0) else a
    picked = axes(axis, a.ndim)
    if 0 in shape(a):
        return total(a, picked, keepdims=keepdims) - np.inf
    top = _top(a, picked)
    terms = pt.exp(a - top) if b is None else b * pt.exp(a - top)
    out = pt.log(pt.sum(terms, axis=picked, keepdims=keepdims))
    return out + (top if keepdims else top.reshape([n for i, n in enumerate(shape(a)) if i not in picked]))


def _top(a: Any, picked: tuple[int, ...]) -> Any:
    """Return the largest elements of `a` as constants, or 0 where they are infinite."""
    top = disconnected_grad(pt.max(a, axis=picked, keepdims=True) if picked else a)
    return pt.switch(pt.isinf(top), 0.0, top)


@rule(special.softmax)
def softmax(x, axis=None):
    x = real(x)
    picked = axes(axis, x.ndim)
    terms = pt.exp(x - _top(x, picked))
    return terms / pt.sum(terms, axis=picked, keepdims=True)


@rule(special.log_softmax)
def log_softmax(x, axis=None):
    x = real(x)
    picked = axes(axis, x.ndim)
    shifted = x - _top(x, picked)
    return shifted - pt.log(pt.sum(pt.exp(shifted), axis=picked, keepdims=True))


refuse(special.hyp2f1, special.betaincinv, special.gammaincinv, remedy="pass jac='finite-difference'")
