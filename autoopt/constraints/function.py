"""The function of one constraint with its derivatives, from whoever supplies them: derived, the user's, differences.

    c(x), shape (k,)                  value        as compiled; the user's own function where jac is the user's
    dc/dx, shape (k, n)               jacobian     derived, or jac(x), or by differences
    sum_k v_k d2 c_k/dx2, (n, n)      hessian      derived of v . c(x), in which v is data, or hess(x, v)

A function that cannot be followed keeps differences for its Jacobian, and says so in `notes`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.constraints import shapes
from autoopt.errors import AutooptError, ObjectiveError
from autoopt.objectives.kept_sparse import kept_sparse
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import objective_of, retain
from autoopt.objectives.sparsity import Sparsity
from autoopt.objectives.user_derivatives import FINITE_DIFFERENCE
from autoopt.objectives.weighted_sums import WeightedSum, seconds
from autoopt.origin import definition
from autoopt.parameters import Structure
from autoopt.tape.slopes import Flat
from autoopt.users_code import users_code


class ConstraintFunction:
    """c(x), shape (k,), of the flat vector x, shape (n,), with first and second derivatives.

    Parameters
    ----------
    name : str
        What messages call the constraint.
    fun : callable, fun(params, *args) -> scalar or (k,)
    x0 : value of the parameters' structure
    args : tuple
    jac : callable, "finite-difference" or None
        In place of the derived Jacobian.
    hess : callable, hess(params, v) -> (n, n), or None
        In place of the derived second derivatives.
    engine : str

    Attributes
    ----------
    count : int
        The number of values, k.
    notes : list of str
        What could not be derived.
    slopes : Sparsity or None
        Where the derived Jacobian may differ from 0, if it is worth keeping sparse; it then is.
    sizes : ndarray, shape (k,)
        By how much each value changes, to first order, when all parameters change by their sizes at x0.
    initial : ndarray, shape (k,)
        The values at x0.
    compiled : bool
        Whether second derivatives have been asked for, and cost nothing more.

    Raises
    ------
    ObjectiveError
        If `fun` raises at x0, or returns no finite vector that depends on the parameters.
    """

    linear = False

    def __init__(
        self, name: str, fun: Callable, x0: Any, args: tuple, jac: Any = None, hess: Any = None, engine: str = "auto"
    ) -> None:
        self.name, self.fun, self.args, self.engine = name, fun, args, engine
        self.structure = Structure.of(x0)
        self.start = self.structure.flatten(x0).copy()
        self._x0, self._jac, self.given_hess = x0, jac, hess
        self.notes: list[str] = []
        self.count: int | None = None
        first = self._first()
        self.count, self.initial = first.size, first
        shapes.require_finite(first, self.name, self.structure, self.fun)
        self.derived = self._followed() if jac is None and first.size else None
        self.slopes = kept_sparse(self.derived, "jacobian")
        self._sums = WeightedSum(fun, x0, args, engine)
        self.compiled = False
        with users_code(f"jac of {name}", ObjectiveError):
            given = self.jacobian(self.start)
        shapes.require_finite(given, f"The Jacobian of {name}", self.structure, fun)
        self.sizes = np.asarray(abs(given) @ differences.step_scale(self.start))

    # First derivatives ------------------------------------------------------------------------------------------------

    def original(self, x: np.ndarray) -> np.ndarray:
        """Return what the user's own function returns, shape (k,)."""
        given = self.fun(self.structure.unflatten(np.array(x)), *self.args)
        return self._of_length(shapes.vector(given, self.name, self.fun))

    def value(self, x: np.ndarray) -> np.ndarray:
        """Return c(x), shape (k,)."""
        if self.derived is None:
            return self.original(x)
        return self._of_length(np.array(self.derived.dispatch.run("value", x), dtype=np.float64).reshape(-1))

    def jacobian(self, x: np.ndarray) -> Any:
        """Return the Jacobian, shape (k, n): an array, or a sparse one where the user's is."""
        if callable(self._jac):
            given = self._jac(self.structure.unflatten(np.array(x)), *self.args)
            return shapes.jacobian(given, self.name, self.count or 0, self.structure, self._jac)
        if self.derived is None:
            return np.reshape(differences.jacobian(self.original, x)[0], (self.count, x.size))
        return self.derived.jacobian(x, sparse=self.slopes is not None)[0]

    @property
    def jacobian_source(self) -> str:
        """What a message calls the Jacobian."""
        return f"Jacobian of {self.name} that jac gives" if callable(self._jac) else f"derived Jacobian of {self.name}"

    @property
    def given_jac(self) -> Callable | None:
        """The user's Jacobian, if there is one."""
        return self._jac if callable(self._jac) else None

    @property
    def supplies_second(self) -> bool:
        """Whether second derivatives are the user's."""
        return self.given_hess is not None

    @property
    def is_compared(self) -> bool:
        """Whether the Jacobian is to be compared with differences, and is none itself."""
        return callable(self._jac) or self.derived is not None

    # Second derivatives -----------------------------------------------------------------------------------------------

    def has_second(self, dense: bool) -> bool:
        """Whether there are exact second derivatives, as a matrix if `dense`, else times a direction; derives them."""
        if self.supplies_second or self.compiled:
            return True
        if self._jac == FINITE_DIFFERENCE or (self._jac is None and self.derived is None):
            return False
        try:
            if dense or self.curvature is not None:
                self.hessian(self.start, np.ones(self.count or 0))
            else:
                self.hessp(self.start, np.ones(self.count or 0), np.ones(self.start.size))
        except AutooptError as error:
            self._sums.objective = None
            self.notes.append(f"{self.name} has no derived second derivatives: {_why(error)}")
            return False
        self.compiled = True
        return True

    @cached_property
    def curvature(self) -> Sparsity | None:
        """Where the second derivatives may differ from 0; None if they are not worth keeping sparse."""
        return None if self.supplies_second else kept_sparse(self._sums.of(np.ones(self.count or 0)), "hessian")

    def hessian(self, x: np.ndarray, v: np.ndarray) -> Any:
        """Return sum_k v_k d2 c_k/dx2, shape (n, n)."""
        if self.supplies_second:
            given = self.given_hess(self.structure.unflatten(np.array(x)), np.array(v))
            return shapes.hessian(given, self.name, x.size, self.given_hess)
        is_sparse = self.curvature is not None  # which binds weights of its own, the first time
        return self._sums.of(v).hess(x, sparse=is_sparse)

    def hessp(self, x: np.ndarray, v: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return sum_k v_k d2 c_k/dx2 times `p`, shape (n,)."""
        if self.supplies_second:
            return self.hessian(x, v) @ p
        return self._sums.of(v).hessp(x, p)

    # What is kept, and what is counted --------------------------------------------------------------------------------

    @property
    def timings(self) -> dict[str, float]:
        """Seconds spent in "trace" and "compile" so far."""
        return seconds(self.derived, self._sums.objective)

    def retain(self) -> None:
        """Keep what is known of the function for the next call; the constraint is of no use afterwards."""
        for part in (self.derived, self._sums.objective):
            retain(part)

    def _followed(self) -> Objective | None:
        """Return the function as it is derived; None, with a note, if it cannot be followed."""
        try:
            derived = objective_of(self.fun, self._x0, self.args, self.engine, scalar=False)
            derived.dispatch.run("value", self.start)
            derived.jacobian(self.start)
            flat = derived.flatness(self.start)
        except AutooptError as error:
            self.notes.append(f"{self.name} is differentiated by differences: {_why(error)}")
            return None
        if flat is not None and flat.kind != "decided":
            raise self._flat(flat)
        return derived

    def _first(self) -> np.ndarray:
        """Return c(x0) from the user's function, what it raises as an error of the constraint."""
        return first_values(self.name, self.fun, self.original, self.start)

    # What is refused --------------------------------------------------------------------------------------------------

    def _of_length(self, values: np.ndarray) -> np.ndarray:
        if self.count is None or values.size == self.count:
            return values
        raise ObjectiveError(
            f"{self.name} returned {values.size} values, but {self.count} at x0.",
            definition(self.fun),
            "return the same number of values at every point.",
        )

    def _flat(self, flat: Flat) -> ObjectiveError:
        happened = {
            "constant": f"{self.name} does not depend on the parameters.",
            "whole": f"{self.name} returns a number that has been made whole: its slope is 0 wherever it has one.",
        }.get(flat.kind, f"{self.name} depends on the parameters by steps alone: its slope is 0 wherever it has one.")
        remedy = "return what the limits hold for, computed from the parameters: x[0] - 1, not x[0] > 1."
        return ObjectiveError(happened, definition(self.fun), remedy)


def _why(error: AutooptError) -> str:
    """Return in one line why something could not be derived, with the user's line."""
    where = "".join(f" ({place.file}:{place.line})" for place in error.where[:1])
    return error.happened.replace("The objective", "it", 1).rstrip(".") + where + "."


def first_values(name: str, fun: Callable, original: Callable, start: np.ndarray) -> np.ndarray:
    """Return original(start) of the constraint `name` with the user's function `fun`; ObjectiveError if it raises."""
    try:
        with users_code(name, ObjectiveError):
            return original(start)
    except AutooptError:
        raise
    except Exception as error:  # without a line of the user's: it was not called as it asks to be
        raise ObjectiveError(
            f"{name} raised {type(error).__name__}: {error}",
            definition(fun),
            "let it take the parameters, and after them what args of the constraint gives.",
        ) from error
