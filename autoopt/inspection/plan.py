"""Which tier each derivative runs in, why, and what is known that would make it faster.

Everything told is on record: what has been compiled, what was refused and why, what the tape has. Nothing is derived
for it, and no advice is given that does not answer a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, Location
from autoopt.execution import engines, ladder, tiering
from autoopt.execution.interface import Compiled
from autoopt.execution.row_plans import row_notes
from autoopt.graph.kinds import KINDS, PUBLIC
from autoopt.inspection.columns import WIDTH
from autoopt.inspection.steps import UNNAMED, references
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.kinks import counted
from autoopt.tape.loops.irregular import MOST, irregular
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.tape import Step, Tape
from autoopt.wording import times

PENDING, EAGER, COMPILED, NATIVE, NUMBA = "not asked for yet", "step by step", "NumPy source", "machine code", "numba"
"""The tiers."""


@dataclass(frozen=True)
class KindPlan:
    """How one kind of derivative runs.

    Attributes
    ----------
    tier : str
        One of "not asked for yet", "step by step", "NumPy source", "machine code", "numba".
    why : tuple of str
        What is known of it.
    """

    tier: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Plan:
    """How an objective is evaluated, to be printed.

    Attributes
    ----------
    title : str
    engine : str
    kinds : dict of str to KindPlan
        By the names that `Objective.source` takes.
    notes : tuple of (str, str)
        What there is to know of its tape and its paths, under a word.
    remedies : tuple of str
        What would make it faster, each for a reason that is told above.
    """

    title: str
    engine: str
    kinds: dict[str, KindPlan]
    notes: tuple[tuple[str, str], ...]
    remedies: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<plan of {self.title}: {', '.join(f'{name} {plan.tier}' for name, plan in self.kinds.items())}>"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as texts, for JSON."""
        kinds = {name: {"tier": plan.tier, "why": list(plan.why)} for name, plan in self.kinds.items()}
        notes = [list(note) for note in self.notes]
        named = {"title": self.title, "engine": self.engine}
        return named | {"kinds": kinds, "notes": notes, "remedies": list(self.remedies)}

    def __str__(self) -> str:
        rows = [f"Plan of {self.title}, engine {self.engine!r}"]
        for name, plan in self.kinds.items():
            rows += _wrapped(name, "; ".join([plan.tier, *plan.why]))
        for word, note in self.notes:
            rows += _wrapped(word, note)
        for remedy in self.remedies:
            rows += _wrapped("faster", remedy)
        return "\n".join(rows)


def _wrapped(word: str, text: str) -> Iterator[str]:
    """Yield a paragraph beside a word; the user's lines in it are not broken."""
    import textwrap

    yield from textwrap.wrap(
        text, WIDTH, initial_indent=f"  {word:<10}", subsequent_indent=" " * 12, break_on_hyphens=False
    )


# The kinds of derivative ----------------------------------------------------------------------------------------------


def kind_plan(name: str, compiled: Compiled | None, tape: Tape, engine: str, x: np.ndarray | None = None) -> KindPlan:
    """Return how one kind runs, by its public name; `tape` is that of the path, not vectorised, `x` a point."""
    kind = PUBLIC[name].name
    if compiled is None:
        return KindPlan(PENDING, _expected(kind, tape, engine))
    if isinstance(compiled, ladder.Ladder):
        if compiled.is_eager:
            return KindPlan(EAGER, tuple(_stepwise(compiled)))
        compiled = compiled.current
    if isinstance(compiled, engines.NumbaFunctions):
        return KindPlan(NUMBA)
    why = [times(_lines(compiled.text), "line")]
    if compiled.by_products:
        why.append("a column or a row at a time, by products with the unit vectors")
    if isinstance(compiled, engines.NumpyFunctions) and x is not None:
        why += row_notes(compiled, x)
    functions = [getattr(f, "whole", f) for f in getattr(compiled, "namespace", {}).values()]
    states = [f for f in functions if isinstance(f, tiering.TieredFunction)]
    native = [state for state in states if state.native is not None]
    why += [f"{state.__name__} is not machine code, as {state.reason}" for state in states if state.refused]
    waiting = [state for state in states if state.loops and state.native is None and not state.refused]
    if waiting and not native:
        spent = max(state.spent for state in waiting)
        why.append(f"its loops become machine code once they have taken {waiting[0].cost:.1f} s ({spent:.1g} s so far)")
    return KindPlan(NATIVE if native else COMPILED, tuple(why))


def _lines(text: str) -> int:
    """Return how many lines of code a module has."""
    return sum(bool(row.strip()) and not row.strip().startswith(("#", '"""', "import")) for row in text.split("\n"))


def _expected(kind: str, tape: Tape, engine: str) -> tuple[str, ...]:
    """Return what would be done if a kind were asked for."""
    if not engines.engine_of(engine).repeats:
        return ()
    row = KINDS[kind]
    small = counted(vectorise(tape)) if row.order else vectorise(tape)
    seconds = ladder.estimated(small, row)
    if np.isinf(seconds):
        return ("it would run step by step",)
    if engines.is_known(small, kind):
        return ("its source is in the cache",)
    if seconds > ladder.PATIENCE:
        return (f"step by step at first, derived once that has taken {seconds:.1f} s",)
    return (f"deriving it is expected to take {max(seconds, 0.01):.2f} s",)


def _stepwise(compiled: ladder.Ladder) -> Iterator[str]:
    """Yield why a kind runs step by step."""
    if np.isfinite(compiled.cost):
        yield f"derived once that has taken {compiled.cost:.1f} s, as deriving does ({compiled.spent:.2g} s so far)"
    elif isinstance(compiled.refusal, AutooptError):
        yield f"not derived: {compiled.refusal.happened}{_at(compiled.refusal.where)}"
    elif compiled.refusal is not None:
        yield f"not derived: {compiled.refusal}"
    else:
        yield f"more than the {MOST:,} operations on arrays that are written as one source"


def _at(places: Sequence[Location]) -> str:
    lines = list(dict.fromkeys(place.line for place in places))
    return f" (line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))})" if lines else ""


# The tape and the paths -----------------------------------------------------------------------------------------------


def loops(tape: Tape) -> Iterator[str]:
    """Yield what the loops of a vectorised tape do, whose iterations cannot be done at once."""
    for step in tape.steps:
        if isinstance(step.operation, Recurrence) and step.operation.carries:
            yield _loop(step, step.operation)


def _loop(step: Step, loop: Recurrence) -> str:
    body = Tape(steps=list(loop.body), values=dict.fromkeys(range(len(loop.body)), 0.0))
    names = references(body)
    handed = list(dict.fromkeys(re.sub(r"\.\d+$", "", names[update]) for update in loop.updates))
    named = [name for name in handed if name.isidentifier() and not UNNAMED.fullmatch(name)]
    more = len(handed) - len(named)
    what = ", ".join([*named, *([times(more, "value")] if more else [])]) or "nothing"
    place = (
        next((one.location for one in (loop.body[loop.updates[0]], step) if one.site), None) if loop.updates else None
    )
    count = "as many iterations as its condition takes" if loop.count is None else f"{loop.count:,} iterations"
    ends = f", of which every {loop.segment:,}th is kept" if loop.segment else ""
    where = f"line {place.line}: " if place else ""
    return f"{where}{count} in turn, as each hands {what} on{ends}"


def tape_notes(tape: Tape, recorded: Tape) -> Iterator[tuple[str, str]]:
    """Yield what a path's tape has that costs time: loops, guards, looks at what else it might be."""
    small = vectorise(tape)
    yield from (("loop", text) for text in loops(small))
    lines = [Location.of_instruction(*guard.site) for guard in recorded.guards if guard.site]
    if lines:
        yield "guards", f"{times(len(recorded.guards), 'answer')} of this path{_at(lines)}; others are other paths"
    for reason, found in _REASONS.items():
        if where := found(recorded):
            sites = where if isinstance(where, list | dict) else [where] if isinstance(where, tuple) else []
            yield "checks", f"{reason}{_at([Location.of_instruction(*site) for site in sites])}"


_REASONS: Mapping[str, Any] = {
    "a calculation raised and was caught: the tape holds at its point alone": lambda tape: tape.caught,
    "plain Python arithmetic may raise, so results that are not finite are looked at": lambda tape: tape.python_numbers,
    "numbers are found equal, so derivatives are compared with differences at each point": lambda tape: tape.equalities,
    "a line does many times what may be flat, so the first derivative is compared with differences": lambda tape: (
        tape.decided
    ),
    "texts or whole numbers are made of parameters, so the first gradient is compared with differences": (
        lambda tape: tape.unfollowed
    ),
    "Python took decisions from the data: other data need another trace": lambda tape: tape.data_decided,
}
"""What a tape may have that makes evaluation more than its code, and when it has that."""


def remedies(tape: Tape, is_complete: bool) -> Iterator[str]:
    """Yield what would make an objective faster, for reasons on record."""
    found = irregular(counted(vectorise(tape)))
    if found is not None:
        yield f"{found.happened}{_at(found.places)}: {found.remedy}."
    if not is_complete:
        yield "what the function reads outside cannot be watched, so calls are compared with it: pass it through args."
