"""Each way of `benchmarks.batch_tables` goes through all rows; autoopt's need little memory, whatever the file."""

import json
from pathlib import Path

import pytest

from benchmarks import batch_tables
from benchmarks.processes import fresh

pytest.importorskip("pyarrow")
LINUX = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone says what was had at most")


@LINUX
@pytest.mark.parametrize("way", batch_tables.WAYS)
def test_way_reads_all_rows(way, tmp_path, capsys):
    batch_tables.write(str(tmp_path / "d.parquet"), 1000)
    batch_tables.once(way, str(tmp_path / "d.parquet"))
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 1000 and found["seconds"] > 0


@LINUX
@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    """The file has 400 MB; that of 2 GB takes as much (benchmarks/README.rst)."""
    path = str(tmp_path / "d.parquet")
    batch_tables.write(path, 5_000_000)
    found = fresh("benchmarks.batch_tables", f"once('batches, X and y', {path!r})", 300.0)
    assert found["rows"] == 5_000_000 and found["above"] < 300
