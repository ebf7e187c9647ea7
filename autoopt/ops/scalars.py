"""Scalar functions that PyTensor lacks, or differentiates in a way that will not do: each with its slopes.

The slopes are written in PyTensor scalars, so second derivatives follow from them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np
import pytensor.scalar as ps
import pytensor.scalar.math as psm
from pytensor.gradient import grad_not_implemented
from pytensor.scalar.math import sigmoid
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.variable import TensorVariable


class Elementwise(Protocol):
    """What PyTensor's Elemwise is to those who call it: its own types have it return a variable or several."""

    scalar_op: Any

    def __call__(self, *inputs: Any) -> TensorVariable: ...


def elementwise(operation: ps.ScalarOp, name: str | None = None) -> Elementwise:
    """Return an operation on scalars as one on arrays."""
    return cast(Elementwise, Elemwise(operation, name=name))


def scalar(
    function: Callable,
    *slopes: Callable | None,
    chained: Callable = operator.mul,
    base: type = ps.ScalarOp,
    name: str | None = None,
    public: str | None = None,
) -> Elementwise:
    """Return `function` as an elementwise operation.

    Parameters
    ----------
    function : ufunc
        What computes the value; it names itself in the printed source.
    slopes : callables of (inputs..., output), or None
        The derivative in each input; None where there is none.
    chained : callable
        What a slope does to the gradient that comes from outside: a product, unless the slope is a choice.
    base : type
        The PyTensor scalar operation whose place it takes, for the rewrites that look for it.
    public : str
        The function's name in the printed source; "" if it has none, and a printer of its own.
    """
    own = function.__name__
    if public is None:
        public = own if getattr(np, own, None) is function else f"scipy.special.{own}"

    def pullback(self: Any, inputs: Any, outputs: Any, output_gradients: Any) -> list:
        (g,) = output_gradients
        if g.type in ps.discrete_types:
            return [x.zeros_like(dtype="float64") for x in inputs]
        return [
            grad_not_implemented(self, i, inputs[i]) if slope is None else chained(g, slope(*inputs, outputs[0]))
            for i, slope in enumerate(slopes)
        ]

    methods = {
        "nin": len(slopes),
        "nout": 1,
        "nfunc_spec": (public, len(slopes), 1) if public else None,
        "impl": lambda self, *x: function(*x),
        "pullback": pullback,
        "L_op": pullback,
        "c_code_cache_version": lambda self: (),
        "__doc__": f"{own} with slopes of its own.",
        "__module__": __name__,
    }
    kind = type(name or own.title().replace("_", ""), (base,), methods)
    return elementwise(kind(ps.upgrade_to_float, name=own), own)


def _given(g: Any, larger: tuple) -> Any:
    """g where x > y, g / 2 at a tie, else 0, whatever g is there."""
    x, y = larger
    return ps.switch(ps.gt(x, y), g, ps.switch(ps.eq(x, y), 0.5 * g, 0.0))


maximum = scalar(np.maximum, lambda x, y, out: (x, y), lambda x, y, out: (y, x), chained=_given)
minimum = scalar(np.minimum, lambda x, y, out: (y, x), lambda x, y, out: (x, y), chained=_given)
cbrt = scalar(np.cbrt, lambda x, out: 1 / (3 * out * out))


size = scalar(np.absolute, lambda x, out: ps.switch(ps.ge(x, 0), 1.0, -1.0), name="Size")
"""|x| below a power above 1: its slope at 0 does not matter, and must not be 0 beside an infinite curvature."""


def _distance_slope(x: Any, out: Any) -> Any:
    """1 / (2 sqrt x), and 0 at x = 0."""
    away = ps.gt(x, 0)
    return ps.switch(away, 0.5 / ps.switch(away, out, 1.0), 0.0)


distance = scalar(np.sqrt, _distance_slope, name="Distance")


def both(x: Any, y: Any) -> Any:
    return ps.and_(ps.eq(x, 0), ps.eq(y, 0))


def _power_slope(x: Any, y: Any, out: Any) -> Any:
    """y x^(y - 1), which is 0 at x = y = 0."""
    flat = both(x, y)
    return ps.switch(flat, 0.0, y * power.scalar_op(x, ps.switch(flat, 1.0, y - 1)))


def _power_exponent_slope(x: Any, y: Any, out: Any) -> Any:
    """x^y log x, which is 0 at x = 0."""
    return ps.switch(ps.eq(x, 0), 0.0, ps.log(ps.switch(ps.eq(x, 0), 1.0, x))) * out


power = scalar(np.power, _power_slope, _power_exponent_slope)


def _part(x: Any, y: Any) -> Any:
    """exp x / (exp x + exp y); 0 where both are the same infinity."""
    apart = x - y
    unknown = ps.isnan(apart)
    return ps.switch(unknown, 0.0, sigmoid(ps.switch(unknown, 0.0, apart)))


logaddexp = scalar(np.logaddexp, lambda x, y, out: _part(x, y), lambda x, y, out: _part(y, x))


def reciprocal(name: str, function: Callable, slope: Callable) -> Elementwise:
    """Return 1 / function as one operation, whose slope is a multiple of itself."""

    def pullback(self: Any, inputs: Any, outputs: Any, output_gradients: Any) -> list:
        return [output_gradients[0] * slope(inputs[0], outputs[0])]

    methods = {
        "impl": lambda self, x: 1.0 / function(x),
        "divisor": function,
        "pullback": pullback,
        "L_op": pullback,
        "__doc__": f"1 / {function.__name__}.",
        "__module__": __name__,
    }
    kind = type(name, (Inverse,), methods)
    return elementwise(kind(ps.upgrade_to_float, name=name.lower()))


class Inverse(ps.UnaryScalarOp):
    """The reciprocal of what grows like an exponential: where that has overflown it is 0, and so are its slopes."""

    divisor: Callable


sech = reciprocal("Sech", np.cosh, lambda x, out: -out * ps.tanh(x))
csch = reciprocal("Csch", np.sinh, lambda x, out: -out / ps.tanh(x))
inverse_expm1 = reciprocal("InverseExpm1", np.expm1, lambda x, out: -out * (1.0 + out))


class Share(Inverse):
    """1 / (1 + exp x), whose slope is a product of two of them: 1 - out would be rounded where x is far below 0."""

    @staticmethod
    def impl(x: float) -> float:
        return 1.0 / (1.0 + np.exp(x))

    def pullback(self, inputs: Any, outputs: Any, output_gradients: Any) -> list:
        return [-output_gradients[0] * outputs[0] * self(-inputs[0])]

    L_op = pullback


share = elementwise(Share(ps.upgrade_to_float, name="share"))


class Tail(ps.UnaryScalarOp):
    """log(1 + exp(-|x|)) with the slope of softplus(x) - maximum(x, 0), whose curvature at 0 is that of softplus."""

    @staticmethod
    def impl(x: float) -> float:
        return np.log1p(np.exp(-np.abs(x)))

    def pullback(self, inputs: Any, outputs: Any, output_gradients: Any) -> list:
        (x,), (g,) = inputs, output_gradients
        away = ps.switch(ps.gt(x, 0), 1.0, ps.switch(ps.eq(x, 0), 0.5, 0.0))
        return [g * (sigmoid(x) - away)]

    L_op = pullback


tail = elementwise(Tail(ps.upgrade_to_float, name="tail"))


class Log1mexp(psm.Log1mexp):
    """log(1 - exp x) with its slope written in exp x, not in exp(-x), which overflows where x is far below 0."""

    def pullback(self, inputs: Any, outputs: Any, output_gradients: Any) -> list:
        (x,), (g,) = inputs, output_gradients
        slope = ps.exp(x) / ps.expm1(x)
        return [g * ps.switch(ps.isinf(slope), -np.inf, slope)]


log1mexp = elementwise(Log1mexp(ps.upgrade_to_float, name="log1mexp"))
