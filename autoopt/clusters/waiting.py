"""Waiting for the runs of a table: what is lost is asked again, and who is late is not waited for twice.

An executor hands in what it asked; it is told which runs to ask again, and of whom not. Two answers for the same
chunks have the same digits, so that the first of them counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait

from autoopt.clusters.executor import Evaluation
from autoopt.errors import AutooptError, ClusterError

PATIENCE = 3.0
"""A run is late if it takes that many times as long as half of the chunks took, and `GRACE` more."""

GRACE, GRACE_LOADING = 1.0, 60.0
"""Seconds beside that, when all is there and when chunks, or what a text imports, are loaded first."""

TRIES = 3
"""How often the same chunks may be lost: data or a text that end every worker would go on for ever."""

_PAUSE = 0.2  # seconds between looks at who is late


class LostWorkerError(AutooptError):
    """A worker ended before it had answered."""


class Waiting:
    """Asked runs, until every chunk is there: `first_answers` returns those that came first."""

    def __init__(
        self,
        asked: Sequence[Evaluation],
        again: Callable[[Evaluation, bool], list[Evaluation]],
        is_gone: Callable[[Evaluation], bool] = lambda evaluation: False,
    ) -> None:
        """Take what was asked.

        `again(evaluation, late)` asks for it anew, nobody if there is no one else; `is_gone(evaluation)` says whether
        its worker is not there any more, where that is not told by its future.
        """
        self._again, self._is_gone = again, is_gone
        self._pending = set(asked)
        self._repeated: set[Evaluation] = set()
        self._missing = {number for one in asked for number in range(one.run.first, one.run.last)}
        self._count = len(self._missing)
        self._losses: dict[int, int] = {}
        self._half: float | None = None  # seconds that half of the chunks took

    def first_answers(self) -> list[Evaluation]:
        """Return evaluations that together have every chunk; raise what one of them raised."""
        began, answers = time.monotonic(), []
        while self._missing:
            done, _ = wait([one.future for one in self._pending], timeout=_PAUSE, return_when=FIRST_COMPLETED)
            for one in [one for one in self._pending if one.future in done]:
                self._pending.remove(one)
                if self._arrived(one):
                    answers.append(one)
            if self._half is None and 2 * len(self._missing) <= self._count:
                self._half = time.monotonic() - began
            self._repeat_late()
            for one in [one for one in self._pending if not one.future.done() and self._is_gone(one)]:
                self._pending.remove(one)
                self._lost(one, LostWorkerError("a worker is not there any more."))
        for one in self._pending:
            one.future.cancel()
        return answers

    def _arrived(self, one: Evaluation) -> bool:
        """Whether an evaluation that is done has chunks that were missing; what was lost is asked again."""
        numbers = self._missing.intersection(range(one.run.first, one.run.last))
        if not numbers:
            return False
        error = one.future.exception()
        if error is None:
            self._missing -= numbers
            return True
        if not isinstance(error, LostWorkerError):
            raise error
        self._lost(one, error)
        return False

    def _lost(self, one: Evaluation, error: LostWorkerError) -> None:
        """Ask for a run anew whose worker ended, unless that goes on and on."""
        self._losses[one.run.first] = self._losses.get(one.run.first, 0) + 1
        if self._losses[one.run.first] >= TRIES:
            raise ClusterError(
                f"Workers that evaluate {one.run} end, {TRIES} of {TRIES} times: {error.happened}",
                remedy="look at their memory first: chunks, and results for each of them, must fit.",
            ) from error
        self._pending.update(self._again(one, False))

    def _repeat_late(self) -> None:
        if self._half is None:
            return
        for one in self._pending - self._repeated:
            allowed = PATIENCE * self._half + (GRACE_LOADING if one.loads else GRACE)
            if time.monotonic() - one.started > allowed:
                self._repeated.add(one)
                self._pending.update(self._again(one, True))
