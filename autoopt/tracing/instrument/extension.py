"""What users add to tracing: formulas for functions that autoopt cannot look into, and functions that are constant.

Knows nothing of tapes; the instrumented copy looks functions up here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autoopt.errors import UsageError

USER_FORMULAS: dict[Callable, Callable] = {}
CONSTANTS: set[Callable] = set()


def formula(function: Callable) -> Callable[[Callable], Callable]:
    """Return a decorator that gives autoopt a plain NumPy formula for `function`.

    Wherever an objective calls `function`, the formula is traced and differentiated in its place; outside of autoopt
    `function` stays what it is.

    Parameters
    ----------
    function : callable
        A compiled function, one of another library, or one whose derivative is better taken from another expression.

    Returns
    -------
    callable
        Takes the formula, a function of the same arguments with the same values, and returns it.

    Raises
    ------
    UsageError
        If `function` is not something that can be looked up.

    Examples
    --------
    >>> import math, numpy as np, autoopt
    >>> @autoopt.formula(math.comb)
    ... def comb(n, k):
    ...     from scipy.special import binom
    ...     return binom(n, k)
    >>> bool(autoopt.grad(lambda x: math.comb(x[0], 2))(np.array([4.0]))[0] > 0)
    True
    """
    _require_function(function)

    def register(replacement: Callable) -> Callable:
        _require_function(replacement)
        USER_FORMULAS[function] = replacement
        return replacement

    return register


def constant(function: Callable) -> Callable:
    """Mark `function` as one whose result does not depend on the parameters, and return it.

    Inside an objective it is called with plain numbers, and what it returns is a constant of the run. Calling it with a
    value that depends on the parameters is an error. Usable as a decorator.

    Parameters
    ----------
    function : callable
        Reads files, builds tables, samples with a fixed seed, or the like.

    Returns
    -------
    callable
        `function` itself.

    Raises
    ------
    UsageError
        If `function` is not something that can be looked up.
    """
    _require_function(function)
    CONSTANTS.add(function)
    return function


def _require_function(function: Any) -> None:
    if not callable(function) or getattr(type(function), "__hash__", None) is None:
        raise UsageError(
            f"{type(function).__name__} {function!r} is not a function that can be registered.",
            remedy="pass a function.",
        )
