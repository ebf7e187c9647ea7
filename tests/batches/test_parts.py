"""Parts are read by themselves: in another process, with autoopt or with the text of one file."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest
from test_batches import IN_PIECES, MADE_HERE, MATRIX, NAMES, ROWS, assert_equal, table

import autoopt
from autoopt.batches import recipes
from autoopt.errors import DataError, UsageError


@pytest.fixture(scope="module")
def frame():
    return table()


@pytest.fixture
def arrays(frame, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return {"X": np.ascontiguousarray(frame[["a", "b"]]), "y": frame["y"].to_numpy(), "g": frame["g"].to_numpy()}


@pytest.mark.whole
@pytest.mark.parametrize("make", IN_PIECES, ids=lambda make: make.__name__)
def test_parts_have_all_rows_in_order(make, frame, arrays):
    parts = pickle.loads(pickle.dumps(make(frame, arrays).parts(4)))
    assert sum(part.rows for part in parts) == ROWS
    loaded = [part.load() for part in parts]
    assert [len(each["y"]) for each in loaded] == [part.rows for part in parts]
    assert_equal({name: np.concatenate([each[name] for each in loaded]) for name in NAMES}, arrays)


@pytest.mark.parametrize("make", MADE_HERE, ids=lambda make: make.__name__)
def test_what_is_made_here_has_no_parts(make, frame, arrays):
    with pytest.raises(UsageError, match="cannot be made elsewhere"):
        make(frame, arrays).parts(2)


def test_arrays_travel_by_their_slices_and_files_by_their_names(frame, arrays):
    by_name = {make.__name__: make for make in IN_PIECES}
    slices = by_name["of_a_tuple"](frame, arrays).parts(100)
    assert len(slices) >= 100
    assert max(len(pickle.dumps(part)) for part in slices) < 3000
    for name in ("of_memory_maps", "in_hdf5", "of_hdf5", "in_zarr", "of_zarr", "in_parquet", "in_feather"):
        assert len(pickle.dumps(by_name[name](frame, arrays).parts(2)[0])) < 3000, name


def test_a_part_of_a_memory_map_that_is_itself_a_part_begins_where_it_begins(arrays):
    np.save("all.npy", np.arange(40.0).reshape(10, 4))
    mapped = np.load("all.npy", mmap_mode="r")
    for some in (mapped[3:9], mapped[2:][1:4], mapped[:, 1:3]):
        parts = pickle.loads(pickle.dumps(autoopt.batches(some, ["X"]).parts(3)))
        assert np.array_equal(np.concatenate([part.load()["X"] for part in parts]), some)


def test_a_worker_needs_one_file_and_no_autoopt(frame, arrays):
    pytest.importorskip("pyarrow")
    parts = {make.__name__: make for make in IN_PIECES}["in_parquet"](frame, arrays).parts(2)
    plain = [(part.recipe, part.layout, part.size) for part in parts]
    text = (
        "import sys, pickle\n"
        "space = {}\n"
        "text, parts = pickle.load(sys.stdin.buffer)\n"
        "exec(text, space)\n"
        "total = sum(batch['X'].sum() + batch['y'].sum() for part in parts for batch in space['chunks'](*part))\n"
        "assert not [name for name in sys.modules if name.startswith('autoopt')]\n"
        "print(total)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], input=pickle.dumps((inspect.getsource(recipes), plain)), capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    np.testing.assert_allclose(float(done.stdout), arrays["X"].sum() + arrays["y"].sum(), rtol=1e-12)


def test_a_worker_refuses_what_is_missing_and_files_that_changed(frame, arrays):
    pytest.importorskip("pyarrow")
    holes = frame.assign(y=frame["y"].where(frame.index != 5))
    holes.to_parquet("d.parquet")
    (part,) = autoopt.batches("d.parquet", MATRIX).parts()
    with pytest.raises(ValueError, match=r"y of .*d\.parquet has a missing value or no number from row 0 on"):
        part.load()
    frame.to_parquet("d.parquet")
    with pytest.raises(DataError, match="has changed since it was opened"):
        part.load()
