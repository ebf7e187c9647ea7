"""Ray as an executor: chunks are objects in the memory of their machines, which all workers of a machine share.

What runs is the text of `worker.py`, an object too: workers need no autoopt. A worker that dies, and an object that is
lost, are Ray's to replace: it runs again what they came from. Results are added here.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import sys
import types
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.clusters import worker
from autoopt.clusters.chunks import Chunk, Table, Task, carried, shared
from autoopt.clusters.executor import Evaluation, Run
from autoopt.clusters.homes import Homes
from autoopt.clusters.waiting import LostWorkerError, Waiting
from autoopt.errors import ClusterError
from autoopt.extras import imported

LARGEST_SENT = 1 << 16
"""Bytes of parameters that are sent with each task; larger ones are put into the memory of each machine once."""

Worker = tuple[str, int]  # the machine, and one of its processors


class Ray:
    """An executor on the workers of Ray, to which this process is connected, or will be for as long as it is open."""

    def __init__(self, address: str | None = None, number: int | None = None) -> None:
        """Use the connection that is there; else that to an address, or so many workers that are started here."""
        self._ray = imported("ray", "ray", "A cluster of Ray")
        self._is_mine = not self._ray.is_initialized()
        self._is_here = self._is_mine and address is None
        if self._is_mine:
            self._connect(address, number)
        self._homes = Homes()
        self._slow: set[str] = set()
        self._ran: set[tuple[Worker, str]] = set()
        self._held: weakref.WeakKeyDictionary[Chunk, Any] = weakref.WeakKeyDictionary()
        text = Path(worker.__file__).read_text(encoding="utf-8")
        self._source = self._ray.put((hashlib.sha256(text.encode()).hexdigest()[:12], text))
        self._ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        try:
            self._remote = self._ray.remote(_called)
            self._remote.remote(self._source, "named", [])  # which sends the function
        finally:
            self._ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])

    def _connect(self, address: str | None, number: int | None) -> None:
        options = {"address": address} if address is not None else {"num_cpus": number, "include_dashboard": False}
        try:
            self._ray.init(logging_level=logging.ERROR, log_to_driver=False, **options)
        except (ConnectionError, OSError, ValueError) as error:
            raise ClusterError(
                f"No cluster of Ray answers at {address}: {error}", remedy="give the address that `ray start` prints."
            ) from None

    def __enter__(self) -> Ray:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def hold(self, data: Mapping[str, Any], axes: Mapping[str, int] | None = None) -> Table:
        """Return arrays as a table, in memory that is shared if all workers are here."""
        return (shared if self._is_here else carried)(data, axes or {})

    def runs(self, table: Table) -> list[Run]:
        """Return which machine, and which of its processors, has which chunks now."""
        return self._homes.runs(table, self._workers())

    def broadcast(self, values: Mapping[str, Any]) -> Any:
        """Return the values, or an object that has them if they are large."""
        small = sum(np.asarray(value).nbytes for value in values.values()) <= LARGEST_SENT
        return dict(values) if small else self._ray.put(dict(values))

    def submit(self, run: Run, task: Task, handle: Any) -> Evaluation:
        """Ask for a task on the machine of a run; Ray does it elsewhere if that one is gone."""
        loads = (run.worker, task.text) not in self._ran or any(chunk not in self._held for chunk in run.chunks)
        chunks = [self._chunk(chunk, run.worker) for chunk in run.chunks]
        remote = self._on(run.worker).remote(
            self._source, "run", run.first, len(run.table.chunks), task.plain, handle, *chunks
        )
        self._ran.add((run.worker, task.text))
        future: Future = Future()
        remote.future().add_done_callback(functools.partial(_pass_on, future))
        return Evaluation(run, task, handle, future, loads, remote)

    def tree_sum(self, asked: Sequence[Evaluation], results: Mapping[str, str]) -> dict[str, Any]:
        """Return the results over all chunks when they are there."""
        count = len(asked[0].run.table.chunks)
        try:
            answers = Waiting(asked, self._again).first_answers()
        except KeyboardInterrupt:
            for one in asked:
                self._ray.cancel(one.remote)
            raise
        nodes = worker.merged([one.future.result() for one in answers], 0, count, count, results)
        return worker.whole(nodes, count, results)

    def close(self) -> None:
        """Give back what is held, and end what was started or connected here."""
        self._held.clear()
        if self._is_mine and self._ray.is_initialized():
            self._ray.shutdown()

    def _workers(self) -> list[Worker]:
        """Return the processors of the machines that are there, without slow machines if there are others."""
        every = [
            (node["NodeID"], number)
            for node in self._ray.nodes()
            if node["Alive"]
            for number in range(int(node["Resources"].get("CPU", 0)))
        ]
        if not every:
            raise ClusterError("The cluster has no workers.", remedy="start some: ray start --address=ADDRESS.")
        return [one for one in every if one[0] not in self._slow] or every

    def _on(self, home: Worker) -> Any:
        """Return the remote function for a machine, if that is there."""
        strategy = imported("ray.util.scheduling_strategies", "ray", "A cluster of Ray")
        return self._remote.options(
            scheduling_strategy=strategy.NodeAffinitySchedulingStrategy(home[0], soft=True), max_retries=3
        )

    def _chunk(self, chunk: Chunk, home: Worker) -> Any:
        """Return the object of a chunk."""
        if chunk not in self._held:
            kind, *args = chunk.recipe
            self._held[chunk] = (
                self._ray.put(args[0])
                if kind == "arrays"
                else self._on(home).remote(self._source, "loaded", chunk.recipe)
            )
        return self._held[chunk]

    def _again(self, evaluation: Evaluation, late: bool) -> list[Evaluation]:
        """Ask for a run anew, of other machines if it was late and there are some."""
        home, runs = evaluation.run.worker, [evaluation.run]
        others = [one for one in self._workers() if one[0] != home[0]]
        for chunk in evaluation.run.chunks if others or not late else ():
            self._held.pop(chunk, None)
        if late and others:
            self._slow.add(home[0])
            runs = self._homes.move(evaluation.run, others)
        return [self.submit(run, evaluation.task, evaluation.handle) for run in runs]


def _called(source: tuple[str, str], name: str, *args: Any) -> Any:
    """Return what a function of a text gives: this one travels as it is, and knows no module of ours."""
    digest, text = source
    module = sys.modules.get(f"autoopt_worker_{digest}")
    if module is None:
        module = types.ModuleType(f"autoopt_worker_{digest}")
        exec(compile(text, f"<autoopt worker {digest}>", "exec"), vars(module))
        sys.modules[module.__name__] = module
    return getattr(module, name)(*args)


def _pass_on(future: Future, remote: Future) -> None:
    """Tell our future what Ray's has: a result, what a text raised, or that something was lost."""
    if not future.set_running_or_notify_cancel():
        return
    error = remote.exception()
    if error is None:
        future.set_result(remote.result())
    elif isinstance(getattr(error, "cause", None), Exception):
        raised = error.cause  # type: ignore[attr-defined]
        raised.add_note(f"In a worker of autoopt:\n{error}")
        future.set_exception(raised)
    else:
        future.set_exception(LostWorkerError(f"a worker of Ray was lost: {error}"))
