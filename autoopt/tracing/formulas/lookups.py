"""scipy.interpolate's tables: by kind in one dimension, on grids, by points; objects made outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import interpolate

from autoopt.tape.signatures import Unsupported
from autoopt.tracing.formulas.curves import Curve, is_computed, of_spline, refusal
from autoopt.tracing.formulas.interpolants import along_first, column, fixed_knots, make_interp_spline
from autoopt.tracing.formulas.table import array, formula

# One-dimensional interpolation by kind --------------------------------------------------------------------------------

_DEGREES = {"slinear": 1, "quadratic": 2, "cubic": 3}


class Interpolation:
    """Stands in for scipy.interpolate.interp1d."""

    def __init__(self, x: np.ndarray, y: Any, inside: Callable, axis: int, outside: tuple) -> None:
        self.x, self.y, self.inside, self.axis, self.outside = x, y, inside, axis, outside

    def __call__(self, x: Any) -> Any:
        x = array(x)
        value = self.inside(x)
        below, above = x < self.x[0], x > self.x[-1]
        if self.outside == ("error",):
            if np.any(below) or np.any(above):
                raise ValueError("A value in x_new is outside the interpolation range.")
        elif self.outside:
            shape = np.shape(x) + (1,) * (np.ndim(self.y) - 1)
            value = np.where(np.reshape(below, shape), self.outside[0], value)
            value = np.where(np.reshape(above, shape), self.outside[1], value)
        return Curve._arranged(self, value, np.ndim(x))


def _inside(x: np.ndarray, y: Any, kind: Any) -> Callable:
    """Return the interpolation of a kind, within the knots."""
    if kind == "linear":
        rises = np.diff(y, axis=0) / column(np.diff(x), y)
        return Curve(np.stack([rises, y[:-1]]), x)
    if kind in _DEGREES or isinstance(kind, int):
        return make_interp_spline(x, y, _DEGREES.get(kind, kind))
    places = {
        "nearest": lambda t: np.searchsorted((x[1:] + x[:-1]) / 2, t, side="left"),
        "nearest-up": lambda t: np.searchsorted((x[1:] + x[:-1]) / 2, t, side="right"),
        "zero": lambda t: np.searchsorted(x, t, side="right") - 1,
        "previous": lambda t: np.searchsorted(x, t, side="right") - 1,
        "next": lambda t: np.searchsorted(x, t, side="left"),
    }
    if kind not in places:
        raise Unsupported(f"scipy.interpolate.interp1d with kind={kind!r}", "use 'linear' or 'cubic'")
    return lambda t: np.take(y, np.clip(places[kind](t), 0, len(x) - 1), axis=0)


@formula(interpolate.interp1d, always=True)
def interp1d(x, y, kind="linear", axis=-1, copy=True, bounds_error=None, fill_value=np.nan, assume_sorted=False):
    x = fixed_knots(x, "interp1d")
    y, axis = along_first(y, axis)
    if not assume_sorted:
        order = np.argsort(x, kind="stable")
        x, y = x[order], y[order]
    if isinstance(fill_value, str):
        outside = ()
    elif bounds_error or bounds_error is None:
        outside = ("error",)
    else:
        outside = fill_value if isinstance(fill_value, tuple) else (fill_value, fill_value)
    return Interpolation(x, y, _inside(x, y, kind), axis, outside)


# Several dimensions, and rules by points ------------------------------------------------------------------------------


class Grid:
    """Stands in for scipy.interpolate.RegularGridInterpolator, multilinear or nearest."""

    def __init__(self, points: tuple, values: Any, method: str, bounds_error: bool, fill_value: Any) -> None:
        self.points, self.values = points, values
        self.method, self.bounds_error, self.fill_value = method, bounds_error, fill_value

    def __call__(self, xi: Any, method: str | None = None) -> Any:
        xi = array(np.stack(np.broadcast_arrays(*xi), axis=-1) if isinstance(xi, tuple) else xi)
        xi = np.reshape(xi, (-1, len(self.points))) if np.ndim(xi) == 1 else xi
        coordinates = [xi[..., k] for k in range(len(self.points))]
        outside = False
        for point, line in zip(coordinates, self.points, strict=True):
            outside = outside | (point < line[0]) | (point > line[-1])
        if self.bounds_error and np.any(outside):
            raise ValueError("One of the requested xi is out of bounds.")
        value = self._inside(coordinates, method or self.method)
        if self.bounds_error or self.fill_value is None:
            return value
        return np.where(outside, self.fill_value, value)

    def _inside(self, coordinates: list, method: str) -> Any:
        """Return the values weighted over the corners of each point's cell."""
        sizes = [len(line) for line in self.points]
        corners = [(0, 1.0)]
        for point, line, size in zip(coordinates, self.points, sizes, strict=True):
            cell = np.clip(np.searchsorted(line, point, side="right") - 1, 0, size - 2)
            start = np.take(line, cell)
            share = (point - start) / (np.take(line, cell + 1) - start)
            pairs = [(cell, 1 - share), (cell + 1, share)]
            if method == "nearest":
                pairs = [(np.where(share <= 0.5, cell, cell + 1), 1.0)]
            corners = [(place * size + at, weight * part) for place, weight in corners for at, part in pairs]
        flat = np.reshape(self.values, (-1,))
        return sum(np.take(flat, place) * weight for place, weight in corners)


@formula(interpolate.RegularGridInterpolator, always=True)
def regular_grid_interpolator(points, values, method="linear", bounds_error=True, fill_value=np.nan):
    points = tuple(fixed_knots(line, "RegularGridInterpolator") for line in points)
    values = array(values)
    if method not in ("linear", "nearest") or np.ndim(values) != len(points):
        raise Unsupported(
            f"scipy.interpolate.RegularGridInterpolator with method={method!r} of shape {np.shape(values)}",
            "use method='linear' of one value a grid point",
        )
    flips = [k for k, line in enumerate(points) if line[0] > line[-1]]
    points = tuple(line[::-1] if k in flips else line for k, line in enumerate(points))
    values = np.flip(values, flips) if flips else values
    return Grid(points, values, method, bounds_error, fill_value)


@formula(interpolate.interpn)
def interpn(points, values, xi, method="linear", bounds_error=True, fill_value=np.nan):
    return regular_grid_interpolator(points, values, method, bounds_error, fill_value)(xi)


class Weighted:
    """Stands in for an interpolant that is linear in its values, to be evaluated at points that are data."""

    def __init__(self, original: Callable, sites: Any, values: Any, options: dict) -> None:
        self.values = array(values)
        self.made = original(sites, np.eye(len(self.values)), **options)

    def __call__(self, x: Any) -> Any:
        if is_computed(x):
            raise refusal(x, f"{type(self.made).__name__} at computed points", "pass jac='finite-difference'")
        return np.tensordot(self.made(np.asarray(x)), self.values, axes=1)


def _weighted(original: Callable) -> Callable:
    def make(sites, values, **options):
        if is_computed(sites):
            raise Unsupported(f"scipy.interpolate.{original.__name__} with computed sites", "pass plain numbers")
        return Weighted(original, np.asarray(sites), values, options)

    return make


for _name in ("RBFInterpolator", "LinearNDInterpolator", "KroghInterpolator"):
    _original = getattr(interpolate, _name)
    formula(_original, note="at points that are data")(_weighted(_original))


# Objects made outside of the objective --------------------------------------------------------------------------------


def of_object(value: Any) -> Any:
    """Return the stand-in for an object of scipy.interpolate, None if there is none."""
    if isinstance(value, interpolate.PPoly) and value.x[0] < value.x[-1]:
        return Curve(value.c, value.x, value.extrapolate, value.axis, value)
    if isinstance(value, interpolate.BSpline):
        made = of_spline(value.t, value.c, value.k, value.extrapolate, value.axis)
        return Curve(made.c, made.x, made.extrapolate, made.axis, value)
    if isinstance(value, interpolate.UnivariateSpline) and value.ext == 0:
        made = of_spline(*value._eval_args)
        return Curve(made.c, made.x, original=value)
    if isinstance(value, interpolate.interp1d) and value._kind in ("linear", "nearest", "nearest-up"):
        y = np.moveaxis(value.y, value.axis, 0)
        outside = () if value._extrapolate else (value._fill_value_below, value._fill_value_above)
        outside = ("error",) if value.bounds_error else outside
        return Interpolation(value.x, y, _inside(value.x, y, value._kind), value.axis % value.y.ndim, outside)
    grid = isinstance(value, interpolate.RegularGridInterpolator) and value.values.ndim == len(value.grid)
    if grid and value.method in ("linear", "nearest"):
        return Grid(value.grid, value.values, value.method, value.bounds_error, value.fill_value)
    return None
