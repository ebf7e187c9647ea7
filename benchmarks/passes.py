"""How often methods go through the rows: values with gradients, Hessians and products of a whole fit.

    python -m benchmarks.passes                          all: half a minute
    python -m benchmarks.passes logistic                 by parts of their names

Each from the start to autoopt's own tolerances. A pass gives one value and gradient, one Hessian, or one product; the
last column has what is left if a Hessian comes from the same pass as the gradient at its point. "x 100" has columns
whose scales go from 1 to 100, "correlated" those that have 0.9 in common. The counts hardly depend on the rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

import autoopt
from benchmarks import hessian_models, problems
from benchmarks.processes import table
from benchmarks.row_models import SEED, logistic

ROWS, COLUMNS = 20_000, 50
METHODS = ("l-bfgs-b", "bfgs", "newton-cg", "trust-krylov", "trust-exact", "trust-region")


def scaled(start: Callable) -> Callable:
    """Return a start whose columns have scales from 1 to 100."""

    def scales(rng: np.random.Generator, rows: int, columns: int) -> tuple[np.ndarray, tuple]:
        x0, (X, *others) = start(rng, rows, columns)
        return x0, (X * np.geomspace(1, 100, columns), *others)

    return scales


def correlated(start: Callable) -> Callable:
    """Return a start whose columns have 0.9 in common."""

    def common(rng: np.random.Generator, rows: int, columns: int) -> tuple[np.ndarray, tuple]:
        x0, (X, *others) = start(rng, rows, columns)
        return x0, (np.sqrt(0.1) * X + np.sqrt(0.9) * rng.normal(size=(rows, 1)), *others)

    return common


CASES: dict[str, tuple[Callable, Callable, tuple[int, ...]]] = {
    "logistic": (logistic, problems.logistic_start, (COLUMNS,)),
    "logistic, x 100": (logistic, scaled(problems.logistic_start), (COLUMNS,)),
    "logistic, correlated": (logistic, correlated(problems.logistic_start), (COLUMNS,)),
    "poisson": (problems.poisson, problems.poisson_start, (COLUMNS,)),
    "negative binomial": (hessian_models.negative_binomial, hessian_models.negative_binomial_start, (10,)),
    "ordinal": (hessian_models.ordinal, hessian_models.ordinal_start, (10, 5)),
    "softmax": (problems.softmax, problems.softmax_start, (20, 5)),
}


def counts(result: Any) -> tuple[int, int, int]:
    """Return how many values, Hessians and products a run has taken."""
    products = result.nhvp
    return result.nfev, result.nhev - products, products


def row(name: str, method: str) -> list[str]:
    """Return the cells of one fit."""
    f, start, size = CASES[name]
    x0, data = start(np.random.default_rng(SEED), ROWS, *size)
    result = autoopt.minimize(f, x0, args=data, method=method)
    values, hessians, products = counts(result)
    converged = "" if result.success else " (not converged)"
    numbers = [result.nit, values, hessians, products, values + hessians + products, values + products]
    return [name, method + converged, *map(str, numbers)]


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, fit and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.passes", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of models")
    options = parser.parse_args(arguments)
    chosen = [name for name in CASES if not options.names or any(part in name for part in options.names)]
    head = ["model", "method", "iterations", "values", "Hessians", "products", "passes", "at once"]
    table(f"Passes over {ROWS} rows", head, [row(name, method) for name in chosen for method in METHODS])


if __name__ == "__main__":
    main()
