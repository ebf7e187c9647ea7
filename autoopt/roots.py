"""Fixed points, for use inside objectives and outside of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autoopt.stages import Interrupted


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
    Interrupted
        On Ctrl-C; a KeyboardInterrupt whose `result` holds the x, so far, that func changed least.

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

    tried = _Tried(func)
    try:
        return search(tried, x0, args if isinstance(args, tuple) else (args,), xtol, maxiter, method)[()]
    except KeyboardInterrupt:
        raise Interrupted(tried.result(x0)) from None


class _Tried:
    """A function with the point that it has changed least."""

    def __init__(self, func: Callable) -> None:
        self._func, self._count = func, 0
        self._least = float("inf")
        self._best: Any = None

    def __call__(self, x: Any, *args: Any) -> Any:
        import numpy as np

        value = self._func(x, *args)
        self._count += 1
        change = float(np.max(np.abs(np.asarray(value) - x), initial=0.0))
        if change < self._least:
            self._least, self._best = change, np.array(x)[()]
        return value

    def result(self, x0: Any) -> Any:
        """Return what there is to tell of a search that was interrupted."""
        from scipy.optimize import OptimizeResult

        x = x0 if self._best is None else self._best
        fields = {"success": False, "status": 130, "message": "Interrupted; x is the point that func changed least."}
        return OptimizeResult(
            x=x, change=self._least, nit=self._count, nfev=self._count, method="fixed_point", **fields
        )
