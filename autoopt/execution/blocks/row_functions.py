"""Printed functions that run over blocks of rows, and those as machine code, once they have cost enough for it to pay.

The first calls run the text as it is, on whole arrays. A plan is used if its results agree with those and come sooner;
its passes become machine code in turn, if that agrees and is faster still. What does not run over rows may become
machine code as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.execution.tiering import COST, TieredFunction, agree, shortest
from autoopt.graph.kinds import PREPARE
from autoopt.stages import during

if TYPE_CHECKING:
    from autoopt.execution.blocks.running import Blocks

ENOUGH = 0.03
"""Seconds spent in a function before it is looked at by rows, which takes about half as long."""

LEAST = 2**20
"""Bytes of rows that a function reads, eight numbers made of each: what is smaller stays in the cache as it is."""

CACHED = 2**26
"""Bytes beyond which no cache holds them."""

SMALL = 2**15
"""Bytes below which a function stays as it is, whatever it costs: its digits are the same in every run."""


class RowFunction:
    """A function that is run on whole arrays at first, and over blocks of rows later.

    Parameters
    ----------
    function : FunctionType
    """

    def __init__(self, function: FunctionType) -> None:
        self.function = function
        self.whole = TieredFunction(function, {}, loops=False)
        self.__name__, self.__code__ = function.__name__, function.__code__
        self.forget()

    def forget(self) -> None:
        """Begin anew, as for operands of other shapes."""
        self.spent = 0.0
        self.blocks: Blocks | None = None
        self.shapes: Any = None
        self.refused, self.reason, self.line = False, "", ""
        self.is_native = self.is_settled = False

    def __call__(self, *operands: Any, **named: Any) -> Any:
        if named:
            names = self.__code__.co_varnames[len(operands) : self.__code__.co_argcount]
            operands = (*operands, *(named[name] for name in names))
        shapes = [getattr(value, "shape", ()) for value in operands]
        if shapes != self.shapes or (self.blocks is not None and not self.blocks.holds(operands)):
            self.forget()
            self.shapes = shapes
            self.refused = size(operands) < LEAST
        if self.refused:
            return self.whole(*operands)
        begin = time.perf_counter()
        results = self.function(*operands) if self.blocks is None else self.blocks(*operands)
        last = time.perf_counter() - begin
        self.spent += last
        if self.blocks is None:
            if self.spent > ENOUGH:
                self.divide(operands, results, last)
        elif not self.is_settled and self.spent > COST:
            self.is_settled = True
            if not self.is_native:
                self.compile(self.blocks, operands)
            self.compare(operands, results, last)
        return results

    def divide(self, operands: tuple, results: Any, seconds: float) -> None:
        """Run over blocks from now on, if that gives the same results in no more than `seconds`."""
        from autoopt.execution.blocks.running import Blocks, planned  # what runs on little data needs none of it
        from autoopt.execution.blocks.values import NotInBlocks

        try:
            plan = planned(self.function, operands)
        except NotInBlocks as problem:
            self.refuse(problem.reason, problem.line)
            return
        except Exception as problem:  # the text, which has just run, can be relied on
            self.refuse(f"its plan raises {type(problem).__name__}: {problem}")
            return
        blocks = Blocks(plan, shared(self.function))
        try:
            same = agree(results, blocks(*operands))
        except Exception as problem:  # the text, which has just run, can be relied on
            self.refuse(f"its blocks raise {type(problem).__name__}: {problem}")
            return
        if not same:
            self.refuse("it gives other results by blocks")
            return
        if shortest(blocks, operands, 2) > seconds:
            self.compile(blocks, operands)
            if not blocks.fast or shortest(blocks, operands, 2) > seconds:
                self.refuse("it is not faster by blocks")
                return
        self.blocks, self.spent = blocks, 0.0

    @during("compiling passes over rows to machine code")
    def compile(self, blocks: Blocks, operands: tuple) -> None:
        """Have passes run as machine code where that is faster."""
        from autoopt.execution.blocks.compiled import compile_passes

        self.is_native = True
        before = shortest(blocks, operands, 2)
        compile_passes(blocks, operands)
        if blocks.fast and shortest(blocks, operands, 2) > before:  # one block, looked at alone, may be faster
            blocks.reasons |= dict.fromkeys(blocks.fast, "it is not faster than NumPy")
            blocks.fast.clear()

    def compare(self, operands: tuple, results: Any, seconds: float) -> None:
        """Run as a whole from now on, if machine code of the whole function is faster than blocks are.

        It may be for data that a cache holds: what does not fit is read twice by it.
        """
        if size(operands) > CACHED:
            return
        self.whole.spent = np.inf
        self.whole.compile(operands, results, seconds)
        if self.whole.native is not None and shortest(self.whole, operands, 2) < shortest(self.blocks, operands, 2):
            self.refuse("machine code of the whole function is faster")
        else:
            self.whole = TieredFunction(self.function, {}, loops=False)  # which lets go of the memory that it works in

    def refuse(self, reason: str, line: str = "") -> None:
        """Leave the function as it is."""
        self.refused, self.reason, self.line = True, reason, line


def shared(function: FunctionType) -> dict[str, Any]:
    """Return what a plan shares with the module of its function: exceptions, and the numbers that bound ties."""
    outside = function.__globals__
    return {name: value for name, value in outside.items() if isinstance(value, type) or name in ("TIES", "COUNTS")}


def size(operands: Iterable[Any]) -> int:
    """Return how many bytes a function is likely to go through: its operands, and what it makes of each row."""
    arrays = [value for value in operands if isinstance(value, np.ndarray)]
    return sum(value.nbytes for value in arrays) + 64 * max((len(value) for value in arrays if value.ndim), default=0)


def watch(namespace: dict[str, Any], names: Iterable[str]) -> None:
    """Replace functions of a module by ones that run over blocks of rows when that pays."""
    for name in names:
        if isinstance(namespace.get(name), FunctionType) and name != PREPARE:
            namespace[name] = RowFunction(namespace[name])
