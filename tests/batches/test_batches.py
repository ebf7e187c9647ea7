"""Every kind of source gives the same rows, in batches, again and again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.batches.recipes import READERS

ROWS = 1003
MATRIX = {"X": ["a", "b"], "y": "y", "g": "g"}
NAMES = ("X", "y", "g")


def table() -> pd.DataFrame:
    """Return columns of numbers, one of them whole, and one of text."""
    random = np.random.default_rng(0)
    a, b, y = random.normal(size=(3, ROWS))
    return pd.DataFrame({"a": a, "b": b, "y": y, "g": np.arange(ROWS) % 7, "name": "n"})


@pytest.fixture(scope="session")
def frame():
    return table()


@pytest.fixture(scope="session")
def arrays(frame):
    return {"X": np.ascontiguousarray(frame[["a", "b"]]), "y": frame["y"].to_numpy(), "g": frame["g"].to_numpy()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parquet(frame, arrays):
    pytest.importorskip("pyarrow")
    for number in range(3):
        part = frame.iloc[number * 400 : number * 400 + 400]
        part.to_parquet(f"part-{9 + number}.parquet", index=False, row_group_size=130)


def in_parquet(frame, arrays):
    parquet(frame, arrays)
    return autoopt.batches("part-*.parquet", MATRIX, size=4000)


def in_a_list(frame, arrays):
    parquet(frame, arrays)
    return autoopt.batches([f"part-{number}.parquet" for number in (9, 10, 11)], MATRIX, size=4000)


def in_a_folder(frame, arrays, kind="parquet"):
    pytest.importorskip("pyarrow")
    for number in range(2):
        Path(f"{kind}/g={number}").mkdir(parents=True)
    Path(f"{kind}/_SUCCESS").write_text("")
    half = ROWS // 2
    other = frame.assign(g=(np.arange(ROWS) >= half).astype(int))
    for number, part in enumerate((other.iloc[:half], other.iloc[half:])):
        getattr(part.drop(columns="g"), f"to_{kind}")(f"{kind}/g={number}/part.0.{kind}", index=False)
    arrays["g"] = other["g"].to_numpy()
    return autoopt.batches(kind, MATRIX, size=4000)


def in_a_folder_of_text(frame, arrays):
    return in_a_folder(frame, arrays, "csv")


def in_feather(frame, arrays):
    pytest.importorskip("pyarrow")
    frame.to_feather("d.feather")
    return autoopt.batches("d.feather", MATRIX, size=4000)


def in_csv(frame, arrays):
    frame.to_csv("d.csv", index=False)
    return autoopt.batches("d.csv", MATRIX, size=4000)


def in_parts_of_csv(frame, arrays):
    for number in range(3):
        frame.iloc[number * 400 : number * 400 + 400].to_csv(f"d{number}.csv.gz", index=False)
    return autoopt.batches("d*.csv.gz", MATRIX, size=4000)


def with_decimal_commas(frame, arrays):
    frame.to_csv("d.csv", index=False, sep=";", decimal=",")
    return autoopt.batches("d.csv", MATRIX, size=4000, reading={"delimiter": ";", "decimal": ","})


def in_npz(frame, arrays):
    np.savez("d.npz", **arrays)
    return autoopt.batches("d.npz", size=4000)


def in_zarr(frame, arrays):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group("d.zarr", mode="w")
    for name, array in arrays.items():
        group.create_array(f"inner/{name}", data=array, chunks=(100, *array.shape[1:]))
    return autoopt.batches("d.zarr", {name: name for name in NAMES}, key="inner", size=4000)


def of_zarr(frame, arrays):
    in_zarr(frame, arrays)
    return autoopt.batches(pytest.importorskip("zarr").open_group("d.zarr")["inner"], NAMES, size=4000)


def in_hdf5(frame, arrays):
    h5py = pytest.importorskip("h5py")
    with h5py.File("d.h5", "w") as file:
        for name, array in arrays.items():
            file[f"inner/{name}"] = array
    return autoopt.batches("d.h5", NAMES, key="inner", size=4000)


def of_hdf5(frame, arrays):
    in_hdf5(frame, arrays)
    return autoopt.batches(pytest.importorskip("h5py").File("d.h5")["inner"], NAMES, size=4000)


def of_memory_maps(frame, arrays):
    for name, array in arrays.items():
        np.save(name, np.asfortranarray(array))
    return autoopt.batches({name: np.load(f"{name}.npy", mmap_mode="r") for name in arrays}, size=4000)


def of_a_tuple(frame, arrays):
    return autoopt.batches(tuple(arrays.values()), NAMES, size=4000)


def of_pandas(frame, arrays):
    return autoopt.batches(frame, MATRIX, size=4000)


def of_pandas_that_knows_missing_values(frame, arrays):
    return autoopt.batches(frame.convert_dtypes(), MATRIX, size=4000)


def of_polars(frame, arrays):
    polars = pytest.importorskip("polars")
    return autoopt.batches(polars.DataFrame({name: frame[name].to_list() for name in frame}), MATRIX, size=4000)


def of_a_lazy_frame(frame, arrays):
    polars = pytest.importorskip("polars")
    parquet(frame, arrays)
    files = [f"part-{number}.parquet" for number in (9, 10, 11)]
    return autoopt.batches(polars.scan_parquet(files).with_columns(b=polars.col("b") * 1), MATRIX, size=4000)


def of_a_table(frame, arrays):
    pyarrow = pytest.importorskip("pyarrow")
    return autoopt.batches(pyarrow.Table.from_pandas(frame), MATRIX, size=4000)


def of_a_data_set(frame, arrays):
    dataset = pytest.importorskip("pyarrow.dataset")
    parquet(frame, arrays)
    return autoopt.batches(dataset.dataset([f"part-{number}.parquet" for number in (9, 10, 11)]), MATRIX, size=4000)


def of_a_filtered_data_set(frame, arrays):
    dataset = pytest.importorskip("pyarrow.dataset")
    longer = pd.concat([frame, frame.assign(g=-1)])
    longer.to_parquet("longer.parquet", index=False)
    return autoopt.batches(dataset.dataset("longer.parquet").filter(dataset.field("g") >= 0), MATRIX, size=4000)


def of_frames(frame, arrays):
    return autoopt.batches(lambda: (frame.iloc[begin : begin + 90] for begin in range(0, ROWS, 90)), MATRIX, size=4000)


def of_tuples(frame, arrays):
    X, y, g = arrays.values()
    made = [(X[begin : begin + 300], y[begin : begin + 300], g[begin : begin + 300]) for begin in range(0, ROWS, 300)]
    return autoopt.batches(lambda: iter(made), NAMES, size=4000)


def of_batches_of_arrow(frame, arrays):
    pyarrow = pytest.importorskip("pyarrow")
    return autoopt.batches(pyarrow.Table.from_pandas(frame).to_batches(max_chunksize=100), MATRIX, size=4000)


IN_PIECES = (
    *(in_parquet, in_a_list, in_a_folder, in_a_folder_of_text, in_feather, in_csv, in_parts_of_csv),
    *(
        with_decimal_commas,
        in_npz,
        in_zarr,
        of_zarr,
        in_hdf5,
        of_hdf5,
        of_memory_maps,
        of_a_tuple,
        of_pandas,
        of_pandas_that_knows_missing_values,
    ),
    *(of_polars, of_a_lazy_frame, of_a_table, of_a_data_set),
)
MADE_HERE = (of_a_filtered_data_set, of_frames, of_tuples, of_batches_of_arrow)
SOURCES = IN_PIECES + MADE_HERE


@pytest.fixture(params=SOURCES, ids=lambda make: make.__name__)
def source(request, frame, arrays, folder):
    """Return the batches of each kind of source, and the arrays that they must have."""
    wanted = dict(arrays)
    return request.param(frame, wanted), wanted


def assert_equal(one, other):
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
        assert one[name].dtype == other[name].dtype and one[name].flags.c_contiguous


@pytest.mark.whole
def test_all_rows_come_in_order_in_each_pass(source):
    data, wanted = source
    for number in (1, 2):
        batches = list(data)
        assert len(batches) > 3 and max(len(batch["y"]) for batch in batches) <= 300
        assert_equal({name: np.concatenate([batch[name] for batch in batches]) for name in NAMES}, wanted)
        assert data.passes >= number
    assert data.rows == ROWS
    assert all(array.dtype.kind in "fi" and array.flags.c_contiguous for array in batches[0].values())


def test_the_first_rows_are_read_without_the_others(source):
    data, wanted = source
    assert_equal(data.head(7), {name: array[:7] for name, array in wanted.items()})
    assert len(data.head(10_000)["y"]) == ROWS
    assert data.dtypes == {"X": np.float64, "y": np.float64, "g": np.int64}


def test_a_sample_is_of_rows_from_all_over_and_the_same_for_a_seed(source):
    data, wanted = source
    some = data.sample(40, seed=3)
    places = [int(np.flatnonzero(wanted["y"] == y)[0]) for y in some["y"]]
    assert places == sorted(set(places)) and len(places) == 40 and places[0] < 200 and places[-1] > 800
    assert_equal(some, {name: array[places] for name, array in wanted.items()})
    assert_equal(data.sample(40, seed=3), some)
    assert not np.array_equal(data.sample(40, seed=4)["y"], some["y"])
    assert_equal(data.sample(2000, seed=0), wanted)


@pytest.mark.whole
def test_every_reader_is_tested(frame, arrays, folder):
    kinds = {part.recipe["kind"] for make in SOURCES for part in make(frame, dict(arrays))._reading.stream.parts}
    assert kinds == set(READERS)


def test_without_arguments_each_column_is_one(frame):
    batch = next(iter(autoopt.batches(frame.drop(columns="name"))))
    assert list(batch) == ["a", "b", "y", "g"] and batch["a"].shape == (ROWS,)


def test_the_rest_of_the_columns_is_what_no_other_argument_takes_and_no_text(frame):
    data = autoopt.batches(frame, {"X": ..., "y": "y"})
    assert data.layout.arguments["X"] == ("a", "b", "g")
    assert data.head(3)["X"].tolist() == frame[["a", "b", "g"]].iloc[:3].to_numpy().tolist()


def test_other_arguments_are_made_of_the_same_columns(frame):
    data = autoopt.batches(frame, MATRIX, size=4000)
    other = data.arranged({"Z": ["b", "g"], "response": "g"}, floats=["response"])
    batch = other.head(2)
    assert list(batch) == ["Z", "response"] and batch["response"].dtype == float
    assert other.rows == ROWS and data.names == ["X", "y", "g"] and other.columns == list(frame)


def test_progress_is_told_in_rows(frame):
    told = []
    list(autoopt.batches(frame, MATRIX, size=32 * 500, progress=lambda *rows: told.append(rows)))
    assert told == [(500, ROWS), (1000, ROWS), (1003, ROWS)]


def test_a_batch_is_a_multiple_of_what_is_stored_together(arrays, folder):
    batches = list(in_zarr(None, arrays))
    assert [len(batch["y"]) for batch in batches] == [100] * 10 + [3]


def test_arrays_in_memory_are_not_copied(arrays):
    batch = next(iter(autoopt.batches(arrays, size=4000)))
    assert all(np.shares_memory(batch[name], arrays[name]) for name in NAMES)


def test_rows_that_lack_a_value_are_left_out_on_request(frame, folder):
    holes = frame.convert_dtypes()
    holes.loc[[5, 600], "g"] = None
    holes.loc[7, "y"] = np.inf
    kept = holes.drop(index=[5, 7, 600])
    for data in (holes, "d.parquet", "d.csv"):
        if isinstance(data, str):
            getattr(holes, "to_" + data[2:])(data, index=False)
        found = autoopt.batches(data, MATRIX, size=4000, missing="drop")
        assert found.rows == ROWS - 3 and found.dropped == 3
        whole = found.whole()
        np.testing.assert_allclose(whole["X"], kept[["a", "b"]].to_numpy(float), rtol=1e-14)
        assert whole["g"].tolist() == kept["g"].tolist()
        assert len(found.sample(20, 0)["y"]) == 20


def test_whole_numbers_and_others_in_two_files_of_text_are_floats(folder):
    (folder / "p1.csv").write_text("a,y\n1,2\n3,4\n")
    (folder / "p2.csv").write_text("a,y\n1,2.5\n3,4\n")
    data = autoopt.batches("p*.csv")
    assert data.dtypes == {"a": np.int64, "y": np.float64} and data.rows == 4


def test_an_iterator_is_enough_for_one_pass(arrays):
    data = autoopt.batches(iter([arrays, arrays]), once=True)
    assert sum(len(batch["y"]) for batch in data) == 2 * ROWS
    with pytest.raises(autoopt.AutooptError, match="has been gone through"):
        list(data)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_of_a_million_rows(kind, folder):
    pytest.importorskip("pyarrow")
    random = np.random.default_rng(1)
    frame = pd.DataFrame({name: random.normal(size=10**6) for name in "abcde"} | {"y": random.integers(0, 9, 10**6)})
    getattr(frame, "to_" + kind)(f"d.{kind}", index=False)
    data = autoopt.batches(f"d.{kind}", {"X": ..., "y": "y"})
    total, squares, most = 0, 0.0, 0
    for batch in data:
        total, squares = total + int(batch["y"].sum()), squares + (batch["X"] ** 2).sum(axis=0)
        most = max(most, len(batch["y"]))
    assert total == frame["y"].sum() and data.rows == 10**6 and most < 350_000
    np.testing.assert_allclose(squares, (frame[list("abcde")] ** 2).sum(), rtol=1e-12)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_columns_that_folders_tell_can_be_all_that_is_used(kind, frame, arrays, folder):
    wanted = dict(arrays)
    data = in_a_folder(frame, wanted, kind).arranged({"g": "g"})
    assert_equal(data.whole(), {"g": wanted["g"]})


def test_a_sample_of_many_small_files_has_as_many_rows(folder):
    pytest.importorskip("pyarrow")
    for number in range(40):
        pd.DataFrame({"y": np.arange(25.0) + 25 * number}).to_parquet(f"{number}.parquet")
    assert len(autoopt.batches("*.parquet", {"y": "y"}).sample(600, 0)["y"]) == 600
