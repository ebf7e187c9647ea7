"""Stand-ins for masked arrays: the numbers are traced, what is masked is not.

Each operation is done twice: by np.ma on the plain numbers, which says what is masked afterwards, and by NumPy on the
traced ones. Where np.ma masks by value (a logarithm of what is negative), which entries those are is a guard. Under the
mask stands 1, so that nothing there makes a derivative NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import indices
from autoopt.tracing.arrays.disguised import Disguised, add_operators
from autoopt.tracing.arrays.operators import ARITHMETIC, COMPARISONS
from autoopt.tracing.standins.types import real


def masked(tracer: Any, plain: Any, values: Any = None, what: str = "an operation") -> Any:
    """Return the stand-in for what np.ma gives, `found` being the traced numbers; those that are not masked agree."""
    if plain is np.ma.masked or (values is None and not isinstance(plain, np.ma.MaskedArray)):
        return plain
    numbers, mask = np.asarray(getattr(values, "value", values)), np.ma.getmaskarray(plain)
    if values is not None and (
        numbers.shape != np.shape(plain)
        or not np.allclose(numbers[~mask], np.ma.getdata(plain)[~mask], 1e-9, 1e-12, True)
    ):
        raise refusal(tracer, what)
    if not isinstance(plain, np.ma.MaskedArray):
        return values
    if values is None:
        clean = np.where(mask, np.ones((), plain.dtype), plain.data)
        values = tracer.array(tracer, tracer.constant(clean), clean, 0)
    elif not np.all(np.isfinite(numbers[mask])):
        values = np.where(mask, 1.0, values)
    return Masked(tracer, plain, tracer.lift(values))


def refusal(tracer: Any, what: str) -> TracingError:
    """Return the error for what masked arrays do otherwise."""
    return UnsupportedFunctionError(
        f"The objective calls {what} of a masked array, which is not followed.",
        tracer.location(),
        "fill or drop what is masked before: .filled(...) or .compressed().",
    )


class Masked(Disguised):
    """Stands in for a masked array.

    Attributes
    ----------
    value : MaskedArray
        Its numbers, with the mask and the value for filling.
    _values : TracedArray
        The numbers on the tape.
    """

    __slots__ = ("_values",)

    def __init__(self, tracer: Any, plain: Any, values: Any) -> None:
        self.tracer, self.value, self._values = tracer, plain, values

    mask = property(lambda self: self.value.mask)
    fill_value = property(lambda self: self.value.fill_value)
    T = property(lambda self: self._moved(np.transpose))

    @property
    def __class__(self):
        return np.ma.MaskedArray

    @property
    def _follows(self) -> bool:
        return self._values.level == PARAMETER

    @property
    def _mask(self) -> np.ndarray:
        return np.ma.getmaskarray(self.value)

    @property
    def data(self) -> Any:
        """What is there without the mask."""
        if self._follows and self._mask.any():
            raise refusal(self.tracer, ".data")
        return self._values if self._follows else np.array(self.value.data)

    def as_traced(self) -> Any:
        """Return what np.asarray gives for it: it forgets the mask."""
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.data, dtype=dtype)

    def __float__(self) -> float:
        return float(self._values) if not self._mask.any() else float(self.value)

    def __bool__(self) -> bool:
        return bool(self._values) if self.size == 1 and not self._mask.any() else bool(self.value)

    def __getitem__(self, key: Any) -> Any:
        key = _plain(self.tracer, indices.decided(self.tracer, key), decide=True)
        places = np.arange(self.size).reshape(self.shape)[np.asarray(key) if isinstance(key, np.ndarray) else key]
        picked = self._values.reshape(-1)[places if np.ndim(places) else int(places)]
        return masked(self.tracer, self.value[key], picked, "an index")

    def __setitem__(self, key: Any, value: Any) -> None:
        raise refusal(self.tracer, "an assignment to a part")

    def filled(self, fill_value: Any = None) -> Any:
        """Return the numbers with another one where they are masked."""
        fill = self.value.fill_value if fill_value is None else fill_value
        return np.where(self._mask, fill, self._values) if self._mask.any() else self._values.duplicate()

    def compressed(self) -> Any:
        """Return the numbers that are not masked."""
        return self._values.reshape(-1)[np.flatnonzero(~self._mask.ravel())]

    def count(self, *args: Any, **kwargs: Any) -> Any:
        """Return how many are not masked."""
        return self.value.count(*args, **kwargs)

    def copy(self, order: str = "C") -> Masked:
        return Masked(self.tracer, self.value.copy(order), self._values.duplicate())

    def _moved(self, function: Callable, *args: Any, **kwargs: Any) -> Any:
        """Return the same entries at other places."""
        plain = function(self.value, *args, **kwargs)
        return masked(self.tracer, plain, function(self._values, *args, **kwargs), f".{function.__name__}")

    def _reduced(self, name: str, *args: Any, **kwargs: Any) -> Any:
        plain = getattr(self.value, name)(*args, **kwargs) if name != "median" else np.ma.median(self.value, *args)
        if not self._follows:
            return masked(self.tracer, plain)
        named = dict(zip(("axis",), args, strict=False))
        if len(args) > 1 or set(kwargs) - {"axis", "ddof", "keepdims"}:
            raise refusal(self.tracer, f".{name} with these options")
        reduced = _reduction(name, self._values, self._mask, **named, **kwargs)
        if reduced is None:
            raise refusal(self.tracer, f".{name} along an axis")
        return masked(self.tracer, plain, reduced, f".{name}")

    def __getattr__(self, name: str) -> Any:
        if name in _REDUCTIONS:
            return lambda *args, **kwargs: self._reduced(name, *args, **kwargs)
        if name in _MOVING:
            return lambda *args, **kwargs: self._moved(getattr(np, name), *args, **kwargs)
        if name.startswith("__") or not hasattr(self.value, name):
            raise AttributeError(f"'MaskedArray' object has no attribute {name!r}")
        if self._follows:
            raise refusal(self.tracer, f".{name}")
        attribute = getattr(self.value, name)
        if not callable(attribute):
            return attribute
        return lambda *args, **kwargs: masked(self.tracer, attribute(*args, **kwargs))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "reduce" and ufunc in (np.add, np.multiply, np.maximum, np.minimum):
            axis = kwargs.get("axis", 0)
            name = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}[ufunc]
            return self._reduced(name, axis=axis)
        if method != "__call__" or kwargs:
            raise refusal(self.tracer, f"np.{ufunc.__name__} with options")
        return _operate(self, ufunc, ufunc, inputs)

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        name = _ALIASES.get(function.__name__, function.__name__)
        if args and type(args[0]) is Masked and (name in _REDUCTIONS or name in _MOVING):
            return getattr(args[0], name)(*args[1:], **kwargs)
        if not _follow((args, kwargs)):
            return masked(self.tracer, function(*_plain(self.tracer, args), **_plain(self.tracer, kwargs)))
        raise refusal(self.tracer, f"np.{function.__name__}")

    def __matmul__(self, other: Any) -> Any:
        return call(np.ma.dot, self.tracer, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return call(np.ma.dot, self.tracer, other, self)

    def dot(self, other: Any) -> Any:
        return call(np.ma.dot, self.tracer, self, other)

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        return _operate(self, np.power, np.ma.power, (self, other))

    def __rpow__(self, other: Any) -> Any:
        return _operate(self, np.power, np.ma.power, (other, self))

    def __neg__(self) -> Any:
        return _operate(self, np.negative, np.negative, (self,))

    def __abs__(self) -> Any:
        return _operate(self, np.absolute, np.absolute, (self,))

    def __invert__(self) -> Any:
        return _operate(self, np.invert, np.invert, (self,))


def _plain(tracer: Any, value: Any, decide: bool = False) -> Any:
    """Return `value` for np.ma; as an index with a guard on what depends on the parameters."""
    kind = type(value)
    if kind in (tuple, list):
        return kind([_plain(tracer, part, decide) for part in value])
    if kind is dict:
        return {key: _plain(tracer, part, decide) for key, part in value.items()}
    if kind is Masked and decide and value._follows:
        tracer.guard(value._values, "array", np.array(value._values.value))
    return value.value if kind in (Masked, tracer.array) else value


def _numbers(tracer: Any, value: Any) -> Any:
    return value._values if type(value) is Masked else tracer.whole(value)


def _follow(value: Any) -> bool:
    """Whether something in `value` depends on the parameters."""
    if isinstance(value, tuple | list):
        return any(map(_follow, value))
    if type(value) is dict:
        return any(map(_follow, value.values()))
    return value._follows if type(value) is Masked else getattr(value, "level", 0) == PARAMETER


def _operate(this: Masked, ufunc: Any, compute: Callable, operands: tuple) -> Any:
    """Return `compute(*operands)`, one of which is masked."""
    tracer = this.tracer
    operands = tuple(map(tracer.whole, operands))
    with np.errstate(all="ignore"):
        plain = compute(*_plain(tracer, operands))
    if not _follow(operands):
        return masked(tracer, plain)
    values = tuple(_numbers(tracer, part) for part in operands)
    if ufunc in _DOMAINS:
        _decide(tracer, _DOMAINS[ufunc](*values))
    result = tracer.elementwise(ufunc, values)
    if ufunc is np.power:
        _decide(tracer, np.isfinite(result))
    return masked(tracer, plain, result, f"np.{ufunc.__name__}")


def _decide(tracer: Any, condition: Any) -> None:
    """Add a guard that the record holds only where the same entries fulfil a condition."""
    if tracer.level(condition) == PARAMETER:
        tracer.guard(condition, "array", np.array(condition.value))


add_operators(Masked, ARITHMETIC, COMPARISONS, _operate)

_TINY = np.finfo(float).tiny
_DOMAINS = {
    **{ufunc: lambda x: x <= 0 for ufunc in (np.log, np.log2, np.log10)},
    np.sqrt: lambda x: x < 0,
    np.arccosh: lambda x: x < 1,
    np.tan: lambda x: np.abs(np.cos(x)) < 1e-35,
    **{ufunc: lambda x: np.abs(x) > 1 for ufunc in (np.arcsin, np.arccos)},
    np.arctanh: lambda x: np.abs(x) > 1 - 1e-15,
    **{
        ufunc: lambda x, y: np.abs(x) * _TINY >= np.abs(y)
        for ufunc in (np.true_divide, np.floor_divide, np.remainder, np.fmod)
    },
}
"""Where np.ma masks what a function gives."""

_REDUCTIONS = frozenset(("sum", "mean", "prod", "var", "std", "max", "min", "any", "all", "ptp", "median"))
_MOVING = frozenset(("reshape", "ravel", "transpose", "swapaxes", "squeeze"))
_ALIASES = {"amax": "max", "amin": "min"}


def _reduction(
    name: str, values: Any, mask: np.ndarray, axis: Any = None, ddof: int = 0, keepdims: bool = False
) -> Any:
    """Return a reduction of what is not masked; None for one that is not known along an axis."""
    options = {"ddof": ddof} if name in ("var", "std") else {}
    if axis is None and not keepdims:
        return getattr(np, name)(values.reshape(-1)[np.flatnonzero(~mask.ravel())], **options)
    given = {"axis": axis, "keepdims": keepdims}
    if not mask.any():
        return getattr(np, name)(values, **given, **options)
    if name in _NEUTRAL:
        return getattr(np, name)(np.where(mask, _NEUTRAL[name], values), **given)
    if name not in ("mean", "var", "std"):
        return None
    mean = np.sum(np.where(mask, 0.0, values), axis=axis, keepdims=True) / np.sum(~mask, axis=axis, keepdims=True)
    if name == "mean":
        return mean if keepdims else np.squeeze(mean, axis)
    squares = np.sum(np.where(mask, 0.0, (values - mean) ** 2), **given)
    variance = squares / np.maximum(np.sum(~mask, **given) - ddof, 1)
    return variance if name == "var" else np.sqrt(variance)


_NEUTRAL = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf, "any": False, "all": True}


# Functions of np.ma ---------------------------------------------------------------------------------------------------


def call(function: Callable, tracer: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function or class of np.ma."""
    args, kwargs = real(args), real(kwargs)
    name = _ALIASES.get(function.__name__, function.__name__)
    if not _follow((args, kwargs)):
        given = indices.decided(tracer, args), {key: indices.decided(tracer, part) for key, part in kwargs.items()}
        return masked(tracer, function(*_plain(tracer, given[0]), **_plain(tracer, given[1])))
    if isinstance(getattr(function, "f", None), np.ufunc) and not kwargs:
        return _operate(_either(tracer, *args), function.f, function, args)
    if name in _FUNCTIONS:
        return _FUNCTIONS[name](tracer, *args, **kwargs)
    first = args[0] if args and type(args[0]) is Masked else None
    if first is None and args and type(args[0]) is tracer.array:
        first = _with_mask(tracer, args[0], np.ma.nomask)
    if first is not None and (name in _REDUCTIONS or name in _MOVING or name in ("filled", "compressed", "count")):
        return getattr(first, name)(*args[1:], **kwargs)
    raise refusal(tracer, f"np.ma.{name}")


def _with_mask(tracer: Any, data: Any, mask: Any, fill_value: Any = None) -> Masked:
    """Return traced numbers with a mask, on top of what they have."""
    values, mask = _numbers(tracer, data), indices.decided(tracer, mask)
    mask = np.ma.getmaskarray(mask.value) & mask.value.data if type(mask) is Masked else mask
    values = tracer.lift(values)
    plain = np.ma.array(_plain(tracer, data if type(data) is Masked else values), mask=mask, fill_value=fill_value)
    return masked(tracer, plain, values.duplicate())


def _array(
    tracer: Any, data: Any, dtype: Any = None, copy: bool = False, mask: Any = np.ma.nomask, **options: Any
) -> Any:
    if set(options) - {"fill_value"}:
        raise refusal(tracer, "np.ma.array with these options")
    return _with_mask(tracer, data, mask, options.get("fill_value"))


def _by_comparison(function: Callable, condition: Callable) -> Callable:
    def build(tracer: Any, x: Any, *limits: Any, copy: bool = True) -> Any:
        values = tracer.lift(_numbers(tracer, x))
        limits = tuple(_numbers(tracer, part) for part in limits)
        _decide(tracer, condition(values, *limits))
        plain = function(_plain(tracer, x if type(x) is Masked else values), *_plain(tracer, limits))
        return masked(tracer, plain, values)

    return build


def _masked_where(tracer: Any, condition: Any, a: Any, copy: bool = True) -> Any:
    condition = _plain(tracer, indices.decided(tracer, condition), decide=True)
    values = tracer.lift(_numbers(tracer, a))
    return masked(tracer, np.ma.masked_where(condition, _plain(tracer, a if type(a) is Masked else values)), values)


def _where(tracer: Any, condition: Any, x: Any, y: Any) -> Any:
    answers = np.ma.getdata(_plain(tracer, condition, decide=True))
    chosen = np.where(answers, _numbers(tracer, x), _numbers(tracer, y))
    if tracer.level(condition) == PARAMETER:
        tracer.guard(condition, "array", np.array(condition.value))
    return masked(tracer, np.ma.where(*_plain(tracer, (condition, x, y))), chosen)


def _dot(tracer: Any, a: Any, b: Any, strict: bool = False) -> Any:
    if strict:
        raise refusal(tracer, "np.ma.dot with strict=True")
    left, right = (part.filled(0.0) if type(part) is Masked else tracer.whole(part) for part in (a, b))
    return masked(tracer, np.ma.dot(*_plain(tracer, (a, b))), np.dot(left, right), "np.ma.dot")


def _average(tracer: Any, a: Any, axis: Any = None, weights: Any = None) -> Any:
    if type(a) is not Masked:
        a = _with_mask(tracer, a, np.ma.nomask)
    plain = np.ma.average(a.value, axis, _plain(tracer, weights))
    if weights is None:
        return a.mean(axis)
    weights = _numbers(tracer, weights)
    if np.ndim(weights) != a.ndim:
        raise refusal(tracer, "np.ma.average with weights of another shape")
    total = np.sum(np.where(a._mask, 0.0, a._values * weights), axis=axis)
    return masked(tracer, plain, total / np.sum(np.where(a._mask, 0.0, weights), axis=axis), "np.ma.average")


def _joined(name: str) -> Callable:
    def build(tracer: Any, arrays: Any, axis: int = 0) -> Any:
        joined = getattr(np, name)([_numbers(tracer, part) for part in arrays], axis=axis)
        return masked(tracer, getattr(np.ma, name)(_plain(tracer, list(arrays)), axis=axis), joined)

    return build


_FUNCTIONS: dict[str, Callable] = {
    **dict.fromkeys(("array", "masked_array", "MaskedArray", "asarray", "asanyarray"), _array),
    **{
        f"masked_{name}": _by_comparison(getattr(np.ma, f"masked_{name}"), getattr(np, name))
        for name in ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")
    },
    "masked_invalid": _by_comparison(np.ma.masked_invalid, lambda x: ~np.isfinite(x)),
    "masked_inside": _by_comparison(np.ma.masked_inside, lambda x, a, b: (x >= a) & (x <= b)),
    "masked_outside": _by_comparison(np.ma.masked_outside, lambda x, a, b: (x < a) | (x > b)),
    "masked_where": _masked_where, "where": _where, "dot": _dot, "average": _average,
    "concatenate": _joined("concatenate"), "stack": _joined("stack"),
    "power": lambda tracer, a, b: _operate(_either(tracer, a, b), np.power, np.ma.power, (a, b)),
    "getmaskarray": lambda tracer, a: np.ma.getmaskarray(_plain(tracer, a)),
    "getmask": lambda tracer, a: np.ma.getmask(_plain(tracer, a)),
    "getdata": lambda tracer, a: a.data if type(a) is Masked else a,
    "is_masked": lambda tracer, a: np.ma.is_masked(_plain(tracer, a)),
    "isMaskedArray": lambda tracer, a: type(a) is Masked,
}  # fmt: skip


def _either(tracer: Any, *operands: Any) -> Masked:
    """Return an operand that is masked, or the first one with nothing masked."""
    already = [part for part in operands if type(part) is Masked]
    return already[0] if already else _with_mask(tracer, operands[0], np.ma.nomask)
