"""The map t(s z) of a solver's variables z, in sizes s, with its derivatives: elementwise, but for blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.variables.blocks import Block
from autoopt.variables.transforms import Transform


@dataclass(frozen=True, eq=False)
class Chain:
    """t(s z), T = t'(s z) s.

    Parameters
    ----------
    scale : ndarray, shape (m,)
    transforms : sequence of Transform
    blocks : sequence of Block
        Transforms of several variables together.
    """

    scale: np.ndarray
    transforms: Sequence[Transform]
    blocks: Sequence[Block]

    def value(self, z: np.ndarray) -> np.ndarray:
        """Return t(s z), shape (m,)."""
        values = self.scale * z
        for one in self.transforms:
            values[one.where] = one.value(values[one.where])
        for block in self.blocks:
            with np.errstate(over="ignore", invalid="ignore"):  # far out, which a solver steps back from
                values[block.where] = block.value(values[block.where])
        return values

    def inverse(self, values: np.ndarray) -> np.ndarray:
        """Return z, shape (m,), at values of t."""
        w = np.array(values, dtype=np.float64)
        for one in (*self.transforms, *self.blocks):
            w[one.where] = one.inverse(w[one.where])
        return w / self.scale

    def slopes(self, z: np.ndarray) -> np.ndarray:
        """Return the diagonal of T, shape (m,), where t is elementwise; s in blocks."""
        slopes = self.scale.copy()
        for transform in self.transforms:
            where = transform.where
            slopes[where] *= transform.slope(self.scale[where] * z[where])
        return slopes

    def forward(self, z: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return T times directions in z, shape (m,) or (m, k)."""
        moved = _columns(self.slopes(z), direction) * direction
        for block in self.blocks:
            where = block.where
            moved[where] = block.jacobian(self.scale[where] * z[where]) @ moved[where]
        return moved

    def backward(self, z: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Return T' times slopes, shape (m,) or (m, k)."""
        slopes = np.array(slopes, dtype=np.float64)
        for block in self.blocks:
            where = block.where
            slopes[where] = block.jacobian(self.scale[where] * z[where]).T @ slopes[where]
        return _columns(self.slopes(z), slopes) * slopes

    def bent(self, z: np.ndarray, weights: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return the second derivatives of the sum of weights times t(s z), times directions, shape (m,) or (m, k)."""
        out, scale = np.zeros(direction.shape), self.scale
        for transform in self.transforms:
            where = transform.where
            bends = scale[where] ** 2 * transform.bend(scale[where] * z[where]) * weights[where]
            out[where] = _columns(bends, direction) * direction[where]
        for block in self.blocks:
            where = block.where
            sizes, bends = _columns(scale[where], direction), block.bend(scale[where] * z[where], weights[where])
            out[where] = sizes * (bends @ (sizes * direction[where]))
        return out

    def matrix(self, z: np.ndarray) -> Any:
        """Return T, shape (m, m), sparse."""
        from scipy.sparse import csr_array, diags_array

        return csr_array(self.forward(z, np.eye(z.size))) if self.blocks else diags_array(self.slopes(z))


def _columns(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return a vector as a column if `like` has columns."""
    return values if like.ndim == 1 else values[:, np.newaxis]
