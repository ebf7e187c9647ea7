"""Processes of this machine as workers: each runs `worker.py` alone, and is asked through its standard input.

They are started by `subprocess`, not by `multiprocessing`, which would import the user's script once more in each. A
process that ends closes its output, by which it is known to be lost; another takes its place, with the same chunks.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from autoopt.clusters import worker
from autoopt.clusters.chunks import Chunk, Table, Task, shared
from autoopt.clusters.executor import Evaluation, Run
from autoopt.clusters.homes import Homes
from autoopt.clusters.waiting import LostWorkerError, Waiting
from autoopt.stages import say
from autoopt.wording import times

THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What BLAS libraries read at their start: each process has one thread, as there is a process for every core."""

_TO_END = 1.0  # seconds that a process is given to end by itself


class Process:
    """A worker process: requests in, one after the other, and a future for each."""

    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(worker.__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": path},
        )
        self._asked: queue.SimpleQueue[tuple[tuple, Future] | None] = queue.SimpleQueue()
        self.is_lost = self._is_busy = False
        self.held: set[Chunk | str] = set()  # and the texts that it has run
        self._thread = threading.Thread(target=self._serve, name="autoopt-worker", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its number, for whoever looks at it from outside."""
        return self._process.pid

    def ask(self, request: tuple, loads: Iterable[Chunk | str] = ()) -> Future:
        """Return a future for the answer to a request, after which it has the chunks and the text that it loads."""
        future: Future = Future()
        future.add_done_callback(lambda done: None if _failed(done) else self.held.update(loads))
        self._asked.put((request, future))
        return future

    def forget(self, chunks: Iterable[Chunk]) -> None:
        """Drop chunks of a table that is no longer used."""
        gone = self.held.intersection(chunks)
        self.held -= gone
        if gone and not self.is_lost:
            self._asked.put((("forget", [id(chunk) for chunk in gone]), Future()))

    def _serve(self) -> None:
        """Pass on one request after the other, in a thread of its own."""
        for request, future in iter(self._asked.get, None):
            if not future.set_running_or_notify_cancel():
                continue
            try:
                message = pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)
                reply = self._exchange(message)
            except Exception as error:
                future.set_exception(error)
                continue
            if reply[0] == "done":
                future.set_result(reply[1])
            else:
                raised = worker.carried(*reply[1:4])
                raised.add_note(f"In a worker of autoopt:\n{reply[4]}")
                future.set_exception(raised)

    def _exchange(self, message: bytes) -> tuple:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._is_busy = True
        try:
            self._process.stdin.write(message)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self.is_lost = True
            raise LostWorkerError(f"a process ended with status {self._process.wait()}.") from None
        finally:
            self._is_busy = False

    def close(self) -> None:
        """End it: an idle one ends as it is asked nothing more, one that is at work is killed."""
        self._asked.put(None)
        assert self._process.stdin is not None and self._process.stdout is not None
        if self._is_busy or self.is_lost:
            self._process.kill()
        else:
            self._process.stdin.close()
        try:
            self._process.wait(_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()


class Processes:
    """An executor of so many processes of this machine; they start when they are first asked."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._processes: dict[int, Process] = {}
        self._homes = Homes()
        self._slow: set[int] = set()
        self._finalizer = weakref.finalize(self, _close, self._processes)

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def hold(self, data: Mapping[str, Any], axes: Mapping[str, int] | None = None) -> Table:
        """Return arrays as a table in memory that all processes share."""
        return shared(data, axes or {})

    def runs(self, table: Table) -> list[Run]:
        """Return who has which chunks now."""
        if table not in self._homes:  # its chunks are dropped with it
            weakref.finalize(table, _forget, self._processes, table.chunks)
            if (chunks := len(table.chunks)) < self._number:
                say(lambda: f"{chunks} of {self._number} processes will do: the data have {times(chunks, 'chunk')}")
        return self._homes.runs(table, self._workers())

    def broadcast(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the values themselves: they travel with each request."""
        return values

    def submit(self, run: Run, task: Task, handle: Any) -> Evaluation:
        """Ask the process of a run; a new one takes the place of one that is lost."""
        process = self._processes.get(run.worker)
        if process is None or process.is_lost:
            if process is not None:
                process.close()
            process = self._processes[run.worker] = Process()
        missing = [chunk for chunk in run.chunks if chunk not in process.held]
        is_new = task.text not in process.held
        recipes = {id(chunk): chunk.recipe for chunk in missing}
        keys = [id(chunk) for chunk in run.chunks]
        request = ("run", recipes, keys, run.first, len(run.table.chunks), task.plain, handle)
        future = process.ask(request, [*missing, task.text])
        return Evaluation(run, task, handle, future, loads=bool(recipes) or is_new)

    def tree_sum(self, asked: Sequence[Evaluation], results: Mapping[str, str]) -> dict[str, Any]:
        """Return the results over all chunks when they are there."""
        count = len(asked[0].run.table.chunks)
        try:
            answers = Waiting(asked, self._again).first_answers()
        except KeyboardInterrupt:
            self.close()
            raise
        nodes = worker.merged([one.future.result() for one in answers], 0, count, count, results)
        return worker.whole(nodes, count, results)

    def close(self) -> None:
        """End the processes; the next evaluation starts others."""
        _close(self._processes)
        self._slow.clear()

    def _workers(self) -> list[int]:
        return [number for number in range(self._number) if number not in self._slow] or list(range(self._number))

    def _again(self, evaluation: Evaluation, late: bool) -> list[Evaluation]:
        """Ask for a run anew: of a process in the same place, or, if it was late, of the others from now on."""
        runs = [evaluation.run]
        if late:
            self._slow.add(evaluation.run.worker)
            others = [number for number in self._workers() if number != evaluation.run.worker]
            runs = self._homes.move(evaluation.run, others) if others else []
        return [self.submit(run, evaluation.task, evaluation.handle) for run in runs]


def _failed(future: Future) -> bool:
    return future.cancelled() or future.exception() is not None


def _forget(processes: dict[int, Process], chunks: Sequence[Chunk]) -> None:
    for process in processes.values():
        process.forget(chunks)


def _close(processes: dict[int, Process]) -> None:
    while processes:
        _, process = processes.popitem()
        process.close()
