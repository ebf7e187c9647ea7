"""The tape of an objective as text: each step under the user's line that made it, with its shape and its guards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from autoopt.errors import Location, display_path
from autoopt.inspection.columns import WIDTH, cut
from autoopt.inspection.folding import Fold, folded
from autoopt.inspection.steps import UNNAMED, references, text
from autoopt.origin import is_shown
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.statements import place_of
from autoopt.tape.tape import CONSTANT, DATA, Guard, Leaf, Step, Tape
from autoopt.wording import times

MOST, HEAD, TAIL = 160, 120, 20
"""A tape of more lines is shown by so many of its first and last ones."""

_SHAPE = 62  # the column of shapes
_LEVELS = {CONSTANT: "constant", DATA: "data"}
_SOURCES = {"parameter": "parameters", "argument": "data", "captured": "from outside"}


@dataclass(frozen=True, repr=False)
class TapeListing:
    """What one run of the objective did, to be printed.

    Attributes
    ----------
    tape : Tape
        Its steps, with the values of its inputs, and guards.
    title : str
        Whose it is: the name of the objective and its place.
    """

    tape: Tape
    title: str

    def __len__(self) -> int:
        """Return how many operations were recorded, inputs and constants not counted."""
        return sum(step.operation is not None for step in self.tape.steps)

    def __repr__(self) -> str:
        guards = f", {times(len(self.tape.guards), 'guard')}" if self.tape.guards else ""
        return f"<tape of {self.title}: {times(len(self), 'step')}{guards}>"

    def __str__(self) -> str:
        rows = list(self._rows())
        if len(rows) > MOST:
            between = len(rows) - HEAD - TAIL
            rows = [*rows[:HEAD], f"      … {between} more lines", *rows[-TAIL:]]
        return "\n".join([*self._head(), *rows])

    @cached_property
    def vectorised(self) -> TapeListing:
        """The tape as it is derived: steps that do the same are one array step, loops are one step."""
        return TapeListing(vectorise(self.tape), f"{self.title}, vectorised")

    # Parts of the text ------------------------------------------------------------------------------------------------

    def _head(self) -> Iterator[str]:
        size = self.tape.steps[0].shape[0]
        guards = f", {times(len(self.tape.guards), 'guard')}" if self.tape.guards else ""
        yield f"Tape of {self.title}"
        yield f"{times(len(self), 'step')} from {times(size, 'parameter')}{guards}"

    def _rows(self) -> Iterator[str]:
        tape, names = self.tape, self._names
        for index, step in enumerate(tape.steps):
            if step.operation is None and self._is_listed(index):
                kind = _SOURCES[step.template.kind] if type(step.template) is Leaf else _LEVELS[CONSTANT]
                yield _row(names[index], step, kind)
        order = [index for index, step in enumerate(tape.steps) if step.operation is not None]
        line: Any = None
        for shown in folded([self._signature(index) for index in order]):
            if isinstance(shown, Fold):
                yield self._fold(shown, order)
                line = None
                continue
            index = order[shown]
            step = tape.steps[index]
            if step.site is not None and (place := _location(step.site).line) != line:
                yield self._line(step)
                line = place
            yield _row(f"{names[index]} = {self._text(index)}", step, _LEVELS.get(step.level, ""))
            if isinstance(step.operation, Recurrence):
                yield from _body(step, [names[source] for source in step.inputs])
            for guard in self._guards.get(index, ()):
                yield cut(f"      guard: {_answer(guard, names[index])}", WIDTH)
        yield cut(f"      value: {names[tape.output]}", WIDTH)

    def _signature(self, index: int) -> tuple:
        """Return what is the same of a step in each iteration: an instruction that has run often may be told within."""
        step = self.tape.steps[index]
        return id(step.operation), step.site and _location(step.site), _base(self._names[index])

    def _is_listed(self, index: int) -> bool:
        """Whether a leaf has a row: small constants stand where they are used."""
        return type(self.tape.steps[index].template) is Leaf or self._names[index].isidentifier()

    def _text(self, index: int) -> str:
        step = self.tape.steps[index]
        return text(step, [self._names[source] for source in step.inputs])

    def _line(self, step: Step) -> str:
        """Return the user's line above the steps that it made: the number, the statement as far as there is room."""
        place, quoted = _location(step.site), place_of(step)
        number = str(place.line) if place.file == self._file else f"{display_path(place.file)}:{place.line}"
        return cut(f"{number:>4} | {quoted.quoted if quoted else place.text}", WIDTH)

    def _fold(self, fold: Fold, order: list[int]) -> str:
        tape = self.tape
        sites = [tape.steps[order[k]].site for k in range(fold.first, fold.last + 1)]
        lines = sorted({place.line for site in sites if site and (place := _location(site))})
        where = "" if not lines else f" (line {lines[0]}{f'-{lines[-1]}' if len(lines) > 1 else ''})"
        where = where.replace("(line", "(lines") if len(lines) > 1 else where
        steps = "this step" if fold.size == 1 else f"these {fold.size} steps"
        return f"      … {fold.times:,} more times {steps}{where}"

    @cached_property
    def _file(self) -> str:
        """The file of most lines."""
        sites = (step.site for step in self.tape.steps[:1000] if step.site)
        return next((place.file for site in sites if is_shown(place := _location(site))), "")

    @cached_property
    def _names(self) -> list[str]:
        return references(self.tape)

    @cached_property
    def _guards(self) -> dict[int, list[Guard]]:
        found: dict[int, list[Guard]] = {}
        for guard in self.tape.guards:
            found.setdefault(guard.step, []).append(guard)
        return found


def _row(content: str, step: Step, mark: str) -> str:
    """Return the line of a step: what it is, its shape, and what it depends on if not on the parameters."""
    kind = "" if np.dtype(step.dtype) in (np.dtype(float), np.dtype(object)) else f" {np.dtype(step.dtype).name}"
    end = f"{step.shape}{kind}".replace(",)", ",)")
    if isinstance(step.operation, Recurrence):
        end = ""
    left = cut(f"      {content}", _SHAPE - 1)
    return f"{left:<{_SHAPE}}{end:<{WIDTH - _SHAPE - 12}}{mark}".rstrip()


def _body(step: Step, operands: list[str]) -> Iterator[str]:
    """Yield the lines of one iteration of a loop."""
    loop: Any = step.operation
    body = Tape(steps=list(loop.body), values={k: _known(part) for k, part in enumerate(loop.body)})
    own = [name.replace("s", "i", 1) if UNNAMED.fullmatch(name) else name for name in references(body)]
    given = [own[update] for update in loop.updates]
    yield from (f"          {name}: at first {first}" for name, first in zip(given, operands, strict=False))
    given += [f"{name}[t]" for name in operands[loop.carries : loop.carries + loop.sequences]]
    names = [*given, *operands[len(given) :], *own[len(operands) :]]
    for index, inner in enumerate(loop.body):
        if inner.operation is not None:
            content = text(inner, [names[source] for source in inner.inputs])
            yield _row(f"    {names[index]} = {content}", inner, _LEVELS.get(inner.level, ""))
            if isinstance(inner.operation, Recurrence):
                yield from (f"    {line}" for line in _body(inner, [names[source] for source in inner.inputs]))


def _known(step: Step) -> Any:
    return getattr(step.template, "value", 0.0)


def _base(name: str) -> str:
    """Return a name without the step's number."""
    return "" if UNNAMED.fullmatch(name) else name.partition(".")[0]


@lru_cache(10_000)
def _location(site: Any) -> Any:
    """Return the place of an instruction, which a loop asks for often."""
    return Location.of_instruction(*site)


def _answer(guard: Guard, name: str) -> str:
    """Return in words for which results the tape holds."""
    if guard.kind == "counts":
        return f"{name}: the numbers of iterations are those that have been compared, else another path is taken"
    if guard.kind == "finite":
        return f"{name} is{'' if guard.answer else ' not'} finite, else another path is taken"
    answer = guard.answer
    if guard.kind == "array":
        answer = np.array2string(np.asarray(answer), threshold=6, edgeitems=2, separator=", ").replace("\n", "")
    return f"{name} is {answer}, else another path is taken"
