"""Fresh processes with empty caches for what is measured cold, and plain-text tables of what they found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

WALL, START = 5, 30
"""The clock on the wall may show so many times the seconds of the processor that are given, and so many more."""
ROOT = Path(__file__).resolve().parents[1]
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def fresh(
    module: str, call: str, limit: float, tree: str | None = None, cache: str | None = None, threads: int = 1
) -> dict[str, Any]:
    """Return what `call`, an expression of `module`, has told by `say` in a process of its own.

    Parameters
    ----------
    limit : float
        Seconds of the processor after which it is given up; what it has told until then counts.
    tree : str, optional
        A source tree whose `autoopt` is imported, in place of this one's; `module` is always this one's.
    cache : str, optional
        A folder for autoopt's cache; an empty one by default.
    threads : int
        Of BLAS, OpenMP and numba.

    Returns
    -------
    dict
        "reason" says why there is no more, if the process did not come to its end.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ) | dict.fromkeys(THREADS, str(threads))
        environment |= {"AUTOOPT_CACHE": cache or f"{folder}/autoopt"}
        environment |= {"NUMBA_CACHE_DIR": f"{folder}/numba", "PYTENSOR_FLAGS": f"base_compiledir={folder}/pytensor"}
        code = f"import sys\nsys.path[:0] = [{tree or str(ROOT)!r}]\nimport autoopt\nsys.path[0] = {str(ROOT)!r}\n"
        command = [sys.executable, "-W", "ignore", "-c", f"{code}from {module} import *\n{call}"]
        with open(f"{folder}/told", "w+") as told, open(f"{folder}/errors", "w+") as errors:
            process = subprocess.Popen(command, env=environment, stdout=told, stderr=errors, cwd=folder)
            given_up = not _ended(process, limit)
            told.seek(0)
            errors.seek(0)
            lines, complaints = told.read().splitlines(), errors.read().strip().splitlines()
    found: dict[str, Any] = {}
    for line in lines:
        if line.startswith("{"):
            found |= json.loads(line)
    if given_up:
        found["reason"] = f"> {limit:.0f} s"
    elif process.returncode:
        last = complaints[-1] if complaints else "killed"
        print(f"{call}: {last}", file=sys.stderr, flush=True)
        found["reason"] = last.split(":")[0].split(".")[-1]
    return found


def _ended(process: subprocess.Popen, limit: float) -> bool:
    """Wait for a process; return False if it was ended for its time."""
    began = time.monotonic()
    while process.poll() is None:
        # not by a limit of resources: one makes the clock of the process tick in 4 ms
        if _processor(process.pid) > limit or time.monotonic() - began > WALL * limit + START:
            process.kill()
            process.wait()
            return False
        time.sleep(0.02)
    return True


def _processor(pid: int) -> float:
    """Return the seconds of the processor that a process has had (Linux), 0 if it is not there any more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(**numbers: Any) -> None:
    """Tell the parent some numbers."""
    print(json.dumps(numbers), flush=True)


def seconds(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call returns, and its seconds of the processor."""
    began = time.process_time()
    found = call()
    return found, time.process_time() - began


def table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table in reStructuredText."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    bar = "  ".join("=" * width for width in widths)
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    print(f"\n{title}\n{'-' * len(title)}\n\n" + "\n".join([bar, text[0], bar, *text[1:], bar]), flush=True)


def cell(found: dict[str, Any], key: str, digits: str = ".3g") -> str:
    """Return one number, or why it is not there."""
    return f"{found[key]:{digits}}" if found.get(key) is not None else str(found.get("reason", "-"))


def tells_tree() -> None:
    """Tell where `autoopt` comes from."""
    import autoopt

    say(tree=str(Path(autoopt.__file__).resolve().parents[1]))
