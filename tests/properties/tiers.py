"""The three ways in which derivatives of one tape are computed: step by step, as printed NumPy, as machine code.

`TIERS` has each as a function of a tape and a kind that returns what `autoopt.execution.interface.Compiled` says. A
program's answer in a tier is `answer(...)`: value, gradient and a product with the Hessian, or why there are none.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np

from autoopt.execution import tiering
from autoopt.execution.engines import NumpyFunctions
from autoopt.execution.native.machine import Changed, Failed, Native, lowered
from autoopt.graph.kinds import PREPARE
from autoopt.tape.tape import Tape

try:
    from autoopt.execution.eager.functions import EagerFunctions as EAGER

    EAGER_IS_VECTORISED = True
except ImportError:  # along single runs of the tape as it was recorded
    from stepwise import Stepwise as EAGER

    EAGER_IS_VECTORISED = False

COUNTS: collections.Counter = collections.Counter()
"""How many printed functions became machine code, and how many calls were left to the text."""


class MachineCode(tiering.TieredFunction):
    """A printed function as machine code from its first call on, whatever it costs and whatever comes out."""

    def __call__(self, *operands: Any) -> Any:
        if self.refused:
            return self.function(*operands)
        try:
            if self.native is None:
                self.native = Native(lowered(self.function, operands))
                COUNTS["functions as machine code"] += 1
            found = self.native(*operands)
            COUNTS["calls of machine code"] += 1
            return found
        except (Changed, Failed):  # another branch, a singular matrix, other shapes: the text tells
            COUNTS["calls left to the text"] += 1
        except Exception as problem:
            COUNTS["functions without machine code"] += 1
            self.refuse(str(problem))
            for name, part in self.parts.items():
                if type(part) is tiering.TieredFunction:
                    self.parts[name] = MachineCode(part.function, {})
        return self.function(*operands)


class MachineFunctions(NumpyFunctions):
    """Printed functions, all of which become machine code at once that can."""

    def _load(self) -> None:
        for name, function in self.namespace.items():
            if isinstance(function, FunctionType) and name != PREPARE and not name.startswith("_"):
                self.namespace[name] = MachineCode(function, self.namespace)
        super()._load()


def eager(tape: Tape, kind: str) -> Any:
    """Return the derivatives step by step."""
    return EAGER(tape, kind, "", ties=True)


def printed(tape: Tape, kind: str) -> NumpyFunctions:
    """Return the derivatives as printed NumPy."""
    return NumpyFunctions(tape, kind, "", ties=True)


def machine(tape: Tape, kind: str) -> NumpyFunctions:
    """Return the derivatives as machine code."""
    return MachineFunctions(tape, kind, "", ties=True)


TIERS: dict[str, Callable[[Tape, str], Any]] = {"eager": eager, "printed": printed, "machine": machine}


@dataclass(frozen=True)
class Answer:
    """What a tier says at a point: "numbers", or "another branch", or "on a kink"."""

    says: str
    numbers: dict[str, np.ndarray] = field(default_factory=dict)


class Tier:
    """The functions of one tier for one tape."""

    def __init__(self, name: str, tape: Tape) -> None:
        self.first = TIERS[name](tape, "value_and_grad")
        self.second = TIERS[name](tape, "hessp")

    def answer(self, x: np.ndarray, direction: np.ndarray) -> Answer:
        """Return value, gradient and product at `x`."""
        try:
            value, gradient = self.first.run(x)
            numbers = {"value": np.array(value), "gradient": np.array(gradient)}
            numbers["product"] = np.array(self.second.run(x, direction))
        except Exception as problem:
            for functions in (self.first, self.second):
                if functions.changed and isinstance(problem, functions.changed):
                    return Answer("another branch")
                if functions.tied and isinstance(problem, functions.tied):
                    return Answer("on a kink")
            raise
        return Answer("numbers", numbers)
