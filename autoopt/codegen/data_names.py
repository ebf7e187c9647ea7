"""Names for what the data alone decide and the user has not named: after the operation and the data it is of.

np.log(df["time"]) -> log_time, r**2 -> r_squared, y[1:] -> y_tail, np.eye(n) -> identity
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.tape.operations import component
from autoopt.tape.tape import Slot, Step

LONG = 16
"""The most letters of a name that is made longer."""

_PLAIN: dict[Any, str] = {
    np.eye: "identity", np.identity: "identity", np.arange: "positions", np.ones: "ones", np.zeros: "zeros",
    np.add: "total", np.subtract: "difference", np.multiply: "product", np.true_divide: "ratio",
    np.matmul: "product", np.dot: "product", np.outer: "outer", np.nonzero: "found", np.where: "chosen",
    np.less: "mask", np.less_equal: "mask", np.greater: "mask", np.greater_equal: "mask",
    np.equal: "mask", np.not_equal: "mask", np.concatenate: "joined", np.stack: "stacked",
    np.argsort: "order", np.lexsort: "order", np.unique: "distinct", np.searchsorted: "places",
}  # fmt: skip
"""What results of several data are, whatever these are called."""

_AFTER: dict[Any, str] = {
    np.square: "squared", np.reciprocal: "inverse", np.transpose: "transposed", np.sort: "sorted",
    np.cumsum: "running", np.diff: "steps",
}  # fmt: skip
_AHEAD: dict[Any, str] = {
    np.negative: "minus", np.absolute: "abs", np.sum: "total", np.mean: "mean", np.std: "sd", np.var: "var",
    np.max: "largest", np.min: "smallest", np.log: "log", np.exp: "exp", np.sqrt: "root",
}  # fmt: skip
"""What is written behind and ahead of the name of the data."""


def described(index: int, steps: Sequence[Step], names: Mapping[int, str]) -> str | None:
    """Return what a person might call the result of a step of the data, whose leaves and others have `names`."""
    step = steps[index]
    if step.operation in (operator.getitem, component):
        return _part(step, steps, names)
    base = _base(step.inputs, steps, names)
    if step.operation is np.power and step.template is None and len(step.inputs) == 2:
        exponent = names.get(step.inputs[1], "")
        return f"{base}_squared" if base and exponent in ("2", "2.0") else base and f"{base}_power"
    if step.operation in _PLAIN:
        return _PLAIN[step.operation]
    if not base:
        return None
    if step.operation in _AFTER:
        return f"{base}_{_AFTER[step.operation]}"
    word = _AHEAD.get(step.operation) or (step.operation.__name__ if isinstance(step.operation, np.ufunc) else "")
    return f"{word}_{base}" if word else None


def _part(step: Step, steps: Sequence[Step], names: Mapping[int, str]) -> str | None:
    """Return what a part of an array is called."""
    assert step.template is not None
    base = _base(step.inputs[:1], steps, names)
    source, place = steps[step.inputs[0]], step.template[0][1]
    if source.operation in _PLAIN:
        return {"found": "places"}.get(_PLAIN[source.operation], _PLAIN[source.operation])
    if not base:
        return None
    if isinstance(place, tuple) and any(item is None for item in place):
        return f"{base}_column" if place[-1] is None else f"{base}_row"
    if isinstance(place, slice) and place.step is None:
        ends = "tail" if place.stop is None else "head" if not place.start else "middle"
        return f"{base}_{ends}"
    if isinstance(place, int):
        return f"{base}_first" if place == 0 else f"{base}_last" if place == -1 else f"{base}_entry"
    if type(place) is not Slot:
        return f"{base}_part"
    by = steps[step.inputs[place.position]].operation
    return f"{base}_sorted" if by in _PLAIN and _PLAIN[by] == "order" else f"{base}_chosen"


def _base(inputs: Sequence[int], steps: Sequence[Step], names: Mapping[int, str]) -> str | None:
    """Return the name of the one array that these inputs are of, through steps without names; None of several."""
    waiting, found, seen = list(inputs), list[str](), set[int]()
    while waiting and len(seen) < 50:
        source = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        if source in names:
            found.append(names[source])
        else:
            waiting += steps[source].inputs
    only = [name for name in dict.fromkeys(found) if name.isidentifier()]
    return only[0] if len(only) == 1 and len(only[0]) <= LONG else None


def known_texts(values: Mapping[int, Any]) -> dict[int, str]:
    """Return constants as text, by their steps: what tells a square from another power."""
    return {index: repr(value) for index, value in values.items() if isinstance(value, int | float)}
