"""Parameters by name: one entry, all below a name, or an expression in one of them that is a straight line."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.parameters import Structure
from autoopt.wording import near


@dataclass(frozen=True, eq=False)
class Line:
    """offset + factor * x[places], shape (k,) of each."""

    places: np.ndarray
    factor: float
    offset: float


class Names:
    """The parameters of a structure by their names; `option` is what a message calls the user's argument."""

    def __init__(self, structure: Structure, option: str) -> None:
        self.structure, self.option = structure, option
        self.entries = structure.names
        self._places = {name: i for i, name in enumerate(self.entries)}

    def places(self, name: Any) -> np.ndarray:
        """Return which entries of the flat vector `name` stands for, shape (k,) of int.

        Parameters
        ----------
        name : str or int
            Of one entry ("beta[2]"), of an array ("beta"), of a part of a nest ("layer"), or a number in the flat
            vector.
        """
        if isinstance(name, int | np.integer) and not isinstance(name, bool | np.bool_):
            if not -len(self.entries) <= name < len(self.entries):
                raise UsageError(
                    f"{self.option}: there is no parameter number {name}.",
                    remedy=f"count from 0 to {len(self.entries) - 1}.",
                )
            return np.array([int(name) % len(self.entries)])
        if not isinstance(name, str):
            raise UsageError(f"{self.option}: {name!r} is no name of a parameter.", remedy=self._remedy())
        if name in self._places:
            return np.array([self._places[name]])
        below = [i for i, entry in enumerate(self.entries) if entry.startswith((f"{name}.", f"{name}["))]
        if not below:
            parts = [*self.entries, *dict.fromkeys(entry.split("[")[0] for entry in self.entries)]
            raise UsageError(
                f"{self.option}: there is no parameter {name!r}.{near(name, parts)}", remedy=self._remedy()
            )
        return np.array(below)

    def line(self, text: str) -> Line:
        """Return what a tie says: the name of a parameter, or a straight line in one ("2 * a", "1 - a", "b / 4")."""
        try:
            return Line(self.places(text), 1.0, 0.0)
        except UsageError as unknown:
            try:
                tree = ast.parse(text.strip(), mode="eval").body
            except SyntaxError:
                raise self._no_line(text) from None
            if isinstance(tree, ast.Name | ast.Attribute | ast.Subscript):
                raise unknown
        offset, factors = self._terms(tree, text)
        if len(factors) != 1 or not np.isfinite([offset, *factors.values()]).all() or not all(factors.values()):
            raise self._no_line(text)
        [(name, factor)] = factors.items()
        return Line(self.places(name), factor, offset)

    def _terms(self, node: ast.AST, text: str) -> tuple[float, dict[str, float]]:
        """Return an expression as a number and the factors of names, which are added."""
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return float(node.value), {}
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return 0.0, {ast.unparse(node): 1.0}
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            return _times(self._terms(node.operand, text), -1.0 if isinstance(node.op, ast.USub) else 1.0)
        if not isinstance(node, ast.BinOp):
            raise self._no_line(text)
        left, right = self._terms(node.left, text), self._terms(node.right, text)
        if isinstance(node.op, ast.Add):
            return _sum(left, right)
        if isinstance(node.op, ast.Sub):
            return _sum(left, _times(right, -1.0))
        if isinstance(node.op, ast.Mult) and not (left[1] and right[1]):
            return _times(left, right[0]) if not right[1] else _times(right, left[0])
        if isinstance(node.op, ast.Div) and not right[1] and right[0]:
            return _times(left, 1 / right[0])
        raise self._no_line(text)

    def _no_line(self, text: str) -> UsageError:
        return UsageError(
            f"{self.option}: {text!r} is no straight line in one parameter, as a tie must be.",
            remedy='write a name, or as "2 * a", "1 - a", "a / 4 + 1"; what depends on several parameters, or bends, '
            "is computed in the objective.",
        )

    def _remedy(self) -> str:
        shown = ", ".join(self.entries[:8]) + (", ..." if len(self.entries) > 8 else "")
        return f"use names as in {shown}."


def _times(terms: tuple[float, dict[str, float]], factor: float) -> tuple[float, dict[str, float]]:
    return terms[0] * factor, {name: weight * factor for name, weight in terms[1].items()}


def _sum(left: tuple[float, dict[str, float]], right: tuple[float, dict[str, float]]) -> tuple[float, dict[str, float]]:
    names = [*left[1], *(name for name in right[1] if name not in left[1])]
    return left[0] + right[0], {name: left[1].get(name, 0.0) + right[1].get(name, 0.0) for name in names}
