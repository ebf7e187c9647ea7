"""Ordered regression: classes with an order, as intervals of a latent response with logistic or normal errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, logit, ndtr, ndtri

from autoopt.errors import UsageError
from autoopt.models import validation
from autoopt.models.ancillary import Ancillary
from autoopt.models.by_gradients import root_mean_squares
from autoopt.models.checked import SOME, agreeing_sums
from autoopt.models.classes import Classifier
from autoopt.models.forms import OFFSET, RIDGE, Asked, Form, Stated, plus, squares_at, whole
from autoopt.models.intervals import Distribution, Intervals
from autoopt.models.newton import Solution, newton
from autoopt.models.problem import NEWTON, Problem
from autoopt.models.table import Model, add
from autoopt.wording import listed


def negative_log_likelihood(params, X, y, offset, weights, between):
    """Return minus the log-likelihood of classes 0 ... k-1: P(class <= j) = F(threshold_j - eta).

    The last k - 1 parameters are the first threshold and the steps to the others; `between(low, high)` is
    log(F(high) - F(low)), where either may be None: there is no threshold below the first class and above the last.
    """
    n = X.shape[1]
    eta = X @ params[:n] + offset
    thresholds = np.cumsum(params[n:])
    codes, last = y.astype(int), len(params) - n
    first, top, inner = np.flatnonzero(codes == 0), np.flatnonzero(codes == last), np.flatnonzero(codes % last)
    total = np.sum(weights[first] * between(None, thresholds[0] - eta[first]))
    total = total + np.sum(weights[top] * between(thresholds[-1] - eta[top], None))
    if len(inner):
        low, high = thresholds[codes[inner] - 1] - eta[inner], thresholds[codes[inner]] - eta[inner]
        total = total + np.sum(weights[inner] * between(low, high))
    return -total


def between_logits(low, high):
    """Return the logarithm of a logistic variable's probability to be between two numbers."""
    if low is None:
        return log_expit(high)
    if high is None:
        return log_expit(-low)
    return log_expit(high) + log_expit(-low) + np.log(-np.expm1(low - high))


def between_probits(low, high):
    """Return the logarithm of a standard normal variable's probability to be between two numbers."""
    if low is None:
        return log_ndtr(high)
    if high is None:
        return log_ndtr(-low)
    above = low + high > 0  # in the lower tail, where no digits cancel
    low, high = np.where(above, -high, low), np.where(above, -low, high)
    larger = log_ndtr(high)
    return larger + np.log(-np.expm1(log_ndtr(low) - larger))


def ordered_logit(params, X, y, offset, weights):
    """Return minus the log-likelihood of the proportional odds model."""
    return negative_log_likelihood(params, X, y, offset, weights, between_logits)


def ordered_probit(params, X, y, offset, weights):
    """Return minus the log-likelihood of the ordered probit model."""
    return negative_log_likelihood(params, X, y, offset, weights, between_probits)


LINKS = {
    "logit": (
        ordered_logit,
        Distribution(expit, logit, between_logits, lambda x: log_expit(x) + log_expit(-x), lambda x: -np.tanh(x / 2)),
    ),
    "probit": (
        ordered_probit,
        Distribution(ndtr, ndtri, between_probits, lambda x: -(x**2) / 2 - np.log(2 * np.pi) / 2, np.negative),
    ),
}
"""By name: the likelihood, and the distribution that it is of."""


class OrderedRegression(Classifier):
    """Proportional odds, or ordered probit: P(y <= class j) = F(threshold_j - eta), eta = X @ coef + offset.

    Minimises -sum_i w_i log P(y_i) + alpha / 2 ||coef||^2. A positive coefficient makes higher classes more probable.

    Parameters
    ----------
    link : "logit" or "probit"
        F is logistic, or standard normal.
    order : sequence of labels, optional
        From the lowest to the highest; that of a pandas categorical, or else the sorted one, if not given.
    alpha, class_weight, method, tol, max_iter, covariance
        See `Regression` and `Classifier`. There is no intercept: the thresholds take its place.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        The labels in their order.
    coef_ : ndarray, shape (n_features,)
    thresholds_ : ndarray, shape (k - 1,)
        Ascending.
    params, bse, tvalues, pvalues, llf, aic
        Inference under statsmodels' names, shape (n + k - 1,): coefficients, then thresholds, as MASS::polr has them.

    References
    ----------
    McCullagh, P. (1980). Journal of the Royal Statistical Society B 42(2), 109-142.

    Examples
    --------
    >>> X = np.repeat([[0.0], [1.0]], 6, axis=0)
    >>> y = ["bad", "bad", "bad", "fair", "fair", "good", "bad", "fair", "fair", "good", "good", "good"]
    >>> model = OrderedRegression().fit(X, y)
    >>> model.names_, (model.params.round(4) + 0).tolist()
    (['x0', 'bad|fair', 'fair|good'], [1.6094, 0.0, 1.6094])
    """

    fit_intercept = False
    _poor_score = True  # of classes that have no order

    def __init__(
        self,
        *,
        link: str = "logit",
        order: Sequence[Any] | None = None,
        alpha: float = 0.0,
        class_weight: object = None,
        method: str | None = None,
        tol: float | None = None,
        max_iter: int | None = None,
        covariance: str | None = None,
    ) -> None:
        self.link = link
        self.order = order
        self.alpha = alpha
        self.class_weight = class_weight
        self.method = method
        self.tol = tol
        self.max_iter = max_iter
        self.covariance = covariance

    def fit(
        self, X: object, y: object, sample_weight: object = None, *, offset: object = None, groups: object = None
    ) -> OrderedRegression:
        """Fit the model.

        Parameters
        ----------
        X : array, sparse matrix or table, shape (m, n_features)
            Covariates, without a column of ones.
        y : array, shape (m,)
            Labels, two or more.
        sample_weight : array, shape (m,), optional
            How often each row counts.
        offset : array, shape (m,), optional
            Added to the linear predictor.
        groups : array, shape (m,), optional
            Labels of clusters, whose rows may depend on each other: standard errors are then cluster-robust.

        Returns
        -------
        OrderedRegression
            The estimator itself.
        """
        order = self._ascending(y)
        if order is not None:
            y = _positions(y, order)
        self._labels = order
        self._fit(X, y, sample_weight, offset, groups=groups)
        return self

    def _check_options(self) -> None:
        super()._check_options()
        if self.link not in LINKS:
            raise UsageError(f"link is {self.link!r}.", remedy=f"use {listed(list(LINKS))}.")

    def _ascending(self, y: object) -> list[Any] | None:
        """Return the labels in the order that is given, None if it is the sorted one."""
        if self.order is not None:
            return list(self.order)
        categories = getattr(getattr(y, "cat", None), "categories", getattr(y, "categories", None))
        return None if categories is None else list(categories)

    def _named(self, classes: np.ndarray) -> np.ndarray:
        return classes if self._labels is None else _array(self._labels)[classes]

    def _stated(self) -> tuple[Any, Any, int]:
        return None, LINKS[self.link][0], 1

    def _ancillaries(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> tuple[Ancillary, ...]:
        shares = np.cumsum(np.bincount(y.astype(int), weights=weights))
        starts = LINKS[self.link][1].inverse(np.clip(shares[:-1] / shares[-1], 1e-6, 1 - 1e-6))
        names = [f"{low}|{high}" for low, high in zip(self.classes_[:-1], self.classes_[1:], strict=True)]
        steps = np.maximum(np.diff(starts), 1e-3)
        return (
            Ancillary(names[0], float(starts[0])),
            *(Ancillary(name, float(step), positive=True) for name, step in zip(names[1:], steps, strict=True)),
        )

    def _maximise(
        self,
        X: Any,
        y: np.ndarray,
        offset: np.ndarray | None,
        weights: np.ndarray | None,
        groups: np.ndarray | None,
    ) -> None:
        n = X.shape[1]
        if weights is not None and not (counted := np.bincount(y.astype(int), weights=weights)).all():
            raise validation.InputError(
                f"The class {self.classes_.tolist()[int(np.argmin(counted))]!r} has no row whose weight is not 0.",
                remedy="leave its rows out.",
            )
        middle = np.zeros(n)
        if not hasattr(X, "tocsr"):  # columns far from 0 would lose their digits against the thresholds
            middle = np.average(X, axis=0, weights=weights)
            X = X - middle
        super()._maximise(X, y, offset, weights, groups)
        across = _thresholds_of_steps(len(self.params_), n)
        across[n:, :n] = middle
        self.params_ = across @ self.params_
        self._map_covariances(across)
        self.thresholds_ = self.params_[n:]
        self.ancillary_ = dict(zip(self._beside, self.thresholds_.tolist(), strict=True))

    def _solution(self, problem: Problem) -> Solution:
        """Return the solution in the coefficients, the first threshold and the steps to the others."""
        if self.method not in (None, NEWTON):
            return super()._solution(problem)
        self.method_ = NEWTON
        intervals = self._intervals(problem)
        steps = [one.start for one in problem.ancillaries]
        across = _thresholds_of_steps(problem.coefficients + len(steps), problem.coefficients)
        x = across @ np.concatenate([np.zeros(problem.coefficients), steps])
        self._compare(intervals, x)
        found = newton(intervals.second_order, x, self.tol, self.max_iter)
        self._compare(intervals, found.x)
        return replace(
            found,
            x=np.linalg.solve(across, found.x),
            gradient=across.T @ found.gradient,
            hessian=across.T @ found.hessian @ across,
        )

    def _compare(self, intervals: Intervals, x: np.ndarray) -> None:
        """Raise a VerificationError unless the closed forms agree with the likelihood, at some of the rows."""
        few, n = intervals.every(max(1, len(intervals.codes) // SOME)), len(x) - intervals.thresholds
        rows, likelihood = len(few.codes), LINKS[self.link][0]
        offset, weights = np.zeros(rows) if few.offset is None else few.offset, few.weights

        def value(x: np.ndarray) -> float:
            steps = np.concatenate([x[: n + 1], np.diff(x[n:])])
            given = few.codes, offset, np.ones(rows) if weights is None else weights
            return likelihood(steps, few.X, *given) + few.penalty.value(x[:n])

        narrow = np.diff(x[n:]).min(initial=1.0)
        sizes = np.concatenate([1 / root_mean_squares(few.X), np.full(len(x) - n, min(narrow, 1.0))])
        agreeing_sums(likelihood.__name__, value, few.second_order, x, sizes)

    def _texts(self) -> dict[str, Sequence[Callable]]:
        closed = (Intervals.terms, Intervals.second_order) if self.method_ == NEWTON else ()
        return {"model": (negative_log_likelihood, LINKS[self.link][1].between), "derivatives": closed}

    def _intervals(self, problem: Problem) -> Intervals:
        data = problem.X, problem.y.astype(int), problem.offset, problem.weights
        return Intervals(LINKS[self.link][1], *data, problem.penalty, len(problem.ancillaries))

    def _scores(self, problem: Problem, params: np.ndarray) -> Iterator[np.ndarray]:
        across = _thresholds_of_steps(params.size, problem.coefficients)
        yield self._intervals(problem).scores(across @ params) @ across

    def _probabilities(self, X: object, offset: object) -> np.ndarray:
        eta = self._predictor(X, offset)
        below = self.thresholds_ - eta[:, np.newaxis]
        F = LINKS[self.link][1].F
        above = below.sum(axis=1) < 0  # differences of small numbers keep their digits
        ends = np.column_stack([F(np.where(above[:, np.newaxis], below, -below))])
        zero, one = np.zeros(len(eta)), np.ones(len(eta))
        rising = np.diff(np.column_stack([zero, ends, one]), axis=1)
        falling = -np.diff(np.column_stack([one, ends, zero]), axis=1)
        return np.where(above[:, np.newaxis], rising, falling)


def _thresholds_of_steps(size: int, n: int) -> np.ndarray:
    """Return the matrix, (size, size), that makes thresholds of the first one and the steps behind n coefficients."""
    across = np.eye(size)
    across[n:, n:] = np.tri(size - n)
    return across


def _array(labels: list[Any]) -> np.ndarray:
    """Return labels as an array; text as objects, whose length does not matter."""
    return np.array(labels, dtype=object if any(isinstance(label, str) for label in labels) else None)


def _positions(y: object, order: list[Any]) -> np.ndarray:
    """Return the place of each label in the order, shape (m,)."""
    places = {label: place for place, label in enumerate(order)}
    labels = np.asarray(y).ravel().tolist()
    if others := sorted({str(label) for label in labels if label not in places}):
        raise validation.InputError(
            f"y has labels that are not in the order: {listed(others)}.", remedy="name all labels in order=."
        )
    return np.array([places[label] for label in labels])


_SETTINGS = {**OFFSET, **RIDGE, "link": " ".join(LINKS)}


def _stated_by_name(asked: Asked) -> Stated:
    """Return the terms of coefficients and thresholds; a column of ones would be one of the latter, too."""
    classes, places = asked.classes, asked.covariates
    distribution, size, last = LINKS[asked.settings.get("link", "logit")][1], len(places), len(classes) - 1
    between = distribution.between
    codes = np.searchsorted(classes, asked.y) if asked.labels is None else asked.y.astype(int)
    groups = [np.flatnonzero(codes == code) for code in range(last + 1)]
    back = np.argsort(np.concatenate(groups), kind="stable")

    def ends(params, X, offset, code):
        eta, thresholds = plus(X[:, places] @ params[:size], offset), params[size:]
        low = None if code == 0 else thresholds[code - 1] - eta
        return low, None if code == last else thresholds[code] - eta

    def objective(params, X, offset, y):
        found = []
        for code, rows in enumerate(groups):
            low, high = ends(params, X[rows], None if offset is None else offset[rows], code)
            found.append(-between(low, high))
        return np.concatenate(found)[back]

    def predict(params, X, offset):
        return np.stack([np.exp(between(*ends(params, X, offset, code))) for code in range(last + 1)], axis=1)

    shares = np.cumsum(np.bincount(codes, minlength=last + 1))[:-1] / len(codes)
    names = [f"{low}|{high}" for low, high in pairwise(classes)]
    start = np.concatenate([np.zeros(size), distribution.inverse(shares)])
    names = [*(asked.columns[place] for place in places), *names]
    return Stated(objective, names, start, predict, scale="logit", squares=squares_at(range(size)))


add(
    Model(
        "ordered",
        "classes with an order: proportional odds or ordered probit",
        "ordered classes",
        ordered_logit,
        OrderedRegression,
        form=Form("whole numbers, or categories in their order", whole, _stated_by_name, _SETTINGS),
    )
)
