"""State, randomness, time and threads around an objective: right, or refused with the line."""

from __future__ import annotations

import copy
import math
import pickle
import random
import threading
import time

import numpy as np
import pytest

import autoopt
from autoopt.errors import TracingError

X = np.array([0.5, 1.5, 2.5])
SCALE = 2.0
HELD = {"weight": 1.0, "arrays": [np.ones(3)]}


def of_global(x):
    return SCALE * np.sum(x**2)


def of_dict(x):
    return HELD["weight"] * np.sum(HELD["arrays"][0] * x**2)


class Scaled:
    """An objective with state."""

    def __init__(self):
        self.scale, self.weights = 2.0, np.ones(3)

    def loss(self, x):
        return self.scale * np.sum(self.weights * x**2)


def test_state_that_changes_between_calls_is_seen(monkeypatch):
    gradient = autoopt.grad(of_global)
    assert gradient(X)[0] == 2.0
    monkeypatch.setitem(globals(), "SCALE", 7.0)
    assert gradient(X)[0] == 7.0

    gradient = autoopt.grad(of_dict)
    assert gradient(X)[0] == 1.0
    monkeypatch.setitem(HELD, "weight", 3.0)
    assert gradient(X)[0] == 3.0
    HELD["arrays"][0][0] = 2.0
    assert gradient(X)[0] == 6.0
    monkeypatch.setitem(HELD, "arrays", [np.full(3, 5.0)])
    assert gradient(X)[0] == 15.0

    scaled = Scaled()
    gradient = autoopt.grad(scaled.loss)
    assert gradient(X)[0] == 2.0
    scaled.scale = 5.0
    assert gradient(X)[0] == 5.0
    scaled.weights[0] = 10.0
    assert gradient(X)[0] == 50.0


GENERATOR, STANDARD = np.random.default_rng(0), random.Random(0)
CHANGING = {
    "legacy": (lambda x: np.sum(x) * np.random.rand(), "draws random numbers"),  # noqa: NPY002
    "generator": (lambda x: np.sum(x) * GENERATOR.random(), "draws random numbers"),
    "generator without a seed": (lambda x: np.sum(x) * np.random.default_rng().random(), "draws random numbers"),
    "standard library": (lambda x: np.sum(x) * random.random(), "draws random numbers"),
    "generator of the standard library": (lambda x: np.sum(x) * STANDARD.random(), "draws random numbers"),
    "time": (lambda x: np.sum(x) * time.time(), "calculates with the time of day"),
    "elapsed time": (lambda x: np.sum(x) + (time.perf_counter() - 5.0) * 1e-3, "calculates with the time of day"),
}


@pytest.mark.parametrize("name", CHANGING)
def test_what_changes_from_call_to_call_is_refused(name):
    function, words = CHANGING[name]
    with pytest.raises(TracingError, match=words) as caught:
        autoopt.grad(function)(X)
    assert caught.value.where[0].file == __file__


def test_a_seeded_generator_and_a_stopwatch_are_fine():
    """Their results are the same at every call, or do not enter the value."""

    def timed(x):
        start = time.perf_counter()
        noise = np.random.default_rng(3).normal(size=3)
        time.sleep(0.0)
        value = np.sum(x * noise)
        assert time.perf_counter() - start < 100.0
        return value

    np.testing.assert_allclose(autoopt.grad(timed)(X), np.random.default_rng(3).normal(size=3))


def test_an_exception_on_the_way_leaves_nothing_substituted():
    for error in (ValueError, KeyboardInterrupt):

        def fails(x, error=error):
            raise error

        with pytest.raises(error):
            autoopt.grad(fails)(X)
        assert math.exp(0.0) == 1.0 and type(float("2")) is float and isinstance(2.0, float)


def test_copies_and_pickles_are_objectives():
    objective = autoopt.Objective(of_global, X)
    for same in (copy.copy(objective), copy.deepcopy(objective), pickle.loads(pickle.dumps(objective))):
        np.testing.assert_allclose(same.grad(X), objective.grad(X))


def test_threads_on_one_objective_and_on_many():
    shared = autoopt.Objective(lambda x: np.sum(x**2) if x[0] > 0 else np.sum(x**3), X)
    faults = []

    def own(number):
        def f(x):
            return sum(math.exp(-float(x[i % 3]) * number) for i in range(30 + number))

        return f, -number * np.exp(-number * X) * [math.ceil((30 + number - i) / 3) for i in range(3)]

    def work(number):
        try:
            f, slope = own(number)
            np.testing.assert_allclose(autoopt.grad(f)(X), slope, rtol=1e-10)
            for k in range(200):
                x = (-1) ** number * X * (1 + k / 100)
                np.testing.assert_allclose(shared.grad(x), 2 * x if x[0] > 0 else 3 * x**2)
                np.testing.assert_allclose(shared.hessp(x, X), 2 * X if x[0] > 0 else 6 * x * X)
        except BaseException as problem:
            faults.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_containers_that_hold_themselves_may_be_about_while_a_value_is_kept():
    knot: list = []
    knot.append(knot)
    space = {"np": np, "knot": knot, "kept": {}}
    exec("def f(x):\n    kept['x'] = x[0]\n    return np.sum(x**2)", space)
    np.testing.assert_array_equal(autoopt.grad(space["f"])(np.ones(2)), 2)
    np.testing.assert_array_equal(autoopt.grad(lambda x: space["f"](x))(np.ones(2)), 2)


LISTED = [1.0, 2.0]


def test_an_objective_sees_what_changes_outside(monkeypatch):
    def closed(scale):
        def f(x):
            return scale * np.sum(x**2)

        def change(value):
            nonlocal scale
            scale = value

        return f, change

    monkeypatch.setitem(HELD, "arrays", [np.ones(3)])
    f, change = closed(2.0)
    scaled = Scaled()
    of_list = autoopt.objective(lambda x: LISTED[0] * np.sum(x**2), X)
    objectives = [autoopt.objective(g, X) for g in (of_global, of_dict, f, scaled.loss)]
    assert [objective.grad(X)[0] for objective in (*objectives, of_list)] == [2.0, 1.0, 2.0, 2.0, 1.0]
    monkeypatch.setitem(globals(), "SCALE", 7.0)
    monkeypatch.setitem(HELD, "weight", 3.0)
    LISTED[0] = 4.0
    change(5.0)
    scaled.scale = 6.0
    for _ in range(2):
        assert [objective.grad(X)[0] for objective in (*objectives, of_list)] == [7.0, 3.0, 5.0, 6.0, 4.0]
    scaled.weights = np.full(3, 10.0)
    assert objectives[-1].grad(X)[0] == 60.0 and objectives[-1].hess(X)[0, 0] == 120.0
    change(2.0)
    assert objectives[2].value(X) == f(X)


def test_what_the_objective_itself_counts_is_no_change():
    class Counting:
        def __init__(self):
            self.calls, self.seen = 0, []

        def loss(self, x):
            self.calls += 1
            self.seen.append(float(self.calls))
            return np.sum(np.cosh(x))

    model = Counting()
    objective = autoopt.objective(model.loss, X)
    for k in range(5):
        objective.grad(X + 0.1 * k)
    assert model.calls == 1 and len(model.seen) == 1
    objective.original(X)
    objective.grad(X)
    assert model.calls == 2


def test_errors_that_numpy_is_told_to_raise_are_branches():
    def f(x):
        try:
            with np.errstate(invalid="raise", divide="raise"):
                return np.sum(np.log(x)) ** 2 + x @ x
        except FloatingPointError:
            return 1e3 * x[1]

    objective = autoopt.Objective(f, np.ones(2))
    for x in (np.array([2.0, 3.0]), np.array([-2.0, 3.0]), np.array([0.0, 3.0]), np.array([2.0, 1.0])):
        assert objective.value(x) == pytest.approx(f(x), rel=1e-14)
        np.testing.assert_allclose(objective.grad(x), [0, 1e3] if x[0] <= 0 else 2 * np.log(x.prod()) / x + 2 * x)


def test_second_derivatives_too_are_of_the_branch_of_an_exception():
    def f(x):
        try:
            return math.log(x[0]) ** 2 * x[1]
        except ValueError:
            return x[1] ** 3

    objective = autoopt.Objective(f, np.ones(2))
    objective.hessp(np.array([2.0, 1.0]), np.ones(2))
    np.testing.assert_array_equal(objective.hessp(np.array([-2.0, 2.0]), np.ones(2)), [0, 12])
    np.testing.assert_array_equal(objective.hess(np.array([-3.0, 1.0])), [[0, 0], [0, 6]])
