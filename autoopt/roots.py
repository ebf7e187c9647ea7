"""Fixed points, for use inside objectives and outside of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def fixed_point(
    func: Callable, x0: Any, args: tuple = (), xtol: float = 1e-8, maxiter: int = 500, method: str = "del2"
) -> Any:
    """Return the fixed point of a function, where `func(x, *args) == x`.

    It is what `scipy.optimize.fixed_point` finds. Inside an objective its derivative is that of the equation, to any
    order, however many iterations the search takes: a loop that ends when it has converged, written as this, is one
    step of the derivative's code. (SciPy's own function is followed in the same way.)

    Parameters
    ----------
    func : callable
        `func(x, *args)` returns what x becomes, of the shape of x.
    x0 : float or ndarray
        Where the iteration starts.
    args : tuple
        Further arguments of `func`.
    xtol : float
        The iteration ends once x changes by no more than this, relative to x.
    maxiter : int
        The most iterations.
    method : "del2" or "iteration"
        Whether steps are accelerated, entry by entry (Steffensen's method), or are those of `func` alone.

    Returns
    -------
    float or ndarray
        The fixed point, of the shape of x0.

    Raises
    ------
    RuntimeError
        If it is not found within `maxiter` iterations.

    Notes
    -----
    With z = g(z, p), the derivative is dz/dp = (I - dg/dz)^-1 dg/dp.

    Examples
    --------
    >>> import numpy as np
    >>> x = fixed_point(lambda x, c: np.cos(c * x), 0.5, args=(1.0,))
    >>> print(f"{x:.6f}")
    0.739085
    """
    from scipy.optimize import fixed_point as search

    return search(func, x0, args if isinstance(args, tuple) else (args,), xtol, maxiter, method)[()]
