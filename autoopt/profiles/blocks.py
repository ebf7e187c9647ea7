"""The profile of one entry of a simplex, an order or a matrix: it is held by a constraint, as no variable is it alone.

The slope of the profile is the constraint's multiplier, found from the gradient in the entries that are moved: there it
is a multiple of the gradient of the entry that is held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.fitting.solving import solved
from autoopt.profiles.curve import Curve, Point
from autoopt.variables.naming import Names
from autoopt.variables.transforms import Transform


class BlockCurve(Curve):
    """The profile of an entry of a block; its coordinate, the only entry of `Point.z`, is on the scale of its range."""

    def __init__(self, fitted: Any, number: int) -> None:
        self.begin(fitted, number)
        self.held, self.direction, self.size = 0, 1, 1.0
        self.scale = self._entry_scale()
        x = fitted.params
        value, error = float(x[number]), float(fitted.bse[number])
        place = value if self.scale is None else float(self._single(self.scale.inverse, value))
        slope = 1.0 if self.scale is None else float(self._single(self.scale.slope, place))
        self.limits = np.full(1, -np.inf), np.full(1, np.inf)
        if self.scale is not None:
            ends = [
                self._single(self.scale.inverse, end + room)
                for end, room in zip(self._range(), (_ROOM, -_ROOM), strict=True)
            ]
            self.limits = np.array([ends[0]]), np.array([ends[1]])
        self.is_at_limit = bool(
            min(self.limits[1][0] - place, place - self.limits[0][0]) <= 1e-8 * max(1.0, abs(place))
        )
        self.points = [Point(value, 0.0, slope / error, x, np.array([place]))]
        self.line = np.zeros(x.size)
        if fitted.covariance is not None:
            self.line = np.nan_to_num(fitted.cov_params("observed")[:, number] / error**2)
        self.entry, self.own_slopes = self._entry(number)

    @property
    def _transform(self) -> Transform | None:
        return self.scale

    def _range(self) -> tuple[float, float]:
        assert self.scale is not None
        i = int(np.flatnonzero(self.scale.where == self.number)[0])
        return float(self.scale.lower[i]), float(self.scale.upper[i])

    def _single(self, function: Callable, value: float) -> float:
        """Return an elementwise function of the scale, for this entry alone."""
        assert self.scale is not None
        i = int(np.flatnonzero(self.scale.where == self.number)[0])
        every = np.full(self.scale.where.size, value)
        with np.errstate(all="ignore"):
            return float(function(every)[i])

    def _entry_scale(self) -> Transform | None:
        """Return the elementwise transform that fits the range of the entry, if there is one."""
        return next((one for _, one in self.case.start.scales() if self.number in one.where), None)

    def _entry(self, number: int) -> tuple[Callable, np.ndarray]:
        """Return the entry as a function of the parameters, and its gradient in those that are moved, shape (m,)."""
        names, table = Names(self.case.start.structure, "params"), self.case.start.table
        assert table is not None  # blocks are those of a table
        row = next(name for name in table if number in names.places(name))
        inside = int(np.flatnonzero(names.places(row) == number)[0])
        unit = np.zeros(len(self.case.all_names))
        unit[number] = 1.0

        def entry(p: Any) -> Any:
            return np.ravel(p[row])[inside]

        return entry, self.case.variables.gathered(unit)

    def _value(self, along: float) -> float:
        place = float(self.points[0].z[0]) + along
        return place if self.scale is None else self._single(self.scale.value, place)

    def moved(self, point: Point, along: float) -> np.ndarray:
        """Return where a solve begins that takes the others from a point; the constraint moves it."""
        return point.x

    def scattered(self, along: float) -> list[np.ndarray]:
        """Return none: what is moved at random is no block."""
        return []

    def predicted(self, along: float) -> np.ndarray:
        """Return where a solve begins: on the line through two points or Wald's, as far as it stays a block."""
        target = self._value(along)
        near = sorted(self._trusted, key=lambda point: abs(point.value - target))
        apart = near[0].value - near[1].value if len(near) > 1 else 0.0
        line = (near[0].x - near[1].x) / apart if apart else self.line
        for share in (1.0, 0.5, 0.25):
            x = near[0].x + share * (target - near[0].value) * line
            with np.errstate(all="ignore"):
                if np.isfinite(self.variables.variables(x)).all():
                    return x
        return near[0].x

    def _found(self, along: float, begun: np.ndarray) -> tuple[float, np.ndarray, float, np.ndarray] | None:
        target = self._value(along)
        entry = self.entry
        constraint = {"type": "eq", "fun": lambda p: entry(p) - target}
        result = solved(self.case.constrained(constraint, begun))
        if not result.success:
            self.trouble = [result.message, *result.get("diagnosis", ())][-1]
            return None
        gradient = self.case.variables.gathered(np.asarray(result.jac, float))
        multiplier = float(self.own_slopes @ gradient / (self.own_slopes @ self.own_slopes))
        place = np.array([self.points[0].z[0] + along])
        slope = 1.0 if self.scale is None else self._single(self.scale.slope, float(place[0]))
        return float(result.fun), np.asarray(result.x_flat, float), multiplier * slope, place


_ROOM = 1e-12
"""So near to an end of its range an entry is at it."""
