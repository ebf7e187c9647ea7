"""What is another value at each call, by itself, is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autoopt
from autoopt.errors import TracingError

X = np.array([1.5, 0.5])
SLOPE = np.array([2 * X[0] + X[1], X[0]])
FORMS = {"objective": lambda f: autoopt.objective(f, X).value_and_grad, "functional": autoopt.value_and_grad}


def quadratic(k, x):
    return k * (x[0] ** 2 + x[0] * x[1])


class Counting:
    __slots__ = ("calls",)

    def __init__(self):
        self.calls = 0

    def loss(self, x):
        self.calls += 1
        return self.calls * x[0] ** 2


def by_a_counter():
    held = {"n": 0}

    def function(x):
        held["n"] += 1
        return held["n"] * x[0] ** 2

    return function


def by_a_list():
    held = [5.0, 4.0, 3.0, 2.0, 1.0]
    return lambda x: held.pop() * x[0] ** 2


def by_an_iterator():
    numbers = itertools.count(1)
    return lambda x: next(numbers) * x[0] ** 2


def by_a_generator():
    numbers = (k for k in range(1, 100))
    return lambda x: next(numbers) * x[0] ** 2


def by_an_iterator_of_a_list():
    numbers = iter(range(1, 100))

    def function(x):
        for k in numbers:
            return k * x[0] ** 2
        return 0.0

    return function


CHANGING = (by_a_counter, by_a_list, by_an_iterator, by_a_generator, by_an_iterator_of_a_list, lambda: Counting().loss)


@pytest.mark.parametrize("make", CHANGING)
@pytest.mark.parametrize("form", ["objective", "functional"])
def test_another_value_at_each_call_is_refused(make, form):
    with pytest.raises(TracingError, match="another value each time that it is called at one point") as caught:
        FORMS[form](make())(X)
    assert caught.value.where[0].file == __file__ and "on its arguments only" in caught.value.remedy


def test_an_iterator_that_decides_nothing_may_be_advanced():
    numbers = itertools.count()

    def function(x):
        next(numbers)
        return quadratic(2.0, x)

    value, slope = autoopt.objective(function, X).value_and_grad(X)
    assert value == pytest.approx(quadratic(2.0, X))
    np.testing.assert_allclose(slope, 2.0 * SLOPE)


def test_what_has_run_out_counts_as_it_does_in_a_plain_call():
    pairs = zip([1.0, 2.0], [3.0, 4.0], strict=True)
    objective = autoopt.objective(lambda x: sum(a * b for a, b in pairs) * x[0] ** 2 + x[0], X)
    assert objective.value_and_grad(X)[0] == X[0]
