"""autoopt from Python: derivatives, the code that computes them, and a solution, of plain NumPy.

To run it::

    python examples/api.py
"""

import numpy as np

import autoopt


def objective(x):
    """The Rosenbrock valley: its minimum, 0, is where every x is 1."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


x0 = np.array([-1.2, 1.0, -1.2, 1.0])

print("gradient at x0:", autoopt.grad(objective)(x0))
print("Hessian at x0:")
print(autoopt.hessian(objective)(x0))
print("What computes value and gradient:")
print(autoopt.source(objective, x0))

result = autoopt.minimize(objective, x0, method="newton-cg")
print(f"x = {result.x}, value {result.fun:.2e}, {result.nit} iterations: {result.message}")
