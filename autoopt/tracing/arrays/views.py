"""How one traced array is a view of another, by NumPy's rules.

The numbers need no care: a NumPy view shares memory with its array, so a write through one is seen by the other. The
tape is functional, so a write makes a new version of the array; a view remembers the call that made it, and how to put
its contents back. Where no call says that (windows that overlap, einsum's diagonals, strides of the user's own) it
remembers which entries of the whole array it consists of, which for any view can be seen from where they lie in memory.

    a = np.zeros(3)     step 1 = zeros(3)               a is at step 1
    b = a[1:]           step 2 = getitem(1, 1:)         b is a view: getitem(a, 1:)
    b[:] = x            step 3 = put(2, :, 0)           b is at step 3,
                        step 4 = put(1, 1:, 3)          what it holds is put back: a is at step 4
    a[2] = x[0]         step 5 = getitem(0, 0)          a cell of a (see `cells.py`); b is behind
    b.sum()             step 8 = put(4, 2, pack(5))     a is asked for,
                        step 9 = getitem(8, 1:)         and the call that made b is done again
                        step 10 = sum(9)

What holds between any two of these: `value` is what NumPy has, and `current()` is a step that computes it. An array
knows what it is a view of, but not its views; so a view whose `version` is not its root's is behind, and is brought up
to date when it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(slots=True)
class View:
    """How an array is a view: `operation(parent, *args)`, made when the root was at `version`.

    Of a view by memory `operation` is None, the parent is the root, and `args` has its entries' positions there.
    """

    parent: Any
    root: Any
    operation: Callable | None
    args: tuple
    kwargs: dict
    version: int
    seen: Any
    """The numbers of the parent, which become others where its shape is assigned to."""


def attach(result: Any, parent: Any, operation: Callable, args: tuple, kwargs: dict | None = None) -> Any:
    """Mark `result` as a view of `parent` if NumPy made it one."""
    value = result.value
    if type(value) is np.ndarray and value.base is not None and np.may_share_memory(value, parent.value):
        if parent.origin is not None and parent.origin.operation is None:
            return attach_by_memory(result, parent)
        root = parent.origin.root if parent.origin else parent
        result.origin = View(parent, root, operation, args, kwargs or {}, root.version, parent.value)
    return result


def attach_by_memory(result: Any, parent: Any) -> Any:
    """Mark `result` as a view of the array that `parent` is a view of, or is, by where its entries lie in memory."""
    root = parent.origin.root if parent.origin else parent
    result.origin = View(root, root, None, (positions_in(result.value, root.value),), {}, root.version, root.value)
    return result


def overlaps(array: Any) -> bool:
    """Whether some entries of an array are the same place in memory."""
    if array.origin is None or array.origin.operation is not None:
        return False
    positions = array.origin.args[0]
    return np.unique(positions).size < positions.size


def positions_in(value: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return where the entries of a view are in an array, counted in C order.

    Raises
    ------
    ValueError
        If some of them are not in it.
    """
    places, entries = _addresses(whole).ravel(), _addresses(value)
    order = np.argsort(places, kind="stable")
    found = np.searchsorted(places, entries, sorter=order)
    if value.size and (found.max() >= places.size or np.any(places[order[found]] != entries)):
        raise ValueError("the view reaches beyond its array")
    return order[found] if value.size else np.zeros(value.shape, int)


def _addresses(value: np.ndarray) -> np.ndarray:
    """Return where in memory each entry of an array lies."""
    addresses = np.full(value.shape, value.__array_interface__["data"][0])
    for axis, (size, stride) in enumerate(zip(value.shape, value.strides, strict=True)):
        addresses += (np.arange(size) * stride).reshape((-1,) + (1,) * (value.ndim - axis - 1))
    return addresses
