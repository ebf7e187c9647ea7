"""The classes of a tape's steps: those that do the same to the same kinds of operand, wherever the operands come from.

One sweep with two dictionaries. Positions read (`x[i]`) and constants are left out of what makes a class, so that the
steps of a loop's body fall into as many classes as the body has operations, whatever the trip count. Of the loop at the
head of `batching.py`:

    step             identity: it computes the same         key: it is of the same class
     4  p[0]         indexing, of 0, at 0                    indexing, of class p, at one position
    15  p[0]         the same, so 15 is 4                    -
     8  p[1]         indexing, of 0, at 1                    that of 4
     6  4 * 5        multiply, of 4 and 5                    multiply, of classes p[.] and X[., .]
    17  4 * 16       multiply, of 4 and 16                   that of 6
     7  3 - 6        subtract, of 3 and 6                    subtract, of classes y[.] and (p[.] * X[., .])
    11  7 - 10       subtract, of 7 and 10                   another one: its first operand is of the class of 7

Operands come before who reads them, so when a step is met their classes are known, and one sweep is enough. But a sum
(`total`) has a set of classes in its key, and two sums of a loop may differ by a term that an `if` adds. Those that
have a kind of term in common are labelled as one class, and the sweep is repeated with the labels, as what reads them
changes its class as well: at most ROUNDS times.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from autoopt.tape.operations import greatest, least, pack, product, total
from autoopt.tape.tape import Leaf, Slot, Step, Tape

INPUT, CONSTANT, READ, OTHER = "input", "constant", "read", "other"
"""What a class is: an input of the tape, constants of one type, reads at static positions, steps of any other kind."""

ROUNDS = 4
"""The most sweeps that are made with sums joined that are alike but for some of their terms."""

SQUARES = 3
"""The most exponents at one place of the code that stay powers of their own: a square is cheaper than a power."""

VARIADIC = frozenset((total, product, greatest, least))


@dataclass
class StepClass:
    """Steps of one kind, in program order.

    Attributes
    ----------
    kind : str
    step : Step
        The first member.
    members : list of int
        Steps of the tape, no two of which compute the same.
    """

    kind: str
    step: Step
    members: list[int] = field(default_factory=list)

    @property
    def operation(self) -> Callable | None:
        """What the members do."""
        return self.step.operation

    @property
    def count(self) -> int:
        """The number of members."""
        return len(self.members)


@dataclass
class Partition:
    """A tape divided.

    Attributes
    ----------
    classes : list of StepClass
        Every class after those that its operands are of.
    of : ndarray of int
        The class of each step.
    place : ndarray of int
        Its position in the class.
    same : ndarray of int
        The first step that computes the same.
    """

    tape: Tape
    classes: list[StepClass]
    of: np.ndarray
    place: np.ndarray
    same: np.ndarray
    _tables: dict[int, np.ndarray] = field(default_factory=dict)

    def reorder(self, group: StepClass, order: np.ndarray) -> None:
        """Put the members of a class in another order."""
        self._tables.pop(id(group.members), None)
        group.members[:] = np.array(group.members)[order].tolist()
        self.place[group.members] = np.arange(group.count)

    def operands(self, steps: Any) -> np.ndarray:
        """Return the operands of `steps`, which have equally many, as a table (steps, operands)."""
        if id(steps) not in self._tables:
            tape = self.tape.steps
            width = len(tape[steps[0]].inputs)
            every = np.fromiter(chain.from_iterable([tape[step][1] for step in steps]), np.int64, width * len(steps))
            table = self.same[every].reshape(len(steps), width)
            if not isinstance(steps, list) or len(steps) == 1:
                return table
            self._tables[id(steps)] = table  # of the members of a class, asked for more than once
        return self._tables[id(steps)]


def classify(tape: Tape) -> Partition:
    """Return the classes of the steps of `tape`."""
    joined: dict[int, int] = {}
    powers = _varied_powers(tape)
    for _ in range(ROUNDS):
        sweep = _Sweep(tape, joined, powers)
        more = sweep.alike_sums()
        if not more:
            break
        joined |= more
    return sweep.divided()


def _varied_powers(tape: Tape) -> set[int]:
    """Return the places of the code (by identity) that raise to many constant powers, as `u**j` in a loop does."""
    exponents: dict[int, set[int]] = {}
    for step in tape.steps:
        if step[0] is np.power and step[2] is None and step[1][1] in tape.values:
            exponents.setdefault(id(step.site), set()).add(step[1][1])
    return {site for site, found in exponents.items() if len(found) > SQUARES}


class _Sweep:
    """One pass over the tape; `joined` labels sums that shall be of one class though their terms are of other kinds.

    `powers` are the places whose exponents are left out of what makes a class.
    """

    def __init__(self, tape: Tape, joined: dict[int, int], powers: set[int]) -> None:
        count = len(tape.steps)
        self.tape = tape
        self.joined = joined
        self.powers = powers
        self.same, self.of, self.place = list(range(count)), [0] * count, [0] * count
        self.classes: list[StepClass] = []
        self.terms: dict[int, set[int]] = {}  # of sums, the classes of their terms
        self.run()

    def run(self) -> None:
        """Fill the lists."""
        tape, same, of, place, classes = self.tape, self.same, self.of, self.place, self.classes
        known: dict[Any, int] = {}
        numbers: dict[Any, int] = {}
        for index, step in enumerate(tape.steps):
            operation, inputs, template = step[0], step[1], step[2]
            kind = OTHER
            if template is None and operation is not None and operation not in VARIADIC:
                inputs = tuple([same[source] for source in inputs])
                identity = (operation, inputs)
                key: Any = (operation, *[of[source] for source in inputs])
                if operation is np.power and inputs[1] in tape.values and id(step.site) not in self.powers:
                    key = (operation, of[inputs[0]], "=", inputs[1])
            elif operation is None:
                identity = None
                kind, key = (
                    (INPUT, ("input", index)) if type(template) is Leaf else (CONSTANT, _constant(tape.values[index]))
                )
            else:
                inputs = tuple([same[source] for source in inputs])
                kind, identity, key = _described(step, inputs, of, tape.steps[inputs[0]].shape if inputs else ())
                if index in self.joined:
                    key = (operation, "joined", self.joined[index])
            if identity is not None:
                first = known.setdefault(identity, index)
                if first != index:
                    same[index], of[index], place[index] = first, of[first], place[first]
                    continue
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(classes)
                classes.append(StepClass(kind, step))
            if operation is total:
                self.terms.setdefault(number, set()).update([of[source] for source in inputs])
            members = classes[number].members
            of[index], place[index] = number, len(members)
            members.append(index)

    def alike_sums(self) -> dict[int, int]:
        """Return a label for each sum that has a kind of term in common with sums of another class.

        Only sums at the same depth of sums in sums are joined, so that none can be a term of another.
        """
        if len(self.terms) < 2:
            return {}
        depth = self.depths()
        label = {number: number for number in self.terms}
        first: dict[Any, int] = {}

        def root(number: int) -> int:
            while label[number] != number:
                number = label[number]
            return number

        for number, terms in self.terms.items():
            step = self.classes[number].step
            for term in terms:
                if self.classes[term].kind == OTHER:
                    other = first.setdefault((term, step.shape, step.dtype, step.level, depth[number]), number)
                    label[root(number)] = root(other)
        groups: dict[int, list[int]] = {}
        for number in label:
            groups.setdefault(root(number), []).append(number)
        return {
            member: self.classes[group[0]].members[0]
            for group in groups.values()
            if len(group) > 1
            for number in group
            for member in self.classes[number].members
        }

    def operands(self, number: int) -> set[int]:
        """Return the classes of the operands of a class."""
        known = self.terms.get(number)
        return {self.of[source] for source in self.classes[number].step.inputs} if known is None else known

    def order(self) -> list[int]:
        """Return the classes with every one after those of its operands, in program order as far as that goes."""
        done = [False] * len(self.classes)
        found: list[int] = []
        for start in range(len(self.classes)):
            waiting = [start]
            while waiting:
                number = waiting[-1]
                missing = [] if done[number] else [source for source in self.operands(number) if not done[source]]
                if missing:
                    waiting += missing
                    continue
                waiting.pop()
                if not done[number]:
                    done[number] = True
                    found.append(number)
        return found

    def depths(self) -> list[int]:
        """Return for each class how many sums lie within each other in it."""
        depth = [0] * len(self.classes)
        for number in self.order():
            depth[number] = max([depth[source] for source in self.operands(number)], default=0) + (number in self.terms)
        return depth

    def divided(self) -> Partition:
        """Return what was found."""
        of = np.array(self.of)
        classes = self.classes
        if self.joined:
            order = self.order()
            classes = [classes[number] for number in order]
            of = np.argsort(order)[of]
        return Partition(self.tape, classes, of, np.array(self.place), np.array(self.same))


def _constant(value: Any) -> tuple:
    if isinstance(value, np.ndarray):
        return ("constant", value.shape, value.dtype)
    return ("constant", type(value))


def _described(step: Step, inputs: tuple[int, ...], of: list[int], shape: tuple[int, ...]) -> tuple[str, Any, Any]:
    """Return the kind of a step, what is equal only if it computes the same, and what is equal within its class.

    `shape` is that of its first operand.
    """
    operation, template = step.operation, step.template
    if operation is operator.getitem and len(inputs) == 1:
        position = template[0][1]
        if type(position) is int:
            return READ, (operation, inputs, position), (operation, of[inputs[0]], 1)
        if type(position) is tuple and all(type(part) is int for part in position):
            return READ, (operation, inputs, position), (operation, of[inputs[0]], len(position))
        if (parts := _pieces(position, shape)) is not None:
            exact, loose = parts
            return OTHER, (operation, inputs, exact), (operation, of[inputs[0]], loose, step.shape)
    traits = (step.shape, step.dtype, step.level)
    if operation in VARIADIC:
        return _variadic(step, inputs, of, traits)
    if operation is pack:
        shape = template[0][0]
        return OTHER, (operation, inputs, shape), (operation, tuple([of[source] for source in inputs]), traits)
    frozen = _frozen(template)
    if frozen is None:
        return OTHER, None, ("alone", id(step))
    return OTHER, (operation, inputs, frozen), (operation, tuple([of[source] for source in inputs]), frozen, traits)


def _variadic(step: Step, inputs: tuple[int, ...], of: list[int], traits: tuple) -> tuple[str, Any, Any]:
    """A sum is like another with the same kinds of terms, however many; a product only like one of as many factors."""
    plus = len(step.template[0]) if step.template else len(inputs)
    identity = (step.operation, inputs, plus)
    if step.operation is total:
        kinds = frozenset([of[source] for source in inputs[:plus]]), frozenset([of[source] for source in inputs[plus:]])
        return OTHER, identity, (total, *kinds, traits)
    return OTHER, identity, (step.operation, frozenset([of[source] for source in inputs]), len(inputs), traits)


def _pieces(position: Any, shape: tuple[int, ...]) -> tuple[tuple, tuple] | None:
    """Return an index of integers, slices and None exactly, and without its numbers; None if there is more in it."""
    exact: list[Any] = []
    loose: list[Any] = []
    parts = position if type(position) is tuple else (position,)
    extents = iter(() if Ellipsis in parts else shape)  # `x[0:3]` and `x[:3]` are the same
    for part in parts:
        if type(part) is int:
            exact.append(part)
            loose.append("i")
            next(extents, None)
        elif type(part) is slice:
            extent = next(extents, None)
            exact.append((part.start, part.stop, part.step) if extent is None else part.indices(extent))
            loose.append(("s", part.step))
        elif part is None or part is Ellipsis:
            exact.append("new" if part is None else "rest")
            loose.append(exact[-1])
        else:
            return None
    return tuple(exact), tuple(loose)


def _frozen(template: Any) -> Any:
    """Return a template as something that can be a key, None if it cannot."""
    kind = type(template)
    if kind in (tuple, list):
        parts = tuple([_frozen(part) for part in template])
        return None if any(part is None for part in parts) else (kind, parts)
    if kind is dict:
        parts = tuple([(key, _frozen(part)) for key, part in template.items()])
        return None if any(part is None for _, part in parts) else parts
    if kind is slice:
        return _frozen((slice, template.start, template.stop, template.step))
    if template is None:
        return "None"
    if kind is Slot:
        return ("slot", template.position)
    try:
        hash(template)
    except TypeError:
        return None
    return (kind, template)
