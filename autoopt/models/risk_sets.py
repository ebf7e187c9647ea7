"""The partial likelihood of proportional hazards: who is at risk when, and its value, gradient, Hessian and scores.

Rows are ordered by stratum and falling time, so that sums over those at risk are cumulative; those who enter late are
taken off by sums in the falling order of their entries. With the sums S0, S1 of r = w exp(eta) and r x over those at
risk at an event e, less the share of those who die with it that has left before (Efron), and its mean weight m,

    value      sum_e m log S0 - sum_dead w eta
    gradient   X' (r A - w dead),   A_i = sum_{e while i is at risk} m / S0
    Hessian    X' diag(r A) X - sum_e m (S1 / S0)(S1 / S0)'

so that no sum of matrices over those at risk is needed, and an iteration costs about what one of a regression does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from autoopt.models.penalty import Penalty
from autoopt.models.rows import crossed

DEAD, STRATUM, LAST, GROUP, SHARE, TIME, ENTRY, ORDER, ENTERED = range(9)
"""What y has a column of; the last three where rows enter late."""
WIDEST = 600.0
"""Log hazards farther apart than this leave the range of numbers."""
LEAST = 1e-10
"""The share of those at risk among all with longer times, by risk, of which sums still have six digits."""
MANY_STRATA = 100
"""More are not summed one by one."""


class TooWide(Exception):
    """Log hazards of one stratum are too far apart for sums of their exponentials, or differences of these."""


def columns(
    time: np.ndarray, dead: np.ndarray, strata: np.ndarray, ties: str, entry: np.ndarray | None = None
) -> np.ndarray:
    """Return what the likelihood is given as y, shape (m, 6) or (m, 9), of sorted rows.

    Whether there was an event, the stratum, the last row at risk with it, the number of its time among times with
    events, the share of events at this time that leave the risk set before it (0 for Breslow's likelihood), and the
    time; where rows enter late their entries, which row is next in the falling order of entries, and the last place in
    that order of one that enters at this time or later, -1 if there is none.
    """
    new = np.concatenate([[True], (np.diff(strata) != 0) | (np.diff(time) != 0)])
    number = np.cumsum(new) - 1
    last = np.append(np.flatnonzero(new)[1:] - 1, len(time) - 1)[number]
    group = np.zeros(len(time), int)
    group[dead] = np.unique(number[dead], return_inverse=True)[1]
    share = np.zeros(len(time))
    if ties == "efron":
        counts = np.bincount(group[dead])
        before = np.arange(dead.sum()) - np.concatenate([[0], np.cumsum(counts)[:-1]])[group[dead]]
        share[dead] = before / counts[group[dead]]
    given = [dead, strata, last, group, share, time]
    if entry is not None:
        order = np.lexsort((-entry, strata))
        ends = np.empty(len(time), int)
        for rows in _parts(strata):
            found = np.searchsorted(-entry[order[rows]], -time[rows], side="right")
            ends[rows] = np.where(found > 0, rows.start + found - 1, -1)
        given += [entry, order, ends]
    return np.column_stack(given).astype(float)


def _parts(strata: np.ndarray) -> list[slice]:
    """Return the rows of each stratum."""
    starts = [*np.flatnonzero(np.diff(strata, prepend=-1.0)).tolist(), len(strata)]
    return [slice(start, end) for start, end in pairwise(starts)]


@dataclass(frozen=True)
class RiskSets:
    """The data of a Cox regression.

    Attributes
    ----------
    X : ndarray, shape (m, n)
    y : ndarray, shape (m, 6) or (m, 9)
        `columns`.
    offset, weights : ndarray, shape (m,)
        Weights are positive.
    penalty : Penalty
    """

    X: np.ndarray
    y: np.ndarray
    offset: np.ndarray
    weights: np.ndarray
    penalty: Penalty

    def every(self, step: int, ties: str) -> RiskSets:
        """Return each step-th row."""
        few = self.y[::step]
        entry = few[:, ENTRY] if self.is_late else None
        y = columns(few[:, TIME], few[:, DEAD] > 0, few[:, STRATUM], ties, entry)
        return RiskSets(self.X[::step], y, self.offset[::step], self.weights[::step], self.penalty)

    def second_order(self, coef: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return value, gradient, shape (n,), and Hessian, shape (n, n); an infinite value where sums are lost."""
        try:
            sums = _Sums(self, coef)
        except TooWide:
            return np.inf, np.zeros(coef.size), np.eye(coef.size)
        risks = sums.risks * sums.hazards
        gradient = self.X.T @ (risks - self.weights * sums.dead) + self.penalty.gradient(coef)
        means = np.sqrt(sums.mean[sums.group])[:, np.newaxis] * sums.means()
        hessian = crossed(self.X, risks, 0) - means.T @ means + self.penalty.matrix()
        return sums.value + self.penalty.value(coef), gradient, hessian

    @property
    def is_late(self) -> bool:
        """Whether rows enter late."""
        return self.y.shape[1] > ENTRY

    def width(self, coef: np.ndarray) -> float:
        """Return how far apart log hazards are."""
        return float(np.ptp(self.X @ coef + self.offset))

    def scores(self, coef: np.ndarray) -> np.ndarray:
        """Return minus the score residuals of the rows, shape (m, n), without weights: they sum to the gradient."""
        sums = _Sums(self, coef)
        means = sums.means()
        away = sums.at_times(sums.steps[:, np.newaxis] * means)
        away[sums.dead] -= sums.by_group(sums.shares[:, np.newaxis] * sums.steps[:, np.newaxis] * means)[sums.group]
        scores = (sums.risks / self.weights)[:, np.newaxis] * (sums.hazards[:, np.newaxis] * self.X - away)
        own = sums.by_group(means) / sums.counts[:, np.newaxis]
        scores[sums.dead] -= self.X[sums.dead] - own[sums.group]
        return scores


class _Sums:
    """Sums over those at risk for one vector of coefficients; events are the rows with one, in their order."""

    def __init__(self, data: RiskSets, coef: np.ndarray) -> None:
        self.data, y = data, data.y
        self.parts = _parts(y[:, STRATUM])
        self.dead = y[:, DEAD] > 0
        self.last, self.group = (y[self.dead, at].astype(int) for at in (LAST, GROUP))
        self.shares, self.counts = y[self.dead, SHARE], np.bincount(self.group)
        self.first = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        self.entry = y[:, ORDER].astype(int) if y.shape[1] > ORDER else None
        self.ends = y[self.dead, ENTERED].astype(int)[self.first] if self.entry is not None else None
        eta = data.X @ coef + data.offset
        relative = eta + np.log(data.weights)
        starts = [part.start for part in self.parts]
        top = np.maximum.reduceat(relative, starts)
        if not (top - np.minimum.reduceat(relative, starts) < WIDEST).all():
            raise TooWide
        lengths = [part.stop - part.start for part in self.parts]
        tops = np.repeat(top, lengths)
        self.risks = np.exp(relative - tops)
        self.mean = self.by_group(data.weights[self.dead]) / self.counts
        self.sums = self._less_shares(self.risks)
        self.steps = self.mean[self.group] / self.sums
        self.value = float(self.mean[self.group] @ (np.log(self.sums) + tops[self.dead]))
        self.value -= float(data.weights[self.dead] @ eta[self.dead])
        self.hazards = self.at_times(self.steps)
        self.hazards[self.dead] -= self.by_group(self.shares * self.steps)[self.group]

    def means(self) -> np.ndarray:
        """Return the mean of the covariates at each event, S1 / S0, shape (events, n)."""
        return self._less_shares(self.risks[:, np.newaxis] * self.data.X) / self.sums[:, np.newaxis]

    def by_group(self, values: np.ndarray) -> np.ndarray:
        """Return sums of values of events, (events, ...), over those of one time."""
        return np.add.reduceat(values, self.first, axis=0)

    def at_times(self, values: np.ndarray) -> np.ndarray:
        """Return the sums of values of events while each row is at risk, shape (m, ...)."""
        rows = len(self.dead)
        sums = self._placed(self.by_group(values), self.last[self.first], rows)
        if self.entry is not None and self.ends is not None:
            before = self._placed(self.by_group(values)[self.ends >= 0], self.ends[self.ends >= 0], rows)
            sums[self.entry] -= before
        return sums

    def _placed(self, values: np.ndarray, at: np.ndarray, rows: int) -> np.ndarray:
        """Return the cumulative sums from the back, within strata, of values at these places."""
        placed = np.zeros((rows, *values.shape[1:]))
        np.add.at(placed, at, values)
        return self._cumulative(placed[::-1], backwards=True)[::-1]

    def _less_shares(self, values: np.ndarray) -> np.ndarray:
        """Return the sums over those at risk at each event, less the shares of those who die with it."""
        longer = sums = self._cumulative(values)[self.last[self.first]]
        if self.entry is not None and self.ends is not None:
            late = self._cumulative(values[self.entry])[self.ends]
            late[self.ends < 0] = 0.0
            sums = longer - late
            if values.ndim == 1 and (sums < LEAST * longer).any():
                raise TooWide
        events = sums[self.group]
        if self.shares.any():
            shares = self.shares.reshape(-1, *[1] * (values.ndim - 1))
            events = events - shares * self.by_group(values[self.dead])[self.group]
        return events

    def _cumulative(self, values: np.ndarray, backwards: bool = False) -> np.ndarray:
        """Return the cumulative sums within strata; many short ones are the rows of one array."""
        rows, lengths = len(values), np.array([part.stop - part.start for part in self.parts])
        lengths = lengths[::-1] if backwards else lengths
        ends = np.cumsum(lengths)
        if len(lengths) > MANY_STRATA and len(lengths) * lengths.max() <= 4 * rows:
            stratum = np.repeat(np.arange(len(lengths)), lengths)
            place = np.arange(rows) - (ends - lengths)[stratum]
            table = np.zeros((len(lengths), lengths.max(), *values.shape[1:]))
            table[stratum, place] = values
            return np.cumsum(table, axis=1)[stratum, place]
        sums = np.empty(values.shape)
        for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True):
            np.cumsum(values[start:end], axis=0, out=sums[start:end])
        return sums
