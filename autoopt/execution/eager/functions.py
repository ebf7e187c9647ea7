"""The derivatives along a tape as an engine has them: of data that can be bound, with tests of guards and of ties."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import Location, display_path
from autoopt.execution.counts import Counts, Numbers
from autoopt.execution.eager.sweeps import EagerRun, Sweeps
from autoopt.execution.interface import Inputs
from autoopt.graph.kinds import KINDS
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.kinks import counted
from autoopt.tape.simplify import live
from autoopt.tape.tape import Guard, Tape


class EagerPathChanged(Exception):
    """The objective takes another branch at this point than the one that was traced."""


class EagerTied(Exception):
    """Operands of kinks, as those of abs and maximum are, are equal at this point: this many of them."""


class EagerFunctions:
    """One kind of derivative, by sweeps along the vectorised tape; `interface.Compiled` has what it offers."""

    text = ""
    repeats = True
    of_data = ("sweeps", "_bound", "_latest", "_plain")  # what is made of the data, or holds them
    changed: Any = EagerPathChanged
    tied: Any = EagerTied

    def __init__(self, tape: Tape, kind: str, title: str, checked: bool = True, ties: bool = False) -> None:
        self.kind = KINDS[kind]
        whole = live(counted(vectorise(tape)) if ties and self.kind.order else vectorise(tape))
        leaves = whole.leaves()
        self.tape = replace(
            whole, values={index: value for index, value in whole.values.items() if index not in leaves}
        )
        self.stationary, self.kept = 0, 0
        self._guards = [guard for guard in self.tape.guards if checked or guard.kind == "ties"]
        self._plain: EagerFunctions | None = None
        self._counts = Counts(())
        self.inputs = Inputs(tape, whole)
        self._leaves = [(leaf.name, index) for index, leaf in leaves.items() if index]
        self._bound = tape
        self._latest: EagerRun | None = None
        self._questions = [_question(guard) for guard in self._guards]
        asked: dict[int, list[int]] = {}
        for number, guard in enumerate(self._guards):
            asked.setdefault(guard.step, []).append(number)
        self.sweeps = Sweeps(replace(self.tape, values=self._data()), asked, self._ask)
        self._program = self.sweeps.program

    def _data(self) -> dict[int, Any]:
        data = self.inputs.of(self._bound)
        return {**self.tape.values, **{index: data[name] for name, index in self._leaves}}

    def _bound_sweeps(self, question: Callable) -> Sweeps:
        return Sweeps(replace(self.tape, values=self._data()), None, question, self._program)

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape`, and compute what depends on them alone."""
        self._bound, self.stationary, self.kept = tape, 0, 0
        self._latest = self._plain = None
        self.sweeps = self._bound_sweeps(self._ask)

    @property
    def reads(self) -> frozenset[str]:
        """The data: of any of them something may be kept."""
        return self.inputs.names()

    def admit(self, counts: Collection[tuple[int, ...]]) -> None:
        """Let the loops that end on a condition take these numbers of iterations."""
        self._counts = Counts(counts)

    @property
    def by_products(self) -> bool:
        """Whether it is a matrix that is made a column or a row at a time."""
        return self.kind.columns is not None

    @property
    def asked(self) -> Numbers | None:
        """The numbers of iterations that the loops took last, allowed or not."""
        return self._counts.asked

    def by_convention(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what `run` does, each kink that is met having the slope that its rule has there."""
        if self._plain is None:
            self._plain = copy.copy(self)
            self._plain.stationary, self._plain._latest = _ANY, None
            self._plain.sweeps = self._bound_sweeps(self._plain._ask)
        return self._plain.run(x, *direction)

    def run(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what the derivative is at `x`."""
        run = self._at(x)
        if not self.kind.order:
            return run.value
        assert self.kind.eager is not None
        derivative = getattr(run, self.kind.eager)(*direction)
        return (run.value, derivative) if self.kind.valued else derivative

    def begin(self, x: np.ndarray) -> None:
        """Evaluate the tape at a point of which products will be asked; raise where another path is taken there."""
        self._at(x)

    def _at(self, x: np.ndarray) -> EagerRun:
        """Return the sweep at a point: that of the latest, for products with several directions."""
        latest = self._latest
        if latest is not None and self.kind.directed and np.array_equal(latest.point, x):
            return latest
        run = self.sweeps.at(x.copy())
        if self.kind.directed:
            self._latest = run
        return run

    # Guards -----------------------------------------------------------------------------------------------------------

    def _ask(self, number: int, value: Any) -> None:
        """Raise if the answer to a guard is another one."""
        guard = self._guards[number]
        if guard.kind == "ties":
            if value > self.stationary:
                raise EagerTied(int(value))
        elif guard.kind == "counts":
            if tuple(np.atleast_1d(value).tolist()) not in self._counts:
                raise EagerPathChanged(_place(guard))
        elif not self._questions[number](value):
            raise EagerPathChanged(_place(guard))


def _question(guard: Guard) -> Callable[[Any], bool]:
    """Return what tells whether a value gives the answer of a guard."""
    answer: Any = guard.answer
    if guard.kind in ("bool", "finite"):
        return lambda value: bool(value) == answer
    if guard.kind in ("int", "float"):
        convert = int if guard.kind == "int" else float
        return lambda value: convert(value) == answer
    return lambda value: np.array_equal(value, answer)


_ANY = 2**62
"""More ties than there can be."""


def _place(guard: Guard) -> str:
    location = Location.of_instruction(*guard.site) if guard.site else None
    return f"{display_path(location.file)}:{location.line}: {location.text}" if location else ""
