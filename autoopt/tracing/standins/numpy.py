"""What the instrumented copy of the user's function sees in place of Python's and NumPy's own names.

Only names that NumPy's dispatch protocols do not reach need a stand-in: constructors, `math`, `float` and a few
builtins. Each row is `stand_in(tracer, *args, **kwargs)` for the callable that it stands for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.origin import is_library
from autoopt.tape.tape import DATA, PARAMETER
from autoopt.tracing.arrays import defined, functions, matrix, views
from autoopt.tracing.complex import fourier
from autoopt.tracing.recording import clocks
from autoopt.tracing.standins.types import is_single, real

STAND_INS: dict[Callable, Callable] = {}
TYPES: dict[type, Callable] = {}


def stands_in(*originals: Callable) -> Callable:
    """Return a decorator that registers `stand_in(tracer, *args, **kwargs)` for `originals`."""

    def register(stand_in: Callable) -> Callable:
        STAND_INS.update(dict.fromkeys(originals, stand_in))
        return stand_in

    return register


# NumPy's constructors -------------------------------------------------------------------------------------------------


def _constructor(original: Callable) -> Callable:
    """Return a stand-in that makes the array as a step of its own, so that it can be written into."""

    def construct(tracer, *args, **kwargs):
        kwargs.pop("like", None)
        if tracer.holds_traced((args, kwargs)):
            args, kwargs = _decided(tracer, args), _decided(tracer, kwargs)
        made = np.zeros if original is np.empty else original
        place = _DTYPE_AFTER.get(original, 1)
        kind = real(kwargs.get("dtype", args[place] if len(args) > place else None))
        if is_single(kind):
            tracer.note_single()
            single = made(*real(args), **real(kwargs))
            return tracer.call(np.array, (single, float), {}, compute=lambda *given: single.astype(float))
        if made in (np.zeros, np.ones) and kind is not None and np.dtype(kind) == np.complex128:
            return complex_array(tracer, args[0] if args else kwargs["shape"], 0 if made is np.zeros else 1)
        return tracer.call(made, real(args), real(kwargs))

    return construct


_DTYPE_AFTER = {np.eye: 3, np.tri: 3, np.arange: 3, np.linspace: 5}
"""Where constructors take the dtype by position, if not second."""


def complex_array(tracer: Any, shape: Any, value: Any) -> Any:
    """Return a complex array filled with `value` that can be written into."""
    parts = [tracer.call(np.zeros, (real(_decided(tracer, shape)),), {}) for _ in range(2)]
    made = tracer.pair(tracer, *parts)
    if type(value) is not int or value:
        made[...] = value
    return made


def _decided(tracer: Any, value: Any) -> Any:
    """Return `value` with traced sizes as Python integers."""
    kind = type(value)
    if kind is tracer.array:
        return int(value) if value.dtype.kind in "iub" else tracer.guard(value, "float", value.value)
    if kind in (tuple, list):
        return kind([_decided(tracer, part) for part in value])
    if kind is dict:
        return {key: _decided(tracer, part) for key, part in value.items()}
    return value


for _original in (np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.indices):
    STAND_INS[_original] = _constructor(_original)


@stands_in(np.arange)
def _arange(tracer, *args, **kwargs):
    if any(type(part) is tracer.array and part.level == PARAMETER and part.dtype.kind == "f" for part in args):
        start, step = (0.0, 1.0) if len(args) == 1 else (args[0], args[2] if len(args) > 2 else 1.0)
        count = int(functions.call_function(tracer, np.ceil, ((args[len(args) > 1] - start) / step,), {}))
        count = max(count, 0)
        return start + step * np.arange(count)
    return _constructor(np.arange)(tracer, *args, **kwargs)


@stands_in(np.linspace)
def _linspace(tracer, *args, **kwargs):
    if tracer.holds_traced((args[:2], kwargs.get("start"), kwargs.get("stop"))):
        return functions.HANDLERS[np.linspace](tracer, *args, **kwargs)
    return _constructor(np.linspace)(tracer, *args, **kwargs)


@stands_in(np.full)
def _full(tracer, shape, fill_value, dtype=None, order="C", **kwargs):
    kind = real(dtype)
    if type(fill_value) in (complex, np.complex128, tracer.pair) or (kind is not None and np.dtype(kind).kind == "c"):
        return complex_array(tracer, shape, fill_value)
    made = _ordered(defined.full(tracer, _decided(tracer, shape), fill_value, kind), order)
    return _doubled(tracer, made) if is_single(kind) else made


def _in_double(tracer: Any, dtype: Any) -> Any:
    """Return a dtype, double precision for single."""
    if not is_single(dtype):
        return dtype
    tracer.note_single()
    return float


def _doubled(tracer: Any, array: Any) -> Any:
    """Return an array of single precision as one of double precision, into which traced values can be written."""
    tracer.note_single()
    return array.cast(float) if type(array) is tracer.array else array


@stands_in(np.array)
def _array(tracer, object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0, like=None):
    made = _as_array(tracer, object, real(dtype))
    if copy is True and made is object:
        made = made.duplicate(order)
    made = _ordered(made, order)
    while made.ndim < ndmin:
        made = made[None]
    return made


@stands_in(np.asarray, np.asanyarray, np.asarray_chkfinite)
def _asarray(tracer, a, dtype=None, order=None, **kwargs):
    return _ordered(_as_array(tracer, a, real(dtype)), order)


@stands_in(np.ascontiguousarray)
def _ascontiguousarray(tracer, a, dtype=None, *, like=None):
    return _ordered(np.atleast_1d(_as_array(tracer, a, real(dtype))), "C")


@stands_in(np.require)
def _require(tracer, a, dtype=None, requirements=None, *, like=None):
    wanted = {str(flag).upper() for flag in requirements or ()}
    columns, rows = {"F", "FORTRAN", "F_CONTIGUOUS"}, {"C", "CONTIGUOUS", "C_CONTIGUOUS"}
    order = "F" if wanted & columns else "C" if wanted & rows else None
    return _ordered(_as_array(tracer, a, real(dtype)), order)


@stands_in(np.asfortranarray)
def _asfortranarray(tracer, a, dtype=None, *, like=None):
    return _ordered(np.atleast_1d(_as_array(tracer, a, real(dtype))), "F")


def _ordered(array: Any, order: str | None) -> Any:
    """Return the array itself, or a copy where NumPy would make one to have it in `order`."""
    value = getattr(array, "value", array)
    return array.duplicate(order) if order in ("C", "F") and np.asarray(value, order=order) is not value else array


def _as_array(tracer: Any, value: Any, dtype: Any = None) -> Any:
    """Return anything array-like as a traced array with an ndarray for its value."""
    if hasattr(type(value), "as_traced"):  # a table of pandas, or a sum over a sparse matrix
        value = value.as_traced()
    if type(value) is tracer.array:
        if not isinstance(value.value, np.ndarray):
            return tracer.nested(value, dtype)
        return value if dtype is None or value.dtype == dtype else value.cast(dtype)
    if type(value) is tracer.pair:
        return value if dtype is None else value.cast(dtype)
    if tracer.holds_traced(value):
        return tracer.nested(value, _in_double(tracer, dtype))
    try:
        plain = np.array(value, dtype=dtype)
    except TypeError:
        if (floats := float_of(tracer, value)) is value or not tracer.holds_traced(floats):
            raise
        return tracer.nested(floats, _in_double(tracer, dtype))
    if is_single(dtype):
        tracer.note_single()
        plain = plain.astype(float)
    if plain.dtype == complex:  # parts of its own, so that it can be written into
        return tracer.pair(tracer, *(_as_array(tracer, part.copy()) for part in (plain.real, plain.imag)))
    if plain.dtype.kind not in "fiub":
        return plain
    return tracer.array(tracer, tracer.constant(plain.copy()), plain, 0)


@stands_in(as_strided)
def _as_strided(tracer, x, shape=None, strides=None, subok=False, writeable=True, **kwargs):
    """A view of memory: of which entries of the array it consists hangs on how that lies there."""
    if type(x) is not tracer.array:
        return as_strided(x, shape, strides, subok, writeable, **kwargs)
    value = as_strided(x.value, _decided(tracer, shape), _decided(tracer, strides), writeable=writeable)
    tracer.tape.data_decided = tracer.tape.data_decided or x.level == DATA
    try:
        return views.memory_view(x, value)
    except ValueError as error:
        raise TracingError(
            f"np.lib.stride_tricks.as_strided: {error}.", tracer.location(), "take strides that stay within the array."
        ) from error


@stands_in(np.fromiter)
def _fromiter(tracer, iter, dtype, count=-1, *, like=None):
    values = [value for value, _ in zip(iter, range(count), strict=False)] if count >= 0 else list(iter)
    return _as_array(tracer, values, real(dtype))


def _number(kind: type) -> Callable:
    """Return the stand-in for a NumPy scalar type used as a conversion, as in np.float64(x)."""

    def convert(tracer, value=0, *args):
        if type(value) is tracer.array:
            return value.cast(kind)
        if tracer.holds_traced(value):
            return tracer.nested(value, _in_double(tracer, kind))
        value = float_of(tracer, value)
        return value.cast(kind) if type(value) is tracer.array else kind(value, *args)

    return convert


def float_of(tracer: Any, value: Any) -> Any:
    """Return an object of the user's as the traced value that its `__float__` gives, anything else as it is.

    Objects in lists are such, too.
    """
    if type(value) in (list, tuple):
        return type(value)([float_of(tracer, part) for part in value])
    method = getattr(type(value), "__float__", None)
    found = method(value) if isinstance(method, FunctionType) else None
    return found if type(found) is tracer.array else value


def _empty(tracer: Any, shape: Any, dtype: Any = float, buffer: Any = None, *rest: Any, **options: Any) -> Any:
    """np.ndarray as the constructor of an array that is filled afterwards."""
    if buffer is not None or rest or set(options) - {"order"}:
        return np.ndarray(shape, real(dtype), buffer, *rest, **options)
    return _constructor(np.empty)(tracer, shape, dtype)


@stands_in(np.asmatrix)
def _asmatrix(tracer, data, dtype=None):
    return matrix.made(tracer, data, dtype, copy=False)


TYPES[np.ndarray] = _empty
TYPES.update({kind: _number(kind) for kind in (np.float64, np.float32, np.int64, np.int32, np.bool_)})


# Parts of np that are not functions -----------------------------------------------------------------------------------


class Vectorized:
    """Stands in for a function made by np.vectorize: calls the user's function once for each element.

    As there, the results are of the types `otypes`, by default of the first result's: whole numbers if that is one.
    With `otypes` None they are what they are, as np.frompyfunc leaves them.
    """

    def __init__(self, tracer: Any, pyfunc: Callable, otypes: Any = "", excluded: Any = ()) -> None:
        self.tracer, self.pyfunc, self.otypes, self.excluded = tracer, pyfunc, otypes, set(excluded or ())

    def __call__(self, *args, **kwargs):
        given = {**dict(enumerate(args)), **kwargs}
        arrays = {key: _as_array(self.tracer, part) for key, part in given.items() if key not in self.excluded}
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
        flat = [
            functions.call_function(self.tracer, np.broadcast_to, (array, shape), {}).ravel()
            for array in arrays.values()
        ]
        found = []
        for elements in zip(*flat, strict=True):
            given.update(zip(arrays, elements, strict=True))
            positional = [given[k] for k in range(len(args))]
            found.append(self.pyfunc(*positional, **{name: given[name] for name in kwargs}))
        if found and isinstance(found[0], tuple):
            return tuple(self._shaped(part, shape, k) for k, part in enumerate(zip(*found, strict=True)))
        return self._shaped(found, shape, 0)

    def _shaped(self, found: Any, shape: tuple[int, ...], k: int) -> Any:
        made = _as_array(self.tracer, list(found))
        if self.otypes is not None and found:
            kind = self.otypes[k] if self.otypes else np.asarray(self.tracer.concrete(found[0])).dtype
            made = made if made.dtype == kind else made.cast(kind)
        return made.reshape(shape) if shape else made.reshape(())[()]


@stands_in(np.vectorize)
def _vectorize(tracer, pyfunc=None, otypes=None, doc=None, excluded=None, cache=False, signature=None):
    if pyfunc is None or not callable(pyfunc):
        return lambda function: _vectorize(tracer, function, otypes, doc, excluded, cache, signature)
    if signature is not None:
        raise TracingError(
            "np.vectorize with a signature is not followed.", tracer.location(), "write the loop over the rows."
        )
    return Vectorized(tracer, pyfunc, real(otypes) or "", excluded)


@stands_in(np.frompyfunc)
def _frompyfunc(tracer, func, nin, nout, **kwargs):
    return Vectorized(tracer, func, otypes=None)


@stands_in(np.apply_along_axis)
def _apply_along_axis(tracer, func1d, axis, arr, *args, **kwargs):
    if type(arr) is not tracer.array and not tracer.holds_traced(args):
        return np.apply_along_axis(func1d, axis, arr, *args, **kwargs)
    arr = functions.call_function(tracer, np.moveaxis, (_as_array(tracer, arr), axis, -1), {})
    rows = arr.reshape(-1, arr.shape[-1])
    found = [func1d(row, *args, **kwargs) for row in rows]
    made = _as_array(tracer, found)
    made = made.reshape(arr.shape[:-1] + made.shape[1:])
    if np.ndim(found[0]) == 0:
        return made
    return functions.call_function(tracer, np.moveaxis, (made, -1, axis), {})


@stands_in(np.ndenumerate)
def _ndenumerate(tracer, arr):
    arr = _as_array(tracer, arr)
    return ((index, arr[index]) for index in np.ndindex(arr.shape))


@stands_in(np.nditer)
def _nditer(tracer, op, *args, **kwargs):
    """Iteration over the entries of one array, in the order of its memory; with options, of what is not traced."""
    if not tracer.holds_traced(op):
        return np.nditer(op, *args, **kwargs)
    if tracer.level(op) < PARAMETER and "op_flags" not in kwargs and len(args) < 2:
        return np.nditer(functions.decided(tracer, op), *args, **kwargs)
    if args or kwargs or type(op) is not tracer.array:
        raise TracingError(
            "np.nditer with options or of several arrays is not followed.",
            tracer.location(),
            "iterate over x.flat, or zip the arrays' .flat.",
        )
    forwards = tuple(slice(None, None, -1 if stride < 0 else 1) for stride in op.value.strides)
    return iter(op[forwards].ravel("K"))


@stands_in(np.piecewise)
def _piecewise(tracer, x, condlist, funclist, *args, **kwargs):
    x = _as_array(tracer, x)
    conditions = [_as_array(tracer, part) for part in (condlist if isinstance(condlist, list | tuple) else [condlist])]
    pieces = list(funclist)
    made = functions.HANDLERS[np.zeros_like](tracer, x)
    if len(pieces) == len(conditions) + 1:
        made[...] = pieces.pop() if not callable(pieces[-1]) else pieces.pop()(x, *args, **kwargs)
    for condition, piece in zip(conditions, pieces, strict=True):
        if callable(piece):
            made[condition] = piece(x[condition], *args, **kwargs)
        else:
            made[condition] = piece
    return made


DISPATCHED = type(np.sum)
"""The type of NumPy's functions that look for `__array_function__` among their arguments."""

_OF_SEQUENCES = frozenset(
    (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.block, np.broadcast_arrays,
     np.meshgrid, np.einsum, np.linalg.multi_dot, np.select, np.choose, np.lexsort, np.ix_)
)  # fmt: skip


class Dispatched:
    """Stands in for a NumPy function: lists of traced numbers become arrays, and so does what it makes of numbers."""

    __slots__ = ("original", "tracer")

    def __init__(self, tracer: Any, original: Callable) -> None:
        self.tracer, self.original = tracer, original

    def __call__(self, *args, **kwargs):
        tracer, original = self.tracer, self.original
        lists = False
        for part in args:
            if type(part) is tracer.array:
                break
            lists = lists or type(part) in (list, tuple)
        else:
            if not lists and not kwargs and isinstance(original, np.ufunc):
                return original(*args)
            return self._of_plain(args, kwargs)
        if lists or kwargs or len(args) > 1:
            args = self._arrays(args)
        return original(*args, **kwargs)

    def _arrays(self, args: tuple) -> tuple:
        if self.original in functions.OF_ARRAYS:
            return functions.with_lists(self.tracer, functions.OF_ARRAYS[self.original], args)
        if self.original in _OF_SEQUENCES:
            return args
        return tuple(self.tracer.whole(part) for part in args)

    def _of_plain(self, args: tuple, kwargs: dict) -> Any:
        """Call with lists and numbers; an array of numbers becomes one that traced values can be written into."""
        tracer = self.tracer
        if tracer.holds_traced((args, kwargs)):
            return self.original(*self._arrays(args), **kwargs)
        found = self.original(*real(args), **real(kwargs))
        if type(found) is not np.ndarray or found.base is not None or found.dtype.kind not in "fiub":
            return found
        return tracer.call(self.original, real(args), real(kwargs), compute=lambda *args, **kwargs: found)

    def __getattr__(self, name):
        found = getattr(self.original, name)
        if name not in ("reduce", "accumulate", "reduceat", "outer"):
            return found
        return lambda *args, **kwargs: found(*map(self.tracer.whole, args), **kwargs)

    def __repr__(self):
        return repr(self.original)


def constant_call(tracer: Any, function: Callable) -> Callable:
    """Return a stand-in for a function that the user has marked as constant."""

    def call(*args, **kwargs):
        if max(tracer.level(args), tracer.level(kwargs)) == PARAMETER:
            raise TracingError(
                f"{function.__name__} is marked as constant, but called with a value that depends on the parameters.",
                tracer.location(),
                "call it with data only, or give its formula with @autoopt.formula.",
            )
        tracer.tape.data_decided = tracer.tape.data_decided or tracer.holds_traced((args, kwargs))
        return function(*tracer.concrete(real(args)), **tracer.concrete(real(kwargs)))

    return call


for _clock in clocks.CLOCKS:
    STAND_INS[_clock] = partial(clocks.read, _clock)


def refused_random(tracer: Any, method: Callable) -> Callable:
    """Return a stand-in for a method of a random generator from outside, which a trace must not use."""

    def refuse(*args, **kwargs):
        raise TracingError(
            f"The objective draws random numbers ({method.__name__}) that no seed in it fixes, "
            "so every call is another function.",
            tracer.location(),
            "seed it inside the objective, or draw once, before the fit, and pass the numbers through args.",
        )

    return refuse


def draws(value: Any) -> bool:
    """Whether `value` is a random generator, of NumPy or of the standard library."""
    module = type(value).__module__
    return module.startswith("numpy.random") or module == "random"


class Random:
    """Stands in for a random generator from outside, which a trace must not use before it has seeded it."""

    def __init__(self, tracer: Any, original: Any) -> None:
        self._tracer, self._original, self._drawing = tracer, original, None

    def __getattr__(self, name):
        found = getattr(self._original, name)
        if name == "seed":
            return self._seed
        return refused_random(self._tracer, found) if self._drawing is None else getattr(self._drawing, name)

    def _seed(self, seed=None, *args):
        from autoopt.tracing.standins import randomness

        if seed is None:
            refused_random(self._tracer, self._original.seed)()
        self._original.seed(functions.decided(self._tracer, seed), *args)
        legacy = isinstance(self._original, np.random.RandomState)
        self._drawing = randomness.Draws(self._tracer, self._original) if legacy else self._original


class _Joiner:
    """Stands in for np.r_ and np.c_."""

    def __init__(self, tracer: Any, original: Any) -> None:
        self.tracer, self.original = tracer, original

    def __getitem__(self, key):
        parts = key if type(key) is tuple else (key,)
        if not self.tracer.holds_traced(parts):
            return self.original[key]
        if any(isinstance(part, str) for part in parts):
            raise TracingError("np.r_ with a string is not followed.", self.tracer.location(), "use np.concatenate.")
        parts = [self.original[part] if type(part) is slice else _as_array(self.tracer, part) for part in parts]
        if self.original is np.c_:
            parts = [part.reshape(-1, 1) if part.ndim < 2 else part for part in parts]
            return functions.call_function(self.tracer, np.concatenate, (parts,), {"axis": -1})
        parts = [part.reshape(1) if part.ndim == 0 else part for part in parts]
        return functions.call_function(self.tracer, np.concatenate, (parts,), {})


def own(value: Any) -> Callable | None:
    """Return what makes the stand-in for a derivative or an objective of autoopt's own, None for anything else.

    It is called with the tracer and with what substitutes functions and arrays.
    """
    if isinstance(value, MethodType):
        made = own(value.__self__)
        return made and (lambda tracer, substitute: getattr(substitute(value.__self__), value.__name__))
    if isinstance(value, FunctionType):
        return vars(value).get(FOLLOWED)
    return getattr(value, FOLLOWED) if any(FOLLOWED in vars(base) for base in type(value).__mro__) else None


FOLLOWED = "__followed__"
"""The attribute of functions and classes of autoopt's own that says how they are followed in an objective."""

OUTSIDE = "__outside__"
"""The attribute of classes of what follows them that makes what the run leaves of them outside."""


def object_stand_in(tracer: Any, value: Any) -> Any:
    """Return the stand-in for a NumPy object that is neither function nor type, or None."""
    if draws(value):
        return Random(tracer, value)
    return _Joiner(tracer, value) if value is np.r_ or value is np.c_ else None


def library(tracer: Any, original: Callable, copied: Callable, *args: Any, **kwargs: Any) -> Any:
    """Do a function of SciPy that is Python code: followed, unless the user calls it with nothing but data."""
    given = tuple(args), dict(kwargs)
    if is_library(sys._getframe(1).f_code) or not _is_data(tracer, given):
        return copied(*args, **kwargs)
    args, kwargs = (real(tracer.concrete(part)) for part in given)
    tracer.tape.data_decided = tracer.tape.data_decided or tracer.level(given) == DATA
    found = _written_nowhere(tracer, original, args, kwargs)
    return _as_array(tracer, found) if type(found) is np.ndarray and found.dtype.kind in "fiub" else found


def _is_data(tracer: Any, value: Any) -> bool:
    """Whether `value` consists of numbers, names and arrays that do not depend on the parameters."""
    if isinstance(value, tuple | list):
        return all(_is_data(tracer, part) for part in value)
    if type(value) is dict:
        return all(_is_data(tracer, part) for part in value.values())
    if type(value) in (tracer.array, tracer.pair):
        return value.level != PARAMETER
    return isinstance(value, _PLAIN)


_PLAIN = (int, float, complex, str, type(None), np.ndarray, np.generic, np.dtype, type)


def compiled(tracer: Any, original: Callable, *args: Any, **kwargs: Any) -> Any:
    """Do a compiled function of a library on what its arguments carry; it must not write into them."""
    level = tracer.level((args, kwargs))
    if level == PARAMETER:
        return original(*args, **kwargs)  # which asks for the array and is refused
    tracer.tape.data_decided = tracer.tape.data_decided or level == DATA
    return _written_nowhere(tracer, original, real(tracer.concrete(args)), real(tracer.concrete(kwargs)))


def _written_nowhere(tracer: Any, original: Callable, args: tuple, kwargs: dict) -> Any:
    """Return `original(*args, **kwargs)`, having seen that none of the arrays has changed by it."""
    given = [part for part in (*args, *kwargs.values()) if isinstance(part, np.ndarray)]
    before = [part.copy() for part in given]
    found = original(*args, **kwargs)
    for part, old in zip(given, before, strict=True):
        if not np.array_equal(part, old, equal_nan=part.dtype.kind in "fc"):
            raise UnsupportedFunctionError(
                f"The objective calls {original.__name__}, which writes into its argument; this is not followed.",
                tracer.location(),
                "use what it returns, or pass jac='finite-difference'.",
            )
    return found


_HOLDS: dict[str, Callable] = {
    "assert_allclose": lambda a, b, rtol=1e-7, atol=0.0, **_: abs(a - b) <= atol + rtol * abs(b),
    "assert_almost_equal": lambda a, b, decimal=7, *_, **__: abs(a - b) < 1.5 * 10.0**-decimal,
    "assert_array_almost_equal": lambda a, b, decimal=6, *_, **__: abs(a - b) < 1.5 * 10.0**-decimal,
    "assert_array_less": lambda a, b, **_: a < b,
    "assert_array_equal": lambda a, b, **_: a == b,
    "assert_equal": lambda a, b, **_: a == b,
}
"""What the assertions of np.testing ask of two arrays."""


def assertion(tracer: Any, original: Callable) -> Callable:
    """Return a stand-in for a function of np.testing: that it passes is a branch that was taken."""

    def check(actual, desired, *args, **kwargs):
        try:
            original(*tracer.concrete((actual, desired, *args)), **tracer.concrete(kwargs))
        except AssertionError:
            tracer.tape.caught = tracer.tape.caught or tracer.level((actual, desired)) == PARAMETER
            raise
        if tracer.holds_traced((actual, desired)):
            holds = _HOLDS[original.__name__](*(_as_array(tracer, part) for part in (actual, desired)), *args, **kwargs)
            if tracer.holds_traced(holds):
                bool(functions.call_function(tracer, np.all, (holds,), {}))

    return check if original.__name__ in _HOLDS else original


def opaque(tracer: Any, original: Callable) -> Callable:
    """Return a stand-in for a SciPy function in Python: one step if a traced array is among its arguments."""

    def recorded(*args, **kwargs):
        if original.__module__.startswith("scipy.fft") and tracer.level((args, kwargs)) == PARAMETER:
            return fourier.of_scipy(tracer, original, *args, **kwargs)
        if tracer.holds_traced((args, kwargs)):
            return tracer.call(original, real(args), real(kwargs), compute=computed)
        return original(*args, **kwargs)

    computed = partial(_undrawn, original) if original.__module__ == "scipy.linalg._matfuncs" else None
    return recorded


def _undrawn(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Do a function of a matrix and put NumPy's generator back: it only starts an estimate of a norm."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        return function(*args, **kwargs)
    finally:
        np.random.set_state(state)  # noqa: NPY002


# Texts ----------------------------------------------------------------------------------------------------------------


@stands_in(json.dumps)
def _json(tracer, value, *args, **kwargs):
    return json.dumps(_shown(tracer, value), *args, **kwargs)


def _shown(tracer, value: Any) -> Any:
    """Return what is in lists and dictionaries with the numbers of traced values in their place, as for any text."""
    if type(value) is tracer.array:
        return tracer.show(value)
    if isinstance(value, dict):
        return {key: _shown(tracer, part) for key, part in value.items()}
    return [_shown(tracer, part) for part in value] if isinstance(value, list | tuple) else value
