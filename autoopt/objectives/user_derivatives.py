"""An objective whose derivatives the user supplies, or has taken by finite differences, in place of derived ones.

It is `Differentiable` as an `Objective` is, and asks one only for what is not supplied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import ObjectiveError, UsageError
from autoopt.objectives.differentiable import Differentiable
from autoopt.objectives.products import columns
from autoopt.origin import definition
from autoopt.parameters import Structure
from autoopt.tape.slopes import Flat
from autoopt.wording import name_of

FINITE_DIFFERENCE = "finite-difference"
SCIPYS = ("2-point", "3-point", "cs")
"""What SciPy calls its differences; here they are those of `differences`, which are at least as accurate."""


class UserDerivatives:
    """The methods of Objective, with `jac`, `hess` and `hessp` in SciPy's conventions where they are given.

    What is not given comes from `derive()`, an Objective, made when it is first needed; second derivatives of a
    finite-difference gradient are differences too.
    """

    single = False

    def __init__(
        self, fun: Callable, x0: Any, args: tuple, derive: Callable[[], Differentiable], jac: Any, hess: Any, hessp: Any
    ) -> None:
        jac, hess, hessp = (
            FINITE_DIFFERENCE if isinstance(given, str) and given in SCIPYS else None if given is False else given
            for given in (jac, hess, hessp)
        )
        for name, given in [("jac", jac), ("hess", hess), ("hessp", hessp)]:
            if not (
                given is None or callable(given) or given == FINITE_DIFFERENCE or (name == "jac" and given is True)
            ):
                raise UsageError(
                    f"{name}={given!r} is not understood.",
                    remedy=f'leave {name} out for the exact derivative, or pass a function or "{FINITE_DIFFERENCE}".',
                )
        self.structure = Structure.of(x0)
        self.size = self.structure.size
        self.gradient_source = "derived gradient" if jac is None else f"gradient that {name_of(jac, 'jac')} gives"
        self.timings: dict[str, float] = {}
        self.function, self.args, self._derive = fun, args, derive
        self._jac, self._hess, self._hessp = jac, hess, hessp
        self._derived: Differentiable | None = None

    @property
    def given_jac(self) -> Callable | None:
        """The user's gradient; their objective where jac is True. None if they give none."""
        return self.function if self._jac is True else _own(self._jac)

    @property
    def given_hess(self) -> Callable | None:
        """The user's Hessian, None if they give none."""
        return _own(self._hess)

    @property
    def given_hessp(self) -> Callable | None:
        """The user's products with the Hessian, None if they give none."""
        return _own(self._hessp)

    @property
    def by_differences(self) -> bool:
        """Whether the gradient is one of differences."""
        return self._jac == FINITE_DIFFERENCE

    @property
    def exact(self) -> bool:
        """Whether the Hessian is exact: given or derived, and no difference quotient."""
        return not self._by_differences(self._hess) or callable(self._hessp)

    @property
    def derived(self) -> Differentiable:
        """The Objective for what the user does not supply."""
        if self._derived is None:
            self._derived = self._derive()
            self.timings = self._derived.timings
        return self._derived

    def original(self, x: Any) -> float:
        return self._call(x)[0]

    value = original

    def commit_state(self, x: Any) -> None:
        """Have the user's function keep what it keeps at `x`, where it was not called at the solver's points alone."""
        if self._derived is not None:
            self._derived.commit_state(x)
        elif self._jac == FINITE_DIFFERENCE:
            self.original(x)

    @property
    def notes(self) -> list[str]:
        """There are none: nothing is derived, or what is serves second derivatives alone."""
        return []

    def meets_kinks(self, x: Any) -> bool:
        """Whether the gradient at `x` is known to meet kinks; what numerical differences meet is not known."""
        return self.derived.meets_kinks(x) if self._jac is None else self._jac == FINITE_DIFFERENCE

    def closer(self, x: Any) -> Callable | None:
        """Return the values near `x` with equations solved closer; None if there are none, or jac is given."""
        return self.derived.closer(x) if self._jac is None else None

    def flatness(self, x: Any) -> Flat | None:
        """Return why the value at `x` has no slope, as far as that can be seen; None if it may have one."""
        if self._jac is None:
            return self.derived.flatness(x)
        whole = self._jac == FINITE_DIFFERENCE and isinstance(self._result(x), int | np.integer | np.bool_)
        return Flat("whole") if whole else None

    def grad(self, x: Any) -> np.ndarray:
        return self.value_and_grad(x)[1]

    def value_and_grad(self, x: Any) -> tuple[float, np.ndarray]:
        if self._jac is None:
            return self.derived.value_and_grad(x)
        if (pair := getattr(self._jac, "pair", None)) is not None:  # value and gradient of one call
            value, gradient = _two(pair(self._nested(x), *self.args), self._jac)
            return float(value), self._vector(gradient, self._jac, "jac")
        value, gradient = self._call(x)
        if self._jac == FINITE_DIFFERENCE:
            return value, differences.gradient(self.original, self._flat(x))[0]
        gradient = gradient if self._jac is True else self._jac(self._nested(x), *self.args)
        return value, self._vector(gradient, self._jac, "jac")

    def hess(self, x: Any, sparse: bool | None = None) -> Any:
        if callable(self._hess):
            return self._matrix(self._hess(self._nested(x), *self.args))
        if self._by_differences(self._hess):
            return differences.hessian(self.grad, self._flat(x))[0]
        if callable(self._hessp):
            return np.stack([self.hessp(x, p) for p in np.eye(self.size)])
        return self.derived.hess(x, sparse)

    def hessp(self, x: Any, p: np.ndarray) -> np.ndarray:
        if self.structure.is_matrix(p):
            return columns(lambda direction: self.hessp(x, direction), np.asarray(p, dtype=np.float64))
        if callable(self._hessp):
            return self._vector(self._hessp(self._nested(x), self._nested(p), *self.args), self._hessp, "hessp")
        if callable(self._hess):
            return self.hess(x) @ p
        if self._by_differences(self._hessp) or self._by_differences(self._hess):
            return differences.hessp(self.grad, self._flat(x), p)[0]
        return self.derived.hessp(x, p)

    def _by_differences(self, given: Any) -> bool:
        return given == FINITE_DIFFERENCE or (given is None and self._jac == FINITE_DIFFERENCE)

    def _call(self, x: Any) -> tuple[float, Any]:
        """Return the user's value, and gradient where jac is True."""
        found = self._result(x)
        value, gradient = self._pair(found) if self._jac is True else (found, None)
        if np.size(value) != 1 or value is None:
            what = "None" if value is None else f"an array of shape {np.shape(value)}"
            of = "The value that the objective returned is" if self._jac is True else "The objective returned"
            kind = UsageError if self._jac is True else ObjectiveError
            raise kind(f"{of} {what}, not a number.", definition(self.function), "return one number, e.g. the sum.")
        return float(np.reshape(value, ())), gradient

    def _pair(self, found: Any) -> Any:
        """Return the value and gradient that the user's function gives where jac is True."""
        if isinstance(found, tuple | list) and len(found) == 2:
            return found
        many = f" of {len(found)}" if isinstance(found, tuple | list) else ""
        raise UsageError(
            f"With jac=True the objective returns its value and its gradient, but it returned {_kind(found)}{many}.",
            definition(self.function),
            "return value, gradient; or leave jac out: the exact gradient is derived from the value.",
        )

    def _result(self, x: Any) -> Any:
        return self.function(self._nested(x), *self.args)

    def _flat(self, x: Any) -> np.ndarray:
        is_flat = isinstance(x, np.ndarray) and x.shape == (self.size,)
        return x if is_flat else self.structure.flatten(x)

    def _nested(self, x: Any) -> Any:
        return self.structure.unflatten(self._flat(x))

    def _vector(self, x: Any, given: Any, name: str) -> np.ndarray:
        name = name_of(given, name)
        try:
            if getattr(x, "dtype", np.dtype(float)).kind == "c":
                raise UsageError(f"x: expected real numbers, got {x.dtype}.")
            return np.asarray(self._flat(x), dtype=np.float64)
        except UsageError as error:
            raise UsageError(
                f"What {name} returned does not fit x0. {error.happened}",
                definition(given) if callable(given) else None,
                f"let {name} return the structure of x0, or a vector of {self.size}.",
            ) from error

    def _matrix(self, matrix: Any) -> np.ndarray:
        if np.size(matrix) != self.size**2:
            raise UsageError(
                f"{name_of(self._hess, 'hess')} returned shape {np.shape(matrix)}, but x0 has {self.size} entries.",
                definition(self._hess),
                f"let it return shape ({self.size}, {self.size}).",
            )
        return np.asarray(matrix, dtype=np.float64).reshape(self.size, self.size)


def _two(found: Any, given: Any) -> tuple[Any, Any]:
    """Return what a function of value and gradient gives; UsageError if it is something else."""
    is_pair = isinstance(found, tuple | list) and len(found) == 2
    if is_pair and np.size(found[0]) == 1 and isinstance(np.reshape(found[0], -1)[0], int | float | np.number):
        return np.reshape(found[0], ()), found[1]
    what = f"{_kind(found)} of {len(found)}" if isinstance(found, tuple | list) else _kind(found)
    if is_pair:
        first = found[0]
        what += f" that begins with {f'an array of shape {np.shape(first)}' if np.shape(first) else _kind(first)}"
    raise UsageError(
        f"{name_of(given, 'jac')} returned {what}, not the value and the gradient.",
        definition(given),
        "let it return value, gradient.",
    )


def _kind(found: Any) -> str:
    return "None" if found is None else f"a {type(found).__name__}"


def _own(given: Any) -> Callable | None:
    return given if callable(given) else None
