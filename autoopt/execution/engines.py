"""From a trace and a kind of derivative to callables: printed NumPy source, or PyTensor's numba linker on request.

PyTensor is imported only when there is no source for the tape in the cache.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Collection, Iterator
from math import prod
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError, UsageError
from autoopt.execution import refusals, source_cache, tiering
from autoopt.execution.blocks import row_functions
from autoopt.execution.counts import Counts, Numbers
from autoopt.execution.families import Family
from autoopt.execution.interface import Compiled, Engine, Inputs, rebound
from autoopt.execution.modules import arguments_of, executed, owner_of
from autoopt.execution.printed import unchecked, with_counts, without_ties
from autoopt.graph.kinds import KINDS, LINEARIZE, PREPARE, Kind, at_once
from autoopt.stages import counted as counted_parts
from autoopt.stages import during
from autoopt.tape.batching.batching import has_loops, unrolled, vectorise
from autoopt.tape.digest import digest, folded
from autoopt.tape.kinks import counted
from autoopt.tape.statements import words
from autoopt.tape.tape import Leaf, Tape


class NumpyFunctions:
    """Printed NumPy source, executed.

    With `checked=False` it is without the tests of which branch is taken, with `ties=True` a derivative raises `tied`,
    with their number, where more kinks than `stationary` are met.
    """

    compiles = False  # loops to machine code once that pays
    repeats = True  # takes tapes with loops that end on a condition
    of_data = ("run", "tape", "_bound", "_plain", "_through")  # what is made of the data, or holds them

    def __init__(self, tape: Tape, kind: str, title: str, checked: bool = True, ties: bool = False) -> None:
        self.kind = kind
        count = counted if ties and KINDS[kind].order else lambda tape: tape
        self.tape = count(vectorise(tape))
        try:
            text = module_source(self.tape, kind, title)
        except UnsupportedFunctionError:
            if not has_loops(self.tape):
                raise
            self.tape = count(unrolled(tape))  # some operation of a loop's body has no form for all iterations at once
            text = module_source(self.tape, kind, title)
        self._text = without_ties(text)
        self._counts: Collection[Numbers] = ()
        self.namespace = executed(text if checked else unchecked(self._text), kind)
        if self.compiles:
            self._watch()
        self.changed = self.namespace.get("PathChanged", ())
        self.tied = self.namespace.get("Tied", ())
        self.inputs = Inputs(tape, self.tape)
        self._through: dict[str, Any] | None = None
        self.bind(tape)

    @property
    def by_products(self) -> bool:
        """Whether it is a matrix whose columns are products with the unit vectors."""
        return LINEARIZE in self.namespace and not KINDS[self.kind].directed

    @property
    def text(self) -> str:
        """The source, with the numbers of iterations that are allowed."""
        return with_counts(self._text, self._counts) if self._counts else self._text

    @property
    def asked(self) -> Numbers | None:
        """The numbers of iterations that the loops took last, allowed or not."""
        counts = self.namespace.get("COUNTS")
        return counts.asked if isinstance(counts, Counts) else None

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape` and compute what depends on them alone."""
        self._bound, self.kept = tape, 0
        self._plain: NumpyFunctions | None = None
        if self.stationary:
            self.stationary = 0  # of other data; this loads the functions, too
        else:
            self._load()

    def _load(self) -> None:
        data = self.inputs.of(self._bound)
        prepared = with_prepared(self.namespace, data)
        self._kept_from = _kept_from(self.namespace, data, prepared)
        self.run = run_of(self.namespace, self.kind, prepared, self._bound)

    def through(self, numpy: Any) -> Callable:
        """Return `run` by code that calls the functions of `numpy`, and takes any branch; the data are as prepared."""
        if self._through is None or self._through["np"] is not numpy:
            self._through = executed(unchecked(self._text), self.kind)
            self._through["np"] = numpy
        prepared = with_prepared(self.namespace, self.inputs.of(self._bound))
        if KINDS[self.kind].directed:
            return _product(self._through, self.kind, prepared, self._bound)
        return _of_point(self._through[self.kind], prepared)

    def admit(self, counts: Collection[tuple[int, ...]]) -> None:
        """Let the loops that end on a condition take these numbers of iterations."""
        self._counts = counts
        self.namespace |= {"COUNTS": Counts(counts), "MOST": [max(known) for known in zip(*counts, strict=True)]}
        self._plain = None

    @property
    def reads(self) -> frozenset[str]:
        """The data of which something is kept: where kinks are everywhere, their number is."""
        return self._kept_from | (self.inputs.names() if self.stationary else frozenset())

    @property
    def stationary(self) -> int:
        """How many kinks are met at every point, so that it does not matter which slope they have."""
        return self.namespace.get("TIES", 0)

    @stationary.setter
    def stationary(self, count: int) -> None:
        """Take a namespace of its own: others that share the code, with other data, have other ties."""
        self.namespace = tiering.anew(self.namespace, TIES=count)
        if self.compiles:
            self._watch()
        self._load()

    def _watch(self) -> None:
        """Have functions become faster ones, by rows or as machine code, once that pays."""
        tiering.watch(self.namespace)
        row_functions.watch(self.namespace, KINDS[self.kind].functions)

    def by_convention(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what the derivative is at `x`, each kink that is met having the slope that its rule has there."""
        if not self.tied:
            return self.run(x, *direction)
        if self._plain is None:
            self._plain = copy.copy(self)
            self._plain.stationary = _ANY
        return self._plain.run(x, *direction)


_ANY = 2**62
"""More ties than there can be."""


class TieredFunctions(NumpyFunctions):
    """Printed NumPy source of which what has loops becomes machine code when it has run for long enough."""

    compiles = True


def _kept_from(namespace: dict[str, Any], data: dict[str, Any], known: dict[str, Any]) -> frozenset[str]:
    """Return the names of the data of which something has been computed and is kept; views show what is new."""
    prepare, linearize = (arguments_of(namespace[name]) if name in namespace else () for name in (PREPARE, LINEARIZE))
    owners = [owner_of(value) for value in data.values()]
    prepared = {name: value for name, value in known.items() if name not in data}
    computed = [value for value in prepared.values() if not any(owner_of(value) is owner for owner in owners)]
    is_read = computed or not prepared.keys().isdisjoint(linearize)
    return frozenset(linearize) | frozenset(prepare if is_read else ())


def with_prepared(namespace: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return the data and what the module's `prepare`, if there is one, makes of them."""
    prepare = namespace.get(PREPARE)
    if prepare is None:
        return data
    with np.errstate(all="ignore"):
        return data | prepare(*_bound(prepare, data))


def _key(tape: Tape, kind: str, *told: str) -> str:
    """Return the key of what is kept of a kind of derivative of a tape: a source, told with the user's words."""
    return digest(tape, kind, source_cache.version(), folded(tape), *told)


def is_known(tape: Tape, kind: str) -> bool:
    """Whether the source of one kind of derivative of a vectorised tape is in the cache, or as good as there."""
    if any(source_cache.read(_key(tape, kind, *told)) is not None for told in ((words(tape),), ())):
        return True
    family = Family.of(tape, kind)
    return family is not None and family.text() is not None


@during("deriving", lambda tape, kind, *_: f"{' and '.join(KINDS[kind].returns)}, {len(tape.steps)} array steps")
def module_source(tape: Tape, kind: str, title: str) -> str:
    """Return the source of one kind of derivative, from the cache if it is there; raise what is kept of a failure."""
    key, whatever = _key(tape, kind, words(tape)), _key(tape, kind)
    kept = source_cache.read(key)
    if kept is not None:
        return kept
    kept = source_cache.read(whatever)  # a refusal does not depend on the user's words
    if kept is not None and (refusal := refusals.recalled(kept, tape)) is not None:
        raise refusal
    family = Family.of(tape, kind)
    if family is not None and (text := family.text()) is not None:
        return source_cache.remembered(key, text)
    from autoopt.codegen.derivation import derived_source

    try:
        text = derived_source(tape, kind, title)
    except refusals.REFUSALS as error:
        if (told := refusals.text(error, tape)) is not None:
            source_cache.write(whatever, told)
        raise
    if family is not None:
        family.learn(text)
    return source_cache.write(key, text)


def _bound(function: Callable, known: dict[str, Any], skip: int = 0) -> tuple:
    return tuple(known[name] for name in arguments_of(function)[skip:])


def run_of(namespace: dict[str, Any], kind: str, prepared: dict[str, Any], tape: Tape) -> Callable:
    """Return `run(x)`, or `run(x, direction)`, of a module's functions for data with what was prepared of them."""
    if KINDS[kind].directed:
        return _product(namespace, kind, prepared, tape)
    return _of_point(_watched(namespace[kind], prepared, tape), prepared)


def _watched(function: Callable, prepared: dict[str, Any], tape: Tape) -> Callable:
    """Return a printed function as it is to be run: as it is written, if parameters and data are small."""
    operands = (np.broadcast_to(0.0, tape.steps[0].shape), *prepared.values())
    if isinstance(function, row_functions.RowFunction) and row_functions.size(operands) < row_functions.SMALL:
        return function.function
    return function


def _of_point(function: Callable, prepared: dict[str, Any]) -> Callable:
    """Return `run(x)`."""
    bound = _bound(function, prepared, skip=1)
    return (lambda x: function(x, *bound)) if bound else function


def _product(namespace: dict[str, Any], kind: str, prepared: dict[str, Any], tape: Tape) -> Callable:
    """Return `run(x, direction)`, which linearises once for each x."""
    linearize, product = (_watched(namespace[name], prepared, tape) for name in (LINEARIZE, kind))
    parameters: Leaf = tape.steps[0].template
    bound = _bound(linearize, prepared, skip=1)
    names = arguments_of(product)[1:]
    latest: list[tuple] = [(None, ())]  # one entry, so that another thread never sees a half of it changed

    def run(x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        point, kept = latest[0]
        if point is None or not np.array_equal(point, x):
            whole = prepared | linearize(x, *bound) | {parameters.name: x.copy()}
            kept = tuple(whole[name] for name in names)
            latest[0] = (x.copy(), kept)
        return product(direction, *kept)

    return run


class NumbaFunctions:
    """Functions compiled by PyTensor's numba linker; only what the user computed from the data is printed NumPy."""

    text = ""
    asked = None
    repeats = by_products = False
    tied: Any = ()
    stationary = kept = 0
    of_data = ("bound",)

    def __init__(self, tape: Tape, kind: str, title: str, checked: bool = True, ties: bool = False) -> None:
        import pytensor

        from autoopt.codegen.module import input_names, write_module
        from autoopt.graph.derive import derive
        from autoopt.graph.rewrites.rewriting import settings
        from autoopt.graph.stabilisation import stabilised

        self.tape = vectorise(tape)
        if any(self.tape.steps[index].dtype == object for index in self.tape.leaves()):
            raise UsageError("The numba engine knows no sparse matrices.", remedy='use engine="numpy".')
        if KINDS[kind].is_symmetric and not at_once(self.tape):
            raise NotImplementedError("The Hessian is computed a column at a time.")
        graph = stabilised(self.tape)
        given, function = derive(graph, kind, divide=False)
        self.names = input_names(graph)
        self.namespace = executed(write_module(graph, [given], title), kind)
        self.answers = [guard.answer for _, guard in function.guards] if checked else []
        self.count = len(function.results)
        self.changed = NumbaPathChanged
        outputs = [*function.results, *(variable for variable, _ in function.guards)]
        with settings():
            self.function = pytensor.function(list(function.arguments), outputs, mode="NUMBA", on_unused_input="ignore")
        self.compiled = False
        self.inputs = Inputs(tape, self.tape)
        self.bind(tape)

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape`."""
        data = self.inputs.of(tape)
        prepared = with_prepared(self.namespace, data)
        self.reads = _kept_from(self.namespace, data, prepared)
        self.bound = [np.asarray(prepared[name]) for name in self.names]

    def admit(self, counts: Collection[tuple[int, ...]]) -> None:
        """Tapes with loops that end on a condition are not compiled here: see `repeats`."""

    def run(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what the derivative is at `x`."""
        outputs = self._outputs(*direction, x, *self.bound)
        answers = outputs[self.count :]
        if not all(np.array_equal(one, answer) for one, answer in zip(answers, self.answers, strict=False)):
            raise NumbaPathChanged
        return outputs[0] if self.count == 1 else tuple(outputs[: self.count])

    def by_convention(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what the derivative is at `x`: this engine counts no ties."""
        return self.run(x, *direction)

    def _outputs(self, *operands: np.ndarray) -> list:
        """Return what the function returns; the first call compiles, and numba's advice is not for the user."""
        if self.compiled:
            return self.function(*operands)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs = self.function(*operands)
        self.compiled = True
        return outputs


class ByProducts:
    """A matrix a column or a row at a time, whichever are fewer: some operation has no form for all at once."""

    def __init__(self, engine: Engine, tape: Tape, kind: Kind, title: str, checked: bool, ties: bool = False) -> None:
        assert kind.columns is not None, kind.name
        columns = tape.steps[0].shape[0]
        rows = columns if kind.rows is None else prod(tape.steps[tape.output].shape)
        self.shape = rows, columns
        by_rows = kind.rows or kind.columns  # which are the same of what is symmetric
        first, second = (kind.columns, by_rows) if columns < rows else (by_rows, kind.columns)
        try:
            self.kind, self.product = first, engine(tape, first, title, checked, ties)
        except UnsupportedFunctionError:
            self.kind, self.product = second, engine(tape, second, title, checked, ties)
        self.by_rows = self.kind == kind.rows
        self.changed, self.tied, self.text = self.product.changed, self.product.tied, self.product.text
        self.inputs = self.product.inputs
        self.kept = 0

    by_products = True

    @property
    def asked(self) -> Numbers | None:
        """The numbers of iterations that the loops took last."""
        return self.product.asked

    @property
    def reads(self) -> frozenset[str]:
        """The data of which something has been computed and is kept."""
        return self.product.reads

    @property
    def stationary(self) -> int:
        """How many kinks are met at every point."""
        return self.product.stationary

    @stationary.setter
    def stationary(self, count: int) -> None:
        self.product.stationary = count

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape`."""
        self.product = rebound(self.product, tape)

    def admit(self, counts: Collection[tuple[int, ...]]) -> None:
        """Let the loops that end on a condition take these numbers of iterations."""
        self.product.admit(counts)

    def run(self, x: np.ndarray) -> np.ndarray:
        """Return the Jacobian at `x`, shape (m, n)."""
        return self._matrix(self.product.run, x)

    def by_convention(self, x: np.ndarray, *direction: np.ndarray) -> np.ndarray:
        """Return the Jacobian at `x`, which takes no direction, kinks that are met having the slopes of their rules."""
        return self._matrix(self.product.by_convention, x)

    def _matrix(self, product: Callable, x: np.ndarray) -> np.ndarray:
        rows, columns = self.shape
        if self.by_rows:
            return np.array([product(x, unit) for unit in self._units(rows)]).reshape(rows, columns)
        return np.array([product(x, unit) for unit in self._units(columns)]).reshape(columns, rows).T

    def _units(self, count: int) -> Iterator[np.ndarray]:
        return counted_parts("products with the unit vectors", np.eye(count))


@during("compiling", lambda engine, tape, *_, **options: f"{len(tape.steps)} steps")
def compiled(engine: Engine, tape: Tape, kind: str, title: str, checked: bool = True, ties: bool = False) -> Compiled:
    """Return the functions of one kind of derivative, a matrix by products where it cannot be had at once."""
    try:
        return engine(tape, kind, title, checked, ties)
    except (UnsupportedFunctionError, NotImplementedError):
        if KINDS[kind].columns is None:
            raise
    return ByProducts(engine, tape, KINDS[kind], title, checked, ties)


class NumbaPathChanged(Exception):
    """The objective takes another branch at this point."""


ENGINES: dict[str, Engine] = {"auto": TieredFunctions, "numpy": NumpyFunctions, "numba": NumbaFunctions}


def engine_of(name: str) -> Engine:
    """Return what compiles for an engine.

    Raises
    ------
    UsageError
        If there is no engine of that name.
    """
    if name not in ENGINES:
        raise UsageError(f"There is no engine {name!r}.", remedy=f"choose one of {', '.join(ENGINES)}.")
    return ENGINES[name]
