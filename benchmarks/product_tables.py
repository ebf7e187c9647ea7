"""Products with the Hessian beside NumPy by hand: for one direction, for 32 at once, and a whole point of Newton-CG.

    python -m benchmarks.product_tables                 all; about a minute
    python -m benchmarks.product_tables gp mixture      by their names

A product is at a point that is linearised already; "point" is value, gradient and the first product, where everything
is new. Limits: logistic 1.15 times its two matrix-vector products, the others 1.5 times by hand, 32 directions 8 times.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from autoopt.objectives.objective import Objective
from benchmarks.products import PRODUCTS, Products

LIMITS = {"logistic": 1.15, "gp": 1.5, "graphical": 1.5, "mixture": 1.5}
DIRECTIONS = 32


def seconds(functions: dict[str, Callable], budget: float = 1.0) -> dict[str, float]:
    """Return the least seconds that a call of each takes, in turns."""
    best = dict.fromkeys(functions, np.inf)
    begin, rounds = time.perf_counter(), 0
    while time.perf_counter() - begin < budget * len(functions) or rounds < 3:
        rounds += 1
        for name, call in functions.items():
            repeats = 1 if best[name] > 1e-3 else 20
            clock = time.perf_counter()
            for _ in range(repeats):
                call()
            best[name] = min(best[name], (time.perf_counter() - clock) / repeats)
    return best


def measured(row: Products, size: tuple[int, ...]) -> dict[str, float]:
    """Return the seconds of the products of one objective, by hand and derived."""
    rng = np.random.default_rng(0)
    x, data = row.start(rng, *size)
    p, many = rng.normal(size=x.size), rng.normal(size=(x.size, DIRECTIONS))
    f = Objective(row.objective, x, data)
    by_hand = row.linearise(x, *data)
    f.value_and_grad(x)
    for _ in range(5):
        for directions in (p, many):
            np.testing.assert_allclose(
                f.hessp(x, directions), by_hand(directions), rtol=1e-8, atol=1e-8 * abs(by_hand(p)).max()
            )
    functions: dict[str, Callable] = {
        "hand": lambda: by_hand(p),
        "hvp": lambda: f.hessp(x, p),
        "hand32": lambda: by_hand(many),
        "hvp32": lambda: f.hessp(x, many),
    }
    if row.name == "logistic":
        X = data[0]
        u = X @ p
        functions["matvecs"] = lambda: (X @ p, X.T @ u)
    points = iter(x * (1 + 1e-9 * k) for k in range(10**9))

    def point() -> None:
        z = next(points)
        f.value_and_grad(z)
        f.hessp(z, p)

    functions["gradient"] = lambda: f.value_and_grad(next(points))
    functions["linearise"] = lambda: row.linearise(x, *data)
    functions["point"] = point
    return seconds(functions)


def main(names: list[str]) -> None:
    """Print the table."""
    print(
        f"{'':12}{'hand':>10}{'hvp':>10}{'ratio':>7}{'limit':>7}{'x32/one':>9}{'hand32':>8}{'gradient':>10}{'point':>10}"
    )
    for name in names or PRODUCTS:
        row = PRODUCTS[name]
        times = measured(row, row.size)
        reference = times.get("matvecs", times["hand"])
        print(
            f"{name:12}{reference * 1e6:8.1f}us{times['hvp'] * 1e6:8.1f}us{times['hvp'] / reference:7.2f}"
            f"{LIMITS[name]:7.2f}{times['hvp32'] / times['hvp']:9.2f}{times['hand32'] / times['hand']:8.2f}"
            f"{times['gradient'] * 1e6:8.0f}us{times['point'] * 1e6:8.0f}us"
            f"{times['linearise'] * 1e6:10.0f}us"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
