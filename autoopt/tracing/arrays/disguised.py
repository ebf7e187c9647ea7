"""What stand-ins for arrays and tables of other classes have in common: masked arrays, np.matrix, Series and frames.

    x * table                   # `x`, a traced array, comes first, yet Python asks `table` first: it is of a subclass
    table * x                   # both are `_operate(table, np.multiply, operator.mul, operands)` of its class

They are subclasses of the traced array for this reason alone. What the traced array has must not show through: it means
something else there, or nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autoopt.tracing.arrays.array import TracedArray


class Disguised(TracedArray):
    """A stand-in for an object of another class, `value`, which says its shape and type.

    A class of it has `as_traced`, which gives its numbers on the tape, `_follows`, which says whether they depend on
    the parameters, and a `__getattr__` that refuses what it does not know.
    """

    __slots__ = ()
    _hidden = "attribute of it"
    """What a refusal calls attributes of arrays that the other class has not, or that are not followed."""

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    dtype = property(lambda self: self.value.dtype)
    real = property(lambda self: self)
    imag = flat = mT = nbytes = itemsize = property(lambda self: self.__getattr__(self._hidden))
    cast = property(lambda self: self.__getattr__("cast"))
    current = property(lambda self: self.__getattr__("current"))
    duplicate = property(lambda self: self.__getattr__("duplicate"))

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator:
        return (self[k] for k in range(len(self.value)))

    def __repr__(self) -> str:
        return repr(self.value)

    def __str__(self) -> str:
        return repr(self)

    __format__ = object.__format__
    __hash__ = object.__hash__

    def __pos__(self) -> Any:
        return self


def add_operators(
    kind: type, arithmetic: Mapping[str, Callable], comparisons: Mapping[str, Callable], do: Callable
) -> None:
    """Give a class Python's binary operators: `do(self, ufunc, compute, operands)`, `compute` being Python's own."""
    for name, ufunc in {**arithmetic, **comparisons}.items():
        compute = getattr(operator, f"__{name}__")

        def forward(self, other, ufunc=ufunc, compute=compute):
            return do(self, ufunc, compute, (self, other))

        def reflected(self, other, ufunc=ufunc, compute=compute):
            return do(self, ufunc, compute, (other, self))

        setattr(kind, f"__{name}__", forward)
        if name in arithmetic:
            setattr(kind, f"__r{name}__", reflected)
            setattr(kind, f"__i{name}__", forward)
    for name in ("pow", "matmul"):  # nothing is changed in place
        setattr(kind, f"__i{name}__", getattr(kind, f"__{name}__"))
