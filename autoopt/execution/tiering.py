"""Functions of the printed source that become machine code once they have cost as much time as compiling would.

Whoever calls a function ten times never waits for a compiler; whoever calls it ten thousand times loses at most as
much again as he has spent. What is compiled is the text that can be read (`native/`), and its results are compared
with those of the text before they are used.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from types import FunctionType
from typing import Any

import numpy as np

from autoopt.graph.kinds import PREPARE
from autoopt.stages import during

COST = 0.1
"""Seconds spent in a function before its code is written, and what compiling takes at the least."""

ROOM = 2**26
"""Bytes of memory that machine code of a function without loops may keep: more than what NumPy needs for a while."""

LINE = 1.5e-4
"""Seconds of compiling for each line of LLVM's assembly language."""

GAIN = 0.9
"""Machine code is kept if it takes less than this part of the time that NumPy takes."""

_LOOP = re.compile(r"(_loop|linear_recurrence)\d*_*$")
"""How printed functions of loops are called: the text may come from the cache, so their names are what there is."""


class TieredFunction:
    """A function that is run by Python at first and as machine code later.

    Parameters
    ----------
    function : FunctionType
        Takes and returns numbers and arrays.
    parts : dict
        The namespace whose loops are watched one by one if the function as a whole cannot be compiled; empty for a
        loop itself.
    loops : bool
        Whether it has loops. What has none is a chain of operations on whole arrays: it gains if it goes through
        memory less often, and is not given much memory for that.
    """

    def __init__(self, function: FunctionType, parts: dict[str, Any], loops: bool = True) -> None:
        self.function, self.parts, self.loops = function, parts, loops
        self.spent = 0.0
        self.cost = COST
        self.native: Any = None
        self.refused = False
        self.reason = ""  # of the refusal
        self.__name__, self.__code__ = function.__name__, function.__code__

    def __call__(self, *operands: Any, **named: Any) -> Any:
        if named:
            names = self.__code__.co_varnames[len(operands) : self.__code__.co_argcount]
            operands = (*operands, *(named[name] for name in names))
        if self.native is not None:
            return self.run(operands)
        if self.refused:
            return self.function(*operands)
        begin = time.perf_counter()
        results = self.function(*operands)
        last = time.perf_counter() - begin
        self.spent += last
        if self.spent > self.cost:
            self.compile(operands, results, last)
        return results

    def run(self, operands: tuple) -> Any:
        """Return the results of the machine code; of the text where that alone can tell what is the matter."""
        from autoopt.execution.native.machine import Changed, Failed

        try:
            return self.native(*operands)
        except Changed:
            self.native, self.spent, self.cost = None, 0.0, COST
        except Failed:
            pass
        return self.function(*operands)

    @during("compiling to machine code")
    def compile(self, operands: tuple, results: Any, seconds: float) -> None:
        """Make machine code once that pays; keep it if it gives the same results in less time than `seconds`."""
        from autoopt.execution.native.arrays import NotLowered

        try:
            from autoopt.execution.native.machine import Native, lowered

            code = lowered(self.function, operands)
            self.cost = COST + LINE * code.lines
            if self.spent < self.cost:
                return
            if not self.loops and code.room > ROOM:
                raise NotLowered("so much room")
            native = Native(code)
            again = native(*operands)
            seconds = min(seconds, shortest(self.function, operands))
            faster = shortest(native, operands, 3) < GAIN * seconds
        except NotLowered as problem:
            self.refuse(f"there is none for {problem}")
            return
        except Exception as problem:  # a system that forbids new code, ...: whatever it is, the text runs
            self.refuse(str(problem))
            return
        if faster and agree(results, again):
            self.native = native
        else:
            self.refuse("it gives other results" if faster else "it is not faster than NumPy")

    def refuse(self, reason: str) -> None:
        """Leave the function to Python, but have its loops watched."""
        self.refused, self.reason = True, reason
        for name, function in list(self.parts.items()):
            if _LOOP.search(name) and isinstance(function, FunctionType):
                self.parts[name] = TieredFunction(function, {})


def shortest(function: Any, operands: Sequence[Any], rounds: int = 1) -> float:
    """Return the seconds that the shortest of some calls takes."""
    spent = []
    for _ in range(rounds):
        begin = time.perf_counter()
        function(*operands)
        spent.append(time.perf_counter() - begin)
    return min(spent)


def agree(results: Any, again: Any) -> bool:
    """Whether two runs agree to rounding, which a long loop may magnify."""
    one, two = ([np.asarray(value) for value in _values(found)] for found in (results, again))
    sizes = [np.max(np.abs(value), initial=0.0, where=np.isfinite(value)) for value in one]
    noise = 1e-13 * max(sizes, default=0.0)
    return len(one) == len(two) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-7, atol=1e-9 * size + noise, equal_nan=True)
        for a, b, size in zip(one, two, sizes, strict=True)
    )


def _values(results: Any) -> list:
    return (
        list(results.values()) if isinstance(results, dict) else list(results if type(results) is tuple else [results])
    )


def anew(namespace: dict[str, Any], **constants: Any) -> dict[str, Any]:
    """Return a module's namespace with other constants, which its functions look up there; none is compiled yet."""
    copied = namespace | constants
    for name, value in namespace.items():
        function = getattr(value, "function", value)
        if isinstance(function, FunctionType):
            copied[name] = FunctionType(function.__code__, copied, name, function.__defaults__)
    return copied


def watch(namespace: dict[str, Any]) -> None:
    """Replace the functions of a module that have loops by ones that are compiled when that pays."""
    functions = {name: f for name, f in namespace.items() if isinstance(f, FunctionType) and name != PREPARE}
    if any(map(_LOOP.search, functions)):
        namespace |= {name: TieredFunction(f, namespace) for name, f in functions.items() if not _LOOP.search(name)}
