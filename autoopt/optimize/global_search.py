"""Global searches by SciPy's arguments: their local searches and their last one use exact derivatives.

The objective is traced once. Each search is a method of `minimize`, which verifies, judges and reports as for any: that
its end is a minimum is shown, that it is the lowest one cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.minimize import minimize
from autoopt.optimize.arguments import understood
from autoopt.optimize.left import Left
from autoopt.optimize.searches import Given, as_method, local_search, polished, refuse, row, seeded
from autoopt.optimize.values import Values
from autoopt.solvers import Problem
from autoopt.solvers.scipys_constraints import as_dicts, as_values

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult


_WARM, _SHARP = 5230.0, 1e-10
"""SciPy's initial temperature, and how much of values, which differ by dozens, local searches of shgo leave."""


@understood
def differential_evolution(
    func: Callable,
    bounds: Any,
    args: Any = (),
    strategy: str | Callable = "best1bin",
    maxiter: int = 1000,
    popsize: int = 15,
    tol: float = 0.01,
    mutation: Any = (0.5, 1),
    recombination: float = 0.7,
    rng: Any = None,
    callback: Callable | None = None,
    disp: bool = False,
    polish: bool = True,
    init: Any = "latinhypercube",
    atol: float = 0,
    updating: str = "immediate",
    workers: int = 1,
    constraints: Any = (),
    x0: Any = None,
    *,
    integrality: Any = None,
    vectorized: bool = False,
    seed: Any = None,
    verify: str | bool = "start",
    engine: str = "auto",
    checkpoint: Any = None,
) -> OptimizeResult:
    """Minimise over a box by differential evolution, and from its best point with exact derivatives.

    Parameters
    ----------
    func : callable, func(x, *args) -> scalar
        Of a vector x, plain NumPy.
    bounds : sequence of (low, high), or scipy.optimize.Bounds
        Finite.
    args, strategy, maxiter, popsize, tol, mutation, recombination, callback, disp, init, atol, updating, constraints
        As in `scipy.optimize.differential_evolution`; so is x0.
    rng, seed : int or numpy.random.Generator, optional
        Of the search; two runs with one seed are the same.
    polish : bool
        Whether a local search with exact derivatives follows: L-BFGS-B, under constraints SLSQP.
    workers, integrality, vectorized
        Only SciPy's defaults: the objective is compiled, values are computed here, and there are slopes along all x.
    verify, engine
        As in `minimize`.
    checkpoint : path, optional
        As in `minimize`: a search goes on with its last population and with random numbers where they were; `maxiter`
        counts the generations of all parts.

    Returns
    -------
    scipy.optimize.OptimizeResult
        The fields of `minimize`, with population and population_energies. Success is that the population has converged,
        and that x is a minimum.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that would be ignored.
    """
    refuse(integrality is not None, "integrality", "parameters are real here")
    refuse(bool(vectorized), "vectorized", "func is compiled, and called with one vector")
    refuse(workers != 1, "workers", "values are computed in this process")
    options = {
        "strategy": strategy, "maxiter": maxiter, "popsize": popsize, "tol": tol, "mutation": mutation,
        "recombination": recombination, "disp": disp, "init": init, "atol": atol,
        "updating": updating, "x0": x0, **seeded(rng, seed),
    }  # fmt: skip

    def search(problem: Problem) -> Any:
        from scipy import optimize

        values, left = Values.of(problem, given=bool(atol)), Left(problem, "differential_evolution", options["rng"])
        own = _from(problem, options, checkpoint) | {"maxiter": left.remaining(maxiter)}
        if (population := left.population()) is not None:
            own["init"] = population
        raw = optimize.differential_evolution(
            values,
            problem.scipy_bounds,
            polish=False,
            constraints=tuple(as_values(problem)),
            callback=values.of_populations(callback, left.noted),
            **own,
        )
        raw = values.finished(raw)
        return polished(problem, raw, None) if polish else raw

    keeps = ("population", "population_energies", "maxcv")
    given = Given(func, bounds, args, constraints, verify, engine, checkpoint)
    return given.minimised("differential_evolution", search, keeps, start=x0)


@understood
def dual_annealing(
    func: Callable,
    bounds: Any,
    args: Any = (),
    maxiter: int = 1000,
    minimizer_kwargs: Mapping[str, Any] | None = None,
    initial_temp: float = _WARM,
    restart_temp_ratio: float = 2e-5,
    visit: float = 2.62,
    accept: float = -5.0,
    maxfun: float = 1e7,
    rng: Any = None,
    no_local_search: bool = False,
    callback: Callable | None = None,
    x0: Any = None,
    *,
    seed: Any = None,
    verify: str | bool = "start",
    engine: str = "auto",
    checkpoint: Any = None,
) -> OptimizeResult:
    """Minimise over a box by simulated annealing, whose local searches use exact derivatives.

    Parameters
    ----------
    func : callable, func(x, *args) -> scalar
        Of a vector x, plain NumPy.
    bounds : sequence of (low, high), or scipy.optimize.Bounds
        Finite.
    minimizer_kwargs : dict, optional
        "method", "options" and "tol" of the local searches, as in `minimize`; by default L-BFGS-B.
    args, maxiter, initial_temp, restart_temp_ratio, visit, accept, maxfun, no_local_search, callback, x0
        As in `scipy.optimize.dual_annealing`.
    rng, seed : int or numpy.random.Generator, optional
        Of the search; two runs with one seed are the same.
    verify, engine
        As in `minimize`.
    checkpoint : path, optional
        As in `minimize`: a search goes on from its best point, at `initial_temp`, with random numbers where they were;
        `maxiter` counts the iterations of all parts.

    Returns
    -------
    scipy.optimize.OptimizeResult
        The fields of `minimize`. Success is that x is a minimum.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that would be ignored.
    """
    local = local_search(minimizer_kwargs, ("method", "options", "tol"))
    options = {
        "maxiter": maxiter, "initial_temp": initial_temp, "restart_temp_ratio": restart_temp_ratio, "visit": visit,
        "accept": accept, "maxfun": maxfun, "no_local_search": no_local_search, "x0": x0,
        **seeded(rng, seed),
    }  # fmt: skip

    def search(problem: Problem) -> Any:
        from scipy import optimize

        values = Values.of(problem, given=initial_temp != _WARM)
        inner = {"method": as_method(problem, local, values)}
        shown = callback and (lambda x, value, context: callback(x, values.back(value), context))
        if no_local_search:  # whose ends are the iterates otherwise
            shown = values.noting(shown)
        left = Left(problem, "dual_annealing", options["rng"])
        iterations = max(left.remaining(maxiter), 1)  # SciPy's loop does not end with 0
        own = _from(problem, options, checkpoint) | {"maxiter": iterations, "callback": shown}
        chain = left.counting(values, 2 * problem.x0.size)  # an iteration changes each x twice
        raw = optimize.dual_annealing(chain, problem.scipy_bounds, minimizer_kwargs=inner, **own)
        raw = values.finished(raw)
        return raw if no_local_search else polished(problem, raw, local)

    return Given(func, bounds, args, (), verify, engine, checkpoint).minimised("dual_annealing", search, start=x0)


@understood
def basinhopping(
    func: Callable,
    x0: Any,
    niter: int = 100,
    T: float | None = None,
    stepsize: float = 0.5,
    minimizer_kwargs: Mapping[str, Any] | None = None,
    take_step: Callable | None = None,
    accept_test: Callable | None = None,
    callback: Callable | None = None,
    interval: int = 50,
    disp: bool = False,
    niter_success: int | None = None,
    rng: Any = None,
    *,
    target_accept_rate: float = 0.5,
    stepwise_factor: float = 0.9,
    seed: Any = None,
    verify: str | bool = "start",
    engine: str = "auto",
    checkpoint: Any = None,
) -> OptimizeResult:
    """Minimise by jumps from minimum to minimum, each found with exact derivatives.

    Parameters
    ----------
    func : callable, func(params, *args) -> scalar
        Plain NumPy.
    x0 : value of any structure that `minimize` takes
        The start; steps are those of the flat vector.
    minimizer_kwargs : dict, optional
        Arguments of `minimize`: "method", "args", "jac", "hess", "hessp", "bounds", "constraints", "tol", "options".
    T : float, optional
        The temperature, by default what minima close to x0 differ by: jumps to those that are higher by much more are
        not accepted.
    niter, stepsize, take_step, accept_test, callback, interval, disp, niter_success
        As in `scipy.optimize.basinhopping`, on flat vectors; so are target_accept_rate and stepwise_factor.
    rng, seed : int or numpy.random.Generator, optional
        Of the search; two runs with one seed are the same.
    verify, engine
        As in `minimize`.
    checkpoint : path, optional
        As in `minimize`: a search goes on from its best minimum, at its temperature, with random numbers where they
        were; `niter` counts the jumps of all parts.

    Returns
    -------
    scipy.optimize.OptimizeResult
        The fields of `minimize`, with lowest_optimization_result and minimization_failures. Success is that x is a
        minimum.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that would be ignored.
    """
    beside = ("args", "jac", "hess", "hessp", "bounds", "constraints")
    local = local_search(minimizer_kwargs, ("method", "options", "tol", *beside))
    arguments = {name: local.pop(name) for name in beside if name in local}
    options = {
        "niter": niter, "stepsize": stepsize, "take_step": take_step, "accept_test": accept_test,
        "callback": callback, "interval": interval, "disp": disp, "niter_success": niter_success,
        "target_accept_rate": target_accept_rate, "stepwise_factor": stepwise_factor, **seeded(rng, seed),
    }  # fmt: skip

    def search(problem: Problem) -> Any:
        from scipy import optimize

        method, left = as_method(problem, local, Values(problem)), Left(problem, "basinhopping", options["rng"])
        size = left.before.get("T") or (_temperature(problem, method, stepsize) if T is None else T)
        shown = left.counting(callback or (lambda x, value, accepted: None), T=float(size))
        own = options | {"T": size, "niter": left.remaining(niter), "callback": shown}
        return optimize.basinhopping(problem.value_alone, problem.x0, minimizer_kwargs={"method": method}, **own)

    keeps = ("lowest_optimization_result", "minimization_failures")
    method = row("basinhopping", search, keeps)
    return minimize(func, x0, method=method, verify=verify, engine=engine, checkpoint=checkpoint, **arguments)


def _from(problem: Problem, options: Mapping[str, Any], checkpoint: Any) -> dict[str, Any]:
    """Return SciPy's options with the start of the problem, which may be that of a checkpoint."""
    return dict(options) if checkpoint is None else {**options, "x0": problem.x0}


def _temperature(problem: Problem, method: Callable, stepsize: float) -> float:
    """Return the standard deviation of the minima that some jumps from x0 lead to."""
    rng = np.random.default_rng(1)
    jumps = (stepsize * rng.uniform(-1.0, 1.0, problem.x0.size) for _ in range(_JUMPS))
    values = [method(problem.value_alone, problem.x0 + jump).fun for jump in jumps]
    return float(np.std(values)) if np.isfinite(values).all() else 1.0


_JUMPS = 5


@understood
def shgo(
    func: Callable,
    bounds: Any,
    args: Any = (),
    constraints: Any = None,
    n: int = 100,
    iters: int = 1,
    callback: Callable | None = None,
    minimizer_kwargs: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    sampling_method: str | Callable = "simplicial",
    *,
    workers: int = 1,
    verify: str | bool = "start",
    engine: str = "auto",
) -> OptimizeResult:
    """Minimise over a box by simplicial homology: a local search with exact derivatives in each basin that is seen.

    Parameters
    ----------
    func : callable, func(x, *args) -> scalar
        Of a vector x, plain NumPy.
    bounds : sequence of (low, high), or scipy.optimize.Bounds
        Finite.
    constraints : SciPy's constraint or sequence of them, optional
    minimizer_kwargs : dict, optional
        "options" and "tol" of SciPy's SLSQP, which searches locally.
    args, n, iters, callback, options, sampling_method
        As in `scipy.optimize.shgo`; what options say of derivatives is not needed.
    workers : int
        Only 1: values are computed in this process.
    verify, engine
        As in `minimize`.

    Returns
    -------
    scipy.optimize.OptimizeResult
        The fields of `minimize`, with xl and funl, the minima found and their values, lowest first. Success is that x
        is a minimum.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that would be ignored.
    """
    refuse(workers != 1, "workers", "values are computed in this process")
    local = local_search(minimizer_kwargs, ("options", "tol"))
    given = {"n": n, "iters": iters, "options": dict(options) if options else None}

    def search(problem: Problem) -> Any:
        from scipy import optimize

        values = Values.of(problem, given=bool({"f_min", "f_tol"} & {*(options or {})} or local))
        inner = {"method": "SLSQP", "jac": values.slopes, "options": {"ftol": _SHARP}, **local}
        raw = optimize.shgo(
            values, problem.scipy_bounds, constraints=as_dicts(problem) or None, minimizer_kwargs=inner,
            sampling_method=sampling_method, callback=values.noting(callback), **given,
        )  # fmt: skip
        raw = values.finished(raw)
        if np.shape(raw.get("x")) != problem.x0.shape:  # it has found no feasible point
            raw.update(x=problem.best, success=False)
            return raw
        return polished(problem, raw, None)

    return Given(func, bounds, args, constraints, verify, engine).minimised("shgo", search, ("xl", "funl"))


@understood
def direct(
    func: Callable,
    bounds: Any,
    *,
    args: Any = (),
    eps: float = 1e-4,
    maxfun: int | None = None,
    maxiter: int = 1000,
    locally_biased: bool = True,
    f_min: float = -np.inf,
    f_min_rtol: float = 1e-4,
    vol_tol: float = 1e-16,
    len_tol: float = 1e-6,
    callback: Callable | None = None,
    verify: str | bool = "start",
    engine: str = "auto",
) -> OptimizeResult:
    """Minimise over a box by dividing rectangles, and from the best point with exact derivatives.

    Parameters
    ----------
    func : callable, func(x, *args) -> scalar
        Of a vector x, plain NumPy.
    bounds : sequence of (low, high), or scipy.optimize.Bounds
        Finite.
    args, eps, maxfun, maxiter, locally_biased, f_min, f_min_rtol, vol_tol, len_tol, callback
        As in `scipy.optimize.direct`.
    verify, engine
        As in `minimize`.

    Returns
    -------
    scipy.optimize.OptimizeResult
        The fields of `minimize`. Success is that the search has ended by a tolerance, and that x is a minimum.

    Raises
    ------
    UsageError
        For an argument that is not understood, or that would be ignored.
    """
    options = {
        "eps": eps, "maxfun": maxfun, "maxiter": maxiter, "locally_biased": locally_biased, "f_min": f_min,
        "f_min_rtol": f_min_rtol, "vol_tol": vol_tol, "len_tol": len_tol,
    }  # fmt: skip

    def search(problem: Problem) -> Any:
        from scipy import optimize

        values = Values.of(problem, given=f_min > -np.inf)
        options["callback"] = values.noting(callback)
        return polished(problem, values.finished(optimize.direct(values, problem.scipy_bounds, **options)), None)

    return Given(func, bounds, args, (), verify, engine).minimised("direct", search)
