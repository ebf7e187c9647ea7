"""The patterns of a tape: of the Hessian of its value, and of the Jacobian of its result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.tape.batching.batching import vectorise
from autoopt.tape.sparsity import contractions, elementwise, loops, moves, reductions, series, systems
from autoopt.tape.sparsity.pattern import Interactions, Pattern
from autoopt.tape.sparsity.pool import Crowded, Pool
from autoopt.tape.sparsity.walk import Walk
from autoopt.tape.tape import Leaf, Tape

__all__ = ["Reading", "contractions", "elementwise", "loops", "moves", "reductions", "series", "systems"]


@dataclass(frozen=True)
class Reading:
    """A pattern with the leaves whose values decided it: positions, and where sparse matrices have entries.

    Attributes
    ----------
    pattern : Pattern or None
        None if it has too many entries to be listed.
    read : dict of int to bytes
        By the steps of the tape before it is vectorised, hashes of what they hold.
    """

    pattern: Pattern | None
    read: dict[int, bytes]

    def holds(self, tape: Tape) -> bool:
        """Whether the leaves of another tape of the same steps hold what they held."""
        return all(_hash(tape.values[index]) == known for index, known in self.read.items())


def _hash(value: Any) -> bytes:
    """Return a hash of an array, or of the places of a sparse matrix's entries."""
    parts = (value.indptr, value.indices) if hasattr(value, "indptr") else (value,)
    found = hashlib.blake2b(digest_size=16)
    for part in map(np.asarray, parts):
        found.update(f"{part.dtype}{part.shape}".encode())
        found.update(part.tobytes())
    return found.digest()


def hessian(tape: Tape) -> Reading:
    """Return where the Hessian of a tape's value may differ from 0, on its path."""
    pool = Pool(tape.steps[0].shape[0])
    found = Interactions(pool)
    walk = _walked(tape, pool, found)
    try:
        if walk is None:
            raise Crowded
        return Reading(found.pattern(), _kept(walk, tape))
    except Crowded:
        return Reading(None, {})


def jacobian(tape: Tape) -> Reading:
    """Return where the Jacobian of a tape's result may differ from 0, on its path."""
    pool = Pool(tape.steps[0].shape[0])
    vectorised = vectorise(tape)
    walk = _walked(tape, pool, Interactions(pool))
    try:
        if walk is None:
            raise Crowded
        return Reading(Pattern.of(pool.rows(np.ravel(walk.spread(vectorised.output)))), _kept(walk, tape))
    except Crowded:
        return Reading(None, {})


def _walked(tape: Tape, pool: Pool, found: Interactions) -> Walk | None:
    vectorised = vectorise(tape)
    walk = Walk(vectorised.steps, vectorised.values, pool, found)
    walk.numbers[0] = pool.parameters
    try:
        walk.run(1)
    except Crowded:
        return None
    return walk


def _kept(walk: Walk, tape: Tape) -> dict[int, bytes]:
    """Return hashes of what was read of the inputs; constants of the tape stay what they are."""
    read = {walk.steps[index].template.name: value for index, value in walk.read.items() if _is_input(walk, index)}
    if not read:
        return {}
    places = {leaf.name: index for index, leaf in tape.leaves().items()}
    return {places[name]: _hash(value) for name, value in read.items()}


def _is_input(walk: Walk, index: int) -> bool:
    return isinstance(walk.steps[index].template, Leaf)
