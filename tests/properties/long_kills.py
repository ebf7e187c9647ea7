"""A fit that is killed (kill -9) at random moments goes on to the same answer; and a command for many of them.

    PYTHONPATH=tests:tests/properties python tests/properties/long_kills.py                 50 kills
    PYTHONPATH=tests:tests/properties python tests/properties/long_kills.py --count 5 --seed 7

Each begins a fit in a process of its own, with an empty cache of derived code, and kills it: every other one a random
time after it has begun, the others a random time after it has entered one of the phases below, however short that is.
What is left is gone on with, and one in three times that is killed, too. The end is compared with a fit that was left
alone: parameters and standard errors to 1e-6 of themselves, the value to rounding.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

MODEL = """
import numpy as np
kind = "negative log-likelihood"
method = "bfgs"
def x0(X):
    return np.zeros(X.shape[1])
def objective(beta, X, y):
    z = X @ beta
    return np.sum(np.logaddexp(0.0, z) - y * z) + 0.5 * np.sum(beta ** 2)
"""

PHASES = {
    "reading": "autoopt.fitting.modelfile.load",
    "beginning": "autoopt.runs.run.Run.begin",
    "tracing": "autoopt.objectives.original.trace",
    "compiling": "autoopt.execution.engines.compiled",
    "comparing the start": "autoopt.check.compare",
    "solving": "autoopt.solvers.problem.Problem.iterated",
    "looking at the solution": "autoopt.solvers.run.verdict",
    "comparing the solution": "autoopt.minimize.verified_solution",
    "standard errors": "autoopt.fitting.fit.with_covariance",
    "writing a checkpoint": "autoopt.runs.checkpoint.Writer.write",
    "writing a file": "autoopt.atomic.write",
    "moving a file": "os.replace",
    "ending": "autoopt.runs.run.Run.end",
}
"""What is called as a phase is entered, or again and again in it."""

_CHILD = """
import glob, sys
import long_kills
long_kills.killed_in(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
import autoopt
if glob.glob("run/checkpoint*.json"):
    autoopt.resume("run")
else:
    autoopt.fit("model.py", data="data.npz", run_dir="run")
"""


def killed_in(phase: str, delay: float, call: int) -> None:
    """Have this process killed some seconds after it has entered a phase for the n-th time."""
    if not phase:
        return
    import importlib

    owner, _, attribute = PHASES[phase].rpartition(".")
    try:
        place = importlib.import_module(owner)
    except ModuleNotFoundError:
        module, _, kind = owner.rpartition(".")
        place = getattr(importlib.import_module(module), kind)
    own, calls = getattr(place, attribute), []

    def entered(*args, **options):
        calls.append(None)
        if len(calls) == call:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return own(*args, **options)

    setattr(place, attribute, entered)


class Kills:
    """A folder with a model and its data, where fits are begun and killed."""

    def __init__(self, folder: Path, rows: int = 20_000) -> None:
        self.folder = folder
        (folder / "model.py").write_text(MODEL)
        rng = np.random.default_rng(1)
        X = rng.normal(size=(rows, 20)) @ np.diag(np.geomspace(0.1, 3.0, 20))
        y = rng.random(rows) < 1 / (1 + np.exp(-X @ rng.normal(size=20) / 3))
        np.savez(folder / "data.npz", X=X, y=y.astype(float))
        begin = time.perf_counter()
        self._run(folder / "whole", "", 0.0, 1, None)
        self.seconds = time.perf_counter() - begin
        self.whole = json.loads((folder / "whole" / "run" / "result.json").read_text())
        assert self.whole["status"] == "converged"

    def _run(self, place: Path, phase: str, delay: float, call: int, limit: float | None) -> int:
        """Begin a fit, or go on with it, in a process that is killed after so many seconds; return how it ended."""
        place.mkdir(exist_ok=True)
        for name in ("model.py", "data.npz"):
            if not (place / name).exists():
                (place / name).symlink_to(self.folder / name)
        settings = {**os.environ, "AUTOOPT_CACHE": str(place / "cache"), "OPENBLAS_NUM_THREADS": "1"}
        settings["PYTHONPATH"] = os.pathsep.join(path for path in (str(Path(__file__).parent), *sys.path) if path)
        command = [sys.executable, "-c", _CHILD, phase, str(delay), str(call)]
        with subprocess.Popen(command, cwd=place, env=settings, stderr=subprocess.PIPE, text=True) as process:
            try:
                _, said = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                process.kill()
                _, said = process.communicate()
        if process.returncode not in (0, -signal.SIGKILL) and "has ended" not in said:
            raise AssertionError(said)
        return process.returncode

    def one(self, number: int, rng: np.random.Generator) -> tuple[str, str]:
        """Kill one fit, or several times, and go on to the end; return where, and what is wrong ("" if nothing is)."""
        place, told = self.folder / f"{number}", []
        for again in range(4):
            if again and told == ["ended before"]:  # there was nothing to kill any more
                shutil.rmtree(place)
                told = []
            phase = "" if rng.random() < 0.5 else str(rng.choice(list(PHASES)))
            limit = None if phase else self.seconds * rng.random()
            ended = self._run(place, phase, 0.02 * rng.random(), 1 + int(rng.integers(4) ** 2), limit)
            told.append((phase or f"after {limit:.2f} s") if ended else "ended before")
            if ended and rng.random() < 2 / 3:
                break
        phase_left = self._left(place)
        self._run(place, "", 0.0, 1, None)
        return f"{', then '.join(told)} [{phase_left}]", self._fault(place)

    def _left(self, place: Path) -> str:
        """Return the phase that a kill has left."""
        from autoopt.runs.run import read

        try:
            point = read(place / "run").point
        except Exception:
            return "nothing was written yet"
        return f"{point.state}, {point.phase}, iterate {point.iteration}"

    def _fault(self, place: Path) -> str:
        found = json.loads((place / "run" / "result.json").read_text())
        if found["status"] != "converged":
            return f"the status is {found['status']}"
        for name, tolerance in (("params", 1e-6), ("bse", 1e-6), ("value", 1e-13)):
            one, other = np.array(found[name]), np.array(self.whole[name])
            if not np.allclose(one, other, rtol=tolerance, atol=0.0):
                return f"{name} differs by {np.max(np.abs(one - other) / np.abs(other)):.1e}"
        if left := [path.name for path in (place / "run").iterdir() if path.name.startswith(".")]:
            return f"files are left: {left}"
        return ""


def run(count: int, seed: int, tell: Callable[[str], None]) -> Counter:
    """Kill so many fits; return how many went on to the same answer."""
    counts: Counter = Counter()
    with tempfile.TemporaryDirectory(prefix="autoopt-kills-") as folder:
        kills, rng = Kills(Path(folder)), np.random.default_rng(seed)
        for number in range(count):
            where, fault = kills.one(number, rng)
            counts["wrong" if fault else "the same answer"] += 1
            tell(f"{number + 1:3d}  {where}: {fault or 'the same answer'}")
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begin = time.perf_counter()
    counted = run(options.count, options.seed, lambda line: print(line, flush=True))
    print(f"{dict(counted)} in {time.perf_counter() - begin:.0f} s")
    sys.exit(1 if counted["wrong"] else 0)
