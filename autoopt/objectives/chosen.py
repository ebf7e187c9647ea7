"""Blocks of a Hessian by the parts of the parameters, each once, of which only those that are asked for are computed.

    of {"beta": array, "scale": number}, [("beta", "beta")]: f as a function of {"beta": array}, with {"scale": number}
    among its data

Parts that are asked for together are parameters together; all others are data, for which the code that has been
compiled serves at every point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.parameters import Structure
from autoopt.wording import listed, near

Pair = tuple[str, str]


class Blocks:
    """The function that gives blocks of the Hessian of `f`, by the paths of their parts.

    `matrix(g)` is the function that gives the Hessian of g with respect to its first argument, a matrix of all entries,
    called with all its arguments.
    """

    def __init__(self, f: Callable, argnums: int, wanted: Any, matrix: Callable[[Callable], Callable]) -> None:
        self._f, self._argnums, self._matrix = f, argnums, matrix
        self._wanted = None if wanted is True else _pairs(wanted)
        self._compiled: dict[tuple[Structure, tuple[str, ...]], Callable] = {}

    def __call__(self, *args: Any, **options: Any) -> dict[Pair, Any]:
        if len(args) <= self._argnums:
            raise UsageError(f"The function was called without its argument {self._argnums}.", remedy="pass it.")
        x = args[self._argnums]
        structure = Structure.of(x)
        leaves = structure.leaves(x)
        wanted = list(_upper(list(leaves))) if self._wanted is None else self._wanted
        _require_parts(wanted, list(leaves))
        found: dict[Pair, Any] = {}
        for names in _together(wanted, list(leaves)):
            found |= self._of_parts(structure, leaves, names, wanted, (args, options))
        return {pair: found[pair] for pair in wanted}

    def _of_parts(self, structure: Structure, leaves: dict, names: tuple[str, ...], wanted: list[Pair], given: tuple):
        """Return the blocks that are wanted of the parts of these names."""
        args, options = given
        at = self._argnums
        some = {name: leaves[name] for name in names}
        others = {name: _data(leaf) for name, leaf in leaves.items() if name not in some}
        matrix = self._compiled.get((structure, names))
        if matrix is None:
            matrix = self._matrix(_by_parts(self._f, at, structure))
            self._compiled[structure, names] = matrix
        H = matrix(some, *args[:at], others, *args[at + 1 :], **options)
        places, end = {}, 0
        for name, leaf in some.items():
            first, end = end, end + np.size(leaf)
            places[name] = slice(first, end), np.shape(leaf)
        blocks = {}
        for row, column in wanted:
            if row in places and column in places:
                (rows, shape), (columns, other) = places[row], places[column]
                block = H[rows, columns]
                blocks[row, column] = block.reshape(shape + other) if isinstance(block, np.ndarray) else block
        return blocks


def _by_parts(f: Callable, at: int, structure: Structure) -> Callable:
    """Return `f` as a function of some parts; the argument in the place of the parameters holds the others."""

    def by_parts(some, *args, **options):
        x = structure.assembled({**args[at], **some})
        return f(*args[:at], x, *args[at + 1 :], **options)

    return by_parts


def _data(leaf: Any) -> Any:
    """Return a part as what the compiled code takes as data: numbers as floats."""
    return np.asarray(leaf, dtype=float) if np.ndim(leaf) else float(leaf)


def _pairs(wanted: Any) -> list[Pair]:
    """Return the pairs of names, each once."""
    pairs = list(wanted) if isinstance(wanted, Iterable) and not isinstance(wanted, str) else None
    if not pairs or not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
        raise UsageError(
            f"blocks={wanted!r} is not understood.",
            remedy='pass True, or pairs of names of parts, as blocks=[("beta", "beta")].',
        )
    return list(dict.fromkeys((str(row), str(column)) for row, column in pairs))


def _upper(names: list[str]) -> Iterable[Pair]:
    """Return all pairs of names, each once."""
    return ((row, column) for k, row in enumerate(names) for column in names[k:])


def _require_parts(wanted: list[Pair], names: list[str]) -> None:
    unknown = list(dict.fromkeys(name for pair in wanted for name in pair if name not in names))
    if unknown:
        raise UsageError(
            f"The parameters have no part {', '.join(map(repr, unknown))}.{near(unknown[0], names)}",
            remedy=f"choose of {listed(names)}.",
        )


def _together(wanted: list[Pair], names: list[str]) -> list[tuple[str, ...]]:
    """Return the names that are wanted in groups, those of a pair in one, each in the order of the parameters."""
    groups: list[set[str]] = []
    for pair in wanted:
        meeting = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in meeting] + [set(pair).union(*meeting)]
    return [tuple(name for name in names if name in group) for group in groups]
