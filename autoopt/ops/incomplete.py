"""Incomplete gamma and beta functions, and their inverses, with their slopes in all arguments.

Values are SciPy's. Where a shape moves with the parameters its slope is that of an integral by Gauss and Legendre's
rule, which has no singular point near: shapes are raised by recurrence until the integrand is smooth at its far end.
Its relative error is below 1e-9 for shapes up to 1e5. The inverse x of y = F(a, x) has the slope -F_a dx/dy in a; x in
it is the inverse itself, so second derivatives follow.

References
----------
NIST Digital Library of Mathematical Functions, 8.6.4, 8.8.11, 8.17.1 and 8.17.20.
"""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad
from pytensor.tensor import TensorVariable
from pytensor.tensor.elemwise import Elemwise

from autoopt.ops import special_scalars as scalars
from autoopt.ops.operands import moves

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
_RAISED = 8
"""How far shapes are raised; the integrands have one derivative less at their far end."""


def gammainc(a: TensorVariable, x: TensorVariable) -> TensorVariable:
    """P(a, x)."""
    exact = scalars.gammainc(a, x)
    return _with_slopes(exact, _lower_gamma(a, x)) if moves(a) else exact


def gammaincc(a: TensorVariable, x: TensorVariable) -> TensorVariable:
    """Q(a, x)."""
    exact = scalars.gammaincc(a, x)
    return _with_slopes(exact, _lower_gamma(a, x, complement=True)) if moves(a) else exact


def betainc(a: TensorVariable, b: TensorVariable, x: TensorVariable) -> TensorVariable:
    """I_x(a, b)."""
    exact = scalars.betainc(a, b, x)
    return _with_slopes(exact, _beta(a, b, x)) if moves(a) or moves(b) else exact


def stdtr(df: TensorVariable, t: TensorVariable) -> TensorVariable:
    """The distribution function of Student's t: near 0 the integral of its density, elsewhere by I_x(df / 2, 1 / 2)."""
    exact = scalars.stdtr(df, t)
    return _with_slopes(exact, _student(df, t)) if moves(df) else exact


def gammaincinv(a: TensorVariable, y: TensorVariable) -> TensorVariable:
    """The x of y = P(a, x)."""
    return _inverse(scalars.gammaincinv, a, y)


def gammainccinv(a: TensorVariable, y: TensorVariable) -> TensorVariable:
    """The x of y = Q(a, x)."""
    return _inverse(scalars.gammainccinv, a, y)


def betaincinv(a: TensorVariable, b: TensorVariable, y: TensorVariable) -> TensorVariable:
    """The x of y = I_x(a, b)."""
    return _inverse(scalars.betaincinv, a, b, y)


def betainccinv(a: TensorVariable, b: TensorVariable, y: TensorVariable) -> TensorVariable:
    """The x of y = 1 - I_x(a, b)."""
    return _inverse(scalars.betainccinv, a, b, y)


def stdtrit(df: TensorVariable, p: TensorVariable) -> TensorVariable:
    """The quantile of Student's t."""
    return _inverse(scalars.stdtrit, df, p)


class Inverse(Elemwise):
    """The inverse of a distribution function in its last argument, with slopes in the shapes."""

    def _bgrad(self, inputs: list, outputs: list, cotangents: list) -> list:
        *shapes, y = inputs
        (x,) = outputs
        inside = pt.and_(pt.and_(pt.gt(y, 0.0), pt.lt(y, 1.0)), pt.lt(pt.abs(x), np.inf))
        x = pt.switch(inside, x, 0.5)
        *_, slope = super()._bgrad(inputs, outputs, cotangents)
        *_, rate = super()._bgrad(inputs, [x], [pt.ones_like(x)])
        apart = [pt.tensor_copy(a + pt.zeros_like(x)) for a in shapes]
        moved = _INVERTED[self.scalar_op.name](*apart, x)
        rates = pytensor.grad(pt.sum(moved), apart, consider_constant=[x])
        return [*(pt.switch(inside, -cotangents[0] * rate * found, 0.0) for found in rates), slope]


def _inverse(plain: Elemwise, *operands: TensorVariable) -> TensorVariable:
    """Return `plain` of the operands, with slopes in all if the shapes move."""
    return Inverse(plain.scalar_op, name=plain.name)(*operands) if any(map(moves, operands[:-1])) else plain(*operands)


def _student(df: TensorVariable, t: TensorVariable) -> TensorVariable:
    near = pt.lt(pt.abs(t), 2.0)
    inner = pt.switch(near, t, 0.0)
    df = df + pt.zeros_like(t)
    rise = _over_nodes(lambda u: _student_density(df[..., None], inner[..., None] * u)) * inner
    outer = pt.switch(near, 3.0, t)
    tail = _beta(df / 2, pt.full_like(df, 0.5), df / (df + outer**2)) / 2
    return pt.switch(near, 0.5 + rise, pt.switch(pt.gt(t, 0), 1 - tail, tail))


def _with_slopes(exact: TensorVariable, integral: TensorVariable) -> TensorVariable:
    """Return `exact` with the derivatives of `integral`, which is equal to it but for rounding."""
    return integral + disconnected_grad(exact - integral)


def _over_nodes(integrand) -> TensorVariable:
    """Return the integral from 0 to 1 of a function of an array of nodes, along its last axis."""
    return (integrand(_NODES) * _WEIGHTS).sum(axis=-1)


def _lower_gamma(a: TensorVariable, x: TensorVariable, complement: bool = False) -> TensorVariable:
    """Return P(a, x), or Q(a, x), by the smaller of the two."""
    a, x = a + pt.zeros_like(x), x + pt.zeros_like(a)
    inside = pt.and_(pt.gt(x, 0.0), pt.lt(x, np.inf))
    low = pt.lt(x, a + 1)
    smaller = pt.switch(pt.and_(inside, low), x, a)
    larger = pt.switch(pt.and_(inside, pt.invert(low)), x, a + 2)
    lower, upper = _lower_series(a, smaller), _upper_integral(a, larger)
    found = pt.switch(low, 1 - lower, upper) if complement else pt.switch(low, lower, 1 - upper)
    return pt.switch(inside, found, 0.0)


def _lower_series(a: TensorVariable, x: TensorVariable) -> TensorVariable:
    """P(a, x) for x < a + 1: terms x^k e^-x / gamma(k + 1) for k = a, ..., and an integral over x^c e^-x / gamma(c)."""
    k = a[..., None] + np.arange(_RAISED)
    head = pt.exp(k * pt.log(x)[..., None] - x[..., None] - scalars.gammaln(k + 1)).sum(axis=-1)
    c = a + _RAISED
    reach = disconnected_grad(pt.minimum(1.0, 12 / pt.sqrt(c)))

    def integrand(u):
        s = reach[..., None] * u
        return pt.exp((c - 1)[..., None] * pt.log1p(-s) + x[..., None] * s)

    return head + pt.exp(c * pt.log(x) - x - scalars.gammaln(c)) * reach * _over_nodes(integrand)


def _upper_integral(a: TensorVariable, x: TensorVariable) -> TensorVariable:
    """Q(a, x) for x > a + 1: x^(a - 1) e^-x / gamma(a) times the integral of e^-t (1 + t / x)^(a - 1)."""
    reach = disconnected_grad(pt.minimum(40 * x / (x - a + 1), 12 * pt.sqrt(2 * a) + 40))

    def integrand(u):
        t = reach[..., None] * u
        return pt.exp((a - 1)[..., None] * pt.log1p(t / x[..., None]) - t)

    return pt.exp((a - 1) * pt.log(x) - x - scalars.gammaln(a)) * reach * _over_nodes(integrand)


def _beta(a: TensorVariable, b: TensorVariable, x: TensorVariable) -> TensorVariable:
    """Return I_x(a, b), or 1 - I_(1 - x)(b, a) where x is beyond the bulk."""
    zero = pt.zeros_like(a) + pt.zeros_like(b) + pt.zeros_like(x)
    a, b, x = a + zero, b + zero, x + zero
    inside = pt.and_(pt.gt(x, 0.0), pt.lt(x, 1.0))
    beyond = pt.gt(x, (a + 1) / (a + b + 2))
    p, q = pt.switch(beyond, b, a), pt.switch(beyond, a, b)
    y = pt.switch(inside, pt.switch(beyond, 1 - x, x), 0.5)
    found = _lower_beta(p, q, y)
    return pt.switch(inside, pt.switch(beyond, 1 - found, found), 0.0)


def _lower_beta(a: TensorVariable, b: TensorVariable, x: TensorVariable) -> TensorVariable:
    """I_x(a, b) for x < (a + 1) / (a + b + 2).

    Terms x^(a + k) (1 - x)^b / ((a + k) beta(a + k, b)), and for c = a + k the integral of (1 - s)^(c - 1) (1 - x + x
    s)^(b - 1), in which 1 - x + x s = (1 - x) e^v.
    """
    log_x, log_rest, odds = pt.log(x), pt.log1p(-x), x / (1 - x)
    k = a[..., None] + np.arange(_RAISED)
    terms = k * log_x[..., None] + (b * log_rest)[..., None] + scalars.gammaln(k + b[..., None])
    head = pt.exp(terms - scalars.gammaln(k + 1) - scalars.gammaln(b)[..., None]).sum(axis=-1)
    c = a + _RAISED
    reach = disconnected_grad(pt.minimum(1.0, 12 / pt.sqrt(c + pt.maximum(b - 1, 0) * odds**2)))
    reach = disconnected_grad(pt.log1p(reach * odds))

    def integrand(u):
        v = reach[..., None] * u
        return pt.exp((c - 1)[..., None] * pt.log1p(-pt.expm1(v) / odds[..., None]) + b[..., None] * v)

    scale = scalars.gammaln(c + b) - scalars.gammaln(c) - scalars.gammaln(b)
    return head + pt.exp((c - 1) * log_x + b * log_rest + scale) * reach * _over_nodes(integrand)


def _student_density(df: TensorVariable, t: TensorVariable) -> TensorVariable:
    scale = scalars.betaln(df / 2, pt.constant(0.5)) + pt.log(df) / 2
    return pt.exp(-scale - (df + 1) / 2 * pt.log1p(t**2 / df))


_INVERTED = {
    "gammaincinv": _lower_gamma,
    "gammainccinv": lambda a, x: _lower_gamma(a, x, complement=True),
    "betaincinv": _beta,
    "betainccinv": lambda a, b, x: -_beta(a, b, x),
    "stdtrit": _student,
}
"""The functions that are inverted, up to a constant."""
