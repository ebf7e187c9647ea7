"""What a worker does: the order in which results are added, blocks, text by its hash, and that it needs NumPy alone."""

import os
import pickle
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from cluster_programs import LARGEST, LOGISTIC, LOGSUMEXP, SCORES, VALUE_AND_GRAD, data

from autoopt.clusters import worker
from autoopt.clusters.chunks import Task


def nodes_of(first, last, count, numbers):
    """Return the nodes of a run over leaves that are numbers."""
    leaf = {"total": "sum"}
    return {
        node: worker.node_of(node, count, leaf, {}, lambda index: {"total": numbers[index]})
        for node in worker.covering(first, last, count)
    }


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 13, 32])
def test_however_leaves_are_divided_the_sum_has_the_same_digits(count):
    rng = np.random.default_rng(count)
    numbers = rng.normal(size=count) * 10.0 ** rng.integers(-8, 9, count)
    alone = worker.whole(nodes_of(0, count, count, numbers), count, {"total": "sum"})
    for _ in range(20):
        cuts = [0, *sorted(rng.integers(0, count + 1, 3)), count]
        parts = [nodes_of(a, b, count, numbers) for a, b in pairwise(cuts)]
        total = worker.whole(worker.merged(parts, 0, count, count, {"total": "sum"}), count, {"total": "sum"})
        assert total == alone
    assert alone["total"] == pytest.approx(np.sum(numbers), rel=1e-12)


@pytest.mark.parametrize("count", range(1, 18))
def test_nodes_of_a_run_cover_its_leaves_once(count):
    for first in range(count):
        for last in range(first + 1, count + 1):
            nodes = list(worker.covering(first, last, count))
            covered = [n for level, i in nodes for n in range(i << level, min((i + 1) << level, count))]
            assert covered == list(range(first, last))
            assert len(nodes) <= 2 * count.bit_length()


def test_blocks_of_a_chunk_give_what_all_of_it_gives(monkeypatch):
    rows, w = data(1000, 3), np.array([0.3, -1.0, 0.5])
    task = Task(LOGISTIC, VALUE_AND_GRAD).plain
    monkeypatch.setattr(worker, "BLOCK", 1 << 12)
    in_blocks = worker.evaluated(rows, task, {"w": w})
    monkeypatch.setattr(worker, "BLOCK", 1 << 30)
    at_once = worker.evaluated(rows, task, {"w": w})
    np.testing.assert_allclose(in_blocks["gradient"], at_once["gradient"], rtol=1e-12, atol=1e-12)
    assert in_blocks["value"] == pytest.approx(at_once["value"], rel=1e-14)


def test_every_way_to_combine_is_that_of_numpy():
    text = (
        "import numpy as np\n"
        "def each(x):\n"
        "    least, most = np.min(x), np.max(x)\n"
        "    return {'s': x.sum(), 'a': most, 'i': least, 'l': np.all(x > -3), 'y': np.any(x > 3), 'r': 2 * x}\n"
    )
    results = {"s": "sum", "a": "max", "i": "min", "l": "all", "y": "any", "r": "rows"}
    task = {"text": text, "name": "each", "free": (), "rows": ("x",), "results": results, "axes": {}, "along": {}}
    x = np.random.default_rng(1).normal(size=100_000)
    given = worker.whole(worker.run(0, 3, task, {}, *({"x": part} for part in np.array_split(x, 3))), 3, results)
    assert given["s"] == pytest.approx(x.sum(), rel=1e-11)
    assert (given["a"], given["i"], given["l"], given["y"]) == (x.max(), x.min(), (x > -3).all(), (x > 3).any())
    np.testing.assert_array_equal(given["r"], 2 * x)


def test_largest_of_what_is_not_a_number_is_not_a_number():
    rows = {"X": np.array([[1.0], [np.nan], [3.0]])}
    task = Task(LOGSUMEXP, LARGEST).plain
    parts = [{"X": rows["X"][index : index + 1]} for index in range(3)]
    given = worker.whole(worker.run(0, 3, task, {"w": np.ones(1)}, *parts), 3, LARGEST.results)
    assert np.isnan(given["largest"]) and not given["finite"]


def test_rows_along_another_axis():
    x = np.random.default_rng(2).normal(size=(3, 5000))
    task = {
        "text": "def total(x): return {'total': x.sum(1), 'rows': x.T, 'columns': 2 * x}",
        "name": "total",
        "free": (),
        "rows": ("x",),
        "results": {"total": "sum", "rows": "rows", "columns": "rows"},
        "axes": {"x": 1},
        "along": {"columns": 1},
    }
    given = worker.whole(worker.run(0, 2, task, {}, {"x": x[:, :1000]}, {"x": x[:, 1000:]}), 2, task["results"])
    np.testing.assert_allclose(given["total"], x.sum(1), rtol=1e-12)
    np.testing.assert_array_equal(given["rows"], x.T)
    np.testing.assert_array_equal(given["columns"], 2 * x)


def test_lines_of_the_text_are_in_tracebacks():
    task = {"text": "def f(x):\n    return {'a': x.lost}\n", "name": "f", "free": (), "rows": ("x",)}
    with pytest.raises(AttributeError) as raised:
        worker.evaluated({"x": np.ones(3)}, task | {"results": {"a": "sum"}, "axes": {}, "along": {}}, {})
    import traceback

    assert "return {'a': x.lost}" in "".join(traceback.format_tb(raised.tb))


def test_blas_has_what_it_had_after_an_evaluation():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = threadpoolctl.threadpool_info()
        text = (
            "import threadpoolctl\n"
            "def f(x): return {'n': max(one['num_threads'] for one in threadpoolctl.threadpool_info()"
            " if one['user_api'] == 'blas')}"
        )
        task = {"text": text, "name": "f", "free": (), "rows": ("x",), "results": {"n": "max"}, "axes": {}, "along": {}}
        assert worker.evaluated({"x": np.ones(3)}, task, {})["n"] == 1
        assert threadpoolctl.threadpool_info() == before


PAGES = """
import os, resource, sys
import numpy as np
from autoopt.clusters import worker

task = {"text": "def f(X): return {'total': np.sum(X * 2.0 + 1.0)}\\nimport numpy as np", "name": "f", "free": (),
        "rows": ("X",), "results": {"total": "sum"}, "axes": {}, "along": {}}
X = np.ones((2**20, 8))


def faults(call):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    call()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def plain():
    for start in range(0, len(X), 2**14):
        np.sum(X[start:start + 2**14] * 2.0 + 1.0)


worker.evaluated({"X": X}, task, {})
print(faults(lambda: worker.evaluated({"X": X}, task, {})), faults(plain))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="settings of glibc")
def test_memory_of_blocks_is_kept_in_a_pass_where_workers_are_told_to_give_it_back():
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536", "NUMPY_MADVISE_HUGEPAGE": "0"}
    said = subprocess.run([sys.executable, "-c", PAGES], env=environment, capture_output=True, text=True, check=True)
    in_pass, beside = map(int, said.stdout.split())
    assert in_pass < 3000 < 10000 < beside  # 64 blocks of two arrays of 256 pages each


def ask(process, *request):
    """Return the answer of a worker process to one request."""
    pickle.dump(request, process.stdin)
    process.stdin.flush()
    return pickle.load(process.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_a_worker_needs_this_file_and_numpy(tmp_path):
    """A Python without site-packages, that finds NumPy alone."""
    numpy = Path(np.__file__).parent
    for name in ("numpy", "numpy.libs"):
        if (numpy.parent / name).exists():
            (tmp_path / name).symlink_to(numpy.parent / name)
    rows, task = data(500, 2), Task(LOGISTIC, SCORES).plain
    with subprocess.Popen(
        [sys.executable, "-S", "-P", worker.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"},
    ) as process:
        told = ask(process, "run", {1: ("arrays", rows)}, [1], 0, 1, task, {"w": np.ones(2)})
        absent = {
            "text": "def f(x):\n    import autoopt\n",
            "name": "f",
            "free": (),
            "rows": ("X",),
            "results": {},
            "axes": {},
            "along": {},
        }
        missing = ask(process, "run", {}, [1], 0, 1, absent, {})
        process.stdin.close()
    assert told[0] == "done" and told[1][(0, 0)]["scores"][1].shape == (500, 2)
    assert missing[:2] == ("raised", "ModuleNotFoundError")
    assert process.returncode == 0


def test_an_exception_that_cannot_travel_keeps_its_name():
    class Own(Exception):
        pass

    there = worker.carried(*worker.portable(Own("lost")))
    assert (type(there).__name__, str(there)) == ("Own", "lost")
    assert isinstance(worker.carried(*worker.portable(np.linalg.LinAlgError("singular"))), np.linalg.LinAlgError)
