"""The rule of loops that are one step: each iteration by itself if there are few, else until nothing is added.

    for t in range(T): h = a * h + b * y[t]         h_0: {}      then {a, b}      then {a, b}: that is all

The sets of the carries grow from iteration to iteration, and end when all that the body brings is in them. With the
sets of all iterations joined the body is followed once more, in which what meets is noted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.tape.recurrence import Known, Recurrence
from autoopt.tape.sparsity.pattern import Interactions
from autoopt.tape.sparsity.rules import KINDS, Given, Several
from autoopt.tape.sparsity.walk import Walk, fitted

MANY = 4000
"""With more steps than this in all iterations their sets are joined: following one takes some 30 us."""

_LONGEST = 100
"""The most rounds in which carries are followed, before all of them are taken to depend on all."""


def recurrence(walk: Any, given: Given) -> Several:
    """A loop from (carries, sequences, invariants) to (trajectories, outputs)."""
    loop = given.step.operation
    assert isinstance(loop, Recurrence)
    sources = [walk.spread(source) for source in given.step.inputs]
    if loop.until is None and loop.count is not None and loop.count * len(loop.body) <= MANY:
        return _by_iterations(walk, loop, sources)
    return _joined(walk, loop, sources)


KINDS[Recurrence] = recurrence


def _values(loop: Recurrence) -> dict[int, Any]:
    return {index: step.template.value for index, step in enumerate(loop.body) if isinstance(step.template, Known)}


def _followed(walk: Any, loop: Recurrence, operands: list[np.ndarray], interactions: Interactions) -> Walk:
    """Follow the body once."""
    inner = Walk(loop.body, _values(loop), walk.pool, interactions)
    for index, numbers in enumerate(operands):
        inner.numbers[index] = fitted(numbers, loop.body[index].shape)
    inner.run(len(operands))
    return inner


def _by_iterations(walk: Any, loop: Recurrence, sources: list[np.ndarray]) -> Several:
    assert loop.count is not None
    carries = sources[: loop.carries]
    sequences = sources[loop.carries : loop.carries + loop.sequences]
    fixed = sources[loop.carries + loop.sequences :]
    kept: list[list] = [[carry] for carry in carries]
    outputs: list[list] = [[] for _ in loop.outputs]
    for t in range(loop.count):
        operands = [*(row[-1] for row in kept), *(one[t] for one in sequences), *fixed]
        inner = _followed(walk, loop, operands, walk.interactions)
        for row, update in zip(kept, loop.updates, strict=True):
            row.append(inner.spread(update))
        for row, output in zip(outputs, loop.outputs, strict=True):
            row.append(inner.spread(output))
    if loop.segment:
        parts = [row[-1] for row in kept] + [np.array(row) for row in outputs]
    else:
        parts = [np.array(row) for row in (*kept, *outputs)]
    return _several(parts)


def _joined(walk: Any, loop: Recurrence, sources: list[np.ndarray]) -> Several:
    """Follow the body with the sets of all iterations, until those of the carries do not grow."""
    pool = walk.pool
    carries = list(sources[: loop.carries])
    sequences = [_over_all(walk, one) for one in sources[loop.carries : loop.carries + loop.sequences]]
    fixed = sources[loop.carries + loop.sequences :]
    for round_ in range(_LONGEST):
        inner = _followed(walk, loop, [*carries, *sequences, *fixed], Interactions(pool))
        grown = [pool.union(carry, inner.of(update)) for carry, update in zip(carries, loop.updates, strict=True)]
        if all(np.array_equal(pool.length[new], pool.length[old]) for new, old in zip(grown, carries, strict=True)):
            break
        carries = grown
        if round_ == _LONGEST - 2:
            every = np.array(pool.all(np.concatenate([np.ravel(one) for one in (*carries, *sequences, *fixed)])))
            carries = [np.broadcast_to(every, carry.shape) for carry in carries]
    inner = _followed(walk, loop, [*carries, *sequences, *fixed], walk.interactions)
    outputs = [inner.of(output) for output in loop.outputs]
    if loop.until is not None:
        nothing = np.zeros((), dtype=np.int64)
        return _several([nothing, *(nothing for _ in loop.until.checks), *outputs])
    if loop.segment:
        return _several([*carries, *(one[None] for one in outputs)])
    return _several([one[None] for one in (*carries, *outputs)])


def _over_all(walk: Any, sequence: np.ndarray) -> np.ndarray:
    """Return the unions over all iterations."""
    if not len(sequence):
        return np.zeros(sequence.shape[1:], dtype=np.int64)
    return walk.pool.unions(sequence.reshape(len(sequence), -1).T).reshape(sequence.shape[1:])


def _several(parts: list[np.ndarray]) -> Several:
    numbers = [np.ravel(part) for part in parts]
    return Several(np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int64), tuple(parts))
