"""Each case of `benchmarks.memory` fits, with few rows."""

import json
from pathlib import Path

import pytest

from benchmarks import memory


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone says what a process had at most")
@pytest.mark.parametrize("name", ["fit of terms, robust", "fit of 3 of 10 columns of a csv file"])
def test_case_tells_what_it_takes(name, monkeypatch, capsys):
    monkeypatch.setattr(memory, "ROWS", 400)
    memory.once(name)
    found = json.loads(capsys.readouterr().out)
    assert found["data"] > 0 and found["above"] >= 0 and found["seconds"] > 0


def test_bytes_of_a_sparse_matrix_are_those_of_its_entries_and_indices(monkeypatch):
    monkeypatch.setattr(memory, "ROWS", 400)
    X, y = memory.indicators()
    assert memory.size((X, y)) == X.nnz * (8 + X.indices.itemsize) + 401 * X.indptr.itemsize + 400 * 8
