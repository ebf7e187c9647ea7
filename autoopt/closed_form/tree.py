r"""Formulas in index notation: what a number, or an entry of an array, is computed of.

    sum_i (log(1 + exp(z_i)) - y_i z_i)      Reduction("sum", i, Add(Call("softplus", z_i), Mul(-1, y_i, z_i)))

Nodes are made by the functions of `making.py`, which write them in their shortest form. An index that is summed over
has a name that follows from how deep it stands, so that equal formulas are equal nodes; `making.opened` gives it a name
of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from autoopt.errors import Location

_COUNT = itertools.count()


MAKERS: dict[type, Callable[..., Node]] = {}
"""The function of `making.py` that makes a node of its parts, by class."""


class Node:
    """A number that may depend on indices."""

    @cached_property
    def parts(self) -> tuple[Node, ...]:
        """The nodes that it is made of."""
        fields = [vars(self)[name] for name in self.__dataclass_fields__]  # type: ignore[attr-defined]
        nested = [one if isinstance(one, tuple) else (one,) for one in fields]
        return tuple(one for parts in nested for one in parts if isinstance(one, Node))

    def made_of(self, parts: tuple[Node, ...]) -> Node:
        """Return the same of other parts."""
        return MAKERS[type(self)](self, *parts) if parts else self

    @cached_property
    def indices(self) -> frozenset[Index]:
        """The indices that it depends on."""
        return frozenset().union(*(part.indices for part in self.parts))

    @cached_property
    def arrays(self) -> frozenset[Array]:
        """The arrays that are read in it."""
        return frozenset().union(*(part.arrays for part in self.parts))

    @cached_property
    def size(self) -> int:
        """Of how many nodes it is made."""
        return 1 + sum(part.size for part in self.parts)

    @cached_property
    def depth(self) -> int:
        """How many reductions stand one in another."""
        return max((part.depth for part in self.parts), default=0)

    @cached_property
    def _known_by(self) -> tuple:
        """What equal nodes have in common; terms and factors in any order."""
        fields = tuple(vars(self)[name] for name in self.__dataclass_fields__)  # type: ignore[attr-defined]
        unordered = isinstance(self, Add | Mul)
        return (type(self), frozenset(fields[0])) if unordered else (type(self), *fields)

    @cached_property
    def _hash(self) -> int:
        return hash(self._known_by)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Node) and self._hash == other._hash and self._known_by == other._known_by


@dataclass(eq=False)
class Array:
    """What has a symbol: a parameter, data, or what is defined by a formula or as a function of a matrix.

    Attributes
    ----------
    name : str
        The user's.
    shape : tuple of int
    indices, body
        The definition: what the entry at `indices` is.
    of : (str, Array) or None
        The function of a matrix that it is, instead.
    slope : Array or None
        What the derivative of the objective is taken by, where it is such.
    moves : bool
        Whether it depends on the parameters.
    value : ndarray
        What it is, where it is given; of a parameter, from where to where it stands in the vector.
    where : Location or None
        The user's line.
    note : str
        What it is, of data that are no argument: "computed of the data alone: np.sort(y) (model.py:8)".
    symmetric : bool
        Whether it is a symmetric matrix, as far as was seen.
    functions : dict of str to Array
        Functions of it as a matrix.
    """

    name: str
    shape: tuple[int, ...]
    indices: tuple[Index, ...] = ()
    body: Node | None = None
    of: tuple[str, Array] | None = None
    slope: Array | None = None
    moves: bool = False
    value: Any = None
    where: Location | None = None
    note: str = ""
    symmetric: bool = False
    functions: dict[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Number(Node):
    value: float


@dataclass(frozen=True, eq=False)
class Index(Node):
    """A letter that runs from 0 up to `length`."""

    name: int
    length: int

    @cached_property
    def indices(self) -> frozenset[Index]:
        return frozenset([self])

    @classmethod
    def fresh(cls, length: int) -> Index:
        return cls(next(_COUNT), length)


@dataclass(frozen=True, eq=False)
class Entry(Node):
    """An entry of an array."""

    array: Array
    at: tuple[Node, ...]

    @cached_property
    def arrays(self) -> frozenset[Array]:
        return frozenset([self.array]).union(*(part.arrays for part in self.at))


@dataclass(frozen=True, eq=False)
class Add(Node):
    terms: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Mul(Node):
    factors: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Power(Node):
    base: Node
    exponent: Node


@dataclass(frozen=True, eq=False)
class Call(Node):
    """A function of numbers, by its name in `functions.py`."""

    function: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Reduction(Node):
    """A sum, product, maximum or minimum over an index."""

    kind: str
    index: Index
    body: Node

    @cached_property
    def indices(self) -> frozenset[Index]:
        return self.body.indices - {self.index}

    @cached_property
    def depth(self) -> int:
        return self.body.depth + 1


@dataclass(frozen=True, eq=False)
class Where(Node):
    """One of two, by a condition; `Where(c, 1, 0)` is the condition as a number."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, eq=False)
class Condition(Node):
    """Two numbers compared (by the sign), or conditions joined ("and", "or", "not")."""

    sign: str
    operands: tuple[Node, ...]


def function_of(function: str, matrix: Array, shape: tuple[int, ...]) -> Array:
    """Return a function of a matrix as an array, the same one for the same matrix."""
    if function not in matrix.functions:
        matrix.functions[function] = Array("", shape, of=(function, matrix), moves=matrix.moves)
    return matrix.functions[function]


def is_symmetric(array: Array) -> bool:
    """Whether a matrix is symmetric, as far as was seen."""
    return array.symmetric or (array.of is not None and array.of[0] == "inverse" and is_symmetric(array.of[1]))


ZERO, ONE, MINUS = Number(0.0), Number(1.0), Number(-1.0)


def rewritten(whole: Node, change: Callable[[Node], Node | None]) -> Node:
    """Return a formula in which parts are changed; `change` returns None for those that stay."""
    if (made := change(whole)) is not None:
        return made
    return whole.made_of(tuple(rewritten(part, change) for part in whole.parts))


def walk(whole: Node) -> Iterator[Node]:
    """Yield a formula and all that it is made of."""
    yield whole
    for part in whole.parts:
        yield from walk(part)


def arrays_of(*nodes: Node) -> list[Array]:
    """Return the arrays that are read, each behind those that it is computed of."""
    found: dict[Array, None] = {}

    def visit(array: Array) -> None:
        if array in found:
            return
        if array.of is not None:
            visit(array.of[1])
        for inner in _sorted(array.body):
            visit(inner)
        found[array] = None

    for node in nodes:
        for array in _sorted(node):
            visit(array)
    return list(found)


def _sorted(node: Node | None) -> list[Array]:
    """Return the arrays in a formula in the order in which they stand there."""
    if node is None:
        return []
    own = [node.array] if isinstance(node, Entry) else []
    return list(dict.fromkeys([*own, *(array for part in node.parts for array in _sorted(part))]))
