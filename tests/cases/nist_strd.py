"""NIST's reference data sets for nonlinear regression (StRD): data, both starts and certified values, with the models.

`tests/data/nist_strd.txt` has the numbers. The models are written as one hands them to `curve_fit`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_FILE = Path(__file__).parents[1] / "data" / "nist_strd.txt"


@dataclass(frozen=True)
class Reference:
    """One data set: x (m,) or (k, m), y (m,), and of the n parameters starts, certified values and deviations (n,)."""

    x: np.ndarray
    y: np.ndarray
    starts: tuple[np.ndarray, np.ndarray]
    certified: np.ndarray
    deviations: np.ndarray
    squares: float


def _exponential_and_peaks(x, b1, b2, b3, b4, b5, b6, b7, b8):
    return b1 * np.exp(-b2 * x) + b3 * np.exp(-((x - b4) ** 2) / b5**2) + b6 * np.exp(-((x - b7) ** 2) / b8**2)


def _three_exponentials(x, b1, b2, b3, b4, b5, b6):
    return b1 * np.exp(-b2 * x) + b3 * np.exp(-b4 * x) + b5 * np.exp(-b6 * x)


def _rational(x, b1, b2, b3):
    return np.exp(-b1 * x) / (b2 + b3 * x)


def _cubics(x, b1, b2, b3, b4, b5, b6, b7):
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def _enso(x, b1, b2, b3, b4, b5, b6, b7, b8, b9):
    yearly = b2 * np.cos(2 * np.pi * x / 12) + b3 * np.sin(2 * np.pi * x / 12)
    second = b5 * np.cos(2 * np.pi * x / b4) + b6 * np.sin(2 * np.pi * x / b4)
    return b1 + yearly + second + b8 * np.cos(2 * np.pi * x / b7) + b9 * np.sin(2 * np.pi * x / b7)


MODELS = {
    "Bennett5": lambda x, b1, b2, b3: b1 * (b2 + x) ** (-1 / b3),
    "BoxBOD": lambda x, b1, b2: b1 * (1 - np.exp(-b2 * x)),
    "Chwirut1": _rational,
    "Chwirut2": _rational,
    "DanWood": lambda x, b1, b2: b1 * x**b2,
    "ENSO": _enso,
    "Eckerle4": lambda x, b1, b2, b3: b1 / b2 * np.exp(-0.5 * ((x - b3) / b2) ** 2),
    "Gauss1": _exponential_and_peaks,
    "Gauss2": _exponential_and_peaks,
    "Gauss3": _exponential_and_peaks,
    "Hahn1": _cubics,
    "Kirby2": lambda x, b1, b2, b3, b4, b5: (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2),
    "Lanczos1": _three_exponentials,
    "Lanczos2": _three_exponentials,
    "Lanczos3": _three_exponentials,
    "MGH09": lambda x, b1, b2, b3, b4: b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4),
    "MGH10": lambda x, b1, b2, b3: b1 * np.exp(b2 / (x + b3)),
    "MGH17": lambda x, b1, b2, b3, b4, b5: b1 + b2 * np.exp(-x * b4) + b3 * np.exp(-x * b5),
    "Misra1a": lambda x, b1, b2: b1 * (1 - np.exp(-b2 * x)),
    "Misra1b": lambda x, b1, b2: b1 * (1 - (1 + b2 * x / 2) ** (-2)),
    "Misra1c": lambda x, b1, b2: b1 * (1 - (1 + 2 * b2 * x) ** (-0.5)),
    "Misra1d": lambda x, b1, b2: b1 * b2 * x * ((1 + b2 * x) ** (-1)),
    "Nelson": lambda x, b1, b2, b3: b1 - b2 * x[0] * np.exp(-b3 * x[1]),  # of the logarithm of y
    "Rat42": lambda x, b1, b2, b3: b1 / (1 + np.exp(b2 - b3 * x)),
    "Rat43": lambda x, b1, b2, b3, b4: b1 / ((1 + np.exp(b2 - b3 * x)) ** (1 / b4)),
    "Roszman1": lambda x, b1, b2, b3, b4: b1 - b2 * x - np.arctan(b3 / (x - b4)) / np.pi,
    "Thurber": _cubics,
}
"""f(x, b1, ..., bn) by the name of the data set."""


@functools.cache
def reference(name: str) -> Reference:
    """Return the data set of a name; y of Nelson as its logarithm, as the model has it."""
    section = _FILE.read_text(encoding="utf-8").split(f"[{name}]\n")[1].split("[")[0]
    rows = {}
    for line in section.splitlines():
        label, _, numbers = line.partition(" ")
        rows[label] = np.array(numbers.split(), dtype=float)
    y = np.log(rows["y"]) if name == "Nelson" else rows["y"]
    x = rows["x1"] if "x2" not in rows else np.stack([rows["x1"], rows["x2"]])
    starts = rows["start1"], rows["start2"]
    return Reference(x, y, starts, rows["certified"], rows["deviations"], float(rows["squares"][0]))


def digits(found: np.ndarray, certified: np.ndarray) -> float:
    """Return the number of digits in which the worst entry agrees, at most 11, as many as NIST certifies."""
    error = np.abs(np.asarray(found) - certified) / np.abs(certified)
    return float(-np.log10(max(np.max(error), 1e-11))) if np.isfinite(error).all() else 0.0
