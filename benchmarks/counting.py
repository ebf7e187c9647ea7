"""How many NumPy operations a text of NumPy code does, and how many elements they read and write.

The text is run as `autoopt.inspection.counting` runs it: what takes or gives arrays or their numbers is counted, with
the sizes of what it takes and gives. Views and single entries are free; each round of a loop counts.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.inspection.counting import Wrapping, executed


@dataclass
class Counts:
    """What a run has done so far."""

    operations: int = 0
    elements: int = 0

    def add(self, operands: tuple, result: Any) -> None:
        """Count one operation, if it is one on arrays or on their numbers."""
        sizes = [np.size(value) for value in (*operands, result) if isinstance(value, np.ndarray | np.generic)]
        self.operations += bool(sizes)
        self.elements += sum(sizes)


def counted(text: str, call: Callable[[dict], Any]) -> Counts:
    """Return what `call(namespace)` counts in the namespace of the module `text`."""
    counts, tree = Counts(), ast.parse(text)

    def told(function: Any, operands: tuple, options: Mapping[str, Any], result: Any) -> None:
        counts.add((*operands, *options.values()), result)

    wrapping = Wrapping({node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)})
    tree.body = [
        wrapping.visit(node) if isinstance(node, ast.FunctionDef) else node
        for node in tree.body
        if not isinstance(node, ast.If)
    ]
    call(executed(tree, told))
    return counts
