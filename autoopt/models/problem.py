"""What an estimator has to solve, and the two ways in which it is solved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import VerificationError
from autoopt.models.ancillary import Ancillary, natural, slopes, starts
from autoopt.models.approach import approached
from autoopt.models.by_gradients import by_gradients, root_mean_squares
from autoopt.models.derived import agreeing, derivatives_by_row
from autoopt.models.newton import Solution, newton
from autoopt.models.penalty import Penalty
from autoopt.models.rows import Rows

NEWTON = "newton"
"""The method of estimators whose rows are independent."""
GRADIENTS = "l-bfgs-b"
"""The method of those whose parameters are many, or whose data are sparse if it is asked for."""
LARGEST = 2000
"""Coefficients; a Hessian of more would take seconds at each iteration."""
MANY = 100_000
"""Rows, beyond which the start is where a part of them has its maximum."""


@dataclass(frozen=True)
class Problem:
    """A likelihood and its data.

    Attributes
    ----------
    name : str
        The model's file, under which its derivatives ship.
    terms, likelihood : callable or None
        As `regression.py` states them: one of them is not None.
    X : ndarray or sparse matrix, shape (m, n)
    y, offset, weights : ndarray, shape (m, ...), (m,), (m,)
        The last two None where there are none.
    intercept : bool
    predictors : int
        How many linear predictors a row has, each with its coefficients.
    begin : ndarray, shape (coefficients,), or None
        Where all coefficients begin; at `start` and zeros if it is None.
    start : float
        Of the intercept.
    ancillaries : sequence of k Ancillary
    alpha : float
        The ridge penalty.
    groups : ndarray of int, shape (m,), or None
        To which group each row belongs, where that matters for the covariance.
    """

    name: str
    terms: Callable | None
    likelihood: Callable | None
    X: Any
    y: np.ndarray
    offset: np.ndarray | None
    weights: np.ndarray | None
    intercept: bool
    start: float = 0.0
    ancillaries: Sequence[Ancillary] = ()
    alpha: float = 0.0
    predictors: int = 1
    begin: np.ndarray | None = None
    groups: np.ndarray | None = None

    @property
    def size(self) -> int:
        """How many coefficients a predictor has."""
        return self.X.shape[1] + self.intercept

    @property
    def coefficients(self) -> int:
        """How many coefficients there are."""
        return self.size * self.predictors

    @cached_property
    def penalty(self) -> Penalty:
        """The ridge penalty of the coefficients."""
        return Penalty.of(self.alpha, self.size, self.intercept, self.predictors)

    @property
    def first(self) -> np.ndarray:
        """Where the coefficients begin."""
        if self.begin is not None:
            return self.begin
        coef = np.zeros(self.coefficients)
        if self.intercept:
            coef[:: self.size] = self.start
        return coef

    @cached_property
    def total(self) -> Callable:
        """The negative log-likelihood, (params, X, y, offset, weights) -> number."""
        if self.likelihood is not None:
            return self.likelihood
        assert self.terms is not None
        terms, beside = self.terms, [self.coefficients + j for j in range(len(self.ancillaries))]
        coefficients, q = self.coefficients, self.predictors

        def negative_log_likelihood(params, X, y, offset, weights):
            coef = params[:coefficients]
            eta = (X @ coef if q == 1 else X @ np.reshape(coef, (q, -1)).T) + offset
            return np.sum(weights * terms(eta, y, *[params[j] for j in beside]))

        return negative_log_likelihood

    def predictor(self, params: np.ndarray) -> np.ndarray:
        """Return the linear predictors without the offset, shape (m,) or (m, q)."""
        coef = params[: self.coefficients].reshape(self.predictors, self.size)
        eta = self.X @ coef[:, int(self.intercept) :].T
        if self.intercept:
            eta = eta + coef[:, 0]
        return eta[:, 0] if self.predictors == 1 else eta


@contextmanager
def rows_of(problem: Problem) -> Iterator[Rows]:
    """Give the data of a likelihood that is a sum over rows, with the derivatives of its terms."""
    assert problem.terms is not None
    begin = np.array([one.start for one in problem.ancillaries])
    eta = np.zeros((len(problem.y), problem.predictors)) if problem.predictors > 1 else np.zeros(1)
    with derivatives_by_row(problem.name, problem.terms, eta, problem.y, begin) as derivatives:
        data = problem.X, problem.y, problem.offset, problem.weights
        yield Rows(derivatives, *data, problem.intercept, problem.penalty)


def by_rows(problem: Problem, method: str, tol: float | None, most: int | None) -> Solution:
    """Return the maximum by Newton's method, with Hessians summed over blocks of rows, or by gradients alone.

    Newton's is for at most `LARGEST` parameters; of more, no Hessian is computed.
    """
    begin = np.array([one.start for one in problem.ancillaries])
    coef = problem.first
    with rows_of(problem) as rows:
        few, derivatives = _few(rows), rows.derivatives
        agreeing(derivatives, few.eta(coef), few.y, begin)
        if method == NEWTON:
            found = _solved(problem, rows, coef, tol, most)
        else:
            found = by_gradients(rows, coef, tol, most, coef.size <= LARGEST)
        coef, moved = found.x[: problem.coefficients], found.x[problem.coefficients :]
        values = natural(problem.ancillaries, moved)
        if not any(one.is_at_end(value) for one, value in zip(problem.ancillaries, values, strict=True)):
            agreeing(derivatives, few.eta(coef), few.y, values)
    return _natural(found, problem.ancillaries)


def _solved(problem: Problem, rows: Rows, coef: np.ndarray, length: float | None, most: int | None) -> Solution:
    """Return Newton's solution in what the solver moves; of many rows it starts near where a part of them ends."""
    ancillaries, n = problem.ancillaries, problem.coefficients

    def solve(rows: Rows, x: np.ndarray, length: float | None, most: int | None) -> Solution:
        def moved(x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            values = natural(ancillaries, x[n:])
            if not all(one.holds(value) for one, value in zip(ancillaries, values, strict=True)):
                return np.inf, np.zeros(x.size), np.eye(x.size)
            value, gradient, hessian = rows.second_order(np.concatenate([x[:n], values]))
            return (value, *_moved(gradient, hessian, ancillaries, values))

        if ancillaries:
            return newton(moved, x, length, most)
        return newton(rows.second_order, x, length, most, rows.first_order if len(rows.y) > MANY else None)

    x = np.concatenate([coef, starts(ancillaries)])
    part, taken = None, 0
    for step in _steps(problem):
        found = solve(rows.every(step), x, 0.1, 20)
        part = found if found.converged and found.is_settled else None
        x = x if part is None else part.x
    if part is not None and not ancillaries:
        x, taken = approached(rows.gradient, x, part.hessian)
    found = solve(rows, x, length, most)
    return replace(found, iterations=found.iterations + taken)


def _steps(problem: Problem) -> list[int]:
    """Return of how many rows one is taken for a start, first of few and then of more of them; of few rows none."""
    rows, least = len(problem.y), 50 * problem.size
    if rows <= MANY or problem.predictors > 1:
        return []
    steps = [rows // max(size, least) for size in (MANY // 20, MANY // 2)]
    return sorted({step for step in steps if step > 1}, reverse=True)


def _few(rows: Rows) -> Rows:
    """Return some fifty of the rows; of several predictors, whose derivatives are those of all rows, all."""
    return rows if rows.predictors > 1 else rows.every(max(1, len(rows.y) // 50))


def _moved(
    gradient: np.ndarray, hessian: np.ndarray, ancillaries: Sequence[Ancillary], values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient and Hessian by what the solver moves, of those by the parameters."""
    slope = np.concatenate([np.ones(gradient.size - len(values)), slopes(ancillaries, values)])
    bend = np.array([value if one.positive else 0.0 for one, value in zip(ancillaries, values, strict=True)])
    hessian = hessian * np.outer(slope, slope)
    beside = np.arange(gradient.size - len(values), gradient.size)
    hessian[beside, beside] += gradient[beside] * bend
    gradient = gradient * slope
    fixed = beside[[one.fixed for one in ancillaries]]
    gradient[fixed] = hessian[fixed, :] = hessian[:, fixed] = 0.0
    hessian[fixed, fixed] = 1.0
    return gradient, hessian


def _natural(found: Solution, ancillaries: Sequence[Ancillary]) -> Solution:
    """Return the solution in the parameters, of that in what the solver moves."""
    k = len(ancillaries)
    if not k:
        return found
    n = found.x.size - k
    values = natural(ancillaries, found.x[n:])
    slope = np.concatenate([np.ones(n), slopes(ancillaries, values)])
    bend = np.array([value if one.positive else 0.0 for one, value in zip(ancillaries, values, strict=True)])
    gradient = found.gradient / slope
    hessian = found.hessian.copy()
    hessian[np.arange(n, n + k), np.arange(n, n + k)] -= gradient[n:] * bend
    x = np.concatenate([found.x[:n], values])
    return replace(found, x=x, gradient=gradient, hessian=hessian / np.outer(slope, slope))


def by_methods(problem: Problem, method: str | None, tol: float | None, most: int | None) -> Solution:
    """Return the maximum of a likelihood that is one number, for columns divided by their root mean square."""
    from autoopt.minimize import minimize
    from autoopt.objectives.retained import resumable

    design, scale = _design(problem.X, problem.intercept)
    n, ancillaries = problem.coefficients, problem.ancillaries
    scale = np.concatenate([np.tile(scale, problem.predictors), np.ones(len(ancillaries))])
    x0 = np.concatenate([problem.first * scale[:n], starts(ancillaries)])
    penalty = problem.penalty.matrix() / np.outer(scale[:n], scale[:n])
    rows = len(problem.y)
    args = (
        design,
        problem.y,
        np.zeros(rows if problem.predictors == 1 else (rows, 1)) if problem.offset is None else problem.offset,
        np.ones(rows) if problem.weights is None else problem.weights,
        penalty,
    )
    fun = _penalised(problem.total, n, ancillaries)
    held = np.array([False] * n + [one.fixed for one in ancillaries])
    if method == NEWTON:
        found = _by_hessians(fun, x0, args, tol, most)
    else:
        options = None if most is None else {"maxiter": most}
        fixed = held if held.any() else None
        result = minimize(fun, x0, args=args, method=method, tol=tol, options=options, fixed=fixed)
        with resumable(fun, x0, args) as objective:
            hessian = objective.hess(result.x, sparse=False)
        outcome = int(result.nit), bool(result.success), result.message, False
        found = Solution(result.x, float(result.fun), np.where(held, 0.0, result.jac), hessian, *outcome)
    hessian = found.hessian * np.outer(scale, scale)
    found = replace(found, x=found.x / scale, gradient=found.gradient * scale, hessian=hessian)
    return _natural(found, ancillaries)


def _by_hessians(fun: Callable, x0: np.ndarray, args: tuple, length: float | None, most: int | None) -> Solution:
    """Return the minimum of a function by Newton's method, its slopes compared with differences at both ends."""
    from autoopt.objectives.retained import resumable

    def agree(objective: Any, x: np.ndarray) -> None:
        direction = np.random.default_rng(0).uniform(0.5, 1.5, x.size) / np.sqrt(x.size)
        found = float(objective.grad(x) @ direction)
        expected, error = differences.directional(lambda near: fun(near, *args), x, direction)
        if not abs(found - expected) <= 10 * error + 1e-6 * (1 + abs(expected)):
            raise VerificationError(
                f"The slope of {fun.__name__} is {found:.10g}, but differences give {expected:.10g}.",
                remedy="use another method, such as method='l-bfgs-b', and report this.",
            )

    # Code that is compiled while Newton's method runs would round differently from then on, and where a likelihood has
    # no maximum the same data would end elsewhere.
    with resumable(fun, x0, args, engine="numpy") as objective:

        def second_order(x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
            return (*objective.value_and_grad(x), objective.hess(x, sparse=False))

        agree(objective, x0)
        found = newton(second_order, x0, length, most)
        agree(objective, found.x)
    return found


def _design(X: np.ndarray, intercept: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return X, after a column of ones if asked, with columns divided by their root mean square, and those (n,)."""
    scale = root_mean_squares(X)
    design = np.empty((len(X), len(scale) + intercept))
    design[:, :intercept] = 1.0
    np.divide(X, scale, out=design[:, int(intercept) :])
    return design, np.concatenate([np.ones(int(intercept)), scale])


def _penalised(likelihood: Callable, coefficients: int, ancillaries: Sequence[Ancillary]) -> Callable:
    """Return the likelihood plus a ridge penalty, as plain NumPy."""

    def objective(params, X, y, offset, weights, penalty):
        coef = params[:coefficients]
        if ancillaries:
            params = np.concatenate([coef, natural(ancillaries, params[coefficients:])])
        return likelihood(params, X, y, offset, weights) + 0.5 * (coef @ penalty @ coef)

    return objective
