"""What a user writes for a cluster, and what is refused within seconds."""

import contextlib
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from cluster_programs import LOGISTIC, VALUE_AND_GRAD, data

from autoopt.clusters import answers, evaluate, opened, parse
from autoopt.clusters.processes import Processes
from autoopt.errors import ClusterError, UsageError


@pytest.mark.parametrize("said", ["local", "local:3"])
def test_local_is_processes_of_this_machine(said):
    with parse(said) as executor:
        assert isinstance(executor, Processes)
        assert len(executor.runs(executor.hold({"x": np.ones((1_000_000, 8))}))) == (3 if ":" in said else len_cores())


def len_cores():
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize("said", ["", "local:0", "local:-1", "local:four", "tcp://", "tcp://host", "spark:4", 4, None])
def test_what_is_no_cluster_is_refused_with_what_would_be_one(said):
    with pytest.raises(UsageError, match="is no cluster") as told:
        parse(said)
    assert all(kind in told.value.remedy for kind in ('"local:4"', '"ray:4"', '"tcp://', '"ray://'))
    assert ("from 1 on" in str(told.value)) == (said in ("local:0", "local:-1"))


def test_an_executor_is_used_as_it_is_and_stays_open():
    with Processes(1) as mine:
        assert parse(mine) is mine
        with opened(mine) as executor:
            evaluate(executor, executor.hold(data(10, 2)), LOGISTIC, VALUE_AND_GRAD, {"w": np.ones(2)})
        assert not next(iter(mine._processes.values())).is_lost
        with opened("local:1") as other:
            evaluate(other, other.hold(data(10, 2)), LOGISTIC, VALUE_AND_GRAD, {"w": np.ones(2)})
        assert other._processes == {}


@pytest.mark.slow
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tcp://nowhere.invalid:8786"])
def test_an_address_where_no_scheduler_answers_is_told_within_seconds(address):
    pytest.importorskip("distributed")
    begun = time.monotonic()
    with pytest.raises(ClusterError, match=f"No scheduler of Dask answers at {address}"):
        parse(address)
    assert time.monotonic() - begun < 15


@contextlib.contextmanager
def answering(says, to_question=b""):
    """Give the address of what says something when it is connected, and something else when it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(says)
                    connection.recv(100)
                    connection.sendall(to_question)
                    connection.recv(100)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
    thread.join()


@pytest.mark.parametrize(
    ("says", "to_question", "told"),
    [
        (b"", b"HTTP/1.0 200 OK\r\n\r\n", "A web server answers at .*, such as the dashboard"),
        (b"", b"", "nothing was said within 0.5 seconds"),
        (b"SSH-2.0-OpenSSH", b"", "what answers says b'SSH-2.0-'"),
    ],
)
def test_what_is_no_scheduler_is_told_from_what_it_says(monkeypatch, says, to_question, told):
    monkeypatch.setattr(answers, "PATIENCE", 0.5)
    monkeypatch.setattr(answers, "_TO_ASK", 0.3)
    with answering(says, to_question) as address, pytest.raises(ClusterError, match=told) as raised:
        answers.require_scheduler(address)
    assert "tcp://10.0.0.1:8786" in raised.value.remedy


_SCRIPT = """
import numpy as np
import autoopt

print("begun", flush=True)
found = autoopt.minimize(lambda w, X: np.sum((X - w) ** 2), 0.0, args=(np.arange(5.0),), cluster="dask:2")
print(round(float(found.x), 6))
"""


@pytest.mark.slow
def test_a_script_needs_no_guard_for_workers_of_dask(tmp_path):
    pytest.importorskip("distributed")
    (tmp_path / "script.py").write_text(_SCRIPT)
    outcome = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=120)
    assert outcome.stdout == "begun\n2.0\n" and outcome.stderr == ""


@pytest.mark.slow
def test_two_clusters_of_dask_are_started_beside_one_another():
    """Each serves its own pages at a port of its own, of which Dask would warn if another had it."""
    distributed = pytest.importorskip("distributed")
    rows = data(100, 2)
    with parse("dask:1") as one, parse("dask:1") as other:
        assert isinstance(one._client, distributed.Client)
        for executor in (one, other):
            evaluate(executor, executor.hold(rows), LOGISTIC, VALUE_AND_GRAD, {"w": np.ones(2)})
