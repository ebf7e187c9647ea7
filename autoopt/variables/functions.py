"""Objectives and constraints as functions of a solver's variables; whatever else is asked of them is theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from autoopt.constraints.constraint import Constraint
from autoopt.objectives.differentiable import Differentiable
from autoopt.objectives.sparsity import Sparsity
from autoopt.parameters import Structure
from autoopt.variables.variables import Variables


class ChangedObjective:
    """An objective at x(z), with its derivatives in z by the chain rule; the same traced code.

    Attributes
    ----------
    inner : Differentiable
        The objective in the user's parameters.
    variables : Variables
    structure : Structure
        The variables by the names of the parameters that they are.
    """

    def __init__(self, inner: Differentiable, variables: Variables) -> None:
        self.inner, self.variables, self.size = inner, variables, variables.size

    def __getattr__(self, name: str) -> Any:
        if name in ("inner", "variables"):  # a copy that is being made has neither
            raise AttributeError(name)
        found = getattr(self.inner, name)
        return ChangedObjective(found, self.variables) if name == "sample" else found

    @cached_property
    def structure(self) -> Structure:
        return Structure.of(dict.fromkeys(self.variables.variable_names, 0.0))

    def value(self, z: np.ndarray) -> float:
        return self.inner.value(self.variables.parameters(z))

    def value_and_grad(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self.inner.value_and_grad(self.variables.parameters(z))
        return value, self.variables.pulled(z, gradient)

    def on_known_path(self, z: np.ndarray) -> tuple[float, np.ndarray] | None:
        """Return value and gradient beside the point of the last call; None where another path is taken."""
        evaluate = getattr(self.inner, "on_known_path", self.inner.value_and_grad)
        found = evaluate(self.variables.parameters(z))
        return None if found is None else (found[0], self.variables.pulled(z, found[1]))

    def grad(self, z: np.ndarray) -> np.ndarray:
        return self.value_and_grad(z)[1]

    def hess(self, z: np.ndarray, sparse: bool | None = None) -> Any:
        x = self.variables.parameters(z)
        return self.variables.curvature(z, self.inner.hess(x, sparse), self._slopes(x))

    def hessp(self, z: np.ndarray, p: np.ndarray) -> np.ndarray:
        x = self.variables.parameters(z)
        return self.variables.product(z, p, self.inner.hessp(x, self.variables.pushed(z, p)), self._slopes(x))

    def product_at(self, z: np.ndarray) -> Callable | None:
        """Return the products with the Hessian in z for which no code is derived; None if they are not to be had so."""
        x = self.variables.parameters(z)
        product, slopes = getattr(self.inner, "product_at", lambda x: None)(x), self._slopes(x)
        if product is None:
            return None
        return lambda p: self.variables.product(z, p, product(self.variables.pushed(z, p)), slopes)

    def _slopes(self, x: np.ndarray) -> np.ndarray | None:
        return None if self.variables.is_linear else self.inner.grad(x)

    def sparsity(self, kind: str = "hessian") -> Sparsity:
        """Return where the Hessian in z may differ from 0."""
        return _pattern(self.inner.sparsity(kind), self.variables)  # type: ignore[attr-defined]

    def original(self, z: np.ndarray) -> float:
        return self.inner.original(self.variables.parameters(z))

    def complex_original(self, z: np.ndarray) -> Any:
        """Return what the user's function makes of complex variables."""
        return self.inner.complex_original(self.variables.parameters(z))  # type: ignore[attr-defined]

    def commit_state(self, z: np.ndarray) -> None:
        self.inner.commit_state(self.variables.parameters(z))

    def meets_kinks(self, z: np.ndarray) -> bool:
        return self.inner.meets_kinks(self.variables.parameters(z))

    def flatness(self, z: np.ndarray) -> Any:
        return self.inner.flatness(self.variables.parameters(z))

    def closer(self, z: np.ndarray) -> Callable | None:
        values = self.inner.closer(self.variables.parameters(z))
        return None if values is None else lambda near: values(self.variables.parameters(near))


class ChangedVector:
    """A function of several values at x(z), with its derivatives in z; whatever else is asked of it is its own."""

    def __init__(self, inner: Any, variables: Variables) -> None:
        self.inner, self.variables = inner, variables

    def __getattr__(self, name: str) -> Any:
        if name in ("inner", "variables"):  # a copy that is being made has neither
            raise AttributeError(name)
        return getattr(self.inner, name)

    @cached_property
    def structure(self) -> Structure:
        """The variables by the names of the parameters that they are."""
        return Structure.of(dict.fromkeys(self.variables.variable_names, 0.0))

    def value(self, z: np.ndarray) -> np.ndarray:
        return self.inner.value(self.variables.parameters(z))

    def original(self, z: np.ndarray) -> np.ndarray:
        return self.inner.original(self.variables.parameters(z))

    def jacobian(self, z: np.ndarray) -> Any:
        return self.variables.jacobian(z, self.inner.jacobian(self.variables.parameters(z)))

    def hessp(self, z: np.ndarray, v: np.ndarray, p: np.ndarray) -> np.ndarray:
        x = self.variables.parameters(z)
        product = self.inner.hessp(x, v, self.variables.pushed(z, p))
        return self.variables.product(z, p, product, self.weighted(x, v))

    def weighted(self, x: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        """Return the gradient of v . c, shape (n,), where second derivatives in z need it."""
        return None if self.variables.is_linear else np.asarray(self.inner.jacobian(x).T @ v).reshape(-1)


class ChangedFunction(ChangedVector):
    """The function of a constraint at x(z)."""

    def __init__(self, inner: Any, variables: Variables) -> None:
        super().__init__(inner, variables)
        self.linear = inner.linear and variables.is_linear

    @property
    def constant(self) -> np.ndarray:
        """What a linear constraint is where all variables are 0, shape (k,)."""
        return self.value(np.zeros(self.variables.size))

    @property
    def slopes(self) -> Sparsity | None:
        """Where the Jacobian may differ from 0; None if that is not known."""
        return None if self.inner.slopes is None else _pattern(self.inner.slopes, self.variables)

    @property
    def curvature(self) -> Sparsity | None:
        """Where second derivatives may differ from 0; None if they are not worth keeping sparse."""
        return None if self.inner.curvature is None else _pattern(self.inner.curvature, self.variables)

    def hessian(self, z: np.ndarray, v: np.ndarray) -> Any:
        x = self.variables.parameters(z)
        hessian = self.inner.hessian(x, v)
        if hasattr(hessian, "matvec") and not hasattr(hessian, "tocsr"):
            hessian = hessian @ np.eye(x.size)
        return self.variables.curvature(z, hessian, self.weighted(x, v))


def changed_objective(objective: Differentiable, variables: Variables | None) -> Any:
    """Return the objective as a function of the variables; itself where these are the parameters."""
    return objective if variables is None else ChangedObjective(objective, variables)


def changed_constraints(constraints: list[Constraint], variables: Variables | None) -> list[Constraint]:
    """Return the constraints as functions of the variables; themselves where these are the parameters."""
    if variables is None:
        return constraints
    return [
        replace(one, function=ChangedFunction(one.function, variables), _values=None, _slopes=None)
        for one in constraints
    ]


def _pattern(pattern: Sparsity, variables: Variables) -> Sparsity:
    """Return the positions that those of a matrix in x have in z; a transform bends each variable by itself.

    With blocks, which bend several together, they are all.
    """
    if variables.blocks or variables.mixed.size:
        height = variables.size if pattern.kind == "hessian" else pattern.shape[0]
        indptr = np.arange(height + 1) * variables.size
        return Sparsity(
            pattern.kind, (height, variables.size), indptr, np.tile(np.arange(variables.size), height), variables.size
        )
    columns = variables.source[pattern.indices]
    rows, height = pattern.rows, pattern.shape[0]
    if pattern.kind == "hessian":
        rows, height = variables.source[rows], variables.size
    kept = (rows >= 0) & (columns >= 0)
    rows, columns = rows[kept], columns[kept]
    if pattern.kind == "hessian" and not variables.is_linear:
        own = np.arange(variables.size)
        rows, columns = np.concatenate([rows, own]), np.concatenate([columns, own])
    keys = np.unique(rows.astype(np.int64) * variables.size + columns)
    counts = np.bincount(keys // variables.size, minlength=height)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return Sparsity(pattern.kind, (height, variables.size), indptr, keys % variables.size, pattern.colors)
