"""The function of one constraint with its derivatives, from whoever supplies them: derived, the user's, differences.

    c(x), shape (k,)                  value        as compiled; the user's own function where jac is the user's
    dc/dx, shape (k, n)               jacobian     derived, or jac(x), or by differences
    sum_k v_k d2 c_k/dx2, (n, n)      hessian      derived of v . c(x), in which v is data, or hess(x, v)

A function that cannot be followed keeps differences for its Jacobian, and says so in `notes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import AutooptError, ObjectiveError, UsageError
from autoopt.objectives.adapted import weighted
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import objective_of, retain
from autoopt.objectives.user_derivatives import FINITE_DIFFERENCE
from autoopt.origin import definition
from autoopt.parameters import Structure
from autoopt.tape.slopes import Flat
from autoopt.users_code import users_code

_RETURN = "return one number or a vector of numbers, each of which the limits hold for."


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
        with users_code(name, ObjectiveError):
            first = self.original(self.start)
        self.count = first.size
        self._require_finite("", first)
        self.derived = self._followed() if jac is None and first.size else None
        self._second: Objective | None = None
        self._weights: np.ndarray | None = None
        self.compiled = False
        with users_code(f"jac of {name}", ObjectiveError):
            self._require_finite("Jacobian of ", self.jacobian(self.start))

    # First derivatives ------------------------------------------------------------------------------------------------

    def original(self, x: np.ndarray) -> np.ndarray:
        """Return what the user's own function returns, shape (k,)."""
        return self._vector(self.fun(self.structure.unflatten(np.array(x)), *self.args))

    def value(self, x: np.ndarray) -> np.ndarray:
        """Return c(x), shape (k,)."""
        if self.derived is None:
            return self.original(x)
        return self._of_length(np.array(self.derived.dispatch.run("value", x), dtype=np.float64).reshape(-1))

    def jacobian(self, x: np.ndarray) -> Any:
        """Return the Jacobian, shape (k, n): an array, or a sparse one where the user's is."""
        if callable(self._jac):
            return self._matrix(self._jac(self.structure.unflatten(np.array(x)), *self.args))
        if self.derived is None:
            return np.reshape(differences.jacobian(self.original, x)[0], (self.count, x.size))
        return self.derived.jacobian(x)[0]

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
            if dense:
                self.hessian(self.start, np.ones(self.count or 0))
            else:
                self.hessp(self.start, np.ones(self.count or 0), np.ones(self.start.size))
        except AutooptError as error:
            self._second = None
            self.notes.append(f"{self.name} has no derived second derivatives: {_why(error)}")
            return False
        self.compiled = True
        return True

    def hessian(self, x: np.ndarray, v: np.ndarray) -> Any:
        """Return sum_k v_k d2 c_k/dx2, shape (n, n)."""
        if self.supplies_second:
            return self._square(self.given_hess(self.structure.unflatten(np.array(x)), np.array(v)))
        return self._weighted(v).hess(x)

    def hessp(self, x: np.ndarray, v: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return sum_k v_k d2 c_k/dx2 times `p`, shape (n,)."""
        if self.supplies_second:
            return self.hessian(x, v) @ p
        return self._weighted(v).hessp(x, p)

    def _weighted(self, v: np.ndarray) -> Objective:
        """Return v . c(x), in which v is data, as an objective."""
        if self._second is None:
            self._weights = np.array(v)
            self._second = objective_of(weighted(self.fun), self._x0, (self._weights, *self.args), self.engine)
        elif not np.array_equal(v, self._weights):
            self._weights = np.array(v)
            if not self._second.rebind((self._weights, *self.args)):
                self._second = None
                return self._weighted(v)
        return self._second

    # What is kept, and what is counted --------------------------------------------------------------------------------

    @property
    def timings(self) -> dict[str, float]:
        """Seconds spent in "trace" and "compile" so far."""
        parts = [part.timings for part in (self.derived, self._second) if part is not None]
        return {stage: sum(part[stage] for part in parts) for stage in ("trace", "compile")} if parts else {}

    def retain(self) -> None:
        """Keep what is known of the function for the next call; the constraint is of no use afterwards."""
        for part in (self.derived, self._second):
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

    # What is refused --------------------------------------------------------------------------------------------------

    def _flat(self, flat: Flat) -> ObjectiveError:
        happened = {
            "constant": f"{self.name} does not depend on the parameters.",
            "whole": f"{self.name} returns a number that has been made whole: its slope is 0 wherever it has one.",
        }.get(flat.kind, f"{self.name} depends on the parameters by steps alone: its slope is 0 wherever it has one.")
        remedy = "return what the limits hold for, computed from the parameters: x[0] - 1, not x[0] > 1."
        return ObjectiveError(happened, definition(self.fun), remedy)

    def _require_finite(self, what: str, given: Any) -> None:
        values = given.data if hasattr(given, "toarray") else given
        if np.isfinite(values).all():
            return
        dense = given.toarray() if hasattr(given, "toarray") else given
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(dense))[0])
        along = f" along {self.structure.names[place[1]]}" if len(place) > 1 else ""
        entry = f", in value [{place[0]}]{along}" if dense.size > 1 else ""
        remedy = "start from a point where it is finite, or keep such points out by bounds."
        raise ObjectiveError(f"The {what}{self.name} is {dense[place]} at x0{entry}.".replace("The c", "c"),
                             definition(self.fun), remedy)  # fmt: skip

    def _vector(self, given: Any) -> np.ndarray:
        """Return what the user's function gave as a vector; ObjectiveError if it is none."""
        try:
            array = np.asarray(given)
            array = array.astype(np.float64) if array.dtype == object and given is not None else array
        except (TypeError, ValueError):
            several = isinstance(given, list | tuple)
            kind = "parts of different shapes" if several else f"a {type(given).__name__}, not numbers"
            raise ObjectiveError(f"{self.name} returned {kind}.", definition(self.fun), _RETURN) from None
        if given is None or array.dtype.kind not in "fiub":
            kind = "nothing (None)" if given is None else f"values of type {array.dtype.name}, not real numbers"
            raise ObjectiveError(f"{self.name} returned {kind}.", definition(self.fun), _RETURN)
        if array.ndim > 1:
            raise ObjectiveError(
                f"{self.name} returned a matrix, of shape {array.shape}.",
                definition(self.fun),
                "return a vector, for example np.ravel(...) of it.",
            )
        return self._of_length(np.array(array, dtype=np.float64).reshape(-1))

    def _of_length(self, values: np.ndarray) -> np.ndarray:
        if self.count is None or values.size == self.count:
            return values
        raise ObjectiveError(
            f"{self.name} returned {values.size} values, but {self.count} at x0.",
            definition(self.fun),
            "return the same number of values at every point.",
        )

    def _matrix(self, given: Any) -> Any:
        """Return what the user's jac gave as a matrix (k, n); UsageError if its shape is another."""
        expected = (self.count, self.start.size)
        shapes = [expected, *([expected[1:]] if self.count == 1 else [])]
        if (shape := self.structure.shape) is not None:
            shapes += [(self.count, *shape), *([shape] if self.count == 1 else [])]
        matrix = given if hasattr(given, "toarray") else self._numbers(given, "jac")
        if np.shape(matrix) in shapes:
            return matrix if hasattr(matrix, "toarray") else matrix.reshape(expected)
        raise UsageError(
            f"jac of {self.name} returned shape {np.shape(matrix)}, but {self.count} values of {self.start.size} "
            f"parameters have a Jacobian of shape {expected}.",
            definition(self._jac),
            "let it return one row for each value, or leave jac out for the exact Jacobian.",
        )

    def _square(self, given: Any) -> Any:
        """Return what the user's hess gave: a matrix (n, n), sparse or not, or a linear operator."""
        matrix = given if hasattr(given, "matvec") or hasattr(given, "toarray") else self._numbers(given, "hess")
        expected = (self.start.size, self.start.size)
        if matrix.shape != expected:
            raise UsageError(
                f"hess of {self.name} returned shape {matrix.shape}, not {expected}.",
                definition(self.given_hess),
                "let hess(x, v) return the sum of v[k] times the Hessian of value k, or leave hess out.",
            )
        return matrix

    def _numbers(self, given: Any, what: str) -> np.ndarray:
        try:
            return np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            raise UsageError(
                f"{what} of {self.name} returned a {type(given).__name__} that is no array of numbers.",
                definition(self._jac if what == "jac" else self.given_hess),
                f"let it return an array, or leave {what} out for the exact one.",
            ) from None


class LinearFunction:
    """A @ x with its derivatives; the methods of `ConstraintFunction`."""

    linear = compiled = True
    is_compared = False
    derived = None

    def __init__(self, name: str, matrix: Any) -> None:
        self.name, self._matrix = name, matrix
        self.count = matrix.shape[0]
        self.notes: list[str] = []
        self.timings: dict[str, float] = {}

    def value(self, x: np.ndarray) -> np.ndarray:
        return self._matrix @ x

    original = value

    def jacobian(self, x: np.ndarray) -> Any:
        return self._matrix

    def has_second(self, dense: bool) -> bool:
        return True

    def hessian(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.zeros((x.size, x.size))

    def hessp(self, x: np.ndarray, v: np.ndarray, p: np.ndarray) -> np.ndarray:
        return np.zeros(x.size)

    def retain(self) -> None:
        """There is nothing to keep."""


def _why(error: AutooptError) -> str:
    """Return in one line why something could not be derived, with the user's line."""
    where = "".join(f" ({place.file}:{place.line})" for place in error.where[:1])
    return error.happened.replace("The objective", "it", 1).rstrip(".") + where + "."
