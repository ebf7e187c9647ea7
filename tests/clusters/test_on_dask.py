"""Dask: arrays and collections as data, digits as of processes, lost and late workers, workers without autoopt."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from cluster_programs import HESSIAN, LOGISTIC, SCORES, VALUE_AND_GRAD, RowPass, data, mortal

from autoopt.clusters import evaluate, on_dask, parse, waiting
from autoopt.clusters.chunks import carried
from autoopt.clusters.on_dask import Dask
from autoopt.clusters.processes import Processes
from autoopt.errors import ClusterError

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Port .* is already in use:UserWarning"),
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning"
    ),  # sockets of a worker that was killed
]
W = np.linspace(-1.0, 1.0, 5)
ROWS = data(60_000, 5)


@pytest.fixture(scope="module")
def executor():
    with Dask.of_this_machine(2) as opened:
        yield opened


def told_by_processes(row_pass, rows=ROWS):
    """Return what a process of this machine gives."""
    with Processes(1) as alone:
        return evaluate(alone, alone.hold(rows), LOGISTIC, row_pass, {"w": W})


def equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("row_pass", [VALUE_AND_GRAD, HESSIAN, SCORES], ids=lambda row_pass: row_pass.name)
@pytest.mark.parametrize("sends", [True, False])
def test_digits_are_those_of_processes(executor, row_pass, sends):
    table = carried(ROWS, {}) if sends else executor.hold(ROWS)
    assert equal(evaluate(executor, table, LOGISTIC, row_pass, {"w": W}), told_by_processes(row_pass))


def test_many_results_are_added_in_steps(executor, monkeypatch):
    monkeypatch.setattr(on_dask, "FAN_IN", 2)
    table = executor.hold(ROWS)
    executor._homes.settle(table, [("nobody", number) for number in range(len(table.chunks))])
    monkeypatch.setattr(executor, "_workers", lambda: [("nobody", number) for number in range(len(table.chunks))])
    assert equal(evaluate(executor, table, LOGISTIC, SCORES, {"w": W}), told_by_processes(SCORES))


def test_large_parameters_go_to_each_worker_once(executor, monkeypatch):
    monkeypatch.setattr(on_dask, "LARGEST_SENT", 8)
    given = evaluate(executor, executor.hold(ROWS), LOGISTIC, VALUE_AND_GRAD, {"w": W})
    assert equal(given, told_by_processes(VALUE_AND_GRAD))


@pytest.mark.parametrize("closed", [1, 2])
def test_connections_that_close_while_arrays_are_sent_are_made_again(executor, monkeypatch, closed):
    from distributed.comm.core import CommClosedError

    monkeypatch.setattr(on_dask, "_NOTICED", 0.01)
    scatter, left = executor._client.scatter, [closed]

    def closing(*given, **options):
        if left[0]:
            left[0] -= 1
            raise CommClosedError("in <TCP (closed) ConnectionPool.scatter>: Stream is closed")
        return scatter(*given, **options)

    monkeypatch.setattr(executor._client, "scatter", closing)
    table = carried(ROWS, {})
    assert equal(evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W}), told_by_processes(VALUE_AND_GRAD))
    assert left == [0]
    left[0] = 100
    with pytest.raises(ClusterError, match="could not be sent"):
        evaluate(executor, carried(ROWS, {}), LOGISTIC, VALUE_AND_GRAD, {"w": W})


def test_arrays_of_dask_stay_in_their_partitions(executor):
    from dask import array

    X = array.from_array(ROWS["X"], chunks=((10_000, 1, 29_999, 20_000), (2, 3)))
    table = executor.hold({"X": X, "y": ROWS["y"]})
    assert [chunk.stop for chunk in table.chunks] == [10_000, 10_001, 40_000, 60_000]
    given = evaluate(executor, table, LOGISTIC, SCORES, {"w": W})
    np.testing.assert_allclose(given["scores"], told_by_processes(SCORES)["scores"], rtol=1e-12)


def test_frames_of_dask_need_no_known_lengths(executor):
    from dask import dataframe

    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS["X"], columns=list("abcde")).assign(y=ROWS["y"])
    frame = dataframe.from_pandas(frame, npartitions=7)
    frame = frame[frame["a"] > -1.0]
    table = executor.hold({"X": frame[list("abcde")], "y": frame["y"]})
    some = ROWS["X"][:, 0] > -1.0
    given = evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W})
    expected = told_by_processes(VALUE_AND_GRAD, {"X": ROWS["X"][some], "y": ROWS["y"][some]})
    np.testing.assert_allclose(given["gradient"], expected["gradient"], rtol=1e-11)


def test_an_error_of_the_text_is_raised_as_it_is(executor):
    text = "import numpy as np\ndef f(X):\n    return {'a': np.linalg.inv(0.0 * X.T @ X)}\n"
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        evaluate(executor, executor.hold(ROWS), text, RowPass("f", (), ("X",), {"a": "sum"}), {})


def test_an_exception_of_the_texts_own_has_its_name(executor):
    text = "class PathChanged(Exception):\n    pass\ndef f(X):\n    raise PathChanged('line 3')\n"
    with pytest.raises(Exception, match="line 3") as raised:
        evaluate(executor, executor.hold(ROWS), text, RowPass("f", (), ("X",), {}), {})
    assert type(raised.value).__name__ == "PathChanged"


def test_results_may_be_written_to(executor):
    for table in (executor.hold(ROWS), executor.hold({name: array[:1] for name, array in ROWS.items()})):
        for name, value in evaluate(executor, table, LOGISTIC, SCORES, {"w": W}).items():
            assert value.flags.writeable, name
        assert evaluate(executor, table, LOGISTIC, HESSIAN, {"w": W})["hessian"].flags.writeable


def test_a_client_of_the_user_stays_open_and_forgets_us(executor):
    with distributed.Client(executor._client.scheduler.address, set_as_default=False) as client:
        mine = parse(client)
        assert equal(evaluate(mine, mine.hold(ROWS), LOGISTIC, HESSIAN, {"w": W}), told_by_processes(HESSIAN))
        mine.close()
        assert client.submit(sum, [1, 2]).result() == 3


def test_a_cluster_without_workers_is_told(monkeypatch):
    monkeypatch.setattr(on_dask, "RESTART", 0.5)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster,
        parse(cluster.scheduler_address) as executor,
        pytest.raises(ClusterError, match="has had no workers"),
    ):
        evaluate(executor, executor.hold(ROWS), LOGISTIC, HESSIAN, {"w": W})


# Workers that are lost or late ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sends", [True, False], ids=["sent", "shared"])
def test_a_worker_is_killed_ten_times_of_ten(tmp_path, sends):
    import dask

    expected = told_by_processes(VALUE_AND_GRAD)
    patient = dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"})  # one is killed again at once
    with patient, Dask.of_this_machine(2) as executor:
        table = carried(ROWS, {}) if sends else executor.hold(ROWS)
        for number in range(10):
            assert equal(evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W}), expected)
            executor._client.wait_for_workers(2, timeout=60)
            token = tmp_path / f"token{number}"
            token.touch()
            given = evaluate(executor, table, *mortal(token, signal.SIGKILL), {"w": W})
            assert not token.exists() and equal(given, expected)


@pytest.mark.parametrize("sends", [True, False], ids=["sent", "shared"])
def test_the_only_worker_is_killed(tmp_path, sends):
    with Dask.of_this_machine(1) as executor:
        table = carried(ROWS, {}) if sends else executor.hold(ROWS)
        expected = evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W})
        (tmp_path / "token").touch()
        assert equal(evaluate(executor, table, *mortal(tmp_path / "token", signal.SIGKILL), {"w": W}), expected)


def test_partitions_of_a_collection_are_made_again(tmp_path):
    from dask import array

    with Dask.of_this_machine(2) as executor:
        X = array.from_array(ROWS["X"], chunks=(7_000, 5))
        table = executor.hold({"X": X, "y": ROWS["y"]})
        expected = evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W})
        (tmp_path / "token").touch()
        assert equal(evaluate(executor, table, *mortal(tmp_path / "token", signal.SIGKILL), {"w": W}), expected)


def test_a_worker_that_is_late_is_not_waited_for_and_avoided_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(waiting, "GRACE", 0.5)
    text, row_pass = mortal(tmp_path / "token", signal.SIGSTOP)
    text = text.replace("os.kill(", f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n    os.kill(")
    with Dask.of_this_machine(3) as executor:
        table = executor.hold(ROWS)
        expected = evaluate(executor, table, text, row_pass, {"w": W})
        (tmp_path / "token").touch()
        try:
            assert equal(evaluate(executor, table, text, row_pass, {"w": W}), expected)
            assert len({run.worker for run in executor.runs(table)}) == 2
            assert equal(evaluate(executor, table, LOGISTIC, VALUE_AND_GRAD, {"w": W}), expected)
        finally:
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGCONT)


# Workers that have no autoopt -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def started(command, *arguments):
    """Run a command of Dask's in a Python that cannot import autoopt."""
    code = f"import sys; sys.modules['autoopt'] = None; from distributed.cli.dask_{command} import main; main()"
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_workers_and_scheduler_need_no_autoopt(tmp_path):
    file = tmp_path / "scheduler.json"
    with (
        started("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)),
        started("worker", "--scheduler-file", str(file), "--nthreads", "2", "--no-nanny", "--no-dashboard"),
    ):
        deadline = time.monotonic() + 30
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with distributed.Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(1, timeout=30)
            address = client.scheduler.address
        with parse(address) as executor:
            table = executor.hold(ROWS)
            assert len(executor.runs(table)) == 2  # threads of one worker
            assert equal(evaluate(executor, table, LOGISTIC, HESSIAN, {"w": W}), told_by_processes(HESSIAN))
            absent = RowPass("f", (), ("y",), {"n": "sum"})
            with pytest.raises(ModuleNotFoundError):
                evaluate(executor, table, "import autoopt\ndef f(y): return {'n': 1}", absent, {})
