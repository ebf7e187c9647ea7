"""Parameters that the data do not fix: f is the same along a line, or along a curve, through where the run ended.

a + b    a line: f(x + h d) = f(x), with d = a - b
a * b    a curve: f(x + h d) rises by a fourth power, and falls back when the other directions are brought to their
         minimum; where a minimum is merely flat, as that of x**4, it does not
"""

from __future__ import annotations

import numpy as np

from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.table import Diagnosis, cause, numbers
from autoopt.inference import combination, upwards

FLAT = 1e-9
"""A curvature below this part of the largest, in units of the diagonal, is none: it is by differences of gradients."""

_SAME = 1e-9
"""Values that differ by less than this part of them are the same."""

_BACK = 1e-4
"""A rise of which the others take back all but this part was that of a straight line beside a curve."""

_FAR = 0.1
_CORRECTIONS = 12
_SHOWN = 3


@cause("flat direction", 100, of_success=True)
def flat(evidence: Evidence) -> Diagnosis | None:
    """f does not change along a combination of parameters: the data do not fix it."""
    spectrum = curvatures(evidence)
    if spectrum is None or not np.isfinite(evidence.here):
        return None
    eigenvalues, directions, _ = spectrum
    null = directions[:, np.abs(eigenvalues) <= FLAT * eigenvalues[-1]]
    if not (eigenvalues[-1] > 0 and 0 < null.shape[1] < evidence.x.size):
        return None
    idle = evidence.kept.get("unused", [])
    basis = [direction for direction in _sparse(null, evidence.unit) if np.delete(direction, idle).any()]
    other = _other(evidence, directions[:, null.shape[1] :], eigenvalues[null.shape[1] :], basis)
    if other is None:
        return None
    along = "; along ".join(combination(upwards(direction), evidence.names) for direction in basis[:_SHOWN])
    more = f"; and along {len(basis) - _SHOWN} more" if len(basis) > _SHOWN else ""
    moved = np.flatnonzero(np.abs(other - evidence.x) > 1e-9 * evidence.unit)
    names = [evidence.names[k] for k in moved]
    happened = (
        f"The parameters are not identified: the objective is flat along {along}{more}, at {evidence.here:.6g}, for "
        f"instance at {numbers(names, evidence.x[moved], 3)} as at {numbers(names, other[moved], 3)}"
    )
    if (columns := _columns(evidence, basis[0])) is not None:
        happened += f". {columns}"
    remedy = "drop or fix one of the parameters in each combination, or add a penalty: the data do not fix it."
    return Diagnosis(happened + ".", (), remedy, evidence.result.success)


def curvatures(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return eigenvalues of the Hessian scaled to a unit diagonal, directions (columns), and its diagonal."""
    hessian = evidence.hessian
    if hessian is None or evidence.x.size < 2:
        return None
    diagonal = np.diag(hessian)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    eigenvalues, vectors = np.linalg.eigh(hessian * np.outer(scale, scale))
    return eigenvalues, scale[:, np.newaxis] * vectors, diagonal


def _sparse(null: np.ndarray, unit: np.ndarray) -> list[np.ndarray]:
    """Return directions that span the columns `null`, (n, k), of as few parameters as elimination leaves, (n,) each."""
    rows = (null / unit[:, np.newaxis]).T.copy()
    for k in range(len(rows)):
        pivot = int(np.argmax(np.max(np.abs(rows[k:]), axis=1)))
        rows[[k, k + pivot]] = rows[[k + pivot, k]]
        j = int(np.argmax(np.abs(rows[k]) > 0.5 * np.max(np.abs(rows[k]))))
        rows[k] /= rows[k, j]
        for i in range(len(rows)):
            if i != k:
                rows[i] -= rows[i, j] * rows[k]
    rows[np.abs(rows) < 1e-6 * np.max(np.abs(rows), axis=1, keepdims=True)] = 0.0
    return [row * unit / np.max(np.abs(row)) for row in rows]


def _other(
    evidence: Evidence, directions: np.ndarray, eigenvalues: np.ndarray, basis: list[np.ndarray]
) -> np.ndarray | None:
    """Return another point, shape (n,), where f is what it is where the run ended; None if there is none.

    From a step along all of `basis` the other `directions` are brought to their minimum, by Newton's method with the
    Hessian of the end of the run.
    """
    if not basis:
        return None
    inverse = (directions / eigenvalues) @ directions.T
    for step in (_FAR * np.sum(basis, axis=0), -_FAR * np.sum(basis, axis=0)):
        start = point = evidence.inside(evidence.x + step)
        risen = evidence.value(start) - evidence.here
        evidence.left += _CORRECTIONS
        for _ in range(_CORRECTIONS if risen > _SAME * abs(evidence.here) else 0):
            point = evidence.inside(point - inverse @ evidence.gradient(point))
        left = abs(evidence.value(point) - evidence.here)
        if np.isfinite(left) and left <= max(_BACK * abs(risen), _SAME * abs(evidence.here), 1e-300):
            return point
    return None


def _columns(evidence: Evidence, direction: np.ndarray) -> str | None:
    """Return in words that this combination of a matrix's columns is 0."""
    for name, X in evidence.data:
        if X.ndim == 2 and X.shape[1] == direction.size and X.shape[0] >= direction.size:
            rest = np.max(np.abs(X @ direction), initial=0.0)
            if rest <= 1e-8 * np.max(np.abs(X) @ np.abs(direction), initial=0.0):
                inside = np.flatnonzero(np.abs(direction) > 1e-6 * np.max(np.abs(direction)))
                shown = ", ".join(str(k) for k in inside[:6])
                if len(inside) == 2:
                    return f"Columns {shown} of {name} are the same but for a factor"
                return f"This combination of the columns {shown} of {name} is 0"
    return None
