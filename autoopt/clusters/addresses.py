"""Executors by what a user writes: "local:4", "dask:4", "tcp://10.0.0.1:8786", a client of Dask, or an executor."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autoopt.clusters.executor import Executor
from autoopt.clusters.on_dask import Dask
from autoopt.clusters.on_ray import Ray
from autoopt.clusters.processes import Processes
from autoopt.errors import UsageError

_HERE: dict[str, Callable[[int], Executor]] = {
    "local": Processes,
    "dask": Dask.of_this_machine,
    "ray": lambda number: Ray(number=number),
}
_ON_THIS_MACHINE = re.compile(r"(local|dask|ray)(?::([1-9]\d{0,3}))?")
_OF_RAY = re.compile(r"ray://\S+:\d+/?")
_OF_A_SCHEDULER = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+:\d+/?")


def parse(cluster: Any) -> Executor:
    """Return the executor that is meant.

    Parameters
    ----------
    cluster : str, Client of Dask or Executor
        "local:4" are four processes of this machine, "dask:4" a scheduler of Dask with four workers on it, "local" and
        "dask" with one for each core. "tcp://10.0.0.1:8786" is the address of a scheduler of Dask; a
        `distributed.Client` is used as it is, and stays open. So does an executor. "ray:4" and "ray://10.0.0.1:10001"
        are the same of Ray; a connection to it that is there is used.
    Raises
    ------
    UsageError
        If it is none of these.
    ClusterError
        If no scheduler answers within five seconds.
    """
    if isinstance(cluster, str):
        here = _ON_THIS_MACHINE.fullmatch(cluster)
        if here:
            return _HERE[here[1]](int(here[2]) if here[2] else _cores())
        if _OF_RAY.fullmatch(cluster):
            return Ray(cluster)
        if _OF_A_SCHEDULER.fullmatch(cluster):
            return Dask.of_address(cluster)
    elif all(hasattr(cluster, name) for name in ("hold", "broadcast", "submit", "tree_sum")):
        return cluster
    elif all(hasattr(cluster, name) for name in ("submit", "scatter", "scheduler_info")):
        return Dask(cluster)
    few = isinstance(cluster, str) and re.fullmatch(r"(local|dask|ray):(0+|-\d+)", cluster)
    raise UsageError(
        f"{cluster!r} is no cluster{': the number of workers is from 1 on' if few else ''}.",
        remedy='give "local:4" for four processes of this machine, "dask:4" or "ray:4" for Dask or Ray on it, the '
        'address of a scheduler of Dask ("tcp://10.0.0.1:8786") or its client, or that of Ray ("ray://10.0.0.1:10001").',
    )


def is_address(said: str) -> bool:
    """Whether a text names a cluster: `parse` would take it."""
    return any(kind.fullmatch(said) for kind in (_ON_THIS_MACHINE, _OF_RAY, _OF_A_SCHEDULER))


@contextmanager
def opened(cluster: Any) -> Iterator[Executor]:
    """Give the executor that is meant, and close it in the end, unless the user gave it."""
    executor = parse(cluster)
    try:
        yield executor
    finally:
        if executor is not cluster:
            executor.close()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
