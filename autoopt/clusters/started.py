"""A scheduler of Dask in this process, and workers of it as processes that do not import the user's script.

Dask's own LocalCluster starts them by `multiprocessing`, which runs a script without `if __name__ == "__main__"` once
more in each. Here a command is started for each: a nanny, which starts its worker again when it dies.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from typing import Any

_TO_END = 5.0
"""Seconds that a nanny is given to end by itself, and its worker."""

_LOOK = 0.02


class _Command:
    """A nanny and its worker, of one thread, as processes of a session of their own: Ctrl-C is for whoever asks.

    With Dask's `ProcessInterface`, which has the rest of what a cluster looks at, it is what a cluster consists of.
    """

    def __init__(self, scheduler: str, name: int, memory_limit: int | None) -> None:
        self._options = {"name": name, "nthreads": 1, "memory_limit": memory_limit, "dashboard": False}
        self._scheduler = scheduler
        self._process: Any = None
        super().__init__()

    async def start(self) -> None:
        """Start it; it comes to the scheduler by itself."""
        described = json.dumps({"cls": "distributed.Nanny", "opts": self._options})
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dask", "spec", self._scheduler, "--spec", described],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path, "PYTHONSAFEPATH": "1", "DASK_LOGGING__DISTRIBUTED": "error"},
            start_new_session=True,
        )
        await super().start()  # type: ignore[misc]

    async def close(self) -> None:
        """End it, and with it its worker, which looks whether it is there."""
        self._process.terminate()
        left = _TO_END
        while self._process.poll() is None and left > 0:
            await asyncio.sleep(_LOOK)
            left -= _LOOK
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        await super().close()  # type: ignore[misc]


def cluster_of(number: int) -> Any:
    """Return a `distributed.SpecCluster` of so many workers, which come within seconds."""
    from distributed import Scheduler
    from distributed.deploy.spec import ProcessInterface, SpecCluster
    from distributed.system import MEMORY_LIMIT

    command = type("Command", (_Command, ProcessInterface), {})
    options = {"memory_limit": MEMORY_LIMIT // max(number, 1)}
    return SpecCluster(
        workers={place: {"cls": command, "options": {"name": place} | options} for place in range(number)},
        scheduler={
            "cls": Scheduler,
            "options": {"host": "127.0.0.1", "port": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"},
        },
        name="autoopt",
        silence_logs=logging.ERROR,
    )
