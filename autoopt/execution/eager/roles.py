"""What the operands of a step are to its derivatives: the part of a kind of step that is not its call."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Role(NamedTuple):
    """What an operand is to the derivatives of its step; see `graph.steps.Operand`, of which it has the fields."""

    kind: str
    shape: tuple[int | None, ...] = ()
    dtype: str = "float64"
    value: Any = None

    @property
    def text(self) -> str:
        """What the code is made from."""
        if self.kind == "fixed":
            return f"fixed {type(self.value).__name__}{np.asarray(self.value).tolist()!r}"
        dtype = "" if self.dtype == "float64" else self.dtype
        return f"{self.kind}{dtype}({','.join(':' if n is None else str(n) for n in self.shape)})"
