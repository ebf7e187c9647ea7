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

from . import modelfile
from .data import dataset
from .errors import AutooptError, InferenceError, ModelError, ObjectiveError, UsageError
from .faults import is_ours, users_code

LIKELIHOOD = "negative log-likelihood"
LARGEST_HESSIAN = 2000  # parameters; beyond, standard errors would need more than 100 MB and minutes
_SHOWN = 60  # parameters in a printed table


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
        Of the parameters, in the order of `params`.
    kind : str or None
        "negative log-likelihood" if the value is one.
    covariance : ndarray, shape (n, n), or None
        Of the estimates, for a likelihood at a regular minimum; None if it is not known.
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
        from .inference import wald_intervals

        return wald_intervals(self.params, self.bse, level)

    @property
    def status(self) -> str:
        """One of "converged", "not converged", "not verified", "not identified", "interrupted"."""
        if self.interrupted:
            return "interrupted"
        if not self.result.success:
            return "not converged"
        if not _verified(self.result):
            return "not verified"
        return "not identified" if self.problem is not None else "converged"

    @property
    def gradient_norm(self) -> float:
        """The largest absolute entry of the gradient at the solution; NaN if it is not known."""
        slopes = self.result.get("jac")
        return float("nan") if slopes is None else float(np.max(np.abs(slopes), initial=0))

    def summary(self) -> str:
        """Return the result as plain text."""
        result = self.result
        counts = [(result.get("nfev"), "values"), (result.get("njev"), "gradients"), (result.get("nhev"), "Hessians")]
        lines = [
            f"{self.source}: {self.kind or 'objective'} minimised by {result.method}",
            "",
            *_field("status", f"{self.status}: {_reason(result.message)}"),
            *_field("verified", _verification(result.get("verification"))),
            *_field("value", f"{float(result.fun):.10g}"),
            *_field("gradient norm", f"{self.gradient_norm:.3g}"),
            *_field("iterations", f"{result.get('nit')} ({', '.join(f'{n} {of}' for n, of in counts if n)})"),
            *_field("seconds", _seconds(result.get("timings") or {})),
            "",
            *_table(self._rows(), len(self.names)),
        ]
        notes = [*self.notes, *([str(self.problem)] if self.problem is not None else [])]
        return "\n".join([*lines, *([""] if notes else []), *(f"Note: {note}" for note in notes)])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain Python values that JSON can hold; None stands for what is not known."""
        likelihood = self.kind == LIKELIHOOD
        result = self.result
        return _plain(
            {
                "model": self.source,
                "kind": self.kind,
                "method": result.method,
                "status": self.status,
                "success": self.status == "converged",
                "message": result.message,
                "verification": _verification_facts(result.get("verification")),
                "value": result.fun,
                "gradient_norm": self.gradient_norm,
                "nit": result.get("nit"),
                "nfev": result.get("nfev"),
                "njev": result.get("njev"),
                "nhev": result.get("nhev"),
                "timings": result.get("timings"),
                "names": self.names,
                "params": self.params,
                "jac": result.get("jac"),
                "bse": self.bse if likelihood else None,
                "tvalues": self.tvalues if likelihood else None,
                "pvalues": self.pvalues if likelihood else None,
                "conf_int": self.conf_int() if likelihood else None,
                "covariance": self.covariance,
                "notes": self.notes,
                "problem": None if self.problem is None else str(self.problem),
            }
        )

    def _rows(self) -> list[list[str]]:
        """Return the table of parameters as text, the head first."""
        shown = slice(0, _SHOWN)
        estimates = [f"{value:.6g}" for value in self.params[shown]]
        if self.kind != LIKELIHOOD:
            return [["parameter", "estimate"], *map(list, zip(self.names[shown], estimates, strict=True))]
        low, high = self.conf_int()[shown].T
        columns = [
            ["parameter", *self.names[shown]],
            ["estimate", *estimates],
            ["std. error", *_known(self.bse[shown], ".4g")],
            ["z", *_known(self.tvalues[shown], ".2f")],
            ["P>|z|", *_known(self.pvalues[shown], ".3g")],
            ["2.5 %", *_known(low, ".5g")],
            ["97.5 %", *_known(high, ".5g")],
        ]
        return [list(row) for row in zip(*columns, strict=True)]


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

    Raises
    ------
    ModelError, DataError, UsageError
        If the model, its data or the call are not of the form that is needed.
    VerificationError
        If the derived code and the objective disagree.
    KeyboardInterrupt
        On Ctrl-C; its attribute `fit` is the Fit of the best point so far.
    """
    with modelfile.importable(model):
        loaded = modelfile.load(model, settings)
        data = dataset(data) if isinstance(data, str | Path) else data
        arguments = loaded.arguments(data, target)
        x0 = loaded.value("x0", arguments)
        bounds = loaded.value("bounds", arguments)
        names, limits = _checked(loaded, x0, bounds, loaded.value("names", arguments))
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
        start = time.perf_counter()
        with users_code(f"The objective of {loaded.source}", ObjectiveError):
            try:
                result = _minimize(loaded.objective, x0, **call)
            except KeyboardInterrupt as stop:
                if hasattr(stop, "result"):
                    stop.fit = Fit(loaded.source, stop.result, names, loaded.kind, notes=notes, interrupted=True)
                raise
            except Exception as error:
                if not isinstance(error, AutooptError) and is_ours(error):
                    loaded.objective(x0, *arguments.values())  # if it fails by itself, that is what the user must see
                raise
            found = Fit(loaded.source, result, names, loaded.kind, notes=notes)
            if loaded.kind == LIKELIHOOD:
                found = _with_covariance(found, loaded.objective, x0, call, limits)
        result.timings["total"] = time.perf_counter() - start
        return found


def _minimize(objective: Callable, x0: Any, **call: Any) -> Any:
    from .minimize import minimize

    return minimize(objective, x0, **call)


def _hessian(objective: Callable, x0: Any, flat: np.ndarray, call: Mapping[str, Any]) -> np.ndarray:
    from .minimize import compile_objective

    supplied = tuple(call.get(name) for name in ("jac", "hess", "hessp"))
    return compile_objective(objective, x0, call["args"], call["engine"], supplied).hess(flat)


def _with_covariance(found: Fit, objective: Callable, x0: Any, call: Mapping[str, Any], limits: Any) -> Fit:
    """Return the fit with its covariance, or with the reason why there is none."""
    from .inference import covariance

    def without(reason: str) -> Fit:
        return replace(found, notes=(*found.notes, f"No standard errors: {reason}."))

    if found.status != "converged":
        return without(f"the fit is {found.status}")
    if call["constraints"]:
        return without("with constraints they do not follow from the Hessian")
    if at_bound := [found.names[i] for i in np.flatnonzero(_at_bound(limits, found.params))]:
        return without(f"{', '.join(at_bound[:5])} {'is' if len(at_bound) == 1 else 'are'} at a bound")
    if len(found.names) > LARGEST_HESSIAN:
        return without(f"the Hessian of {len(found.names)} parameters is too large")
    try:
        hessian = _hessian(objective, x0, found.params, call)
        return replace(found, covariance=covariance(hessian, found.names))
    except InferenceError as error:
        return replace(found, problem=error)


def _at_bound(limits: Any, params: np.ndarray) -> np.ndarray:
    """Return which parameters lie on a limit, shape (n,)."""
    if limits is None:
        return np.zeros(params.shape, bool)
    close = 1e-8 * np.maximum(1.0, np.abs(params))
    return (params - limits.lower <= close) | (limits.upper - params <= close)


def _checked(loaded: modelfile.Model, x0: Any, bounds: Any, names: Any) -> tuple[tuple[str, ...], Any]:
    """Return the names of the parameters and their limits; what does not fit x0 is the model's fault."""
    from .parameters import Structure
    from .solvers import Limits

    try:
        structure = Structure.of(x0)
        limits = Limits.of(bounds, structure, x0)
    except UsageError as error:
        raise ModelError(f"{loaded.source}: {error.happened}", error.where, error.remedy) from error
    if names is None:
        return tuple(structure.names), limits
    if isinstance(names, str) or len(names) != structure.size:
        count = "text" if isinstance(names, str) else f"{len(names)} names"
        raise ModelError(
            f"names in {loaded.source} is {count}, and x0 has {structure.size} entries.",
            remedy="give one name for each entry of x0, or leave names out.",
        )
    return tuple(map(str, names)), limits


def _text_note(loaded: modelfile.Model, data: object, target: str | None) -> list[str]:
    """Return the sentence on text columns that are not in the matrix of a target."""
    if target is None or data is None:
        return []
    text = [name for name in dataset(data).text if name not in (loaded.data_names or ())[1:-1]]
    return [f"Left out of {loaded.data_names[0]}, being text: {', '.join(text)}."] if text else []


def _verified(result: Any) -> bool:
    """Return False if a comparison of the derived code with the objective failed."""
    verification = result.get("verification")
    return verification is None or verification.passed


def _reason(message: str) -> str:
    return message.removeprefix("Converged: ").removeprefix("Not converged: ")


def _verification(verification: Any) -> str:
    if verification is None:
        return "no"
    if not (verification.passed and verification.conclusive):
        return verification.message
    errors = f"value off by {verification.value_error:.1e}, slope by {verification.slope_error:.1e}"
    return f"at the start against the original function: {errors}"


def _verification_facts(verification: Any) -> dict[str, Any] | None:
    names = ("passed", "conclusive", "value_error", "slope_error", "kink", "message")
    return None if verification is None else {name: getattr(verification, name) for name in names}


def _field(name: str, text: str) -> list[str]:
    """Return 'name   text', further lines of the text indented below the first."""
    first, *rest = text.splitlines() or [""]
    return [f"  {name:<14} {first}", *(f"{'':17}{line}" for line in rest)]


def _seconds(timings: Mapping[str, float]) -> str:
    parts = ", ".join(f"{name} {seconds:.3f}" for name, seconds in timings.items() if name != "total")
    total = timings.get("total", sum(timings.values()))
    return f"{total:.3f}" + (f" ({parts})" if parts else "")


def _known(values: np.ndarray, form: str) -> list[str]:
    return [format(value, form) if np.isfinite(value) else "-" for value in values]


def _table(rows: list[list[str]], count: int) -> list[str]:
    """Return the rows as aligned lines: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    more = [f"  ... and {count - _SHOWN} more; --json (Fit.to_dict()) has all"] if count > _SHOWN else []
    return [f"  {line}" for line in lines] + more


def _plain(value: Any) -> Any:
    """Return `value` as dicts, lists, numbers, text and None; numbers that are not finite become None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def methods() -> dict[str, Any]:
    """Return the table of methods: name -> row with what it `uses`, what it `takes` and its `description`."""
    from .solvers import SOLVERS

    return dict(SOLVERS)
