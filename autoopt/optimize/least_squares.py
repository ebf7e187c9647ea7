"""`least_squares`: from a plain NumPy function of residuals to the least sum of their squares."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.optimize.arguments import understood
from autoopt.optimize.limits import limits_of
from autoopt.optimize.losses import Loss
from autoopt.optimize.residuals import Residuals
from autoopt.optimize.solution import Task, refuse
from autoopt.parameters import Structure
from autoopt.runs.minima import kept
from autoopt.stages import heard
from autoopt.variables.start import Start

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult


@heard
@kept
@understood
def least_squares(
    fun: Callable,
    x0: Any,
    jac: Callable | str | None = None,
    bounds: Any = (-np.inf, np.inf),
    method: str | None = None,
    ftol: float | None = None,
    xtol: float | None = None,
    gtol: float | None = None,
    x_scale: Any = None,
    loss: str | Callable = "linear",
    f_scale: float = 1.0,
    diff_step: Any = None,
    tr_solver: str | None = None,
    tr_options: Mapping[str, Any] | None = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    callback: Callable | None = None,
    workers: Any = None,
    *,
    fixed: Any = None,
    verify: str | bool = "start",
    engine: str = "auto",
    progress: Callable | bool | None = None,
    checkpoint: Any = None,
) -> OptimizeResult:
    """Minimise 1/2 sum rho(r_i(x)^2) of residuals in plain NumPy, with exact Jacobians.

    Parameters
    ----------
    fun : callable, fun(params, *args, **kwargs) -> array of m residuals, of any shape
        Plain NumPy and SciPy; it need not know of autoopt. Squares are summed here.
    x0 : scalar, array of any shape, or nested dict, list, tuple, namedtuple or dataclass of them, or Parameters
        The start, as `minimize` takes it. `fun`, `jac`, `callback` and the result see parameters of this structure.
    jac : callable or "finite-difference", optional
        In place of the derived Jacobian: jac(params, ...) -> (m, n), dense or sparse. SciPy's "2-point", "3-point" and
        "cs" mean "finite-difference", which is at least as accurate.
    bounds : (lower, upper), scipy.optimize.Bounds, or for a dict x0 a dict of (low, high), optional
        As SciPy's: each limit a number, a flat vector, or of x0's structure.
    method : "lm", "trf" or "dogbox", optional
        By default the first of these that takes bounds, loss and shape; where it ends in no minimum, the next one is
        tried from x0.
    ftol, xtol, gtol : float, optional
        SciPy's; by default as sharp as rounding allows, and the last steps are Newton's, with second derivatives. A
        stop by one that is given is a success, as in SciPy.
    x_scale : "jac", number or values of x0's structure, optional
        Sizes of the parameters, by default "jac" (by the columns of the Jacobian), so that units do not matter.
    loss : "linear", "soft_l1", "huber", "cauchy", "arctan" or callable
        rho(z), z = (r / f_scale)^2; a callable returns rho, rho' and rho'', shape (3, m).
    f_scale : float
        The size of residuals from which on they count less than squares.
    diff_step, workers : None
        SciPy's, for its differences; refused.
    tr_solver : "exact" or "lsmr", optional
        How steps of trf and dogbox are computed, by default as SciPy chooses; `tr_options` are handed on.
    jac_sparsity : sparse matrix, optional
        As any value but None: the Jacobian is kept sparse. By default it is where its pattern, which is derived, pays.
    max_nfev : int, optional
        Limit of evaluations, by default 200 for each parameter and at least 2000.
    verbose : 0, 1 or 2
        1 prints how the run ended, 2 what `progress=True` does, too.
    args : tuple, or one array
    kwargs : dict, optional
    callback : callable, optional
        SciPy's `callback(x)` or `callback(intermediate_result)` at each iterate; StopIteration ends the run.
    fixed, verify, engine, progress, checkpoint
        As in `minimize`.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's: x (structure of x0), cost, fun (the m residuals), jac (m, n), grad (n,), optimality, active_mask, nfev,
        njev, nit, status, message, success; and x_flat, gradient_norm, nundefined, method, verification, timings,
        notes, as in `minimize`.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that the method would ignore.
    ObjectiveError, VerificationError
        If residuals are not finite at x0 (with their rows), or have no slopes there; if derived and original code
        disagree.
    Interrupted
        On Ctrl-C, with the best point so far as its `result`.

    Notes
    -----
    `success` says that x is a minimum: its Jacobian has full rank, what is left of the residuals along the tangent
    plane is below 1e-8 of them or rounding, and the curvature, of the residuals too, is positive; or what `minimize`
    asks for. A saddle is left along its negative curvature; a plateau is none. Trial points where `fun` raises or is
    not finite are stepped back from.
    """
    refuse(diff_step=diff_step, workers=workers)
    start = Start.of(x0, bounds if _is_given(bounds) else None, fixed)
    structure, function = start.structure, functools.partial(fun, **kwargs) if kwargs else fun
    data, is_sparse = (
        args if isinstance(args, tuple) else (args,),
        True if jac_sparsity is not None else _is_sparse(tr_solver),
    )
    options = {
        "ftol": ftol, "xtol": xtol, "gtol": gtol, "x_scale": _scale(x_scale, structure),
        "tr_solver": tr_solver, "tr_options": tr_options, "max_nfev": max_nfev,
    }  # fmt: skip
    limits = limits_of((-np.inf, np.inf) if start.bounds is None else start.bounds, structure, start.x0)
    task = Task(start, limits, Loss.of(loss, f_scale), method, options, callback, verify, progress, verbose, checkpoint)
    return task.solve(lambda: Residuals(function, start.x0, data, jac, engine, is_sparse))


def _is_sparse(tr_solver: str | None) -> bool | None:
    """Return whether the Jacobian is kept sparse: not where steps are to be exact, which factor it as it is."""
    return False if tr_solver == "exact" else None


def _is_given(bounds: Any) -> bool:
    """Whether there is any bound: SciPy's default is a pair of infinities."""
    pair = isinstance(bounds, tuple | list) and len(bounds) == 2 and all(np.ndim(side) == 0 for side in bounds)
    return bounds is not None and not (pair and tuple(bounds) == (-np.inf, np.inf))


def _scale(x_scale: Any, structure: Structure) -> Any:
    """Return the sizes of the parameters as SciPy takes them; UsageError if they are not positive."""
    if x_scale is None or (isinstance(x_scale, str) and x_scale == "jac"):
        return x_scale
    try:
        scale = np.full(structure.size, float(x_scale)) if np.ndim(x_scale) == 0 else _flat(x_scale, structure)
    except (TypeError, ValueError):
        scale = np.zeros(1)
    if np.isfinite(scale).all() and (scale > 0).all():
        return scale
    raise UsageError(f"x_scale={x_scale!r} is not understood.", remedy='give "jac", or positive sizes as x0 has them.')


def _flat(x_scale: Any, structure: Structure) -> np.ndarray:
    return np.asarray(x_scale, float) if np.shape(x_scale) == (structure.size,) else structure.flatten(x_scale)
