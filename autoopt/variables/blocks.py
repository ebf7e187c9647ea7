"""Smooth functions of all real vectors onto what several parameters are together: a simplex, an order, a matrix.

    simplex        x_i = exp(w_i) / (1 + sum_j exp(w_j)), i < k; the last is 1 less their sum
    ordered        x_1 = w_1, x_i = x_{i-1} + exp(w_i)
    correlation    R_ij = l_i . l_j, l_i = a_i / |a_i|, a_i = (w_i1, ..., w_i,i-1, 1, 0, ...), i > j
    covariance     S_ij = l_i . l_j, l_i = (w_i1, ..., w_i,i-1, exp(w_ii), 0, ...), i >= j

Of a matrix the entries below its diagonal (of a covariance those on it, too) are the parameters that are moved; those
above are tied to them, a diagonal of ones is held. As many variables as parameters are moved, so that each function has
a square Jacobian. Each gives the exact second derivatives of any weighted sum of the parameters.

References
----------
Aitchison, J. (1982). The statistical analysis of compositional data. JRSS B 44(2), 139-177: simplex.
Pinheiro, J. C. and Bates, D. M. (1996). Unconstrained parametrizations for variance-covariance matrices. Statistics and
Computing 6, 289-296: covariance, by the log-Cholesky factor, and correlation, by rows of unit length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Block:
    """One kind for the variables at `where`, shape (k,), which are k parameters together."""

    kind: BlockKind
    where: np.ndarray

    def value(self, w: np.ndarray) -> np.ndarray:
        """Return the parameters, shape (k,)."""
        return self.kind.value(w)

    def jacobian(self, w: np.ndarray) -> np.ndarray:
        """Return their derivatives, shape (k, k), a row for each parameter."""
        return self.kind.jacobian(w)

    def bend(self, w: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the second derivatives of the sum of weights times parameters, shape (k, k)."""
        return self.kind.bend(w, weights)

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """Return the variables at parameters; NaN or infinite where there are none."""
        with np.errstate(all="ignore"):
            return self.kind.inverse(x)


@dataclass(frozen=True)
class BlockKind:
    """A row of BLOCKS: the four functions, and what a value must be.

    Attributes
    ----------
    moved : callable
        (value, an array) -> array of bool of its shape: the entries that are moved; a simplex's last one follows.
    needs : str
        What a value must be, in words.
    holds : callable
        (value) -> bool: whether it is that.
    entries : tuple of (name, lower, upper, callable) or None
        The elementwise transform that fits the range of single entries, and of which: (value) -> array of bool.
    """

    value: Callable
    jacobian: Callable
    bend: Callable
    inverse: Callable
    moved: Callable
    needs: str
    holds: Callable
    entries: tuple[str, float, float, Callable] | None = None


# Simplex and order ----------------------------------------------------------------------------------------------------


def _shares(w: np.ndarray) -> np.ndarray:
    return _all_shares(w)[:-1]


def _all_shares(w: np.ndarray) -> np.ndarray:
    top = max(0.0, float(np.max(w, initial=0.0)))
    weights = np.exp(np.append(w, 0.0) - top)
    return weights / weights.sum()


def _shares_slope(w: np.ndarray) -> np.ndarray:
    every = _all_shares(w)
    p, others = every[:-1], (1 - np.eye(every.size)) @ every  # 1 - p, of which none is rounded
    slopes = -np.outer(p, p)
    np.fill_diagonal(slopes, p * others[:-1])
    return slopes


def _shares_bend(w: np.ndarray, weights: np.ndarray) -> np.ndarray:
    p = _shares(w)
    a = p * weights
    mixed = np.outer(a, p)
    return np.diag(a - a.sum() * p) - mixed - mixed.T + 2 * a.sum() * np.outer(p, p)


def _shares_inverse(x: np.ndarray) -> np.ndarray:
    return np.log(x) - np.log1p(-x.sum())


def _ordered(w: np.ndarray) -> np.ndarray:
    return np.cumsum(np.concatenate([w[:1], np.exp(w[1:])]))


def _ordered_slope(w: np.ndarray) -> np.ndarray:
    return np.tril(np.ones((w.size, w.size))) * np.concatenate([[1.0], np.exp(w[1:])])


def _ordered_bend(w: np.ndarray, weights: np.ndarray) -> np.ndarray:
    ahead = np.cumsum(weights[::-1])[::-1]
    return np.diag(np.concatenate([[0.0], (np.exp(w) * ahead)[1:]]))


def _ordered_inverse(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x[:1], np.log(np.diff(x))])


# Matrices of products of rows -----------------------------------------------------------------------------------------


class _Products:
    """L L', of whose rows each is a function of its own variables: value, Jacobian, and second derivatives of v . l.

    `offset` is -1 where the diagonal is not among the parameters, as of a correlation matrix, else 0.
    """

    def __init__(self, row: Callable, slope: Callable, bend: Callable, inverse: Callable, offset: int) -> None:
        self.row, self.slope_of_row, self.bend_of_row, self.inverse_of_rows = row, slope, bend, inverse
        self.offset = offset

    def size(self, count: int) -> int:
        """Return the number of rows p, of which p (p - 1) / 2 or p (p + 1) / 2 are `count`."""
        return round((np.sqrt(8 * count + 1) - 1) / 2) - self.offset

    def places(self, p: int) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns of the parameters, in the order of the array."""
        return np.tril_indices(p, self.offset)

    def parts(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[slice]]:
        """Return L, shape (p, p), its derivatives, shape (p, p, k), and the variables of each row."""
        p = self.size(w.size)
        ends = np.cumsum([i + 1 + self.offset for i in range(p)])
        own = [slice(end - i - 1 - self.offset, end) for i, end in enumerate(ends)]
        factor, slopes = np.zeros((p, p)), np.zeros((p, p, w.size))
        for i, part in enumerate(own):
            factor[i, : i + 1] = self.row(w[part])
            slopes[i, : i + 1, part] = self.slope_of_row(w[part])
        return factor, slopes, own

    def value(self, w: np.ndarray) -> np.ndarray:
        factor, _, _ = self.parts(w)
        return (factor @ factor.T)[self.places(len(factor))]

    def jacobian(self, w: np.ndarray) -> np.ndarray:
        factor, slopes, _ = self.parts(w)
        i, j = self.places(len(factor))
        return np.einsum("rc,rck->rk", factor[j], slopes[i]) + np.einsum("rc,rck->rk", factor[i], slopes[j])

    def bend(self, w: np.ndarray, weights: np.ndarray) -> np.ndarray:
        factor, slopes, own = self.parts(w)
        lower = np.zeros((len(factor),) * 2)
        lower[self.places(len(factor))] = weights
        both = lower + lower.T
        bent = np.einsum("ij,ick,jcl->kl", both, slopes, slopes, optimize=True)
        for part, pull in zip(own, both @ factor, strict=True):
            i = part.stop - part.start - self.offset - 1
            bent[part, part] += self.bend_of_row(w[part], pull[: i + 1])
        return bent

    def inverse(self, x: np.ndarray) -> np.ndarray:
        p = self.size(x.size)
        matrix = np.eye(p)
        matrix[self.places(p)] = x
        if not np.isfinite(x).all():
            return np.full(x.shape, np.nan)
        try:
            factor = np.linalg.cholesky(np.tril(matrix) + np.tril(matrix, -1).T)
        except np.linalg.LinAlgError:
            return np.full(x.shape, np.nan)
        return self.inverse_of_rows(factor)[self.places(p)]


def _unit(w: np.ndarray) -> np.ndarray:
    a = np.append(w, 1.0)
    return a / np.sqrt(a @ a)


def _unit_slope(w: np.ndarray) -> np.ndarray:
    row, length = _unit(w), np.sqrt(w @ w + 1)
    return (np.eye(row.size) - np.outer(row, row))[:, :-1] / length


def _unit_bend(w: np.ndarray, pull: np.ndarray) -> np.ndarray:
    row, square = _unit(w), w @ w + 1
    along, mixed = pull @ row, np.outer(pull, row)
    return ((3 * along * np.outer(row, row) - mixed - mixed.T - along * np.eye(row.size)) / square)[:-1, :-1]


def _logarithmic(w: np.ndarray) -> np.ndarray:
    return np.append(w[:-1], np.exp(w[-1]))


def _logarithmic_slope(w: np.ndarray) -> np.ndarray:
    return np.diag(np.append(np.ones(w.size - 1), np.exp(w[-1])))


def _logarithmic_bend(w: np.ndarray, pull: np.ndarray) -> np.ndarray:
    return np.diag(np.append(np.zeros(w.size - 1), pull[-1] * np.exp(w[-1])))


def _logarithmic_rows(factor: np.ndarray) -> np.ndarray:
    return factor - np.diag(np.diag(factor)) + np.diag(np.log(np.diag(factor)))


_CORRELATION = _Products(_unit, _unit_slope, _unit_bend, lambda factor: factor / np.diag(factor)[:, np.newaxis], -1)
_COVARIANCE = _Products(_logarithmic, _logarithmic_slope, _logarithmic_bend, _logarithmic_rows, 0)


def _all_but_last(value: np.ndarray) -> np.ndarray:
    return np.arange(value.size) < value.size - 1


def _is_symmetric(value: np.ndarray) -> bool:
    return value.ndim == 2 and value.shape[0] == value.shape[1] and np.array_equal(value, value.T)


def _is_positive(value: np.ndarray) -> bool:
    return _is_symmetric(value) and bool((np.linalg.eigvalsh(value) > 0).all())


def _is_simplex(value: np.ndarray) -> bool:
    return value.ndim == 1 and value.size > 1 and bool((value > 0).all()) and abs(value.sum() - 1) <= 1e-9


BLOCKS = {
    "simplex": BlockKind(
        _shares,
        _shares_slope,
        _shares_bend,
        _shares_inverse,
        _all_but_last,
        "a vector of positive numbers whose sum is 1",
        _is_simplex,
        ("logit", 0.0, 1.0, lambda value: np.ones(value.shape, bool)),
    ),
    "ordered": BlockKind(
        _ordered,
        _ordered_slope,
        _ordered_bend,
        _ordered_inverse,
        lambda value: np.ones(value.shape, bool),
        "a vector of ascending numbers",
        lambda value: value.ndim == 1 and bool((np.diff(value) > 0).all()),
    ),
    "correlation": BlockKind(
        _CORRELATION.value,
        _CORRELATION.jacobian,
        _CORRELATION.bend,
        _CORRELATION.inverse,
        lambda value: np.tril(np.ones(value.shape, bool), -1),
        "a positive definite matrix with ones on its diagonal",
        lambda value: _is_positive(value) and bool((np.diag(value) == 1).all()),
        ("logit", -1.0, 1.0, lambda value: ~np.eye(len(value), dtype=bool)),
    ),
    "covariance": BlockKind(
        _COVARIANCE.value,
        _COVARIANCE.jacobian,
        _COVARIANCE.bend,
        _COVARIANCE.inverse,
        lambda value: np.tril(np.ones(value.shape, bool)),
        "a symmetric positive definite matrix",
        _is_positive,
        ("log", 0.0, np.inf, lambda value: np.eye(len(value), dtype=bool)),
    ),
}


MATRICES = ("correlation", "covariance")
"""The blocks that are symmetric matrices."""


def ties(name: str, kind: str, value: Any) -> dict[str, Any]:
    """Return what `fixed=` is told of the entries of a matrix that are not moved: ones are held, the others tied."""
    value, found = np.asarray(value, float), {}
    if kind in MATRICES:
        for i, j in zip(*np.triu_indices(len(value), 1 if kind == "covariance" else 0), strict=True):
            found[f"{name}[{i}, {j}]"] = True if i == j else f"{name}[{j}, {i}]"
    return found
