"""`fixed=`: which parameters are held, at what, and which follow others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.parameters import Structure
from autoopt.variables.naming import Names
from autoopt.variables.variables import Variables

_REMEDY = (
    'give names, as in fixed=["sigma", "beta[0]"], values, as in fixed={"sigma": 1.0}, ties, as in '
    'fixed={"b": "2 * a"}, or True and False in the structure of x0.'
)


class _Holding:
    """What is held and tied so far, by numbers in the flat vector."""

    def __init__(self, structure: Structure, flat: np.ndarray) -> None:
        self.names = Names(structure, "fixed")
        self.flat, self.held = flat.copy(), np.zeros(flat.size, bool)
        self.ties: dict[int, tuple[int, float, float]] = {}

    def hold(self, places: np.ndarray, value: Any, name: str) -> None:
        """Hold the entries at `value`: a number, or one for each."""
        values = np.asarray(value, dtype=np.float64)
        if values.size not in (1, places.size) or not np.isfinite(values).all():
            if values.size in (1, places.size):
                raise UsageError(f"fixed: the value of {name} is {value!r}.", remedy="give finite numbers.")
            raise UsageError(
                f"fixed: the value of {name} has {values.size} entries, but {name} has {places.size}.",
                remedy="give one number, or one for each entry.",
            )
        self.held[places], self.flat[places] = True, values.reshape(-1)

    def tie(self, places: np.ndarray, text: str, name: str) -> None:
        """Let the entries follow those that `text` names."""
        line = self.names.line(text)
        if line.places.size not in (1, places.size):
            raise UsageError(
                f"fixed: {name} has {places.size} entries, but {text!r} has {line.places.size}.",
                remedy="tie what has as many entries, or to one.",
            )
        for i, j in zip(places, np.broadcast_to(line.places, places.shape), strict=True):
            self.ties[int(i)] = (int(j), line.factor, line.offset)

    def read(self, given: Any, path: str = "") -> None:
        """Read one level of a dict: names below `path`, with what each is to be."""
        for key, what in given.items():
            name = key if not path else f"{path}.{key}" if isinstance(key, str) else f"{path}[{key}]"
            places = self.names.places(name)
            mask = np.asarray(what) if not isinstance(what, str | Mapping) else None
            if isinstance(what, Mapping):
                self.read(what, str(name))
            elif isinstance(what, str):
                self.tie(places, what, str(name))
            elif mask is not None and mask.dtype == bool:
                self.mark(places, mask, str(name))
            elif mask is not None and mask.dtype.kind in "iuf":
                self.hold(places, what, str(name))
            else:
                raise UsageError(f"fixed: {name}={what!r} is not understood.", remedy=_REMEDY)

    def mark(self, places: np.ndarray, mask: np.ndarray, name: str) -> None:
        """Hold those of the entries that a mask says, where they are."""
        if mask.size not in (1, places.size):
            raise UsageError(
                f"fixed: the mask of {name} has {mask.size} entries, but there are {places.size} parameters.",
                remedy=_REMEDY,
            )
        self.held[places[np.broadcast_to(mask.reshape(-1), places.shape)]] = True

    def variables(self) -> Variables:
        """Return what is left to move; ties of ties are followed."""
        n = self.flat.size
        factor, offset, root = np.ones(n), np.zeros(n), np.arange(n)
        for i in self.ties:
            j, seen = i, [i]
            while j in self.ties and not self.held[j]:
                ahead, by, beside = self.ties[j]
                offset[i] += factor[i] * beside
                factor[i] *= by
                j = ahead
                if j in seen:
                    names = " -> ".join(self.names.entries[k] for k in [*seen, j])
                    raise UsageError(f"fixed: the ties go in a circle, {names}.", remedy="leave one of them free.")
                seen.append(j)
            root[i] = j
        home = np.flatnonzero((root == np.arange(n)) & ~self.held)
        if not home.size:
            raise UsageError("Every parameter is fixed: there is nothing to minimise over.", remedy="leave one free.")
        number = np.full(n, -1)
        number[home] = np.arange(home.size)
        self.flat = offset + factor * self.flat[root]
        source = number[root]
        offset = np.where(source < 0, self.flat, offset)
        return Variables(self.names.entries, source, factor, offset, home, np.ones(home.size))


def read_fixed(given: Iterable, structure: Structure, flat: np.ndarray) -> tuple[Variables, np.ndarray]:
    """Return the variables that are left, and the start, shape (n,), with what is held and tied at its values.

    Parameters
    ----------
    given : iterable of names, dicts, or booleans in the structure of x0
        Each as `minimize` takes it, the later ones beside the earlier.
    structure : Structure
    flat : ndarray, shape (n,)
        The start.

    Raises
    ------
    UsageError
        For names that there are not, values that do not fit, ties that are none, or if nothing is left to move.
    """
    holding = _Holding(structure, flat)
    for fixed in given:
        _read(holding, fixed)
    return holding.variables(), holding.flat


def _read(holding: _Holding, fixed: Any) -> None:
    structure = holding.names.structure
    if isinstance(fixed, str | int | np.integer) and not isinstance(fixed, bool):
        fixed = [fixed]
    if isinstance(fixed, Mapping):
        holding.read(fixed)
    elif (mask := _mask(fixed, structure)) is not None:
        holding.mark(np.arange(structure.size), mask, "x0")
    elif isinstance(fixed, Iterable):
        for one in fixed:
            if isinstance(one, Mapping | list | tuple | np.ndarray):
                _read(holding, one)
            else:
                holding.held[holding.names.places(one)] = True
    else:
        raise UsageError(f"fixed={fixed!r} is not understood.", remedy=_REMEDY)


def _mask(fixed: Any, structure: Structure) -> np.ndarray | None:
    """Return booleans in the structure of x0 as a vector; None if they are none."""
    if isinstance(fixed, list | tuple) and all(isinstance(one, bool | np.bool_) for one in fixed):
        fixed = np.asarray(fixed, bool)
    if not isinstance(fixed, np.ndarray | bool | np.bool_) or np.asarray(fixed).dtype != bool:
        return None
    mask = np.asarray(fixed)
    if mask.size != structure.size:
        raise UsageError(
            f"fixed has {mask.size} entries, but x0 has {structure.size}.", remedy="give one for each parameter."
        )
    return mask.reshape(-1)
