"""The table of clusters compares what it times with NumPy, and says whether digits are the same."""

import numpy as np

from benchmarks import cluster_tables


def test_local_processes_are_compared(capsys):
    rng = np.random.default_rng(0)
    data = {"X": rng.normal(size=(3000, cluster_tables.COLUMNS)), "y": np.ones(3000)}
    cluster_tables.measure("local", data, 1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all("same digits" in line for line in lines)
