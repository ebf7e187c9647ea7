"""Which worker has which chunks of a table: consecutive ones, as even as they go, until one is lost or late."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence
from itertools import groupby

import numpy as np

from autoopt.clusters.chunks import Table
from autoopt.clusters.executor import Run


class Homes:
    """The worker of each chunk, of every table that is in use."""

    def __init__(self) -> None:
        self._of: weakref.WeakKeyDictionary[Table, list[Hashable]] = weakref.WeakKeyDictionary()

    def __contains__(self, table: object) -> bool:
        return table in self._of

    def runs(self, table: Table, workers: Sequence[Hashable]) -> list[Run]:
        """Return who has which chunks; `workers` that came get some, those of one that is gone first."""
        homes = self._of.setdefault(table, list(_evenly(len(table.chunks), workers)))
        for first, last, worker in _stretches(homes):
            if worker not in workers:
                homes[first:last] = _evenly(last - first, [one for one in workers if one not in homes][:1] or workers)
        for newcomer in [one for one in workers if one not in homes]:
            _share(homes, newcomer, len(workers))
        return [Run(table, first, last, worker) for first, last, worker in _stretches(homes)]

    def settle(self, table: Table, homes: Sequence[Hashable]) -> None:
        """Say which worker has which chunk, where that is not for us to choose."""
        self._of[table] = list(homes)

    def move(self, run: Run, workers: Sequence[Hashable]) -> list[Run]:
        """Give the chunks of a run to other workers, in equal parts, and return their runs."""
        homes = self._of[run.table]
        homes[run.first : run.last] = _evenly(run.last - run.first, workers)
        moved = _stretches(homes[run.first : run.last])
        return [Run(run.table, run.first + first, run.first + last, worker) for first, last, worker in moved]


def _share(homes: list[Hashable], newcomer: Hashable, workers: int) -> None:
    """Give a worker that has no chunk those at the end of the longest stretch, what is more than an even part."""
    first, last, _ = max(_stretches(homes), key=lambda stretch: stretch[1] - stretch[0])
    part = -(-len(homes) // workers)
    if last - first >= 2 * part:
        homes[last - part : last] = [newcomer] * part


def _evenly(count: int, workers: Sequence[Hashable]) -> list[Hashable]:
    """Return a worker for each of `count` chunks, the same for neighbours."""
    parts = np.array_split(np.arange(count), min(len(workers), count))
    return [worker for worker, part in zip(workers, parts, strict=False) for _ in part]


def _stretches(homes: Sequence[Hashable]) -> list[tuple[int, int, Hashable]]:
    """Return first, last and worker of the neighbours that have the same one."""
    found, first = [], 0
    for worker, stretch in groupby(homes):
        last = first + len(list(stretch))
        found.append((first, last, worker))
        first = last
    return found
