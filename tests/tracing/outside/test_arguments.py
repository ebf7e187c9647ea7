"""Arguments of the functional transforms that change between calls, and threads that share a transform."""

from __future__ import annotations

import inspect
import sys
import threading
import types

import numpy as np
import pytest

import autoopt

X = np.array([1.5, 0.5])
P = np.array([1.0, -2.0])


# Arguments of the functional transforms -------------------------------------------------------------------------------


def lines(x, table, weight):
    return weight * np.sum((table * x) ** 2)


def test_arguments_may_be_replaced_and_written_into():
    table = np.ones((40, 2))
    both, product = autoopt.value_and_grad(lines), autoopt.hvp(lines)
    for first, weight in ((1.0, 2.0), (3.0, 2.0), (3.0, -1.0), (1.0, 2.0)):
        table[:, 0] = first
        for data in (table, table.copy()):
            value, gradient = both(X, data, weight)
            columns = weight * np.sum(data**2, axis=0)
            assert value == pytest.approx(np.sum(columns * X**2))
            np.testing.assert_allclose(gradient, 2 * columns * X)
            np.testing.assert_allclose(product(X, P, data, weight), 2 * columns * P)


@pytest.mark.parametrize("kind", [list, tuple, lambda numbers: [np.float64(k) for k in numbers]])
def test_lists_of_numbers_may_be_changed(kind):
    both = autoopt.value_and_grad(lambda x, k: np.sum(np.array(k)) * x[0] ** 2 + k[2] * x[1])
    numbers = [1.0, 2.0, 0.0, -3.5] * 5
    given = kind(numbers)
    for place, number in ((0, 1.0), (2, 4.0), (0, 7), (2, 0.0)):
        numbers[place] = number
        if isinstance(given, tuple):
            given = tuple(numbers)
        else:
            given[place] = number
        value, gradient = both(X, given)
        assert value == pytest.approx(sum(numbers) * X[0] ** 2 + numbers[2] * X[1])
        np.testing.assert_allclose(gradient, [2 * sum(numbers) * X[0], numbers[2]])


def test_frames_may_be_changed():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1, 2, 4], "c": ["u", "v", "u"]})

    def loss(x, frame):
        return np.sum(frame["a"]) * x[0] ** 2 + np.sum(frame["b"][frame["c"] == "u"]) * x[1]

    both = autoopt.value_and_grad(loss)

    def add_row():
        frame.loc[3] = [5.0, 5, "u"]

    changes = (
        lambda: None,
        lambda: frame.__setitem__("a", [4.0, 5.0, 6.0]),
        lambda: frame.loc.__setitem__((0, "a"), 9.0),
        lambda: frame.loc.__setitem__((1, "c"), "u"),
        add_row,
        lambda: setattr(frame, "columns", ["b", "a", "c"]),
    )
    for change in changes:
        change()
        value, gradient = both(X, frame)
        rows = frame["c"] == "u"
        np.testing.assert_allclose(gradient, [2 * frame["a"].sum() * X[0], frame["b"][rows].sum()])
        assert value == pytest.approx(loss(X, frame))


def test_objects_in_arguments_may_be_changed():
    both = autoopt.value_and_grad(lambda x, o, d: o.k * d["k"] * x[0] ** 2 + d["w"][0] * x[1])
    options, held = types.SimpleNamespace(k=2.0), {"k": 3.0, "w": np.array([1.0, 2.0])}
    for change in (lambda: None, lambda: setattr(options, "k", 5.0), lambda: held.update(k=1.0),
                   lambda: held["w"].__setitem__(0, 8.0), lambda: held.update(w=np.array([4.0, 2.0]))):  # fmt: skip
        change()
        _, gradient = both(X, options, held)
        np.testing.assert_allclose(gradient, [2 * options.k * held["k"] * X[0], held["w"][0]])


READ = {"weight": 0.5, "list": [1.0, 2.0]}


class Counted:
    """An objective that counts how often it is run by itself."""

    def __init__(self):
        self.runs, self.weight = [], 2.0

    def __call__(self, x):
        self.runs.append(1)
        return self.weight * READ["weight"] * np.sum((x - READ["list"][0]) ** 2)


@pytest.mark.parametrize("count", [3, 300])
def test_each_of_many_globals_is_looked_at(count):
    """Few are compared in one expression, many one by one."""
    names = [f"k{number}" for number in range(count)]
    namespace = {name: 1.0 for name in names}
    exec(f"def f(x):\n    return ({' + '.join(names)}) * x[0]**2", namespace)
    objective = autoopt.objective(namespace["f"], X)
    assert objective.value_and_grad(X)[1][0] == pytest.approx(2 * count * X[0])
    for name in (names[0], names[count // 2], names[-1]):
        namespace[name] = 2.5
        value, gradient = objective.value_and_grad(X)
        assert (value, gradient[0]) == pytest.approx(((count + 1.5) * X[0] ** 2, 2 * (count + 1.5) * X[0]))
        namespace[name] = 1.0


def test_what_is_read_outside_costs_no_trace_at_each_call():
    """Traced once: a solver that is given the gradient is not slowed down."""
    from scipy.optimize import minimize

    function = Counted()
    gradient = autoopt.grad(function)
    result = minimize(lambda x: READ["weight"] * 2.0 * np.sum((x - 1.0) ** 2), np.zeros(3), jac=gradient)
    np.testing.assert_allclose(result.x, 1.0)
    for _ in range(20):
        gradient(np.zeros(3))
    assert len(function.runs) == 1


def test_products_at_one_point_linearise_once():
    table = np.random.default_rng(0).normal(size=(30, 2))
    product = autoopt.hvp(lambda x, table: np.sum(np.exp(table @ x)))
    product(X, P, table)
    evaluate = inspect.getclosurevars(product).nonlocals["evaluate"]
    compiled = inspect.getclosurevars(evaluate).nonlocals["compiled"]
    kept = compiled._free[-1].objective.dispatch.paths[0].compiled["hessp"].run
    for direction in np.eye(2):
        hessian = (table * np.exp(table @ X)[:, None]).T @ table
        np.testing.assert_allclose(product(X, direction, table), hessian @ direction)
    assert compiled._free[-1].objective.dispatch.paths[0].compiled["hessp"].run is kept


# Threads --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def often_switched():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def scalar_valued(x, table, k):
    return k * np.sum((table @ x) ** 2)


def array_valued(x, table, k):
    return k * (table @ x) ** 2


def curvature(table, k):
    return 2 * k * table.T @ table


SHARED = {
    "grad": (autoopt.grad(scalar_valued), (X,), lambda table, k: curvature(table, k) @ X),
    "hvp": (autoopt.hvp(scalar_valued), (X, P), lambda table, k: curvature(table, k) @ P),
    "hessian": (autoopt.hessian(scalar_valued), (X,), curvature),
    "jacobian": (autoopt.jacobian(array_valued), (X,), lambda table, k: 2 * k * (table @ X)[:, None] * table),
}
BOTH = autoopt.value_and_grad(scalar_valued)
SHARED["value_and_grad"] = (lambda *args: BOTH(*args)[0], (X,), lambda table, k: scalar_valued(X, table, k))


@pytest.mark.slow_for("hessian")
@pytest.mark.usefixtures("often_switched")
@pytest.mark.parametrize("name", SHARED)
@pytest.mark.sampled(2)
def test_threads_with_data_of_their_own_share_one_transform(name):
    shared, point, right = SHARED[name]
    wrong = []

    def work(number):
        rng = np.random.default_rng(number)
        for _ in range(100):
            table, k = rng.normal(size=(5, 2)), float(rng.normal())
            found = shared(*point, table, k)
            if not np.allclose(found, right(table, k), rtol=1e-9):
                wrong.append((number, found))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
