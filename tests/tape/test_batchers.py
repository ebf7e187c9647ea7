"""Every row of the table of batchers: a loop that calls the function becomes a few steps, of the same value."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce

import numpy as np
import pytest
from long_loops import compare_tapes
from scipy.optimize import brentq

from autoopt.parameters import Structure
from autoopt.tape.batching.batchers import BATCHERS
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.operations import astype, greatest, least, pack, product, put, put_add, total
from autoopt.tape.root import Root
from autoopt.tape.tape import Tape
from autoopt.tracing.trace import trace

RANDOM = np.random.default_rng(5)
X0 = RANDOM.uniform(0.5, 2.0, size=(10, 3, 4))
ROUNDS = len(X0)


def written(m):
    out = np.zeros((3, 4))
    out[...] = m
    return out


def added(m):
    out = np.ones((3, 4))
    np.add.at(out, slice(0, 2), m[:2])
    return out


def root(m):
    return brentq(lambda z: z**3 + m[0, 0] * z - m[1, 1] * m[0, 0], -10, 10)


def is_of(step, operation) -> bool:
    return step.operation is operation or type(step.operation) is operation


REDUCTIONS = (np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.std, np.var)
CASES: dict[Callable | None, Callable] = {
    **{function: lambda m, function=function: function(m, axis=0) for function in REDUCTIONS},
    np.where: lambda m: np.where(m > 1.0, m, 2.0 * m),
    astype: lambda m: (m > 1.0).astype(float) * m,
    np.matmul: lambda m: m @ m[0],
    np.dot: lambda m: np.dot(m, m[1]),
    pack: lambda m: np.array([m[0, 0], m[1, 1], m[2, 2]]),
    operator.getitem: lambda m: m[1:, 0],
    np.reshape: lambda m: np.reshape(m, (4, 3)),
    np.expand_dims: lambda m: np.expand_dims(m, 0),
    np.squeeze: lambda m: np.squeeze(m[None]),
    np.ravel: lambda m: np.ravel(m),
    np.broadcast_to: lambda m: np.broadcast_to(m, (2, 3, 4)),
    np.transpose: lambda m: np.transpose(m),
    np.concatenate: lambda m: np.concatenate([m[0], m[1]]),
    put: written,
    put_add: added,
    Root: root,
    total: lambda m: sum(m[k // 4, k % 4] for k in range(12)),
    product: lambda m: reduce(operator.mul, [m[k // 4, k % 4] for k in range(12)]),
    greatest: lambda m: reduce(np.maximum, [m[k // 4, k % 4] for k in range(12)]),
    least: lambda m: reduce(np.minimum, [m[k // 4, k % 4] for k in range(12)]),
}


def tape_of(function: Callable) -> Tape:
    def objective(x):
        return sum(np.sum(np.exp(-function(x[k]))) for k in range(ROUNDS))

    return trace(objective, Structure.of(X0), X0.ravel()).tape


def test_an_axis_may_stand_without_its_name() -> None:
    """As it does in `m.sum(0)`."""
    for function in REDUCTIONS:
        tape = tape_of(lambda m, function=function: function(m, 0))
        compare_tapes(tape, [X0.ravel()])
        assert sum(step.operation is function for step in vectorise(tape).steps) < ROUNDS


def test_every_batcher_has_a_case() -> None:
    assert set(BATCHERS) == set(CASES)


@pytest.mark.parametrize("operation", CASES, ids=lambda operation: operation.__name__)
def test_a_loop_over_rows_is_a_few_steps(operation) -> None:
    tape = tape_of(CASES[operation])
    batched = vectorise(tape)
    compare_tapes(tape, [X0.ravel()])
    assert sum(step.operation is np.exp for step in batched.steps) == 1
    assert sum(is_of(step, operation) for step in batched.steps) < ROUNDS
