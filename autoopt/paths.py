"""One way through an objective's branches, with what has been compiled for it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from autoopt.engines import Compiled
from autoopt.tape.convergence import converging
from autoopt.tape.digest import constant_names, digest
from autoopt.tape.tape import Tape
from autoopt.tracing.trace import Trace, with_data


class Path:
    """A trace of the objective, and others that differ from it only in how many iterations loops took.

    Parameters
    ----------
    recorded : Trace
    point : ndarray
        Where it was recorded.
    repeats : bool
        Whether loops that end on a condition may be run as such.

    Attributes
    ----------
    trace : Trace
    tape : Tape
        What is compiled.
    counts : set of tuple of int
        The iterations that the loops may take; empty if there are no such loops.
    compiled : dict of str to Compiled
        By kind of derivative.
    trusted : int
        At how many points the derivative was found right, where the objective finds numbers equal.
    compared : bool
        Whether its first gradient has been compared with the values, where texts or whole numbers lead away from them.
    finite : ndarray or None
        The latest point at which the value was found finite.
    """

    def __init__(self, recorded: Trace, point: np.ndarray, repeats: bool) -> None:
        self.trace, self.point = recorded, point
        self.tape: Tape = converging(recorded.tape) if repeats and not recorded.tape.caught else recorded.tape
        self.counts = {self.tape.counts} if self.tape.counts else set()
        self.compiled: dict[str, Compiled] = {}
        self.trusted = 0
        self.compared = not recorded.tape.unfollowed
        self.finite: np.ndarray | None = None
        self._more: list[Trace] = []  # the traces of further numbers of iterations, without their tapes

    @cached_property
    def _identity(self) -> tuple:
        return digest(self.tape), self.tape.python_numbers, self.tape.data_decided

    def is_like(self, other: Path) -> bool:
        """Whether the paths differ in nothing but the numbers of iterations."""
        return bool(self.counts and other.counts) and self.is_same_code(other)

    def is_same_code(self, other: Path) -> bool:
        """Whether the paths differ in nothing but the data, and what was kept of the run."""
        if self._identity != other._identity:
            return False
        one, two = self.tape.values, other.tape.values
        return all(np.array_equal(one[k], two[k], equal_nan=True) for k in constant_names(self.tape))

    def take(self, other: Path) -> None:
        """Let the loops take the numbers of iterations of a path that is like this one."""
        self.counts |= other.counts
        self._more.append(replace(other.trace, tape=self.trace.tape))
        for compiled in self.compiled.values():
            compiled.admit(self.counts)

    def unroll(self) -> None:
        """Compile the trace as it was recorded from now on."""
        self.tape, self.counts = self.trace.tape, set()
        self.compiled.clear()

    def holds(self) -> bool:
        """Whether everything outside that the trace read, and did not change, is as it was."""
        return self.trace.watched is None or self.trace.watched.holds()

    def still_holds(self) -> bool:
        """Whether the path holds for other data of the same shapes, everything outside being as it was."""
        return not self.tape.data_decided and all(recorded.still_holds() for recorded in (self.trace, *self._more))

    def rebind(self, args: tuple) -> None:
        """Take other data."""
        self.finite = None
        unchanged = self.tape is self.trace.tape
        self.trace = replace(self.trace, tape=with_data(self.trace.tape, args))
        self.tape = self.trace.tape if unchanged else with_data(self.tape, args)
        for compiled in self.compiled.values():
            compiled.bind(self.tape)
