"""Models that are asked for by their names in `models.MODELS`: fit("logistic", formula=..., data=...)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.errors import DataError, ModelError, UsageError
from autoopt.fitting.modelfile import Model
from autoopt.wording import near, times


@dataclass(frozen=True)
class Response:
    """A row of RESPONSES.

    Parameters
    ----------
    said : str
        What y must be.
    holds : callable
        (y) -> which entries are.
    mean : callable
        (eta) -> what is predicted, plain NumPy.
    """

    said: str
    holds: Callable
    mean: Callable


def _logistic(eta: Any) -> Any:
    return np.exp(-np.logaddexp(0.0, -eta))  # which does not overflow


def _identity(eta: Any) -> Any:
    return eta


RESPONSES = {
    "classes": Response("0 or 1, or one of two categories", lambda y: (y == 0) | (y == 1), _logistic),
    "binary": Response("0 or 1, or one of two categories", lambda y: (y == 0) | (y == 1), _logistic),
    "counts": Response("counts, zero or positive", lambda y: y >= 0, np.exp),
    "positive": Response("positive", lambda y: y > 0, np.exp),
    "real": Response("numbers", np.isfinite, _identity),
}
"""What the response of a model may be, by the name that MODELS has for it."""

_LEAST = 1e-8  # of a parameter that is positive


def _residuals(params: Any, X: Any, y: Any) -> Any:
    return y - X @ params


LEAST_SQUARES = {"linear": _residuals}
"""Models whose errors have a variance that is estimated: their residuals."""


@dataclass(frozen=True)
class Named(Model):
    """A model of MODELS.

    Parameters
    ----------
    ancillary : tuple of k str
        Parameters beside the coefficients, all positive.
    starts : tuple of k float
        Where they begin.
    response : str
        A name in RESPONSES.
    """

    ancillary: tuple[str, ...] = ()
    starts: tuple[float, ...] = ()
    response: str = "real"

    def opened(self, columns: list[str], arguments: Any, source: str) -> Named:
        """Return the model with names, a start and limits of its parameters, for a matrix with these columns.

        Raises
        ------
        UsageError
            If there is no such matrix.
        DataError
            If the response is none of this model's.
        """
        if not columns:
            raise UsageError(
                f"The model {self.source} needs to be told what explains what.",
                remedy='give formula="y ~ age + C(region)", or target="y" (--formula, --target).',
            )
        response, y = RESPONSES[self.response], arguments["y"]
        if not (holds := response.holds(y)).all():
            raise DataError(
                f"The response of the model {self.source} is {response.said}; {source} has others in "
                f"{times(int((~holds).sum()), 'row')}, such as {y[~holds][0]}.",
                remedy="choose another model or response; more than two classes are for the estimators.",
            )
        if self.x0 is not None:
            return replace(self, names=self.names or [*columns, *self.ancillary])
        x0 = np.concatenate([np.zeros(len(columns)), self.starts])
        bounds: list[tuple[float | None, float | None]] = [(None, None)] * len(columns)
        limits = [*bounds, *[(_LEAST, None)] * len(self.ancillary)] if self.ancillary else None
        names = self.names or [*columns, *self.ancillary]
        return replace(self, x0=x0, names=names, bounds=self.bounds or limits)


def known(model: object) -> Named | None:
    """Return the model of a name in MODELS; None for a path and all else.

    Raises
    ------
    ModelError
        If a name is none of a model nor of a file, and near to one, or of a model that takes more than a matrix.
    """
    if not isinstance(model, str) or Path(model).suffix or Path(model).exists():
        return None
    from autoopt.models import MODELS

    if (row := MODELS.get(model)) is None:
        if hint := near(model, MODELS):
            raise ModelError(
                f"There is no model {model}.{hint}", remedy=f"choose one of {', '.join(MODELS)}, or a file."
            )
        return None
    if not row.terms_by_row or row.response not in RESPONSES:
        raise ModelError(
            f"The model {model} cannot be fitted by its name.", remedy=f"use autoopt.models.{row.estimator.__name__}."
        )
    response = RESPONSES[row.response]

    def predict(params: Any, X: Any) -> Any:
        return response.mean(X @ params[: X.shape[1]])

    if model in LEAST_SQUARES:
        return Named(model, LEAST_SQUARES[model], None, kind="least squares", predict=predict, response=row.response)
    count = len(row.ancillary)

    def objective(params: Any, X: Any, y: Any) -> Any:
        coefficients = params[: X.shape[1]]
        return row.likelihood(X @ coefficients, y, *(params[X.shape[1] + i] for i in range(count)))

    names = tuple(list(inspect.signature(row.likelihood).parameters)[2:])
    kind = "negative log-likelihood"
    return Named(
        model, objective, None, kind=kind, predict=predict, ancillary=names, starts=row.ancillary, response=row.response
    )
