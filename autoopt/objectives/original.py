"""The user's own function: called as it is, what its trace left outside set aside meanwhile, and traced.

Its errors come up as the user's. Nothing here knows of what is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from types import CellType
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.origin import definition, followed_places
from autoopt.parameters import Structure
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.nests.detection import has_growing_windows, nested
from autoopt.tape.operations import put
from autoopt.tape.searches.bisection import bisecting
from autoopt.tape.searches.comparisons import deciding, repeated
from autoopt.tape.searches.roots import followed
from autoopt.tape.tape import PARAMETER, Tape
from autoopt.tracing.outside.side_effects import SideEffects
from autoopt.tracing.trace import Trace, trace


def gone(*args: Any) -> Any:
    """Stand in for a function that has been let go of."""
    raise RuntimeError("what is kept between calls was used as if it were one of them")


MANY, LEFT, WRITES = 600, 120, 16
"""Tapes of more than MANY steps, of which more than LEFT remain when loops are arrays, may have nests of loops; they
write into parts of arrays more than WRITES times."""


class Original:
    """A function of the user's with its data, of the flat vector of its parameters.

    Parameters
    ----------
    function : callable, function(params, *args)
    args : tuple
    structure : Structure
        The structure of the parameters, that of x0.
    start : ndarray, shape (n,)
    scalar : bool
        Whether it returns one number.
    varying : collection of cells
        The outer variables whose numbers are data of its tapes.

    Attributes
    ----------
    single : bool
        Whether a trace met single precision, which is followed in double.
    as_data : bool
        Whether what objects and containers hold is data of its tapes too: for source that is handed out.
    """

    def __init__(
        self,
        function: Callable,
        args: tuple,
        structure: Structure,
        start: np.ndarray,
        scalar: bool = True,
        varying: Collection[CellType] = (),
    ) -> None:
        self.varying = varying
        self.function, self.args, self.structure, self.start, self.scalar = function, args, structure, start, scalar
        self.single = self.as_data = False
        self._left = SideEffects()  # of the latest trace
        self._literals = False  # whether the numbers in the function's text are traced
        self._modes = np.geterr()
        self._heeds = False  # whether NumPy's warnings decide something
        self._called: np.ndarray | None = None  # where it was called last, since the latest trace

    def let_go(self) -> None:
        """Let go of the function and its data."""
        self.function, self.args, self.varying = gone, (), ()

    # Called as it is --------------------------------------------------------------------------------------------------

    def value(self, x: Any) -> float:
        """Return f(x); what a trace left outside is as if this had not been called."""
        with self._left.set_aside():
            return self._number(x)

    def array(self, x: Any) -> np.ndarray:
        """Return what the function returns, as `value` does: flat, shape (m,) or ()."""
        value = self.result(x)
        return value.reshape(()) if self.scalar else value.reshape(-1)

    def result(self, x: Any) -> np.ndarray:
        """Return what the function returns, as `value` does, in its shape."""
        with self._left.set_aside():
            return np.asarray(self._result(x), dtype=float)

    def complex_value(self, x: np.ndarray) -> Any:
        """Return what the function makes of complex parameters, flat, shape (n,), as `value` does; raise if nothing."""
        with self._left.set_aside():
            self._called = None
            return self.function(self.structure.unflatten(x), *self.args)

    def commit_state(self, x: Any) -> None:
        """Call the function, unless that was done last, so that what it keeps outside is what it keeps at `x`."""
        if self._left.changes or self._called is None or not np.array_equal(self._called, x):
            self._left.take_back()
            self._result(x)

    def require_same(self, recorded: Trace, x: np.ndarray) -> None:
        """Raise if the function, called once more at the point of a trace, gives another value.

        What it counts and keeps is afterwards what it was before.
        """
        try:
            own = self.array(x)
        except TracingError:  # it kept values of a derivative that it takes itself, and reads them
            return
        finally:
            for change in recorded.changes:
                change.redo()
        if not np.allclose(recorded.value.reshape(own.shape), own, rtol=1e-5, atol=1e-8, equal_nan=True):
            first, second = recorded.value.reshape(-1), own.reshape(-1)
            k = int(np.argmax(~np.isclose(first, second, rtol=1e-5, atol=1e-8, equal_nan=True)))
            raise TracingError(
                f"The objective gives another value each time that it is called at one point: {first[k]:.6g}, then "
                f"{second[k]:.6g}.",
                definition(self.function),
                "have it depend on its arguments only: not on a counter, on what is left of an iterator, or the like.",
            )

    def _number(self, x: Any) -> float:
        return float(np.asarray(self._result(x)).reshape(()))

    def _result(self, x: Any) -> Any:
        self._called = self.structure.vector(x).copy()
        parameters = self.structure.unflatten(self._called.copy())
        if not self._heeds:
            return self.function(parameters, *self.args)
        with np.errstate(**self._modes):
            return self.function(parameters, *self.args)

    # Traced -----------------------------------------------------------------------------------------------------------

    def trace(self, x: np.ndarray) -> Trace:
        """Return the trace at `x`, in the user's modes, what searches find being roots."""
        with np.errstate(**self._modes):
            recorded = self._with_roots(x)
        self._left, self._called = recorded.side_effects, None
        self.single = self.single or recorded.single
        self._heeds = self._heeds or recorded.tape.heeds
        return recorded

    def steps_at(self, x: np.ndarray) -> Tape:
        """Return the steps of the function at `x`, nothing of the run that records them being left outside."""
        recorded = self.trace(x)
        recorded.side_effects.take_back()
        return recorded.tape

    def decided(self, x: np.ndarray, decisions: Any) -> None:
        """Run the function at `x`, and tell `decisions` what it decides by its data alone."""
        with np.errstate(**self._modes):
            self._recorded(x, self._literals, decisions=decisions).side_effects.take_back()

    def _with_roots(self, x: np.ndarray) -> Trace:
        """Return the trace at `x`, what searches find being roots.

        Where the record does not show their equations, it may do so with the numbers in the objective's text traced.
        """
        recorded = self._recorded(x, self._literals)
        searched = _searched(recorded, x, self._literals)
        if self._literals or searched is not recorded:
            return searched
        if not recorded.tape.caught and are_nested(recorded.tape):
            if (nests := self._with_nests(recorded, x)) is not None:
                return nests
            recorded = self._recorded(x, False)
        if not recorded.tape.caught and bisecting(recorded.tape):
            recorded.side_effects.take_back()
            again = _searched(self._recorded(x, True), x)
            if again.tape.caught:
                self._literals = True
                return again
            again.side_effects.take_back()
            recorded = self._recorded(x, False)
        return _searched(recorded, x)

    def _with_nests(self, recorded: Trace, x: np.ndarray) -> Trace | None:
        """Return the trace with loops over growing windows as one step each; None if they cannot be."""
        recorded.side_effects.take_back()
        again = self._recorded(x, False, cells=False)
        tape = None if again.tape.caught else nested(again.tape)
        if tape is None:
            again.side_effects.take_back()
            return None
        tape.decided = deciding(recorded.tape)
        return replace(again, tape=tape)

    def _recorded(self, x: np.ndarray, literals: bool, **how: Any) -> Trace:
        given = self.function, self.structure, x, self.args, self.scalar, literals, self.varying, self.as_data
        return trace(*given, **how)

    def complaint(self, failure: Exception, x: np.ndarray) -> TracingError:
        """Return what says that a trace at `x` failed; raise the user's own error where that is why."""
        self._raise_theirs(x)
        return TracingError(
            f"The objective runs, but not while it is traced: {type(failure).__name__}: {failure}",
            followed_places(failure)[-1:] or definition(self.function),
            "write the line with NumPy functions, or pass jac='finite-difference'.",
        )

    def _raise_theirs(self, x: np.ndarray) -> None:
        """Raise an error of the user's own as theirs; as one of the data where these explain it at the start."""
        try:
            self.array(x)
        except Exception as error:
            if not np.array_equal(x, self.start):
                raise
            from autoopt.objectives.suspects import explained

            told = explained(error, self.function, self.args)
            if told is None:
                raise
            raise told from error


def are_nested(tape: Tape) -> bool:
    """Whether loops of a tape may be nests, which a record of every write shows: windows grow, or it stays long.

    Those that become operations on whole arrays, as updates of a triangle do, are none.
    """
    if has_growing_windows(tape) and has_growing_windows(vectorise(tape)):
        return True
    if len(tape.steps) <= MANY or sum(step.operation is put for step in tape.steps) <= WRITES:
        return False
    return sum(step.level == PARAMETER for step in vectorise(tape).steps) > LEFT


def _searched(recorded: Trace, x: np.ndarray, bare: bool = True) -> Trace:
    """Return the trace at `x` with what searches find as roots; `bare`: numbers without a history, too."""
    places = repeated(recorded.tape)
    tape = followed(recorded.tape, x, places, bare) if places else recorded.tape
    tape.decided = deciding(recorded.tape)
    return recorded if tape is recorded.tape else replace(recorded, tape=tape)
