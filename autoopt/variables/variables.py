"""The change of variables: parameters x, shape (n,), as a function of the variables z, shape (m,), of a solver.

    x = c + M t(s z)        c, shape (n,): the values that are held;  s > 0, shape (m,): typical sizes
                            M, (n, m): each row has one entry at most, 1, or the factor of what is tied, but for what
                            is mixed of several, as the last share of a simplex
                            t: smooth, the identity but for parameters with a transform; elementwise but for blocks

    held x[1] = 5, x[2] = 2 x[0]:  c = (0, 5, 0),  M = ((1), (0), (2)),  m = 1

With J = M T, T = t'(s z) s, the gradient is J'g and the Hessian J'HJ + sum_k (M'g)_k t_k''(s z) s^2; but for blocks T
and this sum are diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.variables.blocks import Block
from autoopt.variables.chain import Chain
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
    blocks : tuple of Block
        Transforms of several variables together.
    mixed : ndarray of int, shape (q,)
        The parameters that are offset + mix t, of several variables; their source is -1.
    mix : ndarray, shape (q, m)
    """

    names: Sequence[str]
    source: np.ndarray
    factor: np.ndarray
    offset: np.ndarray
    home: np.ndarray
    scale: np.ndarray
    transforms: tuple[Transform, ...] = ()
    blocks: tuple[Block, ...] = ()
    mixed: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    mix: np.ndarray | None = None

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
        return not self.transforms and not self.blocks

    @cached_property
    def is_trivial(self) -> bool:
        """Whether the variables are the parameters."""
        same = self.size == len(self.names) and self.is_linear and not self.offset.any()
        return bool(same and (self.scale == 1).all() and (self.factor == 1).all())

    @cached_property
    def chain(self) -> Chain:
        """t(s z)."""
        return Chain(self.scale, self.transforms, self.blocks)

    @cached_property
    def moving(self) -> np.ndarray:
        """The parameters that are not held, shape (k,) of int."""
        return np.concatenate([self._single, self.mixed])

    @cached_property
    def _single(self) -> np.ndarray:
        """The parameters that follow one variable, shape (k - q,) of int."""
        return np.flatnonzero(self.source >= 0)

    @cached_property
    def held(self) -> np.ndarray:
        """The parameters that are held, shape (n - k,) of int."""
        return np.setdiff1d(np.flatnonzero(self.source < 0), self.mixed)

    @cached_property
    def variable_names(self) -> list[str]:
        return [self.names[i] for i in self.home]

    def scaled(self, scale: np.ndarray) -> Variables:
        """Return the same with other sizes, shape (m,), rounded to powers of 2: so that no digit is lost by them."""
        return replace(self, scale=2.0 ** np.round(np.log2(scale)))

    def plain(self) -> Variables:
        """Return the same without sizes and transforms: its variables are the parameters that the others follow."""
        return replace(self, scale=np.ones(self.size), transforms=(), blocks=())

    def sharing(self, places: np.ndarray) -> Variables:
        """Return the same with the last of the parameters at `places` as 1 less the sum of the others."""
        last, others = places[-1], self.source[places[:-1]]
        gone = self.source[last]
        left = np.delete(np.arange(self.size), gone)
        number = np.full(self.size, -1)
        number[left] = np.arange(left.size)
        source, offset = np.where(self.source >= 0, number[self.source], -1), self.offset.copy()
        offset[last] = 1.0
        mix = np.zeros((self.mixed.size + 1, left.size))
        mix[:-1] = 0.0 if self.mix is None else self.mix[:, left]
        mix[-1, number[others]] = -1.0
        mixed = np.append(self.mixed, last)
        kept = {"home": self.home[left], "scale": self.scale[left]}
        return replace(self, source=source, offset=offset, mixed=mixed, mix=mix, **kept)

    # Points and directions --------------------------------------------------------------------------------------------

    def parameters(self, z: np.ndarray) -> np.ndarray:
        """Return x, shape (n,)."""
        values = self.chain.value(z)
        x, single = self.offset.copy(), self._single
        x[single] += self.factor[single] * values[self.source[single]]
        if self.mix is not None:
            x[self.mixed] += self.mix @ values
        return x

    def variables(self, x: np.ndarray) -> np.ndarray:
        """Return z, shape (m,), at parameters that are what they are held at and tied to."""
        return self.chain.inverse(x[self.home])

    def slopes(self, z: np.ndarray) -> np.ndarray:
        """Return t'(s z) s, shape (m,), where t is elementwise; s in blocks."""
        return self.chain.slopes(z)

    def gathered(self, slopes: np.ndarray) -> np.ndarray:
        """Return M' times a vector, shape (m,)."""
        single = self._single
        found = np.bincount(self.source[single], self.factor[single] * slopes[single], minlength=self.size)
        return found if self.mix is None else found + self.mix.T @ slopes[self.mixed]

    def pulled(self, z: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Return J' times slopes in x, shape (n,): those in z, shape (m,)."""
        return self.chain.backward(z, self.gathered(slopes))

    def pushed(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return J times directions in z, shape (m,) or (m, k): those in x, shape (n,) or (n, k)."""
        direction = np.asarray(direction, dtype=np.float64)
        columns = (slice(None), *(np.newaxis,) * (direction.ndim - 1))
        out, single = np.zeros((len(self.names), *direction.shape[1:])), self._single
        moved = self.chain.forward(z, direction)
        out[single] = self.factor[single][columns] * moved[self.source[single]]
        if self.mix is not None:
            out[self.mixed] = self.mix @ moved
        return out

    # Matrices ---------------------------------------------------------------------------------------------------------

    @cached_property
    def matrix(self) -> Any:
        """M over the parameters that move, shape (k, m), sparse."""
        from scipy.sparse import csr_array, vstack

        single = self._single
        places = np.arange(single.size), self.source[single]
        matrix = csr_array((self.factor[single], places), shape=(single.size, self.size))
        return matrix if self.mix is None else csr_array(vstack([matrix, csr_array(self.mix)]))

    def jacobian(self, z: np.ndarray, jacobian: Any) -> Any:
        """Return the Jacobian in z, shape (r, m), of that in x, shape (r, n); sparse if it is."""
        if self.is_trivial:
            return jacobian
        if hasattr(jacobian, "tocsr"):
            from scipy.sparse import csr_array

            return csr_array(jacobian.tocsr()[:, self.moving] @ self.matrix @ self.chain.matrix(z))
        return self.chain.backward(z, self.matrix.T @ np.asarray(jacobian)[:, self.moving].T).T

    def curvature(self, z: np.ndarray, hessian: Any, gradient: np.ndarray | None) -> Any:
        """Return the Hessian in z, shape (m, m), of Hessian and gradient in x; sparse if it is."""
        moving, is_bent = self.moving, not self.is_linear and gradient is not None
        if hasattr(hessian, "tocsr"):
            from scipy.sparse import csr_array, diags_array

            inner = self.matrix @ self.chain.matrix(z)
            curved = inner.T @ hessian.tocsr()[moving][:, moving] @ inner
            if not is_bent:
                return csr_array(curved)
            bends = self.chain.bent(
                z, self.gathered(gradient), np.eye(self.size) if self.blocks else np.ones(self.size)
            )
            return csr_array(curved + (csr_array(bends) if self.blocks else diags_array(bends)))
        inside = np.asarray(hessian)[np.ix_(moving, moving)]
        curved = self.chain.backward(z, self.chain.backward(z, (self.matrix.T @ (self.matrix.T @ inside).T).T).T).T
        return curved + self.chain.bent(z, self.gathered(gradient), np.eye(self.size)) if is_bent else curved

    def product(self, z: np.ndarray, direction: np.ndarray, product: np.ndarray, gradient: np.ndarray | None) -> Any:
        """Return the Hessian in z times a direction in z, from that in x times the direction that it is pushed to."""
        if product.ndim == 2:
            columns = zip(direction.T, product.T, strict=True)
            return np.stack([self.product(z, p, column, gradient) for p, column in columns], axis=1)
        pulled = self.pulled(z, product)
        if self.is_linear or gradient is None:
            return pulled
        return pulled + self.chain.bent(z, self.gathered(gradient), np.asarray(direction, dtype=np.float64))

    # Limits -----------------------------------------------------------------------------------------------------------

    def limits(self, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the limits of z, shape (m,) each, that those of x set; None if there are none.

        Raises
        ------
        UsageError
            If those of parameters that are tied exclude one another.
        """
        low, high = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        moving, source = self._single, self.source[self._single]
        ends = [(side[moving] - self.offset[moving]) / self.factor[moving] for side in (lower, upper)]
        np.maximum.at(low, source, np.minimum(*ends))
        np.minimum.at(high, source, np.maximum(*ends))
        if (wrong := low > high).any():
            j = int(np.argmax(wrong))
            tied = ", ".join(self.names[i] for i in np.flatnonzero(self.source == j))
            raise UsageError(
                f"bounds: those of {tied}, which are tied, exclude one another.", remedy="correct bounds or ties."
            )
        low, high = self.chain.inverse(low), self.chain.inverse(high)
        for block in self.blocks:  # which has none
            low[block.where], high[block.where] = -np.inf, np.inf
        return (low, high) if (np.isfinite(low) | np.isfinite(high)).any() else None
