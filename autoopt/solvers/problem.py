"""The problem as a solver sees it: one evaluation per point, counted, the best point kept, every iterate shown.

A trial point where the objective or a constraint raises, or is NaN or inf, is not defined: the solver sees a value
above that of the last iterate there, and a slope that leads back; constraints are those at the last iterate.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

import numpy as np

from autoopt.constraints.constraint import Constraint
from autoopt.errors import AutooptError, ObjectiveError
from autoopt.objectives.differentiable import Derivatives
from autoopt.objectives.kept_sparse import kept_sparse
from autoopt.objectives.one_sided import is_finite
from autoopt.objectives.sparsity import Sparsity
from autoopt.origin import is_ours
from autoopt.solvers.bounds import Limits
from autoopt.solvers.steep import held_slopes, without_steep
from autoopt.users_code import UNDEFINED, users_code

_MISTAKES = (AutooptError, RecursionError, NotImplementedError, UnicodeError)


class Stopped(Exception):
    """The run was ended at an iterate: by the callback."""


class Paused(Exception):
    """The run was ended at an iterate: another method goes on."""


class Stuck(Exception):
    """Too many trial points in a row were not defined: the method will not come back."""


class Unbounded(Exception):
    """The objective has fallen below `Problem.lowest`: it has no minimum."""


class Stalled(Exception):
    """A method asks for product after product at one point, as those do whose inner loop has come to rounding."""


IN_A_ROW = 100
"""Number of halvings that leave nothing of a step."""

_PRODUCTS, _PER_PARAMETER = 1000, 30
"""At one point conjugate gradients take one product for each parameter, and with rounding some more."""


class Problem:
    """An objective with its start, limits and constraints; `watch(x)` is called at every iterate.

    Parameters
    ----------
    objective : Derivatives
        On flat vectors; `original`, `structure`, `exact` and `meets_kinks` of an objective are asked for if there.
    x0 : ndarray, shape (n,)
    limits, constraints : Limits and sequence of Constraint, optional
    keeps : bool
        Whether `iterates` holds the start and all iterates.
    """

    record: Any = None  # a `runs.recorder.Recorder`, for searches to keep what they go on with
    seconds: tuple = ()  # the first and the latest Hessian or product: point, direction or None, and it

    def __init__(
        self, objective: Derivatives, x0: np.ndarray, limits: Limits | None = None, constraints: Sequence = (),
        *, keeps: bool = False,
    ) -> None:  # fmt: skip
        self.objective, self.x0, self.limits, self.constraints = objective, x0, limits, constraints
        self.nfev = self.nalone = self.nhev = self.nhvp = self.nit = self._nsparse = self._products = 0
        self.watch: Callable[[np.ndarray], None] = lambda x: None
        self.start = self.latest = self.best = x0
        self.state: Any = None  # what the method says of itself at an iterate
        self.certified: Any = None  # the certificate of the end
        self.iterates = [x0] if keeps else None
        self.best_value, self.lowest, self._highest = np.inf, -np.inf, -np.inf
        self.undefined: list[str] = []
        self.steep: dict[bytes, np.ndarray] = {}  # see `solvers.steep`
        self.shown: np.ndarray | None = None  # a minimum that its method has shown to be one
        self.abyss: np.ndarray | None = None  # where the objective was -inf
        self.findings: dict[str, Any] = {}  # fields of a result that is cut short
        self.lost: np.ndarray | None = None  # the trial point that was not defined last
        self._at: np.ndarray | None = None
        self._row, self._bits = 0, b""  # the bits of the point that was evaluated last
        self._is_defined, self._lowest = True, (b"", (np.inf, x0))  # the bits of `best`, value and gradient there
        self._alone: tuple[np.ndarray, bool] | None = None  # where the value was asked for alone, and whether it is one
        self.raised: Exception | None = None
        self._origin: tuple[float, np.ndarray] | None = None
        self.initial_value = self.fun(x0)
        self._origin = self._found

    def fun(self, x: np.ndarray) -> float:
        return self.evaluated(x)[0]

    def jac(self, x: np.ndarray) -> np.ndarray:
        return self.evaluated(x)[1].copy()

    def value(self, x: np.ndarray) -> float:
        """Return f(x), NaN where the objective is not defined."""
        return self.fun(x) if self.is_defined(x) else np.nan

    def value_alone(self, x: np.ndarray) -> float:
        """Return f(x) without its gradient; where it is not defined, a value above all those before."""
        if self._is_at(x) and self._is_defined:
            return self._found[0]
        evaluated = self._tried(at := np.array(x), alone=True)
        self._alone = at, evaluated is not None
        if evaluated is None:
            return self._highest + max(1.0, abs(self._highest))
        self._seen(at, evaluated[0])
        return evaluated[0]

    def original(self, x: np.ndarray) -> float:
        """Return f(x) of the user's own function, else the solver's; NaN where it is not defined. It is not derived."""
        if (original := getattr(self.objective, "original", None)) is None:
            return self.value(x)
        self.nfev += 1
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"), suppress(*UNDEFINED):
            value = float(original(np.array(x)))
            return value if np.isfinite(value) else np.nan
        return np.nan

    def projected_gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the gradient, shape (n,), cut to the distance from the bound that it points to."""
        gradient = self.jac(x)
        return gradient if self.limits is None else self.limits.projected(x, gradient)

    def is_defined(self, x: np.ndarray) -> bool:
        """Whether the objective has a value at `x`."""
        if self._alone is not None and np.array_equal(x, self._alone[0]):
            return self._alone[1]
        self.evaluated(x)
        return self._is_defined

    def hess(self, x: np.ndarray) -> np.ndarray:
        if not self.is_defined(x):  # trust-exact asks before it looks at the value
            return np.eye(x.size)
        self.nhev += 1
        with self._noted():
            return _kept(self, x, None, without_steep(self, x, self.objective.hess(x, sparse=False)))

    @cached_property
    def curvature(self) -> Sparsity | None:
        """Where the Hessian may differ from 0; None if it is not worth keeping sparse."""
        return kept_sparse(self.objective, "hessian")

    def sparse_hess(self, x: np.ndarray) -> Any:
        """Return the Hessian as a sparse matrix, shape (n, n)."""
        if not self.is_defined(x):
            from scipy.sparse import eye_array

            return eye_array(x.size, format="csr")
        self.nhev, self._nsparse = self.nhev + 1, self._nsparse + 1
        with self._noted():
            return self.objective.hess(x, sparse=True)

    def hessp(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        if not self._is_defined and self._is_at(x):
            return np.array(p)
        self.nhev, self.nhvp, self._products = self.nhev + 1, self.nhvp + 1, self._products + 1
        if self._products > _PRODUCTS + _PER_PARAMETER * x.size:
            raise Stalled
        with self._noted():
            return _kept(self, x, p, self.objective.hessp(x, p))

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Keep what the objective raises, to tell it from what the solver does."""
        try:
            yield
        except Exception as error:
            self.raised = error
            raise

    @property
    def second(self) -> str:
        """Which second derivatives the solver has asked for, and so are compiled: "hess", "hessp" or none ("")."""
        others = self.nhvp + self._nsparse
        return "hess" if self.nhev > others else "hessp" if others else ""

    @property
    def names(self) -> list[str] | None:
        """Names of the parameters, as the user may see them."""
        return getattr(getattr(self.objective, "structure", None), "names", None)

    @property
    def scipy_bounds(self) -> Any:
        return self.limits and self.limits.scipy()

    def scipy(self, method: str, options: dict, start: np.ndarray | None = None, **extras: Any) -> Any:
        """Return the result of SciPy's `method` from `start`, by default its own; None among options is SciPy's.

        A method that is given jac=None asks for values alone. It sees value and gradient divided by `size`.
        """
        from scipy.optimize import minimize

        called = {"jac": self.jac, "callback": self.iterated} | extras
        fun = called.pop("fun", self.value_alone if called["jac"] is None else self.fun)
        if (size := called.pop("size", 1.0)) != 1.0:
            own, called["jac"] = fun, called["jac"] and (lambda x: self.jac(x) / size)
            fun = lambda x: own(x) / size  # noqa: E731
        return minimize(fun, self.start if start is None else start, method=method, options=options, **called)

    def iterated(self, x: np.ndarray, *state: Any) -> None:
        """Note that `x` is an iterate, and show it to who watches."""
        self.nit += 1
        self.state = state[0] if state else None
        at = np.array(x)
        is_evaluated = self._is_at(at)
        if is_finite(at) and (self._is_defined or not is_evaluated):
            self.latest, self._origin = at, self._found if is_evaluated else None
        if self.iterates is not None:
            self.iterates.append(self.latest)
        self.watch(self.latest)
        if self.best_value < self.lowest:
            raise Unbounded

    def _is_at(self, x: np.ndarray) -> bool:
        """Whether `x` is the point that was evaluated last: bits tell so in a tenth of the time of np.array_equal."""
        return self._at is not None and x.tobytes() == self._bits

    def evaluated(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient at `x`; they are known at the point that was evaluated last, and at the best."""
        bits = x.tobytes()
        if bits != self._bits or self._at is None:
            at, self._products = np.array(x), 0
            evaluated = self._lowest[1] if bits == self._lowest[0] else self._tried(at)
            self._at, self._bits, self._is_defined = at, bits, evaluated is not None
            self._row = 0 if evaluated is not None else self._row + 1
            self.lost = at if evaluated is None and np.isfinite(at).all() else self.lost
            if self._row >= IN_A_ROW:
                raise Stuck(f"{IN_A_ROW} trial points in a row were not defined: {self.undefined[-1]}")
            if evaluated is not None:
                self._found = evaluated
                self._seen(at, evaluated[0])
                if self.best is at:
                    self._lowest = bits, (evaluated[0], evaluated[1].copy())  # the user may fill one array again
            else:
                self._origin = self._origin or self._tried(self.latest) or (self.best_value, np.zeros(at.size))
                self._found = _leading_back(self._origin[0], self._origin[1], at - self.latest)
        return self._found

    def _seen(self, at: np.ndarray, value: float) -> None:
        self._highest = max(self._highest, value)
        if value < self.best_value and (self.limits is None or self.limits.allow(at)):
            if value > -np.inf:
                self.best, self.best_value = at, value
                return
            self.abyss = at
            if self.lowest > -np.inf:  # a method is on its way
                raise Unbounded

    def _tried(self, at: np.ndarray, alone: bool = False) -> tuple[float, np.ndarray] | None:
        """Return value and gradient at `at`, None where the objective is not defined; at x0 the error is the user's."""
        if not is_finite(at):  # some methods come to that by overflow
            self.undefined.append("the objective was asked for at a point that is not finite")
            return None
        self.nfev += 1
        try:
            value, gradient = _value_of(self, at) if alone else self.objective.value_and_grad(at)
        except Exception as error:
            self.raised = error
            is_mistake = self._at is None or isinstance(error, _MISTAKES) or not isinstance(error, UNDEFINED)
            if is_mistake or _is_our_fault(self.objective, error, at):
                raise
            self.undefined.append(f"the objective raised {type(error).__name__}: {error}".rstrip(": "))
            return None
        value, broken = float(value), None
        if self._at is not None:
            broken = _broken_constraint(self, at) if value < np.inf else f"the objective was {value}"
        if broken:
            self.undefined.append(broken)
            return None
        return value, held_slopes(self, at, value, np.asarray(gradient))

    # Constraints, as a solver asks for them ---------------------------------------------------------------------------

    def defined(self, x: np.ndarray) -> np.ndarray:
        """Return `x`, or the last iterate where the problem is not defined at `x`."""
        return x if np.isfinite(x).all() and self.is_defined(x) else self.latest

    def held_value(self, constraint: Constraint, x: np.ndarray) -> np.ndarray:
        """Return the values of a constraint, shape (k,)."""
        return constraint.value(self.defined(x))

    def held_slopes(self, constraint: Constraint, x: np.ndarray) -> Any:
        """Return the Jacobian of a constraint, shape (k, n)."""
        with self._noted(), users_code(f"jac of {constraint.name}", ObjectiveError):
            return constraint.jacobian(self.defined(x))

    def held_curvature(self, constraint: Constraint, x: np.ndarray, v: np.ndarray) -> Any:
        """Return the sum of v[k] times the Hessian of value k of a constraint, shape (n, n)."""
        with self._noted(), users_code(f"hess of {constraint.name}", ObjectiveError):
            return constraint.function.hessian(self.defined(x), v)


def known(problem: Problem, x: np.ndarray) -> tuple[float, np.ndarray | None]:
    """Return what is known of value and gradient at `x`, NaN and None where nothing is; nothing is evaluated."""
    if problem._is_at(x) and problem._is_defined:
        return problem._found
    if x.tobytes() == problem._lowest[0]:
        return problem._lowest[1]
    return problem.best_value if np.array_equal(x, problem.best) else np.nan, None


def _kept(problem: Problem, x: np.ndarray, p: np.ndarray | None, found: np.ndarray) -> np.ndarray:
    """Note the first and the latest Hessian, or product with `p`, which the verification looks at; return it."""
    if not problem.steep:
        problem.seconds = (*problem.seconds[:1], (np.array(x), None if p is None else np.array(p), found))
    return found


def _value_of(problem: Problem, at: np.ndarray) -> tuple[float, np.ndarray]:
    """Return f(at) as the objective computes it without a gradient, if it does, and an empty gradient."""
    value = getattr(problem.objective, "value", None)
    if value is None:
        return problem.objective.value_and_grad(at)
    problem.nalone += 1
    return value(at), np.zeros(0)


def _broken_constraint(problem: Problem, at: np.ndarray) -> str | None:
    """Return which constraint is not defined at `at`, and why; None if all are. Mistakes come up as the user's."""
    for constraint in problem.constraints:
        try:
            with problem._noted(), users_code(constraint.name, ObjectiveError, passing=UNDEFINED):
                values = constraint.value(at)
        except UNDEFINED as error:
            if isinstance(error, _MISTAKES):
                raise
            return f"{constraint.name} raised {type(error).__name__}: {error}".rstrip(": ")
        if not np.isfinite(values).all():
            k = int(np.argmin(np.isfinite(values)))
            return f"{constraint.place(k)[0]} was {values[k]}"
    return None


def _is_our_fault(objective: Any, error: BaseException, at: np.ndarray) -> bool:
    """Whether the exception comes from code of this package, and the user's function does not raise there."""
    original = getattr(objective, "original", None)
    if original is None or not is_ours(error):
        return False
    try:
        original(at)
    except UNDEFINED:
        return False
    return True


def _leading_back(value: float, gradient: np.ndarray, step: np.ndarray) -> tuple[float, np.ndarray]:
    """Return what a solver sees after `step` from an iterate: it sends line searches and trust regions back there.

    Notes
    -----
    With d the step and s = |g.d| at the iterate x, the value f(x) + 3 s and the slope 7 s along d: those at 1 of
    the parabola that begins with slope -s and is lowest at 1/8. (SciPy's line searches interpolate by cubics, of
    which infinite values make NaN; some then give up, where these step back.)
    """
    with np.errstate(all="ignore"):
        slope, length = abs(float(gradient @ step)), float(step @ step)
        rise = slope if np.isfinite(slope) and slope > 0 else 0.0
        rise = max(rise, 1e-8 * max(1.0, abs(value)))
        return value + 3 * rise, 7 * rise / length * step if length > 0 else np.zeros(step.size)
