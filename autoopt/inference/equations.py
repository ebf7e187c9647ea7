"""Hypotheses as users write them, "a - 2 * b = 0", as equations R b = r in the parameters.

Names may be anything that parameters are called, such as x[0], log sd or C(region)[T.south].
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from autoopt.errors import UsageError
from autoopt.wording import listed, near


def equations(text: str | Sequence[str], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, str]:
    """Return R, shape (q, n), r, shape (q,), and the hypothesis in words.

    Parameters
    ----------
    text : str or sequence of str
        Equations, with commas between them: "a = b, c = 0"; "a = b = c" is two. What has no = is compared with 0.
    names : sequence of n str
        Of the parameters.

    Raises
    ------
    UsageError
        If one is not linear in the parameters, or has a name that is none.

    Examples
    --------
    >>> equations("a = 2*b + 1, x[0] + 1 = 0", ["a", "b", "x[0]"])[:2]
    (array([[ 1., -2.,  0.],
           [ 0.,  0.,  1.]]), array([ 1., -1.]))
    """
    whole = text if isinstance(text, str) else ", ".join(text)
    pattern = r"(?<![\w.])(?:" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")(?![\w(\[])"
    number = {name: k for k, name in enumerate(names)}
    replaced = re.sub(pattern, lambda found: f" _p{number[found.group()]}_ ", whole)
    rows: list[np.ndarray] = []
    for part in replaced.split(","):
        sides = [_Affine(names, whole).of(side) for side in part.replace("==", "=").split("=")]
        sides = sides if len(sides) > 1 else [*sides, np.zeros(len(names) + 1)]
        rows += [one - other for one, other in pairwise(sides)]
    found = np.array(rows)
    if not found[:, :-1].any(axis=1).all():
        raise UsageError(f"The hypothesis {whole!r} is about no parameter.", remedy=f"name one of {listed(names)}.")
    return found[:, :-1], -found[:, -1], whole


class _Affine:
    """A side of an equation as coefficients of the parameters, and a constant last: shape (n + 1,)."""

    def __init__(self, names: Sequence[str], whole: str) -> None:
        self.names, self.whole = names, whole

    def of(self, side: str) -> np.ndarray:
        try:
            tree = ast.parse(side.strip(), mode="eval").body
        except SyntaxError:
            raise self._refusal() from None
        return self._value(tree)

    def _value(self, node: ast.expr) -> np.ndarray:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return self._constant(float(node.value))
        if isinstance(node, ast.Name):
            return self._parameter(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            value = self._value(node.operand)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp):
            one, other = self._value(node.left), self._value(node.right)
            if isinstance(node.op, ast.Add | ast.Sub):
                return one + other if isinstance(node.op, ast.Add) else one - other
            if isinstance(node.op, ast.Mult) and not (one[:-1].any() and other[:-1].any()):
                return one * other[-1] if one[:-1].any() else other * one[-1]
            if isinstance(node.op, ast.Div) and not other[:-1].any() and other[-1]:
                return one / other[-1]
        raise self._refusal()

    def _constant(self, value: float) -> np.ndarray:
        return np.r_[np.zeros(len(self.names)), value]

    def _parameter(self, name: str) -> np.ndarray:
        found = re.fullmatch(r"_p(\d+)_", name)
        if found is None:
            raise UsageError(
                f"The hypothesis {self.whole!r} has {name!r}, which is no parameter.{near(name, self.names)}",
                remedy=f"use the names of the parameters: {listed(self.names)}.",
            )
        return np.eye(len(self.names) + 1)[int(found.group(1))]

    def _refusal(self) -> UsageError:
        return UsageError(
            f"The hypothesis {self.whole!r} is not understood.",
            remedy="write equations that are linear in the parameters, such as 'a = b' or 'a - 2*b = 0, c = 1'.",
        )
