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
from pytensor.graph.rewriting.basic import MergeOptimizer
from pytensor.tensor.basic import Alloc
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Sum
from pytensor.tensor.shape import Reshape
from pytensor.tensor.subtensor import Subtensor
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.rewrites.signs import known_number
from autoopt.ops import scalars
from autoopt.ops.patterns import applied

_STEEP = (ps.Exp, ps.Exp2, ps.Expm1, ps.Cosh, ps.Sinh)
_AS_STEEP = (ps.Add, ps.Sub, ps.Mul, ps.Neg, ps.Switch)
_PARTS = (Alloc, Sum, DimShuffle, Reshape, Subtensor)


def steady(graph: FunctionGraph) -> None:
    """Put functions with slopes of our own in the place of PyTensor's, before anything is differentiated.

    They are log(1 - exp x), and the reciprocals of cosh, sinh, exp x - 1 and 1 + exp x, whose slopes are multiples of
    themselves: 0 where the divisor has overflown.
    """
    nodes = graph.toposort()
    steep = {v for node in nodes for v in node.outputs if _reciprocal(v) is not None}
    for node in nodes:
        kind = type(node.op.scalar_op) if isinstance(node.op, Elemwise) else None
        if kind is psm.Log1mexp:
            graph.replace(node.outputs[0], scalars.log1mexp(*node.inputs))
        elif steep and kind in (ps.TrueDiv, ps.Reciprocal, ps.Pow):
            made = _by_reciprocals(node, steep)
            out = node.outputs[0].type
            if made is not None and (made.type.dtype, made.type.shape) == (out.dtype, out.shape):
                graph.replace(node.outputs[0], made)


def _by_reciprocals(node: Apply, steep: set[Variable]) -> Variable | None:
    """Return a quotient as a product with the reciprocals of its steep divisors; None if there are none."""
    if isinstance(node.op.scalar_op, ps.Pow):
        base, power = node.inputs
        while isinstance(power.owner and power.owner.op, DimShuffle):
            power = power.owner.inputs[0]
        if not isinstance(power, Constant) or power.data.size != 1 or not float(power.data.item()) < 0:
            return None
        return _inverse(base) ** -float(power.data.item()) if _is_steep(base, steep) else None
    divisors = _factors(node.inputs[-1], steep)
    powers = Counter(v for v in divisors if _is_steep(v, steep))
    if not powers:
        return None
    rest = [v for v in divisors if v not in powers]
    made = [_inverse(v) if n == 1 else _inverse(v) ** n for v, n in powers.items()]
    made += node.inputs[:-1]
    result = pt.mul(*made) if len(made) > 1 else made[0]
    for divisor in rest:
        result = pt.true_div(result, divisor)
    return result


def _inverse(variable: Variable) -> TensorVariable:
    """Return the reciprocal of a steep variable, with its axes in the same order."""
    base, order = _behind(variable)
    made = _reciprocal(base)
    assert made is not None  # that is what makes it steep here
    return made if order == tuple(range(base.type.ndim)) else made.dimshuffle(*order)


def _reciprocal(variable: Variable) -> TensorVariable | None:
    """Return 1 / y with a slope of our own; None if y is nothing steep that is known here."""
    node = variable.owner
    scalar = node.op.scalar_op if node is not None and isinstance(node.op, Elemwise) else None
    if isinstance(scalar, ps.Cosh | ps.Sinh | ps.Expm1) and variable.type.dtype == "float64":
        made = {ps.Cosh: scalars.sech, ps.Sinh: scalars.csch, ps.Expm1: scalars.inverse_expm1}
        return made[type(scalar)](*node.inputs)
    if not isinstance(scalar, ps.Add | ps.Sub) or len(node.inputs) != 2:
        return None
    powers = [v.owner.inputs[0] for v in node.inputs if _is_exp(v)]
    if len(powers) == 2 and isinstance(scalar, ps.Add) and _opposite(*powers):
        return 0.5 * scalars.sech(powers[0])
    others = [known_number(v) for v in node.inputs if not _is_exp(v)]
    if len(powers) != 1 or others != [1.0] or powers[0].type.shape != variable.type.shape:
        return None
    if isinstance(scalar, ps.Add):
        return scalars.share(powers[0])
    return scalars.inverse_expm1(powers[0]) if _is_exp(node.inputs[0]) else None


def _is_exp(variable: Variable) -> bool:
    return isinstance(_scalar(variable), ps.Exp)


def _scalar(variable: Variable) -> ps.ScalarOp | None:
    """Return the scalar operation of which a variable is the result."""
    return getattr(variable.owner.op, "scalar_op", None) if variable.owner is not None else None


def _opposite(one: Variable, other: Variable) -> bool:
    """Whether one variable is minus the other one."""
    pairs = ((one, other), (other, one))
    return any(
        isinstance(v.owner and getattr(v.owner.op, "scalar_op", None), ps.Neg) and v.owner.inputs[0] is w
        for v, w in pairs
    )


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
    for node in graph.toposort():  # nothing is differentiated any more
        if isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, scalars.Inverse):
            (x,), op = node.inputs, node.op.scalar_op
            share = isinstance(op, scalars.Share)
            whole = pt.sigmoid(pt.neg(x)) if share else pt.reciprocal(getattr(pt, op.divisor.__name__)(x))
            graph.replace(node.outputs[0], whole)


def split_all(graph: FunctionGraph) -> None:
    """Rewrite all quotients of `graph` whose divisor has a power, whatever it is of: `a * b / y**2` as above."""
    for node in graph.toposort():
        scalar = node.op.scalar_op if isinstance(node.op, Elemwise) else None
        if isinstance(scalar, ps.TrueDiv | ps.Reciprocal) and (made := _split(node, _ALL)) is not None:
            graph.replace(node.outputs[0], made)
    MergeOptimizer().rewrite(graph)


class _Everything(set[Variable]):
    def __contains__(self, variable: object) -> bool:
        return True


_ALL = _Everything()
"""All variables, as those that may be steep."""


def _split(node: Apply, steep: set[Variable]) -> Variable | None:
    """Return the quotient as a product of quotients, None if no steep divisor is there twice."""
    known: dict[tuple, Variable] = {}
    divisors = [_one(v, known) for v in _factors(node.inputs[-1], steep)]
    if not any(_is_steep(v, steep) and divisors.count(v) > 1 for v in divisors):
        return None
    factors = [_one(v, known) for v in _factors(node.inputs[0], steep)] if len(node.inputs) == 2 else []
    for factor in [v for v in factors if _is_steep(v, steep)]:
        if factor in divisors:
            factors.remove(factor)
            divisors.remove(factor)
    powers = [v for v in divisors if _is_steep(v, steep)]
    factors.sort(key=lambda v: (not _is_steep(v, steep), steep is _ALL and isinstance(v, Constant)))
    pairs = list(zip(factors, powers, strict=False))
    made = [pt.true_div(*pair) if n == 1 else pt.sqr(pt.true_div(*pair)) for pair, n in _counted(pairs)]
    made += factors[len(pairs) :]
    result = pt.mul(*made) if len(made) > 1 else made[0] if made else pt.constant(1.0)
    for divisor in [*powers[len(pairs) :], *(v for v in divisors if v not in powers)]:
        result = pt.true_div(result, divisor)
    out = node.outputs[0].type
    return result if (result.type.dtype, result.type.shape) == (out.dtype, out.shape) else None


def _behind(variable: Variable) -> tuple[Variable, tuple]:
    """Return what a variable is with its axes in another order, or with more of length one, and the order."""
    order: tuple = tuple(range(variable.type.ndim))
    while variable.owner is not None and isinstance(variable.owner.op, DimShuffle):
        inner = variable.owner.op.new_order
        order = tuple("x" if k == "x" else inner[k] for k in order)
        variable = variable.owner.inputs[0]
    return variable, order


def _one(variable: Variable, known: dict[tuple, Variable]) -> Variable:
    """Return the first variable that is the same array."""
    return known.setdefault(_behind(variable), variable)


def _is_steep(variable: Variable, steep: set[Variable] | None) -> bool:
    return steep is None or variable in steep or _behind(variable)[0] in steep


def _counted(pairs: list[tuple[Variable, Variable]]) -> list[tuple[tuple[Variable, Variable], int]]:
    """Return each pair with 2 for two of it, and 1 for one that is over."""
    return [(pair, n) for pair, count in Counter(pairs).items() for n in [2] * (count // 2) + [1] * (count % 2)]


def _factors(variable: Variable, steep: set[Variable] | None) -> list[Variable]:
    """Return the factors of a product, powers of steep ones as often as they are there; of all if `steep` is None."""
    node = variable.owner
    scalar = node.op.scalar_op if node is not None and isinstance(node.op, Elemwise) else None
    if isinstance(scalar, ps.Mul):
        return [factor for operand in node.inputs for factor in _factors(operand, steep)]
    if node is not None and isinstance(node.op, DimShuffle):
        inner = _factors(node.inputs[0], steep)
        if steep is None:
            return inner
        return [
            applied(node.op, factor) if factor.type.ndim == node.inputs[0].type.ndim else factor for factor in inner
        ]
    if isinstance(scalar, ps.Neg):
        return [pt.constant(-1.0), *_factors(node.inputs[0], steep)]
    power = _power(node) if isinstance(scalar, ps.Sqr | ps.Pow) else 1
    inner = _factors(node.inputs[0], steep) if power > 1 else []
    return inner * power if any(_is_steep(factor, steep) for factor in inner) else [variable]


def _power(node: Apply) -> int:
    """Return the whole number that something is raised to, 1 if it is another or large."""
    if len(node.inputs) == 1:
        return 2
    exponent = node.inputs[1].data if isinstance(node.inputs[1], Constant) else None
    return int(exponent.item()) if exponent is not None and exponent.size == 1 and exponent.item() in (2, 3, 4) else 1
