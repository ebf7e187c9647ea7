"""Fits of collections of Dask: frames, series and arrays of unknown lengths, as those of the data in memory."""

import numpy as np
import pytest

import autoopt
from autoopt.clusters import parse, spread
from autoopt.errors import DataError, ModelError, UsageError

dataframe = pytest.importorskip("dask.dataframe")
pandas = pytest.importorskip("pandas")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
KIND = "negative log-likelihood"


def by_column(b, age, dose, y):
    z = b[0] + b[1] * age + b[2] * dose
    return np.sum(np.logaddexp(0.0, z) - y * z)


def by_matrix(b, X, y):
    z = X @ b
    return np.sum(np.logaddexp(0.0, z)) - y @ z


def table(rows=6000):
    rng = np.random.default_rng(3)
    age, dose = rng.normal(size=(2, rows))
    y = rng.random(rows) < 1 / (1 + np.exp(-0.5 - age + dose))
    region = np.array(["north", "south"])[rng.integers(2, size=rows)]
    return pandas.DataFrame({"age": age, "region": region, "dose": dose, "y": y})


@pytest.fixture(scope="module")
def executor():
    with parse("dask:2") as opened:
        yield opened


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    """Return a frame of small files, of which several are read at once."""
    folder = tmp_path_factory.mktemp("parts")
    for number, part in enumerate(np.array_split(np.arange(6000), 8)):
        table().iloc[part].to_parquet(folder / f"part-{number}.parquet")
    return dataframe.read_parquet(str(folder / "part-*.parquet"))


def expected(objective, x0):
    rows = table()
    y = rows["y"].to_numpy(float)
    data = (rows[["age", "dose"]].to_numpy(), y) if objective is by_matrix else (rows["age"], rows["dose"], y)
    return autoopt.fit(objective, x0, tuple(map(np.asarray, data)), kind=KIND)


def arrays(frame):
    return tuple(frame[name].to_dask_array() for name in ("age", "dose", "y"))


BY_COLUMN = {
    "frame": lambda frame: frame,
    "dict of series": lambda frame: {name: frame[name] for name in ("age", "dose", "y", "region")},
    "tuple of series": lambda frame: tuple(frame[name] for name in ("age", "dose", "y")),
    "arrays of unknown lengths": lambda frame: dict(zip(("age", "dose", "y"), arrays(frame), strict=True)),
}


@pytest.mark.parametrize("kind", BY_COLUMN)
def test_columns_of_dask_are_fitted_where_they_are(executor, frame, kind):
    found = autoopt.fit(by_column, np.zeros(3), BY_COLUMN[kind](frame), kind=KIND, cluster=executor)
    known = expected(by_column, np.zeros(3))
    np.testing.assert_allclose(found.params, known.params, rtol=1e-8)
    np.testing.assert_allclose(found.bse, known.bse, rtol=1e-7)
    assert found.nobs == 6000 and "Of 6000 rows, held by workers," in " ".join(found.notes)


def test_a_matrix_of_a_frame_has_the_numeric_columns_and_names_the_parameters(executor, frame):
    found = autoopt.fit(by_matrix, np.zeros(2), frame, target="y", kind=KIND, cluster=executor)
    np.testing.assert_allclose(found.params, expected(by_matrix, np.zeros(2)).params, rtol=1e-8)
    assert list(found.names) == ["age", "dose"]


def test_frames_are_minimised_and_spread(executor, frame):
    data = frame[["age", "dose"]], frame["y"]
    found = autoopt.minimize(by_matrix, np.zeros(2), args=data, cluster=executor)
    with spread(frame, executor, {"X": ["age", "dose"], "y": "y"}) as held:
        other = autoopt.fit(by_matrix, np.zeros(2), held, kind=KIND)
        assert held.columns == ["age", "dose", "y"]
    np.testing.assert_allclose(found.x, other.params, rtol=1e-8)


def test_rows_that_lack_a_value_are_refused_by_column_or_left_out(executor, frame):
    gaps = frame.assign(dose=frame["dose"].where(frame["dose"] < 1.0))
    lacking = int((table()["dose"] >= 1.0).sum())
    with pytest.raises(DataError, match=f"are missing or infinite: dose in {lacking} rows"):
        autoopt.fit(by_column, np.zeros(3), gaps, kind=KIND, cluster=executor)
    found = autoopt.fit(by_column, np.zeros(3), gaps, kind=KIND, missing="drop", cluster=executor)
    assert found.nobs == 6000 - lacking


def test_what_is_no_number_or_no_column_is_told(executor, frame):
    def of_region(b, region, y):
        return np.sum((region - b) ** 2 - y)

    with pytest.raises(DataError, match="region of the data frame holds no numbers"):
        autoopt.fit(of_region, 0.0, frame, cluster=executor)
    with pytest.raises(DataError, match="The data frame has no column z"):
        autoopt.fit(by_matrix, np.zeros(2), frame, target="z", cluster=executor)
    with pytest.raises(UsageError, match="needs a table, and the data are arrays by name"):
        autoopt.fit(by_column, np.zeros(3), BY_COLUMN["dict of series"](frame), target="y", cluster=executor)
    with pytest.raises(ModelError, match="takes dose, and the cluster has age, y"):
        autoopt.fit(by_column, np.zeros(3), {"age": frame["age"], "y": frame["y"]}, cluster=executor)
    with pytest.raises(UsageError, match="and weights needs them in memory") as told:
        autoopt.fit(by_column, np.zeros(3), frame, kind=KIND, weights=np.ones(6000), cluster=executor)
    assert ".compute()" in told.value.remedy


def test_rows_that_are_spread_need_no_cluster_besides(executor, frame):
    with spread(frame[["age", "dose", "y"]], executor) as held:
        for call in (
            lambda: autoopt.fit(by_column, np.zeros(3), held, kind=KIND, cluster=executor),
            lambda: autoopt.minimize(by_column, np.zeros(3), args=(held,), cluster=executor),
        ):
            with pytest.raises(UsageError, match="on a cluster already"):
                call()


WITHOUT = {
    "minimize": lambda frame: autoopt.minimize(by_column, np.zeros(3), args=arrays(frame)),
    "minimize frames": lambda frame: autoopt.minimize(by_matrix, np.zeros(2), (frame[["age", "dose"]], frame["y"])),
    "fit": lambda frame: autoopt.fit(by_column, np.zeros(3), frame),
    "fit arrays": lambda frame: autoopt.fit(by_column, np.zeros(3), arrays(frame)),
    "objective": lambda frame: autoopt.objective(by_column, np.zeros(3), *arrays(frame)),
    "check": lambda frame: autoopt.check(by_column, np.zeros(3), arrays(frame)),
    "batches": lambda frame: autoopt.batches(frame),
}


@pytest.mark.parametrize("kind", WITHOUT)
def test_collections_without_a_cluster_are_refused_with_how_to_give_one(frame, kind):
    with pytest.raises(UsageError, match="not in memory, but on a cluster of Dask") as told:
        WITHOUT[kind](frame)
    assert "cluster=" in told.value.remedy or "autoopt.clusters.spread" in told.value.remedy


def test_processes_of_this_machine_do_not_compute_collections(frame):
    with pytest.raises(UsageError, match="computed where Dask has its workers"):
        autoopt.fit(by_column, np.zeros(3), frame, cluster="local:2")
