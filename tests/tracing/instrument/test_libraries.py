"""The table of libraries: which row counts, and that each library of tables has all that a trace asks of it."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import autoopt
from autoopt.origin import DATA_LIBRARIES
from autoopt.tracing.frames.labelled import Labelled
from autoopt.tracing.frames.library import DataLibrary, data_library
from autoopt.tracing.instrument import libraries
from autoopt.tracing.instrument.libraries import LIBRARIES, Library

X = np.array([0.5, 2.0])


@pytest.fixture
def rows(monkeypatch):
    """A table of three rows, whose columns say where they stand."""
    rows = {
        "a": Library(objects=lambda *_: "a", functions=lambda *_: "function of a"),
        "a.b": Library(objects=lambda *_: "a.b"),
        "a.b.c": Library(objects=lambda *_: NotImplemented),
    }
    monkeypatch.setattr(libraries, "LIBRARIES", rows)
    libraries._nearest.cache_clear()
    yield rows
    libraries._nearest.cache_clear()


@pytest.mark.parametrize(
    ("column", "module", "stand_in"),
    [
        ("objects", "a", "a"),
        ("objects", "a.other", "a"),
        ("objects", "a.b", "a.b"),
        ("objects", "a.b.inner.most", "a.b"),
        ("functions", "a.b.inner", "function of a"),
        ("objects", "a.b.c", NotImplemented),
        ("objects", "ab", NotImplemented),
        ("makers", "a", NotImplemented),
        ("objects", "", NotImplemented),
    ],
)
def test_the_nearest_row_that_fills_the_column_counts(rows, column, module, stand_in):
    assert libraries.stand_in(column, module, None, None) == stand_in


@pytest.mark.parametrize("name", LIBRARIES)
def test_each_row_says_something(name):
    assert any(part is not None for part in vars(LIBRARIES[name]).values())


@pytest.mark.parametrize("name", DATA_LIBRARIES)
def test_each_library_of_tables_has_a_row(name):
    row = data_library(name)
    assert isinstance(row, DataLibrary)
    assert issubclass(row.tables, Labelled)
    assert row.tables.wrap is not Labelled.wrap
    assert row.tables.call is not Labelled.call
    assert LIBRARIES[name].makers is not None
    assert LIBRARIES[name].objects is not None


@pytest.mark.parametrize("name", DATA_LIBRARIES)
def test_a_table_of_each_library_is_an_input_whose_change_is_seen(name):
    library = importlib.import_module(name)
    frame = library.DataFrame({"a": [1.0, 2.0, 4.0]})

    def f(x):
        return ((frame["a"] * x[0] - x[1]) ** 2).sum()

    objective = autoopt.objective(f, X)
    residuals = np.array([1.0, 2.0, 4.0]) * X[0] - X[1]
    np.testing.assert_allclose(objective.grad(X), [2 * residuals @ [1.0, 2.0, 4.0], -2 * residuals.sum()])
    frame = library.DataFrame({"a": [3.0]})
    np.testing.assert_allclose(objective.grad(X), [2 * (3 * X[0] - X[1]) * 3, -2 * (3 * X[0] - X[1])])
