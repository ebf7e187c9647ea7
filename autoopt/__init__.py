"""Optimise plain NumPy objectives with exact, readable derivatives.

`minimize(f, x0)` traces `f`, differentiates it, prints the derivative as NumPy source, verifies it and hands it to
SciPy.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from autoopt.check import check
from autoopt.errors import AutooptError
from autoopt.extension import constant, rule
from autoopt.minimize import minimize
from autoopt.objective import Objective, objective
from autoopt.transforms import grad, hessian, hvp, jacobian, value_and_grad

__version__ = "0.1.0"

__all__ = [
    "AutooptError",
    "Objective",
    "check",
    "constant",
    "fit",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "minimize",
    "models",
    "objective",
    "rule",
    "source",
    "value_and_grad",
]

_LAZY = {
    "fit": ("autoopt.fitting", "fit"),
    "source": ("autoopt.objective", "source"),
    "models": ("autoopt.models", None),
}


def __getattr__(name: str) -> Any:
    """Import what costs time when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'autoopt' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return import_module(module) if attribute is None else getattr(import_module(module), attribute)


class _Package(ModuleType):
    """Keeps the public function `source` under its name when Python, importing autoopt/source, would replace it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name == "source" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
