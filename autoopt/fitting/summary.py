"""A Fit -> what people and programs read: plain text, or values that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autoopt.fitting.diagnoses import without_cause
from autoopt.summaries import Coefficients, Summary
from autoopt.wording import times


def text(fitted: Any) -> str:
    """Return the result as plain text."""
    return str(summary_of(fitted))


def summary_of(fitted: Any) -> Summary:
    """Return what the summary of a fit says."""
    result = fitted.result
    shown = [] if np.isnan(result.fun) or (np.isfinite(fitted.llf) and not fitted.use_t) else [f"{result.fun:.10g}"]
    lines = [("sum of squares" if fitted.use_t else "value", value) for value in shown]
    lines += [("status", _status(fitted)), ("run", _run(fitted))]
    lines += [("certificate", _certificate(result.get("verification")))]
    if fitted.covariance is not None:
        lines.append(("covariance", _covariance(fitted)))
    told = fitted.problem is None or (fitted.status == "not converged" and result.get("diagnosis"))
    notes = [*fitted.notes, *([] if told else [str(fitted.problem)])]
    title = f"{fitted.source}: {fitted.kind or 'objective'} minimised by {result.method}"
    return Summary(title, _facts(fitted), lines, _table(fitted), notes, "--json (Fit.to_dict()) has all")


def _facts(fitted: Any) -> list[tuple[str, str]]:
    """Return the labels and short values of the head; none that is not known."""
    if not fitted.is_inferential:
        return []
    facts = [("observations", str(fitted.nobs or "")), ("parameters", str(fitted.df_model))]
    if fitted.use_t:
        facts += [("df residuals", _number(fitted.df_resid, "g")), ("residual s", _number(fitted.scale**0.5, ".6g"))]
    if fitted.wnobs != fitted.nobs:
        facts.insert(1, ("sum of weights", _number(fitted.wnobs, ".10g")))
    facts += [("log-likelihood", _number(fitted.llf, ".10g"))]
    facts += [("AIC", _number(fitted.aic, ".8g")), ("BIC", _number(fitted.bic, ".8g"))]
    return [fact for fact in facts if fact[1]]


def _run(fitted: Any) -> str:
    """Return what the run has come to and has taken, without what is not known of one that had not begun."""
    result = fitted.result
    second, products = result.get("nhev") or 0, result.get("nhvp") or 0
    counts = [(result.get("nfev"), "values"), (result.get("njev"), "gradients")]
    counts += [(second - products, "Hessians"), (products, "Hessian-vector products")]
    counted = ", ".join(f"{n} {of}" for n, of in counts if n)
    parts = [f"{times(result.get('nit') or 0, 'iteration')}{f' ({counted})' if counted else ''}"]
    parts += [f"gradient norm {fitted.gradient_norm:.2g}"] if np.isfinite(fitted.gradient_norm) else []
    timings = result.get("timings") or {}
    return ", ".join([*parts, f"{timings.get('total', sum(timings.values())):.3f} s"])


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
            "convention": fitted.convention if likelihood else None,
            "level": fitted.level if likelihood else None,
            "df_inference": fitted.df_inference if likelihood else None,
            "scale": fitted.scale if likelihood else None,
            "nobs": fitted.nobs,
            "wnobs": fitted.wnobs,
            "llf": fitted.llf,
            "aic": fitted.aic,
            "bic": fitted.bic,
            "notes": fitted.notes,
            "problem": None if fitted.problem is None else str(fitted.problem),
        }
    )


def _table(fitted: Any) -> Any:
    """Return the table of parameters: that of estimates alone where nothing is inferred."""
    if not fitted.is_inferential:
        estimates = [f"{value:.6g}" for value in fitted.params]
        return [["", "estimate"], *map(list, zip(fitted.names, estimates, strict=True))]
    inference = fitted.bse, fitted.tvalues, fitted.pvalues, fitted.conf_int()
    return Coefficients(fitted.names, fitted.params, *inference, fitted.level, fitted.use_t, _states(fitted))


def _states(fitted: Any) -> list[str]:
    """Return for each parameter why it has no standard error where others have one; empty texts else."""
    held = set() if fitted.case is None else {int(k) for k in fitted.case.variables.held}
    if fitted.covariance is None:
        return ["fixed" if k in held else "" for k in range(len(fitted.names))]
    known = np.isfinite(np.diag(fitted.covariance))
    return ["" if known[k] else "fixed" if k in held else "at a bound" for k in range(len(fitted.names))]


def _covariance(fitted: Any) -> str:
    """Return the convention of the covariance, and where its derivatives are from."""
    from autoopt.inference import COVARIANCES

    text = COVARIANCES[fitted.convention].description
    minimised = None if fitted.case is None else fitted.case.minimised
    of_residuals = minimised is not None and (minimised.residuals is not None or minimised.batched is not None)
    if fitted.convention == "observed" and of_residuals:
        text = "residual variance times (J'J)^-1"
    if fitted.groups is not None:
        text += f", {len(np.unique(fitted.groups))} groups"
    return f"{text}, {fitted.case.derivatives}" if fitted.case is not None else text


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


def _number(number: Any, form: str) -> str:
    """Return a number as text; empty where it is not known, as of a run that had not begun."""
    return "" if number is None or np.isnan(number) else format(float(number), form)


def _certificate(verification: Any) -> str:
    if verification is None:
        return "none: the derived code was not compared with your function"
    if not (verification.passed and verification.conclusive):
        return verification.message
    where = "at the start and at the solution" if verification.at_solution else "at the start"
    if untold := verification.untold:
        return f"the code that ran has your function's value {where}; {untold}"
    errors = f"value off by {verification.value_error:.1e}, slope by {verification.slope_error:.1e}"
    return f"the code that ran agrees with your function {where} ({errors})"


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
