"""Rows that workers hold as an objective reads them: of arrays, files, batches and collections; samples; who closes."""

from types import SimpleNamespace

import numpy as np
import pytest
from cluster_programs import LOGISTIC, SCORES, VALUE_AND_GRAD, data

import autoopt
from autoopt.clusters import spread
from autoopt.clusters.processes import Processes
from autoopt.errors import DataError, UsageError

W = np.linspace(-1.0, 1.0, 3)


@pytest.fixture(scope="module")
def executor():
    with Processes(2) as opened:
        yield opened


def asked(row_pass, **known):
    """Return what a streamed objective asks for."""
    return SimpleNamespace(stream=SimpleNamespace(plan=SimpleNamespace(text=LOGISTIC, axes={"X": 0, "y": 0})),
                           row_pass=row_pass, known=known)  # fmt: skip


def table_of(rows):
    """Return a frame of pandas with the columns a, b, c, and y."""
    import pandas

    return pandas.DataFrame(rows["X"], columns=list("abc")).assign(y=rows["y"])


@pytest.mark.parametrize("kind", ["arrays", "batches", "parquet", "frame"])
def test_all_kinds_of_data_give_the_same_sums(executor, kind, tmp_path):
    rows, arguments = data(70_000, 3), {"X": list("abc"), "y": "y"}
    if kind == "parquet":
        pytest.importorskip("pyarrow")
        for number in range(3):
            table_of({name: array[number * 20_000 : (number * 20_000 + 20_000 if number < 2 else None)]
                      for name, array in rows.items()}).to_parquet(tmp_path / f"part-{number}.parquet")  # fmt: skip
    held = {
        "arrays": lambda: spread(rows, executor),
        "batches": lambda: spread(autoopt.batches(rows), executor),
        "parquet": lambda: spread(str(tmp_path / "part-*.parquet"), executor, arguments),
        "frame": lambda: spread(table_of(rows), executor, arguments),
    }[kind]()
    assert held.rows == 70_000 and held.names == ("X", "y") and len(held.table.chunks) > 2
    sums, scores = held.passed([asked(VALUE_AND_GRAD, w=W), asked(SCORES, w=W, other=1)])
    z = rows["X"] @ W
    assert sums["value"] == pytest.approx(np.logaddexp(0.0, z).sum() - rows["y"] @ z, rel=1e-12)
    expected = (1.0 / (1.0 + np.exp(-z)) - rows["y"])[:, None] * rows["X"]
    np.testing.assert_allclose(scores["scores"], expected, rtol=1e-12)
    assert held.passes == 2


@pytest.mark.parametrize("here", [True, False])
def test_sample_has_whole_rows_from_all_over_the_data(executor, here):
    rows = {"X": np.arange(300_000.0).reshape(-1, 3), "y": np.arange(100_000) * 3.0}
    held = spread(rows, executor)
    if not here:
        held._local = None  # as of a collection of Dask
    some = held.sample(2000, 0)
    np.testing.assert_array_equal(some["X"][:, 0], some["y"])
    assert 1500 < len(some["y"]) < 2500 and np.all(np.diff(some["y"]) > 0)
    assert min(some["y"]) < 30_000 and max(some["y"]) > 270_000
    np.testing.assert_array_equal(held.sample(2000, 0)["y"], some["y"])
    np.testing.assert_array_equal(held.sample(100_000, 0)["y"], rows["y"])


def test_an_executor_that_was_made_for_the_data_is_closed_with_them(executor):
    rows = data(100, 3)
    with spread(rows, "local:1") as held:
        held.passed([asked(VALUE_AND_GRAD, w=W)])
        made = held.executor
        assert made._processes
    assert not made._processes
    with spread(rows, executor) as held:
        held.passed([asked(VALUE_AND_GRAD, w=W)])
    assert executor._processes
    assert repr(held) == "<autoopt.clusters.Spread: 100 rows, X, y>"


def test_what_workers_cannot_read_is_refused(executor):
    with pytest.raises(UsageError, match="makes its rows here"):
        spread(autoopt.batches(lambda: iter([data(10, 3)])), executor)
    with pytest.raises(DataError, match="has no column d"):
        spread(table_of(data(10, 3)), executor, {"X": ["a", "d"], "y": "y"})


@pytest.mark.slow
def test_frames_of_dask_are_named_by_their_columns():
    dataframe = pytest.importorskip("dask.dataframe")
    rows = data(5000, 3)
    frame = dataframe.from_pandas(table_of(rows), npartitions=3)
    with spread(frame, "dask:2", {"X": list("abc"), "y": "y"}) as held:
        assert held.rows == 5000 and held.name == "the cluster"
        some = held.sample(5000, 0)
        np.testing.assert_array_equal(some["X"], rows["X"])
        (sums,) = held.passed([asked(VALUE_AND_GRAD, w=W)])
        np.testing.assert_allclose(sums["gradient"].shape, (3,))
