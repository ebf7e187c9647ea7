"""Which path holds at a point: the one that was taken last, another one that is known, or a new one.

    run(kind, x)        the path taken last, by its compiled code alone       nearly every call
        NOT_TAKEN       the other paths, those used last first
        NOT_TAKEN       the objective is traced at x, and the path compiled and kept; once there are more than
                        MAX_PATHS, new ones are evaluated step by step

Before that, what the objective reads outside is looked at: if it has changed, all paths are given up.
"""

from __future__ import annotations

import copy
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import AutooptError, Location, PathsWarning
from autoopt.graph.kinds import KINDS, PAIRS
from autoopt.objectives import arguments
from autoopt.objectives.compilation import Compiler
from autoopt.objectives.evaluation import NOT_TAKEN, QUIET, agrees, on_path, with_other_counts
from autoopt.objectives.one_sided import is_finite
from autoopt.objectives.original import Original
from autoopt.objectives.paths import Path
from autoopt.objectives.stepwise import Eager
from autoopt.tape.tape import Tape
from autoopt.tracing.outside.watching import is_kept
from autoopt.users_code import NO_VALUE

MAX_PATHS = 200
"""The most ways through the objective's branches that are compiled; from then on new ones are followed step by step."""

FEWER_PATHS = "give the loop a fixed number of iterations, or replace the branch by np.where or np.maximum."
"""What to do about more ways than these."""

KEPT_PATHS = 16
"""How many of them, those used last, are then kept."""


class Dispatch:
    """The paths of one objective, and the choice among them.

    Parameters
    ----------
    original : Original
        The user's function.
    engine : "auto", "numpy" or "numba"
    budget : float
        How many bytes of arrays are kept for each path, to see whether they are written into.

    Attributes
    ----------
    paths : list of Path
        That are compiled; the one that was taken last first.
    eager : Eager or None
        None as long as every path is compiled.
    timings : dict of str to float
        Seconds spent in "trace" and "compile" so far.
    """

    def __init__(self, original: Original, engine: str, budget: float) -> None:
        self.original = original
        self.timings = {"trace": 0.0, "compile": 0.0}
        self.compiler = Compiler(original, engine, self.timings)
        self._budget = budget
        self._tables = arguments.tables(original.args)  # the dictionaries among the data; None if there are none
        self._form = self._form_of(original.args)
        self.eager: Eager | None = None
        self.paths = [self.traced(original.start)]

    def twin(self) -> Dispatch:
        """Return the same paths, to which other data can be bound."""
        other = copy.copy(self)
        other.original, other.timings = copy.copy(self.original), dict(self.timings)
        other.compiler = self.compiler.twin(other.original, other.timings)
        other.paths = [path.twin() for path in self.paths]
        other.eager = self.eager and Eager()
        return other

    def let_go(self) -> None:
        """Let go of the function."""
        self.original.let_go()
        self._tables, self.compiler.passing = None, {}

    def resumed(self, original: Original, budget: float) -> Dispatch:
        """Return the same paths for another function of the same code, which are to take its data."""
        other = copy.copy(self)
        other.__dict__.pop("_beside", None)
        other.original, other.timings, other._budget = original, {"trace": 0.0, "compile": 0.0}, budget
        other.compiler = self.compiler.twin(original, other.timings)
        other._tables = arguments.tables(original.args)
        other._form = other._form_of(original.args)
        return other

    # The path that holds ----------------------------------------------------------------------------------------------

    def run(self, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Evaluate on the path that was taken last; where that does not hold, on the one that does."""
        path = self.paths[0]
        if self._tables is not None or not path.is_unchanged() or (path.kept and not path.is_kept()):
            path = self._latest(x)
        compiled, is_taken = path.compiled.get(kind) if path.is_plain else None, True
        if compiled is not None:  # where all is well there is no look at what does not apply
            try:
                quiet = QUIET.copy().run
                result = quiet(compiled.run, x, *direction) if direction else quiet(compiled.run, x)
                if kind == "value" or is_finite(result[-1] if kind in PAIRS else result):
                    return result
            except compiled.changed:
                is_taken = False
            except Exception:  # `on_path` knows what it says
                pass
        if is_taken:
            result = QUIET.copy().run(on_path, self, path, kind, x, *direction)
            if result is not NOT_TAKEN:
                return result
        with np.errstate(all="ignore"):
            return self._on_another_path(kind, x, *direction)

    def run_plain(self, kind: str, x: np.ndarray, *direction: np.ndarray, is_taken: bool = False) -> Any:
        """Evaluate on the path that was taken last, by its compiled code alone; None where that does not settle it.

        If `is_taken`, a derivative of the same order has been found at `x` on this path.
        """
        path = self._latest(x)
        if not path.is_plain and (not is_taken or path.trace.tape.equalities):
            return None
        compiled = self.compiler.compiled(path, kind)
        try:
            result = QUIET.copy().run(compiled.run, x, *direction)
        except Exception:  # another path, kinks, or what NumPy raises: other ways know what it says
            return None
        return result if is_finite(KINDS[kind].derivative(result)) else None

    def _latest(self, x: np.ndarray) -> Path:
        """Return the path that was taken last, traced anew if what it read outside is no longer what it was."""
        if self._tables is not None and not self._tables.holds():
            self._reread(x)
        path = self.paths[0]
        if (path.watched is not None or path.kept) and not self._is_current(path, x):
            self._retrace(x)
            path = self.paths[0]
            if not path.trace.watched.complete:
                self.original.require_same(path.trace, x)
        return path

    def _on_another_path(self, kind: str, x: np.ndarray, *direction: np.ndarray, settle: bool = True) -> Any:
        """Evaluate on another known path, or on a new one."""
        for position, path in enumerate(self.paths[1:], start=1):
            if not self._is_current(path, x):
                continue
            result = on_path(self, path, kind, x, *direction, settle=settle)
            if result is not NOT_TAKEN:
                self.paths.insert(0, self.paths.pop(position))
                return result
        for position, path in enumerate(self.paths):
            result = with_other_counts(self, path, kind, x, *direction, settle=settle)
            if result is not NOT_TAKEN:
                self.paths.insert(0, self.paths.pop(position))
                return result
        if self.eager is not None:
            return self.eager.evaluated(self, kind, x, *direction)
        path = self._passing(x) or self.traced(x)
        like = next((known for known in self.paths if not path.trace.tape.equalities and known.is_like(path)), None)
        if like is not None:
            like.take(path)
            self.paths.insert(0, self.paths.pop(self.paths.index(like)))
        result = on_path(self, like or path, kind, x, *direction, settle=settle)
        if result is not NOT_TAKEN:
            if like is None and not path.trace.tape.caught:
                self._keep(path)
            return result
        # Rounding at a tie, where the branch that the original took is the one that counts; or the value is not finite.
        return self.unchecked(path.trace.tape, kind, x, *direction)

    def _passing(self, x: np.ndarray) -> Path | None:
        """Return the path that holds at the point `x` alone, if it was taken last."""
        for path in self.compiler.passing.values():
            if np.array_equal(path.point, x):
                return path if self._is_current(path, x) else None
        return None

    def unchecked(self, tape: Tape, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Evaluate on a path that was traced at `x`, whatever its guards say."""
        return self.compiler.unchecked(tape, kind).run(x, *direction)

    def traced(self, x: np.ndarray) -> Path:
        """Return the path that the objective takes at `x`."""
        clock = time.perf_counter()
        try:
            recorded = self.original.trace(x)
            path = Path(recorded, x.copy(), self.compiler.repeats, self._budget)
            path.keep()
            if not recorded.watched.steady:
                self.original.require_same(recorded, x)
            return path
        except AutooptError:
            raise
        except Exception as problem:
            failure = problem
        finally:
            self.timings["trace"] += time.perf_counter() - clock
        raise self.original.complaint(failure, x) from failure

    def _keep(self, path: Path) -> None:
        self.paths.insert(0, path)
        if len(self.paths) <= MAX_PATHS:
            return
        text = _many(self.paths)
        del self.paths[KEPT_PATHS:]
        self.eager = Eager()
        warnings.warn(PathsWarning(text), stacklevel=_outside())

    def tape_at(self, x: np.ndarray) -> Tape:
        """Return the tape that was evaluated last, if that was at `x`."""
        latest = None if self.eager is None else self.eager.known(x)
        return self.paths[0].trace.tape if latest is None else latest[1].tape

    # Beside a point ---------------------------------------------------------------------------------------------------

    def by_convention(self, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Evaluate at a point beside the one that is asked for, kinks having the slopes of their rules."""
        first = self.paths[0]
        result = on_path(self, first, kind, x, *direction, settle=False)
        if result is NOT_TAKEN:
            result = self._on_another_path(kind, x, *direction, settle=False)
            if first in self.paths:
                self.paths.insert(0, self.paths.pop(self.paths.index(first)))
        return result

    def on_path_at(self, x: np.ndarray, shift: np.ndarray, kind: str, *direction: np.ndarray) -> Any:
        """Evaluate at `x` on the path that is taken at `x + shift`; None if there is no such path."""
        try:
            path = self.traced(x + shift)
        except NO_VALUE:
            return None
        with np.errstate(all="ignore"):
            return None if path.trace.tape.equalities else self.unchecked(path.trace.tape, kind, x, *direction)

    def grad(self, x: np.ndarray) -> np.ndarray:
        """Return the gradient, shape (n,)."""
        return self.run("value_and_grad", x)[1]

    def original_array(self, x: np.ndarray) -> np.ndarray:
        """Return what the user's own function returns, shape (m,) or ()."""
        return self.original.array(x)

    # Data, and what is read outside -----------------------------------------------------------------------------------

    def _is_current(self, path: Path, x: np.ndarray) -> bool:
        """Whether what `path` read outside is what it was; what was computed of arrays is computed anew if need be.

        Where that cannot be seen the values tell, at `x` and beside it.
        """
        if path.watched is not None and not path.watched.holds():
            return False
        for array, kept in path.kept:
            if not is_kept(array, kept):
                return path.refresh()
        return path.is_complete or (agrees(self, path, x) and agrees(self, path, x + _beside(self.original.start)))

    def _retrace(self, x: np.ndarray) -> None:
        """Begin anew: what the objective reads outside is no longer what it was."""
        self.paths = [self.traced(x)]
        self.eager, self.compiler.passing = None, {}

    def rebind(self, args: tuple) -> bool:
        """Take other data of the same shapes; False if the objective may run differently with them."""
        if not all(path.still_holds() for path in self.paths):
            return False
        self.original.args, self._tables = args, arguments.tables(args)
        self.compiler.passing = {}
        if self.eager is not None:
            self.eager.latest = None
        for path in self.paths:
            path.rebind(args)
        return True

    def _form_of(self, args: tuple) -> Any:
        """Return what must be equal for other data to be bound; it is only asked for where there are dictionaries."""
        return arguments.shape(args) if self._tables else None

    def _reread(self, x: np.ndarray) -> None:
        """Take what is now in the dictionaries among the data: anew, if it is of other shapes."""
        args = self.original.args
        before, self._tables = self._form, arguments.tables(args)
        self._form = self._form_of(args)
        if self._form != before or not self.rebind(args):
            self._retrace(x)


def _many(paths: Sequence[Path]) -> str:
    """Return what is to be said of an objective that takes a new way at nearly every point."""
    sites = Counter(guard.site for known in paths for guard in known.trace.tape.guards if guard.site)
    places = dict.fromkeys(str(Location.of_instruction(*site)) for site, _ in sites.most_common())
    lines = [
        f"The objective took more than {MAX_PATHS} different ways through its branches, which are decided at:",
        *list(places)[:3],
        "From now on new ways are followed step by step, which is slower than compiled code.",
        f"To fix this: {FEWER_PATHS}",
    ]
    return "\n".join(lines)


def _beside(start: np.ndarray) -> np.ndarray:
    """Return steps to a point where values tell more than at zeros."""
    return 1e-2 * differences.step_scale(start) * np.random.default_rng(0).uniform(0.5, 1.0, start.size)


def _outside() -> int:
    """Return how many frames above its caller the first one is that is not of this package."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "autoopt":
        depth, frame = depth + 1, frame.f_back
    return depth
