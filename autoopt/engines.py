"""From a trace and a kind of derivative to callables: printed NumPy source, or PyTensor's numba linker on request.

PyTensor is imported only when there is no source for the tape in the cache.
"""

from __future__ import annotations

import copy
import linecache
import re
import warnings
from collections.abc import Callable, Collection
from typing import Any, Protocol

import numpy as np

from autoopt import cache, hot
from autoopt.errors import UnsupportedFunctionError, UsageError
from autoopt.tape.batching import has_loops, unrolled, vectorise
from autoopt.tape.digest import constant_names, digest
from autoopt.tape.tape import Leaf, Tape


class Compiled(Protocol):
    """The functions of one kind of derivative for one tape, with the tape's data bound to them.

    Attributes
    ----------
    run : callable
        `run(x)`, for "hessp" `run(x, direction)`, on flat float64 vectors.
    changed : type or tuple
        The exception that `run` raises where the objective takes another branch.
    text : str
        The source; empty for engines that have none.
    repeats : bool
        Whether the engine takes tapes with loops that end on a condition.
    reads : frozenset of str
        The data of which something has been computed and is kept: to be bound again if they are written into.
    """

    run: Callable
    changed: Any
    text: str
    repeats: bool
    reads: frozenset[str]

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape`, the same tape but for its data."""

    def admit(self, counts: Collection[tuple[int, ...]]) -> None:
        """Let the loops that end on a condition take these numbers of iterations."""


def rebound(compiled: Compiled, tape: Tape) -> Compiled:
    """Return the same code with the data of `tape`; `compiled` keeps its own."""
    other = copy.copy(compiled)
    other.bind(tape)
    return other


class Inputs:
    """The values that compiled functions take besides parameters and direction, by argument name.

    Looked up once, so that other data are bound in time that goes with their number and not with the tape's length.
    """

    def __init__(self, tape: Tape, compiled: Tape) -> None:
        self._leaves = [(leaf.name, index) for index, leaf in tape.leaves().items() if index]
        self._constants = {name: compiled.values[index] for index, name in constant_names(compiled).items()}

    def of(self, tape: Tape) -> dict[str, Any]:
        """Return the data of `tape`, and the constants of the tape that was compiled in its place."""
        values = tape.values
        return {name: values[index] for name, index in self._leaves} | self._constants

    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self._leaves)


class NumpyFunctions:
    """Printed NumPy source, executed; with `checked=False` without the tests of which branch is taken."""

    compiles = False  # loops to machine code once that pays
    repeats = True  # takes tapes with loops that end on a condition

    def __init__(self, tape: Tape, kind: str, title: str, checked: bool = True) -> None:
        self.kind = kind
        self.tape = vectorise(tape)
        try:
            self.text = module_source(self.tape, kind, title)
        except UnsupportedFunctionError:
            if not has_loops(self.tape):
                raise
            self.tape = unrolled(tape)  # some operation of a loop's body has no form for all iterations at once
            self.text = module_source(self.tape, kind, title)
        text = self.text if checked else _CHECK.sub("", self.text)
        self.namespace = _execute(text, kind)
        if self.compiles:
            hot.watch(self.namespace)
        self.changed = self.namespace.get("PathChanged", ())
        self.inputs = Inputs(tape, self.tape)
        self.reads = self.inputs.names() if kind == "hessp" else _read_before(self.namespace)
        self.bind(tape)

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape` and compute what depends on them alone."""
        known = _prepared(self.namespace, self.inputs.of(tape))
        if self.kind == "hessp":
            self.run = _product(self.namespace, known, tape)
        else:
            self.run = _of_point(self.namespace[self.kind], known)

    def admit(self, counts: Collection[tuple[int, ...]]) -> None:
        """Let the loops that end on a condition take these numbers of iterations."""
        self.text = _COUNTS.sub(f"COUNTS = {set(counts)}", self.text)
        self.namespace |= {"COUNTS": set(counts), "MOST": [max(known) for known in zip(*counts, strict=True)]}


class HotFunctions(NumpyFunctions):
    """Printed NumPy source of which what has loops becomes machine code when it has run for long enough."""

    compiles = True


_COUNTS = re.compile(r"^COUNTS = .*?(?=  #)", re.MULTILINE)
_CHECK = re.compile(r"\n +if [^\n]*:\n +raise PathChanged\([^\n]*")


def _read_before(namespace: dict[str, Any]) -> frozenset[str]:
    """Return the names of the data of which the module computes something beforehand."""
    prepare = namespace.get("prepare")
    return frozenset(_names(prepare)) if prepare else frozenset()


def _prepared(namespace: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return the data and what the module's `prepare`, if there is one, makes of them."""
    prepare = namespace.get("prepare")
    if prepare is None:
        return data
    with np.errstate(all="ignore"):
        return data | prepare(*_bound(prepare, data))


def module_source(tape: Tape, kind: str, title: str) -> str:
    """Return the source of one kind of derivative, from the cache if it is there."""
    key = digest(tape, kind, cache.version())
    kept = cache.read(key)
    if kept is not None:
        return kept
    from autoopt import graph
    from autoopt.source.module import write_module

    built = graph.stabilised(tape)
    return cache.write(key, write_module(built, graph.derive(built, kind), title))


def _execute(text: str, kind: str) -> dict[str, Any]:
    """Run the source as a module whose lines tracebacks can show, and return its namespace."""
    file = f"<autoopt {kind} {abs(hash(text)):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": "autoopt_derivatives"}
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    return namespace


def _names(function: Callable) -> tuple[str, ...]:
    code = function.__code__
    return code.co_varnames[: code.co_argcount]


def _bound(function: Callable, known: dict[str, Any], skip: int = 0) -> tuple:
    return tuple(known[name] for name in _names(function)[skip:])


def _of_point(function: Callable, known: dict[str, Any]) -> Callable:
    """Return `run(x)`."""
    bound = _bound(function, known, skip=1)
    return lambda x: function(x, *bound)


def _product(namespace: dict[str, Any], known: dict[str, Any], tape: Tape) -> Callable:
    """Return `run(x, direction)`, which linearises once for each x."""
    linearize, product = namespace["linearize"], namespace["hessp"]
    parameters: Leaf = tape.steps[0].template
    bound = _bound(linearize, known, skip=1)
    names = _names(product)[1:]
    latest: list[tuple] = [(None, ())]  # one entry, so that another thread never sees a half of it changed

    def run(x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        point, kept = latest[0]
        if point is None or not np.array_equal(point, x):
            found = known | linearize(x, *bound) | {parameters.name: x.copy()}
            kept = tuple(found[name] for name in names)
            latest[0] = (x.copy(), kept)
        return product(direction, *kept)

    return run


class NumbaFunctions:
    """Functions compiled by PyTensor's numba linker; only what the user computed from the data is printed NumPy."""

    text = ""
    repeats = False

    def __init__(self, tape: Tape, kind: str, title: str, checked: bool = True) -> None:
        import pytensor

        from autoopt import graph
        from autoopt.graph.rewriting import settings
        from autoopt.source.module import input_names, write_module

        self.tape = vectorise(tape)
        if any(self.tape.steps[index].dtype == object for index in self.tape.leaves()):
            raise UsageError("The numba engine knows no sparse matrices.", remedy='use engine="numpy".')
        built = graph.stabilised(self.tape)
        given, function = graph.derive(built, kind, divide=False)
        self.names = input_names(built)
        self.namespace = _execute(write_module(built, [given], title), kind)
        self.answers = [guard.answer for _, guard in function.guards] if checked else []
        self.count = len(function.results)
        self.changed = NumbaPathChanged
        outputs = [*function.results, *(variable for variable, _ in function.guards)]
        with settings():
            self.function = pytensor.function(list(function.arguments), outputs, mode="NUMBA", on_unused_input="ignore")
        self.compiled = False
        self.inputs = Inputs(tape, self.tape)
        self.reads = _read_before(self.namespace)
        self.bind(tape)

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape`."""
        known = _prepared(self.namespace, self.inputs.of(tape))
        self.bound = [np.asarray(known[name]) for name in self.names]

    def run(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what the derivative is at `x`."""
        outputs = self._outputs(*direction, x, *self.bound)
        found = outputs[self.count :]
        if not all(np.array_equal(one, answer) for one, answer in zip(found, self.answers, strict=False)):
            raise NumbaPathChanged
        return outputs[0] if self.count == 1 else tuple(outputs[: self.count])

    def _outputs(self, *operands: np.ndarray) -> list:
        """Return what the function returns; the first call compiles, and numba's advice is not for the user."""
        if self.compiled:
            return self.function(*operands)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs = self.function(*operands)
        self.compiled = True
        return outputs


class NumbaPathChanged(Exception):
    """The objective takes another branch at this point."""


ENGINES: dict[str, type] = {"auto": HotFunctions, "numpy": NumpyFunctions, "numba": NumbaFunctions}


def engine_of(name: str) -> type[Compiled]:
    """Return what compiles for an engine.

    Raises
    ------
    UsageError
        If there is no engine of that name.
    """
    if name not in ENGINES:
        raise UsageError(f"There is no engine {name!r}.", remedy=f"choose one of {', '.join(ENGINES)}.")
    return ENGINES[name]
