"""Passes over rows written by hand, as plans print them: logistic value and gradient, Hessian, two-pass logsumexp."""

from pathlib import Path

import numpy as np

from autoopt.execution.blocks.plan import RowPass

LOGISTIC = """
import numpy as np


def value_and_grad(w, X, y):
    z = X @ w
    e = np.exp(-np.abs(z))
    softplus = np.maximum(z, 0.0) + np.log1p(e)
    p = np.where(z > 0.0, 1.0, e) / (1.0 + e)
    return {"value": np.sum(softplus) - y @ z, "gradient": X.T @ (p - y)}


def hessian(w, X):
    z = X @ w
    e = np.exp(-np.abs(z))
    weights = e / (1.0 + e) ** 2
    return {"hessian": X.T @ (weights[:, None] * X)}


def scores(w, X, y):
    return {"scores": (1.0 / (1.0 + np.exp(-(X @ w))) - y)[:, None] * X}
"""

LOGSUMEXP = """
import numpy as np


def largest(w, X):
    z = X @ w
    return {"largest": np.max(z), "finite": np.all(np.isfinite(z))}


def sums(w, largest, X):
    e = np.exp(X @ w - largest)
    return {"total": np.sum(e), "weighted": e @ X}
"""


VALUE_AND_GRAD = RowPass("value_and_grad", ("w",), ("X", "y"), {"value": "sum", "gradient": "sum"})
HESSIAN = RowPass("hessian", ("w",), ("X",), {"hessian": "sum"})
SCORES = RowPass("scores", ("w",), ("X", "y"), {"scores": "rows"})
LARGEST = RowPass("largest", ("w",), ("X",), {"largest": "max", "finite": "all"})
SUMS = RowPass("sums", ("w", "largest"), ("X",), {"total": "sum", "weighted": "sum"})


def data(rows: int, columns: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Return X and y of a logistic regression."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, columns))
    return {"X": X, "y": (rng.random(rows) < 0.5).astype(float)}


def mortal(token: Path, kind: int) -> tuple[str, RowPass]:
    """Return the logistic pass in which the worker that takes a token, a file, sends itself a signal."""
    text = f"""
import os


def mortal(w, X, y):
    try:
        os.unlink({str(token)!r})
    except FileNotFoundError:
        return value_and_grad(w, X, y)
    os.kill(os.getpid(), {int(kind)})
    return value_and_grad(w, X, y)
"""
    return LOGISTIC + text, RowPass("mortal", ("w",), ("X", "y"), VALUE_AND_GRAD.results)
