"""Jacobians of the least-squares functions of the literature, as they are printed, step by step, and as products."""

from __future__ import annotations

import numpy as np
import pytest
from chained_systems import CHAINED
from more_functions import MORE
from nist_models import NIST

from autoopt import differences
from autoopt.objectives.objective import Objective, printed

FUNCTIONS = {**NIST, **MORE, **CHAINED}


def points(start):
    """Return two points near the start, at which nothing is equal or zero."""
    return start * 1.05 + 0.01, start * 0.93 + 0.023


def check(found, residuals, x) -> None:
    """Compare with extrapolated differences, within their estimated error."""
    expected, errors = (np.asarray(part).reshape(found.shape) for part in differences.jacobian(residuals, x))
    room = 10 * errors + 1e-8 * np.max(np.abs(expected), initial=0.0)
    assert np.all(np.abs(found - expected) <= room), f"{found} against {expected} +- {errors}"


def test_there_are_more_than_sixty() -> None:
    assert len(NIST) == 27 and len(MORE) == 35 and len(FUNCTIONS) >= 85


@pytest.mark.slow_for("gauss3")
@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobian_and_products(name) -> None:
    f, start, args = FUNCTIONS[name]
    objective = Objective(f, start, args, scalar=False)

    def residuals(flat):
        return np.asarray(f(flat.reshape(start.shape), *args), dtype=float).ravel()

    for x in points(start.ravel()):
        step_by_step, shape = objective.jacobian(x)
        assert shape == np.shape(f(x.reshape(start.shape), *args)) and step_by_step.shape == (np.prod(shape), x.size)
        check(step_by_step, residuals, x)
        p, w = np.cos(np.arange(x.size)), np.sin(1.0 + np.arange(len(step_by_step)))
        size = np.max(np.abs(step_by_step), initial=1e-300)
        for product, expected in (
            (objective.jvp(x, p), step_by_step @ p),
            (objective.vjp(x, w), w @ step_by_step),
        ):
            np.testing.assert_allclose(product, expected, rtol=1e-9, atol=1e-11 * size)


@pytest.mark.slow_for("hahn1", "misra1a")
@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobian_is_printed(name) -> None:
    f, start, args = FUNCTIONS[name]
    objective = Objective(f, start, args, scalar=False)
    text = objective.source("jacobian")
    assert "base64" not in text
    printed = objective.dispatch.compiler.printed(objective.dispatch.paths[0], "jacobian")
    assert printed.text.count("\n") < 120  # constant arrays are written into what is exported
    for x in points(start.ravel()):
        x = np.array(x)
        check(printed.run(x), lambda flat: np.asarray(f(flat.reshape(start.shape), *args), dtype=float).ravel(), x)


@pytest.mark.slow_for("lanczos1")
@pytest.mark.parametrize("name", NIST)
def test_models_that_are_elementwise_in_the_data_have_no_square_of_the_rows(name) -> None:
    f, start, args = NIST[name]
    text = printed(f, start, args, derivatives="jacobian")
    assert "np.eye" not in text and f"({args[0].shape[-1]}, {args[0].shape[-1]})" not in text
