"""A model and its data -> a Fit: the estimates, their standard errors, and what is to be said about them.

The same as `autoopt fit` on the command line, which only reads its options and prints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, ObjectiveError
from autoopt.fitting import diagnoses, modelfile
from autoopt.fitting.data import dataset
from autoopt.fitting.opening import Opened
from autoopt.fitting.standard_errors import Case, with_covariance
from autoopt.origin import is_ours
from autoopt.stages import heard, stage
from autoopt.users_code import users_code
from autoopt.variables.start import Start
from autoopt.wording import listed

LIKELIHOOD = "negative log-likelihood"


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
        Of the estimates, for a likelihood at a regular minimum; NaN for those that are fixed or at a bound, which the
        others take as they are. None if it is not known.
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
    fixed: Any = None,
    scale: Any = None,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
    derivatives: Any = None,
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
        functions of the data), `names` of the parameters, `fixed`, `method`, `kind = "negative log-likelihood"`, and
        `jac`, `hess`, `hessp` in place of derived ones.
    data : path, dict of str to array, data frame or tuple, optional
        In place of the model's own; columns or arrays are bound to the objective's arguments of their names.
    method : str, optional
        A row of `autoopt methods`; without it the model's, and without that one chosen to fit.
    target : str, optional
        The column that becomes the objective's last argument; the first is then the matrix of the other numeric ones.
    settings : mapping of str to number, str or bool, optional
        Values for module-level constants of the model file.
    fixed, scale : optional
        As for `autoopt.minimize`, `fixed` in place of the model's; parameters may be called by their `names`. What is
        fixed has no standard error (NaN), what is tied has its factor times that of what it follows.
    tol, options, derivatives, verify, engine, progress
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
        opened = Opened.of(model, data, target, settings, fixed)
        loaded, arguments, names, start = opened.model, opened.arguments, opened.names, opened.start
        call = {
            "args": tuple(arguments.values()),
            "method": method or loaded.method,
            "bounds": start.given["bounds"],
            "fixed": start.given["fixed"],
            "scale": scale,
            "constraints": loaded.value("constraints", arguments),
            "tol": tol,
            "options": dict(options) if options else None,
            "derivatives": derivatives,
            "verify": verify,
            "engine": engine,
            "progress": progress,
            **loaded.derivatives,
        }
        notes = (*loaded.unused, *_text_note(loaded, opened.data, target), *_fixed_note(start, names))
        with users_code(f"The objective of {loaded.source}", ObjectiveError):
            try:
                result = _minimize(loaded.objective, start.given["x0"], **call)
            except BaseException as stop:
                if hasattr(stop, "result"):
                    diagnoses.name(stop.result, start.structure.names, names)
                    stopped = isinstance(stop, KeyboardInterrupt)
                    reached = Fit(loaded.source, stop.result, names, loaded.kind, notes=notes, interrupted=stopped)
                    vars(stop)["fit"] = reached
                if not isinstance(stop, AutooptError) and isinstance(stop, Exception) and is_ours(stop):
                    loaded.objective(
                        start.x0, *arguments.values()
                    )  # if it fails by itself, that is what the user must see
                raise
            diagnoses.name(result, start.structure.names, names)
            fitted = Fit(loaded.source, result, names, loaded.kind, notes=(*notes, *result.notes, *result.diagnosis))
        if fitted.is_likelihood:
            fitted = _with_standard_errors(fitted, Case(loaded.objective, start, opened.limits, call, names))
        result.timings["total"] = sum(result.timings.values())
        return fitted


def _with_standard_errors(fitted: Fit, case: Case) -> Fit:
    """Return `with_covariance`, timed and announced; on Ctrl-C the KeyboardInterrupt has the Fit without them."""
    start, timings = time.perf_counter(), fitted.result.timings
    if callable(case.call["progress"]):
        from autoopt.solvers import Stage

        numbers = fitted.result.nit, fitted.result.fun, fitted.gradient_norm, sum(timings.values())
        case.call["progress"](Stage(*numbers, "standard errors"))
    try:
        with stage("standard errors"):
            inferred = with_covariance(fitted, case)
        if "params" in fitted.result:
            errors = case.start.structure.unflatten(inferred.bse)
            fitted.result.params = fitted.result.params.at(fitted.result.x, errors)
        return inferred
    except KeyboardInterrupt as stop:
        note = "No standard errors: interrupted while they were computed; the estimates are those of the finished fit."
        vars(stop)["fit"] = replace(fitted, interrupted=True, notes=(*fitted.notes, note))
        raise
    finally:
        timings["standard errors"] = time.perf_counter() - start


def _minimize(objective: Callable, x0: Any, **call: Any) -> Any:
    from autoopt.minimize import minimize

    return minimize(objective, x0, **call)


def _fixed_note(start: Start, names: tuple[str, ...]) -> list[str]:
    """Return the sentence on parameters that are held."""
    held = [] if start.variables is None else [names[i] for i in start.variables.held]
    return [f"Fixed: {listed(held)}."] if held else []


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
