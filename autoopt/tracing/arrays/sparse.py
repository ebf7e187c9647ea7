"""Stand-ins for SciPy's sparse matrices: data whose products with traced arrays are steps, and nothing else is.

What involves data alone is done by SciPy on the original. A matrix scaled by traced values, as `X.multiply(v)` gives,
keeps its pattern and has its entries on the tape. scipy.sparse is not imported here: the user's objects come from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.operations import put_add, sparse_product, sparse_transposed_product
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Leaf, Step
from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.recording.recorder import Recorder


def is_sparse(value: Any) -> bool:
    """Whether `value` is a sparse matrix or array of SciPy."""
    return type(value).__module__.startswith("scipy.sparse.") and hasattr(value, "tocsr") and hasattr(value, "shape")


class Matrices:
    """The sparse matrices of one trace."""

    def __init__(self, tracer: Recorder, free_name: Callable[[str], str]) -> None:
        self.tracer, self.free_name = tracer, free_name

    def wrap(self, value: Any, name: str = "") -> Any:
        """Return the stand-in for what SciPy gave."""
        if type(value) is tuple:
            return tuple(self.wrap(part, name) for part in value)
        return Sparse(self, value, name or "matrix") if is_sparse(value) and len(value.shape) == 2 else value

    def plain(self, value: Any) -> Any:
        """Return `value` for SciPy."""
        if type(value) is Sparse:
            return value._original
        if type(value) is self.tracer.array:
            return self.tracer.guard(value, "array", value.value)
        return value

    def plainly(self, value: Any) -> Any:
        """Return `value` for SciPy, with what is in it."""
        if type(value) in (tuple, list):
            return type(value)([self.plainly(part) for part in value])
        return {key: self.plainly(part) for key, part in value.items()} if type(value) is dict else self.plain(value)

    def follows(self, value: Any) -> bool:
        """Whether `value` is of the trace."""
        if type(value) is Sparse:
            return value._entries is not None
        if type(value) in (list, tuple):
            return any(map(self.follows, value))
        return type(value) is self.tracer.array and value.level != CONSTANT

    def depends(self, value: Any) -> bool:
        """Whether `value` depends on the parameters."""
        if type(value) is Sparse:
            return value._entries is not None
        return (
            self.tracer.level(value) == PARAMETER if type(value) not in (list, tuple) else any(map(self.depends, value))
        )

    def leaf(self, name: str, matrix: Any) -> int:
        """Return the step of a matrix: an input of the tape, not an array."""
        steps, tape = self.tracer.steps, self.tracer.tape
        steps.append(Step(None, (), Leaf(self.free_name(name), "captured"), matrix.shape, np.dtype(object), DATA, None))
        tape.values[len(steps) - 1] = matrix
        return len(steps) - 1

    def refusal(self, what: str) -> UnsupportedFunctionError:
        """Return the error for what sparse matrices do otherwise."""
        return UnsupportedFunctionError(
            f"The objective calls {what} of a sparse matrix with values that depend on the parameters.",
            self.tracer.location(),
            "use X @ w, X.T @ r, X.multiply(v) or X.toarray().",
        )


def coordinates(like: Any, entries: np.ndarray, places: tuple) -> Any:
    """Return the matrix of these entries by coordinates, of the kind (array or matrix) and shape of `like`."""
    return type(like.tocoo())((entries, tuple(map(np.asarray, places))), shape=like.shape)


class Sparse(TracedArray):
    """Stands in for a sparse matrix; a subclass of the traced array so that Python asks it first in `traced @ matrix`.

    Attributes
    ----------
    _original : sparse matrix or array
        Its numbers, and the pattern.
    _own : bool
        Whether the objective made it, so that it may write into it.
    _entries : TracedArray, shape (entries,), or None
        The entries in the order of the original's coordinates, if they are of the trace.
    """

    __slots__ = ("_dense", "_entries", "_matrices", "_name", "_own", "_steps", "_turned")

    def __init__(self, matrices: Matrices, original: Any, name: str, entries: Any = None, turned: Any = None) -> None:
        self._matrices, self._name, self._entries, self._turned = matrices, name, entries, turned
        self._dense = None
        self._own = False
        self._steps: dict[str, int] = {}
        self.value = original

    _original = property(lambda self: self.value)
    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: 2)
    size = property(lambda self: self.value.size)
    real = imag = flat = mT = nbytes = itemsize = property(lambda self: self.__getattr__("array of it"))
    cast = property(lambda self: self.__getattr__("cast"))
    current = property(lambda self: self.__getattr__("current"))
    duplicate = property(lambda self: self.__getattr__("duplicate"))

    @property
    def __class__(self):
        return type(self.value)

    @property
    def T(self) -> Sparse:
        if self._entries is not None:
            coo = self.value.tocoo()
            return self._with(type(coo)((coo.data, (coo.col, coo.row)), shape=self.shape[::-1]), self._entries)
        if self._turned is None:
            return Sparse(self._matrices, self.value.T, self._name, turned=self)
        return self._turned

    def transpose(self) -> Sparse:
        """Return the transpose."""
        return self.T

    def _with(self, coordinates: Any, entries: Any) -> Sparse:
        return Sparse(self._matrices, coordinates, self._name, entries)

    def _step(self, kind: str, make: Callable[[], Any]) -> int:
        if kind not in self._steps:
            self._steps[kind] = self._matrices.leaf(self._name + kind, make())
        return self._steps[kind]

    # Products

    def __matmul__(self, other: Any) -> Any:
        matrices = self._matrices
        if type(other) is Sparse and matrices.follows((self, other)):
            return _product_of_two(self, other)
        if type(other) is Sparse or (self._entries is None and not matrices.follows(other)):
            return matrices.wrap(self.value @ matrices.plain(other), self._name)
        other = matrices.tracer.whole(other)
        if self._entries is None:
            if self._turned is not None:
                return self._product(self._turned._step("", lambda: self._turned.value), other, True)
            return self._product(self._step("", lambda: self.value), other, False)
        picked = other[self._places()[1]]
        return self._row_sums((self._entries if np.ndim(other) == 1 else self._entries[:, None]) * picked)

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows and columns of the entries."""
        coo = self.value.tocoo()
        return coo.row, coo.col

    def _product(self, step: int, x: Any, transposed: bool) -> Any:
        tracer = self._matrices.tracer
        if type(x) is not tracer.array or x.dtype != np.float64:
            x = x.cast(float) if type(x) is tracer.array else np.asarray(x, dtype=float)
        operation = sparse_transposed_product if transposed else sparse_product
        value = np.asarray(self.value @ tracer.concrete(x))
        source = x.current() if type(x) is tracer.array else tracer.constant(x)
        return tracer.record(operation, (step, source), None, value, max(DATA, tracer.level(x)))

    def _row_sums(self, entries: Any) -> Any:
        """Return the sums over the rows of entries on this pattern: a product with the matrix that adds them up."""
        rows, _ = self._places()
        count = len(rows)

        def adding() -> Any:
            return type(self.value)((np.ones(count), (rows, np.arange(count))), shape=(self.shape[0], count)).tocsr()

        made = Sparse(self._matrices, adding(), self._name)
        return made._product(self._step("_rows", lambda: made.value), entries, False)

    def __rmatmul__(self, other: Any) -> Any:
        if np.ndim(self._matrices.plain(other) if type(other) is Sparse else other) == 1:
            return self.T @ other
        return (self.T @ np.swapaxes(other, 0, 1)).T

    def dot(self, other: Any) -> Any:
        """Return the product."""
        return self * other if np.ndim(other) == 0 else self @ other

    def __mul__(self, other: Any) -> Any:
        is_array = "array" in type(self.value).__name__
        return self.multiply(other) if is_array or np.ndim(other) == 0 else self @ other

    def __rmul__(self, other: Any) -> Any:
        is_array = "array" in type(self.value).__name__
        return self.multiply(other) if is_array or np.ndim(other) == 0 else self.__rmatmul__(other)

    def __truediv__(self, other: Any) -> Any:
        if not self._matrices.follows((self, other)):
            return self._matrices.wrap(self.value / self._matrices.plain(other), self._name)
        return self.multiply(1.0 / other)

    def __neg__(self) -> Any:
        return self.multiply(-1.0)

    def multiply(self, other: Any) -> Any:
        """Return the product entry by entry: the pattern stays, the entries become traced."""
        matrices = self._matrices
        if type(other) is Sparse and matrices.follows((self, other)):
            raise matrices.refusal(".multiply(...) by a sparse matrix")
        if not matrices.follows((self, other)):
            return matrices.wrap(self.value.multiply(matrices.plain(other)), self._name)
        coo = self.value.tocoo()
        coo.sum_duplicates() if self._entries is None else None
        rows, columns = coo.row, coo.col
        other = matrices.tracer.whole(other)
        entries = coo.data if self._entries is None else self._entries
        if np.ndim(other) == 0:
            factors = other
        else:
            other = other if np.ndim(other) == 2 else other[None, :]
            if any(given not in (1, own) for given, own in zip(np.shape(other), self.shape, strict=True)):
                raise matrices.refusal(".multiply(...) by an array of another shape")
            factors = _spread(other, rows, columns)
        found = entries * factors
        return self._with(type(coo)((np.asarray(found.value), (rows, columns)), shape=self.shape), found)

    # The rest

    def sum(self, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        """Return the sum of the entries, of the columns or of the rows."""
        if self._entries is None:
            return self.value.sum(axis)
        if axis is None:
            return np.sum(self._entries)
        sums = self._row_sums(self._entries) if axis in (1, -1) else self.T._row_sums(self._entries)
        if "array" in type(self.value).__name__:
            return sums
        return Matrix(self._matrices, sums[:, None] if axis in (1, -1) else sums[None, :])

    def mean(self, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        """Return the mean over all entries, zeros included."""
        if self._entries is None:
            return self.value.mean(axis)
        return self.multiply(1.0 / (self.shape[0] * self.shape[1] if axis is None else self.shape[axis])).sum(axis)

    def toarray(self, order: Any = None, out: Any = None) -> Any:
        """Return the array: an input of the tape, or its entries put into zeros."""
        tracer = self._matrices.tracer
        if self._entries is not None:
            return tracer.call(put_add, (np.zeros(self.shape), (self.value.row, self.value.col), self._entries), {})
        if self._dense is None:
            name = self._matrices.free_name(self._name + "_dense")
            self._dense = tracer.leaf(Leaf(name, "captured"), self.value.toarray(), ("", self.value, ".toarray()"))
        return self._dense.duplicate()

    def todense(self, order: Any = None, out: Any = None) -> Any:
        """Return the array, as an np.matrix where SciPy gives that."""
        made = self.toarray()
        return made if "array" in type(self.value).__name__ else Matrix(self._matrices, made)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise self._matrices.refusal("a NumPy function")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and ufunc in (np.matmul, np.multiply) and len(inputs) == 2 and not kwargs:
            left, right = inputs
            if type(left) is Sparse:
                return left @ right if ufunc is np.matmul else left * right
            return right.__rmatmul__(left) if ufunc is np.matmul else right.__rmul__(left)
        raise self._matrices.refusal(f"np.{ufunc.__name__}")

    def __array_function__(self, function: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        if function in (np.shape, np.ndim, np.size):
            return function(self.value)
        raise self._matrices.refusal(f"np.{function.__name__}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in Sparse.__slots__:
            raise AttributeError(name)
        found = getattr(self.value, name)
        if self._entries is not None:
            if name in ("tocsr", "tocsc", "tocoo"):
                return lambda *args, **kwargs: self
            raise self._matrices.refusal(f".{name}")
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._call(name, args, kwargs)

    def _call(self, name: str, args: tuple, kwargs: dict) -> Any:
        if self._matrices.depends((args, tuple(kwargs.values()))):
            raise self._matrices.refusal(f".{name}")
        found = getattr(self.value, name)(*map(self._matrices.plain, args), **kwargs)
        if name in ("tocsr", "tocsc", "tocoo", "asformat") and not args and not kwargs:
            return Sparse(self._matrices, found, self._name, turned=None)
        return self._matrices.wrap(found, self._name)

    def __getitem__(self, key: Any) -> Any:
        if self._entries is not None:
            raise self._matrices.refusal("an index")
        parts = key if type(key) is tuple else (key,)
        key = tuple(map(self._matrices.plain, parts))
        return self._matrices.wrap(self.value[key if len(key) > 1 else key[0]], self._name)

    def __setitem__(self, key: Any, value: Any) -> None:
        parts = key if type(key) is tuple else (key,)
        if not self._own or self._matrices.follows(value):
            raise self._matrices.refusal("an assignment")
        if self._steps or self._dense is not None:  # what was computed with it keeps what it was
            self.value, self._steps, self._dense = self.value.copy(), {}, None
        self.value[tuple(map(self._matrices.plain, parts))] = self._matrices.plain(value)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        return iter(self.value) if self._entries is None else iter(self.toarray())

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return repr(self.value)

    __str__ = __repr__
    __format__ = object.__format__
    __hash__ = object.__hash__


def _product_of_two(one: Sparse, other: Sparse) -> Sparse:
    """Return the product of two sparse matrices: each pair of entries that meet is one of its own."""
    left, right = one.value.tocoo(), other.value.tocoo()
    if left.shape[1] != right.shape[0]:
        raise ValueError(f"dimension mismatch: {left.shape} @ {right.shape}")
    first, second = _meeting(left, right)
    first_entries, second_entries = (
        (matrix.data if traced is None else traced)[picked]
        for matrix, traced, picked in ((left, one._entries, first), (right, other._entries, second))
    )
    shape = left.shape[0], right.shape[1]
    entries = first_entries * second_entries
    places = left.row[first], right.col[second]
    return one._with(type(left)((np.asarray(entries.value), places), shape=shape), entries)


def _meeting(left: Any, right: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the entries of two matrices by coordinates, each pair of which makes an entry of their product."""
    order = np.argsort(right.row, kind="stable")
    counts = np.bincount(right.row, minlength=right.shape[0])
    met = counts[left.col]
    first = np.repeat(np.arange(left.nnz), met)
    starts = (np.cumsum(counts) - counts)[left.col[first]]
    return first, order[np.arange(met.sum()) - np.repeat(np.cumsum(met) - met, met) + starts]


def _spread(array: Any, rows: np.ndarray, columns: np.ndarray) -> Any:
    """Return the entries of a matrix, a row or a column, spread as NumPy does, at these places."""
    tall, wide = (length > 1 for length in np.shape(array))
    return array[rows if tall else np.zeros_like(rows), columns if wide else np.zeros_like(columns)]


class Matrix:
    """Stands in for an np.matrix of traced values, of which only the ways out are followed."""

    def __init__(self, matrices: Matrices, array: Any) -> None:
        self._matrices, self.A = matrices, array
        self.shape = array.shape

    @property
    def A1(self) -> Any:
        return self.A.reshape(-1)

    def as_traced(self) -> Any:
        """Return what np.asarray gives for it."""
        return self.A

    def sum(self) -> Any:
        """Return the sum of all entries."""
        return np.sum(self.A)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise UnsupportedFunctionError(
            "The objective calculates with an np.matrix, as .sum(axis) of a sparse matrix is; it is not followed.",
            self._matrices.tracer.location(),
            "put np.asarray(...) around it, or make the data a sparse array, such as scipy.sparse.csr_array.",
        )


def _data_alone(name: str) -> Callable:
    def operate(self, *others):
        if self._matrices.depends((self, *others)):
            raise self._matrices.refusal(f"{name.strip('_')}")
        return self._matrices.wrap(getattr(self.value, name)(*map(self._matrices.plain, others)), self._name)

    return operate


_DATA_ALONE = (
    "add", "sub", "radd", "rsub", "rtruediv", "floordiv", "rfloordiv", "mod", "rmod", "pow", "rpow", "eq",
    "ne", "lt", "le", "gt", "ge", "and", "rand", "or", "ror", "xor", "rxor", "lshift", "rlshift", "rshift",
    "rrshift", "abs", "pos", "invert", "iadd", "isub", "imul", "itruediv", "imatmul", "ipow",
)  # fmt: skip
for _name in _DATA_ALONE:
    setattr(Sparse, f"__{_name}__", _data_alone(f"__{_name}__"))
