"""What is known of a function after a call, for the next call: its paths and their code, without its data.

    minimize(loss, x0, args=(y,))          objective_of: nothing is known of `loss`: it is traced, its path compiled
                                           retain: the path lets go of y and of `loss`, and is kept under their form
    minimize(loss, x0, args=(z,))          objective_of: the form is the same, all that was read outside is as it was:
                                           z is bound to the path

A path is taken out while it is used, so that no two calls, of threads or one inside the other, share one. It is used
again only where that is no matter of trust:

    what it read outside     is compared as at each evaluation (`Watch.holds`): names, containers, attributes, files
    arrays in the code       are compared in full with copies that were made when it was traced
    inputs                   may be others of the same shapes; the user's outer and global variables are read anew
    decisions from the data  then all data are compared in full

What changes or counts something outside, draws from iterators, decides by values that move with the parameters, or
cannot be watched, is traced anew by each call. So is what an error or Ctrl-C has ended.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import CellType
from typing import Any, TypeVar

import numpy as np

from autoopt.execution.engines import ENGINES
from autoopt.objectives.forms import Form, Formless, is_input
from autoopt.objectives.objective import Objective
from autoopt.objectives.original import Original
from autoopt.objectives.paths import Path
from autoopt.parameters import Structure
from autoopt.tables.elsewhere import is_batched
from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.instrument.extension import CONSTANTS, USER_FORMULAS
from autoopt.tracing.outside.watching import ABSENT, Watch, contents, is_kept, kept_bytes
from autoopt.tracing.trace import data_leaves

MOST = 32
"""How many objectives are kept; those that were used last."""

PATHS = 8
"""How many of its paths are kept: data that are new to it may take others, which would become ever more."""

COPIED = 2**24
"""How many bytes of arrays are copied for one of them, to see whether they are written into: 2 ms."""

LARGEST, ALL = 2**26, 2**27
"""About how many bytes one of them, and all together, may take."""

_STEP = 200
"""The bytes of a step on a tape."""

Kind = TypeVar("Kind", bound=Objective)


# What is remembered of a call while it lasts --------------------------------------------------------------------------


@dataclass
class _Record:
    """What an objective is kept under, and what was in arrays when it was traced.

    Attributes
    ----------
    key : hashable
    numbers : list of float
        In the outer variables.
    code : dict of int to (ndarray, bytes) or None
        Arrays that have become part of the code, by identity; None if all is too large to be copied.
    names : tuple of (dict, name)
        What stands for arrays that are inputs.
    data : list of bytes or None
        What was in all inputs; None unless Python took decisions from them.
    """

    key: tuple
    numbers: list[float]
    code: dict[int, tuple[np.ndarray, bytearray]] | None = None
    names: tuple[tuple[dict, str], ...] = ()
    data: list[bytearray] | None = None


_RECORDS: weakref.WeakKeyDictionary[Objective, _Record] = weakref.WeakKeyDictionary()


def _record(objective: Objective, form: Form, key: tuple) -> _Record:
    """Return the record of an objective that has just been traced."""
    path = objective.dispatch.paths[0]
    record = _Record(key, [number for _, number in form.numbers], names=_names(path))
    arrays = [array for array, _ in path.trace.watched.arrays]
    inputs = _inputs(objective.args, form, record.names) if path.tape.data_decided else []
    if sum(array.nbytes for array in (*arrays, *inputs)) <= COPIED:
        record.code = {id(array): (array, kept_bytes(array)) for array in arrays}
        record.data = [kept_bytes(array) for array in inputs] if path.tape.data_decided else None
    return record


def _names(path: Path) -> tuple[tuple[dict, str], ...]:
    return tuple((space, name) for space, name, value in path.trace.watched.names if is_input(value))


def _inputs(args: tuple, form: Form, names: Iterable[tuple[dict, str]]) -> list[np.ndarray]:
    """Return all inputs, from which decisions may have been taken, in a fixed order."""
    found = [contents(cell) for cell in form.cells] + [space.get(name) for space, name in names]
    return [np.asarray(value) for value in (*data_leaves(args), *filter(is_input, found))]


# What is kept ---------------------------------------------------------------------------------------------------------


class _Reading:
    """What one trace watches, without what may be another thing at the next call.

    Attributes
    ----------
    rest : Watch
    cells, functions : list of int
        Which of the form's are watched.
    names : list of (dict, name)
        Those that stand for inputs.
    """

    def __init__(self, watch: Watch, form: Form, inputs: Collection[int]) -> None:
        cells, functions = _positions(form.cells), _positions(form.functions)
        # The tables of traced arrays are the run's own, in place of dictionaries among the data.
        self.cells = [cells[id(cell)] for cell, _ in watch.cells if id(cell) in cells]
        self.functions = [functions[id(entry[0])] for entry in watch.functions if id(entry[0]) in functions]
        self.names = [(space, name) for space, name, value in watch.names if id(value) in inputs]
        self.rest = replace(
            watch,
            names=tuple(entry for entry in watch.names if id(entry[2]) not in inputs),
            cells=tuple(entry for entry in watch.cells if id(entry[0]) not in cells),
            functions=tuple(entry for entry in watch.functions if id(entry[0]) not in functions),
            tables=tuple(entry for entry in watch.tables if not any(type(value) is TracedArray for value in entry[2])),
        )

    def anew(self, form: Form) -> Watch:
        """Return what is watched for a function of the same form."""
        rest, made = self.rest, (form.functions[k] for k in self.functions)
        cells = tuple((form.cells[k], contents(form.cells[k])) for k in self.cells)
        functions = tuple((one, one.__code__, one.__defaults__, one.__kwdefaults__) for one in made)
        names = tuple((space, name, space.get(name, ABSENT)) for space, name in self.names)
        return replace(rest, names=rest.names + names, cells=rest.cells + cells, functions=rest.functions + functions)


def _positions(values: list[Any]) -> dict[int, int]:
    return {id(value): k for k, value in enumerate(values)}


Place = int | tuple[dict, str]
"""Where an input is found: an outer variable, by its position in the form, or a name."""


class _KeptPath:
    """A path without its data, and where these are found.

    Attributes
    ----------
    readings : list of _Reading
        Of each of its traces.
    places : list of (Place, name, array form)
        Of its inputs, by their names on the tape.
    """

    def __init__(self, path: Path, form: Form) -> None:
        code = {id(array) for recorded in path.traces for array, _ in recorded.watched.arrays}
        names = {
            id(value): name for name, value in path.captured().items() if is_input(value) and id(value) not in code
        }
        cells = _positions(form.cells)
        self.path = path
        self.places: list[tuple[Place, str, Hashable]] = [
            (k, names[id(value)], _shape(value))
            for k, value in enumerate(map(contents, form.cells))
            if is_input(value) and id(value) in names
        ]
        self.places += [
            ((space, name), names[id(value)], _shape(value))
            for space, name, value in path.trace.watched.names
            if id(value) in names
        ]
        self.varying = {cells[id(cell)]: name for cell, name in path.trace.varying if id(cell) in cells}
        self.readings = [_Reading(recorded.watched, form, names) for recorded in path.traces]
        self.found = {name for _, name, _ in self.places} | set(self.varying.values())
        self.functions = _functions_of_numpy(path)

    def let_go(self) -> int:
        """Let go of the data, and return how many bytes remain."""
        self.path.let_go(self.found, [reading.rest for reading in self.readings])
        values = self.path.trace.tape.values.values()
        tapes = {id(tape): len(tape.steps) for tape in (self.path.trace.tape, self.path.tape)}
        return sum(tapes.values()) * _STEP + sum(getattr(value, "nbytes", 0) for value in values)

    def holds(self) -> bool:
        """Whether what it read outside is as it was, but for inputs."""
        return all(reading.rest.holds() for reading in self.readings) and all(
            getattr(np, name, None) is function for name, function in self.functions
        )

    def values(self, form: Form) -> dict[str, Any] | None:
        """Return the inputs by name; None if other arrays are the same than were, or one is of another shape."""
        values: dict[str, Any] = {}
        for place, name, shape in self.places:
            value: Any = contents(form.cells[place]) if isinstance(place, int) else place[0].get(place[1])
            if not is_input(value) or _shape(value) != shape or values.setdefault(name, value) is not value:
                return None
        if len({id(value) for value in values.values()}) < len(values):
            return None
        return values | {name: contents(form.cells[k]) for k, name in self.varying.items()}

    def take_up(self, args: tuple, form: Form, values: dict[str, Any], budget: float) -> None:
        """Take the data, and what is found outside, of a function of the same form."""
        varying = tuple((form.cells[k], name) for k, name in self.varying.items())
        self.path.take_up(args, values, [reading.anew(form) for reading in self.readings], varying, budget)


def _functions_of_numpy(path: Path) -> list[tuple[str, Any]]:
    """Return the functions of NumPy on the tape by their names there, which somebody may give to others."""
    found = {step.operation for step in path.trace.tape.steps if step.operation is not None}
    names = [(getattr(function, "__name__", ""), function) for function in found]
    return [(name, function) for name, function in names if getattr(np, name, None) is function]


def _shape(value: np.ndarray) -> Hashable:
    return value.shape, value.dtype.str


class _Entry:
    """An objective without its function and data.

    Parameters
    ----------
    objective : Objective
        That is over.
    form : Form
        Of its function and data.
    """

    def __init__(self, objective: Objective, form: Form, record: _Record) -> None:
        self.objective, self.record, self.held = objective, record, form.held
        self.paths = [_KeptPath(path, form) for path in objective.dispatch.paths]
        copies = [kept for _, kept in (record.code or {}).values()] + (record.data or [])
        self.size = sum(map(len, copies)) + sum(path.let_go() for path in self.paths)
        objective.let_go()

    def differing(self, form: Form) -> list[CellType]:
        """Return the outer variables whose numbers are others, or were others once."""
        varying = {k for path in self.paths for k in path.varying}
        pairs = zip(form.numbers, self.record.numbers, strict=True)
        positions = _positions(form.cells)
        return [cell for (cell, now), then in pairs if positions[id(cell)] in varying or not _is_same(now, then)]

    def fits(self, form: Form, args: tuple) -> bool:
        """Whether the paths hold for a function of the same form with its data."""
        positions, record = _positions(form.cells), self.record
        for (cell, now), then in zip(form.numbers, record.numbers, strict=True):
            is_input = all(positions[id(cell)] in path.varying for path in self.paths) and record.data is None
            if not is_input and not _is_same(now, then):
                return False
        if not all(path.holds() for path in self.paths):
            return False
        if not all(is_kept(array, kept) for array, kept in (record.code or {}).values()):
            return False
        return record.data is None or _holds(record, form, args)

    def resumed(self, original: Original, form: Form, kind: type[Kind]) -> Kind | None:
        """Return the objective of another function of the same form; None if that cannot be."""
        captured = [path.values(form) for path in self.paths]
        if not self.fits(form, original.args):
            return None
        original.varying = [form.cells[k] for path in self.paths[:1] for k in path.varying]
        dispatch = self.objective.dispatch.resumed(original, kind.budget)
        dispatch.paths = [path.path for path in self.paths]
        for path, values in zip(self.paths, captured, strict=True):
            if values is None:
                return None
            path.take_up(original.args, form, values, kind.budget)
        if len(dispatch.paths) > 1 or dispatch.paths[0].trace.tape.guards:  # the first is that of the start
            dispatch.run("value_and_grad" if original.scalar else "jacobian", original.start)
        return self.objective.resumed(dispatch, kind)


def _is_same(one: float, other: float) -> bool:
    return one == other and bool(one or repr(one) == repr(other))


# The store ------------------------------------------------------------------------------------------------------------

_ENTRIES: dict[int, tuple[Hashable, _Entry]] = {}
_LOCK = threading.RLock()  # a finalizer may run while it is held


def objective_of(
    f: Any, x0: Any, args: tuple = (), engine: str = "auto", scalar: bool = True, kind: Any = Objective
) -> Any:
    """Return the `Objective` of `f`, for one call alone: from what earlier calls have found out, where that holds."""
    if (own := getattr(type(f), "__objective__", None)) is not None:  # of `weighted_rows`, which few calls load
        return own(f, x0, args, engine)
    if any(map(is_batched, args)):
        from autoopt.objectives.streamed import taken  # few objectives have data that are not in memory

        return taken(f, x0, args)
    try:
        form = Form.of(f, args)
        structure = Structure.of(x0)
        registered = frozenset(USER_FORMULAS.items()), frozenset(CONSTANTS)
        key = form.key, structure, engine, ENGINES.get(engine), scalar, tuple(np.geterr().values()), registered
        hash(key)
    except (Formless, TypeError):
        return kind(f, x0, args, engine, scalar)
    original = Original(f, args, structure, structure.flatten(x0).copy(), scalar)
    entry, clock = _taken(key), time.perf_counter()
    if entry is not None:
        try:
            objective = entry.resumed(original, form, kind)
        except Exception:  # which comes up, if it is the user's, where the function is traced
            objective = None
        if objective is not None:
            objective.timings["trace"] += time.perf_counter() - clock
            _RECORDS[objective] = replace(entry.record, numbers=[number for _, number in form.numbers])
            return objective
        original.varying = entry.differing(form)
    objective = kind.of(original, engine)
    _RECORDS[objective] = _record(objective, form, key)
    return objective


def retain(objective: Any) -> None:
    """Keep what is known of the function of an objective that is over, for the next call."""
    if hasattr(objective, "keep"):  # of batches, beside which it is kept
        objective.keep()
    record = _RECORDS.pop(objective, None) if isinstance(objective, Objective) else None
    if record is None or record.code is None:
        return
    original = objective.dispatch.original
    try:
        form = Form.of(original.function, original.args)
    except Formless:
        return
    del objective.dispatch.paths[PATHS:]
    if form.key != record.key[0] or not _is_lasting(objective, form, record):
        return
    entry = _Entry(objective, form, record)
    if entry.size <= LARGEST:
        _keep(record.key, entry)


@contextmanager
def resumable(f: Any, x0: Any, args: tuple = (), engine: str = "auto") -> Iterator[Objective]:
    """Give the `Objective` of `f` for the time of a block."""
    objective = objective_of(f, x0, args, engine)
    yield objective
    retain(objective)


def forget() -> None:
    """Forget everything."""
    with _LOCK:
        dropped = [_ENTRIES.pop(number, None) for number in list(_ENTRIES)]
    del dropped  # whose finalizers may come back here


def _is_lasting(objective: Objective, form: Form, record: _Record) -> bool:
    """Whether the paths of an objective say what the function does at the next call."""
    dispatch, code = objective.dispatch, record.code or {}
    if dispatch.eager is not None or objective.single:
        return False
    for path in dispatch.paths:
        tape = path.trace.tape
        if tape.caught or tape.equalities or tape.unfollowed or tape.heeds or not path.holds():
            return False
        if tape.data_decided and not (record.data is not None and _is_found(path, form, record)):
            return False
        for recorded in path.traces:
            watched = recorded.watched
            if not (watched.complete and watched.steady) or recorded.changes or recorded.side_effects.changes:
                return False
            if any(id(array) not in code for array, _ in watched.arrays):
                return False
    if record.data is not None and not _holds(record, form, objective.args):
        return False
    return all(is_kept(array, kept) for array, kept in code.values())


def _holds(record: _Record, form: Form, args: tuple) -> bool:
    """Whether all inputs hold what they held when the record was made."""
    inputs = _inputs(args, form, record.names)
    return record.data is not None and len(inputs) == len(record.data) and all(map(is_kept, inputs, record.data))


def _is_found(path: Path, form: Form, record: _Record) -> bool:
    """Whether all inputs of a path were in data, outer variables or under names when they were copied."""
    known = {id(space.get(name)) for space, name in record.names} | {id(contents(cell)) for cell in form.cells}
    copied = {(id(space), name) for space, name in record.names}
    return all((id(space), name) in copied for space, name in _names(path)) and all(
        id(value) in known for value in path.captured().values()
    )


def _taken(key: Hashable) -> _Entry | None:
    """Return the latest entry of a key, which is nobody else's from now on."""
    with _LOCK:
        numbers = [number for number, (known, _) in list(_ENTRIES.items()) if known == key]
        entry = _ENTRIES.pop(numbers[-1], None) if numbers else None
    return None if entry is None else entry[1]


def _keep(key: Hashable, entry: _Entry) -> None:
    with _LOCK:
        _ENTRIES[id(entry)] = key, entry
        dropped = []  # they go when nothing of this is under way any more: a finalizer may come back here
        for number in list(_ENTRIES):
            if len(_ENTRIES) <= MOST and sum(kept.size for _, kept in list(_ENTRIES.values())) <= ALL:
                break
            dropped.append(_ENTRIES.pop(number, None))
