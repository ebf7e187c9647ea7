"""Cox's proportional hazards: times to an event, some of them censored, by the partial likelihood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autoopt.errors import InferenceError, UsageError
from autoopt.inference.covariances import Convention, Evidence, sandwich, summed
from autoopt.models import validation
from autoopt.models.by_gradients import root_mean_squares
from autoopt.models.checked import SOME, agreeing_sums
from autoopt.models.concordance import concordance
from autoopt.models.forms import OFFSET, RIDGE, Asked, Form, Stated, plus, squares_at
from autoopt.models.newton import Solution, newton
from autoopt.models.problem import NEWTON, Problem
from autoopt.models.regression import Regression
from autoopt.models.risk_sets import (
    DEAD,
    ENTERED,
    GROUP,
    LAST,
    ORDER,
    SHARE,
    STRATUM,
    TIME,
    WIDEST,
    RiskSets,
    TooWide,
    columns,
)
from autoopt.models.table import Model, add
from autoopt.wording import listed

TIES = ("efron", "breslow")
MANY = 10_000_000
"""Rows that whole weights are written out as."""


def negative_log_likelihood(params, X, y, offset, weights):
    """Return minus the log partial likelihood of events among those at risk.

    The rows are ordered by stratum and falling time; y is `risk_sets.columns`.
    """
    dead = y[:, DEAD] > 0
    group, share = y[dead, GROUP].astype(int), y[dead, SHARE]
    eta = X @ params + offset
    relative = eta + np.log(weights)
    at_risk = log_at_risk(relative, y)[dead]
    events = np.bincount(group, weights=weights[dead]) / np.bincount(group)
    hazards = at_risk
    if share.any():
        tied = np.bincount(group, weights=np.exp(relative[dead] - at_risk), minlength=len(events))
        hazards = hazards + np.log1p(-share * tied[group])
    return np.sum(events[group] * hazards) - np.sum(weights[dead] * eta[dead])


def log_at_risk(relative, y):
    """Return the logarithm of the sum of exp(relative) over those at risk at the time of each row, shape (m,)."""
    starts = np.flatnonzero(np.diff(y[:, STRATUM], prepend=-1.0))[1:]
    sums = np.concatenate([log_sums(part) for part in np.split(relative, starts)])[y[:, LAST].astype(int)]
    if y.shape[1] <= ENTERED:
        return sums
    entering = relative[y[:, ORDER].astype(int)]
    late = np.concatenate([log_sums(part) for part in np.split(entering, starts)])[y[:, ENTERED].astype(int)]
    return sums + np.where(y[:, ENTERED] < 0, 0.0, np.log1p(-np.exp(np.where(y[:, ENTERED] < 0, -1.0, late - sums))))


def log_sums(eta):
    """Return log(sum_{j <= i} exp(eta_j)) for each i, shape (m,), which neither overflows nor underflows."""
    largest = np.max(eta)
    if largest - np.min(eta) < 600:
        return largest + np.log(np.cumsum(np.exp(eta - largest)))
    return np.logaddexp.accumulate(eta)  # a loop


class CoxRegression(Regression):
    """Proportional hazards: the hazard of a row is exp(eta) times one unknown function of time, common to its stratum.

    Maximises the partial likelihood with eta = X @ coef + offset, less alpha / 2 ||coef||^2; `llf` is its logarithm.

    Parameters
    ----------
    ties : "efron" or "breslow"
        How events at the same time are counted.
    alpha, method, tol, max_iter, covariance
        See `Regression`. There is no intercept: the baseline hazard is free.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,)
        Log hazard ratio per unit of each feature.
    baseline_ : dict of stratum to (times, log cumulative hazard)
        Of a row with eta = 0, at the times with events, ascending.
    params, bse, tvalues, pvalues, llf, aic
        Inference under statsmodels' names, shape (n,).

    References
    ----------
    Cox, D. R. (1972). Journal of the Royal Statistical Society B 34(2), 187-220. Efron, B. (1977). Journal of the
    American Statistical Association 72, 557-565.

    Examples
    --------
    >>> X, time, event = [[0.0], [1.0], [0.0], [1.0], [0.0]], [5.0, 2.0, 4.0, 3.0, 1.0], [0, 1, 1, 1, 1]
    >>> model = CoxRegression().fit(X, time, event=event)
    >>> model.params.round(4).tolist(), model.predict_survival_function([[0.0]], [2.5]).round(4).tolist()
    ([1.0731], [[0.7863]])
    """

    _likelihood = staticmethod(negative_log_likelihood)
    _estimator_type = None
    _sparse = False
    _conventions = ("observed", "robust", "cluster")
    fit_intercept = False

    def __init__(
        self,
        *,
        ties: str = "efron",
        alpha: float = 0.0,
        method: str | None = None,
        tol: float | None = None,
        max_iter: int | None = None,
        covariance: str | None = None,
    ) -> None:
        self.ties = ties
        self.alpha = alpha
        self.method = method
        self.tol = tol
        self.max_iter = max_iter
        self.covariance = covariance

    def _check_options(self) -> None:
        super()._check_options()
        if self.ties not in TIES:
            raise UsageError(f"ties is {self.ties!r}.", remedy=f"use {listed(TIES)}.")

    def fit(
        self,
        X: object,
        y: object,
        sample_weight: object = None,
        *,
        event: object = None,
        entry: object = None,
        strata: object = None,
        offset: object = None,
        groups: object = None,
    ) -> CoxRegression:
        """Fit the model.

        Parameters
        ----------
        X : array or table, shape (m, n_features)
            Covariates, without a column of ones.
        y : array, shape (m,)
            Times.
        sample_weight : array, shape (m,), optional
            How often each row counts; where a weight is not whole, tied events of Efron's likelihood count their mean
            weight, as in R.
        event : array of bool, or of 0 and 1, shape (m,), optional
            Whether the event happened at this time, rather than that the row was censored; all did if not given.
            Other codes are refused: of status 1 and 2, as in R's Surv, pass status == 2.
        entry : array, shape (m,), optional
            Times before y from which on the rows are under observation, and at risk: late entry, or covariates that
            change, with a row for each time in which they do not. From the beginning if not given.
        strata : array, shape (m,), optional
            Labels of groups with baseline hazards of their own.
        offset : array, shape (m,), optional
            Added to the log hazard.
        groups : array, shape (m,), optional
            Labels of clusters, whose rows may depend on each other: standard errors are then cluster-robust.

        Returns
        -------
        CoxRegression
            The estimator itself.
        """
        self._check_options()
        if hasattr(X, "tocsr"):
            raise validation.dense_only(X, "Cox regression, whose sums over those at risk fill every column,")
        covariates = self._features(X, fitting=True)
        rows = len(covariates)
        numbers = self._group_numbers(groups, rows)
        time = validation.vector(validation.flat(y), rows, "y")
        dead = validation.events(event, rows)
        entered = None if entry is None else validation.entries(entry, time)
        weights = validation.sample_weights(sample_weight, rows)
        offset = validation.offsets(offset, None, rows)
        labels, strata = _strata(strata, rows)
        if not (dead & (weights > 0)).any():
            raise validation.InputError("There is no event.", remedy="event is 1 where one happened, 0 if censored.")
        ties = covariates @ np.sqrt(
            np.arange(2.0, 2.0 + covariates.shape[1])
        )  # so that the order of the rows makes no difference
        order = np.lexsort((ties, dead, -time, strata))
        order = order[weights[order] > 0]
        if self.ties == "efron" and (weights == np.round(weights)).all() and weights.sum() < MANY:
            order = np.repeat(order, weights[order].astype(int))  # rows that count twice are two tied ones
            weights = np.ones(rows)
        time, dead, strata, weights, offset = (one[order] for one in (time, dead, strata, weights, offset))
        entered, numbers = (None if one is None else one[order] for one in (entered, numbers))
        y_columns = columns(time, dead, strata, self.ties, entered)
        middle = np.average(covariates[order], axis=0, weights=weights)  # the likelihood is the same, with more digits
        self._maximise(covariates[order] - middle, y_columns, offset, weights, numbers)
        eta = (covariates[order] - middle) @ self.coef_ + offset
        self.baseline_ = _baseline(eta, y_columns, weights, labels, float(middle @ self.coef_))
        return self

    def _solution(self, problem: Problem) -> Solution:
        if self.method not in (None, NEWTON):
            return super()._solution(problem)
        self.method_ = NEWTON
        sets = self._risk_sets(problem)
        if not np.isfinite(sets.second_order(problem.first)[0]):
            return super()._solution(problem)  # by sums of logarithms, which take longer
        self._compare(sets, problem.first)
        found = newton(sets.second_order, problem.first, self.tol, self.max_iter)
        if not (found.converged or sets.is_late) and sets.width(found.x) > WIDEST / 4:
            return super()._solution(problem)
        self._compare(sets, found.x)
        return found

    def _compare(self, sets: RiskSets, x: np.ndarray) -> None:
        """Raise a VerificationError unless the closed forms agree with the likelihood, at some of the rows."""
        few = sets.every(max(1, len(sets.X) // SOME), self.ties)
        if not few.y[:, DEAD].any():
            return

        def value(x: np.ndarray) -> float:
            return negative_log_likelihood(x, few.X, few.y, few.offset, few.weights) + few.penalty.value(x)

        agreeing_sums("the partial likelihood", value, few.second_order, x, 1 / root_mean_squares(few.X))

    def _texts(self) -> dict[str, Sequence[Callable]]:
        return super()._texts() | {"derivatives": (RiskSets.second_order,) if self.method_ == NEWTON else ()}

    def _risk_sets(self, problem: Problem) -> RiskSets:
        assert problem.offset is not None and problem.weights is not None
        return RiskSets(problem.X, problem.y, problem.offset, problem.weights, problem.penalty)

    def _scores(self, problem: Problem, params: np.ndarray) -> Iterator[np.ndarray]:
        try:
            yield self._risk_sets(problem).scores(params)
        except TooWide as error:
            raise InferenceError(
                "Log hazards of one stratum are too far apart for the scores of its rows.",
                remedy="look at the covariates' largest values, or use covariance='observed'.",
            ) from error

    def _covariance(self, convention: Convention, evidence: Evidence) -> np.ndarray:
        """Return the sandwich; of groups without factors for small samples, as statsmodels, R and lifelines do."""
        return sandwich(evidence if evidence.groups is None else summed(evidence))

    def predict(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the log hazard of each row beside the baseline's, X @ coef + offset, shape (m,)."""
        return self._predictor(X, offset)

    def predict_cumulative_hazard(
        self, X: object, times: object, *, strata: object = None, offset: object = None
    ) -> np.ndarray:
        """Return the cumulative hazard of each row at the k `times`, shape (m, k)."""
        eta = self.predict(X, offset=offset)
        times = np.atleast_1d(np.asarray(times, float))
        if strata is None and len(self.baseline_) > 1:
            raise UsageError(
                f"The model has {len(self.baseline_)} strata, and no stratum is given.", remedy="pass strata=."
            )
        labels = [next(iter(self.baseline_))] * len(eta) if strata is None else np.asarray(strata).tolist()
        hazard = np.zeros((len(eta), len(times)))
        for label in set(labels):
            if label not in self.baseline_:
                raise UsageError(f"{label!r} is no stratum of the fit.", remedy=f"use {listed(list(self.baseline_))}.")
            at, log_hazard = self.baseline_[label]
            inside = np.array([one == label for one in labels])
            steps = np.concatenate([[-np.inf], log_hazard])[np.searchsorted(at, times, side="right")]
            hazard[inside] = np.exp(eta[inside, np.newaxis] + steps)
        return hazard

    def predict_survival_function(
        self, X: object, times: object, *, strata: object = None, offset: object = None
    ) -> np.ndarray:
        """Return the probability that each row has had no event until each of the k `times`, shape (m, k)."""
        return np.exp(-self.predict_cumulative_hazard(X, times, strata=strata, offset=offset))

    def score(
        self, X: object, y: object, sample_weight: object = None, *, event: object = None, offset: object = None
    ) -> float:
        """Return Harrell's concordance: how often, of two rows, the one with the event first has the larger hazard."""
        eta = self.predict(X, offset=offset)
        time = validation.vector(validation.flat(y), len(eta), "y")
        dead = validation.events(event, len(eta))
        weights = validation.sample_weights(sample_weight, len(eta))
        return concordance(time, dead, eta, weights)


def _strata(strata: object, rows: int) -> tuple[list[Any], np.ndarray]:
    """Return the labels of the strata, and the number of each row's."""
    if strata is None:
        return [0], np.zeros(rows, int)
    labels, numbers = validation.numbered(strata, rows, "strata")
    return labels.tolist(), numbers


def _baseline(
    eta: np.ndarray, y: np.ndarray, weights: np.ndarray, labels: list[Any], shift: float
) -> dict[Any, tuple[np.ndarray, np.ndarray]]:
    """Return the times with events, and the log of the cumulative hazard of eta = -shift there, by stratum."""
    dead, stratum, group, time = y[:, DEAD] > 0, y[:, STRATUM].astype(int), y[:, GROUP].astype(int), y[:, TIME]
    relative = eta + np.log(weights)
    at_risk = log_at_risk(relative, y)
    tied = np.bincount(group[dead], weights=np.exp(relative - at_risk)[dead])
    mean = np.bincount(group[dead], weights=weights[dead]) / np.bincount(group[dead])
    log_steps = np.log(mean[group[dead]]) - at_risk[dead] - np.log1p(-y[dead, SHARE] * tied[group[dead]])
    baseline = {}
    times, ends = time[dead], np.searchsorted(stratum[dead], np.arange(len(labels) + 1))
    for k, label in enumerate(labels):
        inside = slice(ends[k], ends[k + 1])
        at, steps = times[inside][::-1], log_steps[inside][::-1]
        cumulative = np.logaddexp.accumulate(steps) if len(steps) else steps
        last = np.append(np.diff(at) != 0, True)[: len(at)]
        baseline[label] = at[last], cumulative[last] - shift
    return baseline


_SETTINGS = {"event": "column", "strata": "column", **OFFSET, **RIDGE, "ties": " ".join(TIES)}


def _stated_by_name(asked: Asked) -> Stated:
    """Return the partial likelihood; the baseline takes the place of a column of ones."""
    rows, places = len(asked.y), asked.covariates
    dead = np.ones(rows, bool) if "event" not in asked.data else asked.data["event"] != 0
    _, strata = _strata(asked.data.get("strata"), rows)
    order = np.lexsort((dead, -asked.y, strata))
    y_columns = columns(asked.y[order], dead[order], strata[order], asked.settings.get("ties", TIES[0]))

    def objective(params, X, offset, y):
        offset = np.zeros(rows) if offset is None else offset[order]
        return negative_log_likelihood(params, X[order][:, places], y_columns, offset, np.ones(rows))

    def predict(params, X, offset):
        return plus(X[:, places] @ params, offset)

    names = [asked.columns[place] for place in places]
    return Stated(objective, names, np.zeros(len(places)), predict, squares=squares_at(range(len(places))))


add(
    Model(
        "cox",
        "times to an event, censored: proportional hazards",
        "times",
        negative_log_likelihood,
        CoxRegression,
        form=Form("times, zero or positive", lambda asked: asked.y >= 0, _stated_by_name, _SETTINGS),
    )
)
