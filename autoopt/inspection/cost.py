"""What one evaluation costs: operations and bytes, in all and by the user's lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import Location
from autoopt.execution.engines import run_of, with_prepared
from autoopt.execution.interface import Compiled
from autoopt.graph.kinds import KINDS, LINEARIZE
from autoopt.inspection.columns import WIDTH, cut
from autoopt.inspection.counting import Tally, counting
from autoopt.inspection.modules import Module, Quotes, Statement, of_step
from autoopt.tape.tape import Step, Tape, call, values_at

_COLUMN = 13


@dataclass(frozen=True)
class StatementCost:
    """What a statement of the printed code costs in one evaluation, all its rounds in a loop together."""

    statement: Statement
    operations: int
    bytes: int


@dataclass(frozen=True, repr=False)
class KindCost:
    """What one kind of derivative costs.

    Attributes
    ----------
    operations, bytes : int
        Of one evaluation at a new point.
    linearize : int
        Those of them that are not done again for another direction at the same point.
    prepare : int
        What is done once for the data, and not counted among them.
    statements : tuple of StatementCost
        Of the printed code, in the order of its text; those that have no operations are left out.
    unknown : tuple of str
        Functions whose operations are not known: they are taken to do one for each entry of their results.
    """

    operations: int
    bytes: int
    linearize: int
    prepare: int
    statements: tuple[StatementCost, ...]
    unknown: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<{self.operations:,} operations, {self.bytes:,} bytes>"

    def by_line(self) -> dict[Location, int]:
        """Return the operations of the user's lines, in the order of the code; what belongs to none is left out."""
        found: dict[Location, int] = {}
        for one in self.statements:
            if one.statement.line is not None:
                found[one.statement.line] = found.get(one.statement.line, 0) + one.operations
        return found

    @property
    def derivatives(self) -> int:
        """The operations that the value has not and that stand for no line of the user's."""
        return self._of_no_line(of_value=False)

    @property
    def others(self) -> int:
        """Those of the value that stand for no line alone."""
        return self._of_no_line(of_value=True)

    def _of_no_line(self, of_value: bool) -> int:
        rest = (one for one in self.statements if one.statement.line is None)
        return sum(one.operations for one in rest if one.statement.of_value is of_value)


@dataclass(frozen=True, repr=False)
class Cost:
    """What one evaluation of an objective and its derivatives costs, to be printed.

    Attributes
    ----------
    title : str
        Whose cost it is.
    kinds : dict of str to KindCost
        By the names that `Objective.source` takes.
    missing : dict of str to str
        Why others are not counted.
    """

    title: str
    kinds: dict[str, KindCost]
    missing: dict[str, str]

    def __getitem__(self, kind: str) -> KindCost:
        return self.kinds[kind]

    def __repr__(self) -> str:
        return f"<cost of {self.title}: {', '.join(f'{name} {cost!r}' for name, cost in self.kinds.items())}>"

    @property
    def total(self) -> dict[str, int]:
        """The operations of one evaluation of each kind."""
        return {name: cost.operations for name, cost in self.kinds.items()}

    def by_line(self) -> dict[Location, dict[str, int]]:
        """Return the operations of each kind by the user's lines, in their order."""
        found: dict[Location, dict[str, int]] = {}
        for name, cost in self.kinds.items():
            for place, count in cost.by_line().items():
                found.setdefault(place, {})[name] = count
        return dict(sorted(found.items(), key=lambda pair: (pair[0].file, pair[0].line)))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as numbers and texts, for JSON."""
        return {
            "title": self.title,
            "kinds": {
                name: {
                    "operations": cost.operations,
                    "bytes": cost.bytes,
                    "prepare": cost.prepare,
                    "linearize": cost.linearize,
                    "derivatives": cost.derivatives,
                    "others": cost.others,
                    "lines": [
                        {"file": place.file, "line": place.line, "operations": count}
                        for place, count in cost.by_line().items()
                    ],
                    "statements": [
                        {"text": one.statement.text, "operations": one.operations, "bytes": one.bytes}
                        for one in cost.statements
                    ],
                    "unknown": list(cost.unknown),
                }
                for name, cost in self.kinds.items()
            },
            "missing": dict(self.missing),
        }

    def __str__(self) -> str:
        return "\n".join(self._rows())

    def _rows(self) -> Iterator[str]:
        kinds = self.kinds
        left = WIDTH - _COLUMN * len(kinds)
        yield f"Operations of one evaluation of {self.title}"
        yield " " * left + "".join(f"{name:>{_COLUMN}}" for name in kinds)
        quoted = {one.statement.line: one.statement.quoted for cost in kinds.values() for one in cost.statements}
        for place, counts in self.by_line().items():
            label = f"{place.line:>4} | {quoted[place]}"
            yield _line(label, [counts.get(name) for name in kinds], left)
        if any(cost.others for cost in kinds.values()):
            yield _line("       of no line alone", [cost.others or None for cost in kinds.values()], left)
        yield _line("       of the derivatives", [cost.derivatives or None for cost in kinds.values()], left)
        yield _line("       in all", [cost.operations for cost in kinds.values()], left)
        if any(cost.linearize for cost in kinds.values()):
            yield _line("       of these once for a point", [cost.linearize or None for cost in kinds.values()], left)
        if any(cost.prepare for cost in kinds.values()):
            yield _line("       besides once for the data", [cost.prepare or None for cost in kinds.values()], left)
        yield _line("       bytes read and written", [cost.bytes for cost in kinds.values()], left)
        for name, reason in self.missing.items():
            yield f"{name}: not counted, {reason}"
        unknown = sorted({name for cost in kinds.values() for name in cost.unknown})
        if unknown:
            yield f"Counted as one operation for each entry of the result: {', '.join(unknown)}."


def kind_cost(compiled: Compiled, kind: str, tape: Tape, x: np.ndarray, quotes: Quotes) -> KindCost:
    """Return what the printed functions of one kind cost at a point where they hold, for the data of `tape`."""
    inner = getattr(compiled, "product", None)  # of a matrix that the engine puts together from products
    own = kind if inner is None else compiled.kind  # type: ignore[attr-defined]
    module = Module(compiled.text, own, quotes)
    namespace, tally = counting(module)
    with np.errstate(all="ignore"):
        prepared = with_prepared(namespace, compiled.inputs.of(tape))
        prepare = sum(tally.operations.values())
        tally.begin()
        run = run_of(namespace, own, prepared, tape)
        for direction in [_directions(own, x, tape)] if inner is None else _units(compiled):
            run(x, *direction)
    at = tally.operations
    statements = tuple(
        StatementCost(one, at[k], tally.bytes[k]) for k, one in enumerate(module.statements) if at[k] or tally.bytes[k]
    )
    linearize = sum(one.operations for one in statements if one.statement.function == LINEARIZE)
    return KindCost(
        sum(at.values()), sum(tally.bytes.values()), linearize, prepare, statements, (*sorted(tally.unknown),)
    )


def value_along(tape: Tape, x: np.ndarray) -> KindCost:
    """Return what the value costs step by step along a tape that no code is printed of."""
    tally, numbers = Tally(), dict[Any, int]()
    statements: list[Statement] = []

    def evaluated(step: Step, inputs: list) -> Any:
        if step.site not in numbers:
            numbers[step.site] = len(statements)
            statements.append(of_step(step))
        result = call(step, inputs)
        tally.at(numbers[step.site])
        tally.add(step.operation, tuple(inputs), result)
        return result

    with np.errstate(all="ignore"):
        values_at(tape, x, evaluated)
    costs = tuple(StatementCost(one, tally.operations[k], tally.bytes[k]) for k, one in enumerate(statements))
    done, moved = sum(tally.operations.values()), sum(tally.bytes.values())
    return KindCost(done, moved, 0, 0, costs, tuple(sorted(tally.unknown)))


def _directions(kind: str, x: np.ndarray, tape: Tape) -> tuple[np.ndarray, ...]:
    """Return a direction, or weights, for a kind that takes one."""
    if not KINDS[kind].directed:
        return ()
    return (np.ones(tape.steps[tape.output].shape if kind.startswith("pullback") else x.shape),)


def _units(matrix: Any) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield the directions of the products that make a matrix."""
    rows, columns = matrix.shape
    yield from ((unit,) for unit in np.eye(rows if matrix.by_rows else columns))


def _line(label: str, counts: Sequence[int | None], left: int) -> str:
    columns = "".join(f"{'' if count is None else f'{count:,}':>{_COLUMN}}" for count in counts)
    return f"{cut(label, left - 1):<{left}}{columns}".rstrip()
