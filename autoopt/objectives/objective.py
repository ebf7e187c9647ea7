"""The objective with its derivatives: compiled for each path through its branches, when first used."""

from __future__ import annotations

import copy
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import AutooptError, Location, PathsWarning, TracingError, UnsupportedFunctionError, UsageError
from autoopt.execution import engines
from autoopt.execution.eager import EagerCache, EagerRun
from autoopt.execution.engines import Compiled, engine_of, rebound
from autoopt.execution.printed import with_constants
from autoopt.objectives import decisions, equalities, one_sided, spectra, unfollowed
from autoopt.objectives.paths import Path
from autoopt.origin import definition, users_places
from autoopt.parameters import Structure
from autoopt.tape.batching.batching import has_loops, vectorise
from autoopt.tape.searches.bisection import bisecting
from autoopt.tape.searches.comparisons import deciding, repeated
from autoopt.tape.searches.roots import followed
from autoopt.tape.slopes import Flat, flatness
from autoopt.tape.tape import Tape
from autoopt.tracing.naming import argument_names
from autoopt.tracing.outside.side_effects import SideEffects
from autoopt.tracing.outside.watching import BUDGET, Watch, attribute, is_kept
from autoopt.tracing.standins.table import stands_in
from autoopt.tracing.trace import Trace, trace

MAX_PATHS = 200
"""Most ways through the objective's branches that are compiled; from then on new ones are followed step by step."""

KEPT_PATHS = 16
"""Number of them that are then kept, those used last."""

DENSE = 400
"""With more parameters than this a Hessian is computed a column at a time, so that temporaries stay small."""

_VALUED = {"value": lambda found: found, "value_and_grad": lambda found: found[0]}
_DERIVATIVES: dict[str, Callable] = {
    "value_and_grad": EagerRun.gradient,
    "hessp": EagerRun.product,
    "hess": EagerRun.hessian,
    "jacobian": EagerRun.jacobian,
}
_KINDS = {"value": "value", "gradient": "value_and_grad", "hessian": "hess", "hvp": "hessp"}


class Objective:
    """A function of NumPy code with its value, gradient, Hessian and Hessian-vector products.

    Parameters
    ----------
    f : callable, f(params, *args) -> scalar
        The objective.
    x0 : scalar, array, or nested dict, list, tuple of them
        Where it is first run, and the structure of its parameters.
    args : tuple
        Data. Arrays of more than 64 KiB must not be written into while the objective is in use: what is in those that
        are larger, or that are larger together, is not looked at again.
    engine : "auto", "numpy" or "numba"
    scalar : bool
        False if `f` returns an array, of which only the `jacobian` exists.

    Attributes
    ----------
    structure : Structure
        The structure of the parameters, that of x0.
    size : int
        The number of parameters, n.
    timings : dict of str to float
        Seconds spent in "trace" and "compile" so far.

    Notes
    -----
    `x` is the flat vector, shape (n,), or a value of x0's structure; gradients, directions and Hessians are flat.
    """

    _budget: float = BUDGET

    def __init__(self, f: Callable, x0: Any, args: tuple = (), engine: str = "auto", scalar: bool = True) -> None:
        self.function = f
        self.args = args
        self.scalar = scalar
        self.structure = Structure.of(x0)
        self.size = self.structure.size
        self.timings = {"trace": 0.0, "compile": 0.0}
        self.engine = engine
        self._compile = engine_of(engine)
        self._repeats = self._compile.repeats
        self._by_columns: bool | None = None if self.size <= DENSE else True
        self._start = self.structure.flatten(x0).copy()
        self._left = SideEffects()
        self._tables = _tables(args)
        self._form = self._form_of(args)
        self._literals = False
        self.single = False
        self._modes = np.geterr()
        self._heeds = False  # whether NumPy's warnings decide something
        self._paths: list[Path] = [self._path(self._start)]
        self._passing: dict[str, Path] = {}  # the latest of those that hold at their own point only, by kind
        self._interpreter: EagerCache | None = None
        self._latest: tuple[Path | None, EagerRun | None] = (None, None)

    def __reduce__(self) -> tuple:
        """Copies, and what is read from a pickle, are traced and compiled anew."""
        return Objective, (self.function, self.structure.unflatten(self._start), self.args, self.engine, self.scalar)

    def __followed__(self, tracer: Any, substitute: Callable) -> Any:
        """Return what stands in for this objective while another one that uses it is traced."""
        from autoopt.objectives.nested import NestedObjective

        names = argument_names(self.function, 1 + len(self.args))[1:]
        args = tuple(map(substitute, self.args, names))
        return NestedObjective(tracer, substitute(self.function), self.structure, args, self.scalar)

    # Evaluation -------------------------------------------------------------------------------------------------------

    def value(self, x: Any) -> float:
        """Return f(x)."""
        return float(self._run("value", self._flat(x)))

    def value_and_grad(self, x: Any) -> tuple[float, np.ndarray]:
        """Return f(x) and its gradient, shape (n,)."""
        value, gradient = self._run("value_and_grad", self._flat(x))
        return float(value), gradient

    def grad(self, x: Any) -> np.ndarray:
        """Return the gradient, shape (n,)."""
        return self._run("value_and_grad", self._flat(x))[1]

    def hess(self, x: Any) -> np.ndarray:
        """Return the Hessian, shape (n, n)."""
        x = self._flat(x)
        if self._by_columns is None:
            self._by_columns = not self._has_stacked_hessian()
        if not self._by_columns:
            try:
                return _mirrored(self._run("hess", x))
            except UnsupportedFunctionError:  # another path has an operation without a stacked form
                self._by_columns = True
        return np.array([self._run("hessp", x, unit) for unit in np.eye(self.size)])

    def _has_stacked_hessian(self) -> bool:
        """Whether all columns of a Hessian can be had at once, and soon: a loop over stacks takes long to derive."""
        if has_loops(vectorise(self._paths[0].tape)):
            return False
        try:
            self._compiled(self._paths[0], "hess")
        except UnsupportedFunctionError:  # some operation has no stacked form
            return False
        return True

    def hessp(self, x: Any, p: Any) -> np.ndarray:
        """Return the Hessian times `p`, shape (n,); what does not depend on `p` is computed once for each x."""
        return self._run("hessp", self._flat(x), self._flat(p, "direction"))

    def jacobian(self, x: Any) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return the derivatives of an array-valued f, shape (m, n), and the shape of f's result, of m entries."""
        x = self._flat(x)
        matrix = self._run("jacobian", x)
        path, run = self._latest
        tape = run.tape if run is not None and np.array_equal(path.point, x) else self._paths[0].trace.tape
        return matrix, tape.steps[tape.output].shape

    def flatness(self, x: Any) -> Flat | None:
        """Return why the value on the path at x0 has no slope in the parameters; None if it may have one."""
        tape = self._paths[0].trace.tape
        return None if tape.ties else flatness(tape)  # at a tie the derivative is compared with differences

    def meets_kinks(self, x: Any) -> bool:
        """Whether the gradient at `x` meets kinks, or numbers that are equal, that are not so everywhere."""
        x = self._flat(x)
        self.value_and_grad(x)
        compiled = self._paths[0].compiled.get("value_and_grad")
        if compiled is None or self._paths[0].trace.tape.ties:
            return bool(self._paths[0].trace.tape.ties)
        try:
            _QUIET.copy().run(compiled.run, x)
        except compiled.tied:
            return True
        except Exception:  # another path is taken there
            return False
        return False

    def original(self, x: Any) -> float:
        """Return f(x) from the user's own function; what a trace left outside is as if this had not been called."""
        with self._left.set_aside():
            return self._call(x)

    def leave(self, x: Any) -> None:
        """Call the user's own function, so that what it keeps outside is what it keeps at `x`."""
        self._left.take_back()
        self._call(x)

    def outcome(self, x: Any) -> np.ndarray:
        """Return what the user's own function returns, as `original` does: flat, shape (m,) or ()."""
        with self._left.set_aside():
            value = np.asarray(self._result(x), dtype=float)
        return value.reshape(()) if self.scalar else value.reshape(-1)

    def _call(self, x: Any) -> float:
        return float(np.asarray(self._result(x)).reshape(()))

    def _result(self, x: Any) -> Any:
        parameters = self.structure.unflatten(self._flat(x).copy())
        if not self._heeds:
            return self.function(parameters, *self.args)
        with np.errstate(**self._modes):
            return self.function(parameters, *self.args)

    def source(self, derivatives: str = "gradient") -> str:
        """Return the NumPy source that is run, as the text of a module.

        Parameters
        ----------
        derivatives : "value", "gradient", "hessian" or "hvp"
        """
        if derivatives not in _KINDS:
            remedy = f"choose one of {', '.join(_KINDS)}."
            raise UsageError(f"derivatives={derivatives!r} is not understood.", remedy=remedy)
        try:
            compiled = self._compiled(self._paths[0], _KINDS[derivatives])
        except UnsupportedFunctionError as error:
            if derivatives != "hessian":
                raise
            raise UnsupportedFunctionError(
                "The Hessian of this objective is computed a column at a time: there is no form for all at once.",
                error.where,
                'export derivatives="hvp", whose products with unit vectors are the columns.',
            ) from error
        if not compiled.text:
            raise UsageError("The numba engine has no source.", remedy='use engine="numpy".')
        return with_constants(compiled.text, compiled.inputs.constants)

    def rebind(self, args: tuple) -> bool:
        """Take other data of the same shapes; False if the objective may run differently with them.

        Data that are the same objects are taken again too: they may have been written into.
        """
        if not all(path.still_holds() for path in self._paths):
            return False
        self.args, self._tables = args, _tables(args)
        self._latest, self._passing = (None, None), {}
        for path in self._paths:
            path.rebind(args, self._budget)
        return True

    def _form_of(self, args: tuple) -> Any:
        """Return what must be equal for other data to be bound; it is only asked for where there are dictionaries."""
        from autoopt.objectives.bindings import shape

        return shape(args) if self._tables else None

    def _reread(self, x: np.ndarray) -> None:
        """Take what is now in the dictionaries among the data: anew, if it is of other shapes."""
        before, self._tables = self._form, _tables(self.args)
        self._form = self._form_of(self.args)
        if self._form != before or not self.rebind(self.args):
            self._retrace(x)

    @property
    def is_complete(self) -> bool:
        """Whether every change of what the objective reads outside is noticed."""
        return all(path.trace.watched.complete for path in self._paths)

    def twin(self) -> Objective:
        """Return an objective of the same code, to which other data can be bound: for another thread."""
        other = copy.copy(self)
        other._paths, other._passing, other._latest = [path.twin() for path in self._paths], {}, (None, None)
        other.timings = dict(self.timings)
        return other

    # Paths ------------------------------------------------------------------------------------------------------------

    def _flat(self, x: Any, name: str = "x") -> np.ndarray:
        if type(x) is np.ndarray and x.dtype is _DOUBLE and x.ndim == 1 and x.size == self.size:
            return x
        return self.structure.flatten(x, name)

    def _run(self, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Evaluate on the path that was taken last; where that does not hold, on the one that does."""
        if self._tables is not None and not self._tables.holds():
            self._reread(x)
        path = self._paths[0]
        if (path.watched is not None or path.kept) and not self._is_current(path, x):
            self._retrace(x)
            path = self._paths[0]
            if not path.trace.watched.complete:
                self._require_same(path, x)
        compiled = path.compiled.get(kind) if path.is_plain else None
        if compiled is None:
            found = _QUIET.copy().run(self._on_path, path, kind, x, *direction)
        else:
            found = self._at_once(path, compiled, kind, x, *direction)
        if found is not None:
            return found
        with np.errstate(all="ignore"):
            return self._on_another_path(kind, x, *direction)

    def _at_once(self, path: Path, compiled: Compiled, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what `_on_path` does on a plain path, where all is well without a look at what does not apply."""
        try:
            found = _QUIET.copy().run(compiled.run, x, *direction)
            if kind == "value" or one_sided.is_finite(found[1] if kind == "value_and_grad" else found):
                return found
        except compiled.changed:
            return None
        except Exception:  # `_on_path` knows what it says
            pass
        return _QUIET.copy().run(self._on_path, path, kind, x, *direction)

    def by_convention(self, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Evaluate at a point beside the one that is asked for, kinks having the slopes of their rules."""
        first = self._paths[0]
        found = self._on_path(first, kind, x, *direction, settle=False)
        if found is None:
            found = self._on_another_path(kind, x, *direction, settle=False)
            if first in self._paths:
                self._paths.insert(0, self._paths.pop(self._paths.index(first)))
        return found

    def _is_current(self, path: Path, x: np.ndarray) -> bool:
        """Whether what `path` read outside is what it was; what was computed of arrays is computed anew if need be.

        Where that cannot be seen the values tell, at `x` and beside it.
        """
        if path.watched is not None and not path.watched.holds():
            return False
        for array, kept in path.kept:
            if not is_kept(array, kept):
                return path.refresh(self._budget)
        return path.is_complete or (self._agrees(path, x) and self._agrees(path, x + self._beside))

    def _agrees(self, path: Path, x: np.ndarray) -> bool:
        """Whether the value on `path` is that of the user's function; True if the path is not taken at `x`."""
        with np.errstate(all="ignore"):
            found = self._on_path(path, "value", x, settle=False)
            if found is None:
                return True
            try:
                own = self.outcome(x)
            except Exception:  # which comes up where it is the user's point
                return True
            return bool(np.allclose(found, own, rtol=1e-8, atol=1e-12, equal_nan=True))

    def _require_same(self, path: Path, x: np.ndarray) -> None:
        """Raise if the objective, called once more at the point of a trace, gives another value.

        What it counts and keeps is afterwards what it was before.
        """
        try:
            own = self.outcome(x)
        except TracingError:  # it kept values of a derivative that it takes itself, and reads them
            return
        finally:
            for change in path.trace.changes:
                change.redo()
        if not np.allclose(path.trace.value.reshape(own.shape), own, rtol=1e-5, atol=1e-8, equal_nan=True):
            first, second = path.trace.value.reshape(-1), own.reshape(-1)
            k = int(np.argmax(~np.isclose(first, second, rtol=1e-5, atol=1e-8, equal_nan=True)))
            raise TracingError(
                f"The objective gives another value each time that it is called at one point: {first[k]:.6g}, then "
                f"{second[k]:.6g}.",
                definition(self.function),
                "have it depend on its arguments only: not on a counter, on what is left of an iterator, or the like.",
            )

    @cached_property
    def _beside(self) -> np.ndarray:
        """Steps to a point where values tell more than at zeros."""
        return 1e-2 * differences.step_scale(self._start) * np.random.default_rng(0).uniform(0.5, 1.0, self.size)

    def _retrace(self, x: np.ndarray) -> None:
        """Begin anew: what the objective reads outside is no longer what it was."""
        self._paths = [self._path(x)]
        self._interpreter, self._latest, self._passing = None, (None, None), {}

    def _on_path(self, path: Path, kind: str, x: np.ndarray, *direction: np.ndarray, settle: bool = True) -> Any:
        """Return what `path` gives at `x`; None if the objective does not take it there.

        Where kinks are met both sides are looked at, unless `settle` is False: then the conventions count.
        """
        compiled = path.compiled.get(kind) or self._compiled(path, kind)
        tape = path.trace.tape
        if tape.caught and not np.array_equal(x, path.point):
            return None
        try:
            try:
                found = compiled.run(x, *direction)
            except compiled.tied as met:
                if not settle:
                    return compiled.by_convention(x, *direction)
                found = one_sided.settled(self, compiled, kind, x, met.args[0], *direction)
                if compiled.stationary:  # as long as the data are what they are
                    path.keep(self._budget)
        except (*_changes(compiled), np.linalg.LinAlgError, ValueError, OverflowError, IndexError):
            return None  # int() of NaN, a position beyond the end: the objective goes another way, or raises
        if kind != "value" and not one_sided.is_finite(one_sided.derivative(kind, found)):
            found = spectra.settled(compiled, kind, x, found, *direction)
            if settle and not one_sided.is_finite(one_sided.derivative(kind, found)):
                found = one_sided.settled(self, compiled, kind, x, 0, *direction)
        if not settle:
            return found
        if tape.python_numbers:  # where NumPy gives inf or NaN, Python may have raised, and the objective gone on
            if kind in _VALUED and not np.isfinite(_VALUED[kind](found)):
                return None
            if self.scalar and kind not in _VALUED and not self._is_finite(path, x):
                return None
        if not path.compared and kind != "value":
            self._witness(path, kind, x, found)
        if tape.ties and kind != "value":
            found = equalities.settled(self, path, kind, x, found, *direction)
        if self.scalar and decisions.wants(path, kind):
            try:
                decisions.compare(self, path, kind, x, found, *direction)
            except TracingError:
                path.compiled.clear()
                raise
        return found

    def _witness(self, path: Path, kind: str, x: np.ndarray, found: Any) -> None:
        """Compare the first gradient of a path on which texts or whole numbers were made of the parameters."""
        path.compared = True
        first = "value_and_grad" if self.scalar else "jacobian"
        own = found if kind == first and np.array_equal(x, path.point) else self._on_path(path, first, path.point)
        if own is None:
            return
        try:
            unfollowed.compare(self, path, own[1] if self.scalar else own)
        except TracingError:
            path.compared = False
            raise

    def _is_finite(self, path: Path, x: np.ndarray) -> bool:
        """Whether the value on `path` is finite at `x`: looked at once for all derivatives of a point."""
        known = path.finite
        if known is not None and np.array_equal(known, x):
            return True
        if self._on_path(path, "value", x) is None:
            return False
        path.finite = x.copy()
        return True

    def _on_another_path(self, kind: str, x: np.ndarray, *direction: np.ndarray, settle: bool = True) -> Any:
        """Evaluate on another known path, or on a new one."""
        for position, path in enumerate(self._paths[1:], start=1):
            found = self._on_path(path, kind, x, *direction, settle=settle) if self._is_current(path, x) else None
            if found is not None:
                self._paths.insert(0, self._paths.pop(position))
                return found
        if self._interpreter is not None:
            return self._interpret(kind, x, *direction)
        passing = next((path for path in self._passing.values() if np.array_equal(path.point, x)), None)
        passing = passing if passing is None or self._is_current(passing, x) else None
        path = passing or self._path(x)
        known = next((known for known in self._paths if not path.trace.tape.ties and known.is_like(path)), None)
        if known is not None:
            known.take(path)
            self._paths.insert(0, self._paths.pop(self._paths.index(known)))
        found = self._on_path(known or path, kind, x, *direction, settle=settle)
        if found is not None:
            if known is None and not path.trace.tape.caught:
                self._keep(path)
            return found
        # Rounding at a tie, where the branch that the original took is the one that counts; or the value is not finite.
        return self._unchecked(path.trace.tape, kind, x, *direction)

    def _unchecked(self, tape: Tape, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Evaluate on a path that was traced at `x`, whatever its guards say."""
        return engines.compiled(self._compile, tape, kind, self._title(), checked=False).run(x, *direction)

    def beside(self, x: np.ndarray, shift: np.ndarray, kind: str, *direction: np.ndarray) -> Any:
        """Evaluate at `x` on the path that is taken at `x + shift`; None if there is no such path."""
        try:
            path = self._path(x + shift)
        except (AutooptError, ArithmeticError, ValueError):
            return None
        with np.errstate(all="ignore"):
            return None if path.trace.tape.ties else self._unchecked(path.trace.tape, kind, x, *direction)

    def _keep(self, path: Path) -> None:
        self._paths.insert(0, path)
        if len(self._paths) <= MAX_PATHS:
            return
        sites = Counter(guard.site for known in self._paths for guard in known.trace.tape.guards if guard.site)
        places = dict.fromkeys(str(Location.of_instruction(*site)) for site, _ in sites.most_common())
        del self._paths[KEPT_PATHS:]
        self._interpreter = EagerCache()
        lines = [
            f"The objective took more than {MAX_PATHS} different ways through its branches, which are decided at:",
            *list(places)[:3],
            "From now on new ways are followed step by step, which is slower than compiled code.",
            "To fix this: give the loop a fixed number of iterations, or replace the branch by np.where or np.maximum.",
        ]
        warnings.warn(PathsWarning("\n".join(lines)), stacklevel=_outside())

    def _interpret(self, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Evaluate at `x` without compiling the path that the objective takes there."""
        if kind == "value":
            return self.original(x)
        path, run = self._latest
        if run is None or not np.array_equal(path.point, x) or not (path.holds() and path.is_kept()):
            path = self._path(x)
            path.keep(self._budget, everything=True)
            run = EagerRun(path.trace.tape, path.point, self._interpreter)
            self._latest = (path, run)
            if run.tape.unfollowed:
                unfollowed.compare(self, path, run.gradient() if self.scalar else run.jacobian())
        found = _DERIVATIVES[kind](run, *direction)
        if np.all(np.isfinite(run.value)) and not np.all(np.isfinite(found)):  # step by step inf and 0 do not cancel
            return self._unchecked(run.tape, kind, x, *direction)
        found = (run.value, found) if kind == "value_and_grad" else found
        return equalities.settled(self, path, kind, x, found, *direction) if run.tape.ties else found

    def _path(self, x: np.ndarray) -> Path:
        """Return the path that the objective takes at `x`."""
        clock = time.perf_counter()
        try:
            with np.errstate(**self._modes):
                recorded = self._trace(x)
            self._left = recorded.side_effects
            self.single = self.single or recorded.single
            self._heeds = self._heeds or recorded.tape.heeds
            path = Path(recorded, x.copy(), self._repeats)
            path.keep(self._budget)
            if not recorded.watched.steady:
                self._require_same(path, x)
            return path
        except AutooptError:
            raise
        except Exception as problem:
            failure = problem
        finally:
            self.timings["trace"] += time.perf_counter() - clock
        self._raise_theirs(x)
        raise TracingError(
            f"The objective runs, but not while it is traced: {type(failure).__name__}: {failure}",
            users_places(failure)[-1:] or definition(self.function),
            "write the line with NumPy functions, or pass jac='finite-difference'.",
        ) from failure

    def _trace(self, x: np.ndarray) -> Trace:
        """Return the trace at `x`, what searches find being roots.

        Where the record does not show their equations, it may do so with the numbers in the objective's text traced.
        """
        recorded = self._recorded(x, self._literals)
        found = _searched(recorded, x, self._literals)
        if self._literals or found is not recorded:
            return found
        if not recorded.tape.caught and bisecting(recorded.tape):
            recorded.side_effects.take_back()
            again = _searched(self._recorded(x, True), x)
            if again.tape.caught:
                self._literals = True
                return again
            again.side_effects.take_back()
            recorded = self._recorded(x, False)
        return _searched(recorded, x)

    def _recorded(self, x: np.ndarray, literals: bool) -> Trace:
        return trace(self.function, self.structure, x, self.args, self.scalar, literals)

    def _raise_theirs(self, x: np.ndarray) -> None:
        """Let an error of the user's own come up as theirs; that of the data, if at the start these explain it."""
        try:
            self.outcome(x)
        except Exception as error:
            if x is not self._start:
                raise
            from autoopt.objectives.suspects import explained

            told = explained(error, self.function, self.args)
            if told is None:
                raise
            raise told from error

    def _compiled(self, path: Path, kind: str) -> Compiled:
        """Return the functions of one kind on one path, made when first asked for."""
        if kind not in path.compiled and path.trace.tape.caught:
            known = self._passing.get(kind)
            if known is not None and kind in known.compiled and known.is_same_code(path):
                path.compiled[kind] = rebound(known.compiled[kind], path.tape)
            self._passing[kind] = path
        if kind not in path.compiled:
            clock = time.perf_counter()
            try:
                compiled = engines.compiled(self._compile, path.tape, kind, self._title(), ties=True)
            except (UnsupportedFunctionError, NotImplementedError):
                if not path.counts or kind == "hess":  # a Hessian can be taken by columns
                    raise
                self._repeats = False  # some operation of a loop's body has no form for all iterations at once
                path.unroll()
                compiled = engines.compiled(self._compile, path.tape, kind, self._title(), ties=True)
            if path.counts:
                compiled.admit(path.counts)
            path.compiled[kind] = compiled
            path.keep(self._budget)
            self.timings["compile"] += time.perf_counter() - clock
        return path.compiled[kind]

    def _title(self) -> str:
        from autoopt.version import __version__

        place = definition(self.function)
        own = attribute(self.function, "__func__", self.function)
        name = attribute(own, "__qualname__", type(own).__name__)
        at = f" ({place.file}:{place.line})" if place else ""
        title = f"Derivatives of {name}{at}, written by autoopt {__version__}."
        if len(self.structure.paths) > 1:
            title += f"\n\nThe flat parameter vector holds {', '.join(self.structure.names)}."
        return title


_DOUBLE = np.dtype(np.float64)
_QUIET = copy_context()
"""Where NumPy's warnings are off: entering a copy costs a tenth of what np.errstate does."""
_QUIET.run(np.seterr, all="ignore")


def _searched(recorded: Trace, x: np.ndarray, bare: bool = True) -> Trace:
    """Return the trace at `x` with what searches find as roots; `bare`: numbers without a history, too."""
    places = repeated(recorded.tape)
    tape = followed(recorded.tape, x, places, bare) if places else recorded.tape
    tape.decided = deciding(recorded.tape)
    return recorded if tape is recorded.tape else replace(recorded, tape=tape)


def _changes(compiled: Compiled) -> tuple[type[Exception], ...]:
    """Return the exceptions that say that the objective takes another branch."""
    return (compiled.changed,) if isinstance(compiled.changed, type) else compiled.changed


def _tables(args: tuple) -> Watch | None:
    """Return what tells whether the dictionaries among the data hold what they held; None if there are none."""
    found = tuple(_dictionaries(args))
    return Watch(tables=found) if found else None


def _dictionaries(data: Any) -> Iterator[tuple[dict, list, list]]:
    """Yield the dictionaries among data arguments, also in one another and in tuples, with their keys and values."""
    if type(data) is dict:
        yield data, list(data), list(data.values())
    if type(data) in (dict, tuple):
        for part in data.values() if type(data) is dict else data:
            yield from _dictionaries(part)


def _outside() -> int:
    """Return how many frames above its caller the first one is that is not of this package."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "autoopt":
        depth, frame = depth + 1, frame.f_back
    return depth


def _mirrored(hessian: np.ndarray) -> np.ndarray:
    """Return the Hessian, entries that an infinite one made NaN taken from beyond the diagonal."""
    unknown = np.isnan(hessian)
    return np.where(unknown, hessian.T, hessian) if unknown.any() else hessian


def objective(f: Callable, x0: Any, *args: Any, engine: str = "auto") -> Objective:
    """Return the `Objective` of `f` for the data `args`: its value, gradient, Hessian, products and source."""
    return Objective(f, x0, args, engine)


@stands_in(objective, Objective)
def _nested(tracer: Any, f: Callable, x0: Any, *args: Any, **options: Any) -> Any:
    """Return what stands in for an objective that is made inside another one."""
    from autoopt.objectives.nested import NestedObjective

    return NestedObjective(tracer, f, x0, args)


def source(f: Callable, x0: Any, args: tuple = (), derivatives: str = "gradient") -> str:
    """Return the derivative of `f` as a readable module of NumPy code that runs without autoopt.

    Parameters
    ----------
    f, x0, args
        As in `minimize`.
    derivatives : "value", "gradient", "hessian" or "hvp"
        What the module computes.
    """
    return Objective(f, x0, args).source(derivatives)
