"""The covariance of a fit's estimates, of each kind that `inference.COVARIANCES` has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import InferenceError, UsageError
from autoopt.fitting.scores import require, scores_of
from autoopt.fitting.solving import Case
from autoopt.inference.covariances import Convention, Evidence, chosen
from autoopt.tables.labels import refuse_masked
from autoopt.wording import near, times


def ready(convention: Convention, groups: Any, case: Case) -> np.ndarray | None:
    """Return the labels of the groups, if there are any; raise, before anything is solved, what would be in the way."""
    kind = case.minimised.kind
    if convention.function is None:
        return None
    if not (kind.is_likelihood or kind.is_squares):
        raise UsageError(
            f"covariance={convention.name!r} is asked for, and the kind of objective is {kind.name!r}.",
            remedy='say what the objective is: kind="negative log-likelihood" or "least squares".',
        )
    rows = require(case)
    return None if groups is None else labels_of(groups, rows, case.bound)


def covariance_of(fitted: Any, kind: str | None = None, groups: Any = None) -> np.ndarray:
    """Return the covariance of the estimates, shape (n, n); see `Fit.cov_params`."""
    if kind is None and groups is None:
        kind, groups = fitted.convention, fitted.groups
    elif kind == "cluster" and groups is None:
        groups = fitted.groups
    convention = chosen(kind, groups)
    if fitted.inverse is None:
        raise fitted.problem or InferenceError(
            f"There is no covariance of {fitted.source}: {_reason(fitted)}", remedy="see the notes of its summary."
        )
    if convention.name == fitted.convention and fitted.covariance is not None and groups is fitted.groups:
        return fitted.covariance
    case = fitted.case
    if convention.function is None:
        return case.spread(fitted.inverse)
    u = case.variables.variables(fitted.params)
    free = np.isfinite(np.diag(fitted.inverse))
    scores = scores_of(case, u, fitted.scale, free)
    if "leverages" in convention.needs and scores.leverages is None:
        raise UsageError(
            f"covariance={convention.name!r} needs residuals.",
            remedy='have the objective return them (kind="least squares"), or use "robust" or "HC1".',
        )
    labels = None if groups is None else labels_of(groups, scores.by_row.shape[0], case.bound)
    names = [name for name, inside in zip(case.names, free, strict=True) if inside]
    inverse = fitted.inverse[np.ix_(free, free)]
    evidence = _of_weight(Evidence(inverse, scores.by_row[:, free], scores.leverages, labels, names), case)
    found = convention.function(evidence if scores.frequencies is None else _counted(evidence, scores.frequencies))
    everywhere = np.full(fitted.inverse.shape, np.nan)
    everywhere[np.ix_(free, free)] = found
    return case.spread(everywhere)


def _of_weight(evidence: Evidence, case: Case) -> Evidence:
    """Return the evidence without the rows of residuals whose weight is 0, which are no observations."""
    weights = case.minimised.weights
    if not case.minimised.kind.is_squares or weights is None or (present := weights > 0).all():
        return evidence
    leverages, groups = (None if one is None else one[present] for one in (evidence.leverages, evidence.groups))
    return replace(evidence, scores=evidence.scores[present], leverages=leverages, groups=groups)


def _counted(evidence: Evidence, frequencies: np.ndarray) -> Evidence:
    """Return the evidence of rows that count so often, shape (m,), by which their scores are multiplied already.

    Outer products are those of one row times its frequency, sums over groups those of the scores as they are.
    """
    present = frequencies > 0
    scores, often = evidence.scores[present], frequencies[present]
    if evidence.groups is None:
        scores, labels = scores / np.sqrt(often)[:, np.newaxis], None
    else:
        labels = evidence.groups[present]
    return replace(evidence, scores=scores, groups=labels, observations=float(often.sum()))


def labels_of(groups: Any, rows: int | None, bound: Any = None) -> np.ndarray:
    """Return to which group each row belongs, shape (rows,): the labels, or those in the column of that name."""
    if is_name := isinstance(groups, str):
        table = None if bound is None else bound.data
        names = [] if table is None else table.names
        if table is None or groups not in names:
            from autoopt.clusters.addresses import is_address  # which few fits need

            if is_address(groups):
                raise UsageError(
                    f"groups is {groups!r}, which is no column of the data, but names a cluster of workers.",
                    remedy=f"name workers by --workers {groups} (cluster= in Python); --cluster (groups=) is for the "
                    "column of groups.",
                )
            raise UsageError(
                f"groups is {groups!r}, and the data have no such column.{near(groups, names)}",
                remedy="pass the name of a column, or an array with a label for each row.",
            )
        groups = table.array(groups)
    refuse_masked(groups, "groups", UsageError)
    if bound is not None and not is_name:
        groups = bound.aligned(np.asarray(groups).reshape(-1))
    labels = np.asarray(groups).reshape(-1)
    if rows is not None and labels.size != rows:
        raise UsageError(
            f"There are {times(labels.size, 'label')} in groups, for {times(rows, 'row')}.",
            remedy="pass one label for each row of the objective's data.",
        )
    missing = np.array([label is None or label != label for label in labels.tolist()], bool)
    if missing.any():
        raise UsageError(
            f"groups has {times(int(missing.sum()), 'missing label')}, first in row {int(np.argmax(missing))}.",
            remedy="leave these rows out, or give them a group of their own.",
        )
    return labels


def _reason(fitted: Any) -> str:
    return f"the fit is {fitted.status}." if fitted.status != "converged" else "standard errors were not computed."
