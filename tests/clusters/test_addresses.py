"""What a user writes for a cluster, and what is refused within seconds."""

import time

import numpy as np
import pytest
from cluster_programs import LOGISTIC, VALUE_AND_GRAD, data

from autoopt.clusters import evaluate, opened, parse
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
    assert "local:4" in told.value.remedy and "tcp://" in told.value.remedy


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
