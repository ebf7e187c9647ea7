"""More cases of test_rules.py: scipy.special, and functions of sampled data."""

from __future__ import annotations

import numpy as np
import scipy.integrate
import scipy.special as special
from rule_cases import COUNTS, FAR, REAL, REFUSED, RNG, UNIT, Data, M, P, T, V, a, case, kink, unary

from autoopt.tape import operations

SHAPE = a(0.5, 1.0, 2.5, 30.0, 800.0)
TAILS = a(-1000.0, -30.0, -1.0, 0.0, 5.0)

UNARY = {
    (special.gamma, special.gammaln, special.digamma, special.loggamma, special.rgamma): (
        P,
        a(0.5, 1.0, 2.0, 7.0, 20.0),
    ),
    (special.erf, special.erfc, special.erfi, special.dawsn, special.ndtr): (a(-1.5, -0.2, 0.0, 1e-8, 1.7),),
    (special.erfcx,): (a(-1.5, 0.0, 1.7, 30.0, 800.0),),
    (special.erfinv,): UNIT,
    (special.erfcinv,): (P,),
    (special.ndtri, special.logit): (a(0.1, 0.5, 0.9, 0.3, 0.7),),
    (special.expit, special.log_expit): REAL + FAR,
    (special.log_ndtr,): (TAILS, a(-37.5, 37.5, 800.0, 8.0, -8.0)),
    (special.exprel,): (a(-30.0, -1.0, 1e-9, 0.0, 5.0),),
    (special.log1p, special.cbrt, special.entr): (P, SHAPE),
    (special.expm1, special.exp2, special.exp10, special.cosm1): (a(-1.3, 0.2, 0.0, 0.9, 2.1),),
    (special.i0, special.i1, special.j0, special.j1): (a(-1.5, 0.2, 1.0, 8.0, 30.0), a(1e-6, 0.0, 0.5, 2.0, -3.0)),
    (special.i0e, special.i1e): (a(-1.5, 0.2, 1.0, 30.0, 800.0),),
    (special.y0, special.y1, special.k0, special.k1, special.exp1, special.expi): (a(0.5, 1.0, 3.0, 9.0, 30.0) * 0.9,),
}
unary(UNARY)
for function in (special.gammaln, special.digamma):
    case(function, a(1e-3, 800.0, 1e6), options={"step": 1e-4})
    case(function, COUNTS + 1)
case(special.gamma, a(-1.5, -0.3))
case(special.i1e, a(1.0, 0.3, 2.0))
case(special.entr, a(0.0, 1.0), options={"order": 0})

PAIRS = {
    (special.beta, special.betaln): (a(0.5, 1.0, 3.0), a(2.0, 0.7, 30.0)),
    (special.binom, special.comb): (a(5.3, 8.0, 3.1), a(2.2, 3.0, 0.4)),
    (special.poch,): (a(1.5, 2.0, 7.0), a(0.5, 3.0, -0.4)),
    (special.xlogy, special.xlog1py, special.rel_entr, special.kl_div): (a(0.5, 1.0, 3.0), a(2.0, 0.7, 30.0)),
    (special.huber, special.pseudo_huber): (a(1.0, 0.5, 2.0, 1.5), a(0.3, 800.0, -5.0, 0.0)),
    (special.boxcox, special.boxcox1p): (a(0.5, 2.0, 3.0, 1.0), a(0.0, 1e-9, -1.5, 2.0)),
}
for functions, (x, y) in PAIRS.items():
    for function in functions:
        case(function, x, y)
        case(function, x[:, None], y)
        if function in (special.boxcox, special.boxcox1p):
            case(function, x, 0)
        elif function not in (special.binom, special.comb):
            case(function, 2, y)
for function in (special.xlogy, special.xlog1py):
    case(function, 0.0, a(0.0, 2.0, 0.5), options={"step": 1e-3})
    case(function, Data(a(0.0, 0.0)), a(0.0, 3.0), options={"step": 1e-3})
    case(function, np.array([0, 2]), a(0.7, 3.0))
for function in (special.rel_entr, special.kl_div):
    case(function, Data(a(0.0, 0.0, 2.0)), a(0.5, 3.0, 1.0))
case(special.comb, 5, Data(a(7.0, 2.0)))
case(special.factorial, a(0.5, 3.0, 7.0))
case(special.factorial, a(-1.0), options={"order": 0})
case(special.multigammaln, np.array(3.5), 3)
for n in (0, 1, 2):
    case(special.polygamma, n, a(0.5, 3.0, 30.0))
case(special.zeta, 2.5, a(0.5, 3.0, 30.0))
case(special.logsumexp, V)

ORDERS = Data(a(0.0, 1.0, 2.0, 0.5))
for function in (special.iv, special.ive, special.jv):
    case(function, ORDERS, a(0.5, 1.0, 3.0, 12.0))
    case(function, 2, a(0.5, 1.0, 3.0))
for function in (special.kv, special.kve, special.yv):
    case(function, ORDERS, a(0.5, 1.0, 3.0, 12.0))
for function in (special.kv, special.kve):
    case(function, a(0.0, 0.5, -1.3, 2.5, 30.0), a(1.0, 0.3, 0.8, 12.0, 25.0), options={"step": 1e-2})
case(special.kv, a(0.7, 0.0, 2.0), 0.5)
case(special.kn, 2, a(0.5, 1.0, 3.0))
case(special.jn, 2, a(0.5, 1.0, 3.0))
for n in (0, 1, 2, 5):
    case(special.expn, n, a(0.5, 1.0, 9.0))
for function in (special.gammainc, special.gammaincc):
    case(function, Data(a(0.5, 2.0, 30.0)), a(0.7, 3.0, 20.0))
    case(function, a(0.05, 2.0, 30.0, 30.0, 900.0), a(0.7, 3.0, 20.0, 45.0, 930.0))
    case(function, a(0.5, 2.0), 0.0)
for function in (special.betainc, special.betaincc):
    case(function, Data(a(0.5, 2.0, 30.0)), Data(a(1.5, 2.0, 20.0)), a(0.2, 0.5, 0.7))
    case(function, a(0.6, 2.0, 30.0, 3.0, 400.0), a(1.5, 2.0, 20.0, 0.6, 0.7), a(0.2, 0.5, 0.7, 0.9, 0.9))
    case(function, a(0.5, 2.0), a(1.5, 2.0), Data(a(0.0, 1.0)))
case(special.hyp1f1, 1.0, 2.0, a(-3.0, 0.0, 2.0))
case(special.stdtr, Data(a(1.0, 3.0, 30.0)), a(-3.0, 0.0, 2.0))
case(special.stdtr, a(1.0, 3.0, 30.0, 400.0, 2.5), a(-3.0, 0.0, 2.0, 1.5, 60.0))
case(special.pdtr, np.array([0, 2, 5]), a(0.5, 3.0, 4.0))

case(special.spence, a(0.1, 1.0, 1.0 + 1e-9, 3.0, 800.0))
for function in (special.ellipk, special.ellipe, special.ellipkm1):
    case(function, a(0.1, 0.5, 0.9))
case(special.ellipe, a(-30.0, 0.0, 0.7))
for function in (special.k0e, special.k1e):
    case(function, a(0.5, 3.0, 800.0))
for function in (special.struve, special.modstruve):
    case(function, Data(a(0.5, 1.0, 2.0)), a(0.7, 3.0, 9.0))
case(special.wrightomega, a(-30.0, 0.0, 2.0, 800.0))
case(special.powm1, a(0.5, 1.0, 3.0), a(1e-9, 2.0, -0.5))
case(special.owens_t, a(-1.0, 0.0, 2.0), a(0.5, 1.0, -3.0))
case(special.ndtri_exp, a(-30.0, -1.0, -0.1))
for function in (special.sindg, special.cosdg, special.tandg):
    case(function, a(-30.0, 0.0, 80.0))
for function in (special.gammaincinv, special.gammainccinv):
    case(function, Data(a(0.5, 2.0, 30.0)), a(0.2, 0.5, 0.9))
case(special.betaincinv, Data(a(0.5, 2.0, 30.0)), Data(a(1.5, 2.0, 20.0)), a(0.2, 0.5, 0.7))
case(special.stdtrit, Data(a(1.0, 3.0, 30.0)), a(0.2, 0.5, 0.9))
for function in (special.gdtr, special.gdtrc):
    case(function, a(1.0, 2.0, 0.5), a(0.5, 2.0, 30.0), a(0.7, 3.0, 50.0))
for function in (special.chdtr, special.chdtrc):
    case(function, a(1.0, 3.0, 30.0), a(0.7, 3.0, 20.0))
for function in (special.fdtr, special.fdtrc):
    case(function, a(1.0, 3.0, 30.0), a(2.0, 5.0, 9.0), a(0.7, 3.0, 2.0))
case(special.pdtrc, np.array([0, 2, 5]), a(0.5, 3.0, 4.0))
for function in (special.bdtr, special.bdtrc):
    case(function, Data(a(0.0, 2.0, 5.0)), np.array([3, 4, 9]), a(0.2, 0.5, 0.7))
case(special.kn, Data(np.array([1.0, 2.0])), a(0.5, 3.0))
case(special.hyp2f1, 1.0, 2.0, 3.0, a(-5.0, 0.0, 0.7))
DEGREES, LINE = np.array([0, 1, 2, 5]), a(-1.0, 0.3, 1.0, 0.7)
for function in (special.eval_laguerre, special.eval_legendre, special.eval_chebyt, special.eval_chebyu):
    case(function, DEGREES, LINE)
for function in (special.eval_gegenbauer, special.eval_genlaguerre):
    case(function, DEGREES, 1.5, LINE)
case(special.eval_jacobi, DEGREES, 0.5, 1.5, LINE)
BROKEN = Data(a(0.0, 0.4, 1.5, -0.5))
for function in (special.eval_laguerre, special.eval_legendre, special.eval_chebyt, special.eval_chebyu):
    case(function, BROKEN, a(0.1, 0.3, -0.6, 0.7))
case(special.eval_gegenbauer, BROKEN, 1.5, a(0.1, 0.3, -0.6, 0.7))
case(special.eval_jacobi, BROKEN, 0.5, 1.5, a(0.1, 0.3, -0.6, 0.7))
for function in (special.eval_chebyc, special.eval_chebys, special.eval_sh_legendre, special.eval_sh_chebyt,
                 special.eval_sh_chebyu):  # fmt: skip
    case(function, DEGREES, a(0.2, 0.3, 0.9, 0.7))
case(special.hyp0f1, Data(a(0.5, 1.0, 2.5)), a(-3.0, 0.0, 2.0))
case(special.hyperu, Data(a(0.5, 1.0)), Data(a(1.5, 2.0)), a(0.7, 3.0))
for function in (special.ellipkinc, special.ellipeinc):
    case(function, a(-1.0, 0.0, 1.4), Data(a(0.3, 0.9, -2.0)))
case(special.cotdg, a(10.0, 80.0))
case(special.radian, a(10.0), a(20.0), a(30.0))
for function in (special.inv_boxcox, special.inv_boxcox1p):
    case(function, a(-1.0, 0.4, 0.5, 2.0), a(0.3, 0.0, 1.0, -0.2))
case(special.agm, a(0.5, 2.0, 3.0), a(1.5, 2.0, 0.1))
case(special.yn, Data(np.array([1.0, 2.0])), a(0.5, 3.0))
case(special.chdtri, Data(a(1.0, 3.0)), a(0.2, 0.7))
case(special.gdtrix, a(1.0, 2.0), Data(a(0.5, 3.0)), a(0.2, 0.7))
for function in (special.nbdtr, special.nbdtrc):
    case(function, Data(a(0.0, 2.0)), np.array([3, 4]), a(0.2, 0.5))
for function in (special.gammaincinv, special.gammainccinv):
    case(function, a(0.3, 2.0, 30.0, 400.0), a(0.2, 0.5, 0.9, 0.01), options={"step": 1e-3})
case(special.gammaincinv, a(0.5, 2.0), Data(a(0.0, 0.5)))
for function in (special.betaincinv, special.betainccinv):
    case(function, a(0.6, 2.0, 30.0, 3.0), a(1.5, 2.0, 20.0, 0.6), a(0.2, 0.5, 0.7, 0.9), options={"step": 1e-3})
    case(function, a(0.5, 2.0, 3.0), a(1.5, 2.0, 1.0), Data(a(0.0, 1.0, 0.5)))
case(special.stdtrit, a(1.0, 3.0, 30.0, 2.5), a(0.2, 0.5, 0.9, 0.001), options={"step": 1e-4})
case(special.chdtri, a(1.0, 3.0, 30.0), a(0.2, 0.7, 0.9), options={"step": 1e-3})
case(special.gdtrix, a(1.0, 2.0), a(0.5, 3.0), a(0.2, 0.7), options={"step": 1e-3})
case(special.fdtri, a(1.0, 3.0, 30.0), a(2.0, 5.0, 9.0), a(0.2, 0.7, 0.9), options={"step": 1e-3})
for function in (operations.faddeeva_real, operations.faddeeva_imaginary):
    case(function, a(0.7, -2.0, 0.0, 20.5, 100.0, 11.9), a(0.4, 1e-3, 0.0, 0.3, 3.0, -0.1))
for function in (operations.lambert_real, operations.lambert_imaginary):
    case(function, a(0.7, 0.3, 0.0, 1e5), a(0.4, 0.5, 0.0, 3.0), 0)
case(operations.lambert_real, a(-0.3, -0.01), 0.0, -1, options={"step": 1e-3})
case(special.voigt_profile, a(0.3, -1.0, 0.0), a(0.7, 1.0, 0.02), a(0.4, 1e-3, 1.0), options={"step": 1e-3})
case(special.round, a(0.4, 1.7))
case(special.logsumexp, a(1.0, -2.0, 0.5), b=a(-1.0, 2.0, 0.5), return_sign=True)
case(special.logsumexp, M, axis=1, return_sign=True)

FAR_ROWS = a(1000.0, -1000.0, 0.0), a(1000.0, 1000.0, -800.0), a(-1e4, -1e4 + 1, -1e4)
for row in FAR_ROWS:
    case(special.logsumexp, row)
    case(special.softmax, row)
    case(special.log_softmax, row)
case(special.logsumexp, M, axis=0)
case(special.logsumexp, T, axis=(0, -1), keepdims=True)
case(special.logsumexp, M, axis=1, b=np.abs(M))
case(special.logsumexp, V, b=Data(a(1.0, 0.0, 2.0, 3.0)))
case(special.logsumexp, M, b=[1.0, 0.0, 2.0, 3.0], axis=1)
case(special.logsumexp, np.array(2.0))
case(special.logsumexp, Data(a(-np.inf, -np.inf)))
case(special.logsumexp, Data(a(-np.inf, 1.0)))
for function in (special.softmax, special.log_softmax):
    case(function, M)
    case(function, M, axis=-1)
    case(function, T, axis=(0, 1))

# Sampled data --------------------------------------------------------------------------------------------------------
case(np.polyval, V, M)
case(np.polyval, [1.0, 2.0, 3.0], V)
case(np.polynomial.polynomial.polyval, V, P)
case(np.vander, V)
case(np.vander, a(0.0, 1.0, -2.0), 4, increasing=True)
case(np.searchsorted, a(0.0, 1.0, 2.0), a(0.5, 1.0, -1.0))
case(np.searchsorted, a(0.0, 1.0, 2.0), a(0.5, 1.0, -1.0), side="right")
case(np.digitize, a(0.5, 1.0, -1.0), [0.0, 1.0, 2.0])
case(np.digitize, a(0.5, 1.0, -1.0), [0.0, 1.0, 2.0], right=True)
case(np.interp, a(-1.0, 0.3, 1.7, 5.0), a(0.0, 1.0, 3.0), a(2.0, -1.0, 0.5))
case(np.interp, a(-1.0, 0.3, 1.7, 5.0), [0.0, 1.0, 3.0], a(2.0, -1.0, 0.5), left=0.0, right=7.0)
case(np.interp, np.array(0.5), a(0.0, 1.0), a(2.0, -1.0))
for mode in ("full", "same", "valid"):
    case(np.convolve, P, V[:3], mode=mode)
    case(np.convolve, V[:2], P, mode=mode)
    case(np.correlate, P, V[:3], mode=mode)
for mode in ("full", "same", "valid"):
    for lengths in ((4, 2), (2, 4), (2, 5), (3, 5), (4, 4)):
        case(np.correlate, RNG.normal(size=lengths[0]), RNG.normal(size=lengths[1]), mode=mode)
COORDINATES = a(0.0, 0.7, 1.0, 2.5)
for edge_order in (1, 2):
    case(np.gradient, V, edge_order=edge_order)
    case(np.gradient, V, COORDINATES, edge_order=edge_order)
    case(np.gradient, M, a(0.0, 1.0, 4.0), COORDINATES, edge_order=edge_order)
    case(np.gradient, M, COORDINATES, axis=1, edge_order=edge_order)
case(np.gradient, V[:2])
case(np.gradient, V[:2], a(0.0, 1.5))
case(np.interp, a(-1.0, 0.3, 1.7, 7.2), a(0.1, 1.0, 3.0), a(2.0, -1.0, 0.5), period=3.5)
case(np.interp, a(-0.7, 0.3, 1.7, 7.2), [3.0, 0.1, 5.0], a(2.0, -1.0, 0.5), period=4.0)
case(np.gradient, P)
case(np.gradient, P, 0.5)
case(np.gradient, M)
case(np.gradient, M, 0.5, 2.0)
case(np.gradient, M, axis=1)
case(scipy.integrate.cumulative_trapezoid, P)
case(scipy.integrate.cumulative_trapezoid, M, dx=0.5, axis=0, initial=0)
case(scipy.integrate.cumulative_trapezoid, V, a(0.0, 1.0, 3.0, 4.0))
for function in (np.cov, np.corrcoef):
    case(function, M)
    case(function, M, rowvar=False)
    case(function, V, V[::-1].copy())
case(np.cov, V)
case(np.cov, M, ddof=0)
case(np.cov, M, bias=True)
case(np.allclose, V, V + 1e-12)
case(np.allclose, V, V + 1.0)
case(np.array_equal, V, V.copy())
case(np.array_equal, V, M)
kink(np.interp, a(1.0, 2.0), [0.0, 3.0], [0.0, 1.0])

REFUSED += [
    (special.comb, (V, 2), {"exact": True}, "scipy.special.comb with exact"),
    (special.comb, (V, 2), {"repetition": True}, "scipy.special.comb with repetition="),
    (special.factorial, (V,), {"exact": True}, "scipy.special.factorial with exact"),
    (special.factorial, (V,), {"extend": "complex"}, "scipy.special.factorial with extend="),
    (special.zeta, (V,), {}, "scipy.special.zeta without q"),
    (np.digitize, (V, P), {}, "np.digitize"),
    (np.polynomial.polynomial.polyval, (V, M), {}, "several polynomials"),
]
