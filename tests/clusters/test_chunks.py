"""Tables: how data are cut, where processes of this machine find them, and what is refused."""

import gc
import os
from itertools import pairwise

import numpy as np
import pytest

from autoopt.clusters import worker
from autoopt.clusters.chunks import FEWEST, LARGEST, SharedMemory, carried, cuts, shared
from autoopt.errors import UsageError


@pytest.mark.parametrize(("rows", "size"), [(1, 8), (10, 10**7), (10**6, 4 * 10**8), (10**9, 10**12), (5, 10**12)])
def test_cuts_cover_all_rows_in_order(rows, size):
    found = cuts(rows, size)
    assert found[0][0] == 0 and found[-1][1] == rows
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert size / len(found) <= max(LARGEST, size / rows)


def test_large_data_are_in_enough_chunks_for_some_workers():
    assert len(cuts(10**6, 1 << 26)) == FEWEST and len(cuts(10**6, 1 << 20)) == 1


@pytest.mark.parametrize("kind", [carried, shared])
def test_chunks_have_the_rows_that_were_given(kind):
    X = np.asfortranarray(np.random.default_rng(0).normal(size=(60_000, 7)))
    given = {"X": X, "y": np.arange(60_000), "Z": X.T.astype(np.float32), "none": np.empty((60_000, 0))}
    table = kind(given, {"Z": 1})
    assert len(table.chunks) > 2 and table.rows == 60_000
    loaded = [worker.loaded(chunk.recipe) for chunk in table.chunks]
    for name, axis in (("X", 0), ("y", 0), ("Z", 1), ("none", 0)):
        joined = np.concatenate([chunk[name] for chunk in loaded], axis)
        np.testing.assert_array_equal(joined, given[name])
        assert joined.dtype == given[name].dtype


def test_what_a_file_has_is_read_there(tmp_path):
    np.save(tmp_path / "X.npy", np.random.default_rng(0).normal(size=(400_000, 3)))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")[17:]
    table = shared({"X": X, "y": np.ones(X.shape[0])}, {})
    places = [chunk.recipe[1]["X"] for chunk in table.chunks]
    assert {place[0] for place in places} == {str(tmp_path / "X.npy")}
    np.testing.assert_array_equal(np.concatenate([worker.loaded(chunk.recipe)["X"] for chunk in table.chunks]), X)


def test_what_was_changed_in_memory_alone_is_not_read_from_its_file(tmp_path):
    np.save(tmp_path / "X.npy", np.zeros((10, 2)))
    X = np.load(tmp_path / "X.npy", mmap_mode="c")
    X[3] = 5.0
    table = shared({"X": X}, {})
    np.testing.assert_array_equal(worker.loaded(table.chunks[0].recipe)["X"], X)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memory without a name is Linux's")
def test_shared_memory_is_given_back_with_its_table():
    table = shared({"X": np.ones((1000, 3))}, {})
    path = table.source.path
    assert os.path.exists(path)
    del table
    gc.collect()
    assert not os.path.exists(path)


def test_without_memory_that_has_no_name_a_file_is_made_and_removed(monkeypatch):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    memory = SharedMemory()
    place = memory.add(np.arange(6.0))
    np.testing.assert_array_equal(worker.loaded(("files", {"x": place}))["x"], np.arange(6.0))
    memory.close()
    assert not os.path.exists(memory.path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"X": np.ones((3, 2)), "y": np.ones(4)}, "the same number of rows in every array.*X has 3, y has 4"),
        ({"X": np.ones((0, 2))}, "X has 0"),
        ({"X": np.array(["a", None])}, "X holds Python objects"),
        ({}, "there are no arrays"),
    ],
)
def test_data_that_have_no_rows_in_common_are_refused(given, said):
    with pytest.raises(UsageError, match=said):
        carried(given, {})


def test_a_recipe_may_be_a_function_of_a_text():
    text = "import numpy as np\ndef part(start, stop):\n    return {'x': np.arange(start, stop)}\n"
    np.testing.assert_array_equal(worker.loaded(("call", text, "part", (3, 6)))["x"], [3, 4, 5])
