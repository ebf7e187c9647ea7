"""Programs whose loops no pass makes shorter."""

from __future__ import annotations

import numpy as np


def irregular(p):
    s, functions = 0.0, (np.cos, np.sin, np.tanh, np.exp)
    for i in range(30):
        s = np.sin(s) * p[i % len(p)] + functions[(i * i * 7 + i // 5) % 4](s * 0.1)
    return s
