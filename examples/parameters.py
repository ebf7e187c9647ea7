"""A table of parameters: limits, a transform, one that is held and one that is tied; units that do not matter.

To run it::

    python examples/parameters.py
"""

import numpy as np

import autoopt
from autoopt import Parameter, Parameters

t = np.linspace(0.0, 4.0, 9)
counts = np.array([281, 205, 154, 117, 92, 74, 60, 52, 45])


def deviance(p):
    """Poisson counts of a decay in two components above a background."""
    mean = p["fast"] * np.exp(-p["rate"] * t) + p["slow"] * np.exp(-p["rate"] * t / 10) + p["background"]
    return np.sum(mean - counts * np.log(mean))


table = Parameters(
    fast=Parameter(200.0, lower=0.0),
    slow=Parameter(50.0, tied="fast / 4"),
    rate=Parameter(1.0, transform="log"),
    background=Parameter(20.0, fixed=True),
)
result = autoopt.minimize(deviance, table, scale="auto")
print(result.params)
print(f"value {result.fun:.6f}, {result.nit} iterations: {result.message}")
