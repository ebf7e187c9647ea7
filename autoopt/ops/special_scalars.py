"""The scalar functions of scipy.special that PyTensor lacks, or differentiates in a way that will not do."""

from __future__ import annotations

from math import log, pi, sqrt
from typing import Any

import pytensor.scalar as ps
from scipy import special

from autoopt.ops.scalars import both, power, scalar


def _safe(condition: Any, y: Any) -> Any:
    """`y` with 1 in its place where `condition`: a divisor for a quotient that is 0 there."""
    return ps.switch(condition, 1.0, y)


def _float(x: float) -> Any:
    return ps.constant(float(x), dtype="float64")


def _erfcx_slope(x: Any, out: Any) -> Any:
    """2 x erfcx(x) - 2 / sqrt(pi)."""
    return 2 * x * out - 2 / sqrt(pi)


erfcx = scalar(special.erfcx, _erfcx_slope)
erfi = scalar(special.erfi, lambda x, out: ps.exp(x * x) * (2 / sqrt(pi)))
erfinv = scalar(special.erfinv, lambda x, out: ps.exp(out * out) * (sqrt(pi) / 2))
erfcinv = scalar(special.erfcinv, lambda x, out: ps.exp(out * out) * (-sqrt(pi) / 2))
logit = scalar(special.logit, lambda x, out: 1 / (x * (1 - x)))


def _density(x: Any, out: Any) -> Any:
    """exp(-x^2 / 2) / sqrt(2 pi), and 0 with all its derivatives where x is infinite."""
    far = ps.isinf(x)
    inside = ps.switch(far, 0.0, x)
    return ps.switch(far, 0.0, ps.exp(-0.5 * inside * inside) * (1 / sqrt(2 * pi)))


ndtr = scalar(special.ndtr, _density)
ndtri = scalar(special.ndtri, lambda x, out: ps.exp(0.5 * out * out) * sqrt(2 * pi))


def _hazard(x: Any, out: Any) -> Any:
    """phi(x) / Phi(x): by erfcx on the left, where Phi vanishes; by logarithms on the right, where erfcx overflows."""
    left = ps.lt(x, 0)
    tail = sqrt(2 / pi) / erfcx.scalar_op(ps.switch(left, x, 0.0) * (-1 / sqrt(2)))
    right = ps.switch(left, 0.0, x)
    return ps.switch(left, tail, ps.exp(-0.5 * right * right - log(2 * pi) / 2 - log_ndtr.scalar_op(right)))


log_ndtr = scalar(special.log_ndtr, _hazard)

xlogy = scalar(special.xlogy, lambda x, y, out: ps.log(y), lambda x, y, out: x / _safe(both(x, y), y))
xlog1py = scalar(special.xlog1py, lambda x, y, out: ps.log1p(y), lambda x, y, out: x / _safe(both(x, 1 + y), 1 + y))
entr = scalar(special.entr, lambda x, out: -ps.log(x) - 1)
rel_entr = scalar(
    special.rel_entr,
    lambda x, y, out: ps.log(x) - ps.log(y) + 1,
    lambda x, y, out: -x / _safe(both(x, y), y),
)
kl_div = scalar(special.kl_div, lambda x, y, out: ps.log(x) - ps.log(y), lambda x, y, out: 1 - x / _safe(both(x, y), y))

huber = scalar(
    special.huber,
    lambda d, r, out: ps.switch(ps.le(abs(r), d), 0.0, abs(r) - d),
    lambda d, r, out: ps.switch(ps.le(abs(r), d), r, d * ps.sign(r)),
)
pseudo_huber = scalar(
    special.pseudo_huber,
    lambda d, r, out: 2 * out / d - r * r / (d * ps.sqrt(1 + ps.sqr(r / d))),
    lambda d, r, out: r / ps.sqrt(1 + ps.sqr(r / d)),
)

hyp1f1 = scalar(special.hyp1f1, None, None, lambda a, b, x, out: a / b * hyp1f1.scalar_op(a + 1, b + 1, x))
exprel = scalar(special.exprel, lambda x, out: 0.5 * hyp1f1.scalar_op(_float(2), _float(3), x))


def _boxcox_slope(base: Any, scale: Any) -> Any:
    """d/dlambda (b^lambda - 1) / lambda = log(b)^2 exprel'(lambda log b), without the division by lambda."""
    return 0.5 * ps.sqr(base) * hyp1f1.scalar_op(_float(2), _float(3), scale * base)


boxcox = scalar(
    special.boxcox,
    lambda x, l, out: power.scalar_op(x, l - 1),
    lambda x, l, out: _boxcox_slope(ps.log(x), l),
)
boxcox1p = scalar(
    special.boxcox1p,
    lambda x, l, out: power.scalar_op(1 + x, l - 1),
    lambda x, l, out: _boxcox_slope(ps.log1p(x), l),
)


# Gamma and its relatives ---------------------------------------------------------------------------------------------
def _digamma(x: Any) -> Any:
    return digamma.scalar_op(x)


polygamma = scalar(special.polygamma, None, lambda n, x, out: polygamma.scalar_op(n + 1, x))
digamma = scalar(special.digamma, lambda x, out: polygamma.scalar_op(_float(1), x))
gammaln = scalar(special.gammaln, lambda x, out: _digamma(x))
gamma = scalar(special.gamma, lambda x, out: out * _digamma(x))
rgamma = scalar(special.rgamma, lambda x, out: -out * _digamma(x))
beta = scalar(
    special.beta,
    lambda a, b, out: out * (_digamma(a) - _digamma(a + b)),
    lambda a, b, out: out * (_digamma(b) - _digamma(a + b)),
)
betaln = scalar(
    special.betaln,
    lambda a, b, out: _digamma(a) - _digamma(a + b),
    lambda a, b, out: _digamma(b) - _digamma(a + b),
)
binom = scalar(
    special.binom,
    lambda n, k, out: out * (_digamma(n + 1) - _digamma(n - k + 1)),
    lambda n, k, out: out * (_digamma(n - k + 1) - _digamma(k + 1)),
)
zeta = scalar(special.zeta, None, lambda x, q, out: -x * zeta.scalar_op(x + 1, q))
betainc = scalar(
    special.betainc,
    None,
    None,
    lambda a, b, x, out: ps.exp(xlogy.scalar_op(a - 1, x) + xlog1py.scalar_op(b - 1, -x) - betaln.scalar_op(a, b)),
)
stdtr = scalar(
    special.stdtr,
    None,
    lambda df, t, out: ps.exp(
        -betaln.scalar_op(0.5 * df, _float(0.5)) - 0.5 * ps.log(df) - 0.5 * (df + 1) * ps.log1p(t * t / df)
    ),
)

# Integrals and Bessel functions, differentiable in the last argument -------------------------------------------------
exp1 = scalar(special.exp1, lambda x, out: -ps.exp(-x) / x)
expi = scalar(special.expi, lambda x, out: ps.exp(x) / x)
dawsn = scalar(special.dawsn, lambda x, out: 1 - 2 * x * out)


def _expn_slope(n: Any, x: Any, out: Any) -> Any:
    """-E_(n - 1), in closed form for n = 0 and n = 1."""
    high = ps.gt(n, 1)
    closed = ps.exp(-x) / x * ps.switch(ps.eq(n, 1), 1.0, 1 + 1 / x)
    return -ps.switch(high, expn.scalar_op(ps.switch(high, n - 1, 1.0), x), closed)


expn = scalar(special.expn, None, _expn_slope)
jv = scalar(special.jv, None, lambda v, x, out: (jv.scalar_op(v - 1, x) - jv.scalar_op(v + 1, x)) / 2)
yv = scalar(special.yv, None, lambda v, x, out: (yv.scalar_op(v - 1, x) - yv.scalar_op(v + 1, x)) / 2)
iv = scalar(special.iv, None, lambda v, x, out: (iv.scalar_op(v - 1, x) + iv.scalar_op(v + 1, x)) / 2)
kv = scalar(special.kv, None, lambda v, x, out: -(kv.scalar_op(v - 1, x) + kv.scalar_op(v + 1, x)) / 2)
kve = scalar(special.kve, None, lambda v, x, out: out - (kve.scalar_op(v - 1, x) + kve.scalar_op(v + 1, x)) / 2)
ive = scalar(
    special.ive, None, lambda v, x, out: (ive.scalar_op(v - 1, x) + ive.scalar_op(v + 1, x)) / 2 - ps.sign(x) * out
)
y0 = scalar(special.y0, lambda x, out: -y1.scalar_op(x))
y1 = scalar(special.y1, lambda x, out: y0.scalar_op(x) - out / x)
k0 = scalar(special.k0, lambda x, out: -k1.scalar_op(x))
k1 = scalar(special.k1, lambda x, out: -k0.scalar_op(x) - out / x)
i0e = scalar(special.i0e, lambda x, out: i1e.scalar_op(x) - ps.sign(x) * out)
i1e = scalar(special.i1e, lambda x, out: (i0e.scalar_op(x) + ive.scalar_op(_float(2), x)) / 2 - ps.sign(x) * out)


def _log1p_ratio(u: Any) -> Any:
    """log(1 + u) / u, and 1 at u = 0, with all derivatives."""
    return hyp2f1.scalar_op(_float(1), _float(1), _float(2), -u)


hyp2f1 = scalar(
    special.hyp2f1, None, None, None, lambda a, b, c, z, out: a * b / c * hyp2f1.scalar_op(a + 1, b + 1, c + 1, z)
)
spence = scalar(special.spence, lambda z, out: -_log1p_ratio(z - 1))
ellipk = scalar(special.ellipk, lambda m, out: _elliptic_slope(m))
ellipe = scalar(special.ellipe, lambda m, out: -pi / 8 * hyp2f1.scalar_op(_float(0.5), _float(1.5), _float(2), m))


def _elliptic_slope(m: Any) -> Any:
    """K' as the hypergeometric series of K, pi / 2 F(1/2, 1/2; 1; m), has it."""
    return pi / 8 * hyp2f1.scalar_op(_float(1.5), _float(1.5), _float(2), m)


struve = scalar(special.struve, None, lambda v, x, out: struve.scalar_op(v - 1, x) - v / x * out)
modstruve = scalar(special.modstruve, None, lambda v, x, out: modstruve.scalar_op(v - 1, x) - v / x * out)
k0e = scalar(special.k0e, lambda x, out: out - k1e.scalar_op(x))
k1e = scalar(special.k1e, lambda x, out: out - k0e.scalar_op(x) - out / x)
wrightomega = scalar(special.wrightomega, lambda x, out: out / (1 + out))
powm1 = scalar(
    special.powm1, lambda x, y, out: y * power.scalar_op(x, y - 1), lambda x, y, out: ps.log(x) * power.scalar_op(x, y)
)

hyp0f1 = scalar(special.hyp0f1, None, lambda v, z, out: hyp0f1.scalar_op(v + 1, z) / v)
hyperu = scalar(special.hyperu, None, None, lambda a, b, x, out: -a * hyperu.scalar_op(a + 1, b + 1, x))
ellipkinc = scalar(special.ellipkinc, lambda phi, m, out: 1 / ps.sqrt(1 - m * ps.sqr(ps.sin(phi))), None)
ellipeinc = scalar(special.ellipeinc, lambda phi, m, out: ps.sqrt(1 - m * ps.sqr(ps.sin(phi))), None)

# Distributions and their inverses -------------------------------------------------------------------------------------
owens_t = scalar(
    special.owens_t,
    lambda h, a, out: -_density(h, None) * ps.erf(a * h * (1 / sqrt(2))) / 2,
    lambda h, a, out: ps.exp(-0.5 * h * h * (1 + a * a)) / (2 * pi * (1 + a * a)),
)
ndtri_exp = scalar(special.ndtri_exp, lambda y, out: ps.exp(y + 0.5 * out * out) * sqrt(2 * pi))
gammainc = scalar(special.gammainc, None, lambda a, x, out: _gamma_density(a, x))
gammaincc = scalar(special.gammaincc, None, lambda a, x, out: -_gamma_density(a, x))
gammaincinv = scalar(special.gammaincinv, None, lambda a, y, out: 1 / _gamma_density(a, out))
gammainccinv = scalar(special.gammainccinv, None, lambda a, y, out: -1 / _gamma_density(a, out))
betaincinv = scalar(
    special.betaincinv,
    None,
    None,
    lambda a, b, y, out: ps.exp(betaln.scalar_op(a, b) - xlogy.scalar_op(a - 1, out) - xlog1py.scalar_op(b - 1, -out)),
)
betainccinv = scalar(
    special.betainccinv,
    None,
    None,
    lambda a, b, y, out: -ps.exp(betaln.scalar_op(a, b) - xlogy.scalar_op(a - 1, out) - xlog1py.scalar_op(b - 1, -out)),
)
stdtrit = scalar(
    special.stdtrit,
    None,
    lambda df, p, out: ps.exp(
        betaln.scalar_op(0.5 * df, _float(0.5)) + 0.5 * ps.log(df) + 0.5 * (df + 1) * ps.log1p(out * out / df)
    ),
)


def _gamma_density(a: Any, x: Any) -> Any:
    """x^(a - 1) e^-x / Gamma(a)."""
    return ps.exp(xlogy.scalar_op(a - 1, x) - x - gammaln.scalar_op(a))


# Orthogonal polynomials, differentiable in the last argument ----------------------------------------------------------


def _lower(n: Any, value: Any) -> Any:
    """`value`, which is made of a polynomial of degree n - 1, and 0 where n is 0; n need be no integer."""
    return ps.switch(ps.eq(n, 0), 0.0, value)


def _below(n: Any) -> Any:
    return ps.switch(ps.eq(n, 0), n, n - 1)


jacobi = scalar(
    special.eval_jacobi,
    None,
    None,
    None,
    lambda n, a, b, x, out: _lower(n, (n + a + b + 1) / 2 * jacobi.scalar_op(_below(n), a + 1, b + 1, x)),
)
gegenbauer = scalar(
    special.eval_gegenbauer,
    None,
    None,
    lambda n, a, x, out: _lower(n, 2 * a * gegenbauer.scalar_op(_below(n), a + 1, x)),
)
genlaguerre = scalar(
    special.eval_genlaguerre, None, None, lambda n, a, x, out: _lower(n, -genlaguerre.scalar_op(_below(n), a + 1, x))
)
laguerre = scalar(
    special.eval_laguerre, None, lambda n, x, out: _lower(n, -genlaguerre.scalar_op(_below(n), _float(1), x))
)
legendre = scalar(
    special.eval_legendre,
    None,
    lambda n, x, out: _lower(n, (n + 1) / 2 * jacobi.scalar_op(_below(n), _float(1), _float(1), x)),
)
chebyu = scalar(
    special.eval_chebyu, None, lambda n, x, out: _lower(n, 2 * gegenbauer.scalar_op(_below(n), _float(2), x))
)
chebyt = scalar(special.eval_chebyt, None, lambda n, x, out: _lower(n, n * chebyu.scalar_op(_below(n), x)))
