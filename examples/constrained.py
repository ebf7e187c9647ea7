"""A hanging chain: least potential energy where every link keeps its length, constraints written as plain NumPy.

The Jacobian of the 24 lengths, and the Hessian of the Lagrangian for the methods that use it, are derived, as the
gradient of the energy is. To run it::

    python examples/constrained.py
"""

import numpy as np
from scipy.optimize import brentq

import autoopt
from autoopt.solvers import SOLVERS

LINKS, LENGTH, SPAN = 24, 2.0, 1.2
LINK = LENGTH / LINKS


def joints(x):
    """The places of all joints, shape (LINKS + 1, 2): those of the ends are fixed."""
    ends = np.array([[0.0, 0.0], [SPAN, 0.0]])
    return np.concatenate([ends[:1], x.reshape(-1, 2), ends[1:]])


def energy(x):
    """The mean height of the chain: every link weighs the same."""
    height = joints(x)[:, 1]
    return np.mean((height[1:] + height[:-1]) / 2)


def stretch(x):
    """By how much the square of each link's length differs from what it is, relative to it: 0 for all."""
    return np.sum(np.diff(joints(x), axis=0) ** 2, axis=1) / LINK**2 - 1.0


def height_of_lowest_joint():
    """Statics: the slopes of the links are equidistant, by the weight of a link over the horizontal force."""
    numbers = np.arange(LINKS) - (LINKS - 1) / 2

    def excess(step):
        return np.sum(1 / np.sqrt(1 + (step * numbers) ** 2)) * LINK - SPAN

    slopes = brentq(excess, 1e-3, 1e3, xtol=1e-14) * numbers
    return np.min(np.cumsum(LINK * slopes / np.sqrt(1 + slopes**2)))


across = np.linspace(0, SPAN, LINKS + 1)
depth = np.sqrt(LENGTH**2 - SPAN**2) / 2
start = np.stack([across, -depth * (1 - np.abs(2 * across / SPAN - 1))], axis=1)[1:-1].reshape(-1)  # pulled to a V

for method in ("slsqp", "trust-constr", "ipopt"):
    if not SOLVERS[method].is_installed:  # pip install "autoopt[ipopt]"
        continue
    result = autoopt.minimize(energy, start, method=method, constraints={"type": "eq", "fun": stretch})
    lowest = joints(result.x)[:, 1].min()
    print(f"{method:13} lowest joint at {lowest:.8f} after {result.nit} iterations: {result.message}")
    assert result.success and abs(lowest - height_of_lowest_joint()) < 1e-6

print(f"statics       lowest joint at {height_of_lowest_joint():.8f}")
