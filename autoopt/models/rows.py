"""A likelihood that is a sum over rows of terms of a linear predictor: value, gradient and Hessian in one pass.

    f(coef, a) = sum_i w_i t(eta_i, y_i, a) + 1/2 coef' P coef,     eta = X coef' + offset

With the derivatives of t by eta and a, row by row, the gradient is X's and the Hessian X'CX, which are summed over
blocks of rows small enough to stay in the cache: X is read from memory once, and never copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt.models.derived import RowDerivatives, Several
from autoopt.models.penalty import Penalty

BLOCK = 2**20
"""Numbers of X in a block: eight megabytes, so that several threads of BLAS seldom wait for each other. Blocks of one
megabyte are 1.07 times as fast with one thread, and take 1.4 times as long with two on a busy machine."""


@dataclass(frozen=True)
class Rows:
    """The data of a regression.

    Attributes
    ----------
    derivatives : RowDerivatives, or Several for q > 1 predictors
    X : ndarray or sparse matrix, shape (m, n)
    y : ndarray, shape (m, ...)
    offset : ndarray, shape (m,), or (m, q) for q > 1 predictors, or None
    weights : ndarray, shape (m,), or None
    intercept : bool
        Whether a coefficient before those of X is a constant.
    penalty : Penalty
        P, of the coefficients of the first predictor, then of the second and so on.
    """

    derivatives: RowDerivatives | Several
    X: Any
    y: np.ndarray
    offset: np.ndarray | None
    weights: np.ndarray | None
    intercept: bool
    penalty: Penalty

    @property
    def size(self) -> int:
        """The number of coefficients."""
        return self.penalty.size

    @property
    def predictors(self) -> int:
        """The number of linear predictors, q."""
        return len(self.penalty.metric)

    def every(self, step: int) -> Rows:
        """Return each step-th row, with weights to match."""
        weights = np.full(len(self.y[::step]), float(step)) if self.weights is None else step * self.weights[::step]
        offset = None if self.offset is None else self.offset[::step]
        return replace(self, X=self.X[::step], y=self.y[::step], offset=offset, weights=weights)

    def eta(self, coef: np.ndarray) -> np.ndarray:
        """Return the linear predictors of each row, shape (m,), or (m, q)."""
        return self._eta(self.X, self.offset, coef)

    def second_order(self, params: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return value, gradient, shape (q n + k,), and Hessian, shape (q n + k, q n + k)."""
        q, first = self.predictors, int(self.intercept)
        coef, ancillary = params[: self.size], params[self.size :]
        value, gradient, hessian = 0.0, np.zeros(params.size), np.zeros((params.size, params.size))
        own = [slice(a * self.size // q, (a + 1) * self.size // q) for a in range(q)]
        beside = slice(self.size, None)
        for X, y, offset, weights in self._blocks():
            eta = self._eta(X, offset, coef)
            slopes = self._slopes(eta, y, ancillary, weights)
            curvatures = self.derivatives.second(eta, y, ancillary)
            if weights is not None:
                curvatures = weights[:, np.newaxis, np.newaxis] * curvatures
            value += self._total(eta, y, ancillary, weights)
            for a in range(q):
                gradient[own[a]] += _summed(X, slopes[:, a], first)
                for b in range(a, q):
                    hessian[own[a], own[b]] += crossed(X, curvatures[:, a, b], first)
                if ancillary.size:
                    hessian[own[a], beside] += _summed(X, curvatures[:, a, q:], first)
            if ancillary.size:
                gradient[beside] += slopes[:, q:].sum(axis=0)
                hessian[beside, beside] += curvatures[:, q:, q:].sum(axis=0)
        hessian = np.triu(hessian) + np.triu(hessian, 1).T
        gradient[: self.size] += self.penalty.gradient(coef)
        hessian[: self.size, : self.size] += self.penalty.matrix()
        return value + self.penalty.value(coef), gradient, hessian

    def first_order(self, coef: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient, shape (q n,), of a likelihood without ancillary parameters."""
        value, gradient = 0.0, np.zeros((self.predictors, coef.size // self.predictors))
        for X, y, offset, weights in self._blocks():
            eta = self._eta(X, offset, coef)
            value += self._total(eta, y, np.zeros(0), weights)
            gradient += _summed(X, self._slopes(eta, y, np.zeros(0), weights), int(self.intercept)).T
        return value + self.penalty.value(coef), gradient.ravel() + self.penalty.gradient(coef)

    def gradient(self, coef: np.ndarray) -> np.ndarray:
        """Return the gradient alone, shape (n,), of one predictor without ancillary parameters."""
        gradient = np.zeros(coef.size)
        for X, y, offset, weights in self._blocks():
            slopes = self._slopes(self._eta(X, offset, coef), y, np.zeros(0), weights)
            gradient += _summed(X, slopes[:, 0], int(self.intercept))
        return gradient + self.penalty.gradient(coef)

    def scores(self, params: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the first derivatives of the rows' terms by the parameters, without weights.

        Each has the shape (rows, q n + k), of so many rows at a time.
        """
        q, first, coef, ancillary = self.predictors, int(self.intercept), params[: self.size], params[self.size :]
        each, size = self.size // q, max(256, BLOCK // params.size)
        for X, y, offset, _ in self._blocks():
            slopes = self.derivatives.first(self._eta(X, offset, coef), y, ancillary)
            for start in range(0, len(y), size):
                part, slope = X[start : start + size], slopes[start : start + size]
                dense = part.toarray() if hasattr(part, "tocsr") else part
                scores = np.empty((len(slope), params.size))
                for a in range(q):
                    own = scores[:, a * each : (a + 1) * each]
                    own[:, :first] = slope[:, a : a + 1]
                    np.multiply(dense, slope[:, a : a + 1], out=own[:, first:])
                scores[:, self.size :] = slope[:, q:]
                yield scores

    def leverages(self, coef: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """Return c_i z_i' H^-1 z_i with the curvature c of each row's term and z = [1, X], shape (m,), for q = 1."""
        leverages = []
        for X, y, offset, _ in self._blocks():
            curvatures = self.derivatives.second(self._eta(X, offset, coef), y, np.zeros(0))[:, 0, 0]
            dense = X.toarray() if hasattr(X, "tocsr") else X
            design = np.column_stack([np.ones(len(y)), dense]) if self.intercept else dense
            leverages.append(curvatures * np.einsum("ij,ij->i", design @ inverse, design))
        return np.concatenate(leverages)

    def _total(self, eta: np.ndarray, y: np.ndarray, ancillary: np.ndarray, weights: np.ndarray | None) -> float:
        """Return the weighted sum of the terms."""
        terms = self.derivatives.terms(eta, y, *ancillary)
        return float(terms.sum() if weights is None else weights @ terms)

    def _slopes(self, eta: np.ndarray, y: np.ndarray, ancillary: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        """Return the weighted first derivatives of each row's term, shape (m, q + k)."""
        slopes = self.derivatives.first(eta, y, ancillary)
        return slopes if weights is None else weights[:, np.newaxis] * slopes

    def _eta(self, X: Any, offset: np.ndarray | None, coef: np.ndarray) -> np.ndarray:
        if self.predictors > 1:
            each = coef.reshape(self.predictors, -1)
            eta = X @ each[:, int(self.intercept) :].T
            if self.intercept:
                eta = eta + each[:, 0]
            return eta if offset is None else eta + offset
        eta = X @ coef[int(self.intercept) :]
        if self.intercept:
            eta += coef[0]
        if offset is not None:
            eta += offset
        return eta

    def _blocks(self) -> Iterator[tuple]:
        """Yield the data of so many rows at a time; all of them of sparse matrices and several predictors."""
        rows, columns = self.X.shape
        size = rows if hasattr(self.X, "tocsr") or self.predictors > 1 else max(256, BLOCK // columns)
        for start in range(0, rows, size):
            block = slice(start, start + size)
            offset = None if self.offset is None else self.offset[block]
            yield self.X[block], self.y[block], offset, None if self.weights is None else self.weights[block]


def _summed(X: Any, weights: np.ndarray, intercept: int) -> np.ndarray:
    """Return [1, X]' weights, without the 1 if there is no intercept, for weights of shape (m,) or (m, k)."""
    product = X.T @ weights
    return np.concatenate([weights.sum(axis=0, keepdims=True), product]) if intercept else product


def crossed(X: Any, weights: np.ndarray, intercept: int) -> np.ndarray:
    """Return [1, X]' diag(weights) [1, X], without the 1 if there is no intercept."""
    if hasattr(X, "tocsr"):
        product = (X.T @ X.multiply(weights[:, np.newaxis]).tocsr()).toarray()
    elif weights.min() >= 0:
        scaled = X * np.sqrt(weights)[:, np.newaxis]
        product = scaled.T @ scaled  # of one matrix, for which BLAS computes half
    else:
        product = X.T @ (X * weights[:, np.newaxis])
    if not intercept:
        return product
    bordered = np.empty((len(product) + 1, len(product) + 1))
    bordered[0, 0] = weights.sum()
    bordered[0, 1:] = bordered[1:, 0] = X.T @ weights
    bordered[1:, 1:] = product
    return bordered
