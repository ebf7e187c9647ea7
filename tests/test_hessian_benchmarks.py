"""The cases of the benchmark of Hessians at tiny sizes: those by hand against differences, autoopt's against those."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import sparse

from autoopt.objectives.objective import Objective
from benchmarks import hessian_tables
from benchmarks.hessian_models import CASES

every_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def dense(matrix):
    return matrix.toarray() if sparse.issparse(matrix) else matrix


def curvature(f, x, p):
    """Return the second derivative along p by differences that are extrapolated twice."""
    middle = f(x)
    first, second, third = ((f(x + h * p) - 2 * middle + f(x - h * p)) / h**2 for h in (0.02, 0.01, 0.005))
    return (64 * third - 20 * second + first) / 45


@every_case
def test_hessian_by_hand_is_the_curvature(case):
    x, data = case.point(small=True)
    H = dense(case.hess(x, *data))
    for p in np.random.default_rng(3).normal(size=(8, x.size)):
        scale = np.abs(p) @ np.abs(H) @ np.abs(p)
        assert p @ H @ p == pytest.approx(curvature(lambda z: case.f(z, *data), x, p), rel=1e-5, abs=1e-6 * scale)


@every_case
def test_hessian_by_hand_is_symmetric(case):
    x, data = case.point(small=True)
    H = dense(case.hess(x, *data))
    np.testing.assert_allclose(H, H.T, rtol=1e-12, atol=1e-13 * np.abs(H).max())


@every_case
@pytest.mark.sampled(5)
def test_hessian_is_that_by_hand(case):
    x, data = case.point(small=True)
    objective = Objective(case.f, x, data)
    for scale in (1.0, 0.9):
        H = dense(case.hess(scale * x, *data))
        np.testing.assert_allclose(dense(objective.hess(scale * x)), H, rtol=1e-9, atol=1e-11 * np.abs(H).max())


@pytest.mark.slow_for("logistic-10000x50")
@every_case
@pytest.mark.sampled(4)
def test_jax_has_the_hessian_by_hand(case):
    pytest.importorskip("jax")
    x, data = case.point(small=True)
    if case.jax:
        hessian = hessian_tables.jax_hessian(case, x, data)
        H = dense(case.hess(x, *data))
        np.testing.assert_allclose(hessian(x), H, rtol=1e-9, atol=1e-11 * np.abs(H).max())


@pytest.mark.slow
def test_everything_that_is_measured_is_told(capsys):
    hessian_tables.measure("cox-2000x20", small=True, jax=False)
    told = {}
    for line in capsys.readouterr().out.splitlines():
        told |= json.loads(line)
    assert told["n"] == 3
    assert told["error"] < 1e-9
    assert {"first", "hand", "autoopt", "over_hand", "extra", "lines", "base64"} <= set(told)


def test_what_does_not_hold_is_named():
    case = CASES["softmax-5000x50x10"]
    good = {"error": 1e-15, "over_hand": 1.2, "over_jax": 0.5, "jax": 1.0, "lines": 30, "base64": False}
    assert hessian_tables.misses(case, good) == []
    bad = good | {"error": 1e-6, "over_hand": 1.4, "over_jax": 1.1, "lines": 61, "base64": True}
    misses = ["right", "1.3 x by hand", "faster than JAX", "60 lines", "no base64"]
    assert hessian_tables.misses(case, bad) == misses
    assert {"right", "source"} <= set(hessian_tables.misses(case, {"reason": "killed"}))
    assert hessian_tables.misses(CASES["logistic-1000000x50"], good | {"extra": 61e6}) == ["60 MB"]
