"""Logistic and Poisson regression in fresh processes, beside scikit-learn and glum, to the same gradient norm.

    python -m benchmarks.estimator_tables                    two models, three and four sizes: about six minutes
    python -m benchmarks.estimator_tables 200000             by parts of their names
    python -m benchmarks.estimator_tables --threads 2 --rounds 9

Each process imports the tool and fits once; making and loading the data does not count, starting Python does; then it
fits again. Tools take turns. Their tolerances are such that the largest entry of the mean gradient, which each process
computes by NumPy, is below 1e-8 for all; autoopt also computes standard errors, the others do not. What must hold: at
most 1.0 times the faster of scikit-learn (newton-cholesky and lbfgs) and glum, in seconds of the processor and by the
clock on the wall; logistic regression of 1000000x50 at most 0.6 times.
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
from statistics import median
from typing import Any

import numpy as np

from benchmarks.processes import ROOT, THREADS, table

SIZES = ((10_000, 50), (200_000, 20), (1_000_000, 20))
CASES = [(kind, *size) for kind in ("logistic", "poisson") for size in SIZES] + [("logistic", 1_000_000, 50)]
GRADIENT = 1e-8


def autoopt(kind: str, X: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """Fit by autoopt."""
    from autoopt.models import LogisticRegression, LogLinearRegression

    model = (LogisticRegression if kind == "logistic" else LogLinearRegression)().fit(X, y)
    return model.intercept_, model.coef_


def scikit_learn(kind: str, X: np.ndarray, y: np.ndarray, solver: str = "newton-cholesky") -> tuple[Any, Any]:
    """Fit by scikit-learn without a penalty."""
    from sklearn.linear_model import LogisticRegression, PoissonRegressor

    tol = 1e-6 if solver == "newton-cholesky" else 1e-9
    if kind == "logistic":
        model = LogisticRegression(C=np.inf, solver=solver, tol=tol, max_iter=1000).fit(X, y)
    else:
        model = PoissonRegressor(alpha=0, solver=solver, tol=tol, max_iter=1000).fit(X, y)
    return model.intercept_, model.coef_


def lbfgs(kind: str, X: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """Fit by scikit-learn's L-BFGS."""
    return scikit_learn(kind, X, y, "lbfgs")


def glum(kind: str, X: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """Fit by glum without a penalty."""
    from glum import GeneralizedLinearRegressor

    family = {"logistic": "binomial", "poisson": "poisson"}[kind]
    model = GeneralizedLinearRegressor(family=family, alpha=0, gradient_tol=1e-6).fit(X, y)
    return model.intercept_, model.coef_


TOOLS: dict[str, Callable] = {"autoopt": autoopt, "newton-cholesky": scikit_learn, "lbfgs": lbfgs, "glum": glum}


def data(kind: str, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a design matrix and a response."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    eta = X @ rng.normal(size=columns) / np.sqrt(columns) - 0.5
    if kind == "logistic":
        return X, (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(float)
    return X, rng.poisson(np.exp(eta)).astype(float)


def once(tool: str, kind: str, folder: str, began: float) -> None:
    """Fit in this process and tell what it took since it began, without loading the data."""
    clocks = time.time(), time.process_time()
    X, y = np.load(f"{folder}/X.npy"), np.load(f"{folder}/y.npy")
    wall, processor = time.time() - clocks[0], time.process_time() - clocks[1]
    intercept, coef = TOOLS[tool](kind, X, y)
    wall, processor = time.time() - began - wall, time.process_time() - processor
    before = time.process_time()
    TOOLS[tool](kind, X, y)
    again = time.process_time() - before
    eta = X @ np.ravel(coef) + np.ravel(intercept)[0]
    residuals = (1 / (1 + np.exp(-eta)) if kind == "logistic" else np.exp(eta)) - y
    gradient = max(abs(residuals.mean()), np.abs(X.T @ residuals).max() / len(y))
    print(json.dumps({"wall": wall, "processor": processor, "gradient": gradient, "again": again}))


def measured(kind: str, rows: int, columns: int, threads: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the medians of each tool, which take turns."""
    found: dict[str, list[dict]] = {tool: [] for tool in TOOLS}
    environment = dict(os.environ) | dict.fromkeys(THREADS, str(threads)) | {"PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        for name, array in zip("Xy", data(kind, rows, columns), strict=True):
            np.save(f"{folder}/{name}.npy", array)
        for _ in range(rounds):
            for tool in TOOLS:
                call = f"once({tool!r}, {kind!r}, {folder!r}, {time.time()})"
                code = f"from benchmarks.estimator_tables import once\n{call}"
                command = [sys.executable, "-W", "ignore", "-c", code]
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=folder)
                found[tool].append(json.loads(done.stdout.splitlines()[-1]))
    return {tool: {name: median(one[name] for one in each) for name in each[0]} for tool, each in found.items()}


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimator_tables", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of what is measured")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    lines = []
    for kind, rows, columns in CASES:
        name = f"{kind} {rows}x{columns}"
        if options.names and not any(part in name for part in options.names):
            continue
        found = measured(kind, rows, columns, options.threads, options.rounds)
        for tool, one in found.items():
            is_peer = tool != "autoopt"
            ratios = [f"{found['autoopt'][clock] / one[clock]:.2f}" if is_peer else "" for clock in _CLOCKS]
            seconds = [f"{one[clock]:.2f} s" for clock in (*_CLOCKS, "again")]
            close = "" if one["gradient"] <= GRADIENT else " (too large)"
            lines.append([name, tool, *seconds, *ratios, f"{one['gradient']:.0e}{close}"])
    head = ["model", "tool", "processor", "wall", "once more", "autoopt / it", "wall", "mean gradient"]
    threads = f"{options.threads} thread{'s' if options.threads > 1 else ''}"
    table(f"Regressions in fresh processes, {threads}, medians of {options.rounds}", head, lines)


_CLOCKS = ("processor", "wall")

if __name__ == "__main__":
    main()
