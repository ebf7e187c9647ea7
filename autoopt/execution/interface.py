"""What every engine gives: the functions of one kind of derivative, to which data are bound."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Any, Protocol

import numpy as np

from autoopt.execution.counts import Numbers
from autoopt.tape.digest import constant_names
from autoopt.tape.tape import Tape


class Compiled(Protocol):
    """The functions of one kind of derivative for one tape, with the tape's data bound to them.

    Attributes
    ----------
    run : callable
        `run(x)`, for products with a direction `run(x, direction)`, on flat float64 vectors.
    changed : type or tuple
        The exception that `run` raises where the objective takes another branch.
    text : str
        The source; empty for engines that have none.
    tied : type or tuple
        The exception that `run` raises, with their number, where kinks are met.
    stationary : int
        How many kinks may be met, as they are met everywhere.
    kept : int
        How often in turn the conventions of kinks were found right.
    reads : frozenset of str
        The data of which something has been computed and is kept: to be bound again if they are written into.
    """

    stationary: int
    kept: int

    @property
    def changed(self) -> Any: ...

    @property
    def text(self) -> str: ...

    @property
    def tied(self) -> Any: ...

    @property
    def inputs(self) -> Inputs: ...

    @property
    def run(self) -> Callable: ...

    @property
    def asked(self) -> Numbers | None: ...

    @property
    def by_products(self) -> bool:
        """Whether it is a matrix that is made a column or a row at a time."""

    @property
    def reads(self) -> frozenset[str]: ...

    def by_convention(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what `run` does, each kink that is met having the slope that its rule has there."""

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape`, the same tape but for its data."""

    def admit(self, counts: Collection[tuple[int, ...]]) -> None:
        """Let the loops that end on a condition take these numbers of iterations."""


class Engine(Protocol):
    """What makes the functions of one kind of derivative for one tape.

    Attributes
    ----------
    repeats : bool
        Whether it takes tapes with loops that end on a condition.
    """

    repeats: bool

    def __call__(self, tape: Tape, kind: str, title: str, checked: bool = True, ties: bool = False) -> Compiled: ...


def rebound(compiled: Compiled, tape: Tape) -> Compiled:
    """Return the same code with the data of `tape`; `compiled` keeps its own."""
    other = copy.copy(compiled)
    other.bind(tape)
    return other


def unbound(compiled: Compiled) -> Compiled | None:
    """Return the same code without data, to be bound before it is run; None if its class does not say how."""
    if hasattr(compiled, "without_data"):
        return compiled.without_data()
    names = getattr(compiled, "of_data", None)
    if names is None:
        return None
    other = copy.copy(compiled)
    for name in names:
        setattr(other, name, None)
    return other


class Inputs:
    """The values that compiled functions take besides parameters and direction, by argument name.

    Looked up once, so that other data are bound in time that goes with their number and not with the tape's length.

    Attributes
    ----------
    constants : dict of str to ndarray
        The large constants of the tape that was compiled.
    expressions : dict of str to str
        How each of all these is had by the names of the objective, empty where that is not known.
    """

    def __init__(self, tape: Tape, compiled: Tape) -> None:
        self._leaves = [(leaf.name, index) for index, leaf in tape.leaves().items() if index]
        self.constants = {name: compiled.values[index] for index, name in constant_names(compiled).items()}
        self.expressions = {leaf.name: leaf.expression for leaf in tape.leaves().values()} | {
            name: getattr(compiled.steps[index].template, "expression", "")
            for index, name in constant_names(compiled).items()
        }

    def of(self, tape: Tape) -> dict[str, Any]:
        """Return the data of `tape`, and the constants of the tape that was compiled in its place."""
        values = tape.values
        return {name: values[index] for name, index in self._leaves} | self.constants

    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self._leaves)
