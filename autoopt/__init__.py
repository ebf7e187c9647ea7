"""Optimise plain NumPy objectives with exact, readable derivatives.

`minimize(f, x0)` traces `f`, differentiates it, prints the derivative as NumPy source, verifies it and hands it to
SciPy.
"""

import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autoopt.errors import AutooptError
from autoopt.version import __version__ as __version__

if TYPE_CHECKING:
    from autoopt import models
    from autoopt.batches.batches import batches
    from autoopt.check import check
    from autoopt.closed_form.latex import latex
    from autoopt.decorators import function, gradient, hessian_vector
    from autoopt.exporting.module import source
    from autoopt.fitting.estimator import Estimator
    from autoopt.fitting.fit import fit
    from autoopt.fitting.resuming import resume
    from autoopt.minimize import minimize
    from autoopt.objectives.linear_maps import jvp, vjp
    from autoopt.objectives.objective import Objective
    from autoopt.objectives.of_data import objective
    from autoopt.objectives.transforms import grad, hessian, hvp, jacobian, value_and_grad
    from autoopt.optimize.curve_fit import curve_fit
    from autoopt.optimize.global_search import basinhopping, differential_evolution, direct, dual_annealing, shgo
    from autoopt.optimize.least_squares import least_squares
    from autoopt.optimize.roots import root
    from autoopt.optimize.scalar import minimize_scalar
    from autoopt.optimize.scalar_roots import brentq, newton, root_scalar
    from autoopt.roots import fixed_point
    from autoopt.solvers import Starts
    from autoopt.tracing.instrument.extension import constant, formula
    from autoopt.variables.table import Parameter, Parameters

__all__ = [
    "AutooptError",
    "Estimator",
    "Objective",
    "Parameter",
    "Parameters",
    "Starts",
    "basinhopping",
    "batches",
    "brentq",
    "check",
    "constant",
    "curve_fit",
    "differential_evolution",
    "direct",
    "dual_annealing",
    "fit",
    "fixed_point",
    "formula",
    "function",
    "grad",
    "gradient",
    "hessian",
    "hessian_vector",
    "hvp",
    "jacobian",
    "jvp",
    "latex",
    "least_squares",
    "minimize",
    "minimize_scalar",
    "models",
    "newton",
    "objective",
    "resume",
    "root",
    "root_scalar",
    "shgo",
    "source",
    "value_and_grad",
    "vjp",
]

_RENAMED = {"rule": "formula"}
"""Names of earlier versions, which stay for one version."""

_MODULES = {
    "autoopt.batches.batches": ["batches"],
    "autoopt.check": ["check"],
    "autoopt.closed_form.latex": ["latex"],
    "autoopt.decorators": ["function", "gradient", "hessian_vector"],
    "autoopt.exporting.module": ["source"],
    "autoopt.fitting.estimator": ["Estimator"],
    "autoopt.fitting.fit": ["fit"],
    "autoopt.fitting.resuming": ["resume"],
    "autoopt.minimize": ["minimize"],
    "autoopt.objectives.of_data": ["objective"],
    "autoopt.objectives.linear_maps": ["jvp", "vjp"],
    "autoopt.objectives.objective": ["Objective"],
    "autoopt.objectives.transforms": ["grad", "hessian", "hvp", "jacobian", "value_and_grad"],
    "autoopt.optimize.curve_fit": ["curve_fit"],
    "autoopt.optimize.global_search": ["basinhopping", "differential_evolution", "direct", "dual_annealing", "shgo"],
    "autoopt.optimize.least_squares": ["least_squares"],
    "autoopt.optimize.roots": ["root"],
    "autoopt.optimize.scalar": ["minimize_scalar"],
    "autoopt.optimize.scalar_roots": ["brentq", "newton", "root_scalar"],
    "autoopt.roots": ["fixed_point"],
    "autoopt.solvers": ["Starts"],
    "autoopt.tracing.instrument.extension": ["constant", "formula"],
    "autoopt.variables.table": ["Parameter", "Parameters"],
}
"""Where public names are, each of which is imported when it is first asked for: an estimator needs no tracing."""

_PLACES = {name: module for module, names in _MODULES.items() for name in names}


class _Package(ModuleType):
    """A package whose functions are not hidden by the modules and rooms of their names."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and name in _PLACES:
            value = getattr(import_module(_PLACES[name]), name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    """Import what is asked for; say what a name of an earlier version has become."""
    if name in _RENAMED:
        now = _RENAMED[name]
        warnings.warn(f"autoopt.{name} is called autoopt.{now} now.", DeprecationWarning, stacklevel=2)
        return getattr(sys.modules[__name__], now)
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    if not name.startswith("_") and find_spec(f"autoopt.{name}") is not None:  # a room, such as autoopt.clusters
        return import_module(f"autoopt.{name}")
    raise AttributeError(f"module 'autoopt' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
