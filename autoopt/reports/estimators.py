"""The pictures of estimators: of their estimates, and of data that are given, which estimators do not keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autoopt import atomic
from autoopt.reports.subject import Probabilities, Residuals, Subject
from autoopt.summaries import Summary


class PicturedEstimator:
    """An estimator that can be drawn."""

    def plot(self, kind: str | None = None, ax: Any = None, *, X: Any = None, y: Any = None) -> Any:
        """Return a matplotlib figure with a picture of the estimates: notebooks show it, `savefig` saves it.

        Parameters
        ----------
        kind : str, optional
            "coefficients" (estimates with intervals) or "spectrum" (eigenvalues of the scaled Hessian); with data also
            "residuals" and "quantiles", and for two classes "calibration"; by default all that there are.
        ax : matplotlib.axes.Axes, optional
            Where to draw; it is then what is returned.
        X, y : array or table, shape (m, n_features), and array, shape (m,), optional
            Data whose residuals, or whose calibration, are drawn: those of the fit, or others.

        Returns
        -------
        matplotlib.figure.Figure or matplotlib.axes.Axes

        Raises
        ------
        UsageError
            If there is no such picture; names those that there are. If matplotlib is not installed.
        """
        from autoopt.reports.pictures import plot

        return plot(subject_of(self, X, y), kind, ax)

    def report(self, path: str | Path | None = None, *, X: Any = None, y: Any = None) -> str:
        """Return the estimates as a page of HTML that needs no network, script or other file.

        Parameters
        ----------
        path : path, optional
            A file, which is written whole or not at all; without it nothing is written.
        X, y : array or table, shape (m, n_features), and array, shape (m,), optional
            Data whose residuals, and calibration, are drawn: estimators do not keep those of the fit.

        Returns
        -------
        str
            The page: the summary, pictures, notes, the likelihood and its derivatives, the data in a few numbers, and
            the environment; of an `autoopt.Estimator` that was just fitted, that of its `fit_`.

        Raises
        ------
        UsageError
            If jinja2 is not installed; without matplotlib the page has no pictures, and says so.
        OSError
            If the file cannot be written.
        """
        from autoopt.reports.estimated import html

        fitted = getattr(self, "fit_", None)
        page = html(self, subject_of(self, X, y), X, y) if fitted is None else fitted.report()
        if path is not None:
            atomic.write(Path(path), page)
        return page

    def _described(self) -> Summary:
        """Return the estimates as a summary."""
        raise NotImplementedError

    def _texts(self) -> dict[str, Sequence[Callable]]:
        """Return the functions whose texts a report shows: "model" and "derivatives"."""
        return {}


def subject_of(estimator: Any, X: Any = None, y: Any = None) -> Subject:
    """Return what pictures look at of an estimator that is fitted, with the data if there are any."""
    names, params = estimator.names_, np.asarray(estimator.params)
    has_data = X is not None and y is not None
    residuals = (lambda: _residuals(estimator, X, y)) if has_data else None
    chances = (lambda: _probabilities(estimator, X, y)) if has_data else None
    return Subject(
        type(estimator).__name__,
        names,
        params,
        np.asarray(estimator.bse),
        np.asarray(estimator.conf_int()),
        why="" if estimator.converged_ else "it is not converged, or not identified",
        curvature=_curvature(estimator),
        residuals=residuals,
        probabilities=chances,
    )


def _curvature(estimator: Any) -> Callable[[], tuple[Sequence[str], np.ndarray] | None]:
    """Return the function of the information, the inverse of the covariance, on the parameters that have one."""

    def information() -> tuple[Sequence[str], np.ndarray] | None:
        usual = getattr(estimator, "_usual_covariance", None)  # beside a robust one
        covariance = np.asarray(estimator.cov_params() if usual is None else usual)
        known = np.flatnonzero(np.isfinite(np.diag(covariance)) & (np.diag(covariance) > 0))
        if not known.size:
            return None
        return [estimator.names_[i] for i in known], np.linalg.inv(covariance[np.ix_(known, known)])

    return information


def _probabilities(estimator: Any, X: Any, y: Any) -> Probabilities | None:
    classes: Any = getattr(estimator, "classes_", ())
    if not hasattr(estimator, "predict_proba") or len(classes) != 2:
        return None
    return Probabilities(estimator.predict_proba(X)[:, 1], (np.ravel(np.asarray(y)) == classes[1]).astype(float))


def _residuals(estimator: Any, X: Any, y: Any) -> Residuals | None:
    """Return deviance residuals where the model has a deviance by row, else those of the predictions, standardised."""
    if hasattr(estimator, "classes_"):
        chances = _probabilities(estimator, X, y)
        return None if chances is None else deviance_of(chances)
    if estimator._estimator_type != "regressor":  # what it predicts is no response
        return None
    fitted, response = np.asarray(estimator.predict(X), float), np.ravel(np.asarray(y, float))
    if hasattr(estimator, "_deviances"):
        deviances = np.maximum(np.asarray(estimator._deviances(response, fitted)), 0.0)
        return Residuals(np.sign(response - fitted) * np.sqrt(deviances), fitted, "deviance residual")
    away = response - fitted
    spread = float(np.std(away))
    return Residuals(away / spread, fitted) if spread > 0 else Residuals(away, fitted, "residual")


def deviance_of(chances: Probabilities) -> Residuals:
    """Return the deviance residuals of a response of 0 and 1."""
    p, y = chances.predicted, chances.observed
    with np.errstate(divide="ignore"):
        deviance = np.sqrt(np.maximum(-2 * np.log(np.where(y == 1, p, 1 - p)), 0.0))
    return Residuals(np.sign(y - p) * deviance, p, "deviance residual", "fitted probability")
