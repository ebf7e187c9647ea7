"""A Fit -> what people and programs read: plain text, or values that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autoopt.fitting.diagnoses import without_cause

_SHOWN = 60  # parameters in a printed table


def text(fitted: Any) -> str:
    """Return the result as plain text."""
    result = fitted.result
    second, products = result.get("nhev") or 0, result.get("nhvp") or 0
    counts = [(result.get("nfev"), "values"), (result.get("njev"), "gradients")]
    counts += [(second - products, "Hessians"), (products, "Hessian-vector products")]
    counted = ", ".join(f"{n} {of}" for n, of in counts if n)
    lines = [
        f"{fitted.source}: {fitted.kind or 'objective'} minimised by {result.method}",
        "",
        *_field("status", _status(fitted)),
        *_field("verified", _verification(result.get("verification"))),
        *_number("value", float(result.fun), ".10g"),
        *_number("gradient norm", fitted.gradient_norm, ".3g"),
        *_field("iterations", f"{result.get('nit')}{f' ({counted})' if counted else ''}"),
        *_field("seconds", _seconds(result.get("timings") or {})),
        "",
        *_table(_rows(fitted), len(fitted.names)),
    ]
    told = fitted.problem is None or (fitted.status == "not converged" and result.get("diagnosis"))
    notes = [*fitted.notes, *([] if told else [str(fitted.problem)])]
    return "\n".join([*lines, *([""] if notes else []), *(f"Note: {note}" for note in notes)])


def facts(fitted: Any) -> dict[str, Any]:
    """Return everything as plain Python values that JSON can hold; None stands for what is not known."""
    likelihood = fitted.is_inferential
    result = fitted.result
    verification = result.get("verification")
    return _plain(
        {
            "model": fitted.source,
            "kind": fitted.kind,
            "method": result.method,
            "status": fitted.status,
            "success": fitted.status == "converged",
            "message": result.message,
            "diagnosis": result.get("diagnosis", []),
            "verification": None if verification is None else verification.to_dict(),
            "value": result.fun,
            "gradient_norm": fitted.gradient_norm,
            "nit": result.get("nit"),
            "nfev": result.get("nfev"),
            "njev": result.get("njev"),
            "nhev": result.get("nhev"),
            "nhvp": result.get("nhvp"),
            "nundefined": result.get("nundefined"),
            "timings": result.get("timings"),
            "names": fitted.names,
            "params": fitted.params,
            "jac": result.get("jac"),
            "bse": fitted.bse if likelihood else None,
            "tvalues": fitted.tvalues if likelihood else None,
            "pvalues": fitted.pvalues if likelihood else None,
            "conf_int": fitted.conf_int() if likelihood else None,
            "covariance": fitted.covariance,
            "nobs": fitted.nobs,
            "llf": fitted.llf,
            "aic": fitted.aic,
            "bic": fitted.bic,
            "notes": fitted.notes,
            "problem": None if fitted.problem is None else str(fitted.problem),
        }
    )


def _rows(fitted: Any) -> list[list[str]]:
    """Return the table of parameters as text, the head first."""
    shown = slice(0, _SHOWN)
    estimates = [f"{value:.6g}" for value in fitted.params[shown]]
    if not fitted.is_inferential:
        return [["parameter", "estimate"], *map(list, zip(fitted.names[shown], estimates, strict=True))]
    low, high = fitted.conf_int()[shown].T
    columns = [
        ["parameter", *fitted.names[shown]],
        ["estimate", *estimates],
        ["std. error", *_known(fitted.bse[shown], ".4g")],
        ["z", *_known(fitted.tvalues[shown], ".2f")],
        ["P>|z|", *(p if p != "0" else "<1e-300" for p in _known(fitted.pvalues[shown], ".3g"))],
        ["2.5 %", *_known(low, ".5g")],
        ["97.5 %", *_known(high, ".5g")],
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _status(fitted: Any) -> str:
    """Return how the run ended, without the cause: that stands among the notes, with what to do."""
    reason = without_cause(_reason(fitted.result.message))
    causes = fitted.result.get("diagnosis") or [""]
    is_told = reason.startswith(causes[0].split("\n")[0].removesuffix(".") or "\n")
    return fitted.status if is_told else f"{fitted.status}: {reason}"


def _reason(message: str) -> str:
    for begins in ("Converged: ", "Not converged: ", "Interrupted; ", "Interrupted "):
        message = message.removeprefix(begins)
    return message


def _number(name: str, number: float, form: str) -> list[str]:
    """Return the field of a number; none where it is not known, as of a run that had not begun."""
    return [] if np.isnan(number) else _field(name, format(number, form))


def _verification(verification: Any) -> str:
    if verification is None:
        return "no"
    if not (verification.passed and verification.conclusive):
        return verification.message
    errors = f"value off by {verification.value_error:.1e}, slope by {verification.slope_error:.1e}"
    where = "at the start and at the solution" if verification.at_solution else "at the start"
    return f"{where} against the original function: {errors}"


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
