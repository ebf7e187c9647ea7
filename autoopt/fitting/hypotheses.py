"""Tests of one fit against another, and of what a fit holds fixed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import InferenceError, UsageError
from autoopt.fitting import responses
from autoopt.fitting.kinds import kind_of
from autoopt.fitting.restrictions import is_limited, tangent
from autoopt.fitting.solving import solved
from autoopt.inference.hypotheses import HypothesisTest, at_bounds, likelihood_ratio, score
from autoopt.tables.values import shape_of
from autoopt.wording import listed


def ratio_test(one: Any, other: Any) -> HypothesisTest:
    """Return the likelihood-ratio test of two fits; see `Fit.lr_test`."""
    _refuse_different(one, other)
    smaller, larger = sorted((one, other), key=lambda fitted: fitted.df_model)
    df = larger.df_model - smaller.df_model
    if df == 0:
        raise UsageError(
            f"Both fits estimate {larger.df_model} parameters, so that neither is nested in the other.",
            remedy="compare fits of one model, in one of which parameters are fixed, or by aic.",
        )
    name = penalty_of(larger)
    if name is None and penalty_of(smaller) is None:
        test = likelihood_ratio(smaller.llf, larger.llf, df, _difference(smaller, larger))
        return at_bounds(test, _held_at_bounds(smaller, larger))
    test = likelihood_ratio(_held_in(larger, smaller), -float(larger.result.fun), df, _difference(smaller, larger))
    return replace(test, name=f"penalised {test.name}")


def score_test(fitted: Any) -> HypothesisTest:
    """Return Rao's test of what a fit holds; see `Fit.score_test`."""
    case, names = fitted.case, fitted.names
    if case is None or fitted.status != "converged" or not fitted.is_inferential:
        raise InferenceError(
            f"There are no scores to test of {fitted.source}, which is {fitted.status}.",
            remedy="test a fit of a likelihood, or of least squares, that has converged.",
        )
    full = replace(case, start=case.start.released(fitted.params))
    variables = full.variables
    if variables.size == case.variables.size:
        raise UsageError("The fit holds no parameter.", remedy="fit the smaller model: fit(..., fixed={'b': 0.0}).")
    if penalty_of(fitted) is not None:
        raise InferenceError(
            "Of a penalised likelihood the scores are no longer those of the rows.", remedy="use lr_test."
        )
    if not fitted.free.all() or is_limited(fitted):
        raise InferenceError("A parameter is at a bound, where no gradient vanishes.", remedy="use lr_test.")
    u, scale = variables.variables(fitted.params), float(fitted.result.fun) / fitted.nobs if fitted.use_t else 1.0
    along = tangent(full, fitted.params)
    gradient = along.T @ full.gradient(u) / (2 * scale if fitted.use_t else 1.0)
    information = along.T @ full.information(u, scale) @ along
    held = [names[i] for i in variables.home if i not in set(case.variables.home)]
    return score(gradient, information, along.shape[1] - fitted.df_model, f"{listed(held)} as fixed or tied")


def penalty_of(fitted: Any) -> str | None:
    """Return the name of a fit's penalty, None if it has none."""
    return None if fitted.case is None else fitted.case.minimised.penalty


def _held_at_bounds(smaller: Any, larger: Any) -> list[str]:
    """Return the parameters that the smaller fit holds where the larger one's limits are."""
    if smaller.case is None or larger.case is None or larger.case.limits is None or smaller.names != larger.names:
        return []
    x, limits = smaller.params, larger.case.limits
    is_held = np.isin(np.arange(x.size), larger.case.variables.home) & ~np.isin(
        np.arange(x.size), smaller.case.variables.home
    )
    return [smaller.names[i] for i in np.flatnonzero(is_held & ((x == limits.lower) | (x == limits.upper)))]


def _held_in(larger: Any, smaller: Any) -> float:
    """Return the largest penalised log-likelihood of the larger fit where what the smaller one holds is held.

    Not that of the smaller fit: its penalty is of the information in fewer parameters, so that the difference of the
    two would depend on the units of the data. This is the test of Heinze and Schemper (2002), and of logistf.
    """
    if not is_held_in(smaller, larger):
        raise UsageError(
            f"{smaller.source} and {larger.source} are not fits of one penalised objective, of which one holds more "
            "parameters fixed: their penalties are not comparable.",
            remedy="fit the smaller model with the same penalty and fixed=..., or compare by Wald's test.",
        )
    start = smaller.case.anew(smaller.params, smaller.case.start.given["fixed"])
    result = solved(replace(start, minimised=larger.case.minimised))
    if not result.success:
        raise InferenceError(
            f"The penalised likelihood could not be maximised where {_difference(smaller, larger)}: {result.message}",
            remedy="use wald_test of the larger model.",
        )
    return -float(result.fun)


def is_held_in(smaller: Any, larger: Any) -> bool:
    """Whether a penalised fit is another with more parameters fixed or tied, of the same likelihood and data."""
    if penalty_of(smaller) != penalty_of(larger) or smaller.names != larger.names:
        return False
    x, case = smaller.params, larger.case
    likelihoods = [
        float(fitted.case.minimised.likelihood(case.start.structure.unflatten(x), *fitted.case.call["args"]))
        for fitted in (smaller, larger)
    ]
    inside = case.variables.parameters(case.variables.variables(x))
    same = np.isclose(likelihoods[0], likelihoods[1], rtol=1e-9)
    return bool(same and np.allclose(inside, x, rtol=1e-9, atol=0))


def _refuse_different(one: Any, other: Any) -> None:
    """Raise unless two fits have likelihoods, have converged, and are of as many observations of one kind."""
    for fitted in (one, other):
        if not np.isfinite(fitted.llf):
            raise UsageError(
                f"{fitted.source} has no likelihood: its kind is {fitted.kind or 'minimise'!r}.",
                remedy='fit with kind="negative log-likelihood" or "least squares", and nobs if rows are not known.',
            )
        if fitted.status not in ("converged", "not identified"):
            raise InferenceError(
                f"The fit of {fitted.source} is {fitted.status}: its likelihood is not the largest.",
                remedy="have it converge first: another start or method.",
            )
    if differ := different_data(one, other):
        raise UsageError(f"The fits are of {differ}.", remedy="fit both to the same rows of the same data.")
    if kind_of(one.kind).is_squares != kind_of(other.kind).is_squares:
        raise UsageError(
            f"The fits are of other kinds, {one.kind} and {other.kind}, whose likelihoods differ by constants.",
            remedy="fit both as one kind.",
        )


def different_data(one: Any, other: Any) -> str:
    """Return in words how the data of two fits differ, by what their likelihoods are none of one sample; "" if not.

    The response is taken to be the last vector with a value for each row. That of a formula or a target is; of others,
    where it is any of the other's data, as of models whose arguments are in another order, nothing is said.
    """
    if one.nobs != other.nobs:
        return f"{one.nobs} and {other.nobs} observations"
    if not np.array_equal(_weights(one), _weights(other)):
        return "rows of different weights"
    last = [_vectors(fitted)[-1:] for fitted in (one, other)]
    if not all(last):
        return ""
    if _has_response(one) and _has_response(other):
        shared = np.array_equal(last[0][0], last[1][0])
    else:
        shared = any(
            np.array_equal(mine[0], theirs)
            for mine, others in zip(last, (other, one), strict=True)
            for theirs in _vectors(others)
        )
    return "" if shared else "different responses, or of different rows"


def _has_response(fitted: Any) -> bool:
    """Whether the data of a fit say which of them is the response: by a formula or a target, the last argument."""
    bound = None if fitted.case is None else fitted.case.bound
    return bound is not None and responses.column(bound.encoding) is not None


def _weights(fitted: Any) -> np.ndarray:
    """Return the weights of a fit's rows; a single 1 where each counts as one."""
    weights = None if fitted.case is None else fitted.case.minimised.weights
    return np.ones(1) if weights is None or (weights == 1).all() else weights


def _vectors(fitted: Any) -> list[np.ndarray]:
    """Return the data of a fit that have a value for each row."""
    arrays = [np.asarray(one) for one in (fitted.case.call["args"] if fitted.case else ()) if len(shape_of(one)) == 1]
    return [array for array in arrays if array.size == fitted.nobs]


def _difference(smaller: Any, larger: Any) -> str:
    """Return which parameters the smaller model does not estimate; by number if others have other names."""
    less = [name for name in _estimated(larger) if name not in _estimated(smaller)]
    if len(less) == larger.df_model - smaller.df_model:
        return f"{listed(less)} as fixed" if set(less) <= set(smaller.names) else f"the model without {listed(less)}"
    return f"{smaller.source} within {larger.source}"


def _estimated(fitted: Any) -> list[str]:
    return list(fitted.names if fitted.case is None else fitted.case.names)
