"""Decisions that an objective takes by its data, of which some rows alone are traced: whether all rows decide so.

    if np.max(np.abs(dose)) > 4.5:          def decision(dose):
                                                v1 = np.abs(dose)
                                                v2 = np.max(v1)
                                                return np.greater(v2, 4.5)      a pass over all rows: True, as for some

What leads to a decision is cut out of the tape of a run, written as a function of the data, divided by rows as any
printed function is, and evaluated for all of them, before the first derivative is.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import Location, TracingError
from autoopt.execution.blocks.streams import Stream, plan_of_module
from autoopt.execution.blocks.values import NotInBlocks
from autoopt.objectives.row_counts import counted
from autoopt.origin import definition
from autoopt.tape.tape import PARAMETER, Leaf, Slot, Tape

REMEDY = "decide before the fit and pass what is decided as an argument, or write the choice of each row by np.where."

_SMALL = (0, 1, 2, 3)
"""Numbers that stand for no number of rows, whoever writes them."""


@dataclass(frozen=True)
class Decision:
    """What Python was given in place of a step of data: `answer`, of a kind as a `Guard` has; -1 is no step."""

    step: int
    kind: str
    answer: Any
    site: Any


class Decisions:
    """The decisions of one run.

    Parameters
    ----------
    rows : (int, int), optional
        How many are traced, and how many there are.
    answers : mapping of int to value, optional
        What is answered in place of what the data of the run say, by number of the decision.

    Attributes
    ----------
    taken : list of Decision
    tape : Tape or None
        All steps of the run.
    """

    def __init__(self, rows: tuple[int, int] | None = None, answers: Mapping[int, Any] | None = None) -> None:
        self.rows, self.answers = rows, answers or {}
        self.taken: list[Decision] = []
        self.tape: Tape | None = None

    def answer(self, tracer: Any, step: int, kind: str, answer: Any) -> Any:
        """Note a decision, and return what is answered."""
        self._add(tracer, step, kind, answer)
        return self.taken[-1].answer

    def _add(self, tracer: Any, step: int, kind: str, answer: Any = None) -> None:
        """Note a decision, the first one of a run that is begun anew in place of those before."""
        if self.tape is not tracer.tape:
            self.tape, self.taken = tracer.tape, []
        answer = self.answers.get(len(self.taken), answer)
        self.taken.append(Decision(step, kind, answer, tracer.site()))

    def shaped(self, tracer: Any, step: int) -> None:
        """Note a step whose shape goes by the data: what reads it is looked at by rows, unless that is its shape."""
        self._add(tracer, step, "shape")

    def count(self, tracer: Any, length: int, entries: int = 1) -> int:
        """Return a number of rows, or of entries of rows, as one that notes what else is asked of it of all rows."""
        if self.rows is None or length != self.rows[0]:
            return length * entries

        def note() -> None:
            self._add(tracer, -1, "rows")

        return counted(length * entries, self.rows[1] * entries, note)

    def builtins(self, tracer: Any) -> dict[str, Callable]:
        """Return what stands for Python's own functions in the run."""
        return {"len": lambda value: self.count(tracer, len(value))}

    def unknown(self, tracer: Any) -> None:
        """Note something that Python makes of data."""
        self._add(tracer, -1, "object")


def require_of_all_rows(
    original: Any,
    x: np.ndarray,
    data: Any,
    some: Mapping[str, np.ndarray],
    evaluated: Callable[[Stream, Mapping[str, Any]], Any],
) -> None:
    """Raise unless all rows decide as those do that are traced; the user's own error where they raise one.

    Parameters
    ----------
    original : Original
        Of the rows that are traced.
    x : ndarray, shape (n,)
    data : Rows
    some : mapping of str to ndarray
        The rows that are traced.
    evaluated : callable
        Takes a plan and what it reads besides rows, and returns what it comes to for all of them.
    """
    decisions = Decisions(rows=(_count(some), data.rows))
    original.decided(x, decisions)
    known: dict[str, Any] = {}
    for number, decision in enumerate(decisions.taken):
        assert decisions.tape is not None
        try:
            found = _of_all_rows(decisions.tape, decision, some, original, evaluated, known)
        except NotInBlocks as problem:
            raise _refused(
                f"whether all rows of {data.name} decide as the {_count(some)} do that are traced, no pass over them "
                f"can tell: {problem.reason}.",
                decision,
                original,
            ) from None
        if found is not None and not _same(found, decision):
            original.decided(
                x, Decisions(answers={number: type(decision.answer)(found)})
            )  # which may raise the user's error
            raise _refused(
                f"all rows of {data.name} decide otherwise than the {_count(some)} that are traced: what is asked is "
                f"{np.asarray(found).item()!r} of all, {np.asarray(decision.answer).item()!r} of these.",
                decision,
                original,
            )


def _count(some: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(some.values())))


def _refused(what: str, decision: Decision, original: Any) -> TracingError:
    place = Location.of_instruction(*decision.site) if decision.site else definition(original.function)
    return TracingError(f"The objective decides by what is in its data, and {what}", place, REMEDY)


def _same(found: Any, decision: Decision) -> bool:
    """Whether all rows give the same answer."""
    return bool(np.all(np.asarray(found) == np.asarray(decision.answer)))


def _of_all_rows(
    tape: Tape,
    decision: Decision,
    some: Mapping[str, np.ndarray],
    original: Any,
    evaluated: Callable[[Stream, Mapping[str, Any]], Any],
    known: dict[str, Any],
) -> Any:
    """Return what all rows answer; None where that does not depend on rows, or is seen by what reads it."""
    if decision.kind == "shape":
        if _is_read(tape, decision.step):
            return None
        raise NotInBlocks("a number of entries goes by their values")
    if decision.kind == "rows":
        raise NotInBlocks("it goes by their number")
    if decision.kind not in ("bool", "int", "float"):
        raise NotInBlocks("Python makes an object of them")
    text, given = _Text(tape, some, _outside(original)).of(decision.step)
    if not given & some.keys():
        return None
    inputs = {
        step.template.name: tape.values[k] for k, step in enumerate(tape.steps) if k in tape.values and _named(step)
    }
    free = {name: value for name, value in inputs.items() if name in given and name not in some}
    if text not in known:
        plan = plan_of_module(text, ["decision"], {"": np.zeros(0)} | free, some)
        known[text] = evaluated(Stream(plan), free)
    return known[text]


def _named(step: Any) -> bool:
    return step.operation is None and isinstance(step.template, Leaf)


def _is_read(tape: Tape, index: int) -> bool:
    """Whether later steps read a step, and so the value of the objective may."""
    return any(index in step.inputs for step in tape.steps[index + 1 :])


def _outside(original: Any) -> list[Any]:
    """Return the plain numbers among the globals of the objective."""
    space = getattr(original.function, "__globals__", {})
    return [value for value in space.values() if type(value) in (int, float)]


class _Text:
    """What leads to a step, as a function of the data."""

    def __init__(self, tape: Tape, some: Mapping[str, np.ndarray], numbers: list[Any]) -> None:
        self.tape, self.some, self.numbers = tape, some, numbers
        self.rows = _count(some)

    def of(self, index: int) -> tuple[str, set[str]]:
        """Return the text of a module, and the names that its function takes."""
        needed = {index}
        for k in range(index, -1, -1):
            if k in needed:
                needed.update(self.tape.steps[k].inputs)
        arguments, lines = [], []
        for k in sorted(needed):
            step = self.tape.steps[k]
            if step.level == PARAMETER:
                raise NotInBlocks("it depends on the parameters")
            if _named(step):
                arguments.append(step.template.name)
            elif step.operation is not None:
                lines.append(f"    v{k} = {self._called(step)}")
        head = f"def decision({', '.join(arguments)}):"
        return "\n".join(["import numpy as np", "", head, *lines, f"    return {self._name(index)}", ""]), set(
            arguments
        )

    def _name(self, k: int, site: Any = None) -> str:
        step = self.tape.steps[k]
        if step.operation is not None:
            return f"v{k}"
        return step.template.name if _named(step) else self._constant(self.tape.values[k], site)

    def _called(self, step: Any) -> str:
        names = [self._name(k, step.site) for k in step.inputs]
        if step.operation is operator.getitem:
            return f"{names[0]}[{self._index(step.template[0][1], names)}]"
        function = _spelled(step.operation)
        if step.template is None:
            return f"{function}({', '.join(names)})"
        args, options = step.template
        parts = [self._part(one, names) for one in args]
        parts += [f"{name}={self._part(one, names)}" for name, one in options.items()]
        return f"{function}({', '.join(parts)})"

    def _index(self, part: Any, names: list[str]) -> str:
        if isinstance(part, tuple):
            return ", ".join(self._index(one, names) for one in part)
        if isinstance(part, slice):
            ends = ("" if end is None else self._part(end, names) for end in (part.start, part.stop, part.step))
            return ":".join(ends)
        return self._part(part, names)

    def _part(self, part: Any, names: list[str]) -> str:
        """Return an argument of a call: numbers in it are small, or such as only the number of rows could be."""
        if isinstance(part, Slot):
            return names[part.position]
        if isinstance(part, tuple | list):
            inside = ", ".join(self._part(one, names) for one in part)
            return f"({inside},)" if isinstance(part, tuple) else f"[{inside}]"
        if part is None or isinstance(part, bool | str):
            return repr(part)
        return self._constant(part, None)

    def _constant(self, value: Any, site: Any) -> str:
        """Return a number that the objective's own text has, or that is the number of rows."""
        if np.ndim(value) or np.asarray(value).dtype.kind not in "biuf":
            raise NotInBlocks("it reads an array, or an object, that the objective makes")
        number = np.asarray(value).item()
        if type(number) is int and number == self.rows:
            return f"len({next(iter(self.some))})"
        written = [one for one in (site[0].co_consts if site else ()) if type(one) in (int, float, bool)]
        if isinstance(number, bool) or not np.isfinite(number) or abs(number) in {*written, *self.numbers, *_SMALL}:
            return {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}.get(repr(number), repr(number))
        raise NotInBlocks(f"{number!r} may go by the number of rows")


def _spelled(operation: Any) -> str:
    """Return how a function of NumPy is called."""
    name = getattr(operation, "__name__", "")
    own: Iterator[tuple[str, Any]] = ((place, getattr(module, name, None)) for place, module in _MODULES)
    for place, function in own:
        if function is operation:
            return f"{place}.{name}"
    raise NotInBlocks(f"{name or operation} of rows is not known to treat each by itself")


_MODULES = (("np", np), ("np.linalg", np.linalg))
