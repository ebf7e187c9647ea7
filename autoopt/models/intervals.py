"""Rows whose response lies between two thresholds: value, gradient and Hessian of a sum of terms of both ends.

    f(coef, thresholds) = sum_i w_i t(low_i, high_i) + 1/2 coef' P coef
    low_i = thresholds[code_i - 1] - eta_i,   high_i = thresholds[code_i] - eta_i,   eta = X coef + offset

with t = -log(F(high) - F(low)); the first class has no lower end and the last no upper one. Of the derivatives of t by
the two ends, row by row, the gradient is X's and the Hessian X'CX, bordered by sums over the classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.models.penalty import Penalty
from autoopt.models.rows import crossed


@dataclass(frozen=True)
class Distribution:
    """The distribution of a latent response about its linear predictor.

    Parameters
    ----------
    F, inverse : callable
        Its distribution function, and quantiles.
    between : callable
        (low, high) -> log(F(high) - F(low)), either None where there is no such end.
    log_density : callable
        log F'.
    bend : callable
        F'' / F'.
    """

    F: Callable
    inverse: Callable
    between: Callable
    log_density: Callable
    bend: Callable


@dataclass(frozen=True)
class Intervals:
    """The data of an ordered regression.

    Attributes
    ----------
    distribution : Distribution
    X : ndarray or sparse matrix, shape (m, n)
    codes : ndarray of int, shape (m,)
        From 0 to the number of thresholds.
    offset, weights : ndarray, shape (m,), or None
    penalty : Penalty
    thresholds : int
        How many there are.
    """

    distribution: Distribution
    X: Any
    codes: np.ndarray
    offset: np.ndarray | None
    weights: np.ndarray | None
    penalty: Penalty
    thresholds: int

    def every(self, step: int) -> Intervals:
        """Return each step-th row."""
        offset, weights = (None if one is None else one[::step] for one in (self.offset, self.weights))
        data = self.X[::step], self.codes[::step], offset, weights
        return Intervals(self.distribution, *data, self.penalty, self.thresholds)

    def terms(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the terms, (m,), and their first, (m, 2), and second derivatives, (m, 2, 2), by low and high.

        With q = F' / (F(high) - F(low)) at an end they are q and -q, q^2 + q F'' / F', q^2 - q F'' / F' and -q q.
        """
        n, k, of = self.X.shape[1], self.thresholds, self.distribution
        eta = self.X @ params[:n]
        if self.offset is not None:
            eta = eta + self.offset
        at, has = (self.codes - 1, self.codes), (self.codes > 0, self.codes < k)
        ends = [params[n:][np.clip(one, 0, k - 1)] - eta for one in at]
        terms = np.empty(len(eta))
        for rows, (low, high) in ((has[0] & has[1], (True, True)), (~has[0], (False, True)), (~has[1], (True, False))):
            if rows.any():
                terms[rows] = -of.between(ends[0][rows] if low else None, ends[1][rows] if high else None)
        shares = [np.where(here, np.exp(of.log_density(end) + terms), 0.0) for here, end in zip(has, ends, strict=True)]
        bends = [share * of.bend(end) for share, end in zip(shares, ends, strict=True)]
        second = np.empty((len(eta), 2, 2))
        second[:, 0, 0] = shares[0] ** 2 + bends[0]
        second[:, 1, 1] = shares[1] ** 2 - bends[1]
        second[:, 0, 1] = second[:, 1, 0] = -shares[0] * shares[1]
        return terms, np.column_stack([shares[0], -shares[1]]), second

    def second_order(self, params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return value, gradient, shape (n + k,), and Hessian, shape (n + k, n + k); an infinite value out of order."""
        n, k = self.X.shape[1], self.thresholds
        coef = params[:n]
        if not (np.diff(params[n:]) > 0).all():
            return np.inf, np.zeros(params.size), np.eye(params.size)
        terms, slopes, curvatures = self.terms(params)
        if self.weights is not None:
            terms, slopes = self.weights * terms, self.weights[:, np.newaxis] * slopes
            curvatures = self.weights[:, np.newaxis, np.newaxis] * curvatures
        gradient, hessian = np.empty(n + k), np.empty((n + k, n + k))
        gradient[:n] = self.penalty.gradient(coef) - self.X.T @ slopes.sum(axis=1)
        gradient[n:] = self._by_threshold(slopes)
        by_end = curvatures.sum(axis=2)
        hessian[:n, :n] = self.penalty.matrix() + crossed(self.X, by_end.sum(axis=1), 0)
        across = self._places(by_end) @ self.X
        hessian[n:, :n] = -(across.toarray() if hasattr(across, "tocsr") else across)
        hessian[:n, n:] = hessian[n:, :n].T
        hessian[n:, n:] = np.diag(self._by_threshold(np.column_stack([curvatures[:, 0, 0], curvatures[:, 1, 1]])))
        between = np.bincount(self.codes, curvatures[:, 0, 1], k + 1)[1:k]
        left, right = n + np.arange(k - 1), n + np.arange(1, k)
        hessian[left, right] = hessian[right, left] = between
        return float(terms.sum()) + self.penalty.value(coef), gradient, hessian

    def scores(self, params: np.ndarray) -> np.ndarray:
        """Return the first derivatives of each row's term, shape (m, n + k), without weights."""
        slopes = self.terms(params)[1]
        dense = self.X.toarray() if hasattr(self.X, "tocsr") else self.X
        return np.column_stack([-slopes.sum(axis=1)[:, np.newaxis] * dense, self._places(slopes).toarray().T])

    def _by_threshold(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of values of the two ends, (m, 2), by the threshold that is there, shape (k,)."""
        k = self.thresholds
        return np.bincount(self.codes, values[:, 0], k + 1)[1:] + np.bincount(self.codes, values[:, 1], k + 1)[:k]

    def _places(self, values: np.ndarray) -> Any:
        """Return the sparse matrix, (k, m), with the value of each row's end, of (m, 2), where its threshold is."""
        from scipy.sparse import csr_matrix

        rows = np.arange(len(self.codes))
        low, high = self.codes > 0, self.codes < self.thresholds
        at = np.concatenate([self.codes[low] - 1, self.codes[high]]), np.concatenate([rows[low], rows[high]])
        both = np.concatenate([values[low, 0], values[high, 1]])
        return csr_matrix((both, at), shape=(self.thresholds, len(rows)))
