"""Where do the strengths of a paste differ, between batches or between casks of one? A mixed model by likelihood.

Ten batches, three casks of each, measured twice (Davies and Goldsmith 1972, which lme4 ships as Pastes). To run it::

    python examples/mixed_model.py
"""

from pathlib import Path

import numpy as np

import autoopt

FILE = Path(__file__).parent / "data" / "pastes.csv"


def indicators(labels):
    """Return a column for each label, with ones in its rows."""
    return (labels[:, np.newaxis] == np.unique(labels)).astype(float)


def data():
    """Return the strengths (60,), and the indicators of batches (60, 10) and of casks (60, 30)."""
    table = np.genfromtxt(FILE, delimiter=",", names=True, dtype=None, encoding="utf-8")
    return table["strength"], indicators(table["batch"]), indicators(table["sample"])


def strength(p, y, B, C):
    """Return minus the log-likelihood: normal, of one covariance matrix."""
    V = p["batch"] ** 2 * B @ B.T + p["cask"] ** 2 * C @ C.T + p["error"] ** 2 * np.eye(len(y))
    r = y - p["mean"]
    return 0.5 * (np.linalg.slogdet(V)[1] + r @ np.linalg.solve(V, r) + len(y) * np.log(2 * np.pi))


def fitted():
    """Return the fit; standard deviations are positive."""
    start = {"mean": 60.0, "batch": 1.0, "cask": 1.0, "error": 1.0}
    limits = {name: (0.0, None) for name in ["batch", "cask", "error"]}
    return autoopt.fit(strength, start, data(), kind="negative log-likelihood", bounds=limits)


if __name__ == "__main__":
    fit = fitted()
    print(f"deviance {-2 * fit.llf:.2f}")
    intervals = fit.conf_int(method="profile")
    for name, value, (low, high) in zip(fit.names, fit.params, intervals, strict=True):
        print(f"{name:>5}  {value:8.4f}  profile interval {low:8.4f} to {high:8.4f}")
