"""The least objective with one parameter held, as a function of where it is held.

What is minimised is the same objective, traced once, with one more `fixed` parameter; each solve begins on the line
through what is known of the others. By the envelope theorem the slope of the profile is that of the objective along
what is held, which every solve leaves behind, so that the ends of intervals are found by Newton's steps on the signed
root of the deviance: about three solves for each.

    b held at     b^      b1        b2                  zeta = sign(b - b^) sqrt(deviance)
    others from   fit     fit +     line through        d zeta / d b = slope of the objective along b / zeta
                          Wald's    b^ and b1
                          line
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, UsageError
from autoopt.fitting.kinds import kind_of
from autoopt.fitting.solving import Case, solved
from autoopt.inference.reaching import JUMP, LIMIT, LOST, OPEN, Node
from autoopt.profiles.branches import first_end, lowest
from autoopt.users_code import NO_VALUE
from autoopt.variables.transforms import Transform
from autoopt.variables.variables import Variables


class Lower(Exception):
    """The objective is less than at the fit."""


@dataclass(frozen=True, eq=False)
class Point:
    """The least objective with the parameter held at `value`.

    Attributes
    ----------
    value : float
    root : float
        zeta, negative below the estimate.
    slope : float
        Of zeta along the variable that is held; NaN where it is not known.
    x : ndarray, shape (n,)
        All parameters.
    z : ndarray, shape (m,)
        The variables: the parameters that are neither held nor tied, on the scales of their transforms.
    """

    value: float
    root: float
    slope: float
    x: np.ndarray
    z: np.ndarray


def is_profiled(fitted: Any, number: int) -> bool:
    """Whether a parameter of a fit is a variable by itself: it is neither held already, nor one of a block."""
    variables = None if fitted.case is None else fitted.case.start.variables
    if variables is None:
        return True
    source = variables.source[number]
    return bool(source >= 0 and not any(source in block.where for block in variables.blocks))


class Curve:
    """The profile of the parameter `number` of a fit, at the points where it was asked for.

    Attributes
    ----------
    points : list of Point
        The estimate first, the others as they were solved.
    better : value of x0's structure, or None
        Where the objective is less than at the fit.
    """

    def __init__(self, fitted: Any, number: int) -> None:
        self.begin(fitted, number)
        self.held = int(self.variables.source[number])
        self.direction = int(np.sign(self.variables.factor[number]))  # of the parameter along its variable
        self.limits = self._limits()
        x = fitted.params
        z = self.variables.variables(x)
        covariance = None if fitted.covariance is None else fitted.cov_params("observed")
        self.line, slope = self._wald(covariance, z)
        self.errors = self._errors(covariance, z)
        self.points = [Point(float(x[number]), 0.0, slope, x, z)]
        self.is_at_limit = not fitted.free[self.held]
        begun = float(self.variables.variables(self.case.start.flat)[self.held])
        self.size = max(abs(z[self.held]), abs(begun)) or 1.0

    def begin(self, fitted: Any, number: int) -> None:
        """Take of a fit what the profile of any of its parameters needs."""
        self.case: Case = fitted.case
        start = self.case.start
        self.variables: Variables = start.variables or Variables.free(start.structure.names)
        if number in self.variables.held:
            raise UsageError(f"{fitted.names[number]} is fixed.", remedy="profile a parameter that is free.")
        self.number = number
        self.least, self.df_resid = float(fitted.result.fun), float(fitted.df_resid)
        self.is_squares = kind_of(fitted.kind).is_squares
        self.weight = 1 / fitted.scale if self.is_squares else 2.0
        self.better: Any = None
        self.trouble = ""
        self.far = np.inf

    def quantile(self, level: float) -> float:
        """Return what |zeta| comes to at the ends: Student's quantile for least squares, else that of the normal."""
        from scipy.special import ndtri, stdtrit

        probability = (1 + level) / 2
        return float(stdtrit(self.df_resid, probability) if self.is_squares else ndtri(probability))

    def end(self, side: int, level: float) -> tuple[float, str]:
        """Return the lower (`side` -1) or upper (1) end of an interval, and what is to be said of it, if anything."""
        quantile, along = self.quantile(level), side * self.direction
        self.far = _FAR * quantile
        where = "below" if side < 0 else "above"
        home = self.points[0]
        room, behind = (way * (self.limits[max(way, 0)][self.held] - home.z[self.held]) for way in (along, -along))
        if room <= 0 or (self.is_at_limit and room <= behind):
            return home.value, f"the estimate is at its limit {home.value:g}."
        found = first_end(self, side, quantile, room)
        value, short = self._value(along * found.distance), f"{found.value**2:.4g}, short of {quantile**2:.4g}"
        if found.how == OPEN or (found.how == LIMIT and self._transform is not None):
            value = self._value(along * np.inf)
            return value, f"open {where}: on the way to {value:g} the deviance comes to {short}."
        if found.how == LIMIT:
            return value, f"the limit {value:g} is met, where the deviance is {short}."
        if found.how == JUMP:
            over = f"{found.value**2:.4g} over {quantile**2:.4g}"
            return np.nan, f"not known {where} {value:.6g}, where the deviance jumps from {over}."
        if found.how == LOST:
            why = self.trouble or f"{len(self.points)} points of the profile did not lead there."
            return np.nan, f"not known {where} {value:.6g}, where the deviance is {short}: {why}"
        return value, ""

    # Along one side ---------------------------------------------------------------------------------------------------

    @property
    def _transform(self) -> Transform | None:
        """The transform of the parameter; None if it has none."""
        return next((one for one in self.variables.transforms if self.held in one.where), None)

    def _limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the limits of the variables, shape (m,) each, those of transforms where rounding ends them."""
        given, size = self.case.limits, self.variables.size
        sides = None if given is None else self.variables.limits(given.lower, given.upper)
        lower, upper = sides or (np.full(size, -np.inf), np.full(size, np.inf))
        for one in self.variables.transforms:
            room = [np.where(np.isfinite(end), 8 * np.spacing(np.abs(end)), 0.0) for end in (one.lower, one.upper)]
            ends = one.inverse(one.lower + room[0]), one.inverse(one.upper - room[1])
            lower[one.where], upper[one.where] = np.maximum(ends[0], -_LARGEST), np.minimum(ends[1], _LARGEST)
        return lower, upper

    def _wald(self, covariance: np.ndarray | None, z: np.ndarray) -> tuple[np.ndarray, float]:
        """Return how the others follow the variable that is held, shape (m,), to first order, and the slope of zeta."""
        line, home = np.zeros(self.variables.size), self.variables.home
        line[self.held] = 1.0
        variance = np.nan if covariance is None else covariance[home[self.held], home[self.held]]
        if covariance is None or not variance > 0:
            return line, np.nan
        slopes = self.variables.slopes(z)
        line = covariance[home, home[self.held]] / variance / slopes * slopes[self.held]
        return np.where(np.isfinite(line), line, 0.0), float(slopes[self.held] / np.sqrt(variance)) * self.direction

    def _errors(self, covariance: np.ndarray | None, z: np.ndarray) -> np.ndarray:
        """Return the standard errors of the variables, shape (m,); 0 where they are not known."""
        if covariance is None:
            return np.zeros(self.variables.size)
        with np.errstate(all="ignore"):
            errors = np.sqrt(np.diag(covariance)[self.variables.home]) / self.variables.slopes(z)
        return np.where(np.isfinite(errors), errors, 0.0)

    def _value(self, along: float) -> float:
        """Return the parameter where its variable is `along` from the estimate's."""
        z = self.points[0].z.copy()
        z[self.held] += along
        with np.errstate(over="ignore"):
            return float(self.variables.parameters(z)[self.number])

    def place(self, point: Point) -> float:
        """Return how far the variable that is held is from the estimate's, signed."""
        return float(point.z[self.held] - self.points[0].z[self.held])

    def as_node(self, point: Point) -> Node:
        """Return a point as its distance, |zeta| and the slope of that outwards; 0 where it is not known."""
        return Node(abs(self.place(point)), abs(point.root), float(np.nan_to_num(point.slope)) * self.direction)

    def nodes(self, side: int) -> list[Node]:
        """Return what is known on one side, the estimate first."""
        home = self.points[0]
        return [self.as_node(one) for one in self.points if one is home or (one.value - home.value) * side > 0]

    def first(self, quantile: float) -> float:
        """Return the distance of the Wald interval's end; where there is none, what the variable's size suggests."""
        here = self.points[0]
        return quantile / abs(here.slope) if np.isfinite(here.slope) else 0.1 * self.size

    def node(self, side: int, distance: float) -> Node | None:
        """Return the profile at a distance, which becomes a point; None where it cannot be had."""
        point = lowest(self, side * self.direction * distance)
        return None if point is None else self.as_node(point)

    def solved(self, along: float, begun: np.ndarray) -> Point | None:
        """Return the minimum that is found from where a solve begins; None, with `trouble`, where none is."""
        try:
            found = self._found(along, begun)
        except (AutooptError, *NO_VALUE) as error:
            self.trouble = error.happened if isinstance(error, AutooptError) else f"{type(error).__name__}: {error}"
            return None
        if found is None:
            return None
        fun, x, slope, z = found
        deviance = self.weight * (fun - self.least)
        if deviance < -_VISIBLE * max(1.0, abs(self.least) * 1e-6):
            self.better = self.case.start.structure.unflatten(x)
            raise Lower(f"{fun:.10g}, which is less than the fit's {self.least:.10g}")
        root, side = np.sqrt(max(deviance, 0.0)), np.sign(along) * self.direction
        slope = slope * self.weight / (2 * side * root) if root > 0 and side else 0.0
        return Point(float(x[self.number]), side * root, slope, x, z)

    @property
    def _trusted(self) -> list[Point]:
        """Return the points that others begin from: not those far above the level, which may lie behind an edge."""
        return [point for point in self.points if abs(point.root) <= self.far]

    def moved(self, point: Point, along: float) -> np.ndarray:
        """Return where a solve begins that takes the others from a point."""
        z = point.z.copy()
        z[self.held] = self.points[0].z[self.held] + along
        return z

    def scattered(self, along: float) -> list[np.ndarray]:
        """Return places about the Wald line, at random, from which a solve may come to another minimum."""
        home, random = self.points[0], np.random.default_rng(0)
        normal = random.normal(size=(_STARTS if self.errors.any() else 0, self.errors.size))
        starts = [np.clip(home.z + along * self.line + _WIDE * one * self.errors, *self.limits) for one in normal]
        for z in starts:
            z[self.held] = home.z[self.held] + along
        return starts

    def predicted(self, along: float) -> np.ndarray:
        """Return where a solve begins: on the line through the two nearest points, or on the Wald line."""
        target = self.points[0].z[self.held] + along
        near = sorted(self._trusted, key=lambda point: abs(point.z[self.held] - target))
        apart = near[0].z[self.held] - near[1].z[self.held] if len(near) > 1 else 0.0
        line = (near[0].z - near[1].z) / apart if apart else self.line
        step = (target - near[0].z[self.held]) * line
        is_wild = np.abs(step) > _WILD * np.maximum(self.errors, np.abs(self.points[0].z))  # one has run off
        z = near[0].z + np.where(is_wild, 0.0, step)
        z = np.clip(np.where(np.isfinite(z), z, self.points[0].z), *self.limits)
        z[self.held] = target
        return z

    # One solve --------------------------------------------------------------------------------------------------------

    def _found(self, along: float, z: np.ndarray) -> tuple[float, np.ndarray, float, np.ndarray] | None:
        """Return the least value with the variable `along` from the estimate's, all parameters, its slope, variables.

        A minimum at infinity is the least value there is; None for any other run that comes to no minimum.
        """
        x, held = self.variables.parameters(z), z[self.held]
        if self.variables.size == 1:
            fun, gradient = self.case.value_and_grad(x)
        else:
            result = solved(self.case.holding(self.variables.home[self.held], x))
            if not self.is_minimum(result):
                return None
            fun, x, gradient = float(result.fun), np.asarray(result.x_flat, float), np.asarray(result.jac, float)
        z = self.variables.variables(x)
        z[self.held] = held
        return fun, x, float(self.variables.pulled(z, gradient)[self.held]), z

    def is_minimum(self, result: Any) -> bool:
        """Whether a run has come to the least value there is, at infinity too; notes why not."""
        said = [result.message, *result.get("diagnosis", ())]
        is_free = not self.case.call["constraints"]  # with them such a run may have stopped anywhere
        found = bool(result.success or (is_free and any("at infinity" in text for text in said)))
        self.trouble = self.trouble if found else said[-1]
        return found


_VISIBLE = 1e-6
"""A deviance below that of the fit by this much is a better fit, and no rounding."""

_FAR = 2.0
"""Quantiles; where |zeta| is larger, the others may have run off, as where the parameter is out of its range."""

_LARGEST = 690.0
"""The exponential of this is a number."""

_WILD = 100.0
"""Standard errors, or sizes: steps of the others that are longer are not taken."""

_STARTS, _WIDE = 4, 2.0
"""Starts at random, and how many standard errors they are about the Wald line."""
