r"""A tape as formulas: the parameters, the data, and the user's variables that lie between them and the value.

    z = X @ w                              z : an Array, whose entry at i is sum_j X_ij w_j
    return np.sum(np.exp(z) - y * z)       the value : sum_i (exp(z_i) - y_i z_i)

What has no name of the user's has no symbol either; it is written out where it is read. How an operation is written is
a function in `FORMS`.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from autoopt.closed_form.functions import CALLS, as_number
from autoopt.closed_form.operands import At, Operand, lifted
from autoopt.closed_form.text import figure
from autoopt.closed_form.tree import Array, Entry, Index, Node, Number
from autoopt.errors import Location, display_path
from autoopt.tape.assignments import assigned_names
from autoopt.tape.names import qualified
from autoopt.tape.operations import astype, component, put, total
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.simplify import needed_steps
from autoopt.tape.tape import PARAMETER, Leaf, Tape, call, fill

LONGEST = 1000
"""A formula of more nodes than this is no text that anybody reads."""

LOOP = "a loop in which each iteration needs the one before"

AGAIN = 3
"""A name that is given more often adds something up, and is written out."""

MOST = 12
"""Arrays of so many numbers that stand in the code are written out."""

Form = Callable[["Call", At], Node]

FORMS: dict[Any, Form] = {}
"""How the entry of an operation's result is computed, by NumPy's or SciPy's function."""


class NoForm(Exception):
    """What is here has no form that could be written; the message says what, `where` the user's line."""

    def __init__(self, what: str, where: Location | None = None) -> None:
        super().__init__(what)
        self.where = where


def form(*operations: Any) -> Callable[[Form], Form]:
    """Register how operations are written."""

    def register(function: Form) -> Form:
        FORMS.update(dict.fromkeys(operations, function))
        return function

    return register


class Call:
    """A step of the tape as a call."""

    def __init__(self, reader: Reader, index: int) -> None:
        step = reader.tape.steps[index]
        self.reader, self.index = reader, index
        self.operation: Any = step.operation
        self.shape, self.where = step.shape, step.location
        inputs = [Operand(reader, k) for k in step.inputs]
        self.args, self.options = (inputs, {}) if step.template is None else fill(step.template, inputs)

    def users(self) -> set[Any]:
        """Return the operations that its result is given to."""
        return self.reader.users(self.index)

    def operand(self, position: int) -> Operand:
        """Return an argument that is an array or a number."""
        return lifted(self.reader, self.args[position])

    def option(self, name: str, position: int | None = None, default: Any = None) -> Any:
        """Return an option as a plain value, wherever it stands."""
        found = self.options.get(name, default)
        if position is not None and len(self.args) > position:
            found = self.args[position]
        return found.value if isinstance(found, Operand) else found

    def refused(self, what: str) -> NoForm:
        return NoForm(what, self.where)


class Reader:
    """The formulas of a tape.

    Parameters
    ----------
    tape : Tape
    pieces : dict of int to Array
        The parameters by the steps that read them.
    is_short : bool
        Whether loops were put together, so that a variable that is assigned several times is none.
    origins : dict of str to str
        What arrays are that the code makes of its arguments before it is recorded, by name, as text; empty where that
        is not known.
    roots : dict of str to str
        The argument that an array is a part of, by its name.
    """

    def __init__(
        self, tape: Tape, pieces: dict[int, Array], is_short: bool, origins: dict[str, str], roots: dict[str, str]
    ) -> None:
        self.tape, self.pieces, self.is_short, self.origins, self.roots = tape, pieces, is_short, origins, roots
        self.live = live_steps(tape)
        self.names = self._names()
        self.arrays: dict[int, Array] = dict(pieces)  # by step, in the order of the tape
        self._known: dict[int, Any] = dict(tape.values)
        self._letters: dict[Any, Array] = {}
        self._entries: dict[tuple[int, At], Node] = {}

    def _names(self) -> dict[int, str]:
        """Return the user's names of steps, marked where one name is given several times."""
        names = {k: name for k, name in sorted(assigned_names(self.tape).items()) if k in self.live}
        for k in sorted(self.live):
            step = self.tape.steps[k]
            if step.operation is put and step.inputs[0] in names:  # what is written into an array stays that array
                names[k] = names.pop(step.inputs[0])
        if self.is_short:
            often = Counter(names.values())
            names = {k: name for k, name in names.items() if often[name] == 1}
        leaves = [getattr(step.template, "name", step.template) for step in self.tape.steps if step.operation is None]
        taken = Counter({piece.name for piece in self.pieces.values()} | {str(name) for name in leaves if name})
        found = {}
        given = Counter(names.values())
        names = {k: name for k, name in names.items() if given[name] <= AGAIN}
        for k, name in names.items():
            if k in self.pieces or k == self.tape.output or component in self.users(k):
                continue  # of several results, which are variables of their own
            found[k] = name + "'" * taken[name]
            taken[name] += 1
        return found

    def users(self, index: int) -> set[Any]:
        """Return the operations that a step's result is given to."""
        steps = self.tape.steps
        return {steps[k].operation for k in self.live if index in steps[k].inputs}

    def known(self, index: int) -> Any:
        """Return what a step is that does not depend on the parameters."""
        if index not in self._known:
            step = self.tape.steps[index]
            if step.level == PARAMETER:
                raise NoForm("what an option is depends on the parameters", step.location)
            self._known[index] = call(step, [self.known(k) for k in step.inputs])
        return self._known[index]

    def entry(self, index: int, at: At) -> Node:
        """Return an entry of a step."""
        step = self.tape.steps[index]
        if index in self.arrays:
            return Entry(self.arrays[index], at)
        if step.operation is None:
            return self._leaf(index, at)
        if index in self.names and (made := self._defined(index)) is not None:
            return Entry(made, at)
        return self.computed(index, at)

    def _apart(self, name: str) -> str:
        """Return another name for data that are called as a parameter is: of `age` that of its table, or `x_age`."""
        root = self.roots.get(name, "data")
        leaves = (getattr(step.template, "name", step.template) for step in self.tape.steps if step.operation is None)
        taken = {*self.names.values(), *map(str, leaves), *(piece.name for piece in self.pieces.values())}
        return f"x_{name}" if root == name and f"x_{name}" not in taken else f"{root}_{name}"

    def _leaf(self, index: int, at: At) -> Node:
        template = self.tape.steps[index].template
        name = template.name if isinstance(template, Leaf) else template
        if name is None:
            return self.constant(self.tape.values[index], at)
        if not np.ndim(self.tape.values[index]) and not isinstance(template, Leaf):
            return self.constant(self.tape.values[index], at)
        value = self.tape.values[index]
        name = str(name)
        shown = self._apart(name) if name in {one.name for one in self.pieces.values()} else name
        made = self.arrays[index] = Array(shown, np.shape(value), value=value)
        if (text := self.origins.get(name)) is not None:
            made.name, made.note = "", f"computed of the data alone{text and ': '}{text}"
        return Entry(made, at)

    def _defined(self, index: int) -> Array | None:
        """Return a variable of the user's, None if it is but a number, or another one."""
        step = self.tape.steps[index]
        if step.level < PARAMETER and not step.shape:
            return None
        indices = tuple(Index.fresh(n) for n in step.shape)
        body = self.computed(index, indices)
        if isinstance(body, Number) or (isinstance(body, Entry) and body.at == indices):
            if isinstance(body, Number) or body.array.name:
                return None
            if body.array.note or (body.array.of and body.array.of[0] == "cholesky"):
                body.array.name = self.names[index]
            return None
        made = Array(self.names[index], step.shape, indices, body, moves=step.level == PARAMETER, where=step.location)
        if not made.moves and isinstance(body, Entry) and body.array.note:
            value = np.asarray(self.known(index))
            made = Array(made.name, made.shape, value=value, where=step.location, note=_origin(step.location))
        self.arrays[index] = made
        return made

    def computed(self, index: int, at: At) -> Node:
        """Return how an entry of a step is computed."""
        if (index, at) not in self._entries:
            self._entries[index, at] = self._first_computed(index, at)
        return self._entries[index, at]

    def _first_computed(self, index: int, at: At) -> Node:
        step = self.tape.steps[index]
        try:
            made = self._computed(index, at)
        except NoForm as none:
            if step.level == PARAMETER:
                none.where = none.where or step.location
                raise
            return self._of_data(index, at)
        if made.size > LONGEST:
            raise NoForm("a formula that is too long to be read", step.location)
        return made

    def _computed(self, index: int, at: At) -> Node:
        whole = Call(self, index)
        if whole.operation in FORMS:
            return FORMS[whole.operation](whole, at)
        if isinstance(whole.operation, Recurrence):
            raise whole.refused(LOOP)
        if whole.operation not in CALLS:
            raise whole.refused(qualified(whole.operation))
        if whole.operation is astype:
            whole.args = whole.args[:1]
            if self.tape.steps[index].dtype.kind != "f" and whole.args[0].moves:
                raise whole.refused("a conversion of the parameters to whole numbers or conditions")
        elif any(name != "minus" for name in whole.options) or (whole.options and whole.operation is not total):
            raise whole.refused(f"{qualified(whole.operation)} with {', '.join(whole.options)}")
        operands = [lifted(self, part).stretched(whole.shape, at) for part in whole.args]
        if CALLS[whole.operation] not in _OF_CONDITIONS:
            operands = [as_number(one) for one in operands]
        made = CALLS[whole.operation](*operands)
        for part in whole.options.get("minus", ()):
            made = CALLS[np.subtract](made, lifted(self, part).stretched(whole.shape, at))
        return made

    def constant(self, value: Any, at: At) -> Node:
        """Return an entry of an array that stands in the code."""
        entries = np.unique(np.asarray(value))
        if entries.dtype.kind not in "fiub":
            raise NoForm(f"a value of type {type(value).__name__}")
        if len(entries) == 1:
            return Number(float(entries[0]))
        place = tuple(int(k.value) for k in at if isinstance(k, Number))
        if len(place) == len(at):
            return Number(float(np.asarray(value)[place]))
        if self.is_short or np.ndim(value) != 1 or len(value) > MOST:
            raise NoForm("an array of numbers without a name")
        key = (np.shape(value), np.asarray(value).tobytes())
        if key not in self._letters:
            shown = ", ".join(figure(float(x)).text for x in value)
            self._letters[key] = Array("", np.shape(value), value=np.asarray(value), note=f"$({shown})$")
        return Entry(self._letters[key], at)

    def _of_data(self, index: int, at: At) -> Node:
        """Return an entry of what is computed of the data and has no notation, by a letter."""
        if index not in self._letters:
            value, where = np.asarray(self.known(index)), self.tape.steps[index].location
            if value.dtype.kind not in "fiub":
                raise NoForm(f"values of type {value.dtype}", where)
            self._letters[index] = Array("", value.shape, value=value, where=where, note=_origin(where))
        return Entry(self._letters[index], at)

    def array(self, operand: Operand) -> Array:
        """Return an operand as an array with a symbol: its own, or a letter."""
        indices = tuple(Index.fresh(n) for n in operand.shape)
        body = operand.entry(indices)
        if isinstance(body, Entry) and body.at == indices:
            return body.array
        key = ("array", operand.index)
        if key not in self._letters:
            self._letters[key] = Array("", operand.shape, indices, body, moves=operand.moves)
        return self._letters[key]


_OF_CONDITIONS = {CALLS[one] for one in (np.logical_and, np.logical_or, np.logical_not, np.where, astype)}
_OF_CONDITIONS |= {CALLS[one] for one in (np.bitwise_and, np.bitwise_or, np.invert)}


def _origin(where: Location | None) -> str:
    place = f": {where.expression} ({display_path(where.file)}:{where.line})" if where else ""
    return f"computed of the data alone{place}"


def live_steps(tape: Tape) -> set[int]:
    """Return the steps that the value depends on, and those that were decided by."""
    return {k for k, is_needed in enumerate(needed_steps(tape)) if is_needed}


def pieces_of(tape: Tape, named: Callable[[int], str], shape: tuple[int, ...] | None) -> dict[int, Array] | None:
    """Return the parts of the parameters by the steps that read them; None if they are read as a whole.

    `shape` is that of the parameters where they are one array or number, `named` says what a step is called.
    """
    live = live_steps(tape)
    length = tape.steps[0].shape[0]
    found: dict[int, tuple[int, int]] = {}
    for k in sorted(live - {0}):
        step = tape.steps[k]
        if 0 not in step.inputs:
            continue
        index = step.template[0][1] if step.operation is operator.getitem and step.template else None
        if type(index) is tuple and len(index) == 1:
            index = index[0]
        if isinstance(index, int | np.integer) and not isinstance(index, bool):
            found[k] = (int(index) % length, int(index) % length + 1)
        elif isinstance(index, slice) and index.indices(length)[2] == 1:
            found[k] = index.indices(length)[:2]
        else:
            return None
    ranges = sorted(set(found.values()))
    if any(a[1] > b[0] for a, b in pairwise(ranges)):
        return None
    return _arrays(tape, live, found, named, shape)


def _arrays(
    tape: Tape,
    live: set[int],
    found: dict[int, tuple[int, int]],
    named: Callable[[int], str],
    shape: tuple[int, ...] | None,
) -> dict[int, Array] | None:
    """Return the arrays of the parts; a part that is only read as a matrix is that matrix."""
    leaf = tape.steps[0].template.name
    made: dict[tuple[int, int], Array] = {}
    pieces: dict[int, Array] = {}
    for k, (start, stop) in found.items():
        users = [j for j in sorted(live) if k in tape.steps[j].inputs]
        shapes = {tape.steps[j].shape for j in users if tape.steps[j].operation is np.reshape}
        shapes = {one for one in shapes if sum(n != 1 for n in one) > 1}
        is_shaped = len(shapes) == 1 and all(tape.steps[j].operation is np.reshape for j in users)
        name = named(k) or next((named(j) for j in users if is_shaped and named(j)), "")
        whole = shape is not None and (start, stop) == (0, tape.steps[0].shape[0])
        if not name and not whole and stop - start > 1:
            return None
        if (start, stop) not in made:
            own = next(iter(shapes)) if is_shaped else tape.steps[k].shape
            shown = leaf if whole and not named(k) else name or f"{leaf}_{start}"
            if any(one.name == shown for one in made.values()):
                if stop - start > 1:
                    return None
                shown = f"{leaf}_{start}"
            made[start, stop] = Array(shown, own, moves=True, value=(start, stop))
        array = made[start, stop]
        if array.shape != (tape.steps[k].shape if not is_shaped else next(iter(shapes))):
            return None
        pieces |= dict.fromkeys(users if is_shaped else [k], array)
    return pieces
