"""Quotients by powers of what grows like an exponential: `a * b / y**2` becomes `(a / y) * (b / y)`.

Second derivatives of logarithms and reciprocals have them. `y**2` overflows, or vanishes, where y itself is far from
doing so: for y = cosh(400) the quotient would be 0 or NaN, and the derivative with it.
"""

from __future__ import annotations

from collections import Counter

import pytensor.scalar.basic as ps
import pytensor.scalar.math as psm
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum
from pytensor.tensor.shape import Reshape
from pytensor.tensor.subtensor import Subtensor

from autoopt.rules.scalars import log1mexp

_STEEP = (ps.Exp, ps.Exp2, ps.Expm1, ps.Cosh, ps.Sinh)
_AS_STEEP = (ps.Add, ps.Sub, ps.Mul, ps.Neg, ps.Switch)
_PARTS = (Sum, DimShuffle, Reshape, Subtensor)


def steady(graph: FunctionGraph) -> None:
    """Put log(1 - exp x) with a slope of our own in the place of PyTensor's, before anything is differentiated."""
    for node in graph.toposort():
        if isinstance(node.op, Elemwise) and type(node.op.scalar_op) is psm.Log1mexp:
            graph.replace(node.outputs[0], log1mexp(*node.inputs))


def split_quotients(graph: FunctionGraph) -> None:
    """Rewrite the quotients of `graph` whose divisor has a power of something steep."""
    steep: set[Variable] = set()
    for node in graph.toposort():
        scalar = node.op.scalar_op if isinstance(node.op, Elemwise) else None
        carried = isinstance(scalar, _AS_STEEP) or isinstance(node.op, _PARTS)
        if isinstance(scalar, _STEEP) or (carried and not steep.isdisjoint(node.inputs)):
            steep.add(node.outputs[0])
        elif isinstance(scalar, ps.TrueDiv | ps.Reciprocal) and (made := _split(node, steep)) is not None:
            graph.replace(node.outputs[0], made)


def _split(node: Apply, steep: set[Variable]) -> Variable | None:
    """Return the quotient as a product of quotients, None if no steep divisor is there twice."""
    divisors = _factors(node.inputs[-1], steep)
    powers = [v for v in divisors if v in steep and divisors.count(v) > 1]
    if not powers:
        return None
    factors = _factors(node.inputs[0], steep) if len(node.inputs) == 2 else []
    for factor in [v for v in factors if v in steep]:
        if factor in divisors:
            factors.remove(factor)
            divisors.remove(factor)
    powers = [v for v in divisors if v in steep]
    factors.sort(key=lambda v: v not in steep)
    pairs = list(zip(factors, powers, strict=False))
    made = [pt.true_div(*pair) if n == 1 else pt.sqr(pt.true_div(*pair)) for pair, n in _counted(pairs)]
    made += factors[len(pairs) :]
    result = pt.mul(*made) if len(made) > 1 else made[0] if made else pt.constant(1.0)
    for divisor in [*powers[len(pairs) :], *(v for v in divisors if v not in powers)]:
        result = result / divisor
    out = node.outputs[0].type
    return result if (result.type.dtype, result.type.shape) == (out.dtype, out.shape) else None


def _counted(pairs: list[tuple[Variable, Variable]]) -> list[tuple[tuple[Variable, Variable], int]]:
    """Return each pair with 2 for two of it, and 1 for one that is over."""
    return [(pair, n) for pair, count in Counter(pairs).items() for n in [2] * (count // 2) + [1] * (count % 2)]


def _factors(variable: Variable, steep: set[Variable]) -> list[Variable]:
    """Return the factors of a product, powers of steep ones as often as they are there."""
    node = variable.owner
    scalar = node.op.scalar_op if node is not None and isinstance(node.op, Elemwise) else None
    if isinstance(scalar, ps.Mul):
        return [factor for operand in node.inputs for factor in _factors(operand, steep)]
    if isinstance(scalar, ps.Neg):
        return [pt.constant(-1.0), *_factors(node.inputs[0], steep)]
    power = _power(node) if isinstance(scalar, ps.Sqr | ps.Pow) else 1
    inner = _factors(node.inputs[0], steep) if power > 1 else []
    return inner * power if not steep.isdisjoint(inner) else [variable]


def _power(node: Apply) -> int:
    """Return the whole number that something is raised to, 1 if it is another or large."""
    if len(node.inputs) == 1:
        return 2
    exponent = node.inputs[1].data if isinstance(node.inputs[1], Constant) else None
    return int(exponent.item()) if exponent is not None and exponent.size == 1 and exponent.item() in (2, 3, 4) else 1
