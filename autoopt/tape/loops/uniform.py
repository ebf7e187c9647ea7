"""Iterations of a few kinds written as iterations of one kind, of which a recurrence can be made.

Every iteration gets the steps of all kinds, and what it hands on is chosen by a mask that says which kind it is of:

    for t in range(12):                                       for t in range(12):
        h = np.tanh(p[1] * h)                                     h1 = np.tanh(p[1] * h)
        if seen[t]:                                    ->         e = np.where(taken[t], h1, 0.5)
            h = h + p[2] * (y[t] - h)                             h2 = e + p[2] * (y[t'] - e)
                                                                  h = np.where(taken[t], h2, h1)

What an iteration computes though its branch is not taken is never read: its mask is False. But a slope of zero times
one that is infinite or not a number is not a number, so such steps get harmless operands. Numbers that the iteration
hands into the branch are replaced (0.5 above), those that functions with poles or limits read within it as well, and
matrices to be inverted by the unit matrix. Reads of arrays are those of the last iteration that took the branch (t'),
as the entry of its own may be what the branch avoids: a missing value. Where the branch is taken nothing is changed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np

from autoopt.tape.loops.kinds import CARRIED, FIXED, INNER, LISTED, Atom, Kinds, kinds_of_iterations
from autoopt.tape.loops.runs import FLOAT, Order
from autoopt.tape.names import qualified
from autoopt.tape.operations import component, pack, total
from autoopt.tape.rewriter import TapeRewriter
from autoopt.tape.tape import CONSTANT, PARAMETER, Slot, Step, Tape, Template

SMOOTH: frozenset[Callable] = frozenset(
    (
        np.add, np.subtract, np.multiply, np.negative, np.positive, np.square, np.sin, np.cos, np.tanh, np.arctan,
        np.matmul, np.dot, np.sum, np.mean, np.transpose, np.reshape, np.ravel, np.where, np.outer, np.concatenate,
        np.broadcast_to, np.trace, np.diagonal, np.diag, np.einsum, np.expand_dims, np.squeeze, np.greater, np.less,
        np.greater_equal, np.less_equal, np.equal, np.not_equal, operator.getitem, pack, total, component,
    )
)  # fmt: skip
"""Functions whose values and slopes are finite wherever their operands are."""

INVERTING = frozenset(
    f"{place}.{name}"
    for place in ("np.linalg", "scipy.linalg")
    for name in ("inv", "solve", "cholesky", "det", "slogdet", "cho_factor")
)
"""Functions of a matrix that harm where it is singular; where it is the unit matrix, none does."""


def uniform(tape: Tape) -> Tape | None:
    """Return an equal tape in which the iterations of a loop of a few kinds are all alike; None if there is none."""
    order = Order(tape)
    kinds = kinds_of_iterations(order)
    if kinds is None:
        return None
    writer = _Uniform(tape, kinds)
    return writer.tape() if writer.is_possible() else None


class _Uniform(TapeRewriter):
    """The new tape under construction."""

    def __init__(self, old: Tape, kinds: Kinds) -> None:
        super().__init__(old)
        self.kinds = kinds
        self.every = frozenset(range(len(kinds.places)))
        self.members = [dict(zip(places, range(len(places)), strict=True)) for places in kinds.places]
        self.samples = [self.sample(position) for position in range(kinds.merged)]
        self.donors: dict[frozenset[int], list[int]] = {}
        self.units: dict[int, int] = {}
        self.masks: dict[frozenset[int], int] = {}
        self.harmless: dict[tuple[int, frozenset[int], int], int] = {}
        self.current: list[int | None] = []

    def sample(self, position: int) -> Step:
        """Return a step that has the position."""
        kind = min(self.kinds.has[position])
        return self.old.steps[self.kinds.blocks[self.kinds.of.index(kind)][self.members[kind][position]]]

    def donor(self, kinds: frozenset[int], t: int) -> int:
        """Return the last iteration up to t that is of one of the kinds, or else the first."""
        if kinds not in self.donors:
            latest = next(t for t, kind in enumerate(self.kinds.of) if kind in kinds)
            line = self.donors[kinds] = []
            for one, kind in enumerate(self.kinds.of):
                latest = one if kind in kinds else latest
                line.append(latest)
        return self.donors[kinds][t]

    def in_iteration(self, t: int, position: int) -> int:
        """Return the old step at a position of an iteration that has it."""
        return self.kinds.blocks[t][self.members[self.kinds.of[t]][position]]

    def is_possible(self) -> bool:
        """Whether harmless operands are known for all that a branch computes, and what is handed on is of one shape."""
        for position, has in enumerate(self.kinds.has):
            step = self.samples[position]
            if has != self.every and step.level == PARAMETER and not self._is_known(step):
                return False
            for slot in self.kinds.operands[position]:
                if len({self._traits(atom) for atom in slot.values() if atom.sort != LISTED}) > 1:
                    return False
        for variable in self.kinds.variables:
            traits = {self.samples[position].shape for position in variable.sets.values() if position is not None}
            if variable.initial is not None:
                traits.add(self.old.steps[variable.initial].shape)
            if len(traits) > 1:
                return False
            if any(p is not None and self.samples[p].dtype != FLOAT for p in variable.sets.values()):
                return False
        return True

    def _is_known(self, step: Step) -> bool:
        assert step.operation is not None
        if step.operation in SMOOTH or qualified(step.operation) in INVERTING:
            return True
        return isinstance(step.operation, np.ufunc) and step.operation.nout == 1

    def _traits(self, atom: Atom) -> tuple[int, ...]:
        """Return the shape of what an atom stands for."""
        if atom.sort == INNER:
            return self.samples[atom.what].shape
        if atom.sort == FIXED:
            return self.old.steps[atom.what].shape
        sets = self.kinds.variables[atom.what].sets.values()
        return next(self.samples[position].shape for position in sets if position is not None)

    def tape(self) -> Tape:
        """Return the new tape."""
        first, last = self.kinds.blocks[0][0], self.kinds.blocks[-1][-1]
        for index in range(first):
            self.take(index)
        for index in range(first, last + 1):
            if self.old.steps[index].operation is None:
                self.take(index)
        self.half = [self.constant(np.array(0.5 / (k + 1))) for k in range(3)]
        self.tables = {kinds: self._table(kinds) for kinds in self._masked()}
        self.current = [
            None if variable.initial is None else self.at(variable.initial) for variable in self.kinds.variables
        ]
        for t in range(len(self.kinds.blocks)):
            self.iteration(t)
        for index in range(last + 1, len(self.old.steps)):
            self.take(index)
        return self.finished()

    def _masked(self) -> set[frozenset[int]]:
        """Return the sets of kinds for which a mask may be asked."""
        masked = set(self.kinds.has) - {self.every}
        for slots in self.kinds.operands:
            for slot in slots:
                masked |= {kinds for kinds, _ in self.by_atom(slot)}
        for variable in self.kinds.variables:
            masked |= {kinds for kinds, _ in self.by_place(variable.sets)}
        return masked

    def _table(self, kinds: frozenset[int]) -> int:
        return self.constant(np.array([kind in kinds for kind in self.kinds.of]))

    def by_atom(self, slot: dict[int, Atom]) -> list[tuple[frozenset[int], Atom]]:
        """Return the atoms of an operand, each with its kinds."""
        atoms = dict.fromkeys(slot.values())
        return [(frozenset(kind for kind, one in slot.items() if one == atom), atom) for atom in atoms]

    def by_place(self, sets: dict[int, int | None]) -> list[tuple[frozenset[int], int]]:
        """Return the positions that set a variable, each with its kinds."""
        places = dict.fromkeys(position for position in sets.values() if position is not None)
        return [(frozenset(kind for kind, one in sets.items() if one == place), place) for place in places]

    # One iteration --------------------------------------------------------------------------------------------------

    def iteration(self, t: int) -> None:
        """Enter all steps of one iteration, its own and those of the other kinds, and choose what it hands on."""
        kinds, steps = self.kinds, self.old.steps
        self.t, self.masks, self.harmless = t, {}, {}
        self.made: list[int | None] = []
        for position in range(kinds.merged):
            donor = self.donor(kinds.has[position], t)
            index = self.in_iteration(donor, position)
            inputs = [self.operand(position, k) for k in range(len(steps[index].inputs))]
            if any(source is None for source in inputs):
                self.made.append(None)
                continue
            new = self.append(steps[index]._replace(inputs=tuple(source for source in inputs if source is not None)))
            self.made.append(new)
            if donor == t:
                self.number[index] = new
        self.current = [self.handed_on(number) for number in range(len(kinds.variables))]

    def handed_on(self, number: int) -> int | None:
        """Return the step of a variable after this iteration."""
        variable = self.kinds.variables[number]
        places = self.by_place(variable.sets)
        values: list[tuple[frozenset[int], int | None]] = [(kinds, self.made[place]) for kinds, place in places]
        left = self.every - frozenset().union(*(kinds for kinds, _ in values))
        if left:
            values.append((left, self.current[number]))
        return self.chosen(values)

    def chosen(self, values: list[tuple[frozenset[int], int | None]]) -> int | None:
        """Return the step among `values` of which the kinds are those of this iteration, chosen by masks."""
        kind = self.kinds.of[self.t]
        if any(step is None for _, step in values):  # at the beginning, where nothing has been set
            return next((step for kinds, step in values if kind in kinds), None)
        *others, (_, value) = values
        for kinds, step in others:
            assert step is not None and value is not None
            value = self.where(kinds, step, value)
        return value

    def where(self, kinds: frozenset[int], one: int, other: int) -> int:
        """Add `np.where(mask, one, other)`."""
        step = self.steps[one]
        return self.append(
            Step(np.where, (self.mask(kinds), one, other), None, step.shape, FLOAT, PARAMETER, step.site)
        )

    def mask(self, kinds: frozenset[int]) -> int:
        """Return the step that says whether this iteration is of one of the kinds."""
        if kinds not in self.masks:
            template: Template = ((Slot(0), self.t), {})
            step = Step(operator.getitem, (self.tables[kinds],), template, (), np.dtype(bool), CONSTANT, None)
            self.masks[kinds] = self.append(step)
        return self.masks[kinds]

    def operand(self, position: int, k: int) -> int | None:
        """Return the step that one operand of a position is in this iteration."""
        kinds, has, step = self.kinds, self.kinds.has[position], self.samples[position]
        values: list[tuple[frozenset[int], int | None]] = []
        entering = False
        for own, atom in self.by_atom(kinds.operands[position][k]):
            if atom.sort == INNER:
                values.append((own, self.made[atom.what]))
                read = self.samples[atom.what]
                entering |= not kinds.has[atom.what] <= has
                entering |= read.level != PARAMETER and read.operation is not operator.getitem
            elif atom.sort == CARRIED:
                values.append((own, self.current[atom.what]))
                entering = True
            elif atom.sort == FIXED:
                values.append((own, self.at(atom.what)))
            else:
                index = self.in_iteration(self.donor(own, self.t), position)
                values.append((own, self.at(self.old.steps[index].inputs[k])))
        source = self.chosen(values)
        if has == self.every or step.level != PARAMETER or source is None:
            return source
        return self.safe(source, has, k, step, entering)

    def safe(self, source: int, has: frozenset[int], k: int, step: Step, entering: bool) -> int:
        """Return an operand of a step that only some kinds have, harmless in iterations of the others."""
        read = self.steps[source]
        if read.dtype != FLOAT or read.level == CONSTANT:
            return source
        assert step.operation is not None
        if qualified(step.operation) in INVERTING and k == 0:
            unit = self.unit(read.shape[-1])
            return self.replaced(source, has, unit)
        risky = step.operation not in SMOOTH and not (step.operation is np.true_divide and k == 0)
        return self.replaced(source, has, self.half[min(k, 2)]) if entering or risky else source

    def replaced(self, source: int, has: frozenset[int], other: int) -> int:
        """Return `np.where(mask, source, other)`, once for the same."""
        key = source, has, other
        if key not in self.harmless:
            self.harmless[key] = self.where(has, source, other)
        return self.harmless[key]

    def unit(self, n: int) -> int:
        """Return the unit matrix."""
        if n not in self.units:
            self.units[n] = self.constant(np.eye(n))
        return self.units[n]
