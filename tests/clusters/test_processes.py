"""Processes of this machine: the same digits whatever their number, what is lost, late, interrupted or wrong."""

import os
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise

import numpy as np
import pytest
from cluster_programs import HESSIAN, LARGEST, LOGISTIC, LOGSUMEXP, SCORES, SUMS, VALUE_AND_GRAD, RowPass, data, mortal

from autoopt.clusters import evaluate, waiting
from autoopt.clusters.chunks import Chunk, Table, Task, carried
from autoopt.clusters.processes import Processes
from autoopt.errors import ClusterError

W = np.linspace(-1.0, 1.0, 5)


@pytest.fixture(scope="module")
def executors():
    opened = [Processes(number) for number in (1, 2, 3)]
    yield opened
    for executor in opened:
        executor.close()


def uneven(arrays, cuts):
    """Return a table whose chunks are as long as one says."""
    return Table(
        tuple(Chunk(a, b, ("arrays", {name: array[a:b] for name, array in arrays.items()})) for a, b in pairwise(cuts))
    )


@pytest.mark.parametrize("row_pass", [VALUE_AND_GRAD, HESSIAN, SCORES], ids=lambda row_pass: row_pass.name)
def test_any_number_of_workers_gives_the_same_digits(executors, row_pass):
    rows = data(50_001, 5)
    one, *others = (evaluate(executor, executor.hold(rows), LOGISTIC, row_pass, {"w": W}) for executor in executors)
    for other in others:
        assert all(np.array_equal(one[name], other[name]) for name in row_pass.results)


def test_uneven_chunks_give_the_same_digits(executors):
    rows = data(5_000, 5)
    table = uneven(rows, [0, 1, 7, 2000, 2001, 4500, 5000])
    one, *others = (evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W}) for executor in executors)
    assert all(np.array_equal(one["gradient"], other["gradient"]) for other in others)
    z = rows["X"] @ W
    np.testing.assert_allclose(one["value"], np.logaddexp(0.0, z).sum() - rows["y"] @ z, rtol=1e-13)


def test_a_second_pass_takes_what_the_first_combined(executors):
    rows = data(50_000, 5, seed=3)
    given = {"w": 300.0 * W}
    for executor in executors:
        table = executor.hold({"X": rows["X"]})
        first = evaluate(executor, table, LOGSUMEXP, LARGEST, given)
        second = evaluate(executor, table, LOGSUMEXP, SUMS, given | first)
        value = first["largest"] + np.log(second["total"])
        assert first["finite"] and value == pytest.approx(np.logaddexp.reduce(rows["X"] @ given["w"]), rel=1e-14)


def test_more_workers_than_chunks(executors):
    rows = data(10, 5)
    given = evaluate(executors[-1], executors[-1].hold(rows), LOGISTIC, SCORES, {"w": W})
    assert given["scores"].shape == (10, 5)


def test_chunks_stay_with_their_worker(executors):
    executor = executors[1]
    table = executor.hold(data(50_000, 5))
    evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W})
    asked = [executor.submit(run, Task(LOGISTIC, VALUE_AND_GRAD), {"w": W}) for run in executor.runs(table)]
    assert not any(one.loads for one in asked)
    executor.tree_sum(asked, VALUE_AND_GRAD.results)


def test_chunks_are_dropped_with_their_table(executors):
    executor = executors[0]
    table = executor.hold(data(1000, 5))
    evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W})
    chunk = table.chunks[0]
    (process,) = executor._processes.values()
    assert chunk in process.held
    del table
    assert chunk not in process.held


# What goes wrong ------------------------------------------------------------------------------------------------------


def test_an_error_of_the_text_is_raised_as_it_is(executors):
    text = "import numpy as np\ndef f(x):\n    return {'a': np.linalg.inv(0.0 * x.T @ x)}\n"
    for executor in executors:
        table = executor.hold({"x": np.ones((50_000, 3))})
        with pytest.raises(np.linalg.LinAlgError, match="Singular") as raised:
            evaluate(executor, table, text, RowPass("f", (), ("x",), {"a": "sum"}), {})
        assert "np.linalg.inv(0.0 * x.T @ x)" in "".join(raised.value.__notes__)
        assert evaluate(executor, executor.hold(data(100, 5)), LOGISTIC, VALUE_AND_GRAD, {"w": W})["value"] > 0


def test_an_exception_of_the_texts_own_has_its_name(executors):
    text = "class PathChanged(Exception):\n    pass\ndef f(x):\n    raise PathChanged('line 3')\n"
    with pytest.raises(RuntimeError, match="line 3") as raised:
        evaluate(executors[0], executors[0].hold({"x": np.ones(3)}), text, RowPass("f", (), ("x",), {}), {})
    assert type(raised.value).__name__ == "PathChanged"


def test_a_chunk_that_cannot_be_loaded_is_told_each_time(executors):
    table = Table((Chunk(0, 3, ("files", {"x": ("/nowhere/x.bin", "<f8", (3,), 0)})),))
    for _ in range(2):
        with pytest.raises(FileNotFoundError, match="/nowhere"):
            evaluate(executors[0], table, "def f(x): return {}", RowPass("f", (), ("x",), {}), {})


@pytest.mark.parametrize("number", [1, 3])
def test_a_worker_that_is_killed_costs_one_evaluation_of_its_rows(number, tmp_path):
    rows = data(50_000, 5)
    with Processes(number) as executor:
        table = executor.hold(rows)
        expected = evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W})
        before = {process.pid for process in executor._processes.values()}
        (tmp_path / "token").touch()
        given = evaluate(executor, table, *mortal(tmp_path / "token", signal.SIGKILL), {"w": W})
        after = {process.pid for process in executor._processes.values()}
    assert given["value"] == expected["value"] and np.array_equal(given["gradient"], expected["gradient"])
    assert len(before - after) == len(after - before) == 1


@pytest.mark.slow
def test_a_worker_is_killed_ten_times_of_ten(tmp_path):
    rows = data(200_000, 5)
    with Processes(2) as executor:
        for table in (executor.hold(rows), carried(rows, {})):
            expected = evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W})
            for number in range(10):
                token = tmp_path / f"token{number}"
                token.touch()
                given = evaluate(executor, table, *mortal(token, signal.SIGKILL), {"w": W})
                assert not token.exists() and np.array_equal(given["gradient"], expected["gradient"])


def test_workers_that_always_end_are_given_up():
    text = "import os\ndef f(x):\n    os._exit(9)\n"
    with Processes(2) as executor:
        table = executor.hold({"x": np.ones(10)})
        with pytest.raises(ClusterError, match=r"rows 0 to 9 end, 3 of 3 times: a process ended with status 9"):
            evaluate(executor, table, text, RowPass("f", (), ("x",), {}), {})


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_worker_that_is_late_is_not_waited_for_and_avoided_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(waiting, "GRACE", 0.1)
    with Processes(3) as executor:
        table = executor.hold(data(50_000, 5))
        expected = evaluate(executor, table, *mortal(tmp_path / "token", signal.SIGSTOP), {"w": W})
        (tmp_path / "token").touch()
        given = evaluate(executor, table, *mortal(tmp_path / "token", signal.SIGSTOP), {"w": W})
        assert np.array_equal(given["gradient"], expected["gradient"])
        assert len({run.worker for run in executor.runs(table)}) == 2
        again = evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W})
        assert np.array_equal(again["gradient"], expected["gradient"])


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_the_workers_and_the_next_evaluation_has_others(tmp_path):
    text = f"import os, signal, time\ndef f(x):\n    os.kill({os.getpid()}, signal.SIGINT)\n    time.sleep(60)\n"
    with Processes(2) as executor:
        table = executor.hold({"x": np.ones(10)})
        with pytest.raises(KeyboardInterrupt):
            evaluate(executor, table, text, RowPass("f", (), ("x",), {}), {})
        assert executor._processes == {}
        given = evaluate(executor, table, "def f(x): return {'n': len(x)}", RowPass("f", (), ("x",), {"n": "sum"}), {})
    assert given == {"n": 10}


def test_a_script_needs_no_guard_and_leaves_no_process_behind(tmp_path):
    """Workers do not import the script, and end with it, closed or not."""
    script = """
        import numpy as np
        from autoopt.clusters import evaluate, parse
        from autoopt.execution.blocks.plan import RowPass

        executor = parse("local:2")
        table = executor.hold({"x": np.arange(1000.0)})
        asked = RowPass("f", (), ("x",), {"total": "sum"})
        print(evaluate(executor, table, "def f(x):\\n    print('lost')\\n    return {'total': x.sum()}", asked, {}))
        print(*(process.pid for process in executor._processes.values()))
    """
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(script))
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    total, pids = done.stdout.splitlines()
    assert "499500.0" in total and "lost" in done.stderr
    for pid in pids.split():
        assert not os.path.exists(f"/proc/{pid}")


def test_more_processes_than_chunks_are_not_started_and_that_is_said():
    from autoopt.stages import listening

    class Heard:
        said = ()

        def during(self, *_):
            """Show nothing of what goes on."""

        def say(self, text):
            self.said += (text,)

    heard = Heard()
    with Processes(200) as executor, listening(heard):
        table = executor.hold(data(10, 2))
        evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": np.ones(2)})
        assert len(executor._processes) == len(table.chunks) == 1
    assert heard.said == ("1 of 200 processes will do: the data have 1 chunk",)
