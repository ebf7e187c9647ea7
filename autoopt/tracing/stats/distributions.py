"""Stand-ins for the distributions of scipy.stats: on traced arguments their methods are NumPy that a trace can follow.

What is not traced goes to SciPy unchanged. This room imports no scipy.stats: it is loaded when the user's objects come
from there.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.tape import DATA, PARAMETER
from autoopt.tracing.standins import randomness
from autoopt.tracing.standins.types import real
from autoopt.tracing.stats import multivariate
from autoopt.tracing.stats.densities import Row
from autoopt.tracing.stats.lifetimes import DISTRIBUTIONS

_FREEZE = ("freeze", "__call__")
_POINT_NAMES = ("x", "k", "q")


def stand_in(tracer: Any, original: Any) -> Any:
    """Return the stand-in for an object of scipy.stats: a distribution or a frozen one; others stay as they are."""
    if hasattr(original, "dist") and hasattr(original, "kwds"):
        return Frozen(Distribution(tracer, original.dist), original.args, original.kwds)
    if hasattr(original, "_dist"):
        distribution = Distribution(tracer, original._dist)
        given = multivariate.parameters(distribution._name, original)
        return original if given is None else Frozen(distribution, given, {})
    return Distribution(tracer, original) if hasattr(original, "rvs") and callable(original) else original


class Distribution:
    """Stands in for a distribution such as scipy.stats.norm."""

    def __init__(self, tracer: Any, original: Any) -> None:
        self._tracer, self._original = tracer, original
        self._known: dict[Any, Any] = {}

    @property
    def __class__(self):
        return type(self._original)

    @property
    def _name(self) -> str:
        return getattr(self._original, "name", None) or type(self._original).__name__.removesuffix("_gen")

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._original, name)
        if name in _FREEZE:
            return self
        return functools.partial(self._call, name) if callable(attribute) and not name.startswith("_") else attribute

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        return Frozen(self, args, kwargs)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method; traced arguments need a row of it, unless they depend on data alone."""
        tracer = self._tracer
        args = tuple(map(_unwrapped, args))
        kwargs = {key: _unwrapped(value) for key, value in kwargs.items()}
        if name == "rvs" and (kwargs.get("random_state") is not None or tracer.seeded):
            return randomness.of_distribution(tracer, self._original, args, kwargs)
        if not tracer.holds_traced((args, kwargs)):
            return getattr(self._original, name)(*real(args), **real(kwargs))
        table = multivariate.METHODS.get(self._name)
        method = _Univariate.of(self, name) if table is None else table.get(name)
        if method is not None:
            return _scalar(method(tracer, *args, **kwargs))
        level = tracer.level((args, kwargs))
        if level == PARAMETER or name == "rvs":
            raise UnsupportedFunctionError(
                f"The objective calls scipy.stats.{self._name}.{name}, which autoopt cannot differentiate.",
                tracer.location(),
                "write it with NumPy and scipy.special functions, or pass jac='finite-difference'.",
            )
        tracer.tape.data_decided = tracer.tape.data_decided or level == DATA
        return getattr(self._original, name)(*real(tracer.concrete(args)), **real(tracer.concrete(kwargs)))


class Frozen:
    """Stands in for a distribution with its parameters given, such as scipy.stats.norm(mu, sigma)."""

    def __init__(self, distribution: Distribution, args: tuple, kwds: dict) -> None:
        self.dist, self.args, self.kwds = distribution, args, kwds

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if not callable(getattr(self.dist._original, name)):
            return getattr(self.dist, name)
        return functools.partial(self._call, name)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "rvs" or name not in _WITH_POINT:
            tracer = self.dist._tracer
            if name != "rvs" and not tracer.holds_traced((self.args, self.kwds, args, kwargs)):
                return getattr(self.dist._original(*real(self.args), **real(self.kwds)), name)(*args, **kwargs)
            if name == "rvs":
                kwargs = {**dict(zip(("size", "random_state"), args, strict=False)), **kwargs}
                return self.dist._call(name, *self.args, **self.kwds, **kwargs)
        return self.dist._call(name, *args, *self.args, **self.kwds, **kwargs)


def _unwrapped(value: Any) -> Any:
    """Return the stand-in for a pandas object as its values on the tape."""
    return value.as_traced() if hasattr(type(value), "as_traced") else value


def _scalar(result: Any) -> Any:
    """Return a result without dimensions as the scalar that SciPy gives, not as an array."""
    value = getattr(result, "value", None)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return type(result)(result.tracer, result.current(), value[()], result.level)
    return result


# One variable ---------------------------------------------------------------------------------------------------------


class _Univariate:
    """The methods of one row on traced arguments; `of` returns the one of a name, or None."""

    def __init__(self, distribution: Distribution, row: Row, name: str) -> None:
        self.name, self.row, self.distribution = name, row, distribution
        self.tracer = distribution._tracer

    @classmethod
    def of(cls, distribution: Distribution, name: str) -> Callable | None:
        row = DISTRIBUTIONS.get(distribution._name)
        if row is None or not AVAILABLE.get("ppf" if name == "interval" else name, lambda row: False)(row):
            return None
        made = cls(distribution, row, name)
        if name == "interval":
            return made.between
        return made.at_point if name in _WITH_POINT else made.of_shapes

    # Arguments

    def _parameters(self, args: tuple, kwargs: dict) -> tuple[list, Any, Any]:
        """Return the shape parameters, loc and scale; loc has been made NaN where SciPy gives NaN."""
        original = self.distribution._original
        names = original.shapes.split(", ") if original.shapes else []
        given = dict(zip((*names, "loc", "scale")[: len(names) + (1 if self.row.discrete else 2)], args, strict=False))
        if len(args) > len(given) or set(given) & set(kwargs) or not set(names) <= set(given) | set(kwargs):
            raise TypeError(f"{self.distribution._name}.{self.name} takes {', '.join((*names, 'loc', 'scale'))}")
        given |= kwargs
        if unknown := set(given) - {*names, "loc"} - (set() if self.row.discrete else {"scale"}):
            raise TypeError(f"{self.distribution._name}.{self.name} got an unexpected argument {', '.join(unknown)}")
        shapes = [self._operand(given[name]) for name in names]
        loc, scale = self._operand(given.get("loc", 0)), self._operand(given.get("scale", 1))
        return shapes, self._checked(shapes, loc, scale), scale

    def _operand(self, value: Any) -> Any:
        """Return an argument as a traced array or an array of floats, a number as it is."""
        if value is None or type(value) in (int, float):
            return value
        value = self.tracer.whole(value)
        if type(value) is self.tracer.array:
            return value if value.dtype.kind == "f" else value.cast(float)
        return np.asarray(value, dtype=float)[()]

    def _checked(self, shapes: list, loc: Any, scale: Any) -> Any:
        """Return `loc`, NaN where the parameters are not valid.

        Of what depends on the parameters of the fit, whether all are valid is a guard, so the code need not ask again;
        log(scale) asks by itself.
        """
        conditions = self.row.valid(*shapes)
        bounded = not _is_number(self.row.low, -math.inf) or not _is_number(self.row.high, math.inf)
        if bounded or self.name not in ("logpdf", "pdf"):
            conditions = (*conditions, scale > 0)
        for condition in conditions:
            if not self._certain(condition):
                loc = np.where(condition, loc, np.nan)
        return loc

    def _certain(self, condition: Any) -> bool:
        """Whether `condition` holds everywhere; what depends on data alone is not looked at, as they may change."""
        if type(condition) is not self.tracer.array:
            return bool(np.all(condition))
        if condition.level == DATA:
            return False
        known, key = self.distribution._known, self._account(condition.current())
        if key not in known:
            known[key] = bool(np.all(condition) if condition.ndim else condition)
        return known[key]

    def _account(self, index: int, depth: int = 5) -> Any:
        """Return how a step was computed, equal for equal calculations: a loop asks the same thing again and again."""
        step = self.tracer.steps[index]
        simple = step.template is None or (step.operation is operator.getitem and type(step.template[0][1]) is int)
        if depth == 0 or step.operation is None or not simple:
            return index
        return step.operation, str(step.template), tuple(self._account(source, depth - 1) for source in step.inputs)

    # Methods

    def at_point(self, tracer: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            point, args = args[0], args[1:]
        else:
            point = kwargs.pop(next(name for name in _POINT_NAMES if name in kwargs))
        shapes, loc, scale = self._parameters(args, kwargs)
        point = self._operand(point)
        if self.name in ("ppf", "isf"):
            return self._quantile(self.name, point, shapes, loc, scale)
        if self.name in ("pdf", "logpdf", "pmf", "logpmf"):
            found = self._log_density(point, shapes, loc, scale)
            return found if self.name.startswith("log") else np.exp(found)
        return self._distribution(point, shapes, loc, scale)

    def _bounds(self, shapes: list) -> tuple[Any, Any]:
        return tuple(bound(*shapes) if callable(bound) else bound for bound in (self.row.low, self.row.high))

    def _standardised(self, x: Any, loc: Any, scale: Any) -> Any:
        shifted = x if _is_number(loc, 0) else x - loc
        return shifted if _is_number(scale, 1) else shifted / scale

    def _log_density(self, x: Any, shapes: list, loc: Any, scale: Any) -> Any:
        low, high = self._bounds(shapes)
        below, above = (np.less_equal, np.greater_equal) if self.row.is_open else (np.less, np.greater)
        z = self._standardised(x, loc, scale)
        # The sign of z is that of x - loc; where this is data, so is the test.
        seen = self._standardised(x, loc, 1) if _is_number(low, 0) and _is_number(high, math.inf) else z
        tests = [] if _is_number(low, -math.inf) else [below(seen, low)]
        tests += [] if _is_number(high, math.inf) else [above(z, high)]
        tests += [np.floor(z) < z] if self.row.discrete else []
        return self._inside(self.row.logpdf, z, shapes, [(test, -np.inf) for test in tests], scale)

    def _distribution(self, x: Any, shapes: list, loc: Any, scale: Any) -> Any:
        """Return cdf, sf, logcdf or logsf."""
        low, high = self._bounds(shapes)
        z = self._standardised(x, loc, scale)
        z = np.floor(z) if self.row.discrete else z
        left, right = _AT_ENDS[self.name]
        tests = [] if _is_number(low, -math.inf) else [((z < low) if self.row.discrete else (z <= low), left)]
        tests += [] if _is_number(high, math.inf) else [(z >= high, right)]
        formula = getattr(self.row, self.name)
        if formula is None:
            plain = getattr(self.row, self.name.removeprefix("log"))
            formula = lambda z, *shapes: np.log(plain(z, *shapes))  # noqa: E731
        return self._inside(formula, z, shapes, tests, None)

    def _inside(self, formula: Callable, z: Any, shapes: list, tests: list, scale: Any) -> Any:
        """Return `formula` where no test holds, else the value of the first that does; it never sees such z."""
        inner = self.row.inner(*shapes) if callable(self.row.inner) else self.row.inner
        for test, _ in tests:
            z = np.where(test, inner, z)
        found = formula(z, *shapes)
        if scale is not None and not _is_number(scale, 1):
            found = found - np.log(scale)
        for test, value in reversed(tests):
            found = np.where(test, value, found)
        return found

    def _quantile(self, name: str, q: Any, shapes: list, loc: Any, scale: Any) -> Any:
        inside = (q > 0) & (q < 1)
        whole = type(inside) is not self.tracer.array and bool(np.all(inside))
        share = q if whole else np.where(inside, q, 0.5)
        formula = getattr(self.row, name)
        z = formula(share, *shapes) if formula is not None else self.row.ppf(1 - share, *shapes)
        if whole:
            return loc + scale * z
        low, high = (self._placed(end, loc, scale) for end in self._bounds(shapes))
        first, last = (low, high) if name == "ppf" else (high, low)
        ends = np.where(q == 0, first, np.where(q == 1, last, np.nan))
        return np.where(inside, loc + scale * z, ends)

    def _placed(self, end: Any, loc: Any, scale: Any) -> Any:
        """Return an end of the support in the units of the points; an infinite one moves with nothing."""
        if type(end) in (int, float):
            return loc + scale * end if math.isfinite(end) else end
        far = np.isinf(end)
        return np.where(far, end, loc + scale * np.where(far, 0.0, end))

    def between(self, tracer: Any, confidence: Any, *args: Any, **kwargs: Any) -> tuple:
        """Return the ends of the interval around the median that has a share of the mass."""
        shapes, loc, scale = self._parameters(args, kwargs)
        share = self._operand(confidence)
        ends = ((1 - share) / 2, (1 + share) / 2)
        return tuple(_scalar(self._quantile("ppf", q, shapes, loc, scale)) for q in ends)

    def of_shapes(self, tracer: Any, *args: Any, **kwargs: Any) -> Any:
        """Return mean, median, var, std or entropy."""
        shapes, loc, scale = self._parameters(args, kwargs)
        if self.name == "median":
            return loc + scale * self.row.ppf(0.5, *shapes)
        if self.name == "mean":
            return loc + scale * self.row.mean(*shapes)
        undefined = 0.0 if _is_number(loc, 0) else 0.0 * loc
        if self.name == "entropy":
            return self.row.entropy(*shapes) + (undefined if self.row.discrete else undefined + np.log(scale))
        variance = self.row.var(*shapes) + undefined
        return scale**2 * variance if self.name == "var" else scale * np.sqrt(variance)


def _is_number(value: Any, number: float) -> bool:
    return type(value) in (int, float) and value == number


_AT_ENDS = {"cdf": (0.0, 1.0), "sf": (1.0, 0.0), "logcdf": (-np.inf, 0.0), "logsf": (0.0, -np.inf)}
_WITH_POINT = frozenset((*_AT_ENDS, "pdf", "logpdf", "pmf", "logpmf", "ppf", "isf"))
AVAILABLE: dict[str, Callable[[Row], Any]] = {
    "pdf": lambda row: not row.discrete,
    "logpdf": lambda row: not row.discrete,
    "pmf": lambda row: row.discrete,
    "logpmf": lambda row: row.discrete,
    "cdf": lambda row: row.cdf,
    "sf": lambda row: row.sf,
    "logcdf": lambda row: row.logcdf or row.cdf,
    "logsf": lambda row: row.logsf or row.sf,
    "ppf": lambda row: row.ppf,
    "isf": lambda row: row.isf or row.ppf,
    "median": lambda row: row.ppf,
    "mean": lambda row: row.mean,
    "var": lambda row: row.var,
    "std": lambda row: row.var,
    "entropy": lambda row: row.entropy,
}
