"""Value and derivatives of an objective against differences of the user's own function."""

from __future__ import annotations

import numpy as np

from autoopt import differences
from autoopt.objectives.objective import Objective


def curvature(f, x: np.ndarray, p: np.ndarray) -> tuple[float, float]:
    """Return p' H p of `f` at `x` by extrapolated second differences, and an estimate of its error."""
    here, rows = f(x), []
    best, best_error = np.nan, np.inf
    for level in range(9):
        h = 2.0 ** -(3 + level)
        ahead, behind = f(x + h * p), f(x - h * p)
        row = [(ahead - 2 * here + behind) / h**2]
        for order, above in enumerate(rows[:3], start=1):
            row.append(row[-1] + (row[-1] - above) / (4.0**order - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - above)) + 16 * np.finfo(float).eps * abs(here) / h**2
            if error < best_error:
                best, best_error = row[-1], error
        rows = row
    return best, best_error


def check_value(objective: Objective, x: np.ndarray) -> None:
    expected = objective.original(x)
    assert np.isfinite(expected), "a point where the objective is not finite tests nothing"
    np.testing.assert_allclose(objective.value(x), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(objective.value_and_grad(x)[0], expected, rtol=1e-12, atol=1e-12)


def check_gradient(objective: Objective, x: np.ndarray, noise: float) -> None:
    gradient = objective.grad(x)
    slopes = [
        differences.directional(objective.original, x, step, roughness=noise)
        for step in np.diag(differences.step_scale(x))
    ]
    expected, errors = np.array(slopes).T / differences.step_scale(x)
    size = np.max(np.abs(expected)) + abs(objective.original(x)) * 1e-2 + 1e-12
    assert np.all(errors < 1e-4 * size + 100 * noise), f"differences too rough to tell: {errors / size}"
    assert np.all(np.abs(gradient - expected) <= 10 * errors + 1e-9 * size), (
        f"{gradient} against {expected} +- {errors}"
    )


def check_hessp(objective: Objective, x: np.ndarray, p: np.ndarray, noise: float) -> None:
    product = objective.hessp(x, p)
    expected, errors = differences.hessp(objective.grad, x, p)
    size = np.max(np.abs(expected)) + np.max(np.abs(objective.grad(x))) * 1e-3 + 1e-12
    assert np.all(np.isfinite(product)), f"not finite: {product}"
    assert np.all(np.abs(product - expected) <= 10 * errors + 1e-8 * size), f"{product} against {expected} +- {errors}"
    bend, error = curvature(objective.original, x, p)
    if error < 1e-2 * size and not noise:
        assert abs(product @ p - bend) <= 10 * error + 1e-6 * size, f"{product @ p} along p against {bend} +- {error}"
