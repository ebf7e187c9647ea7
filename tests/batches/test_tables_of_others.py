"""Files as others write them: numbers of rows stored as a column, and parts without rows."""

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.errors import DataError, UsageError
from autoopt.tables.columnar import without_numbers

RANDOM = np.random.default_rng(3)
FRAME = pd.DataFrame({"a": RANDOM.normal(size=900), "b": RANDOM.normal(size=900), "y": RANDOM.normal(size=900)})
WRITERS = {
    "parquet": lambda frame, file: frame.to_parquet(file),
    "csv": lambda frame, file: frame.to_csv(file, index=False),
    "feather": lambda frame, file: frame.reset_index(drop=True).to_feather(file),
}


def squares(w, X, y):
    return np.sum((y - X @ w) ** 2)


def x0(X, y):
    return np.zeros(X.shape[1])


def of_batches(source):
    return autoopt.batches(source, {"X": ..., "y": "y"}, size=3000)


def read(how, source):
    """Return estimates by all columns but y, with how many rows there are."""
    data = of_batches(source) if how == "batches" else source
    found = autoopt.fit(squares, x0, data, kind="least squares", target=None if how == "batches" else "y")
    return found.names, found.params, found.nobs


@pytest.mark.parametrize("how", ["batches", "memory"])
@pytest.mark.parametrize("kind", ["file", "arrow", "polars"])
def test_numbers_of_rows_are_no_column(how, kind, tmp_path):
    pytest.importorskip("pyarrow")
    some = FRAME[FRAME.a > 0]  # whose numbers pandas stores
    some.to_parquet(tmp_path / "some.parquet")
    source = str(tmp_path / "some.parquet")
    if kind == "arrow":
        source = pytest.importorskip("pyarrow.parquet").read_table(source)
    elif kind == "polars":
        source = pytest.importorskip("polars").read_parquet(source)
    names, params, _ = read(how, source)
    assert names == ("a", "b")
    np.testing.assert_allclose(params, np.linalg.lstsq(some[["a", "b"]], some["y"], rcond=None)[0], rtol=1e-9)


def test_a_column_of_the_name_that_an_index_has_stays():
    assert without_numbers(["id", "index", "__index_level_10__", "__null_dask_index__"]) == ["id", "index"]


@pytest.mark.parametrize("how", ["batches", "memory"])
@pytest.mark.parametrize("kind", WRITERS)
def test_parts_without_rows_add_nothing(how, kind, tmp_path):
    pytest.importorskip("pyarrow")
    for number, part in enumerate((FRAME[:0], FRAME[:300], FRAME[:0], FRAME[300:])):
        WRITERS[kind](part, tmp_path / f"part-{number}.{kind}")
    _, params, rows = read(how, str(tmp_path / f"part-*.{kind}"))
    assert rows == 900
    np.testing.assert_allclose(params, np.linalg.lstsq(FRAME[["a", "b"]], FRAME["y"], rcond=None)[0], rtol=1e-9)


@pytest.mark.parametrize("how", ["batches", "memory"])
@pytest.mark.parametrize("kind", WRITERS)
def test_parts_of_which_none_has_rows_are_refused(how, kind, tmp_path):
    pytest.importorskip("pyarrow")
    for number in range(2):
        WRITERS[kind](FRAME[:0], tmp_path / f"part-{number}.{kind}")
    with pytest.raises(DataError, match="no rows"):
        read(how, str(tmp_path / f"part-*.{kind}"))


def test_a_missing_argument_is_named_by_what_the_objective_takes():
    data = autoopt.batches({"X": np.ones((9, 1)), "y": np.ones(9), "z": np.ones(9)})
    with pytest.raises(UsageError, match="The objective takes X, y, and") as raised:
        autoopt.minimize(squares, np.zeros(1), (data,))
    assert "data_" not in str(raised.value)
