"""What one part of the library asks of an objective, whoever supplies its derivatives.

`Objective` and `UserDerivatives` are `Differentiable`; solvers, the verification and the refusals at the start know no
more of an objective than this. Vectors and matrices are flat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from autoopt.parameters import Structure
from autoopt.tape.slopes import Flat


class Derivatives(Protocol):
    """What a solver asks at a point."""

    def value_and_grad(self, x: Any) -> tuple[float, np.ndarray]:
        """Return f(x) and its gradient, shape (n,)."""

    def hess(self, x: Any, sparse: bool | None = None) -> Any:
        """Return the Hessian, shape (n, n): an array, or a sparse one, by its size or as `sparse` says."""

    def hessp(self, x: Any, p: Any) -> np.ndarray:
        """Return the Hessian times `p`, shape (n,), or times each column of a matrix (n, k)."""


class Differentiable(Derivatives, Protocol):
    """A function of parameters with its derivatives.

    Attributes
    ----------
    function : callable
        The user's.
    args : tuple
        Its data.
    structure : Structure
        The structure of the parameters, that of x0.
    size : int
        The number of parameters, n.
    timings : dict of str to float
        Seconds that are counted by the objective itself.
    single : bool
        Whether it calculates in single precision.
    gradient_source : str
        What a message calls the gradient.
    notes : list of str
        What there is to know of how it is evaluated.
    """

    @property
    def function(self) -> Callable: ...

    @property
    def args(self) -> tuple: ...

    @property
    def structure(self) -> Structure: ...

    @property
    def size(self) -> int: ...

    @property
    def timings(self) -> dict[str, float]: ...

    @property
    def single(self) -> bool: ...

    @property
    def gradient_source(self) -> str: ...

    @property
    def notes(self) -> list[str]: ...

    def original(self, x: Any) -> float:
        """Return f(x) from the user's own function."""

    def commit_state(self, x: Any) -> None:
        """Have the user's function keep what it keeps at `x`."""

    def value(self, x: Any) -> float:
        """Return f(x)."""

    def grad(self, x: Any) -> np.ndarray:
        """Return the gradient, shape (n,)."""

    def meets_kinks(self, x: Any) -> bool:
        """Whether the gradient at `x` meets kinks."""

    def closer(self, x: Any) -> Callable | None:
        """Return the values near `x` with equations solved closer than f does; None if f solves none."""

    def flatness(self, x: Any) -> Flat | None:
        """Return why the value has no slope in the parameters; None if it may have one."""


class Conventional(Protocol):
    """A derivative beside the point that is asked for: what the limits at a kink are taken of."""

    def by_convention(self, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return the derivative of a kind, kinks that are met having the slopes of their rules."""


class Branching(Conventional, Protocol):
    """An objective of several paths, as it is asked where numbers are found equal at a point."""

    def original_array(self, x: np.ndarray) -> np.ndarray:
        """Return what the user's own function returns, shape (m,) or ()."""

    def grad(self, x: np.ndarray) -> np.ndarray:
        """Return the gradient, shape (n,)."""

    def on_path_at(self, x: np.ndarray, shift: np.ndarray, kind: str, *direction: np.ndarray) -> Any:
        """Return the derivative at `x` on the path that is taken at `x + shift`; None if there is no such path."""
