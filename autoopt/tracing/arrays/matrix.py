"""Stand-ins for np.matrix: `*` is a product of matrices, and everything has two dimensions.

Each operation is done twice: by NumPy on the plain matrices, which says whether the result is a matrix and of which
shape, and on the traced arrays; where the numbers differ it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.tracing.arrays import indices
from autoopt.tracing.arrays.disguised import Disguised, add_operators
from autoopt.tracing.arrays.operators import ARITHMETIC, COMPARISONS


def matrix(tracer: Any, plain: np.matrix, values: Any = None) -> MatrixArray:
    """Return the stand-in for a matrix, of data unless its traced `values` are given."""
    return MatrixArray(tracer, plain, values)


def made(tracer: Any, data: Any, dtype: Any = None, copy: bool = True) -> Any:
    """Return what np.matrix(...) or np.asmatrix(...) makes of data, or of values that are traced."""
    if type(data) is MatrixArray:
        return data
    data = tracer.whole(data)
    if type(data) is not tracer.array:
        return matrix(tracer, np.matrix(data, dtype))
    if not data.shape or len(data.shape) == 1:
        data = data.reshape(1, -1)
    return matrix(tracer, np.matrix(data.value), data.duplicate() if copy else data)


class MatrixArray(Disguised):
    """Stands in for an np.matrix.

    Attributes
    ----------
    value : np.matrix
        Its numbers.
    _values : TracedArray, shape (m, n)
        The same on the tape; for data, made when first asked for.
    """

    __slots__ = ("_traced",)

    def __init__(self, tracer: Any, plain: np.matrix, values: Any = None) -> None:
        self.tracer, self.value, self._traced = tracer, plain, values

    @property
    def _values(self) -> Any:
        if self._traced is None:
            numbers = np.asarray(self.value)
            self._traced = self.tracer.array(self.tracer, self.tracer.constant(numbers), numbers, 0)
        return self._traced

    T = property(lambda self: self._both(self.value.T, self._values.T, "T"))
    H = T
    A = property(lambda self: self._values)
    A1 = property(lambda self: self._values.reshape(-1))
    I = property(lambda self: self._do(np.linalg.inv, (self,), {}))

    @property
    def __class__(self):
        return np.matrix

    def as_traced(self) -> Any:
        """Return what np.asarray gives for it."""
        return self._values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._values, dtype=dtype)

    def __float__(self) -> float:
        return float(self._values)

    def __bool__(self) -> bool:
        return bool(self._values.reshape(-1)[0]) if self.size == 1 else bool(self.value)

    def __getitem__(self, key: Any) -> Any:
        key = indices.decided(self.tracer, key) if type(key) is not slice else key
        return self._both(self.value[key], self._values[key], "an index")

    def __setitem__(self, key: Any, value: Any) -> None:
        raise self._refusal("an assignment to a part")

    # Operations

    def _do(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Call a function on the plain matrices and on the traced arrays."""
        plain = function(*self._plain(args), **self._plain(kwargs))
        result = function(*self._arrays(args), **self._arrays(kwargs))
        return self._both(plain, result, qualified(function))

    def _plain(self, value: Any) -> Any:
        kind = type(value)
        if kind in (tuple, list):
            return kind([self._plain(part) for part in value])
        if kind is dict:
            return {key: self._plain(part) for key, part in value.items()}
        return value.value if kind in (MatrixArray, self.tracer.array) else value

    def _arrays(self, value: Any) -> Any:
        kind = type(value)
        if kind in (tuple, list):
            return kind([self._arrays(part) for part in value])
        if kind is dict:
            return {key: self._arrays(part) for key, part in value.items()}
        if kind is MatrixArray:
            return value._values
        return np.asarray(value) if isinstance(value, np.matrix) else value

    def _both(self, plain: Any, traced: Any, what: str) -> Any:
        """Return `found` as NumPy has it, which gives `plain`."""
        if isinstance(plain, tuple) and isinstance(traced, tuple):
            parts = [self._both(*pair, what) for pair in zip(plain, traced, strict=True)]
            return type(plain)(*parts) if hasattr(plain, "_fields") else tuple(parts)
        numbers = getattr(traced, "value", traced)
        if np.size(plain) != np.size(numbers):
            raise self._refusal(what)
        if not np.allclose(np.ravel(np.asarray(plain)), np.ravel(np.asarray(numbers)), 1e-9, 1e-12, True):
            raise self._refusal(what)
        if not isinstance(plain, np.matrix):
            return traced
        return matrix(self.tracer, plain, self.tracer.lift(traced).reshape(plain.shape))

    def _product(self, left: Any, right: Any) -> Any:
        """Return the product of two matrices, or of one with a number."""
        left, right = self.tracer.whole(left), self.tracer.whole(right)
        if np.ndim(left) == 0 or np.ndim(right) == 0:
            return self._do(np.multiply, (left, right), {})
        if type(right) is not MatrixArray:
            right = made(self.tracer, right)
        return self._do(np.dot, (left, right), {})

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return self._do(ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        name = function.__name__
        if name in _METHODS and args and type(args[0]) is MatrixArray:
            return getattr(args[0], name)(*args[1:], **kwargs)
        return self._do(function, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(self.value, name):
            raise AttributeError(f"'matrix' object has no attribute {name!r}")
        if name not in _METHODS:
            raise self._refusal(f".{name}")

        def call(*args: Any, **kwargs: Any) -> Any:
            plain = getattr(self.value, name)(*self._plain(args), **self._plain(kwargs))
            return self._both(
                plain, getattr(self._values, name)(*self._arrays(args), **self._arrays(kwargs)), f".{name}"
            )

        return call

    def tolist(self) -> list:
        return self._values.tolist()

    def copy(self, order: str = "C") -> MatrixArray:
        return matrix(self.tracer, self.value.copy(order), self._values.duplicate())

    def getA(self) -> Any:
        return self.A

    def getA1(self) -> Any:
        return self.A1

    def getT(self) -> Any:
        return self.T

    def getI(self) -> Any:
        return self.I

    def __matmul__(self, other: Any) -> Any:
        return self._do(np.matmul, (self, self.tracer.whole(other)), {})

    def __rmatmul__(self, other: Any) -> Any:
        return self._do(np.matmul, (self.tracer.whole(other), self), {})

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        return self._do(np.linalg.matrix_power, (self, other), {})

    def __neg__(self) -> Any:
        return self._do(np.negative, (self,), {})

    def __abs__(self) -> Any:
        return self._do(np.absolute, (self,), {})

    def __invert__(self) -> Any:
        return self._do(np.invert, (self,), {})

    def __rpow__(self, other: Any) -> Any:
        raise self._refusal("a power of it")

    def _refusal(self, what: str) -> TracingError:
        return UnsupportedFunctionError(
            f"The objective calls {what} of an np.matrix, which is not followed.",
            self.tracer.location(),
            "turn it into an array: np.asarray(...); @ is the matrix product.",
        )


def qualified(function: Any) -> str:
    return f"np.{getattr(function, '__name__', 'function')}"


def _operate(this: MatrixArray, ufunc: Any, compute: Callable, operands: tuple) -> Any:
    if ufunc is np.multiply:
        return this._product(*operands)
    return this._do(ufunc, tuple(map(this.tracer.whole, operands)), {})


add_operators(MatrixArray, ARITHMETIC, COMPARISONS, _operate)

_METHODS = frozenset(
    ("sum", "mean", "std", "var", "prod", "max", "min", "any", "all", "argmax", "argmin", "trace", "diagonal", "ravel",
     "flatten", "reshape", "transpose", "dot", "squeeze", "astype", "item", "cumsum", "cumprod", "ptp", "conj", "round",
     "clip", "take", "repeat")
)  # fmt: skip
