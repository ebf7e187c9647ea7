"""scipy.interpolate through traced values: what is linear in the values is SciPy's own answer to the unit vectors.

Where the knots are is decided when the objective is traced, so they must not depend on the parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

from autoopt.tape.signatures import Unsupported
from autoopt.tracing.formulas.curves import Curve, is_computed, of_spline
from autoopt.tracing.formulas.table import array, formula


def fixed_knots(x: Any, name: str) -> np.ndarray:
    """Return the knots as plain numbers."""
    if is_computed(x):
        raise Unsupported(f"scipy.interpolate.{name} with computed knots", "use np.interp, or pass fixed knots")
    return np.asarray(x, dtype=float)


def along_first(y: Any, axis: int) -> tuple[Any, int]:
    """Return the values with the axis of the knots first, and that axis counted from the front."""
    y = array(y)
    return np.moveaxis(y, axis, 0), axis % np.ndim(y)


# Cubic pieces ---------------------------------------------------------------------------------------------------------


@formula(interpolate.CubicSpline, always=True)
def cubic_spline(x, y, axis=0, bc_type="not-a-knot", extrapolate=None):
    """The coefficients are linear in the values and in the derivatives prescribed at the ends."""
    x = fixed_knots(x, "CubicSpline")
    y, axis = along_first(y, axis)
    n = len(x)
    if isinstance(bc_type, str) and bc_type == "periodic":
        tied = np.eye(n, n - 1)
        tied[-1, 0] = 1.0
        basis = interpolate.CubicSpline(x, tied, bc_type="periodic").c
        return Curve(np.tensordot(basis, y[:-1], axes=1), x, "periodic" if extrapolate is None else extrapolate, axis)
    ends = [bc_type, bc_type] if isinstance(bc_type, str) else list(bc_type)
    free = [end if isinstance(end, str) else (end[0], np.zeros(n)) for end in ends]
    c = np.tensordot(interpolate.CubicSpline(x, np.eye(n), bc_type=tuple(free)).c, y, axes=1)
    for k, end in enumerate(ends):
        if not isinstance(end, str):
            kinds = [part if isinstance(part, str) else (part[0], float(i == k)) for i, part in enumerate(ends)]
            unit = interpolate.CubicSpline(x, np.zeros(n), bc_type=tuple(kinds)).c
            c = c + np.reshape(unit, unit.shape + (1,) * (np.ndim(y) - 1)) * end[1]
    return Curve(c, x, extrapolate, axis)


@formula(interpolate.CubicHermiteSpline, always=True)
def cubic_hermite_spline(x, y, dydx, axis=0, extrapolate=None):
    x = fixed_knots(x, "CubicHermiteSpline")
    (y, axis), (slopes, _) = along_first(y, axis), along_first(dydx, axis)
    return Curve(_hermite(x, y, slopes), x, extrapolate, axis)


def _hermite(x, y, slopes):
    """Return the coefficients of the cubic pieces with these values and slopes."""
    widths = column(np.diff(x), y)
    rise = np.diff(y, axis=0) / widths
    bend = (slopes[:-1] + slopes[1:] - 2 * rise) / widths
    return np.stack([bend / widths, (rise - slopes[:-1]) / widths - bend, slopes[:-1], y[:-1]])


def column(x, y):
    return np.reshape(x, (-1, *[1] * (np.ndim(y) - 1)))


@formula(interpolate.PchipInterpolator, always=True)
def pchip_interpolator(x, y, axis=0, extrapolate=None):
    x = fixed_knots(x, "PchipInterpolator")
    y, axis = along_first(y, axis)
    return Curve(_hermite(x, y, _monotone_slopes(x, y)), x, extrapolate, axis)


def _monotone_slopes(x, y):
    """Return the slopes of Fritsch and Butland: the harmonic mean of the rises on both sides, 0 at an extremum.

    Where a rise is 0 its derivative is the mean of both sides.
    """
    widths = column(np.diff(x), y)
    rises = np.diff(y, axis=0) / widths
    if len(x) == 2:
        return np.concatenate([rises, rises])
    left, right = rises[:-1], rises[1:]
    flat = (np.sign(left) != np.sign(right)) | (left == 0) | (right == 0)
    a, b = 2 * widths[1:] + widths[:-1], widths[1:] + 2 * widths[:-1]
    mean = (a + b) / (a / np.where(flat, 1.0, left) + b / np.where(flat, 1.0, right))
    touching = np.where(right != 0, left / a, 0.0) * (left == 0) + np.where(left != 0, right / b, 0.0) * (right == 0)
    inner = np.where(flat, 0.5 * (a + b) * touching, mean)
    first = _end_slope(widths[0], widths[1], rises[0], rises[1])
    last = _end_slope(widths[-1], widths[-2], rises[-1], rises[-2])
    return np.concatenate([first[None], inner, last[None]])


def _end_slope(h0, h1, m0, m1):
    """Return the slope at an end by three points, kept to the shape of the data."""
    slope = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    steep = (np.sign(m0) != np.sign(m1)) & (np.abs(slope) > 3.0 * np.abs(m0))
    kept = np.where(np.sign(slope) != np.sign(m0), 0.0, np.where(steep, 3.0 * m0, slope))
    return np.where(m0 == 0, 1.5 * m0, kept)


@formula(interpolate.Akima1DInterpolator, always=True)
def akima_interpolator(x, y, axis=0, *, method="akima", extrapolate=None):
    x = fixed_knots(x, "Akima1DInterpolator")
    y, axis = along_first(y, axis)
    if len(x) < 3 or method != "akima":
        raise Unsupported("scipy.interpolate.Akima1DInterpolator of two points or with method=", "use CubicSpline")
    rises = np.diff(y, axis=0) / column(np.diff(x), y)
    before, after = 2 * rises[0] - rises[1], 2 * rises[-1] - rises[-2]
    rises = np.concatenate(
        [(2 * before - rises[0])[None], before[None], rises, after[None], (2 * after - rises[-1])[None]]
    )
    turns = np.abs(np.diff(rises, axis=0))
    total = turns[2:] + turns[:-2]
    turning = total > 1e-9 * np.max(total)
    share = turns[:-2] / np.where(turning, total, 1.0)
    slopes = np.where(turning, rises[1:-2] + share * (rises[2:-1] - rises[1:-2]), 0.5 * (rises[3:] + rises[:-3]))
    return Curve(_hermite(x, y, slopes), x, bool(extrapolate), axis)


@formula(interpolate.PPoly, always=True)
def piecewise_polynomial(c, x, extrapolate=None, axis=0):
    return Curve(array(c), fixed_knots(x, "PPoly"), extrapolate, axis)


# Splines --------------------------------------------------------------------------------------------------------------


@formula(interpolate.BSpline, always=True)
def b_spline(t, c, k, extrapolate=True, axis=0):
    c, axis = along_first(c, axis)
    return of_spline(fixed_knots(t, "BSpline"), c, int(k), extrapolate, axis)


@formula(interpolate.make_interp_spline, always=True)
def make_interp_spline(x, y, k=3, t=None, bc_type=None, axis=0):
    if bc_type is not None and not isinstance(bc_type, str):
        raise Unsupported("scipy.interpolate.make_interp_spline with derivatives in bc_type=", "use CubicSpline")
    x = fixed_knots(x, "make_interp_spline")
    y, axis = along_first(y, axis)
    columns = np.eye(len(x))
    if bc_type == "periodic":
        columns, y = np.eye(len(x), len(x) - 1), y[:-1]
        columns[-1, 0] = 1.0
    basis = interpolate.make_interp_spline(x, columns, k, t, bc_type)
    return of_spline(basis.t, np.tensordot(basis.c, y, axes=1), basis.k, basis.extrapolate, axis)


@formula(interpolate.make_lsq_spline, always=True)
def make_lsq_spline(x, y, t, k=3, w=None, axis=0):
    if is_computed(w):
        raise Unsupported("scipy.interpolate.make_lsq_spline with computed weights", "pass plain numbers")
    x, t = fixed_knots(x, "make_lsq_spline"), fixed_knots(t, "make_lsq_spline")
    y, axis = along_first(y, axis)
    basis = interpolate.make_lsq_spline(x, np.eye(len(x)), t, k, w)
    return of_spline(basis.t, np.tensordot(basis.c, y, axes=1), basis.k, basis.extrapolate, axis)


@formula(interpolate.InterpolatedUnivariateSpline, always=True)
def interpolated_univariate_spline(x, y, k=3):
    x = fixed_knots(x, "InterpolatedUnivariateSpline")
    return _through(interpolate.InterpolatedUnivariateSpline(x, np.zeros(len(x)), k=k)._eval_args[0], x, array(y), k)


def _through(t: np.ndarray, x: np.ndarray, y: Any, k: int) -> Curve:
    """Return the spline of knots `t` through the values."""
    columns = interpolate.BSpline.design_matrix(x, t, k).toarray()
    return of_spline(t, np.linalg.solve(columns, y), k)


@formula(interpolate.UnivariateSpline, always=True)
def univariate_spline(x, y, w=None, k=3, s=None):
    """The interpolating spline of values that are traced; of data, SciPy's own, evaluated anywhere."""
    x = fixed_knots(x, "UnivariateSpline")
    if not is_computed(y) and not is_computed(w):
        made = interpolate.UnivariateSpline(x, np.asarray(y), None if w is None else np.asarray(w), k=k, s=s)
        return of_spline(*made._eval_args)
    if s is None or s != 0:
        raise Unsupported("scipy.interpolate.UnivariateSpline that smooths computed values", "pass s=0")
    return _through(interpolate.UnivariateSpline(x, np.zeros(len(x)), k=k, s=0)._eval_args[0], x, array(y), k)


@formula(interpolate.splrep)
def splrep(x, y, k=3, s=None):
    if s:
        raise Unsupported("scipy.interpolate.splrep that smooths computed values", "leave out s=")
    x = fixed_knots(x, "splrep")
    t = interpolate.splrep(x, np.zeros(len(x)), k=k)[0]
    c = np.linalg.solve(interpolate.BSpline.design_matrix(x, t, k).toarray(), array(y))
    return t, np.concatenate([c, np.zeros(k + 1)]), k


@formula(interpolate.splev)
def splev(x, tck, der=0, ext=0):
    if ext != 0:
        raise Unsupported(f"scipy.interpolate.splev with ext={ext}", "keep the points within the knots")
    curve = tck if isinstance(tck, Curve) else of_spline(fixed_knots(tck[0], "splev"), array(tck[1]), int(tck[2]))
    return curve(x, der)


@formula(interpolate.pchip_interpolate)
def pchip_interpolate(xi, yi, x, der=0, axis=0):
    return pchip_interpolator(xi, yi, axis)(x, der)
