"""A model and its data -> a Fit: the estimates, their standard errors, and what is to be said about them.

The same as `autoopt fit` on the command line, which only reads its options and prints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import AutooptError, InferenceError, ModelError, ObjectiveError, UsageError
from autoopt.fitting import modelfile
from autoopt.fitting.data import dataset, matrix_columns
from autoopt.origin import is_ours
from autoopt.stages import heard, stage
from autoopt.users_code import users_code

LIKELIHOOD = "negative log-likelihood"
LARGEST_HESSIAN = 2000  # parameters; beyond, standard errors would need more than 100 MB and minutes


@dataclass(frozen=True)
class Fit:
    """A solution, and what is known of it.

    Parameters
    ----------
    source : str
        The model file.
    result : OptimizeResult
        As `autoopt.minimize` returns it.
    names : tuple of n str
        The names of the parameters, in the order of `params`.
    kind : str or None
        "negative log-likelihood" if the value is one.
    covariance : ndarray, shape (n, n), or None
        Of the estimates, for a likelihood at a regular minimum; NaN for those that are at a bound, which the others
        take as fixed. None if it is not known.
    notes : tuple of str
        What the reader must know, one sentence each.
    problem : AutooptError or None
        Why there is no covariance although the kind asks for one: the parameters are not identified.
    interrupted : bool
        True if the user stopped the solver: `params` is the best point so far.
    """

    source: str
    result: Any
    names: tuple[str, ...]
    kind: str | None = None
    covariance: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    problem: AutooptError | None = None
    interrupted: bool = False

    @property
    def is_likelihood(self) -> bool:
        """True if standard errors have a meaning."""
        return self.kind == LIKELIHOOD

    @property
    def params(self) -> np.ndarray:
        """The estimates, shape (n,)."""
        return np.asarray(self.result.x_flat, float)

    @property
    def bse(self) -> np.ndarray:
        """The standard errors, shape (n,), in units of the parameters; NaN where they are not known."""
        return np.full(self.params.shape, np.nan) if self.covariance is None else np.sqrt(np.diag(self.covariance))

    @property
    def tvalues(self) -> np.ndarray:
        """Estimates in standard errors, shape (n,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.params / self.bse

    @property
    def pvalues(self) -> np.ndarray:
        """Probabilities of a larger |z| were the parameter 0, shape (n,), two-sided normal."""
        from scipy.special import ndtr

        return 2 * ndtr(-np.abs(self.tvalues))

    def conf_int(self, level: float = 0.95) -> np.ndarray:
        """Return the Wald intervals of probability `level` (in (0, 1)), shape (n, 2)."""
        from autoopt.inference import wald_intervals

        return wald_intervals(self.params, self.bse, level)

    @property
    def status(self) -> str:
        """One of "converged", "not converged", "not verified", "not identified", "interrupted"."""
        if self.interrupted:
            return "interrupted"
        if not _verified(self.result):
            return "not verified"
        if not self.result.success:
            return "not converged"
        return "not identified" if self.problem is not None else "converged"

    @property
    def gradient_norm(self) -> float:
        """The largest entry of what bounds and constraints leave of the gradient at the solution; NaN if not known."""
        return float(self.result.get("gradient_norm", np.nan))

    def summary(self) -> str:
        """Return the result as plain text."""
        from autoopt.fitting.summary import text

        return text(self)

    __str__ = summary

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain Python values that JSON can hold; None stands for what is not known."""
        from autoopt.fitting.summary import facts

        return facts(self)


@heard
def fit(
    model: object,
    data: object = None,
    method: str | None = None,
    *,
    target: str | None = None,
    settings: Mapping[str, Any] | None = None,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
    verify: str = "start",
    engine: str = "auto",
    progress: Callable | None = None,
) -> Fit:
    """Return the fit of a model file to data.

    Parameters
    ----------
    model : path, module, or object with attributes
        Defines `objective(params, *data)` and `x0` (a value, or a function of the data); optionally `data` (a value or
        a function: a tuple, a dict of names to arrays, or a file name), `bounds` and `constraints` (values or
        functions of the data), `names` of the parameters, `method`, `kind = "negative log-likelihood"`, and `jac`,
        `hess`, `hessp` in place of derived ones.
    data : path, dict of str to array, data frame or tuple, optional
        In place of the model's own; columns or arrays are bound to the objective's arguments of their names.
    method : str, optional
        A row of `autoopt methods`; without it the model's, and without that one chosen to fit.
    target : str, optional
        The column that becomes the objective's last argument; the first is then the matrix of the other numeric ones.
    settings : mapping of str to number, str or bool, optional
        Values for module-level constants of the model file.
    tol, options, verify, engine, progress
        As for `autoopt.minimize`.

    Returns
    -------
    Fit
        The result, with standard errors where the model is a negative log-likelihood.

    Raises
    ------
    ModelError, DataError, UsageError
        If the model, its data or the call are not of the form that is needed.
    VerificationError
        If the derived code and the objective disagree.
    KeyboardInterrupt
        On Ctrl-C; its attribute `fit` is the Fit of the best point so far, as is that of an error which ends a run.
    """
    with modelfile.importable(model):
        with stage("reading the model and its data"):
            loaded = modelfile.load(model, settings)
            data = dataset(data) if isinstance(data, str | Path) else data
            arguments = loaded.arguments(data, target)
        x0 = loaded.value("x0", arguments)
        bounds = loaded.value("bounds", arguments)
        columns = _columns_of(loaded, data, target)
        names, limits = _checked(loaded, x0, bounds, loaded.value("names", arguments), columns)
        call = {
            "args": tuple(arguments.values()),
            "method": method or loaded.method,
            "bounds": bounds,
            "constraints": loaded.value("constraints", arguments),
            "tol": tol,
            "options": dict(options) if options else None,
            "verify": verify,
            "engine": engine,
            "progress": progress,
            **loaded.derivatives,
        }
        notes = (*loaded.unused, *_text_note(loaded, data, target))
        with users_code(f"The objective of {loaded.source}", ObjectiveError):
            try:
                result = _minimize(loaded.objective, x0, **call)
            except BaseException as stop:
                if hasattr(stop, "result"):
                    stopped = isinstance(stop, KeyboardInterrupt)
                    reached = Fit(loaded.source, stop.result, names, loaded.kind, notes=notes, interrupted=stopped)
                    vars(stop)["fit"] = reached
                if not isinstance(stop, AutooptError) and isinstance(stop, Exception) and is_ours(stop):
                    loaded.objective(x0, *arguments.values())  # if it fails by itself, that is what the user must see
                raise
            fitted = Fit(loaded.source, result, names, loaded.kind, notes=(*notes, *result.notes))
        if fitted.is_likelihood:
            fitted = _with_standard_errors(fitted, loaded.objective, x0, call, limits)
        result.timings["total"] = sum(result.timings.values())
        return fitted


def _with_standard_errors(fitted: Fit, objective: Callable, x0: Any, call: Mapping[str, Any], limits: Any) -> Fit:
    """Return `_with_covariance`, timed and announced; on Ctrl-C the KeyboardInterrupt has the Fit without them."""
    start, timings = time.perf_counter(), fitted.result.timings
    if callable(call["progress"]):
        from autoopt.solvers import Stage

        numbers = fitted.result.nit, fitted.result.fun, fitted.gradient_norm, sum(timings.values())
        call["progress"](Stage(*numbers, "standard errors"))
    try:
        with stage("standard errors"):
            return _with_covariance(fitted, objective, x0, call, limits)
    except KeyboardInterrupt as stop:
        note = "No standard errors: interrupted while they were computed; the estimates are those of the finished fit."
        vars(stop)["fit"] = replace(fitted, interrupted=True, notes=(*fitted.notes, note))
        raise
    finally:
        timings["standard errors"] = time.perf_counter() - start


def _minimize(objective: Callable, x0: Any, **call: Any) -> Any:
    from autoopt.minimize import minimize

    return minimize(objective, x0, **call)


def _with_covariance(fitted: Fit, objective: Callable, x0: Any, call: Mapping[str, Any], limits: Any) -> Fit:
    """Return the fit with its covariance, or with the reason why there is none."""
    from autoopt.inference import covariance_of_free, endless, flattest, no_maximum
    from autoopt.minimize import compile_objective
    from autoopt.objectives.retained import retain

    def without(reason: str) -> Fit:
        return replace(fitted, notes=(*fitted.notes, f"No standard errors: {reason}."))

    if fitted.status != "converged":
        return _explained(without(f"the fit is {fitted.status}"), objective, x0, call)
    if call["constraints"]:
        return without("with constraints they do not follow from the Hessian")
    free = ~_at_bound(limits, fitted.params)
    held = [fitted.names[i] for i in np.flatnonzero(~free)]
    shown = ", ".join(held[:5]) + (f" and {len(held) - 5} more" if len(held) > 5 else "")
    verb = "is" if len(held) == 1 else "are"
    if not free.any():
        return without(f"{shown} {verb} at a bound")
    if len(fitted.names) > LARGEST_HESSIAN:
        return without(f"the Hessian of {len(fitted.names)} parameters is too large")
    try:
        supplied = tuple(call.get(name) for name in ("jac", "hess", "hessp"))
        compiled = compile_objective(objective, x0, call["args"], call["engine"], supplied)
        hessian = compiled.hess(fitted.params, sparse=False)
        retain(compiled)
    except Exception as error:  # the estimates stand
        said = error.happened if isinstance(error, AutooptError) else f"{type(error).__name__}: {error}"
        return without(f"the second derivatives could not be computed ({said.rstrip('.')})")
    try:
        start = compiled.structure.flatten(x0)
        inside = np.where(np.outer(free, free), hessian, np.eye(len(free)))
        if np.isfinite(hessian).all():
            directions = [np.where(free, d, 0.0) for d in (flattest(inside), fitted.params - start)]
            if (direction := endless(_value(objective, x0, call), fitted.params, directions, hessian)) is not None:
                raise no_maximum(direction, fitted.names)
        inferred = replace(fitted, covariance=covariance_of_free(hessian, free, fitted.names))
    except InferenceError as error:
        return replace(fitted, problem=error)
    if held:
        note = (
            f"{shown} {verb} at a bound: the standard errors of the others take {'it' if verb == 'is' else 'them'} as"
        )
        return replace(inferred, notes=(*inferred.notes, f"{note} fixed."))
    return inferred


def _value(objective: Callable, x0: Any, call: Mapping[str, Any]) -> Callable[[np.ndarray], float]:
    """Return the user's own function of the flat vector, NaN where it is not defined."""
    from autoopt.parameters import Structure

    structure, is_pair = Structure.of(x0), call.get("jac") is True

    def result(x: np.ndarray) -> Any:
        outcome = objective(structure.unflatten(x.copy()), *call["args"])
        return outcome[0] if is_pair else outcome

    return lambda x: float(differences.value_at(result, x))


def _explained(fitted: Fit, objective: Callable, x0: Any, call: Mapping[str, Any]) -> Fit:
    """Return the fit that did not converge with a note where its likelihood has no maximum on the way it went."""
    from autoopt.inference import endless, flattest, no_maximum
    from autoopt.minimize import compile_objective
    from autoopt.parameters import Structure

    if fitted.status != "not converged" or call["bounds"] is not None or call["constraints"]:
        return fitted
    directions = [fitted.params - Structure.of(x0).flatten(x0)]
    if 2 * len(fitted.names) <= fitted.result.nfev:  # what it costs is then less than what the run has cost
        compiled = compile_objective(objective, x0, call["args"], call["engine"], (call.get("jac"), None, None))
        hessian = differences.rough_hessian(compiled.grad, fitted.params)
        directions += [flattest(hessian)] if np.isfinite(hessian).all() else []
    direction = endless(_value(objective, x0, call), fitted.params, directions)
    if direction is None:
        return fitted
    return replace(fitted, notes=(*fitted.notes, str(no_maximum(direction, fitted.names))))


def _at_bound(limits: Any, params: np.ndarray) -> np.ndarray:
    """Return which parameters lie on a limit, shape (n,)."""
    if limits is None:
        return np.zeros(params.shape, bool)
    close = 1e-8 * np.maximum(1.0, np.abs(params))
    return (params - limits.lower <= close) | (limits.upper - params <= close)


def _columns_of(loaded: modelfile.Model, data: object, target: str | None) -> list[str]:
    """Return the columns of the matrix that a target leaves, none without a target."""
    if target is None or data is None or not loaded.data_names:
        return []
    return matrix_columns(dataset(data), loaded.data_names, target)


def _checked(
    loaded: modelfile.Model, x0: Any, bounds: Any, names: Any, columns: list[str]
) -> tuple[tuple[str, ...], Any]:
    """Return the names of the parameters and their limits; what does not fit x0 is the model's fault."""
    from autoopt.parameters import Structure
    from autoopt.solvers import Limits

    try:
        structure = Structure.of(x0)
        limits = Limits.of(bounds, structure, x0)
    except UsageError as error:
        raise ModelError(f"{loaded.source}: {error.happened}", error.where, error.remedy) from error
    if names is None:
        return tuple(_by_columns(structure, columns)), limits
    if isinstance(names, str) or len(names) != structure.size:
        count = "text" if isinstance(names, str) else f"{len(names)} names"
        raise ModelError(
            f"names in {loaded.source} is {count}, and x0 has {structure.size} entries.",
            remedy="give one name for each entry of x0, or leave names out.",
        )
    return tuple(map(str, names)), limits


def _by_columns(structure: Any, columns: list[str]) -> list[str]:
    """Return the names of the parameters, an array with one entry for each column having their names.

    x[0], x[1] become age, height; the entries of a part beta of x0 beta[age], beta[height]. If several parts have that
    length, nobody knows which is meant.
    """
    paths, names = structure.paths, structure.names
    parts = [path for path in paths if columns and names.count(path) == 0 and _entries(names, path) == len(columns)]
    if len(parts) != 1:
        return names
    part = parts[0]
    first = names.index(f"{part or 'x'}[0]")
    named = columns if part == "" else [f"{part}[{column}]" for column in columns]
    return [*names[:first], *named, *names[first + len(columns) :]]


def _entries(names: list[str], path: str) -> int:
    """Return how many entries the one-dimensional part `path` has, 0 if it is of another shape."""
    count = 0
    while f"{path or 'x'}[{count}]" in names:
        count += 1
    return count


def _text_note(loaded: modelfile.Model, data: object, target: str | None) -> list[str]:
    """Return the sentence on text columns that are not in the matrix of a target."""
    if target is None or data is None:
        return []
    text = [name for name in dataset(data).text if name not in (loaded.data_names or ())[1:-1]]
    if not text:
        return []
    assert loaded.data_names is not None  # a target's data have a name
    return [f"Left out of {loaded.data_names[0]}, being text: {', '.join(text)}."]


def _verified(result: Any) -> bool:
    """Return False if a comparison of the derived code with the objective failed."""
    verification = result.get("verification")
    return verification is None or verification.passed


def methods() -> dict[str, Any]:
    """Return the table of methods: name -> row with what it `uses`, what it `takes` and its `description`."""
    from autoopt.solvers import SOLVERS

    return dict(SOLVERS)
