"""An estimator, with scikit-learn's interface, of any model: a file, a function, a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.errors import ModelError, ObjectiveError, UsageError
from autoopt.fitting import modelfile
from autoopt.fitting.beside import importable
from autoopt.fitting.fit import fit
from autoopt.models import validation
from autoopt.models.features import Featured
from autoopt.models.inferred import Inferred
from autoopt.models.interface import Interface
from autoopt.users_code import users_code

_OF_FIT = ("fit_", "_loaded")
"""What holds the user's functions, and stays behind when an estimator is pickled."""

_GIVEN = ("kind", "names", "bounds", "fixed", "tol", "options", "covariance")
"""What is given to `fit` as it is."""


class Estimator(Inferred, Featured, Interface):
    """A model of one's own as an estimator: for pipelines, searches and cross-validation.

    Parameters
    ----------
    model : callable, path, module, class, or object with attributes
        As for `autoopt.fit`: ``objective(params, X, y)`` in plain NumPy, or a file that defines `objective` and `x0`,
        and, for predictions, ``predict(params, X)``.
    x0 : scalar, array, structure or function of the data, optional
        The start, in place of the model's; a function takes X and y.
    kind : str, optional
        What the objective returns, in place of the model's; see `autoopt.fit`.
    prediction : callable, optional
        (params, X) -> predictions, in place of the model's: one number for each row, or, for a classifier, the
        probability of the second class, (m,), or of all, (m, K).
    classifier : bool
        Whether y holds labels; the objective gets 0.0, 1.0, ... in their sorted order.
    names : sequence of str, optional
        Of the parameters.
    method, bounds, fixed, tol, options, covariance
        As for `autoopt.fit`.

    Attributes
    ----------
    fit_ : Fit
        All that is known of the fit: profiles, tests, other covariances.
    x_ : structure of x0
        The estimates as the objective takes them.
    params, bse, tvalues, pvalues, cov_params(), conf_int(), llf, aic, bic, nobs, summary()
        Inference under statsmodels' names, shape (n,).

    Examples
    --------
    >>> def residuals(params, X, y):
    ...     return y - params[0] * np.exp(params[1] * X[:, 0])
    >>> def curve(params, X):
    ...     return params[0] * np.exp(params[1] * X[:, 0])
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = Estimator(residuals, x0=[1.0, 0.0], kind="least squares", prediction=curve)
    >>> model.fit(X, 2.0 * np.exp(0.5 * X[:, 0])).params.round(6).tolist()
    [2.0, 0.5]
    """

    fit_: Any

    def __init__(
        self,
        model: object = None,
        *,
        x0: Any = None,
        kind: str | None = None,
        prediction: Callable | None = None,
        classifier: bool = False,
        names: Sequence[str] | None = None,
        method: str | None = None,
        bounds: Any = None,
        fixed: Any = None,
        tol: float | None = None,
        options: Mapping[str, Any] | None = None,
        covariance: str | None = None,
    ) -> None:
        self.model = model
        self.x0 = x0
        self.kind = kind
        self.prediction = prediction
        self.classifier = classifier
        self.names = names
        self.method = method
        self.bounds = bounds
        self.fixed = fixed
        self.tol = tol
        self.options = options
        self.covariance = covariance

    @property
    def _estimator_type(self) -> str:  # type: ignore[override]  # of each estimator, as its user says
        return "classifier" if self.classifier else "regressor"

    _multiclass = True
    _sparse = False

    def fit(self, X: object, y: object, sample_weight: object = None, *, groups: object = None) -> Estimator:
        """Fit the model.

        Parameters
        ----------
        X : array or table, shape (m, n_features)
            The objective's first data argument.
        y : array, shape (m,)
            Its second.
        sample_weight : array, shape (m,), optional
            How much each row counts; for objectives that return an array, a term or a residual for each row.
        groups : array, shape (m,), optional
            Labels of clusters, whose rows may depend on each other: standard errors are then cluster-robust.

        Returns
        -------
        Estimator
            The estimator itself.

        Raises
        ------
        ModelError, ObjectiveError, UsageError, InputError
            As `autoopt.fit` does; and if X and y are not what an estimator takes.
        """
        if self.model is None:
            raise UsageError(
                "There is no model.", remedy="pass a function or a model file: Estimator(objective, x0=...)."
            )
        design = self._features(X, fitting=True)
        rows = design.shape[0]
        if self.classifier:
            self.classes_, codes = validation.labels(y, rows)
            response = codes.astype(float)
        else:
            response = validation.vector(validation.flat(y), rows, "y")
        weights = None if sample_weight is None else validation.sample_weights(sample_weight, rows)
        found = fit(
            self.model,
            self.x0,
            (design, response),
            self.method,
            weights=weights,
            nobs=rows,
            groups=groups,
            **{name: getattr(self, name) for name in _GIVEN},
        )
        self._take(found)
        return self

    def _take(self, found: Any) -> None:
        """Set what a Fit tells."""
        self.fit_ = found
        self.x_ = found.result.x
        self.params_, self.bse_ = found.params, found.bse
        nothing = np.full((len(found.params),) * 2, np.nan)
        self.cov_params_ = nothing if found.covariance is None else np.asarray(found.covariance)
        self.llf_, self.nobs_ = found.llf, found.nobs
        self.n_iter_ = max(int(found.result.get("nit", 1)), 1)
        self.converged_ = found.status == "converged"
        self.method_ = str(found.result.get("method", self.method))
        self._told = {name: getattr(found, name) for name in ("tvalues", "pvalues", "aic", "bic", "df_resid")}
        self._told |= {"summary": found.summary(), "names": self._named(list(found.names))}

    def _named(self, names: list[str]) -> list[str]:
        """Return the names of the parameters; those of a vector with an entry for each column are the columns'."""
        columns, own = list(getattr(self, "feature_names_in_", ())), names[0].partition("[")[0]
        return columns if columns and names == [f"{own}[{i}]" for i in range(len(columns))] else names

    def _features(self, X: object, *, fitting: bool = False) -> Any:
        if hasattr(X, "tocsr"):
            raise validation.InputTypeError(
                "X is a sparse matrix, which a model of one's own is not given.", remedy="pass X.toarray()."
            )
        return super()._features(X, fitting=fitting)

    @property
    def names_(self) -> list[str]:
        """Names of the parameters."""
        self._require_fit()
        return self._told["names"]

    @property
    def tvalues(self) -> np.ndarray:
        """Estimates over their standard errors, shape (n,)."""
        return self._of_fit("tvalues")

    @property
    def pvalues(self) -> np.ndarray:
        """Two-sided probabilities of a larger |tvalue| if the parameter were zero, shape (n,)."""
        return self._of_fit("pvalues")

    @property
    def aic(self) -> float:
        """Akaike's criterion, of the parameters that are not fixed."""
        return self._of_fit("aic")

    @property
    def bic(self) -> float:
        """The Bayesian criterion, of the parameters that are not fixed."""
        return self._of_fit("bic")

    @property
    def df_resid(self) -> float:
        """Observations less the parameters that are not fixed."""
        return self._of_fit("df_resid")

    def summary(self) -> str:
        """Return the summary of the fit as text."""
        return self._of_fit("summary")

    def _of_fit(self, name: str) -> Any:
        self._require_fit()
        return self._told[name]

    def predict(self, X: object) -> np.ndarray:
        """Return the model's predictions, shape (m,); of a classifier the most probable labels."""
        if self.classifier:
            return self.classes_[np.argmax(self._probabilities(X), axis=1)]
        return self._predicted(X)

    @property
    def predict_proba(self) -> Callable[[object], np.ndarray]:
        """The function of X that returns the probabilities of the classes, shape (m, K), of a classifier."""
        if not self.classifier:  # scikit-learn's tools ask whether there is such a method
            raise AttributeError("This estimator is no classifier: pass classifier=True.")
        return self._probabilities

    def _probabilities(self, X: object) -> np.ndarray:
        found = self._predicted(X)
        return np.column_stack([1 - found, found]) if found.ndim == 1 else found

    def _predicted(self, X: object) -> np.ndarray:
        design = self._features(X)
        function = self.prediction or self._own_prediction()
        if function is None:
            raise UsageError(
                "The model has no predictions.",
                remedy="define predict(params, X) in the model file, or pass prediction=.",
            )
        with users_code("The predictions of the model", ObjectiveError):
            found = np.asarray(function(self.x_, design), dtype=float)
        if found.ndim == 0 or len(found) != design.shape[0]:
            raise ModelError(
                f"The predictions have shape {found.shape}, for {design.shape[0]} rows of X.",
                remedy="return one for each row.",
            )
        return found

    def _own_prediction(self) -> Callable | None:
        """Return the function `predict` of the model, None if it has none."""
        if "_loaded" not in vars(self):
            with importable(self.model):
                self._loaded = modelfile.load(self.model, needs_start=False)
        return self._loaded.predict

    def score(self, X: object, y: object, sample_weight: object = None) -> float:
        """Return the share of the variance of y that is explained; of a classifier, of rows whose label is right."""
        found = self.predict(X)
        weights = None if sample_weight is None else validation.sample_weights(sample_weight, len(found))
        if self.classifier:
            return float(np.average(found == validation.flat(y), weights=weights))
        response = validation.vector(validation.flat(y), len(found), "y")
        centre = np.average(response, weights=weights)
        lost = np.average((response - found) ** 2, weights=weights)
        return float(1 - lost / np.average((response - centre) ** 2, weights=weights))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _OF_FIT}
