"""The models of `benchmarks.row_tables` at tiny sizes: derivatives by hand against slopes and against autoopt's."""

import json
from pathlib import Path

import numpy as np
import pytest

import autoopt
from autoopt.execution.blocks import row_functions
from benchmarks import row_tables
from benchmarks.row_models import MODELS

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))


def slope(f, step=1e-3):
    """Return f'(0) by central differences, extrapolated twice: exact to about 1e-10."""
    first, second, third = ((f(h) - f(-h)) / (2 * h) for h in (step, step / 2, step / 4))
    return (64 * third - 20 * second + first) / 45


@every_model
def test_derivatives_by_hand_are_slopes_of_the_objective(model):
    x, data = model.point(small=True)
    value, gradient = model.value_and_grad(x, *data)
    assert value == pytest.approx(model.f(x, *data), rel=1e-12)
    directions = np.eye(x.size)
    expected = [slope(lambda t, p=p: model.f(x + t * p, *data)) for p in directions]
    np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-7)
    if model.hess:
        bends = [slope(lambda t, p=p: model.value_and_grad(x + t * p, *data)[1]) for p in directions]
        np.testing.assert_allclose(model.hess(x, *data), bends, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "kind"), [(model.name, kind) for model in MODELS.values() for kind in model.best])
def test_the_best_by_hand_is_what_is_by_hand(name, kind):
    model = MODELS[name]
    x, data = model.point(small=True)
    best = model.best[kind](x, *data)
    by_hand = (model.value_and_grad if kind == "gradient" else model.hess)(x, *data)
    for found, expected in zip(best, by_hand, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@every_model
def test_autoopt_agrees_with_the_derivatives_by_hand(model):
    x, data = model.point(small=True)
    objective = autoopt.objective(model.f, x, *data)
    value, gradient = objective.value_and_grad(x)
    by_hand = model.value_and_grad(x, *data)
    assert value == pytest.approx(by_hand[0], rel=1e-12)
    np.testing.assert_allclose(gradient, by_hand[1], rtol=1e-10, atol=1e-12 * np.abs(by_hand[1]).max())
    if model.hess:
        expected = model.hess(x, *data)
        np.testing.assert_allclose(objective.hess(x), expected, rtol=1e-9, atol=1e-12 * np.abs(expected).max())


def told(capsys):
    """Return the numbers that have been told."""
    return {key: number for line in capsys.readouterr().out.splitlines() for key, number in json.loads(line).items()}


@pytest.mark.parametrize("kind", row_tables.KINDS)
def test_what_is_measured_of_time_is_told(kind, monkeypatch, capsys):
    monkeypatch.setattr(row_tables, "WARM", 0.0)
    monkeypatch.setattr(row_tables, "ROUND", 0.0)
    row_tables.measure("logistic-1000000x50", kind, small=True)
    found = told(capsys)
    assert found["autoopt"] > 0 and found["first"] > 0 and found["over_whole"] > 0 and found["error"] < 1e-12
    assert kind == "product" or (found["over_hand"] > 0 and found["over_best"] > 0)


def test_what_was_called_on_whole_arrays_goes_on_so(monkeypatch):
    model = MODELS["logistic-1000000x50"]
    x, data = model.start(np.random.default_rng(0), 20_000, 10)
    monkeypatch.setattr(row_functions, "ENOUGH", 0.0)
    divided = []
    monkeypatch.setattr(row_functions.RowFunction, "divide", lambda self, *given: divided.append(self))
    whole = row_tables.on_whole_arrays(row_tables.derived(model, "gradient", x, data), x)
    whole(x + 0.1)
    assert not divided
    row_tables.derived(model, "gradient", x, data)(x)
    assert divided


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone says what a process had at most")
def test_what_is_measured_of_memory_is_that_of_whole_arrays(monkeypatch, capsys):
    monkeypatch.setattr(row_tables, "WARM", 0.0)
    monkeypatch.setattr(row_tables, "FEW", 60)
    big = MODELS["weighted-200000x20"]
    row_tables.measure_memory(big.name, "hessian")
    assert told(capsys)["extra_hand"] > 0.9 * 200_000 * 20 * 8 / 2**20


def test_what_is_missed_is_said():
    model = MODELS["logistic-1000000x50"]
    holds = {"over_hand": 0.5, "over_best": 0.55, "over_whole": 1.0, "error": 1e-12, "extra": 20.0}
    assert row_tables.misses(model, "gradient", 1, holds) == []
    assert row_tables.misses(model, "gradient", 2, holds) == ["0.4 x by hand", "0.4 x the best by hand"]
    assert row_tables.misses(model, "gradient", 1, holds | {"error": 1e-9, "extra": 41.0}) == [
        "equal to 1e-10",
        "40 MB",
    ]
    slow = row_tables.misses(model, "product", 1, holds | {"over_whole": 1.2})
    assert slow == ["no slower than as a whole"]
    nothing = row_tables.misses(model, "gradient", 1, {"reason": "Error"})
    assert nothing == ["0.6 x by hand", "no slower than as a whole", "equal to 1e-10"]


def test_dense_hessians_are_measured_of_few_parameters_alone():
    lines = row_tables._lines(["groups", "weighted"], ["gradient", "hessian"])
    assert [(model.name, kind) for model, kind in lines] == [
        ("groups-200000x5-1000", "gradient"),
        ("weighted-200000x20", "gradient"),
        ("weighted-200000x20", "hessian"),
    ]
