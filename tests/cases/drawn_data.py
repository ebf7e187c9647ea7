"""Data of the fits that pictures and reports are made of, and a model of each kind."""

import numpy as np

rng = np.random.default_rng(16)
X = np.column_stack([np.ones(300), rng.normal(size=(300, 2))])
Y = (rng.random(300) < 1 / (1 + np.exp(-X @ [0.3, 1.0, -1.0]))).astype(int)
T = np.linspace(0.1, 4, 40)
Z = 2 * np.exp(-1.3 * T) + 0.05 * rng.normal(size=40)


def decay(p, t, z):
    return z - p["a"] * np.exp(-p["rate"] * t)
