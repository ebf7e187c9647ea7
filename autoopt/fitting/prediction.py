"""Predictions of a fit: any function of its parameters and of data, with bands by the delta method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autoopt.errors import ObjectiveError, UsageError
from autoopt.fitting.modelfile import called
from autoopt.fitting.other_data import arguments_of
from autoopt.fitting.scales import Scale, scale_of
from autoopt.objectives.adapted import changed
from autoopt.users_code import users_code


@dataclass(frozen=True)
class Prediction:
    """What a function of the parameters is at the estimates, with its standard errors.

    Parameters
    ----------
    mean : ndarray
        The function's values, in its own shape.
    se : ndarray
        Their standard errors, of the same shape; NaN where there is no covariance.
    level : float, in (0, 1)
        Of intervals where no other is asked for.
    df : float
        Degrees of freedom of Student's quantile; infinite for a normal one.
    scale : float or None
        The variance of an observation about its mean, for least squares.
    middle, spread : ndarray or None
        Mean and standard error on the scale of the bands, where that is another; of the shape of `mean`.
    back : callable or None
        From that scale, elementwise.
    notes : tuple of str
        What the reader must know of the data: which rows were left out.

    Notes
    -----
    By the delta method, se^2 = g' V g with the exact gradient g of each value and the covariance V of the estimates;
    on another scale that of each value there. What is fixed or at a bound is taken as it is.
    """

    mean: np.ndarray
    se: np.ndarray
    level: float = 0.95
    df: float = np.inf
    scale: float | None = None
    middle: np.ndarray | None = None
    spread: np.ndarray | None = None
    back: Callable | None = field(default=None, compare=False)
    notes: tuple[str, ...] = ()

    def conf_int(self, level: float | None = None, observation: bool = False) -> np.ndarray:
        """Return intervals, the shape of `mean` with two ends last, ascending.

        Parameters
        ----------
        level : float, in (0, 1), optional
        observation : bool
            Whether they are to cover a new observation in place of its mean, for least squares of equal weights.
        """
        from autoopt.inference import wald_intervals

        level = self.level if level is None else level
        if observation and self.back is not None:
            raise UsageError(
                "Intervals of observations are asked for, and the scale of the bands is that of means.",
                remedy="leave observation out, or predict with scale='identity'.",
            )
        if self.back is not None:
            assert self.middle is not None and self.spread is not None
            ends = wald_intervals(self.middle.ravel(), self.spread.ravel(), level, self.df)
            with np.errstate(over="ignore", under="ignore"):
                return np.sort(np.asarray(self.back(ends), float), axis=-1).reshape(*self.mean.shape, 2)
        spread = self.se
        if observation:
            if self.scale is None:
                raise UsageError(
                    "Intervals of observations need the variance about the mean, which least squares alone estimate.",
                    remedy="leave observation out, or use kind='least squares'.",
                )
            spread = np.sqrt(self.se**2 + self.scale)
        ends = wald_intervals(self.mean.ravel(), spread.ravel(), level, self.df)
        return ends.reshape(*self.mean.shape, 2)

    def to_dict(self) -> dict[str, np.ndarray]:
        """Return mean, se, and the ends of the intervals, lower and upper, by name: for data frames."""
        lower, upper = np.moveaxis(self.conf_int(), -1, 0)
        return {"mean": self.mean, "se": self.se, "lower": lower, "upper": upper}


def predicted(
    fitted: Any,
    data: Any = None,
    of: Callable | None = None,
    level: float | None = None,
    scale: Any = None,
    missing: str = "raise",
) -> Prediction:
    """Return a prediction of a fit; see `Fit.predict`."""
    case = fitted.case
    if case is None:
        raise UsageError("This run had not come to its end.", remedy="predict from a fit that has.")
    function = case.predict if of is None else of
    if function is None:
        raise UsageError(
            f"{fitted.source} does not say what is to be predicted.",
            remedy="pass a function, of=lambda params, x: ..., or define predict(params, *data) in the model file.",
        )
    bands = scale_of(case.predict_scale if scale is None and of is None else scale)
    arguments, notes = arguments_of(case, function, data, missing)
    u = case.variables.variables(fitted.params)
    here = replace(case, call={**case.call, "args": arguments})
    with users_code(f"The function {called(function)}", ObjectiveError):
        mean = np.asarray(function(case.start.structure.unflatten(fitted.params), *arguments), float)
        se = _errors(fitted, here.jacobian(function, u)).reshape(mean.shape)
    level = fitted.level if level is None else level
    found = Prediction(mean, se, level, fitted.df_inference, fitted.scale if fitted.use_t else None, notes=notes)
    if bands.name == "identity":
        return found
    _refuse_outside(mean, bands, called(function))
    on_scale = changed(function, bands.forward)
    with users_code(f"The scale of {called(function)}", ObjectiveError), np.errstate(all="ignore"):
        middle, slopes = here.values_and_jacobian(on_scale, u)
    return replace(
        found, middle=middle.reshape(mean.shape), spread=_errors(fitted, slopes).reshape(mean.shape), back=bands.inverse
    )


def _errors(fitted: Any, slopes: np.ndarray) -> np.ndarray:
    """Return the standard errors of values with these slopes, shape (r, m); NaN where there is no covariance."""
    if fitted.covariance is None:
        return np.full(len(slopes), np.nan)
    home = fitted.case.variables.home
    covariance = fitted.covariance[np.ix_(home, home)]
    known = np.isfinite(np.diag(covariance))  # a bound holds the others
    inside = slopes[:, known]
    return np.sqrt(np.einsum("ij,jk,ik->i", inside, covariance[np.ix_(known, known)], inside, optimize=True))


def _refuse_outside(mean: np.ndarray, bands: Scale, name: str) -> None:
    """Raise UsageError where a prediction is not in the range of the scale."""
    outside = np.ravel((mean < bands.low) | (mean > bands.high))
    if outside.any():
        row = int(np.argmax(outside))
        raise UsageError(
            f"The scale of predictions is {bands.name!r}, for {bands.description}, and {name} is "
            f"{np.ravel(mean)[row]:.6g} in row {row}.",
            remedy="choose another scale, such as 'identity'.",
        )
