"""Loss functions of least squares: rho(z) of z = (r / f_scale)^2 with its two derivatives, by SciPy's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import ObjectiveError, UsageError
from autoopt.origin import definition

LOSSES: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
"""By name: rho, rho' and rho'' at z >= 0, shape (m,) each."""


def _loss(function: Callable) -> Callable:
    LOSSES[function.__name__] = function
    return function


@_loss
def linear(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plain squares."""
    return z, np.ones_like(z), np.zeros_like(z)


@_loss
def soft_l1(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """2 ((1 + z)^0.5 - 1), absolute values that are smooth at 0."""
    root = np.sqrt(1 + z)
    return 2 * z / (1 + root), 1 / root, -0.5 / root**3


@_loss
def huber(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z up to 1, 2 z^0.5 - 1 beyond."""
    far = z > 1
    root = np.sqrt(np.where(far, z, 1.0))
    return np.where(far, 2 * root - 1, z), 1 / root, np.where(far, -0.5 / root**3, 0.0)


@_loss
def cauchy(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log(1 + z)."""
    return np.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2


@_loss
def arctan(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """arctan z, which is bounded."""
    return np.arctan(z), 1 / (1 + z**2), -2 * z / (1 + z**2) ** 2


@dataclass(frozen=True)
class Loss:
    """The cost 1/2 C^2 sum rho((r / C)^2) of residuals r, C being `scale`; plain squares whatever C for "linear"."""

    given: str | Callable
    scale: float

    @classmethod
    def of(cls, loss: Any, f_scale: Any) -> Loss:
        """Return what the user's `loss` and `f_scale` say; UsageError if they are not understood."""
        if not (callable(loss) or (isinstance(loss, str) and loss in LOSSES)):
            raise UsageError(
                f"loss={loss!r} is not understood.",
                remedy=f"use one of {', '.join(LOSSES)}, or a function of z that returns rho, rho' and rho''.",
            )
        if isinstance(f_scale, str | bool) or np.ndim(f_scale) or not (np.isfinite(f_scale) and f_scale > 0):
            raise UsageError(f"f_scale={f_scale!r} is no positive number.", remedy="give the size of usual residuals.")
        return cls(loss, 1.0 if loss == "linear" else float(f_scale))

    @property
    def is_linear(self) -> bool:
        """Whether the cost is the plain sum of squares."""
        return self.given == "linear"

    def of_residuals(self, r: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the cost, its slopes in r, rho' r, and its curvatures, rho' + 2 z rho'', shape (m,) each."""
        if self.is_linear:
            with np.errstate(all="ignore"):
                return 0.5 * float(r @ r), r, np.ones_like(r)
        z = (r / self.scale) ** 2
        rho, slope, bend = self._rho(z)
        return 0.5 * self.scale**2 * float(np.sum(rho)), slope * r, slope + 2 * z * bend

    def _rho(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if not callable(self.given):
            return LOSSES[self.given](z)
        given = np.asarray(self.given(z), dtype=np.float64)
        if given.shape != (3, z.size):
            raise ObjectiveError(
                f"loss returned shape {given.shape}, not (3, {z.size}).",
                definition(self.given),
                "let it return rho, rho' and rho'' for each entry of z.",
            )
        return given[0], given[1], given[2]
