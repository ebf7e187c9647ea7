"""Data made up for a module's test of itself: of the kind, shape and range of the original, where need be as many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import autoopt
from autoopt.exporting.examples import COUNTED, NEAR, PLAIN, data_text

RNG = np.random.default_rng(5)
EVENTS = RNG.permutation(30) < 18
COUNTS = np.where(RNG.permutation(30) < 11, 0, RNG.integers(1, 40, size=30))
LABELS = np.array(["north", "south", "south", "east"] * 5)
WEIGHTS = np.abs(np.cov(RNG.normal(size=(4, 20)))) * (1 - np.eye(4))
FRAME = pd.DataFrame(
    {
        "y": RNG.poisson(3.0, 20),
        "urban": RNG.random(20) < 0.5,
        "region": LABELS,
        "sector": pd.Categorical(["b", "a"] * 10),
        "day": pd.date_range("2020-01-05", periods=20),
        "age": RNG.normal(40.0, 5.0, 20),
    }
)


def made(value, closeness=PLAIN, lengths=None):
    """Return data like `value`."""
    scope = {"np": np, "pd": pd, "scipy": scipy, "rng": np.random.default_rng(0)}
    return eval(data_text(value, lengths or {}, closeness), scope)


@pytest.mark.parametrize("closeness", [PLAIN, COUNTED, NEAR])
@pytest.mark.parametrize(
    "value",
    [
        EVENTS,
        COUNTS,
        np.full(3, 2.0),
        COUNTS.astype(float),
        LABELS,
        WEIGHTS,
        RNG.normal(size=(5, 2)),
        np.sort(RNG.normal(size=40)),
    ]
    + [
        RNG.normal(size=6) + 1j * RNG.uniform(size=6),
        np.array([[0, 1], [1, 0]]),
        EVENTS.reshape(6, 5),
        np.full(3, 2.0),
    ],
    ids=lambda value: f"{value.dtype}{value.shape}",
)
def test_arrays_keep_kind_shape_and_range(value, closeness):
    found = made(value, closeness)
    assert found.shape == value.shape and found.dtype.kind == value.dtype.kind
    if value.dtype.kind in "bi" or np.array_equal(value, np.round(value.real) if value.dtype.kind == "f" else None):
        assert found.min() >= value.min() and found.max() <= value.max()
    if value.dtype.kind == "U":
        assert set(found) <= set(value)


@pytest.mark.parametrize("shift", [0.0, -0.5])
def test_columns_of_other_units_keep_them(shift):
    value = (RNG.exponential(size=(200, 3)) + shift) * [1.0, 1e4, 1e-5]
    found = made(value, lengths={200: 60})
    assert np.all(found > 0) == (shift == 0)
    np.testing.assert_allclose(np.abs(found).mean(axis=0) / np.abs(value).mean(axis=0), 1.0, atol=0.6)


def test_masks_and_zeros_are_as_many_where_that_counts():
    assert made(EVENTS, COUNTED).sum() == EVENTS.sum() and made(EVENTS, PLAIN).sum() != EVENTS.sum()
    assert (made(COUNTS, COUNTED) == 0).sum() == (COUNTS == 0).sum()
    assert sorted(made(LABELS, COUNTED)) == sorted(LABELS)
    assert made(EVENTS, COUNTED, {30: 60}).sum() == 2 * EVENTS.sum(), "in proportion, of more rows"
    assert np.all(np.diag(made(WEIGHTS)) == 0) and np.all(made(WEIGHTS) >= 0)


def test_tables_keep_the_kinds_of_their_columns():
    for closeness in (PLAIN, COUNTED, NEAR):
        found = made(FRAME, closeness)
        assert list(found.columns) == list(FRAME.columns) and len(found) == len(FRAME)
        assert [kind.kind for kind in found.dtypes] == [kind.kind for kind in FRAME.dtypes]
        assert list(found["sector"].cat.categories) == ["a", "b"]


@pytest.mark.parametrize("value", [[("a", "b"), ("b", "c")], {("a", 1): [2, 3]}, [[0, 1], [2]], ["sq", "exp"], [1, 2]])
def test_what_says_which_way_to_go_is_as_it_was(value):
    assert made(value) == value


def test_lists_of_numbers_are_drawn_and_near_only_if_need_be():
    value = [0.5, 1.5, 2.5]
    assert made(value) != value and isinstance(made(value), list) and made(value, NEAR) == value
    assert data_text([object()], {}) is None and data_text({1: object()}, {}) is None


def test_a_module_whose_lengths_the_data_decide_tests_itself():
    def misfit(p, t, event, observed):
        return np.sum((np.exp(p[0] + p[1] * t)[event] - observed) ** 2)

    text = autoopt.source(misfit, np.array([0.1, 0.2]), (RNG.uniform(0.0, 2.0, 30), EVENTS, RNG.uniform(1.0, 2.0, 18)))
    scope = {"__name__": "__main__"}
    exec(text, scope)
    _, data = scope["example"]()
    assert data[1].sum() == len(data[2]) == 18
