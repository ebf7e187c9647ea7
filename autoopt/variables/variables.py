"""The change of variables: parameters x, shape (n,), as a function of the variables z, shape (m,), of a solver.

    x = c + M t(s z)        c, shape (n,): the values that are held;  s > 0, shape (m,): typical sizes
                            M, (n, m): each row has one entry at most, 1, or the factor of what is tied
                            t: elementwise and smooth, the identity but for parameters with a transform

    held x[1] = 5, x[2] = 2 x[0]:  c = (0, 5, 0),  M = ((1), (0), (2)),  m = 1

With J = M diag(t'(s z) s), the gradient is J'g and the Hessian J'HJ + diag(t''(s z) s^2 (M'g)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.variables.transforms import Transform


@dataclass(frozen=True, eq=False)
class Variables:
    """What a solver moves, and how the parameters follow.

    Parameters
    ----------
    names : sequence of n str
        Of the parameters.
    source : ndarray of int, shape (n,)
        The variable that each parameter follows, -1 if it is held.
    factor, offset : ndarray, shape (n,)
        x = offset + factor t; what is held is its offset.
    home : ndarray of int, shape (m,)
        The parameter that each variable is: with factor 1 and offset 0.
    scale : ndarray, shape (m,)
        The size of a parameter (or of what is transformed) where its variable is 1.
    transforms : tuple of Transform
        Of the variables; those of none are as they are.
    """

    names: Sequence[str]
    source: np.ndarray
    factor: np.ndarray
    offset: np.ndarray
    home: np.ndarray
    scale: np.ndarray
    transforms: tuple[Transform, ...] = ()

    @classmethod
    def free(cls, names: Sequence[str]) -> Variables:
        """Return the variables that are the parameters themselves."""
        n = len(names)
        return cls(names, np.arange(n), np.ones(n), np.zeros(n), np.arange(n), np.ones(n))

    @property
    def size(self) -> int:
        """The number of variables, m."""
        return self.home.size

    @property
    def is_linear(self) -> bool:
        return not self.transforms

    @cached_property
    def is_trivial(self) -> bool:
        """Whether the variables are the parameters."""
        same = self.size == len(self.names) and self.is_linear and not self.offset.any()
        return bool(same and (self.scale == 1).all() and (self.factor == 1).all())

    @cached_property
    def moving(self) -> np.ndarray:
        """The parameters that are not held, shape (k,) of int."""
        return np.flatnonzero(self.source >= 0)

    @cached_property
    def held(self) -> np.ndarray:
        """The parameters that are held, shape (n - k,) of int."""
        return np.flatnonzero(self.source < 0)

    @cached_property
    def variable_names(self) -> list[str]:
        return [self.names[i] for i in self.home]

    def scaled(self, scale: np.ndarray) -> Variables:
        """Return the same with other sizes, shape (m,), rounded to powers of 2: so that no digit is lost by them."""
        return replace(self, scale=2.0 ** np.round(np.log2(scale)))

    def plain(self) -> Variables:
        """Return the same without sizes and transforms: its variables are the parameters that the others follow."""
        return replace(self, scale=np.ones(self.size), transforms=())

    # Points and directions --------------------------------------------------------------------------------------------

    def parameters(self, z: np.ndarray) -> np.ndarray:
        """Return x, shape (n,)."""
        values = self.scale * z
        for transform in self.transforms:
            values[transform.where] = transform.value(values[transform.where])
        x = self.offset.copy()
        x[self.moving] += self.factor[self.moving] * values[self.source[self.moving]]
        return x

    def variables(self, x: np.ndarray) -> np.ndarray:
        """Return z, shape (m,), at parameters that are what they are held at and tied to."""
        return self._inverse(x[self.home])

    def _inverse(self, values: np.ndarray) -> np.ndarray:
        w = np.array(values, dtype=np.float64)
        for transform in self.transforms:
            w[transform.where] = transform.inverse(w[transform.where])
        return w / self.scale

    def slopes(self, z: np.ndarray) -> np.ndarray:
        """Return t'(s z) s, shape (m,)."""
        slopes = self.scale.copy()
        for transform in self.transforms:
            where = transform.where
            slopes[where] *= transform.slope(self.scale[where] * z[where])
        return slopes

    def _bends(self, z: np.ndarray) -> np.ndarray:
        """Return t''(s z) s^2, shape (m,)."""
        bends = np.zeros(self.size)
        for transform in self.transforms:
            where = transform.where
            bends[where] = self.scale[where] ** 2 * transform.bend(self.scale[where] * z[where])
        return bends

    def gathered(self, slopes: np.ndarray) -> np.ndarray:
        """Return M' times a vector, shape (m,)."""
        moving = self.moving
        return np.bincount(self.source[moving], self.factor[moving] * slopes[moving], minlength=self.size)

    def pulled(self, z: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Return J' times slopes in x, shape (n,): those in z, shape (m,)."""
        return self.slopes(z) * self.gathered(slopes)

    def pushed(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return J times directions in z, shape (m,) or (m, k): those in x, shape (n,) or (n, k)."""
        direction = np.asarray(direction, dtype=np.float64)
        columns = (slice(None), *(np.newaxis,) * (direction.ndim - 1))
        out = np.zeros((len(self.names), *direction.shape[1:]))
        moved = self.slopes(z)[columns] * direction
        out[self.moving] = self.factor[self.moving][columns] * moved[self.source[self.moving]]
        return out

    # Matrices ---------------------------------------------------------------------------------------------------------

    @cached_property
    def matrix(self) -> Any:
        """M over the parameters that move, shape (k, m), sparse."""
        from scipy.sparse import csr_array

        moving = self.moving
        places = np.arange(moving.size), self.source[moving]
        return csr_array((self.factor[moving], places), shape=(moving.size, self.size))

    def jacobian(self, z: np.ndarray, jacobian: Any) -> Any:
        """Return the Jacobian in z, shape (r, m), of that in x, shape (r, n); sparse if it is."""
        slopes = self.slopes(z)
        if hasattr(jacobian, "tocsr"):
            from scipy.sparse import csr_array, diags_array

            return csr_array(jacobian.tocsr()[:, self.moving] @ self.matrix @ diags_array(slopes))
        return (self.matrix.T @ np.asarray(jacobian)[:, self.moving].T).T * slopes

    def curvature(self, z: np.ndarray, hessian: Any, gradient: np.ndarray | None) -> Any:
        """Return the Hessian in z, shape (m, m), of Hessian and gradient in x; sparse if it is."""
        slopes, moving = self.slopes(z), self.moving
        bends = 0.0 if self.is_linear or gradient is None else self._bends(z) * self.gathered(gradient)
        if hasattr(hessian, "tocsr"):
            from scipy.sparse import csr_array, diags_array

            inner = self.matrix @ diags_array(slopes)
            curved = inner.T @ hessian.tocsr()[moving][:, moving] @ inner
            return csr_array(curved if self.is_linear else curved + diags_array(bends))
        inside = np.asarray(hessian)[np.ix_(moving, moving)]
        curved = (self.matrix.T @ (self.matrix.T @ inside).T).T * np.outer(slopes, slopes)
        return curved if self.is_linear else curved + np.diag(bends)

    def product(self, z: np.ndarray, direction: np.ndarray, product: np.ndarray, gradient: np.ndarray | None) -> Any:
        """Return the Hessian in z times a direction in z, from that in x times the direction that it is pushed to."""
        if product.ndim == 2:
            columns = zip(direction.T, product.T, strict=True)
            return np.stack([self.product(z, p, column, gradient) for p, column in columns], axis=1)
        pulled = self.pulled(z, product)
        if self.is_linear or gradient is None:
            return pulled
        return pulled + self._bends(z) * self.gathered(gradient) * direction

    # Limits -----------------------------------------------------------------------------------------------------------

    def limits(self, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the limits of z, shape (m,) each, that those of x set; None if there are none.

        Raises
        ------
        UsageError
            If those of parameters that are tied exclude one another.
        """
        low, high = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        moving, source = self.moving, self.source[self.moving]
        ends = [(side[moving] - self.offset[moving]) / self.factor[moving] for side in (lower, upper)]
        np.maximum.at(low, source, np.minimum(*ends))
        np.minimum.at(high, source, np.maximum(*ends))
        if (wrong := low > high).any():
            j = int(np.argmax(wrong))
            tied = ", ".join(self.names[i] for i in np.flatnonzero(self.source == j))
            raise UsageError(
                f"bounds: those of {tied}, which are tied, exclude one another.", remedy="correct bounds or ties."
            )
        low, high = self._inverse(low), self._inverse(high)
        return (low, high) if (np.isfinite(low) | np.isfinite(high)).any() else None
