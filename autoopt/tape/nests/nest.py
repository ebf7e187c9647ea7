"""Loops around statements that write into windows of arrays, as one operation of the tape.

    for i in range(1, n):                                     Repeat(n - 1
        s[i] = (b[i] - L[i, :i] @ s[:i]) / L[i, i]              Statement(s, One(1 + i), reads b, L, s, L; five steps))

Counters count from 0 here, by one; the text that is printed may count otherwise. An array is written in place, so there
is no trajectory of it: what derivatives need of what has been overwritten, they have saved (`graph/nests/`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.keyed import Keyed
from autoopt.tape.names import qualified
from autoopt.tape.nests.windows import Affine, Window, index_at
from autoopt.tape.recurrence import text_of
from autoopt.tape.tape import Step, call


class Read(NamedTuple):
    """What a statement reads: a window of an array."""

    array: int
    window: Window


class Statement(NamedTuple):
    """`arrays[target][window] = body(reads)`.

    Attributes
    ----------
    body : tuple of Step
        First a leaf for each read, then the steps, numbers (`Known`) among them.
    result : int
        The step that is written.
    step : Step
        The step of the tape that it stems from, of one iteration.
    """

    target: int
    window: Window
    reads: tuple[Read, ...]
    body: tuple[Step, ...]
    result: int
    step: Step


class Repeat(NamedTuple):
    """A loop: so many iterations of its body, with `reverse` from the last to the first."""

    times: Affine
    body: tuple[Any, ...]
    reverse: bool = False


def statements_of(body: Sequence[Any]) -> Iterator[Any]:
    """Yield what is in loops and in those within, in order."""
    for part in body:
        if isinstance(part, Repeat):
            yield from statements_of(part.body)
        else:
            yield part


def run(body: Sequence[Any], visit: Callable[[Any, list[int]], None], counters: Sequence[int] = ()) -> None:
    """Call `visit` for each statement in each iteration, in the order in which they run."""
    for part in body:
        if not isinstance(part, Repeat):
            visit(part, list(counters))
            continue
        places = range(part.times.at(counters))
        for t in reversed(places) if part.reverse else places:
            run(part.body, visit, [*counters, t])


@dataclass(frozen=True, eq=False)
class Nest(Keyed):
    """Loops as one operation: from what arrays hold at first to what they hold at last.

    Attributes
    ----------
    shapes : tuple of tuple of int
        Of all arrays, the operands first; the others are zeros at first.
    names : tuple of (str or None)
        What the user calls them.
    operands : int
    loops : tuple of Statement or Repeat
    results : tuple of int
        The arrays that are returned.
    """

    shapes: tuple[tuple[int, ...], ...]
    names: tuple[str | None, ...]
    operands: int
    loops: tuple[Any, ...]
    results: tuple[int, ...]

    def __call__(self, *operands: Any) -> tuple:
        """Run the loops in NumPy."""
        arrays = [np.array(operand, dtype=float) for operand in operands]
        arrays += [np.zeros(shape) for shape in self.shapes[self.operands :]]

        def visit(part: Statement, counters: list[int]) -> None:
            values = [arrays[read.array][index_at(read.window, counters)] for read in part.reads]
            for step in part.body[len(values) :]:
                known = step.operation is None
                values.append(step.template.value if known else call(step, [values[k] for k in step.inputs]))
            arrays[part.target][index_at(part.window, counters)] = values[part.result]

        run(self.loops, visit)
        return tuple(arrays[k] for k in self.results)

    @cached_property
    def key(self) -> str:
        """A hash of everything but the names."""
        lines = [f"{self.shapes} {self.operands} {self.results}"]

        def enter(body: Sequence[Any]) -> None:
            for part in body:
                if isinstance(part, Repeat):
                    lines.append(f"for {part.times}")
                    enter(part.body)
                    lines.append("end")
                    continue
                lines.append(f"{part.target} {part.window} {part.reads} {part.result}")
                for step in part.body:
                    name = qualified(step.operation) if step.operation is not None else ""
                    template = "" if step.template is None else text_of(step.template)
                    lines.append(f"{name}|{step.inputs}|{template}|{step.dtype}")

        enter(self.loops)
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


SMOOTH: frozenset[Callable] = frozenset(
    (
        np.add, np.subtract, np.multiply, np.true_divide, np.negative, np.positive, np.square, np.sqrt, np.exp, np.log,
        np.log1p, np.expm1, np.sin, np.cos, np.tanh, np.arctan, np.reciprocal, np.matmul, np.dot, np.inner, np.vdot,
        np.outer, np.sum, np.mean, np.transpose, np.flip, np.copy, np.power,
    )
)  # fmt: skip
"""Functions that have no kinks, which would have to be counted, and that take windows of any length."""
