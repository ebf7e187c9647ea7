"""Constraints of a fit that always hold: each equation takes a parameter away, as fixing or tying one does."""

from __future__ import annotations

from typing import Any

import numpy as np


def restrictions(case: Any, x: np.ndarray) -> int:
    """Return how many independent equations there are at parameters `x`, shape (n,), in what is estimated."""
    return case.variables.size - tangent(case, x).shape[1]


def tangent(case: Any, x: np.ndarray) -> np.ndarray:
    """Return directions in what is estimated, shape (m, m - r), along which r independent equations still hold."""
    sizes = np.where((u := case.variables.variables(x)) == 0, 1.0, np.abs(u))
    rows = [slopes[equal] for slopes, equal in _rows(case, x) if equal.any()]
    if not rows:
        return np.eye(u.size)
    scaled = np.concatenate([case.variables.jacobian(u, one) for one in rows]) * sizes
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    _, values, directions = np.linalg.svd(scaled / np.where(lengths > 0, lengths, 1.0))
    rank = int(np.sum(values > _RANK * values[0])) if values[0] > 0 else 0
    return sizes[:, np.newaxis] * directions[rank:].T


def is_limited(fitted: Any) -> bool:
    """Whether an inequality holds the estimates."""
    equal = np.concatenate([np.zeros(0, bool), *(equal for _, equal in _rows(fitted.case, fitted.params))])
    weights = np.concatenate([np.zeros(0), *map(np.ravel, fitted.result.get("multipliers") or [])])
    return bool(np.any(weights[: equal.size][~equal[: weights.size]] != 0))  # those of bounds follow


def _rows(case: Any, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the Jacobian of each constraint, (k, n), and which of its values are equations, shape (k,)."""
    if not case.call["constraints"]:
        return []
    from autoopt.constraints.forms import read

    read_here = read(case.call["constraints"], case.start.structure.unflatten(x), case.call["engine"])
    return [(np.asarray(one.slopes(x)), one.lower == one.upper) for one in read_here]


_RANK = 1e-9
"""Equations whose slopes differ by less than this follow from one another."""
