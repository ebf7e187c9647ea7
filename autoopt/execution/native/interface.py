"""What is known of a function before its code runs: its operands and its results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.execution.native.arrays import kind_of
from autoopt.execution.native.code import DTYPES, Memory

FEW = 8
"""The most whole numbers in one operand, such as a shape, that become part of the code."""


@dataclass(frozen=True)
class Operand:
    """What is known of an operand before the code runs: its kind and shape, `()` for a number; perhaps its value."""

    kind: str
    shape: tuple[int, ...]
    value: Any = None

    @classmethod
    def of(cls, value: Any, fixed: bool) -> Operand:
        """Return what is known of a value; with `fixed` a few whole numbers are taken as they are."""
        array = np.asarray(value)
        kind = kind_of(array.dtype)
        return cls(kind, array.shape, array.copy()[()] if fixed and kind == "i" and array.size <= FEW else None)


@dataclass(frozen=True)
class Lowered:
    """A function as code.

    Attributes
    ----------
    text : str
        LLVM's assembly language.
    operands : tuple of Operand
    handed : tuple of Memory
        The pointers that `run` takes: operands, results, then room to work in.
    results : tuple of Operand
    form : "one", "tuple" or tuple of str
        How the results are returned; names are the keys of a dictionary.
    """

    text: str
    operands: tuple[Operand, ...]
    handed: tuple[Memory, ...]
    results: tuple[Operand, ...]
    form: Any

    @property
    def room(self) -> int:
        """Bytes of what is handed in."""
        return sum(memory.size * DTYPES[memory.kind].itemsize for memory in self.handed)

    @property
    def lines(self) -> int:
        """The length of the text."""
        return self.text.count("\n")
