"""Optimise plain NumPy objectives with exact, readable derivatives.

`minimize(f, x0)` traces `f`, differentiates it, prints the derivative as NumPy source, verifies it and hands it to
SciPy.
"""

import warnings
from importlib import import_module
from typing import Any

from autoopt.batches.batches import batches
from autoopt.check import check
from autoopt.errors import AutooptError
from autoopt.minimize import minimize
from autoopt.objectives.linear_maps import jvp, vjp
from autoopt.objectives.objective import Objective, objective
from autoopt.objectives.transforms import grad, hessian, hvp, jacobian, value_and_grad
from autoopt.roots import fixed_point
from autoopt.tracing.instrument.extension import constant, formula
from autoopt.version import __version__ as __version__

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

_LAZY = {
    "Estimator": ("autoopt.fitting.estimator", "Estimator"),
    "Parameter": ("autoopt.variables.table", "Parameter"),
    "Parameters": ("autoopt.variables.table", "Parameters"),
    "Starts": ("autoopt.solvers", "Starts"),
    "basinhopping": ("autoopt.optimize.global_search", "basinhopping"),
    "brentq": ("autoopt.optimize.scalar_roots", "brentq"),
    "curve_fit": ("autoopt.optimize.curve_fit", "curve_fit"),
    "differential_evolution": ("autoopt.optimize.global_search", "differential_evolution"),
    "direct": ("autoopt.optimize.global_search", "direct"),
    "dual_annealing": ("autoopt.optimize.global_search", "dual_annealing"),
    "fit": ("autoopt.fitting.fit", "fit"),
    "function": ("autoopt.decorators", "function"),
    "gradient": ("autoopt.decorators", "gradient"),
    "hessian_vector": ("autoopt.decorators", "hessian_vector"),
    "latex": ("autoopt.closed_form.latex", "latex"),
    "least_squares": ("autoopt.optimize.least_squares", "least_squares"),
    "minimize_scalar": ("autoopt.optimize.scalar", "minimize_scalar"),
    "models": ("autoopt.models", None),
    "newton": ("autoopt.optimize.scalar_roots", "newton"),
    "resume": ("autoopt.fitting.resuming", "resume"),
    "root": ("autoopt.optimize.roots", "root"),
    "root_scalar": ("autoopt.optimize.scalar_roots", "root_scalar"),
    "shgo": ("autoopt.optimize.global_search", "shgo"),
    "source": ("autoopt.exporting.module", "source"),
}


def __getattr__(name: str) -> Any:
    """Import what costs time when it is first asked for; say what a name of an earlier version has become."""
    if name in _RENAMED:
        now = _RENAMED[name]
        warnings.warn(f"autoopt.{name} is called autoopt.{now} now.", DeprecationWarning, stacklevel=2)
        return globals()[now]
    if name not in _LAZY:
        raise AttributeError(f"module 'autoopt' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return import_module(module) if attribute is None else getattr(import_module(module), attribute)
