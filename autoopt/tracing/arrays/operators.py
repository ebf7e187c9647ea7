"""Python's operators on traced arrays."""

from __future__ import annotations

import dis
from collections.abc import Callable

import numpy as np

from autoopt.tracing.arrays import writing

BINARY_OP = dis.opmap["BINARY_OP"]


REMAINDERS = (6, 19)


def binary(ufunc, compute):
    """Return the methods for `self op other`, `other op self`, `self op= other`; `compute` is Python's own operator."""

    def forward(self, other):
        return self.tracer.elementwise(ufunc, (self, other), compute)

    def reflected(self, other):
        return self.tracer.elementwise(ufunc, (other, self), compute)

    def in_place(self, other):
        return writing.update(self, self.tracer.elementwise(ufunc, (self, other), compute))

    return forward, reflected, in_place


ARITHMETIC = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}


COMPARISONS = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}


def equality(ufunc: Callable, compute: Callable) -> Callable:
    """Return `==` or `!=`, which numbers answer for themselves where the other is None or a text."""
    unequal = ufunc is np.not_equal

    def method(self, other):
        if other is None or type(other) is str:
            return np.full(self.shape, unequal) if isinstance(self.value, np.ndarray) else unequal
        return self.tracer.elementwise(ufunc, (self, other), compute)

    return method
