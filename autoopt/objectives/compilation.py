"""Compiled functions for the paths of an objective, made when a kind of derivative is first asked for.

Where paths hold at one point only, the code of the latest one is used again if it is the same.
"""

from __future__ import annotations

import time

import numpy as np

from autoopt.errors import UnsupportedFunctionError, UsageError
from autoopt.execution import ladder
from autoopt.execution.engines import Compiled, engine_of, rebound
from autoopt.graph.kinds import KINDS
from autoopt.objectives.original import Original
from autoopt.objectives.paths import Path
from autoopt.origin import as_written, definition
from autoopt.tape.tape import Tape
from autoopt.tracing.outside.watching import attribute
from autoopt.version import __version__


class Compiler:
    """Compiles the paths of one objective.

    Parameters
    ----------
    original : Original
        Of whose function the printed source tells.
    engine : "auto", "numpy" or "numba"
    timings : dict of str to float
        Where the seconds spent in "compile" are counted.

    Attributes
    ----------
    original : Original
    engine : type of Compiled
    repeats : bool
        Whether loops that end on a condition may be run as such.
    passing : dict of str to Path
        The latest of the paths that hold at their own point only, by kind of derivative.
    """

    def __init__(self, original: Original, engine: str, timings: dict[str, float]) -> None:
        self.original = original
        self.engine = engine_of(engine)
        self._timings = timings
        self.repeats: bool = self.engine.repeats
        self.passing: dict[str, Path] = {}

    def twin(self, original: Original, timings: dict[str, float]) -> Compiler:
        """Return another one, for an objective of the same code."""
        other = object.__new__(Compiler)
        other.original, other.engine, other._timings = original, self.engine, timings
        other.repeats, other.passing = self.repeats, {}
        return other

    def require(self, kind: str) -> None:
        """Raise a UsageError if the gradient or the Hessian of an array is asked for."""
        if KINDS[kind].order and not (KINDS[kind].of_array or self.original.scalar):
            raise UsageError(
                "An objective that returns an array has no gradient and no Hessian.",
                definition(self.original.function),
                "ask for its jacobian, jvp or vjp, or return one number.",
            )

    def compiled(self, path: Path, kind: str) -> Compiled:
        """Return the functions of one kind on one path, made when first asked for; see `require`."""
        self.require(kind)
        if kind not in path.compiled and path.trace.tape.caught:
            known = self.passing.get(kind)
            if known is not None and kind in known.compiled and known.is_same_code(path):
                path.compiled[kind] = rebound(known.compiled[kind], path.tape)
            self.passing[kind] = path
        if kind not in path.compiled:
            clock = time.perf_counter()
            try:
                compiled = ladder.compiled(self.engine, path.tape, kind, self.title())
            except (UnsupportedFunctionError, NotImplementedError):
                if not path.counts:
                    raise
                self.repeats = False  # some operation of a loop's body has no form for all iterations at once
                path.unroll()
                compiled = ladder.compiled(self.engine, path.tape, kind, self.title())
            if path.counts:
                compiled.admit(path.counts)
            path.compiled[kind] = compiled
            path.keep()
            self._timings["compile"] += time.perf_counter() - clock
        return path.compiled[kind]

    def stepwise(self, path: Path, kind: str) -> Compiled:
        """Return the functions of one kind on one path as they are before, and in place of, derived ones."""
        return ladder.Ladder(self.engine, path.tape, KINDS[kind], (self.title(), True, True), np.inf)

    def prefix(self, tape: Tape, is_eager: bool) -> Compiled:
        """Return value and gradient of a part of a tape, in the form that those of the whole have."""
        if is_eager:
            row = KINDS["value_and_grad"]
            return ladder.Ladder(self.engine, tape, row, (self.title(), False, False), np.inf)
        return self.unchecked(tape, "value_and_grad")

    def printed(self, path: Path, kind: str) -> Compiled:
        """Return the functions of one kind with their source, which is derived if it has not been needed yet."""
        compiled = self.compiled(path, kind)
        if isinstance(compiled, ladder.Ladder):
            clock = time.perf_counter()
            compiled.derive()
            self._timings["compile"] += time.perf_counter() - clock
            return compiled.current
        return compiled

    def unchecked(self, tape: Tape, kind: str) -> Compiled:
        """Return the functions of a path that is taken whatever its guards say."""
        return ladder.compiled(self.engine, tape, kind, self.title(), checked=False)

    @property
    def name(self) -> str:
        """What the function is called."""
        function = as_written(self.original.function)
        own = attribute(function, "__func__", function)
        return attribute(own, "__qualname__", type(own).__name__)

    def title(self) -> str:
        """Return what printed source says that it is."""
        function, structure = self.original.function, self.original.structure
        place = definition(function)
        at = f" ({place.file}:{place.line})" if place else ""
        title = f"Derivatives of {self.name}{at}.\n\nWritten by autoopt {__version__}."
        if len(structure.paths) > 1:
            title += f"\n\nThe flat parameter vector holds {', '.join(structure.names)}."
        return title
