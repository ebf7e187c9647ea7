"""The Rosenbrock valley in ten dimensions, written as a loop: an objective without data.

To minimise it::

    autoopt fit examples/rosenbrock.py --method newton-cg
"""

import numpy as np


def objective(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


x0 = np.tile([-1.2, 1.0], 5)
