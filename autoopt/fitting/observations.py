"""How many observations a fit is of, and whether its objective is their sum: from the objective's tape."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from autoopt.errors import AutooptError, Location, UsageError
from autoopt.fitting.kinds import kind_of, total
from autoopt.fitting.solving import Case
from autoopt.objectives.adapted import changed
from autoopt.tables.values import shape_of

Found = TypeVar("Found")

ROUNDING = 1e-28
"""A mean of squared residuals that is a smaller share of the largest number of the data, squared, is rounding alone."""


def require_count(nobs: Any) -> int | None:
    """Return the number of observations that is given; UsageError if it is no whole number above zero."""
    if nobs is None:
        return None
    is_number = isinstance(nobs, numbers.Real) and not isinstance(nobs, bool | np.bool_)
    if not is_number or not np.isfinite(nobs) or nobs != int(nobs) or nobs < 1:
        raise UsageError(f"nobs is {nobs!r}.", remedy="pass a whole number above zero, or leave it out.")
    return int(nobs)


def as_number(objective: Callable, outcome: Any, kind: Any, x0: Any, args: tuple) -> Callable:
    """Return an objective that returns an array with one entry, as of column vectors, as one of a number.

    Of a single residual, whose square is no sum of squares yet, it is the objective itself.
    """
    if shape_of(outcome) == () or np.size(outcome) != 1:
        return objective
    from autoopt.objectives.retained import objective_of
    from autoopt.tape.rows import NotByRow
    from autoopt.tape.rows.squares import squares

    number = changed(objective, total)
    if kind.is_squares:
        try:
            found = objective_of(number, x0, args)
            squares(found.dispatch.paths[0].trace.tape, found.structure.flatten(x0))
        except (NotByRow, AutooptError):
            return objective
    return number


def seen(case: Case) -> int | None:
    """Return the number of observations as far as it is known before anything is solved: of a sum of squares it is not.

    Vectors of the data may have another length than there are residuals. Rows of weight 0 are none, as in R.
    """
    minimised = case.minimised
    if not minimised.kind.is_squares:
        return case.rows
    if minimised.residuals is None:
        return None
    return case.rows if minimised.weights is None else int(np.count_nonzero(minimised.weights))


def log_weights(case: Case, rows: int) -> float:
    """Return half the sum of the logarithms of the weights of `rows` squares, those of weight 0 left out.

    Notes
    -----
    Residuals of weight w have the variance s^2 / w, and so the log-likelihood 1/2 log(w / (2 pi s^2)) - w r^2 / (2 s^2)
    each, as in R's logLik and statsmodels' WLS. In a sum of squares a weight may be that of several.
    """
    weights = case.minimised.weights
    if weights is None or not (weights > 0).any():
        return 0.0
    positive = weights[weights > 0]
    times = 1.0 if case.minimised.residuals is not None else rows / positive.size
    return float(0.5 * times * np.sum(np.log(positive)))


def counted(fitted: Any, case: Case, nobs: int | None) -> Any:
    """Return a fit that was solved with its number of observations, and what is to be said of it.

    A sum of squares has as many as there are squared residuals in it; where these are not recognised, and no `nobs` is
    given, it is not known, and there is no residual variance.
    """
    if not np.isfinite(fitted.result.fun):
        return fitted
    notes = _mean_note(fitted, case)
    if nobs is None and kind_of(fitted.kind).is_squares and case.minimised.residuals is None:
        rows, why = _squares(case, fitted.params)
        fitted = replace(fitted, rows=rows)
        notes += [why] if why else []
    elif nobs is None and case.minimised.is_of_sums and case.rows is not None and case.minimised.weights is None:
        fitted = replace(fitted, rows=_rows_read(case, fitted.params, case.rows))
    return replace(fitted, notes=(*fitted.notes, *notes, *_perfect_note(fitted, case)))


def _squares(case: Case, x: np.ndarray) -> tuple[int | None, str]:
    """Return how many squared residuals an objective sums, None with the reason where that is not seen."""
    from autoopt.tape.rows import NotByRow
    from autoopt.tape.rows.squares import squares

    try:
        found, each = _on_tape(case, x, lambda tape: squares(tape, x)), _read(case)[1]
        return round(found * each), ""
    except NotByRow as error:
        why, where = error.why, error.location
    except AutooptError as error:
        why, where = error.happened.rstrip("."), next(iter(error.where), None)
    remedy = "Pass nobs=, or return the residuals as an array."
    return None, f"The number of observations is not known: {why}{_at(where)}. {remedy}"


def _rows_read(case: Case, x: np.ndarray, rows: int) -> int:
    """Return how many rows a likelihood reads that is a sum: those that a mask leaves out are no observations."""
    from autoopt.tape.rows.terms import rows_read

    each = _read(case)[1]
    try:
        return round(each * _on_tape(case, x, lambda tape: rows_read(tape, round(rows / each))))
    except AutooptError:  # nothing is seen of what is not followed
        return rows


def _mean_note(fitted: Any, case: Case) -> list[str]:
    """Return the sentences on an objective that is a mean over rows where a sum is needed."""
    from autoopt.tape.rows.means import mean_over_rows

    try:
        some, each = _read(case)
        found = _on_tape(case, fitted.params, lambda tape: mean_over_rows(tape, some))
    except AutooptError:  # nothing is seen of what is not followed
        return []
    if found is None:
        return []
    count, where = round(found[0] * each), found[1]
    root = f"{np.sqrt(count):.3g} times too large (the square root of {count})"
    if fitted.use_t:
        wrong = "the residual variance, log-likelihood, AIC and BIC are not those of the sum; standard errors are."
    elif fitted.convention == "observed":
        wrong = (
            f"the standard errors are {root} and the intervals too wide; log-likelihood, tests, AIC and BIC are wrong."
        )
    elif fitted.convention == "opg":
        wrong = f"the standard errors are {count} times too large; log-likelihood, tests, AIC and BIC are wrong."
    else:
        wrong = "log-likelihood, profiles, tests of its ratios, AIC and BIC are wrong; standard errors are not."
    told = f"The objective is a mean over {count} rows{_at(where)}, and is taken for their sum: {wrong}"
    return [f"{told} Return the sum: np.sum in place of np.mean, or times {count}."]


def _on_tape(case: Case, x: np.ndarray, work: Callable[[Any], Found]) -> Found:
    """Return `work(tape)` of the tape of what is minimised, without a penalty, at parameters `x`."""
    from autoopt.objectives.retained import objective_of, retain

    function = case.minimised.likelihood or case.objective
    if case.call.get("jac") is True:
        function = changed(function, _value)
    at = case.start.structure.unflatten(x)
    objective = objective_of(function, at, _args(case), case.call["engine"])
    found = work(objective.dispatch.tape_at(x))
    retain(objective)
    return found


def _args(case: Case) -> tuple:
    """Return the data, or those of some rows, if all are read in batches."""
    return case.call["args"] if case.batches is None else tuple(case.bound.arguments.values())


def _read(case: Case) -> tuple[int | None, float]:
    """Return how many rows are on the tape, and of how many rows each is one."""
    if case.rows is None or case.batches is None:
        return case.rows, 1.0
    some = len(next(iter(case.bound.arguments.values())))
    return some, case.rows / some


def _value(pair: Any) -> Any:
    return pair[0]


def _at(where: Location | None) -> str:
    return "" if where is None else f" ({where.file}:{where.line})"


def _perfect_note(fitted: Any, case: Case) -> list[str]:
    """Return the sentence on residuals that are rounding errors."""
    if not fitted.use_t or not fitted.rows or fitted.result.fun < 0:
        return []
    arrays = (np.asarray(one) for one in _args(case) if shape_of(one))
    sizes = [np.abs(one[np.isfinite(one)]).max(initial=0.0) for one in arrays if one.dtype.kind in "iuf"]
    if fitted.result.fun / fitted.rows > ROUNDING * max(sizes, default=0.0) ** 2:
        return []
    return [
        "The fit is perfect: the residuals are rounding errors, and so are the standard errors, t values and intervals."
    ]
