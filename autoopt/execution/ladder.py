"""From the first number to the fastest code: along the tape, then printed NumPy, then machine code.

Deriving a tape costs time for each of its steps, before anything is known. Where that would be long, derivatives are
taken along the tape (`eager/`), and the tape is derived when as much time has been spent there: nobody waits, and
nobody loses more than as much again. The rung above that is `tiering.py`. Tapes that are too long to be derived stay
where they are.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.execution import engines
from autoopt.execution.counts import Numbers
from autoopt.execution.eager.derivatives import KINDS_OF_STEP
from autoopt.execution.eager.functions import EagerFunctions
from autoopt.execution.interface import Compiled, Engine, Inputs, rebound, unbound
from autoopt.graph.kinds import KINDS, Kind, at_once
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.kinks import counted
from autoopt.tape.loops.irregular import MOST
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.tape import PARAMETER, Tape

PATIENCE = 0.35
"""Seconds that a first derivative may take to be derived before it is known."""

WORTH = 20.0
"""Seconds of deriving that a number which is not finite along the tape is worth: derived code is stable."""

BODY = 2
"""The steps that one of a loop's body counts for: its pullback is a loop with a body of its own."""


def estimated(tape: Tape, kind: Kind) -> float:
    """Return the seconds that deriving a vectorised tape is likely to take, infinite if it is too long.

    It is 0 for tapes that only derived code has room for.
    """
    steps = sum(step.level == PARAMETER for step in tape.steps)
    if steps > MOST:
        return np.inf
    loops = [step.operation for step in tape.steps if isinstance(step.operation, Recurrence)]
    if any(loop.segment for loop in loops):
        return 0.0  # a sweep would keep all that derived code computes again
    bodies = sum(len(loop.body) for loop in loops)
    if kind.is_symmetric and kind.columns is not None and not at_once(tape):
        kind = KINDS[kind.columns]
    return kind.seconds * (steps + BODY * bodies)


def compiled(engine: Engine, tape: Tape, kind: str, title: str, checked: bool = True) -> Compiled:
    """Return the functions of one kind of derivative: at once, whatever they will be later.

    They count ties; with `checked=False` neither these nor which branch is taken is looked at.

    Raises
    ------
    UnsupportedFunctionError
        If some function has no derivative, with the user's lines.
    """
    row = KINDS[kind]
    if engine.repeats:
        small = counted(vectorise(tape)) if row.order and checked else vectorise(tape)
        cost = estimated(small, row)
        if cost > PATIENCE and (np.isinf(cost) or not engines.is_known(small, kind)):
            try:
                return Ladder(engine, tape, row, (title, checked, checked), cost)
            except UnsupportedFunctionError:  # what has derived all of it names all that is missing
                if not np.isfinite(cost):
                    raise
    try:
        return engines.compiled(engine, tape, kind, title, checked, ties=checked)
    except (UnsupportedFunctionError, TracingError) as refused:
        if not engine.repeats or row.singly:
            raise
        try:
            stepwise = Ladder(engine, tape, row, (title, checked, checked), np.inf)
        except UnsupportedFunctionError:
            raise refused from None
        stepwise.refusal = refused
        return stepwise


class Ladder:
    """Functions along the tape until deriving it pays, from then on those derived; `interface.Compiled` in both cases.

    Attributes
    ----------
    current : Compiled
    spent, cost : float
        Seconds: in the functions along the tape so far, and what deriving is likely to take.
    refusal : Exception or None
        Why it cannot be derived, if that was tried.
    """

    refusal: Exception | None = None

    def __init__(self, engine: Engine, tape: Tape, kind: Kind, options: tuple[str, bool, bool], cost: float) -> None:
        self.current: Compiled = EagerFunctions(tape, kind.name, *options)
        self.spent, self.cost = 0.0, cost
        self._engine, self._tape, self._kind, self._options = engine, tape, kind, options
        self._counts: Collection[tuple[int, ...]] = ()
        self.is_eager = True

    @property
    def run(self) -> Callable:
        """What the functions are run by."""
        return self._timed if self.is_eager else self.current.run

    def _timed(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        begin, before = time.perf_counter(), KINDS_OF_STEP.spent
        try:
            result = self.current.run(x, *direction)
        finally:
            self.spent += (
                time.perf_counter() - begin - (KINDS_OF_STEP.spent - before)
            )  # which no later sweep pays again
        is_finite = self._is_finite(result)
        if self.spent < self.cost and (is_finite or self.cost > WORTH):
            return result
        self.rise()
        return result if is_finite else self.current.run(x, *direction)

    def rise(self) -> None:
        """Derive the tape, if that is possible."""
        try:
            self.derive()
        except (UnsupportedFunctionError, TracingError, NotImplementedError) as refused:
            self.cost, self.refusal = np.inf, refused

    def derive(self) -> None:
        """Have the derived functions run from now on."""
        if not self.is_eager:
            return
        derived = engines.compiled(self._engine, self._tape, self._kind.name, *self._options)
        if self._counts:
            derived.admit(self._counts)
        derived.stationary, derived.kept = self.current.stationary, self.current.kept
        self.current, self.is_eager = derived, False

    # What an engine's functions offer ---------------------------------------------------------------------------------

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape`."""
        self._tape = tape
        self.current = rebound(self.current, tape)

    def admit(self, counts: Collection[tuple[int, ...]]) -> None:
        """Let the loops that end on a condition take these numbers of iterations."""
        self._counts = counts
        self.current.admit(counts)

    def by_convention(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what `run` does, each kink that is met having the slope that its rule has there."""
        result = self.current.by_convention(x, *direction)
        if not self.is_eager or self.cost > WORTH or self._is_finite(result):
            return result
        self.rise()
        return self.current.by_convention(x, *direction)

    def _is_finite(self, result: Any) -> bool:
        """Whether value and derivative are finite; derived code may have them where the steps overflow."""
        parts = result if isinstance(result, tuple) else (result,)
        return all(bool(np.isfinite(part).all()) for part in parts)

    @property
    def text(self) -> str:
        """The source; empty as long as there is none."""
        return self.current.text

    @property
    def through(self) -> Callable:
        """What the source is run by with other functions in place of NumPy's."""
        derived: Any = self.current
        return derived.through

    def without_data(self) -> Ladder | None:
        """Return the same without data, to be bound before it is run."""
        current, other = unbound(self.current), copy.copy(self)
        if current is None:
            return None
        vars(other).update(current=current, _tape=None)
        return other

    @property
    def by_products(self) -> bool:
        """Whether it is a matrix that is made a column or a row at a time."""
        return self.current.by_products

    @property
    def asked(self) -> Numbers | None:
        """The numbers of iterations that the loops took last, allowed or not."""
        return self.current.asked

    @property
    def changed(self) -> Any:
        """The exception for another branch."""
        return self.current.changed

    @property
    def tied(self) -> Any:
        """The exception for kinks that are met."""
        return self.current.tied

    @property
    def inputs(self) -> Inputs:
        """What is taken besides parameters and direction."""
        return self.current.inputs

    @property
    def reads(self) -> frozenset[str]:
        """The data of which something has been computed and is kept."""
        return self.current.reads

    @property
    def stationary(self) -> int:
        """How many kinks are met at every point."""
        return self.current.stationary

    @stationary.setter
    def stationary(self, count: int) -> None:
        self.current.stationary = count

    @property
    def kept(self) -> int:
        """How often in turn the conventions of kinks were found right."""
        return self.current.kept

    @kept.setter
    def kept(self, count: int) -> None:
        self.current.kept = count
