"""scipy.special: stable through two derivatives, at +-1000 and where a factor vanishes."""

from __future__ import annotations

from math import log, pi, sqrt
from typing import Any

import numpy as np
import pytensor.tensor as pt
import scipy.special as special
from pytensor.gradient import disconnected_grad

from autoopt.ops import bessel, incomplete
from autoopt.ops import special_scalars as scalars
from autoopt.ops.operands import axes, real, shape, static, tensor
from autoopt.ops.scalars import cbrt
from autoopt.rules import scipy_analytic
from autoopt.rules.reductions import total
from autoopt.rules.table import Unsupported, rule


def _by_power(y: Any, scale: Any) -> Any:
    """log(1 + l y) / l, near l y = 0 as y F(1, 1; 2; -l y), whose derivatives in l need no division by it."""
    u = scale * y
    near = pt.lt(pt.abs(u), 0.1)
    far = pt.switch(near, 1.0, u)
    small = scalars.hyp2f1(tensor(1.0), tensor(1.0), tensor(2.0), -pt.switch(near, u, 0.0))
    return y * pt.switch(near, small, pt.log1p(far) / far)


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
    special.cbrt: cbrt,
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
    special.spence: scalars.spence,
    special.ellipk: scalars.ellipk,
    special.ellipkm1: lambda p: scalars.ellipk(1 - p),
    special.ellipe: scalars.ellipe,
    special.k0e: scalars.k0e,
    special.k1e: scalars.k1e,
    special.wrightomega: scalars.wrightomega,
    special.powm1: scalars.powm1,
    special.owens_t: scalars.owens_t,
    special.ndtri_exp: scalars.ndtri_exp,
    special.sindg: lambda x: pt.sin(x * tensor(pi / 180)),
    special.cosdg: lambda x: pt.cos(x * tensor(pi / 180)),
    special.tandg: lambda x: pt.tan(x * tensor(pi / 180)),
    special.cotdg: lambda x: 1 / pt.tan(x * tensor(pi / 180)),
    special.radian: lambda d, m, s: (d + m / 60 + s / 3600) * tensor(pi / 180),
    special.inv_boxcox: lambda y, l: pt.exp(_by_power(y, l)),
    special.inv_boxcox1p: lambda y, l: pt.expm1(_by_power(y, l)),
    special.agm: lambda a, b: pi / 4 * (a + b) / scalars.ellipk(pt.sqr((a - b) / (a + b))),
    special.poch: lambda z, m: pt.exp(scalars.gammaln(z + m) - scalars.gammaln(z)),
    special.gdtr: lambda a, b, x: incomplete.gammainc(b, a * x),
    special.gdtrc: lambda a, b, x: incomplete.gammaincc(b, a * x),
    special.chdtr: lambda v, x: incomplete.gammainc(v / 2, x / 2),
    special.chdtrc: lambda v, x: incomplete.gammaincc(v / 2, x / 2),
    special.fdtr: lambda dfn, dfd, x: incomplete.betainc(dfn / 2, dfd / 2, dfn * x / (dfd + dfn * x)),
    special.kv: bessel.kv,
    special.kve: bessel.kve,
    special.gammaincinv: incomplete.gammaincinv,
    special.gammainccinv: incomplete.gammainccinv,
    special.betaincinv: incomplete.betaincinv,
    special.betainccinv: incomplete.betainccinv,
    special.stdtrit: incomplete.stdtrit,
    special.chdtri: lambda v, p: 2 * incomplete.gammainccinv(v / 2, p),
    special.gdtrix: lambda a, b, p: incomplete.gammaincinv(b, p) / a,
    special.fdtri: lambda m, n, p: (
        n / m * incomplete.betaincinv(m / 2, n / 2, p) / incomplete.betainccinv(n / 2, m / 2, p)
    ),
    special.fdtrc: lambda dfn, dfd, x: incomplete.betainc(dfd / 2, dfn / 2, dfd / (dfd + dfn * x)),
}.items():
    rule(function)(expression)

for function, expression in {
    special.iv: scalars.iv,
    special.ive: scalars.ive,
    special.jv: scalars.jv,
    special.yv: scalars.yv,
    special.kn: lambda n, x: scalars.kv(pt.trunc(n), x),
    special.jn: scalars.jv,
    special.expn: scalars.expn,
    special.hyp1f1: scalars.hyp1f1,
    special.hyp2f1: scalars.hyp2f1,
    special.struve: scalars.struve,
    special.modstruve: scalars.modstruve,
    special.eval_jacobi: scalars.jacobi,
    special.eval_gegenbauer: scalars.gegenbauer,
    special.eval_genlaguerre: scalars.genlaguerre,
    special.eval_laguerre: scalars.laguerre,
    special.eval_legendre: scalars.legendre,
    special.eval_chebyt: scalars.chebyt,
    special.eval_chebyu: scalars.chebyu,
    special.eval_chebyc: lambda n, x: 2 * scalars.chebyt(n, x / 2),
    special.eval_chebys: lambda n, x: scalars.chebyu(n, x / 2),
    special.eval_sh_legendre: lambda n, x: scalars.legendre(n, 2 * x - 1),
    special.eval_sh_chebyt: lambda n, x: scalars.chebyt(n, 2 * x - 1),
    special.eval_sh_chebyu: lambda n, x: scalars.chebyu(n, 2 * x - 1),
    special.hyp0f1: scalars.hyp0f1,
    special.hyperu: scalars.hyperu,
    special.yn: lambda n, x: scalars.yv(pt.trunc(n), x),
    special.nbdtr: lambda k, n, p: incomplete.betainc(n, pt.floor(k) + 1, p),
    special.nbdtrc: lambda k, n, p: incomplete.betainc(pt.floor(k) + 1, n, 1 - p),
}.items():
    rule(function, note="differentiable in the last argument")(expression)


for function, expression in {special.ellipkinc: scalars.ellipkinc, special.ellipeinc: scalars.ellipeinc}.items():
    rule(function, note="differentiable in phi")(expression)

for function, expression in {special.round: pt.round_half_to_even}.items():
    rule(function, order=0)(expression)


rule(special.gammainc)(incomplete.gammainc)
rule(special.gammaincc)(incomplete.gammaincc)


@rule(special.betainc)
def betainc(a, b, x):
    return incomplete.betainc(a, b, x)


@rule(special.betaincc)
def betaincc(a, b, x):
    return incomplete.betainc(b, a, 1 - x)


rule(special.stdtr)(incomplete.stdtr)


@rule(special.pdtr, note="differentiable in m")
def pdtr(k, m):
    return incomplete.gammaincc(pt.floor(k) + 1, m)


@rule(special.pdtrc, note="differentiable in m")
def pdtrc(k, m):
    return incomplete.gammainc(pt.floor(k) + 1, m)


@rule(special.bdtr, note="differentiable in p")
def bdtr(k, n, p):
    k = pt.floor(k)
    return incomplete.betainc(n - k, k + 1, 1 - p)


@rule(special.bdtrc, note="differentiable in p")
def bdtrc(k, n, p):
    k = pt.floor(k)
    return incomplete.betainc(k + 1, n - k, p)


@rule(special.voigt_profile)
def voigt_profile(x, sigma, gamma):
    """Re w(z) / (sigma sqrt(2 pi)) with z = (x + j gamma) / (sigma sqrt 2), for sigma > 0."""
    scale = sigma * sqrt(2.0)
    return scipy_analytic.faddeeva_real(x / scale, gamma / scale) / (scale * sqrt(pi))


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
        remedy = "keep its argument free of the parameters, or pass jac='finite-difference'"
        raise Unsupported("scipy.special.zeta without q, whose derivative is not known", remedy)
    return scalars.zeta(real(x), real(q))


@rule(special.logsumexp)
def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    """log(sum(b exp(a))), shifted by the largest element, which takes no part in the derivatives since it cancels."""
    a = real(a)
    if b is not None:
        b = real(b)
        common = np.broadcast_shapes(shape(a), shape(b))
        a = a if shape(a) == common else pt.broadcast_to(a, common)
        a = pt.switch(pt.eq(b, 0), -np.inf, a) if static(b) is None or np.any(static(b) == 0) else a
    picked = axes(axis, a.ndim)
    if 0 in shape(a):
        empty = total(a, picked, keepdims=keepdims)
        return (empty - np.inf, empty) if return_sign else empty - np.inf
    top = _top(a, picked)
    terms = pt.exp(a - top) if b is None else b * pt.exp(a - top)
    sums = pt.sum(terms, axis=picked, keepdims=keepdims)
    top = top if keepdims else top.reshape([n for i, n in enumerate(shape(a)) if i not in picked])
    return (pt.log(pt.abs(sums)) + top, pt.sign(sums)) if return_sign else pt.log(sums) + top


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
