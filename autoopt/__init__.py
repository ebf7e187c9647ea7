"""Optimise plain NumPy objectives with exact, readable derivatives.

`minimize(f, x0)` traces `f`, differentiates it, prints the derivative as NumPy source, verifies it and hands it to SciPy.
"""

from typing import Any

from autoopt.check import check
from autoopt.errors import AutooptError
from autoopt.minimize import minimize
from autoopt.objective import Objective, objective
from autoopt.transforms import grad, hessian, hvp, jacobian, value_and_grad

__version__ = "0.1.0"

__all__ = [
    "AutooptError",
    "Objective",
    "check",
    "fit",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "minimize",
    "models",
    "objective",
    "source",
    "value_and_grad",
]

_LAZY = {"fit": ("autoopt.fitting", "fit"), "source": ("autoopt.objective", "source"), "models": ("autoopt.models", None)}


def __getattr__(name: str) -> Any:
    """Import what costs time when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'autoopt' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    return import_module(module) if attribute is None else getattr(import_module(module), attribute)
