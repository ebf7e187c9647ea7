"""Where transforms of several parameters come to their limits, at infinity of their variables.

simplex      a share is 0                     its variable falls; of the last share all rise
ordered      two that follow are equal        the variable of their gap falls
covariance   a row depends on those before    the variable of its diagonal entry falls
correlation  likewise                         the variables of the row grow
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autoopt.variables.blocks import BLOCKS, Block

LAST = -1
"""The entry of a simplex that follows the others."""


@dataclass(frozen=True)
class Edge:
    """A limit of a block.

    Attributes
    ----------
    entry : int
        Of the block's variables, the one whose parameter comes to it; LAST for the last share of a simplex.
    distance : float
        How far off it is.
    along : ndarray, shape (k,)
        How the variables move while the distance becomes smaller by a factor of e.
    words : str
        Of the parameter {0}.
    is_met : bool
        Whether it is met but for rounding.
    """

    entry: int
    distance: float
    along: np.ndarray
    words: str
    is_met: bool


def edges(block: Block, w: np.ndarray) -> Iterator[Edge]:
    """Yield the limits of a block at its variables `w`, shape (k,)."""
    kind = next(name for name, one in BLOCKS.items() if one is block.kind)
    with np.errstate(over="ignore", under="ignore"):
        yield from _OF[kind](block, w)


def _simplex(block: Block, w: np.ndarray) -> Iterator[Edge]:
    shares = block.value(w)
    last = np.exp(-np.logaddexp.reduce(np.append(w, 0.0)))
    for k, share in enumerate(shares):
        yield Edge(k, share, -np.eye(w.size)[k], "{0} goes to its limit 0", share <= _ROUNDING)
    yield Edge(LAST, last, np.ones(w.size), "{0} goes to its limit 0", last <= _ROUNDING)


def _ordered(block: Block, w: np.ndarray) -> Iterator[Edge]:
    sizes = np.abs(block.value(w))
    for k in range(1, w.size):
        gap = float(np.exp(w[k]))
        yield Edge(k, gap, -np.eye(w.size)[k], "{0} goes to the one before it, its limit", gap <= _ROUNDING * sizes[k])


def _covariance(block: Block, w: np.ndarray) -> Iterator[Edge]:
    rows = np.cumsum(np.arange(1, w.size + 1))
    for k in rows[rows <= w.size] - 1:
        i = int(np.searchsorted(rows, k + 1))
        own = float(np.exp(w[k]))
        share = own / float(np.hypot(own, np.linalg.norm(w[k - i : k]))) if own else 0.0
        words = "the matrix of {0} goes to a singular one"
        yield Edge(int(k), min(own, share), -np.eye(w.size)[k], words, share <= _ROUNDING)


def _correlation(block: Block, w: np.ndarray) -> Iterator[Edge]:
    begin, count = 0, 1
    while begin < w.size:
        row = np.zeros(w.size)
        row[begin : begin + count] = w[begin : begin + count]
        left = 1 / float(np.sqrt(row @ row + 1))
        largest = begin + int(np.argmax(np.abs(row[begin : begin + count])))
        yield Edge(largest, left, row, "the matrix of {0} goes to a singular one", left <= _ROUNDING)
        begin, count = begin + count, count + 1


_OF = {"simplex": _simplex, "ordered": _ordered, "covariance": _covariance, "correlation": _correlation}

_ROUNDING = 1e-14
