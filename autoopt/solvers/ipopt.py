"""Ipopt, through the package ipyopt (extra `ipopt`): exact second derivatives of the Lagrangian, sparse where known.

Ipopt sees a trial point where the problem is not defined as NaN, from which it steps back by itself. What a function of
ours raises cannot pass through it: it is kept, Ipopt is stopped, and it is raised again afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.constraints.constraint import Constraint
from autoopt.solvers.convergence import iteration_limit
from autoopt.solvers.entries import Beside, Entries, everywhere, of_matrix
from autoopt.solvers.problem import Problem
from autoopt.solvers.restarts import carried_on, size_of_objective
from autoopt.solvers.scipys_constraints import refuse_keep_feasible, weighed, weights
from autoopt.solvers.table import solver

_INFINITE = 2e19
"""From here on Ipopt takes a limit for none."""

_DENSE = 1000
"""With more parameters the Hessian is not asked for as a full matrix: where it is not sparse, Ipopt updates its own."""

_AT_REST = 4
"""So many iterations at one point end the run: what is around it is not defined."""

_UNDEFINED, _ASTRAY = 10, 5
"""So many trial points of one iteration that are not defined, in so many iterations in a row, end the run, too."""

_MESSAGES = {
    0: "Ipopt found an optimal point.",
    1: "Ipopt solved the problem to its acceptable tolerance.",
    2: "Ipopt converged to a point where the constraints cannot be met.",
    3: "Ipopt's search direction became too small.",
    4: "Ipopt's iterates diverge.",
    -1: "Ipopt reached the maximum number of iterations.",
    -2: "Ipopt's restoration of feasibility failed.",
    -3: "Ipopt could not compute a step.",
    -4: "Ipopt reached the maximum of CPU time.",
    -10: "The problem has fewer degrees of freedom than Ipopt needs: more equalities than parameters.",
    -13: "Ipopt met a value that is not finite.",
}

_OPTIONS = (
    *("acceptable_tol", "acceptable_iter", "constr_viol_tol", "dual_inf_tol", "compl_inf_tol", "mu_strategy"),
    *("mu_init", "bound_push", "nlp_scaling_method", "hessian_approximation", "max_cpu_time", "print_level"),
)


@solver(
    "ipopt",
    takes={"bounds", "constraints"},
    uses={"gradient", "hess"},
    options={"tol": 1e-10, "maxiter": iteration_limit, "bound_relax_factor": 0.0} | dict.fromkeys(_OPTIONS),
    tol=("tol",),
    stalls={1, 3, -2, -3},
    needs=("ipyopt", "ipopt"),
)
def ipopt(problem: Problem, options: dict):
    """Interior point with exact Hessian of the Lagrangian; for many parameters and constraints (extra: ipopt)."""
    refuse_keep_feasible(problem, "ipopt")

    def solve(start: np.ndarray) -> Any:
        try:
            return _run(problem, _Calls(problem), options, start)
        except Beside:  # on another branch there are other derivatives than where it began
            return _run(problem, _Calls(problem, full=True), options, problem.latest.copy())

    return carried_on(problem, solve, _LIMITS)


_LIMITS = frozenset({-1, -4})
_WHOLE = {"max_iter", "acceptable_iter", "print_level"}
"""Options that are whole numbers; Ipopt takes none for any other."""


def _run(problem: Problem, calls: _Calls, options: dict, start: np.ndarray):
    """Return the result of Ipopt on functions that fill arrays."""
    import ipyopt
    from scipy.optimize import OptimizeResult

    settings = {"print_level": 0, "sb": "yes"} | options
    settings["max_iter"] = settings.pop("maxiter")
    for name in settings.keys() - _WHOLE:
        settings[name] = float(settings[name]) if isinstance(settings[name], int) else settings[name]
    if (size := size_of_objective(problem)) < 1.0:  # what is large Ipopt sees by itself
        settings["obj_scaling_factor"] = 1.0 / size
    second = None if settings.get("hessian_approximation") == "limited-memory" else calls.hessian
    if second is None or not calls.has_second:
        settings["hessian_approximation"], second = "limited-memory", None
    runner = ipyopt.Problem(
        n=calls.size,
        x_l=calls.lower,
        x_u=calls.upper,
        m=calls.count,
        g_l=calls.least,
        g_u=calls.most,
        sparsity_indices_jac_g=calls.slope_places,
        sparsity_indices_h=calls.curve_places,
        eval_f=calls.value,
        eval_grad_f=calls.gradient,
        eval_g=calls.constraints,
        eval_jac_g=calls.slopes,
        eval_h=second,
        intermediate_callback=calls.iterate,
        ipopt_options=settings,
    )
    multipliers = np.zeros(calls.count)
    x, fun, status = runner.solve(start.copy(), mult_g=multipliers)
    if calls.raised is not None:
        raise calls.raised
    status = 3 if status == 5 else status
    message = _MESSAGES.get(status, f"Ipopt ended with status {status}.")
    return OptimizeResult(
        x=np.array(x), fun=fun, success=status == 0, status=status, message=message, nit=runner.stats["n_iter"],
        multipliers=multipliers,
    )  # fmt: skip


class _Calls:
    """What Ipopt calls: functions that fill arrays.

    Attributes
    ----------
    lower, upper : ndarray, shape (n,)
        Limits of the parameters.
    least, most : ndarray, shape (count,)
        Limits of the constraints' values.
    slope_places, curve_places : (rows, columns)
        The entries of the constraints' Jacobian, and of the Hessian's lower triangle, that are filled.
    latest : ndarray, shape (n,)
        Where the gradient was evaluated last.
    raised : BaseException or None
        What ended the run.
    """

    def __init__(self, problem: Problem, full: bool = False) -> None:
        self.problem, self.size = problem, problem.x0.size
        self.raised: BaseException | None = None
        self.latest, self._resting = problem.x0, 0
        self._undefined, self._astray = len(problem.undefined), 0
        limits, free = problem.limits, np.full(self.size, _INFINITE)
        self.lower = -free if limits is None else _ipopts(limits.lower)
        self.upper = free if limits is None else _ipopts(limits.upper)
        self.count = sum(one.count for one in problem.constraints)
        self._weights = [weights(problem, one) for one in problem.constraints]
        self.least = _ipopts(self._weighed([one.lower for one in problem.constraints]))
        self.most = _ipopts(self._weighed([one.upper for one in problem.constraints]))
        each = [
            everywhere(one.count, self.size) if full else _slope_places(problem, one) for one in problem.constraints
        ]
        starts = np.cumsum([0, *(one.count for one in problem.constraints)])
        self._slopes = [Entries([places], self.size) for places in each]
        self.slope_places = (
            _joined([entries.places[0] + start for entries, start in zip(self._slopes, starts, strict=False)]),
            _joined([entries.places[1] for entries in self._slopes]),
        )
        curved = _curve_places(problem, full)
        self.has_second = curved is not None
        self._curves = Entries(curved or [], self.size, lower=True)
        self.curve_places = self._curves.places

    def _weighed(self, values: list[np.ndarray]) -> np.ndarray:
        return _joined([weight * one for weight, one in zip(self._weights, values, strict=True)], float)

    def value(self, x: np.ndarray) -> float:
        return self._kept(lambda: self.problem.fun(x) if self.problem.is_defined(x) else np.nan, np.nan)

    def gradient(self, x: np.ndarray, out: np.ndarray) -> None:
        self.latest = x.copy()
        out[:] = self._kept(lambda: self.problem.jac(x), np.nan)

    def constraints(self, x: np.ndarray, out: np.ndarray) -> None:
        def values() -> np.ndarray | float:
            if not self.problem.is_defined(x):
                return np.nan
            return self._weighed([one.value(x) for one in self.problem.constraints])

        out[:] = self._kept(values, np.nan)

    def slopes(self, x: np.ndarray, out: np.ndarray) -> None:
        def values() -> np.ndarray:
            parts = zip(self.problem.constraints, self._slopes, self._weights, strict=True)
            held = self.problem.held_slopes
            return _joined([entries.values(weighed(held(one, x), weight)) for one, entries, weight in parts], float)

        out[:] = self._kept(values, np.nan)

    def hessian(self, x: np.ndarray, multipliers: np.ndarray, factor: float, out: np.ndarray) -> None:
        def values() -> np.ndarray:
            whole = self.problem.curvature is None
            total = factor * self._curves.values(self.problem.hess(x) if whole else self.problem.sparse_hess(x))
            start = 0
            for one, weight in zip(self.problem.constraints, self._weights, strict=True):
                v, start = weight * multipliers[start : start + one.count], start + one.count
                if not one.function.linear:
                    total = total + self._curves.values(_matrix(self.problem.held_curvature(one, x, v)))
            return total

        out[:] = self._kept(values, np.nan)

    def iterate(self, *state: Any) -> bool:
        """Tell the problem of an iterate; whether Ipopt shall go on."""
        undefined, self._undefined = len(self.problem.undefined) - self._undefined, len(self.problem.undefined)
        self._astray = self._astray + 1 if undefined >= _UNDEFINED else 0
        main = state[0] == 0  # else it restores feasibility, and evaluates no gradient
        if main and state[1] > 0:  # at 0 it is the start
            rests = np.array_equal(self.latest, self.problem.latest)
            self._resting = self._resting + 1 if rests else 0
            self._kept(lambda: self.problem.iterated(self.latest), None)
        return self.raised is None and self._resting < _AT_REST and self._astray < _ASTRAY

    def _kept(self, evaluate: Callable, otherwise: Any) -> Any:
        """Return what `evaluate` gives, `otherwise` if it raises, which is kept, or something has."""
        if self.raised is not None:
            return otherwise
        try:
            return evaluate()
        except BaseException as error:  # Ctrl-C, too
            self.raised = error
            return otherwise


def _slope_places(problem: Problem, constraint: Constraint) -> tuple[np.ndarray, np.ndarray]:
    """Return where the Jacobian of a constraint may differ from 0."""
    pattern = constraint.function.slopes
    return of_matrix(constraint.jacobian(problem.x0)) if pattern is None else (pattern.rows, pattern.indices)


def _curve_places(problem: Problem, full: bool) -> list[tuple[np.ndarray, np.ndarray]] | None:
    """Return where the Hessians of objective and constraints may differ from 0; None if they are not to be had."""
    small = problem.x0.size <= _DENSE
    functions = [one.function for one in problem.constraints if not one.function.linear]
    if not (small or problem.curvature) or any(one.strategy is not None for one in problem.constraints):
        return None
    if not all(function.has_second(small) and (small or function.curvature) for function in functions):
        return None
    patterns = [problem.curvature, *(function.curvature for function in functions)]
    if full or any(pattern is None for pattern in patterns):
        return [np.tril_indices(problem.x0.size)] if small else None
    return [(pattern.rows, pattern.indices) for pattern in patterns if pattern is not None]


def _matrix(matrix: Any) -> Any:
    """Return what a user's hess gave as a matrix: a linear operator by its products."""
    is_operator = hasattr(matrix, "matvec") and not hasattr(matrix, "tocoo")
    return matrix @ np.eye(matrix.shape[0]) if is_operator else matrix


def _joined(parts: list[np.ndarray], dtype: type = int) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *parts])


def _ipopts(limits: np.ndarray) -> np.ndarray:
    return np.clip(limits, -_INFINITE, _INFINITE)
