"""Functions of numbers, a row each: NumPy's function, how it is written, its slopes.

A row is found by its name in the tree; `CALLS` says which of NumPy's and SciPy's functions are such a call, or a
formula in them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from autoopt.closed_form.making import add, call, divide, indicator, mul, negative, power, subtract, where
from autoopt.closed_form.text import ATOM, POWER, Text, applied_to, atom, exponential, plus
from autoopt.closed_form.tree import MINUS, ONE, ZERO, Condition, Node, Number
from autoopt.tape.operations import astype, greatest, held, least, product, refined, total

HALF, TWO = Number(0.5), Number(2.0)


class Function(NamedTuple):
    """A function of numbers.

    `slopes` returns the derivative by each operand, or is None where there is none.
    """

    compute: Callable
    write: Callable[..., Text]
    slopes: Callable[..., tuple[Node, ...]] | None = None


def named(symbol: str) -> Callable[..., Text]:
    """Write a function by its name; that of several operands in brackets."""

    def write(*operands: Text) -> Text:
        if len(operands) == 1:
            return applied_to(symbol, operands[0])
        return Text(rf"{symbol}\left( {', '.join(x.text for x in operands)} \right)", POWER)

    return write


def bars(left: str, right: str) -> Callable[[Text], Text]:
    return lambda a: Text(f"{left} {a.text} {right}", ATOM)


def _softplus(u: Any) -> Any:
    return np.logaddexp(0.0, u)


def _density(u: Node) -> Node:
    """Return the density of the normal distribution."""
    return mul(Number(1 / np.sqrt(2 * np.pi)), call("exp", mul(Number(-0.5), power(u, TWO))))


def _chosen(sign: str) -> Callable[[Node, Node], tuple[Node, Node]]:
    """Return the slopes of a maximum or minimum: 1 by the one that is taken."""
    return lambda a, b: (indicator(Condition(sign, (a, b))), indicator(Condition(sign, (b, a))))


FUNCTIONS: dict[str, Function] = {
    "exp": Function(np.exp, exponential, lambda u: (call("exp", u),)),
    "log": Function(np.log, named(r"\log"), lambda u: (power(u, MINUS),)),
    "softplus": Function(
        _softplus, lambda a: applied_to(r"\log", plus(atom("1"), exponential(a))), lambda u: (call("sigma", u),)
    ),
    "sigma": Function(
        special.expit,
        lambda a: Text(rf"\sigma\left( {a.text} \right)" if a.level < ATOM else rf"\sigma({a.text})", POWER),
        lambda u: (mul(call("sigma", u), subtract(ONE, call("sigma", u))),),
    ),
    "gammaln": Function(special.gammaln, named(r"\log\Gamma"), lambda u: (call("psi", u),)),
    "gamma": Function(special.gamma, named(r"\Gamma"), lambda u: (mul(call("gamma", u), call("psi", u)),)),
    "psi": Function(special.psi, named(r"\psi")),
    "tanh": Function(np.tanh, named(r"\tanh"), lambda u: (subtract(ONE, power(call("tanh", u), TWO)),)),
    "sin": Function(np.sin, named(r"\sin"), lambda u: (call("cos", u),)),
    "cos": Function(np.cos, named(r"\cos"), lambda u: (negative(call("sin", u)),)),
    "tan": Function(np.tan, named(r"\tan"), lambda u: (add(ONE, power(call("tan", u), TWO)),)),
    "arcsin": Function(np.arcsin, named(r"\arcsin"), lambda u: (power(subtract(ONE, power(u, TWO)), Number(-0.5)),)),
    "arccos": Function(
        np.arccos, named(r"\arccos"), lambda u: (negative(power(subtract(ONE, power(u, TWO)), Number(-0.5))),)
    ),
    "sinh": Function(np.sinh, named(r"\sinh"), lambda u: (call("cosh", u),)),
    "cosh": Function(np.cosh, named(r"\cosh"), lambda u: (call("sinh", u),)),
    "arctan": Function(np.arctan, named(r"\arctan"), lambda u: (divide(ONE, add(ONE, power(u, TWO))),)),
    "arcsinh": Function(
        np.arcsinh, named(r"\operatorname{arsinh}"), lambda u: (power(add(ONE, power(u, TWO)), Number(-0.5)),)
    ),
    "abs": Function(np.abs, bars(r"\lvert", r"\rvert"), lambda u: (call("sign", u),)),
    "sign": Function(np.sign, named(r"\operatorname{sign}"), lambda u: (ZERO,)),
    "floor": Function(np.floor, bars(r"\lfloor", r"\rfloor"), lambda u: (ZERO,)),
    "ceil": Function(np.ceil, bars(r"\lceil", r"\rceil"), lambda u: (ZERO,)),
    "held": Function(held, lambda a: a, lambda u: (ZERO,)),
    "max": Function(np.maximum, named(r"\max"), _chosen(">")),
    "min": Function(np.minimum, named(r"\min"), _chosen("<")),
    "erf": Function(
        special.erf,
        named(r"\operatorname{erf}"),
        lambda u: (mul(Number(2 / np.sqrt(np.pi)), call("exp", negative(power(u, TWO)))),),
    ),
    "Phi": Function(special.ndtr, named(r"\Phi"), lambda u: (_density(u),)),
    "log Phi": Function(special.log_ndtr, named(r"\log\Phi"), lambda u: (divide(_density(u), call("Phi", u)),)),
}
"""By the name that calls in the tree have."""


def _logaddexp(a: Node, b: Node) -> Node:
    return call("log", add(call("exp", a), call("exp", b)))


def _compared(sign: str) -> Callable[[Node, Node], Node]:
    return lambda a, b: Condition(sign, (a, b))


def _joined(sign: str) -> Callable[..., Node]:
    return lambda *conditions: Condition(sign, tuple(map(condition, conditions)))


def condition(x: Node) -> Node:
    """Return a number as the condition that it is not 0."""
    return x if isinstance(x, Condition) else Condition("!=", (x, ZERO))


def as_number(x: Node) -> Node:
    """Return a condition as the number 0 or 1."""
    return indicator(x) if isinstance(x, Condition) else x


def _every(function: str) -> Callable[..., Node]:
    def made(first: Node, *more: Node) -> Node:
        for one in more:
            first = call(function, first, one)
        return first

    return made


def _one(function: str) -> Callable[..., Node]:
    return lambda *operands: call(function, *operands)


CALLS: dict[Any, Callable[..., Node]] = {
    np.add: add,
    np.subtract: subtract,
    np.negative: negative,
    np.positive: lambda a: a,
    np.multiply: mul,
    np.divide: divide,
    np.power: power,
    np.float_power: power,
    np.square: lambda a: power(a, TWO),
    np.sqrt: lambda a: power(a, HALF),
    np.reciprocal: lambda a: power(a, MINUS),
    np.exp2: lambda a: power(TWO, a),
    np.expm1: lambda a: subtract(call("exp", a), ONE),
    np.log1p: lambda a: call("log", add(ONE, a)),
    np.log2: lambda a: mul(Number(1 / np.log(2)), call("log", a)),
    np.log10: lambda a: mul(Number(1 / np.log(10)), call("log", a)),
    np.logaddexp: _logaddexp,
    np.hypot: lambda a, b: power(add(power(a, TWO), power(b, TWO)), HALF),
    np.fabs: _one("abs"),
    np.fmax: _one("max"),
    np.fmin: _one("min"),
    np.maximum: _one("max"),
    np.minimum: _one("min"),
    np.greater: _compared(">"),
    np.greater_equal: _compared(">="),
    np.less: _compared("<"),
    np.less_equal: _compared("<="),
    np.equal: _compared("="),
    np.not_equal: _compared("!="),
    np.logical_and: _joined("and"),
    np.bitwise_and: _joined("and"),
    np.logical_or: _joined("or"),
    np.bitwise_or: _joined("or"),
    np.logical_not: _joined("not"),
    np.invert: _joined("not"),
    np.where: lambda c, a, b: where(condition(c), a, b),
    greatest: _every("max"),
    least: _every("min"),
    product: mul,
    total: add,
    np.copy: lambda a: a,
    astype: as_number,
    refined: lambda first, second: second,
    special.loggamma: _one("gammaln"),
    special.digamma: _one("psi"),
    special.betaln: lambda a, b: subtract(add(call("gammaln", a), call("gammaln", b)), call("gammaln", add(a, b))),
    special.erfc: lambda a: subtract(ONE, call("erf", a)),
    special.ndtr: _one("Phi"),
    special.log_ndtr: _one("log Phi"),
    special.expit: _one("sigma"),
    special.log_expit: lambda a: negative(call("softplus", negative(a))),
    special.logit: lambda a: call("log", divide(a, subtract(ONE, a))),
    special.xlogy: lambda a, b: mul(a, call("log", b)),
    special.xlog1py: lambda a, b: mul(a, call("log", add(ONE, b))),
}
"""What a function of NumPy's, of numbers, is in the tree."""

CALLS |= {row.compute: _one(name) for name, row in FUNCTIONS.items() if row.compute not in CALLS and name != "softplus"}
