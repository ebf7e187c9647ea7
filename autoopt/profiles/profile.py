"""The profile of a parameter, as users see it: where it was held, how far the objective rose, and the intervals."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt.errors import InferenceError, UsageError
from autoopt.profiles.curve import Curve, Lower, is_profiled
from autoopt.stages import stage
from autoopt.wording import listed, near


@dataclass
class Profile:
    """The profile of one parameter, and the intervals that follow from it.

    Attributes
    ----------
    name : str
        The parameter.
    level : float, in (0, 1)
        Of `interval` where none is given.
    curve : Curve
        Which holds the parameter at other values, and solves for the others.
    notes : list of str
        Which ends were not reached, and why.

    Notes
    -----
    For likelihoods an interval ends where the deviance, 2 (log L(estimates) - log L(profile)), comes to the quantile of
    chi-squared with one degree of freedom; for least squares where the square root of the growth of the sum of squares
    over `scale` comes to Student's quantile with `df_resid` degrees, as R's profile.nls has it. An end is where it does
    so first on the way from the estimate, on the lowest minimum of the other parameters that is found: where one does
    not go on from those beside it they are solved again from each other, and ends of curved profiles from elsewhere.

    References
    ----------
    Venzon, D. J. and Moolgavkar, S. H. (1988). Applied Statistics 37(1), 87-94.
    Bates, D. M. and Watts, D. G. (1988). Nonlinear Regression Analysis and Its Applications, 6.1.2. Wiley.
    """

    name: str
    level: float
    curve: Curve = field(repr=False)
    notes: list[str] = field(default_factory=list)
    _ends: dict[float, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def estimate(self) -> float:
        """Where the fit has the parameter."""
        return self.curve.points[0].value

    @property
    def values(self) -> np.ndarray:
        """Where the parameter was held, shape (k,), ascending, the estimate among them."""
        return np.array([point.value for point in self._points])

    @property
    def zeta(self) -> np.ndarray:
        """The signed root of the statistic, shape (k,), negative below the estimate; straight where Wald is exact."""
        return np.array([point.root for point in self._points])

    @property
    def statistics(self) -> np.ndarray:
        """The deviance, shape (k,): twice the loss of log-likelihood; for least squares that of squares / `scale`."""
        return self.zeta**2

    @property
    def params(self) -> np.ndarray:
        """All parameters where the parameter was held, shape (k, n)."""
        return np.array([point.x for point in self._points])

    @property
    def better(self) -> Any:
        """A value of x0's structure where the objective is less than at the fit, which is no minimum; mostly None."""
        return self.curve.better

    @property
    def _points(self) -> list:
        return sorted(self.curve.points, key=lambda point: point.value)

    def interval(self, level: float | None = None) -> np.ndarray:
        """Return the two values, shape (2,), at which the profile reaches the quantile of `level`, by default its own.

        Returns
        -------
        ndarray
            Infinite, or the limit of the parameter, where the profile does not come to the quantile; NaN where it could
            not be followed so far, or jumps. `notes` says so.

        Raises
        ------
        InferenceError
            If the objective is less on the way than at the fit; `better` has the point.
        """
        level = self.level if level is None else level
        if not 0 < level < 1:
            raise UsageError(f"level is {level!r}.", remedy="pass a probability between 0 and 1, such as level=0.95.")
        if level not in self._ends:
            try:
                with stage(f"profile of {self.name}"):
                    ends = [self.curve.end(side, level) for side in (-1, 1)]
                    if np.isnan(ends[0][0]):  # what was found above may lead to where it is
                        ends[0] = self.curve.end(-1, level)
            except Lower as lower:
                raise InferenceError(
                    f"The profile of {self.name} has come to {lower}: the fit is at no minimum, or a local one.",
                    remedy="fit again from there: fit(..., x0=fitted.profile(name).better).",
                ) from None
            self._ends[level] = np.array([value for value, _ in ends])
            self.notes.extend(f"{self.name}: {said}" for _, said in ends if said)
        return self._ends[level].copy()


def profiled(fitted: Any, name: str | int, level: float) -> Profile:
    """Return the profile of a parameter of a fit, the one that was made before if there is one.

    Raises
    ------
    InferenceError
        If the fit is no minimum, or of no likelihood and no least squares.
    UsageError
        If there is no such parameter, or it is fixed.
    """
    number = _number(fitted.names, name)
    if not fitted.is_inferential:
        raise InferenceError(
            f"A profile is that of a likelihood or of least squares, and the kind of {fitted.source} is "
            f"{fitted.kind or 'minimise'!r}.",
            remedy="say what the objective is: fit(..., kind='negative log-likelihood').",
        )
    if fitted.status not in ("converged", "not identified"):
        raise InferenceError(f"There is no profile: the fit is {fitted.status}.", remedy="mend the fit first.")
    if number not in fitted.profiles:
        fitted.profiles[number] = Profile(fitted.names[number], level, _curve(fitted, number))
    profile = fitted.profiles[number]
    profile.level = level
    if profile.better is None:
        with suppress(InferenceError):  # `better` has the point, and `interval` says it
            profile.interval(level)
    return profile


def _curve(fitted: Any, number: int) -> Curve:
    """Return the profile of a parameter, which is a variable by itself or one of those that are moved together."""
    if is_profiled(fitted, number):
        return Curve(fitted, number)
    from autoopt.profiles.blocks import BlockCurve

    return BlockCurve(fitted, number)


def _number(names: Sequence[str], name: str | int) -> int:
    if isinstance(name, int | np.integer) and -len(names) <= name < len(names):
        return int(name) % len(names)
    if name not in names:
        raise UsageError(
            f"There is no parameter {name!r}.{near(str(name), names)}", remedy=f"choose one of {listed(names)}."
        )
    return names.index(str(name))
