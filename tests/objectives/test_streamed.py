"""Objectives of data in batches: the derivatives of all rows in memory, whatever the batches."""

import inspect

import numpy as np
import pytest
from row_programs import BY_ROWS, MIXING, NUMBERED, started

import autoopt
from autoopt.errors import TracingError, UsageError, VerificationError
from autoopt.objectives.sampled import Plans
from autoopt.objectives.streamed import StreamedObjective


def batched(f, args, size=50_000):
    """Return the data of an objective in batches of so many bytes."""
    names = list(inspect.signature(f).parameters)[1:]
    return autoopt.batches(dict(zip(names, args, strict=True)), size=size)


@pytest.mark.slow_for("rectified")
@pytest.mark.parametrize("name", BY_ROWS)
def test_derivatives_are_those_of_all_rows_in_memory(name):
    f, x0, args = started(BY_ROWS[name], rows=5000)
    streamed = StreamedObjective.of(f, x0, (batched(f, args),))
    whole, x = autoopt.objective(f, x0, *args), np.ravel(x0).astype(float)
    assert streamed.value(x) == pytest.approx(whole.value(x), rel=1e-13)
    value, gradient = streamed.value_and_grad(x)
    assert value == pytest.approx(whole.value(x), rel=1e-13)
    np.testing.assert_allclose(gradient, whole.grad(x), rtol=1e-11, atol=1e-11 * np.abs(gradient).max())
    product, expected = streamed.hessp(x, np.ones_like(x)), whole.hessp(x, np.ones_like(x))
    np.testing.assert_allclose(product, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())
    hessian, expected = streamed.hess(x), whole.hess(x)
    np.testing.assert_allclose(hessian, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("name", [*MIXING, *NUMBERED])
def test_what_mixes_rows_is_refused_by_its_line(name):
    f, x0, args = started((MIXING | NUMBERED)[name], rows=3000)
    streamed = StreamedObjective.of(f, x0, (batched(f, args),))
    with pytest.raises(TracingError, match="no sum over the rows") as caught:
        streamed.value_and_grad(np.ravel(x0))
    assert "row_programs.py" in str(caught.value)


@pytest.mark.parametrize("name", ["trend", "every second", "counted up"])
def test_source_by_rows_goes_by_no_number_of_a_row(name):
    f, x0, args = started(NUMBERED[name], rows=3000)
    with pytest.raises(UsageError, match="no sum over the rows"):
        autoopt.objective(f, x0, *args).source("gradient", by_rows=True)


def test_a_plan_that_is_another_in_blocks_is_found_by_comparing(monkeypatch):
    from autoopt.execution.blocks import expressions

    monkeypatch.setattr(expressions, "without_positions", lambda values: None)
    f, x0, args = started(NUMBERED["trend"], rows=3000)
    streamed = StreamedObjective.of(f, x0, (batched(f, args),))
    with pytest.raises(TracingError, match="in blocks of rows it gives other results"):
        streamed.value_and_grad(np.ravel(x0))


def logistic(w, X, y, penalty):
    z = X @ w
    return np.sum(np.logaddexp(0, z)) - y @ z + penalty * w @ w


def data(rows=20_000, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 5))
    return X, (rng.random(rows) < 1 / (1 + np.exp(-X @ np.linspace(-1, 1, 5)))) * 1.0


@pytest.mark.parametrize("method", [None, "newton-cg", "l-bfgs-b", "trust-exact"])
def test_minimize_finds_the_minimum_of_all_rows(method):
    X, y = data()
    batches = autoopt.batches({"X": X, "y": y}, size=100_000)
    found = autoopt.minimize(logistic, np.zeros(5), args=(batches, 0.5), method=method)
    expected = autoopt.minimize(logistic, np.zeros(5), args=(X, y, 0.5), method="newton-cg")
    assert found.success and found.verification.verdict == "agrees"
    np.testing.assert_allclose(found.x, expected.x, atol=1e-9)


def test_value_gradient_and_hessian_take_one_pass_together():
    X, y = data()
    batches = autoopt.batches({"X": X, "y": y}, size=100_000)
    streamed = StreamedObjective.of(logistic, np.zeros(5), (batches, 0.5))
    streamed.value_and_grad(np.zeros(5)), streamed.hess(np.zeros(5))
    before = batches.passes
    streamed.value_and_grad(np.ones(5)), streamed.hess(np.ones(5)), streamed.value(np.ones(5))
    assert batches.passes == before + 1


def test_a_hessian_without_source_for_any_rows_is_made_of_products_in_one_pass(monkeypatch):
    X, y = data(6000)
    batches = autoopt.batches({"X": X, "y": y}, size=100_000)
    streamed = StreamedObjective.of(logistic, np.zeros(5), (batches, 0.5))
    expected = streamed.hess(np.ones(5))
    other = StreamedObjective.of(logistic, np.zeros(5), (batches, 0.5))
    monkeypatch.setattr(other.plans, "has_hessian", lambda x: False)
    other.hessp(np.ones(5), np.ones(5))
    before = batches.passes
    np.testing.assert_allclose(other.hess(np.ones(5)), expected, rtol=1e-12, atol=1e-10)
    assert batches.passes == before + 1


def test_parameters_that_are_scaled_or_fixed_are_compared_on_the_sample():
    X, y = data()
    batches = autoopt.batches({"X": X, "y": y}, size=100_000)
    found = autoopt.minimize(logistic, np.zeros(5), args=(batches, 0.5), fixed=[0], scale=[1, 2, 1, 1, 1])
    assert found.success and found.x[0] == 0 and found.verification.verdict == "agrees"


def test_code_that_is_wrong_is_found_out_on_the_sample(monkeypatch):
    X, y = data()
    batches = autoopt.batches({"X": X, "y": y}, size=100_000)
    right = autoopt.Objective.value_and_grad

    def wrong(self, x):
        value, gradient = right(self, x)
        return value, 1.01 * gradient

    monkeypatch.setattr(autoopt.Objective, "value_and_grad", wrong)
    with pytest.raises(VerificationError):
        autoopt.minimize(logistic, np.zeros(5), args=(batches, 0.5))


def test_a_branch_by_parameters_is_followed_where_the_sample_goes():
    def f(w, X, y):
        r = y - X @ w
        return np.sum(r**2) if w[0] > 0.5 else np.sum(np.abs(r) ** 3)

    X, y = data()
    streamed = StreamedObjective.of(f, np.zeros(5), (autoopt.batches({"X": X, "y": y}, size=100_000),))
    for x in (np.zeros(5), np.ones(5), np.zeros(5)):
        assert streamed.value(x) == pytest.approx(f(x, X, y), rel=1e-13)
        np.testing.assert_allclose(streamed.grad(x), autoopt.objective(f, x, X, y).grad(x), rtol=1e-11)


def test_arguments_that_are_missing_are_named():
    X, y = data(3000)
    with pytest.raises(UsageError, match="takes X, y, penalty, and the data has X, z"):
        autoopt.minimize(logistic, np.zeros(5), args=(autoopt.batches({"X": X, "z": y}),))
    twice = autoopt.batches({"X": X}), autoopt.batches({"y": y}), 0.5
    with pytest.raises(UsageError, match="Two of args are batches"):
        autoopt.minimize(logistic, np.zeros(5), args=twice)


def test_the_public_objective_takes_batches():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(3000, 2)), rng.normal(size=3000)

    def squares(w, X, y):
        return np.sum((X @ w - y) ** 2)

    x, data = np.array([0.5, -1.0]), autoopt.batches({"X": X, "y": y}, size=20_000)
    objective = autoopt.objective(squares, np.zeros(2), data)
    assert objective.value(x) == pytest.approx(squares(x, X, y), rel=1e-13)
    np.testing.assert_allclose(objective.grad(x), 2 * X.T @ (X @ x - y), rtol=1e-12)
    np.testing.assert_allclose(objective.hess(x), 2 * X.T @ X, rtol=1e-12)
    module: dict = {}
    exec(objective.source(), module)
    assert module["value_and_grad"](x, X, y)[0] == pytest.approx(squares(x, X, y), rel=1e-13)
    assert "sum over rows" in str(objective.plan())
    with pytest.raises(UsageError, match="data in memory"):
        autoopt.objective(squares, np.zeros(2), data, engine="numpy")


def test_what_is_read_outside_is_looked_at_before_each_evaluation():
    outside = {"scale": 2.0}

    def scaled(w, x):
        return np.sum((outside["scale"] * x - w[0]) ** 2)

    x, w = np.linspace(0, 1, 3000), np.array([0.5])
    objective = autoopt.objective(scaled, w, autoopt.batches({"x": x}, size=10_000))
    for scale in (2.0, 3.0, 2.0):
        outside["scale"] = scale
        assert objective.value(w) == pytest.approx(scaled(w, x), rel=1e-13)
        np.testing.assert_allclose(objective.grad(w), [-2 * np.sum(scale * x - w[0])], rtol=1e-12)
        np.testing.assert_allclose(objective.hess(w), [[6000.0]], rtol=1e-12)


def test_values_at_several_points_take_one_pass():
    data = autoopt.batches({"x": np.linspace(0, 1, 3000)}, size=10_000)
    objective = autoopt.objective(lambda w, x: np.sum((x - w[0]) ** 2), np.zeros(1), data)
    points = [np.array([value]) for value in (0.1, 0.2, 0.3, 0.1)]
    objective.value(points[0])
    before = data.passes
    found = objective.values(points)
    assert data.passes == before + 1
    assert found == pytest.approx([np.sum((np.linspace(0, 1, 3000) - w[0]) ** 2) for w in points], rel=1e-13)


def test_the_same_function_of_the_same_batches_is_planned_once(monkeypatch):
    planned = []
    monkeypatch.setattr(Plans, "_divided", lambda *given, own=Plans._divided: planned.append(given[1]) or own(*given))
    data = autoopt.batches({"x": np.linspace(0, 1, 3000)}, size=10_000)

    def squares(w, x):
        return np.sum((x - w[0]) ** 2 + w[0] ** 4)

    first = autoopt.minimize(squares, np.zeros(1), (data,), method="trust-exact")
    count = len(planned)
    assert autoopt.minimize(squares, np.ones(1), (data,), method="trust-exact").x == pytest.approx(first.x, rel=1e-6)
    assert len(planned) == count


def test_one_point_of_several_may_be_on_another_branch():
    def branching(w, x):
        return np.sum((x - w[0]) ** 2) if w[0] > 0 else np.sum((x + w[0]) ** 4)

    x = np.linspace(0, 1, 3000)
    objective = autoopt.objective(branching, np.ones(1), autoopt.batches({"x": x}, size=10_000))
    points = [np.array([value]) for value in (0.5, -0.5, 0.25)]
    assert objective.values(points) == pytest.approx([branching(w, x) for w in points], rel=1e-13)
