"""Rules of functions that move entries about: they do so with the numbers of the entries' sets.

What they fill in, a 0 beyond a triangle or what a mask leaves out, depends on nothing, as the number 0 says.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import getitem
from typing import Any

import numpy as np

from autoopt.tape import operations
from autoopt.tape.sparsity.rules import NAMES, Given, Operand, Several, Unknown, follows


def _moved(walk: Any, given: Given, *content: int | str) -> Any:
    """Return what the operation makes of numbers in the places of its content, and of values elsewhere."""

    def filled(argument: Any, is_content: bool) -> Any:
        if isinstance(argument, Operand):
            return walk.spread(argument.step) if is_content else walk.value(argument.step)
        if type(argument) in (tuple, list):
            return type(argument)(filled(part, is_content) for part in argument)
        if type(argument) is slice:
            return slice(*(filled(part, False) for part in (argument.start, argument.stop, argument.step)))
        return np.zeros(np.shape(argument), dtype=np.int64) if is_content else argument

    args = [filled(argument, place in content) for place, argument in enumerate(given.args)]
    options = {name: filled(argument, name in content) for name, argument in given.options.items()}
    options.pop("dtype", None)
    operation = given.step.operation
    assert operation is not None
    result = operation(*args, **options)
    if isinstance(result, tuple | list):
        return Several(np.concatenate([np.ravel(part) for part in result]), tuple(map(np.asarray, result)))
    return result


_FIRST = (
    *(np.reshape, np.ravel, np.transpose, np.matrix_transpose, np.linalg.matrix_transpose, np.swapaxes, np.moveaxis),
    *(np.rollaxis, np.expand_dims, np.squeeze, np.broadcast_to, np.tile, np.repeat, np.roll, np.flip, np.fliplr),
    *(np.flipud, np.rot90, np.triu, np.tril, np.diag, np.diagflat, np.diagonal, np.linalg.diagonal, np.unstack),
    *(np.take, np.take_along_axis, np.delete, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.split, np.array_split),
    *(np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack, np.block, np.resize, np.trim_zeros),
)


@follows(*_FIRST)
def first(walk: Any, given: Given) -> Any:
    """The first argument is what is moved."""
    return _moved(walk, given, 0)


@follows(np.append, np.meshgrid, np.broadcast_arrays)
def all_of(walk: Any, given: Given) -> Any:
    """All positional arguments are moved."""
    return _moved(walk, given, *range(2 if given.step.operation is np.append else len(given.args)), "values")


@follows(np.compress, np.extract)
def compress(walk: Any, given: Given) -> Any:
    """The second argument is moved."""
    return _moved(walk, given, 1, "a", "arr")


@follows(np.insert)
def insert(walk: Any, given: Given) -> Any:
    return _moved(walk, given, 0, 2, "arr", "values")


@follows(operations.pack)
def pack(walk: Any, given: Given) -> Any:
    return _moved(walk, given, *range(1, len(given.args)))


@follows(np.pad)
def pad(walk: Any, given: Given) -> Any:
    """Edges, mirrors and repetitions are moves; a constant depends on nothing if it is one."""
    mode = given.argument(2, "mode", "constant")
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise Unknown
    if mode == "constant":
        if set(given.options) - {"mode", "pad_width", "constant_values"} or _has_operand(given.options):
            raise Unknown
        return np.pad(walk.spread(given.args[0].step), given.argument(1, "pad_width"))
    if given.options.get("reflect_type", "even") != "even":
        raise Unknown
    return _moved(walk, given, 0)


@follows(getitem)
def read(walk: Any, given: Given) -> Any:
    """Entries at positions that are no matter of the parameters; else any entry of those that are looked at."""
    try:
        return _moved(walk, given, 0)
    except Unknown:
        return walk.joined(given.args[0].step)  # which entry it is has no slope


@follows(operations.put)
def put(walk: Any, given: Given) -> Any:
    """Entries are written over; where that is decided by parameters, any may be."""
    try:
        return _moved(walk, given, 0, 2)
    except Unknown:
        return walk.pool.union(walk.of(given.args[0].step), _any(walk, given.args[2]))


@follows(operations.put_add)
def put_add(walk: Any, given: Given) -> np.ndarray:
    """Entries are added to, several times if their positions are repeated."""
    array, index, value = given.args
    shape = given.step.shape
    before = walk.spread(array.step) if isinstance(array, Operand) else np.zeros(shape, dtype=np.int64)
    try:
        places = np.arange(before.size).reshape(shape)[_values(walk, index)]
    except Unknown:
        return walk.pool.union(before, _any(walk, value))
    numbers = walk.of(value.step) if isinstance(value, Operand) else np.zeros((), dtype=np.int64)
    places, numbers = np.broadcast_arrays(places, numbers)
    added = walk.pool.gathered(np.ravel(places), np.ravel(numbers), before.size).reshape(shape)
    return walk.pool.union(before, added)


def _any(walk: Any, argument: Any) -> np.ndarray:
    return walk.joined(argument.step) if isinstance(argument, Operand) else np.zeros((), dtype=np.int64)


def _values(walk: Any, index: Any) -> Any:
    """Return an index with values in the places of its operands."""
    if isinstance(index, Operand):
        return walk.value(index.step)
    if type(index) in (tuple, list):
        return type(index)(_values(walk, part) for part in index)
    if type(index) is slice:
        return slice(*(_values(walk, part) for part in (index.start, index.stop, index.step)))
    return index


def _has_operand(argument: Any) -> bool:
    """Whether an argument is a step, or a nest with one."""
    if isinstance(argument, Operand):
        return True
    parts = argument.values() if isinstance(argument, dict) else argument if type(argument) in (tuple, list) else ()
    return any(map(_has_operand, parts))


@follows(np.diff)
def difference(walk: Any, given: Given) -> np.ndarray:
    """Neighbours are joined, n times."""
    order, axis = given.argument(1, "n", 1), given.argument(2, "axis", -1)
    if set(given.options) - {"n", "axis"} or isinstance(given.args[0], list):
        raise Unknown
    numbers = np.moveaxis(walk.spread(given.args[0].step), axis, -1)
    for _ in range(order):
        numbers = walk.pool.union(numbers[..., 1:], numbers[..., :-1])
    return np.moveaxis(numbers, -1, axis)


@follows(np.ediff1d)
def flat_difference(walk: Any, given: Given) -> np.ndarray:
    """Neighbours are joined."""
    if len(given.args) > 1 or given.options:
        raise Unknown
    numbers = np.ravel(walk.spread(given.args[0].step))
    return walk.pool.union(numbers[1:], numbers[:-1])


def _of_scipy(walk: Any, given: Given) -> Any:
    """Matrices made of entries."""
    return _moved(walk, given, *range(len(given.args)))


NAMES.update({"toeplitz": _of_scipy, "circulant": _of_scipy, "block_diag": _of_scipy})

Move = Callable[[Any, Given], Any]
