"""The identity of a tape: equal digests mean equal derivative code, whatever the data."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from autoopt.tape.names import fresh, qualified
from autoopt.tape.operations import are_distinct, put
from autoopt.tape.tape import CONSTANT, PARAMETER, Leaf, Slot, Tape, call

LITERAL = 16
"""Constant arrays of at most this many entries are part of the code; larger ones are handed to it."""


def digest(tape: Tape, *extra: str) -> str:
    """Return a hexadecimal hash of what the code of `tape` is made from: never of data or large constants."""
    state = hashlib.blake2b(digest_size=16)
    known: dict[int, str] = {}
    for index, step in enumerate(tape.steps):
        if step.operation is None:
            head = repr(step.template)
            if not isinstance(step.template, Leaf):
                head += _constant(tape.values[index])
        else:
            head = known.get(id(step.operation)) or known.setdefault(id(step.operation), qualified(step.operation))
            if step.template is not None:
                head += template_text(step.template)
        state.update(f"{head}|{step.inputs}|{step.shape}|{step.dtype}|{step.level}\n".encode())
    for guard in tape.guards:
        state.update(f"{guard.step}|{guard.kind}|{_answer(guard.answer)}\n".encode())
    state.update(f"{tape.output}|{extra}".encode())
    return state.hexdigest()


def folded(tape: Tape) -> str:
    """Return a hash of what the code has of large constants: numbers that are computed from them are written into it.

    `np.sum(w)` of a constant `w` is a literal, and so is a part of it of a few entries; positions 0, 1, 2 are a slice.
    """
    steps, values = tape.steps, dict(tape.values)
    large: set[int] = set()
    for index, step in enumerate(steps):
        if step.level != CONSTANT:
            continue
        if (not is_literal(values[index])) if step.operation is None else (not large.isdisjoint(step.inputs)):
            large.add(index)
    if not large:
        return ""

    def value(index: int) -> Any:
        if index not in values:
            values[index] = call(steps[index], [value(source) for source in steps[index].inputs])
        return values[index]

    read = {source for step in steps if step.level == PARAMETER for source in step.inputs} | {tape.output}
    state = hashlib.blake2b(digest_size=16)
    for index in sorted(read & large):
        number = value(index)
        from_end = np.asarray(number).dtype.kind == "i" and bool((np.asarray(number) < 0).any())  # other positions
        state.update(f"{index}|{_constant(number)}|{from_end}\n".encode())
    for step in steps:  # written once or not, an assignment has another derivative
        if step.operation is put and not large.isdisjoint(step.inputs):
            place = step.template[0][1]
            parts = place if isinstance(place, tuple) else (place,)
            sources = [step.inputs[part.position] if type(part) is Slot else None for part in parts]
            if all(source is None or steps[source].level == CONSTANT for source in sources):
                known = [part if source is None else value(source) for part, source in zip(parts, sources, strict=True)]
                state.update(f"{are_distinct(step.shape, tuple(known))}\n".encode())
    return state.hexdigest()


def is_uniform(value: Any) -> bool:
    """Whether all entries of an array are the same number, so that it can be written as np.full."""
    first = value.flat[0]
    return bool(value.flat[-1] == first and np.all(value == first) and (first != 0 or not has_negative_zeros(value)))


def has_negative_zeros(value: Any) -> bool:
    """Whether any entry of an array of zeros, real or complex, is -0."""
    parts = (value.real, value.imag) if value.dtype.kind == "c" else (value,)
    return any(np.signbit(part).any() for part in parts)


def is_literal(value: Any) -> bool:
    """Whether a constant is written into the code."""
    return np.size(value) <= LITERAL or is_uniform(value)


def _constant(value: Any) -> str:
    if np.size(value) <= LITERAL:
        return f"{type(value).__name__}{np.asarray(value).tolist()!r}"
    counts = value.dtype.kind == "i" and np.array_equal(value, np.arange(value.size))  # derived in another way
    return f"{np.shape(value)}{np.asarray(value).dtype}{value.flat[0] if is_uniform(value) else ''}{counts or ''}"


def _answer(value: Any) -> str:
    """Return a guard's answer, all of which is in the code."""
    return f"{np.shape(value)}{np.asarray(value).tolist()!r}"


def template_text(template: Any) -> str:
    """Return a template as text, with functions in it by name."""
    if isinstance(template, tuple | list) and type(template) is not Slot:
        return f"({','.join(map(template_text, template))})"
    if isinstance(template, dict):
        return f"{{{','.join(f'{key}:{template_text(part)}' for key, part in template.items())}}}"
    if callable(template) and not isinstance(template, type):
        return qualified(template)
    return repr(template)


def constant_names(tape: Tape) -> dict[int, str]:
    """Return names for the large constant arrays of `tape`, by step: the user's own where known."""
    large = [
        index
        for index, step in enumerate(tape.steps)
        if step.operation is None and step.level == CONSTANT and not is_literal(tape.values[index])
    ]
    taken = {leaf.name for leaf in tape.leaves().values()}
    return {index: fresh(tape.steps[index].template or f"constant_{k + 1}", taken) for k, index in enumerate(large)}
