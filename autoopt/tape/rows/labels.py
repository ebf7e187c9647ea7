"""Products of arrays that are summed over shared axes, in the notation of einsum, a letter for each axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_letters

import numpy as np

from autoopt.tape.sparsity.rules import Given, Operand
from autoopt.tape.tape import Step


@dataclass(frozen=True)
class Contraction:
    """A product of steps.

    Attributes
    ----------
    operands : list of (int, str)
        The steps, with the letters of their axes.
    output : str
        Those of the result.
    sizes : tuple of tuple of int
        The shapes of the steps.
    """

    operands: list[tuple[int, str]]
    output: str
    sizes: tuple[tuple[int, ...], ...]

    @property
    def names(self) -> list[str]:
        return [names for _, names in self.operands]

    @cached_property
    def lengths(self) -> dict[str, int]:
        """The length of each axis by its letter."""
        pairs = zip(self.operands, self.sizes, strict=True)
        return {name: length for (_, names), shape in pairs for name, length in zip(names, shape, strict=False)}

    @property
    def summed(self) -> list[str]:
        """The letters of the axes that are summed over."""
        return [name for name in self.lengths if name not in self.output]

    @property
    def unused(self) -> str:
        """A letter that is no axis yet."""
        return next(name for name in ascii_letters if name not in self.lengths)


def contraction(steps: Sequence[Step], given: Given) -> Contraction | None:
    """Return the product that a call makes of vectors and matrices; None if it is none, or of stacks."""
    operation = given.step.operation
    if operation is np.einsum:
        return _written(steps, given)
    if operation is np.tensordot:
        return _over_last(steps, given)
    if given.options or len(given.args) != 2 or not all(isinstance(arg, Operand) for arg in given.args):
        return None
    one, other = (arg.step for arg in given.args)
    axes = len(steps[one].shape), len(steps[other].shape)
    table = _INNER if operation is np.inner else _PRODUCTS
    if axes not in table or (operation is np.vdot and axes != (1, 1)):
        return None
    names, output = table[axes]
    return Contraction([(one, names[0]), (other, names[1])], output, (steps[one].shape, steps[other].shape))


_PRODUCTS = {
    (1, 1): (("z", "z"), ""),
    (2, 1): (("az", "z"), "a"),
    (1, 2): (("z", "zb"), "b"),
    (2, 2): (("az", "zb"), "ab"),
}
"""The letters of a product of two by how many axes they have."""

_INNER = {**_PRODUCTS, (1, 2): (("z", "bz"), "b"), (2, 2): (("az", "bz"), "ab")}


def _written(steps: Sequence[Step], given: Given) -> Contraction | None:
    text, *operands = given.args
    if not isinstance(text, str) or "..." in text or set(given.options) - {"optimize"}:
        return None
    if not operands or not all(isinstance(one, Operand) for one in operands):
        return None
    left, arrow, output = text.replace(" ", "").partition("->")
    names = left.split(",")
    if not arrow or len(names) != len(operands):
        return None
    sources = [one.step for one in operands]
    return Contraction(list(zip(sources, names, strict=True)), output, tuple(steps[k].shape for k in sources))


def _over_last(steps: Sequence[Step], given: Given) -> Contraction | None:
    """A tensordot over a number of axes, the last of one and the first of the other."""
    count = given.argument(2, "axes", 2)
    if not isinstance(count, int) or not all(isinstance(arg, Operand) for arg in given.args[:2]):
        return None
    one, other = (arg.step for arg in given.args[:2])
    first, second = len(steps[one].shape), len(steps[other].shape)
    left = ascii_letters[:first]
    right = left[first - count :] + ascii_letters[first : first + second - count]
    output = left[: first - count] + right[count:]
    return Contraction([(one, left), (other, right)], output, (steps[one].shape, steps[other].shape))
