"""What fits of many rows take: seconds of the processor, and memory above that of the data.

    python -m benchmarks.memory                              all: about two minutes
    python -m benchmarks.memory sparse csv                   by parts of their names

Each case is a fresh process with one thread and empty caches. "data" is what the arrays take (of a file, its size);
"above" the peak of the process while it fits, less what it had when the data were there and autoopt was imported.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.processes import ROOT, THREADS, table

ROWS, COLUMNS = 1_000_000, 20


def design(dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """Return a design matrix and a response of 0 and 1."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, COLUMNS)).astype(dtype)
    return X, (rng.random(ROWS) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)


def indicators() -> tuple[sparse.csr_matrix, np.ndarray]:
    """Return a sparse matrix of 500 columns, of which each row has 10, and a response of 0 and 1."""
    rng = np.random.default_rng(0)
    places = rng.integers(0, 500, size=ROWS * 10)
    X = sparse.csr_matrix((np.ones(ROWS * 10), places, np.arange(0, ROWS * 10 + 1, 10)), shape=(ROWS, 500))
    X.sum_duplicates()
    return X, (rng.random(ROWS) < 0.5).astype(float)


def estimator(X: Any, y: np.ndarray) -> None:
    """Fit by the estimator."""
    from autoopt.models import LogisticRegression

    LogisticRegression().fit(X, y)


def total(beta: np.ndarray, X: np.ndarray, y: np.ndarray) -> Any:
    """Return minus the log-likelihood."""
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


def terms(beta: np.ndarray, X: np.ndarray, y: np.ndarray) -> Any:
    """Return minus the log-likelihood of each row."""
    eta = X @ beta
    return np.logaddexp(0, eta) - y * eta


def function(objective: Callable, **options: Any) -> Callable:
    """Return what fits a function of one's own."""

    def fit(X: np.ndarray, y: np.ndarray) -> None:
        import autoopt

        autoopt.fit(objective, np.zeros(COLUMNS), (X, y), kind="negative log-likelihood", **options)

    return fit


def file() -> tuple[str]:
    """Return a CSV file of ten columns."""
    path = Path(tempfile.gettempdir()) / f"autoopt-{os.getpid()}.csv"
    rng = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(",".join(f"c{k}" for k in range(10)) + "\n")
        for _ in range(20):
            np.savetxt(stream, rng.normal(size=(ROWS // 20, 10)), fmt="%.8f", delimiter=",")
    return (str(path),)


def from_file(path: str) -> None:
    """Fit least squares to three columns of ten."""
    import autoopt

    def residuals(p, c0, c1, c2):
        return c0 - p["a"] * c1 - p["b"] * c2 - p["c"]

    try:
        autoopt.fit(residuals, {"a": 0.0, "b": 0.0, "c": 0.0}, path, kind="least squares")
    finally:
        Path(path).unlink()


CASES: dict[str, tuple[Callable, Callable]] = {
    "LogisticRegression, float64": (design, estimator),
    "LogisticRegression, float32": (lambda: design("float32"), estimator),
    "LogisticRegression, sparse 1000000x500": (indicators, estimator),
    "fit of a sum": (design, function(total)),
    "fit of terms": (design, function(terms)),
    "fit of terms, robust": (design, function(terms, covariance="robust")),
    "fit of 3 of 10 columns of a csv file": (file, from_file),
}


def size(data: tuple) -> int:
    """Return the bytes of the data."""
    parts: list[Any] = []
    for one in data:
        parts += [one.data, one.indices, one.indptr] if sparse.issparse(one) else [one]
    return sum(Path(part).stat().st_size if isinstance(part, str) else part.nbytes for part in parts)


def memory(name: str) -> float:
    """Return what the process has (VmRSS) or had at most (VmHWM), in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def once(name: str) -> None:
    """Run one case in this process and print what it took."""
    import autoopt  # noqa: F401

    make, fit = CASES[name]
    data = make()
    bytes_ = size(data)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # from here on, the peak is that of the fit
    before, began = memory("VmRSS"), time.process_time()
    fit(*data)
    found = {"data": bytes_ / 2**20, "above": memory("VmHWM") - before, "seconds": time.process_time() - began}
    print(json.dumps(found))


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of what is measured")
    options = parser.parse_args(arguments)
    environment = dict(os.environ) | dict.fromkeys(THREADS, "1") | {"PYTHONPATH": str(ROOT)}
    lines = []
    for name in CASES:
        if options.names and not any(part in name for part in options.names):
            continue
        code = f"from benchmarks.memory import once; once({name!r})"
        command = [sys.executable, "-W", "ignore", "-c", code]
        with tempfile.TemporaryDirectory() as cache:
            environment["AUTOOPT_CACHE"] = cache
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        lines.append([name, f"{found['data']:.0f} MB", f"{found['above']:.0f} MB", f"{found['seconds']:.1f} s"])
    table(f"Fits of {ROWS} rows, {COLUMNS} columns unless it is said", ["case", "data", "above", "processor"], lines)


if __name__ == "__main__":
    main()
