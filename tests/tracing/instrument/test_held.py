"""Objects of the users own kinds of container and number, with methods: against the plain function."""

from __future__ import annotations

import types
from collections import deque

import held_containers  # noqa: F401  (fills the table)
import numpy as np
import pytest
from held_containers import NPF
from held_objects import DQ, Named, case
from plainly import check

import autoopt
from autoopt.errors import TracingError

npf = NPF(1.5)


@pytest.mark.parametrize("f", case, ids=lambda f: f.__name__)
def test_objects_that_are_containers_or_numbers_too(f) -> None:
    check(f)


class Log(deque):
    def keep(self, value):
        self.append(value)
        return self


def test_what_changes_in_such_an_object_is_seen_and_what_a_run_leaves_is_handed_back() -> None:
    named, queue = Named(a=1.0, b=2.0), DQ([1.0, 2.0], maxlen=2)

    def f(x):
        return x[0] * named.total() + x[1] * queue.total()

    objective = autoopt.objective(f, [1.0, 0.5])
    assert objective.value([1.0, 0.5]) == 4.5
    named["a"] = 5.0
    queue.append(9.0)
    assert objective.value([1.0, 0.5]) == 12.5
    np.testing.assert_array_equal(objective.grad([1.0, 0.5]), [7.0, 11.0])


def test_such_an_object_keeps_its_order_and_what_was_put_into_it() -> None:
    named = Named(a=1.0, b=2.0)

    def f(x):
        named.pop("a")
        named["a"] = 3.0
        return x[0] * named.total()

    autoopt.grad(f)(np.array([1.0]))
    assert list(named.items()) == [("b", 2.0), ("a", 3.0)] and list(reversed(named)) == ["a", "b"]


def test_a_value_of_the_parameters_that_it_keeps_says_so() -> None:
    log = Log()

    def f(x):
        return log.keep(x[0] ** 2)[-1] + x[1]

    objective = autoopt.objective(f, [1.0, 0.5])
    np.testing.assert_array_equal(objective.grad([1.0, 0.5]), [2.0, 1.0])
    np.testing.assert_array_equal(objective.grad([2.0, 0.5]), [4.0, 1.0])
    assert len(log) == 1
    with pytest.raises(TracingError, match="kept while autoopt traced it"):
        float(log[0])


class Notes(types.SimpleNamespace):
    def total(self):
        return self.a + 1.0


def test_an_object_that_cannot_be_made_anew_is_refused() -> None:
    notes = Notes(a=1.0)
    with pytest.raises(TracingError, match="the class Notes, whose methods are not followed") as caught:
        autoopt.grad(lambda x: x[0] * notes.total())(np.array([1.0]))
    assert caught.value.where and "attribute of a plain class" in caught.value.remedy
