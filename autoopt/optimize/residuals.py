"""The residuals r(x) of the user's function with their derivatives, from whoever supplies them.

r(x), shape (m,)                  value        as compiled; the user's own function where jac is the user's
dr/dx, shape (m, n)               jacobian     derived, dense or sparse by its pattern, or jac(x), or differences
sum_i v_i d2 r_i/dx2, (n, n)      hessian      derived of v . r(x), in which v is data, or differences of J'v
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.constraints import shapes
from autoopt.errors import AutooptError, ObjectiveError, UsageError
from autoopt.objectives.kept_sparse import kept_sparse
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import objective_of, retain
from autoopt.objectives.suspects import not_finite
from autoopt.objectives.user_derivatives import FINITE_DIFFERENCE, SCIPYS
from autoopt.objectives.weighted_sums import WeightedSum, seconds
from autoopt.origin import definition
from autoopt.parameters import Structure
from autoopt.users_code import users_code

_SHOWN = 5
_ZERO = 1e-4
"""The least size of a parameter that is 0."""


class Residuals:
    """r(x), shape (m,), of the flat vector x, shape (n,), with first and second derivatives.

    Parameters
    ----------
    fun : callable, fun(params, *args) -> scalar or array of m numbers
    x0 : value of the parameters' structure
    args : tuple
    jac : callable, "finite-difference", one of SciPy's names of differences, or None
        In place of the derived Jacobian.
    engine : str
    is_sparse : bool, optional
        Whether the Jacobian is kept sparse; by default where that pays.
    name : str
        What messages call the function.
    shown : callable, optional
        The user's own function, which messages show, where `fun` is one around it.

    Attributes
    ----------
    count : int
        The number of residuals, m.
    nfev, njev : int
        Evaluations of r and of its Jacobian.

    Raises
    ------
    ObjectiveError
        If `fun` raises at x0, or returns no finite numbers that depend on the parameters.
    """

    def __init__(
        self,
        fun: Callable,
        x0: Any,
        args: tuple = (),
        jac: Any = None,
        engine: str = "auto",
        is_sparse: bool | None = None,
        name: str = "fun",
        shown: Callable | None = None,
    ) -> None:
        self.fun, self.args, self.engine, self.name = fun, args, engine, name
        self.shown = shown or fun
        self._jac = _supplied(jac)
        self.structure = Structure.of(x0)
        self.start = self.structure.flatten(x0).copy()
        self._x0 = x0
        self.nfev = self.njev = 0
        self._values: tuple[np.ndarray, np.ndarray] | None = None
        self._slopes: tuple[np.ndarray, Any] | None = None
        self._sums = WeightedSum(fun, x0, args, engine)
        self.count: int | None = None
        self.derived: Objective | None = None
        first = self._first()
        self.count = first.size
        _require_finite(self, first)
        self.derived = self._followed() if self._jac is None else None
        pattern = kept_sparse(self.derived, "jacobian") if is_sparse is None else is_sparse
        self.is_sparse = bool(pattern)
        with users_code(f"jac of {name}", ObjectiveError):
            shapes.require_finite(self.jacobian(self.start), f"The Jacobian of {name}", self.structure, self.shown)

    # What is asked at a point -----------------------------------------------------------------------------------------

    def original(self, x: np.ndarray) -> np.ndarray:
        """Return what the user's own function returns, shape (m,)."""
        if self.derived is not None:
            return self._of_length(self.derived.original_array(x).reshape(-1))
        return self._of_length(self._vector(self.fun(self.structure.unflatten(np.array(x)), *self.args)))

    def value(self, x: np.ndarray) -> np.ndarray:
        """Return r(x), shape (m,), computed once for each point."""
        if self._values is None or not np.array_equal(x, self._values[0]):
            at = np.array(x)
            self.nfev += 1
            self._values = at, self.original(at) if self.derived is None else self._compiled(at)
        return self._values[1]

    def jacobian(self, x: np.ndarray) -> Any:
        """Return the Jacobian, shape (m, n), computed once for each point; sparse where it is kept so."""
        if self._slopes is None or not np.array_equal(x, self._slopes[0]):
            at = np.array(x)
            self.njev += 1
            self._slopes = at, self._jacobian(at)
        return self._slopes[1]

    def jacobian_beside(self, x: np.ndarray) -> Any:
        """Return the Jacobian at a point that is no trial point; what is kept is left as it is."""
        self.njev += 1
        return self._jacobian(x)

    def dense_jacobian(self, x: np.ndarray) -> np.ndarray:
        """Return the Jacobian as an array, shape (m, n)."""
        return dense(self.jacobian(x))

    def hessian(self, x: np.ndarray, v: np.ndarray, sparse: bool | None = None) -> Any:
        """Return sum_i v_i d2 r_i/dx2, shape (n, n)."""
        if self.derived is None:
            return differences.hessian(lambda y: self._jacobian(y).T @ v, x)[0]
        return self._sums.of(v).hess(x, sparse=sparse)

    def hessp(self, x: np.ndarray, v: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return sum_i v_i d2 r_i/dx2 times `p`, shape (n,)."""
        if self.derived is None:
            return differences.hessp(lambda y: self._jacobian(y).T @ v, x, p)[0]
        return self._sums.of(v).hessp(x, p)

    # What the verification asks ---------------------------------------------------------------------------------------

    def units(self, x: np.ndarray) -> np.ndarray:
        """Return the size of each parameter for steps, shape (n,): what changes the residuals by about themselves.

        Between |x_i| and 1 where that is smaller: rates of 1e-6 are not moved by 1.
        """
        jacobian = abs(self.jacobian(x))
        lengths = np.sqrt(np.asarray((jacobian * jacobian).sum(axis=0)).reshape(-1))
        natural = np.linalg.norm(self.value(x)) / np.where(lengths > 0, lengths, np.nan)
        return np.clip(np.nan_to_num(natural, nan=1.0), np.where(x, np.abs(x), _ZERO), np.maximum(np.abs(x), 1.0))

    @property
    def jacobian_source(self) -> str:
        """What a message calls the Jacobian."""
        return f"Jacobian of {self.name} that jac gives" if callable(self._jac) else f"derived Jacobian of {self.name}"

    @property
    def given_jac(self) -> Callable | None:
        """The user's Jacobian, if there is one."""
        return self._jac if callable(self._jac) else None

    @property
    def is_exact(self) -> bool:
        """Whether the Jacobian is no difference quotient."""
        return self._jac != FINITE_DIFFERENCE

    @property
    def timings(self) -> dict[str, float]:
        """Seconds spent in "trace" and "compile" so far."""
        return seconds(self.derived, self._sums.objective)

    @property
    def notes(self) -> list[str]:
        """What there is to know of how it is evaluated."""
        return self.derived.notes if self.derived is not None else []

    def leave(self, x: np.ndarray) -> None:
        """Have the user's function keep what it keeps at `x`, and keep what is known of it for the next call.

        Residuals and Jacobian at `x` are what can be asked afterwards.
        """
        self.value(x), self.jacobian(x)
        with np.errstate(all="ignore"):
            if self.derived is not None:
                self.derived.commit_state(x)
            elif not callable(self._jac):
                self.original(x)
        for part in (self.derived, self._sums.objective):
            retain(part)

    # ------------------------------------------------------------------------------------------------------------------

    def _compiled(self, x: np.ndarray) -> np.ndarray:
        assert self.derived is not None  # nothing else is compiled
        return self._of_length(np.asarray(self.derived.value(x), dtype=np.float64).reshape(-1))

    def _jacobian(self, x: np.ndarray) -> Any:
        if callable(self._jac):
            given = self._jac(self.structure.unflatten(np.array(x)), *self.args)
            return shapes.jacobian(given, self.name, self.count or 0, self.structure, self._jac)
        if self.derived is None:
            return np.reshape(differences.jacobian(self.original, x)[0], (self.count, x.size))
        return self.derived.jacobian(x, sparse=self.is_sparse)[0]

    def _followed(self) -> Objective:
        """Return the function as it is derived; ObjectiveError if it has no slope."""
        derived = objective_of(self.fun, self._x0, self.args, self.engine, scalar=False)
        derived.value(self.start)
        flat = derived.flatness(self.start)
        if flat is None:
            return derived
        happened = {
            "constant": f"{self.name} does not depend on the parameters.",
            "whole": f"{self.name} returns numbers that have been made whole: their slopes are 0.",
        }.get(flat.kind, f"{self.name} depends on the parameters by steps or decisions alone: its slopes are 0.")
        remedy = "return residuals that are computed from the parameters, without rounding or counting."
        raise ObjectiveError(happened, definition(self.shown), remedy)

    def _first(self) -> np.ndarray:
        """Return r(x0) from the user's function, what it raises as an error of theirs."""
        try:
            with users_code(self.name, ObjectiveError), np.errstate(all="ignore"):
                return self.original(self.start)
        except AutooptError:
            raise
        except Exception as error:  # without a line of the user's: it was not called as it asks to be
            raise ObjectiveError(
                f"{self.name} raised {type(error).__name__}: {error}",
                definition(self.shown),
                "let it take the parameters, and after them what args gives.",
            ) from error

    def _vector(self, given: Any) -> np.ndarray:
        """Return what the user's function returned as floats, shape (m,); ObjectiveError if they are no numbers."""
        try:
            array = np.asarray(given)
            array = array.astype(np.float64) if array.dtype == object and given is not None else array
        except (TypeError, ValueError):
            array = np.asarray(None)
        if array.dtype.kind in "fiub" and array.size:
            return np.array(array, dtype=np.float64).reshape(-1)
        is_array = given is not None and array.dtype.kind != "O"
        kind = f"an array of {array.dtype.name}, shape {array.shape}" if is_array else f"a {type(given).__name__}"
        raise ObjectiveError(
            f"{self.name} returned {kind}, no real numbers.",
            definition(self.shown),
            "return the residuals as an array: their squares are summed here. (Of complex ones return real and "
            "imaginary parts, one after the other.)",
        )

    def _of_length(self, values: np.ndarray) -> np.ndarray:
        if self.count is None or values.size == self.count:
            return values
        raise ObjectiveError(
            f"{self.name} returned {values.size} values, but {self.count} at x0.",
            definition(self.shown),
            "return the same number of residuals at every point.",
        )


def dense(jacobian: Any) -> np.ndarray:
    """Return a Jacobian as an array."""
    return jacobian.toarray() if hasattr(jacobian, "toarray") else jacobian


def _require_finite(residuals: Residuals, first: np.ndarray) -> None:
    """Raise ObjectiveError if residuals at x0 are not finite: which rows, and what may be wrong in the data."""
    rows = np.flatnonzero(~np.isfinite(first))
    if not rows.size:
        return
    shown = ", ".join(map(str, rows[:_SHOWN])) + (", ..." if rows.size > _SHOWN else "")
    happened = (
        f"{residuals.name} is {first[rows[0]]} at x0 in row{'s' if rows.size > 1 else ''} {shown} "
        f"({rows.size} of {first.size} residuals are not finite)."
    )
    lines = not_finite(residuals.fun, residuals.args)
    if lines:
        happened = "\n".join([happened, "The data hold values that are not finite:", *lines])
    remedy = (
        "leave these rows out (np.isfinite finds them) or put numbers in their place."
        if lines
        else "start from a point where all residuals are finite, or see which term is not by calling it on x0."
    )
    told = None
    with contextlib.suppress(Exception):  # what cannot be followed is not looked into
        from autoopt.diagnosis.undefined import first_undefined

        objective = objective_of(residuals.fun, residuals._x0, residuals.args, residuals.engine, scalar=False)
        told = None if lines else first_undefined(objective, residuals.start, f"{happened.rstrip('.')}: ")
    if told is not None:
        raise ObjectiveError(told.happened, told.where or definition(residuals.shown), told.remedy)
    raise ObjectiveError(happened, definition(residuals.shown), remedy)


def _supplied(jac: Any) -> Any:
    """Return the user's `jac`, SciPy's names of differences as ours."""
    if jac is None or callable(jac) or jac == FINITE_DIFFERENCE:
        return jac
    if isinstance(jac, str) and jac in SCIPYS:
        return FINITE_DIFFERENCE
    raise UsageError(
        f"jac={jac!r} is not understood.",
        remedy=f'leave jac out for the exact Jacobian, or pass a function or "{FINITE_DIFFERENCE}".',
    )
