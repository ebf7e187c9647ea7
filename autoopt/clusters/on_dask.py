"""Dask as an executor: chunks are futures that stay on their workers, and Dask loads again what a lost worker had.

What runs is `worker.py`, uploaded to the scheduler and the workers under a name of its own, so that they need no
autoopt. An evaluation is one task for each thread of the workers, which have consecutive chunks. Up to four results
are added here, more of them by one more task, and more than sixteen in several steps.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import tempfile
import time
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autoopt.clusters import worker
from autoopt.clusters.answers import PATIENCE, require_scheduler
from autoopt.clusters.chunks import Chunk, Table, Task, carried, shared
from autoopt.clusters.executor import Evaluation, Run
from autoopt.clusters.homes import Homes
from autoopt.clusters.partitions import partitions
from autoopt.clusters.started import cluster_of
from autoopt.clusters.waiting import TRIES, LostWorkerError, Waiting
from autoopt.errors import ClusterError
from autoopt.extras import imported
from autoopt.stages import stage
from autoopt.tables.elsewhere import is_collection

RESTART = 30
"""Seconds that a cluster without workers is waited for: the last one may have been lost, and be started again."""

FAN_IN = 16
"""Results that are added by one task at most."""

FEW = 4
"""Results that are fetched as they are, and added here: a task that adds them takes ten milliseconds more."""

LARGEST_SENT = 1 << 16
"""Bytes of parameters that are sent with each task; larger ones go to each worker once, from worker to worker."""

_NOTICED = 0.5  # seconds in which a scheduler notices that a worker is lost
_FRESH = 2.0  # seconds that what is known of the workers is taken for granted

Worker = tuple[str, int]  # its address, and one of its threads


class Dask:
    """An executor on the workers of a client, which is closed in the end if it was opened here."""

    def __init__(self, client: Any, cluster: Any = None, closes_client: bool = False) -> None:
        """Take a `distributed.Client`; `cluster` is one of this machine that was started for it."""
        self._client, self._cluster, self._closes_client = client, cluster, closes_client
        self._homes = Homes()
        self._slow: set[str] = set()
        self._held: weakref.WeakKeyDictionary[Chunk, Any] = weakref.WeakKeyDictionary()
        self._ran: set[tuple[Worker, str]] = set()
        self._known: list[Worker] = []
        self._asked_at = 0.0
        self._uploaded = f"autoopt-worker-{uuid.uuid4()}"
        self._module = _upload(client, self._uploaded)

    @classmethod
    def of_address(cls, address: str) -> Dask:
        """Connect to a scheduler; ClusterError if it does not answer within seconds."""
        distributed = imported("distributed", "dask", "A cluster of Dask")
        require_scheduler(address)
        try:
            client = distributed.Client(address, timeout=f"{PATIENCE:g}s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise ClusterError(
                f"No scheduler of Dask answers at {address} within {PATIENCE:g} seconds: {error}",
                remedy="give the address that `dask scheduler` prints, as tcp://10.0.0.1:8786.",
            ) from None
        return cls(client, closes_client=True)

    @classmethod
    def of_this_machine(cls, number: int) -> Dask:
        """Start a scheduler and so many workers here, of one thread each."""
        distributed = imported("distributed", "dask", "A cluster of Dask")
        with stage("starting workers of Dask"):
            cluster = cluster_of(number)
            client = distributed.Client(cluster, set_as_default=False)
            executor = cls(client, cluster, closes_client=True)
            try:
                client.wait_for_workers(number, timeout=RESTART + number)
            except BaseException as error:
                executor.close()
                if not isinstance(error, TimeoutError):
                    raise
                raise ClusterError(
                    f"Of {number} workers of Dask not all have started within {RESTART + number} seconds.",
                    remedy='start fewer, or processes of this machine: "local:2".',
                ) from None
        return executor

    def __enter__(self) -> Dask:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def hold(self, data: Mapping[str, Any], axes: Mapping[str, int] | None = None) -> Table:
        """Return data as a table: collections of Dask stay where they are, arrays are sent to the workers."""
        axes = axes or {}
        if any(is_collection(array) for array in data.values()):
            with self._client.as_current():
                table, places = partitions(self._client, self._module, data, axes)
            self._homes.settle(table, _by_thread(places, self._workers()))
            self._held.update((chunk, chunk.recipe[1]) for chunk in table.chunks)
            return table
        return (shared if self._cluster is not None else carried)(data, axes)

    def runs(self, table: Table) -> list[Run]:
        """Return who has which chunks now; what workers had that are gone is given to those that came or are left."""
        return self._homes.runs(table, self._workers())

    def broadcast(self, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
        """Return the values, and a future of them on every worker if they are large."""
        if sum(np.asarray(value).nbytes for value in values.values()) <= LARGEST_SENT:
            return values, None
        return values, self._scattered(dict(values), lambda again: {"broadcast": True})

    def submit(self, run: Run, task: Task, handle: tuple[Mapping[str, Any], Any]) -> Evaluation:
        """Ask for a task where the chunks of a run are; Dask does it elsewhere if that worker is gone."""
        loads = (run.worker, task.text) not in self._ran or any(
            not _is_there(self._held.get(chunk)) for chunk in run.chunks
        )
        chunks = [self._chunk(chunk, run.worker) for chunk in run.chunks]
        values, everywhere = handle
        remote = self._client.submit(
            self._module.run,
            run.first,
            len(run.table.chunks),
            task.plain,
            everywhere if _is_there(everywhere) else dict(values),
            *chunks,
            **_at(run.worker),
        )
        future: Future = Future()
        remote.add_done_callback(lambda done: _pass_on(done, future))
        self._ran.add((run.worker, task.text))
        return Evaluation(run, task, handle, future, loads, remote)

    def tree_sum(self, asked: Sequence[Evaluation], results: Mapping[str, str]) -> dict[str, Any]:
        """Return the results over all chunks when they are there, added on the workers."""
        count = len(asked[0].run.table.chunks)
        try:
            for _ in range(TRIES):
                answers = Waiting(asked, self._again, self._is_gone).first_answers()
                with suppress(*_cancelled()):  # a worker was lost with results that it had
                    return worker.whole(self._total(answers, count, results), count, results)
                asked = [self.submit(one.run, one.task, one.handle) for one in answers]
        except KeyboardInterrupt:
            self._client.cancel([one.remote for one in asked])
            raise
        raise ClusterError(
            f"Workers were lost with their results {TRIES} of {TRIES} times.",
            remedy="look at their memory first: chunks, and results for each of them, must fit.",
        )

    def close(self) -> None:
        """Close what was opened here; a client of the user's goes on, without what was uploaded to it."""
        self._held.clear()
        with suppress(Exception):  # the cluster may be gone
            self._client.unregister_worker_plugin(self._uploaded)
            self._client.unregister_scheduler_plugin(self._uploaded)
        if self._closes_client:
            self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _workers(self) -> list[Worker]:
        """Return the threads of the workers that are there, without those of slow ones if there are others."""
        if not self._known or time.monotonic() - self._asked_at > _FRESH:
            try:
                with stage("waiting for workers of Dask"):
                    self._client.wait_for_workers(1, timeout=RESTART)
            except TimeoutError:
                raise ClusterError(
                    f"The cluster has had no workers for {RESTART} seconds.", remedy="start some: dask worker ADDRESS."
                ) from None
            threads = self._client.nthreads()
            self._known = [(address, thread) for address in threads for thread in range(threads[address])]
            self._asked_at = time.monotonic()
        return [one for one in self._known if one[0] not in self._slow] or self._known

    def _is_gone(self, evaluation: Evaluation) -> bool:
        """Whether a worker is not there: Dask leaves what it had undone if there was no other at that time."""
        self._workers()
        return evaluation.run.worker[0] not in (address for address, _ in self._known)

    def _chunk(self, chunk: Chunk, home: Worker) -> Any:
        """Return the future of a chunk; one that is lost for good is sent, or loaded, again."""
        future = self._held.get(chunk)
        if not _is_there(future):
            kind, *args = chunk.recipe
            if kind == "arrays":
                future = self._sent(args[0], home)
            elif kind == "future":
                future = self._client.submit(self._module.loaded, ("arrays", args[0]), **_at(home))
            else:
                future = self._client.submit(self._module.loaded, chunk.recipe, **_at(home))
            self._held[chunk] = future
        return future

    def _sent(self, arrays: Mapping[str, np.ndarray], home: Worker) -> Any:
        """Send a chunk to a worker, or to any if that one was lost before or meanwhile."""
        return self._scattered(arrays, lambda again: {"workers": [self._workers()[0][0] if again else home[0]]})

    def _scattered(self, values: Mapping[str, Any], where: Callable[[bool], dict[str, Any]]) -> Any:
        """Return the future of values on the workers that `where` names, the first time and again."""
        for again in (False,) + (True,) * TRIES:
            try:
                return self._client.scatter([values], hash=False, **where(again))[0]
            except (KeyError, OSError) as error:  # no such worker, or it closed the connection
                lost = error
                self._asked_at = 0.0
                time.sleep(_NOTICED)
        raise ClusterError(
            f"Data could not be sent to workers of Dask, {1 + TRIES} times: {lost}",
            remedy="look at their memory and their logs first: chunks must fit.",
        )

    def _again(self, evaluation: Evaluation, late: bool) -> list[Evaluation]:
        """Ask for a run anew: where it was lost, or, if it was late, of the other workers from now on."""
        self._asked_at = 0.0
        home, runs = evaluation.run.worker, [evaluation.run]
        workers = [one for one in self._workers() if not late or one[0] != home[0]]
        if late and workers:
            self._slow.add(home[0])
            for chunk in evaluation.run.chunks:
                self._held.pop(chunk, None)
        if home not in workers:
            for chunk in evaluation.run.chunks:
                if chunk in self._held and self._held[chunk].status == "pending":
                    del self._held[chunk]  # Dask may wait for that worker
            runs = self._homes.move(evaluation.run, workers) if workers else []
        return [self.submit(run, evaluation.task, evaluation.handle) for run in runs]

    def _total(self, answers: list[Evaluation], count: int, results: Mapping[str, str]) -> Any:
        """Return the node of all chunks, of a few results here, or added up by tasks near them."""
        parts, steps = _cover(answers), dict(results)
        if len(parts) <= FEW:
            return worker.merged(self._client.gather([future for _, _, future in parts]), 0, count, count, results)
        while True:
            groups = [parts[first : first + FAN_IN] for first in range(0, len(parts), FAN_IN)]
            parts = [
                (
                    group[0][0],
                    group[-1][1],
                    self._client.submit(
                        self._module.merged,
                        [future for _, _, future in group],
                        group[0][0],
                        group[-1][1],
                        count,
                        steps,
                        pure=False,
                    ),
                )
                for group in groups
            ]
            if len(parts) == 1:
                return parts[0][2].result()


def _cover(answers: Sequence[Evaluation]) -> list[tuple[int, int, Any]]:
    """Return (first, last, future) of evaluations one after the other, without those that others have."""
    parts: list[tuple[int, int, Any]] = []
    position = 0
    while position < max(one.run.last for one in answers):
        one = max((one for one in answers if one.run.first <= position), key=lambda one: one.run.last)
        parts.append((position, one.run.last, one.remote))
        position = one.run.last
    return parts


def _at(home: Worker) -> dict[str, Any]:
    """Return where a task is done, if that worker is there."""
    return {"workers": [home[0]], "allow_other_workers": True, "pure": False}


def _is_there(future: Any) -> bool:
    return future is not None and future.status in ("pending", "finished")


def _cancelled() -> tuple[type[BaseException], ...]:
    from concurrent.futures import CancelledError

    from distributed.client import FutureCancelledError

    return CancelledError, FutureCancelledError


def _pass_on(remote: Any, future: Future) -> None:
    """Tell a future that a task on the cluster is done; its result stays there."""
    if not future.set_running_or_notify_cancel():
        return
    if remote.status == "finished":
        future.set_result(None)
    elif remote.status == "error":
        error = remote.exception()
        if type(error).__name__ == "KilledWorker":
            error = ClusterError(f"A task ended each of the workers that tried it: {error}")
        future.set_exception(error)
    else:
        future.set_exception(LostWorkerError("a worker of Dask was lost with data that it had been sent."))


def _by_thread(places: Sequence[str], workers: Sequence[Worker]) -> list[Worker]:
    """Return for chunks that are at some addresses which of the threads there has each."""
    threads: dict[str, list[Worker]] = {}
    for one in workers:
        threads.setdefault(one[0], []).append(one)
    homes, seen = [], dict.fromkeys(places, 0)
    for place in places:
        there = threads.get(place, [(place, 0)])
        homes.append(there[seen[place] * len(there) // places.count(place)])
        seen[place] += 1
    return homes


def _upload(client: Any, name: str) -> ModuleType:
    """Send `worker.py` to the scheduler and to all workers, those that come later too, and return it by that name."""
    from distributed.diagnostics.plugin import SchedulerUploadFile, UploadFile

    text = Path(worker.__file__).read_bytes()
    module = f"autoopt_worker_{hashlib.sha256(text).hexdigest()[:12]}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{module}.py"
        path.write_bytes(text)
        if module not in sys.modules:
            spec = importlib.util.spec_from_file_location(module, path)
            assert spec is not None and spec.loader is not None
            sys.modules[module] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[module])
        client.register_plugin(SchedulerUploadFile(str(path)), name=name)
        client.register_plugin(UploadFile(str(path)), name=name)
    return sys.modules[module]
