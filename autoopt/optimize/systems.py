"""A system of equations as a root finder sees it: values and Jacobian, counted, the best point kept.

A trial point where the equations raise, or are NaN or inf, is not defined: the method sees ten times the values of the
best point there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt import differences
from autoopt.constraints.summed import Summed
from autoopt.errors import AutooptError, ObjectiveError
from autoopt.optimize.residuals import Residuals
from autoopt.users_code import UNDEFINED, users_code
from autoopt.verification.periodic import Periodic

_EPSILON = float(np.finfo(np.float64).eps)
_DENSE = 1500
"""With more parameters a Jacobian that is not sparse is asked for by products: factoring it would take seconds."""

_SMALLEST = 1e-8
"""The size of a parameter that starts and ends at 0, or nearer to it than this."""


class System:
    """f(x) = 0, shape (m,), of the flat vector x, shape (n,).

    Parameters
    ----------
    function : Residuals
        f with its Jacobian.
    x0 : ndarray, shape (n,)
    watch : Periodic, optional
        What looks at each point that is better than those before.

    Attributes
    ----------
    nfev, njev, nit : int
        Evaluations, and points that were better than those before.
    best, best_values : ndarray, shape (n,) and (m,)
        Where the largest value was smallest, in units of `scales`.
    scales : ndarray, shape (m,)
        The size of each value: that at x0, and what a change of x0 by its size makes of it.
    slopes_at_start : ndarray or sparse matrix, shape (m, n)
    undefined : list of str
        What happened at trial points that are not defined.
    """

    def __init__(self, function: Residuals, x0: np.ndarray, watch: Periodic | None = None) -> None:
        self.function, self.x0, self._watch = function, x0, watch
        self.nfev = self.njev = self.nit = 0
        self.undefined: list[str] = []
        self.best, self._at = x0, np.full(x0.shape, np.nan)
        first = self.tried(x0)
        assert first is not None  # the function has been called there
        self.first, self.best_values = first, first
        self.slopes_at_start = self.jacobian(x0)
        unit = differences.step_scale(x0)
        slopes = self.slopes_at_start
        sizes = np.abs(first) + (np.abs(slopes @ unit) if self.by_products else abs(slopes) @ unit)
        self.scales = np.where(sizes > 0, sizes, 1.0)
        self._least = self.size(first)

    @property
    def is_sparse(self) -> bool:
        """Whether the Jacobian is kept sparse."""
        return self.function.is_sparse

    @property
    def by_products(self) -> bool:
        """Whether the Jacobian is too large to be factored, and asked for by products."""
        return is_by_products(self.function)

    def values(self, x: np.ndarray) -> np.ndarray:
        """Return f(x), shape (m,); ten times that of the best point where it is not defined."""
        values = self.tried(np.array(x, dtype=np.float64).reshape(-1))
        if values is None:
            return 10.0 * self.best_values + np.where(self.best_values < 0, -1.0, 1.0)
        return values.copy()  # MINPACK writes into it

    def tried(self, x: np.ndarray) -> np.ndarray | None:
        """Return f(x), None where it is not defined."""
        if np.array_equal(x, self._at):
            return self._found
        self._at, self._found = x.copy(), self._evaluated(x)
        if self._found is not None and self.nfev > 1 and (size := self.size(self._found)) < self._least:
            self.best, self.best_values, self._least, self.nit = self._at, self._found, size, self.nit + 1
            if self._watch is not None:
                self._watch.look(self.best)
        return self._found

    def _evaluated(self, x: np.ndarray) -> np.ndarray | None:
        if not np.isfinite(x).all():
            self.undefined.append("fun was asked for at a point that is not finite")
            return None
        self.nfev += 1
        try:
            with np.errstate(all="ignore"), users_code("fun", ObjectiveError, passing=UNDEFINED):
                values = self.function.value(x)
        except UNDEFINED as error:
            if isinstance(error, AutooptError) or self.nfev == 1:
                raise
            self.undefined.append(f"fun raised {type(error).__name__}: {error}".rstrip(": "))
            return None
        if not np.isfinite(values).all():
            self.undefined.append(f"fun was {values[~np.isfinite(values)][0]}")
            return None
        return values

    def size(self, values: np.ndarray) -> float:
        """Return the norm of values, each in units of its scale."""
        scaled = np.abs(values / self.scales)
        largest = scaled.max() if scaled.size else 0.0
        if not largest:
            return 0.0
        scaled /= largest  # squares may underflow
        return float(largest * np.sqrt(scaled @ scaled))

    def is_worse(self, values: np.ndarray) -> bool:
        """Whether values are larger than those of the best point."""
        return self.size(values) > self._least

    def scaled(self, jacobian: Any) -> Any:
        """Return a Jacobian with each row in units of its value's scale."""
        if hasattr(jacobian, "multiply"):
            return jacobian.multiply(1.0 / self.scales[:, None]).tocsr()
        return jacobian / self.scales[:, None]

    def jacobian(self, x: np.ndarray) -> Any:
        """Return the Jacobian, shape (m, n): an array, a sparse matrix, or what gives products with it."""
        at = np.array(x, dtype=np.float64).reshape(-1)
        with users_code("jac", ObjectiveError):
            if self.by_products:
                return self._products(at)
            self.njev += 1
            return self.function.jacobian(at)

    def _products(self, x: np.ndarray) -> Any:
        from scipy.sparse.linalg import LinearOperator

        derived = self.function.derived
        assert derived is not None  # else there are no products
        shape = (self.function.count or 0, x.size)
        return LinearOperator(
            shape,
            matvec=lambda p: derived.jvp(x, np.ravel(p)),
            rmatvec=lambda w: derived.vjp(x, np.ravel(w)),
            dtype=np.float64,
        )

    def dense_jacobian(self, x: np.ndarray) -> np.ndarray:
        """Return the Jacobian as an array, shape (m, n)."""
        self.njev += 1
        with users_code("jac", ObjectiveError):
            return self.function.dense_jacobian(np.array(x, dtype=np.float64).reshape(-1))

    def units(self, x: np.ndarray) -> np.ndarray:
        """Return the size of each parameter at `x`, shape (n,)."""
        return np.maximum(np.maximum(np.abs(x), np.abs(self.x0)), _SMALLEST)

    def noise(self, x: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return what rounding is in each value, shape (m,): of its scale, and of the parameters, as values show."""
        rng = np.random.default_rng(0)
        unit = 2 * _EPSILON * self.units(x)
        moved = np.zeros(values.shape)
        for _ in range(4):
            there = self.tried(x + unit * rng.choice([-1.0, 1.0], x.size))
            if there is not None:
                moved = np.maximum(moved, np.abs(there - values))
        return np.maximum(moved, _EPSILON * self.scales)


def is_by_products(function: Residuals) -> bool:
    """Whether a Jacobian is too large to be factored, and is asked for by products."""
    return function.derived is not None and not function.is_sparse and function.start.size > _DENSE


class Weighted(Summed):
    """w . f(x) with weights of either sign, whose gradient is one product with the Jacobian."""

    def __init__(self, function: Residuals, x: np.ndarray) -> None:
        assert function.derived is not None  # else there are no products
        self._function = function
        self.structure, self.size = function.structure, x.size
        self.function, self.args = function.fun, function.args
        self.gradient_source, self.single = function.jacobian_source, function.derived.single
        rng = np.random.default_rng(3)
        slopes = np.abs(function.derived.jvp(x, differences.step_scale(x) * rng.choice([-1.0, 1.0], x.size)))
        self._weights = rng.choice([-1.0, 1.0], slopes.size) / np.where(slopes > 0, slopes, 1.0)

    def value_and_grad(self, x: Any) -> tuple[float, np.ndarray]:
        assert self._function.derived is not None
        return float(self._weights @ self._function.value(x)), self._function.derived.vjp(x, self._weights)

    def units(self, x: np.ndarray) -> np.ndarray:
        return differences.step_scale(x)
