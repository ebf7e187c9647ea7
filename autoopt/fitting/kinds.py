"""What an objective's value means: what is minimised for it, and what its least value says of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import ModelError, UsageError
from autoopt.objectives.adapted import changed
from autoopt.wording import near


@dataclass(frozen=True)
class Kind:
    """A row of KINDS.

    Parameters
    ----------
    name : str
        As users write it.
    description : str
        What the objective returns; one line, without a full stop.
    is_likelihood : bool
        Whether its least value is minus a log-likelihood, up to a constant.
    is_squares : bool
        Whether residuals are squared and summed, and their variance estimated.
    is_array : bool
        Whether the objective may return an array, of terms or of residuals, one for each row of the data.
    sign : 1 or -1
        What is minimised is this times the objective.
    """

    name: str
    description: str
    is_likelihood: bool = False
    is_squares: bool = False
    is_array: bool = False
    sign: int = 1


KINDS = {
    kind.name: kind
    for kind in (
        Kind("negative log-likelihood", "minus a log-likelihood, or its terms by row", True, is_array=True),
        Kind("log-likelihood", "a log-likelihood, or its terms by row", True, is_array=True, sign=-1),
        Kind("least squares", "an array of residuals, or their sum of squares", is_squares=True, is_array=True),
        Kind("minimise", "any number that is to be small; nothing is inferred"),
    )
}

MINIMISE = KINDS["minimise"]


def kind_of(name: str | None) -> Kind:
    """Return the kind of this name, "minimise" for None; UsageError if there is none."""
    if name is None:
        return MINIMISE
    if name not in KINDS:
        raise UsageError(f"kind is {name!r}.{near(str(name), KINDS)}", remedy=f"choose one of {', '.join(KINDS)}.")
    return KINDS[name]


@dataclass(frozen=True)
class Minimised:
    """An objective as it is minimised.

    Attributes
    ----------
    kind : Kind
    function : callable
        (params, *data) -> number: what is minimised.
    terms : callable or None
        (params, *data) -> array of m terms of `function`, which is their sum, in the objective's own rows.
    residuals : callable or None
        (params, *data) -> array of m residuals, whose squares `function` sums.
    batched : callable or None
        Those of data that are read in batches, of which there is never an array of all.
    rows : int or None
        m.
    likelihood : callable or None
        (params, *data) -> number: `function` without its penalty, where it has one.
    penalty : str or None
        The penalty's name.
    is_informative : bool
        Whether the information has the penalty's curvature, too.
    weights : ndarray, shape (m,), or None
        Of the rows.
    """

    kind: Kind
    function: Callable
    terms: Callable | None = None
    residuals: Callable | None = None
    batched: Callable | None = None
    rows: int | None = None
    likelihood: Callable | None = None
    penalty: str | None = None
    is_informative: bool = False
    weights: np.ndarray | None = None

    @property
    def frequencies(self) -> np.ndarray | None:
        """How often each row of a likelihood counts, shape (m,); None for once."""
        return self.weights if self.kind.is_likelihood else None

    @property
    def is_of_sums(self) -> bool:
        """Whether the objective returns one number, and neither terms nor residuals."""
        return self.terms is None and self.residuals is None

    @classmethod
    def of(cls, kind: Kind, objective: Callable, outcome: Any, weights: np.ndarray | None = None) -> Minimised:
        """Return what is minimised for an objective.

        Parameters
        ----------
        kind : Kind
        objective : callable
            The user's.
        outcome : number or array
            What it returns at the start.
        weights : ndarray, shape (m,), optional
            How much each term, or each squared residual, counts; in a number those that it is the sum of.
        """
        if isinstance(outcome, list | tuple) and len(outcome):
            objective, outcome = changed(objective, _array), _array(outcome)
        flat = None if weights is None else np.ravel(weights)
        if np.ndim(outcome) == 0 and not (isinstance(outcome, list | tuple)):
            function = objective if kind.sign == 1 else changed(objective, _negative)
            if flat is None:
                return cls(kind, function)
            from autoopt.objectives.weighted_rows import Weighted

            return cls(kind, Weighted(function, flat), rows=flat.size, weights=flat)
        if not kind.is_array:
            raise ModelError(
                f"The objective returns an array of shape {np.shape(outcome)}, where a number is needed.",
                remedy="return a sum, or say what the array is: kind='least squares' or 'negative log-likelihood'.",
            )
        rows = int(np.size(outcome))
        if weights is not None and np.shape(weights) != np.shape(outcome):
            raise UsageError(
                f"weights has shape {np.shape(weights)}, and the objective returns {np.shape(outcome)}.",
                remedy="give one weight for each row.",
            )
        if kind.is_squares:
            residuals = objective if weights is None else changed(objective, _scaled(np.sqrt(weights)))
            return cls(kind, changed(residuals, _squared), residuals=residuals, rows=rows, weights=flat)
        factor = float(kind.sign) if weights is None else kind.sign * np.asarray(weights, float)
        terms = objective if weights is None and kind.sign == 1 else changed(objective, _scaled(factor))
        return cls(kind, changed(terms, total), terms=terms, rows=rows, weights=flat)


def _array(values: Any) -> Any:
    """Return what an objective returned as one array, a list of numbers or arrays too, also while it is traced."""
    if hasattr(values, "shape"):
        return values
    if len({np.shape(one) for one in values}) == 1:
        return np.stack(values)
    return np.concatenate([np.ravel(one) for one in values])


def _negative(value: Any) -> Any:
    return -value


def total(values: Any) -> Any:
    """Return the sum of all entries of an array, or of what can be made one."""
    return np.sum(_array(values))


def _squared(values: Any) -> Any:
    return np.sum(_array(values) ** 2)


def _scaled(factor: Any) -> Callable:
    def scaled(values: Any) -> Any:
        return factor * _array(values)

    return scaled
