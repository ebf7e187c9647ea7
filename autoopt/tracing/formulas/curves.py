"""Piecewise polynomials whose coefficients, or the points where they are evaluated, are traced."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.formulas.table import array


class Curve:
    """Stands in for scipy.interpolate's PPoly, its subclasses and BSpline.

    Parameters
    ----------
    c : array, shape (k + 1, m, ...)
        Coefficients of the m pieces, highest power first.
    x : ndarray, shape (m + 1,)
        Where the pieces meet, ascending.
    extrapolate : bool or "periodic"
    axis : int
        Where the axis of the evaluation points goes in the result.
    original : object, optional
        SciPy's own, where all is known: it is asked for what a Curve lacks.
    """

    def __init__(self, c: Any, x: np.ndarray, extrapolate: Any = True, axis: int = 0, original: Any = None) -> None:
        self.c, self.x, self.axis, self.original = c, x, axis, original
        self.extrapolate = True if extrapolate is None else extrapolate

    def __getattr__(self, name: str) -> Any:
        original = self.__dict__.get("original")
        if original is None or name.startswith("__"):
            raise AttributeError(f"a curve through traced values has no {name!r}")
        return getattr(original, name)

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """Return the values, or derivatives of order `nu`, at `x`."""
        if self.original is not None and not hasattr(type(x), "current"):
            return self.original(x, nu) if extrapolate is None else self.original(x, nu, extrapolate)
        if nu:
            return self.derivative(nu)(x, 0, extrapolate)
        x, mode = array(x), self.extrapolate if extrapolate is None else extrapolate
        if isinstance(mode, str):
            x = self.x[0] + np.mod(x - self.x[0], self.x[-1] - self.x[0])
        piece = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, len(self.x) - 2)
        trailing = (1,) * (np.ndim(self.c) - 2)
        step = np.reshape(x - np.take(self.x, piece), np.shape(x) + trailing)
        value = np.take(self.c[0], piece, axis=0)
        for coefficients in self.c[1:]:
            value = value * step + np.take(coefficients, piece, axis=0)
        if not mode:
            outside = np.reshape((x < self.x[0]) | (x > self.x[-1]), np.shape(x) + trailing)
            value = np.where(outside, np.nan, value)
        return self._arranged(value, np.ndim(x))

    def _arranged(self, value: Any, count: int) -> Any:
        """Return `value` with the axes of the points, its first `count` ones, in their place."""
        if not self.axis:
            return value
        order = list(range(np.ndim(value)))
        order = order[count : count + self.axis] + order[:count] + order[count + self.axis :]
        return np.transpose(value, order)

    def derivative(self, nu: int = 1) -> Curve:
        """Return the derivative of order `nu`; the integral if that is negative."""
        if nu < 0:
            return self.antiderivative(-nu)
        c = self.c
        for _ in range(nu):
            powers = np.reshape(np.arange(len(c) - 1, 0, -1.0), (-1, *[1] * (np.ndim(c) - 1)))
            c = c[:-1] * powers if len(c) > 1 else 0.0 * c
        return Curve(c, self.x, self.extrapolate, self.axis)

    def antiderivative(self, nu: int = 1) -> Curve:
        """Return the integral from the first knot, `nu` times."""
        c = self.c
        for _ in range(nu):
            powers = np.reshape(np.arange(len(c), 0, -1.0), (-1, *[1] * (np.ndim(c) - 1)))
            c, widths = c / powers, np.reshape(np.diff(self.x), (-1, *[1] * (np.ndim(c) - 2)))
            areas = 0.0
            for coefficients in c:
                areas = (areas + coefficients) * widths
            starts = np.concatenate([np.zeros_like(areas[:1]), np.cumsum(areas, axis=0)[:-1]])
            c = np.concatenate([c, starts[None]])
        return Curve(c, self.x, self.extrapolate, self.axis)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """Return the integral from a to b."""
        if isinstance(self.extrapolate if extrapolate is None else extrapolate, str):
            raise refusal(self.c, "the integral of a periodic curve", "integrate within one period")
        whole = self.antiderivative()
        return whole(b, 0, extrapolate) - whole(a, 0, extrapolate)


def of_spline(knots: np.ndarray, c: Any, degree: int, extrapolate: Any = True, axis: int = 0) -> Curve:
    """Return the curve of a spline by its B-spline coefficients, of which the pieces' coefficients are linear."""
    count = len(knots) - degree - 1
    units = [interpolate.PPoly.from_spline(interpolate.BSpline(knots, unit, degree)).c for unit in np.eye(count)]
    c = np.tensordot(np.stack(units, axis=-1)[:, degree:count], c[:count], axes=1)
    if isinstance(extrapolate, str):
        return Curve(c, knots[degree : count + 1], "periodic", axis)
    return Curve(c, knots[degree : count + 1], extrapolate, axis)


def refusal(traced: Any, what: str, remedy: str) -> Exception:
    """Return the error for something that a stand-in cannot do with a traced value."""
    where = traced.tracer.location() if hasattr(type(traced), "current") else None
    return UnsupportedFunctionError(f"The objective asks for {what}, which is not followed.", where, remedy + ".")


def is_computed(value: Any) -> bool:
    """Whether `value` depends on the parameters."""
    return getattr(value, "level", 0) == PARAMETER if hasattr(type(value), "current") else False
