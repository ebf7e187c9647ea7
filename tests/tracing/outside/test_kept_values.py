"""Values of a trace that outlive it: they say so when they are used, and never stand for a number."""

from __future__ import annotations

import collections
import copy
import math
import pathlib
import pickle

import numpy as np
import pytest

import autoopt
from autoopt.errors import KeptValueWarning, TracingError

X = np.array([0.5, 1.5, 2.5])
LATEST = None
HISTORY: list = []
STORE: dict = {}
DEQUE: collections.deque = collections.deque(maxlen=3)


def line_of(function, text):
    lines = pathlib.Path(__file__).read_text().splitlines()
    start = function.__code__.co_firstlineno
    return next(k for k in range(start, len(lines) + 1) if text in lines[k - 1])


class Model:
    """Keeps what it computes on itself."""

    def loss(self, x):
        self.scaled = 2.0 * x
        self.parts = {"list": [self.scaled[0], 1.0]}
        self.made = Made(x)
        self.calls = getattr(self, "calls", 0) + 1
        return np.sum(self.scaled**2)


class Made:
    def __init__(self, x):
        self.x = 3.0 * x


def in_global(x):
    global LATEST
    LATEST = np.exp(x)
    return np.sum(LATEST)


def in_list(x):
    HISTORY.append(x * 2.0)
    return np.sum(x**2)


def in_dict(x):
    STORE["x"] = x * 2.0
    return np.sum(x**2)


def in_deque(x):
    DEQUE.append(x * 2.0)
    return np.sum(x**2)


USES = {
    "adding": lambda kept: kept + 1.0,
    "adding to": lambda kept: 1.0 + kept,
    "adding an array": lambda kept: np.ones(3) + kept,
    "a function": np.sum,
    "a ufunc": np.exp,
    "reading": lambda kept: kept[0],
    "writing": lambda kept: kept.__setitem__(0, 1.0),
    "iterating": list,
    "method": lambda kept: kept.sum(),
    "to array": np.asarray,
    "to list": lambda kept: kept.tolist(),
    "number": lambda kept: float(kept[0]),
    "truth": lambda kept: bool((kept > 0).all()),
    "formatting": lambda kept: f"{kept:.3f}",
    "pickling": pickle.dumps,
    "copied and used": lambda kept: copy.deepcopy(kept) * 2,
    "stacked": lambda kept: np.array([kept, kept]),
    "reduced": np.add.reduce,
    "concatenated": lambda kept: np.concatenate((kept, kept)),
}


@pytest.mark.parametrize("use", USES)
def test_a_kept_value_says_so_at_every_use(use):
    model = Model()
    autoopt.grad(model.loss)(X)
    with pytest.raises(TracingError, match="that the objective kept while autoopt traced it") as caught:
        USES[use](model.scaled)
    assert caught.value.where[-1].line == line_of(Model.loss, "self.scaled = 2.0 * x")
    assert caught.value.where[-1].file == __file__


@pytest.mark.parametrize(
    "function, kept",
    [
        (in_global, lambda: LATEST),
        (in_list, lambda: HISTORY[-1]),
        (in_dict, lambda: STORE["x"]),
        (in_deque, lambda: DEQUE[-1]),
    ],
)
def test_wherever_it_is_kept(function, kept):
    autoopt.grad(function)(X)
    with pytest.raises(TracingError, match="later evaluations do not renew it") as caught:
        kept() * 2.0
    assert [place.line for place in caught.value.where] == [
        line_of(test_wherever_it_is_kept, "kept() * 2.0"),
        function.__code__.co_firstlineno + (2 if function is in_global else 1),
    ]
    np.testing.assert_allclose(autoopt.grad(function)(X), np.exp(X) if function is in_global else 2 * X)
    function(X)  # the function itself leaves numbers
    assert np.all(np.isfinite(kept() * 2.0))


def test_in_closures_generators_and_objects_made_on_the_way():
    outer, held = None, []

    def f(x):
        nonlocal outer
        outer = x**2
        held.append((x, [x]))
        return np.sum(outer)

    autoopt.grad(f)(X)
    for value in (outer, held[0][0], held[0][1][0]):
        with pytest.raises(TracingError, match="later evaluations do not renew it"):
            value + 1.0
    model = Model()
    autoopt.grad(model.loss)(X)
    assert type(model.made) is Made and model.calls == 1
    for value in (model.parts["list"][0], model.made.x):
        with pytest.raises(TracingError, match="later evaluations do not renew it"):
            value + 1.0


def test_it_is_shown_as_what_it_is():
    model = Model()
    autoopt.grad(model.loss)(X)
    assert "kept while autoopt traced it" in repr(model.scaled) and "test_kept_values.py:" in str(model.scaled)
    assert f"{model.parts}".count("<a value that the objective kept") == 1


class Remembering:
    """Computes anew only at another point, as many do whose value and gradient share work."""

    def __init__(self, same):
        self.same, self.x, self.value, self.valid = same, None, None, False

    def loss(self, x):
        if not (self.valid and self.same(x, self.x)):
            self.x, self.value, self.valid = x.copy(), np.sum(np.cosh(x)), True
        return self.value


SAMES = {
    "array_equal": np.array_equal,
    "allclose": np.allclose,
    "all": lambda a, b: np.all(a == b),
    "any": lambda a, b: not np.any(a != b),
    "any of the array": lambda a, b: not (a != b).any(),
}


@pytest.mark.parametrize("same", SAMES)
def test_what_an_objective_remembers_never_stands_for_a_derivative(same):
    """It was found again by the trace of the next derivative, which then was 0."""
    model = Remembering(SAMES[same])
    for _ in range(2):
        np.testing.assert_allclose(autoopt.grad(model.loss)(X), np.sinh(X))
        np.testing.assert_allclose(np.diag(autoopt.hessian(model.loss)(X)), np.cosh(X))
    if same != "any of the array":
        with pytest.warns(KeptValueWarning, match="taken to differ"):
            assert model.loss(X) == np.sum(np.cosh(X))
        assert model.loss(X) == np.sum(np.cosh(X)) and type(model.value) is np.float64
        np.testing.assert_allclose(autoopt.grad(model.loss)(X), np.sinh(X))  # what was kept are numbers of this point
    np.testing.assert_allclose(autoopt.minimize(model.loss, X).x, 0.0, atol=1e-5)
    assert type(model.value) is np.float64


def test_a_table_of_results_by_point():
    table = {}

    def f(x):
        key = tuple(np.round(np.asarray([0.0, 1.0]), 3))
        if key not in table:
            table[key] = np.sum(x**3)
        return table[key]

    for _ in range(2):
        np.testing.assert_allclose(autoopt.grad(f)(X), 3 * X**2)
    np.testing.assert_allclose(np.diag(autoopt.hessian(f)(X)), 6 * X)


def test_a_callback_does_not_see_stale_numbers():
    model, seen = Model(), []

    def callback(x):
        try:
            seen.append(model.scaled + 0.0)
        except TracingError as error:
            seen.append(error)

    result = autoopt.minimize(model.loss, X, callback=callback)
    assert seen and all(isinstance(what, TracingError) for what in seen)
    np.testing.assert_array_equal(model.scaled, 2.0 * result.x)


def test_a_history_holds_numbers_in_the_end():
    HISTORY.clear()
    autoopt.minimize(in_list, X)
    assert len(HISTORY) == 1 and type(HISTORY[0]) is np.ndarray
    HISTORY.clear()


def test_a_run_that_fails_leaves_nothing_of_its_own():
    class Failing:
        def __init__(self):
            self.kept = [1.0]

        def loss(self, x):
            self.x = x
            self.kept.append(x[0])
            return np.sum(x) + self.missing

    model = Failing()
    with pytest.raises(AttributeError):
        autoopt.grad(model.loss)(X)
    assert model.kept == [1.0, 0.5] and model.x is not None  # as the function itself leaves it
    np.testing.assert_array_equal(model.x, X)


def test_what_depends_on_data_alone_is_kept_as_numbers():
    class Caching:
        def __init__(self):
            self.gram = None

        def loss(self, w, A):
            if self.gram is None:
                self.gram = A.T @ A
            return w @ self.gram @ w

    model, A = Caching(), np.arange(6.0).reshape(2, 3)
    for _ in range(2):
        np.testing.assert_allclose(autoopt.grad(model.loss)(X, A), 2 * A.T @ A @ X)
        assert type(model.gram) is np.ndarray


def test_a_value_of_another_run_is_refused_with_both_places():
    box = type("Box", (), {"__slots__": ("x",)})()

    def first(x):
        box.x = x * 2.0
        return np.sum(x)

    def second(x):
        return np.sum(x * box.x)

    autoopt.grad(first)(X)
    with pytest.raises(TracingError, match="kept from an earlier call") as caught:
        autoopt.grad(second)(X)
    lines = [place.line for place in caught.value.where]
    assert lines == [second.__code__.co_firstlineno + 1, first.__code__.co_firstlineno + 1]


def helper(z):
    return np.full(2, 2.0) * z


def test_functions_classes_and_modules_that_are_kept_are_the_users_own():
    """Nothing that a trace sees in place of the user's own outlives it."""

    class Keeping:
        def loss(self, x):
            factor, data = 3.0, np.ones(2)
            self.functions = {"numpy": np.exp, "maker": np.zeros, "own": helper, "math": math.exp}
            self.method, self.module, self.kind, self.builtin = self.other, np, Made, float
            self.made = lambda z, scale=data: np.zeros(2) + np.array([z, float(z)]) * factor * data * scale
            self.of_parameters = lambda z: z * x
            return np.sum(x**2)

        def other(self):
            return np.zeros(2)

    model = Keeping()
    autoopt.grad(model.loss)(X)
    assert model.functions == {"numpy": np.exp, "maker": np.zeros, "own": helper, "math": math.exp}
    assert model.module is np and model.kind is Made and model.builtin is float
    assert model.method == model.other and type(model.method()) is np.ndarray
    made = model.made(2.0)
    assert type(made) is np.ndarray and made.tolist() == [6.0, 6.0]
    assert model.made.__globals__ is globals()
    with pytest.raises(TracingError, match="later evaluations do not renew it"):
        model.of_parameters(2.0)
