"""Loops that keep their carries only at the beginning of segments: the same derivatives in less memory."""

import tracemalloc

import numpy as np
import pytest
from recurrence_tapes import CASES, RANDOM, evaluate, looped, tape_of

from autoopt.execution.engines import NumpyFunctions
from autoopt.objectives.objective import Objective
from autoopt.tape.batching.batching import batch
from autoopt.tape.loops import checkpoints
from autoopt.tape.loops.checkpoints import checkpointed

READ_AS_A_WHOLE = {"garch", "list_of_states", "stack_of_states"}
KNOWN = {case[0].__name__: case for case in CASES}
WITH_HESSIAN = {"garch_of_scalars", "loop_in_a_loop", "two_lags"}
SEGMENTED = sorted(set(KNOWN) - READ_AS_A_WHOLE)


def in_segments(tape, monkeypatch):
    monkeypatch.setattr(checkpoints, "LIMIT", -1)
    return checkpointed(tape)


def segments(tape):
    return [step.operation.segment for step in tape.steps if getattr(step.operation, "segment", 0)]


@pytest.mark.slow_for("two_lags")
@pytest.mark.parametrize("name", SEGMENTED)
@pytest.mark.sampled(6)
def test_derivatives_in_segments_are_the_same(name, monkeypatch) -> None:
    f, x0, data = KNOWN[name]
    plain = batch(looped(tape_of(f, x0, data)))
    tape = in_segments(plain, monkeypatch)
    assert segments(tape)
    x = np.asarray(x0) + 0.01 * RANDOM.normal(size=len(x0))
    direction = RANDOM.normal(size=len(x))
    np.testing.assert_allclose(evaluate(tape, x), evaluate(plain, x), rtol=1e-12)
    kinds = [("value_and_grad", ()), ("hessp", (direction,)), *([("hess", ())] if name in WITH_HESSIAN else [])]
    for kind, more in kinds:
        expected, found = (NumpyFunctions(one, kind, "loops").run(x, *more) for one in (plain, tape))
        if kind == "value_and_grad":
            expected, found = expected[1], found[1]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.max(np.abs(expected)))


@pytest.mark.parametrize("name", sorted(READ_AS_A_WHOLE))
def test_loops_whose_states_are_all_read_keep_them(name, monkeypatch) -> None:
    tape = batch(looped(tape_of(*KNOWN[name])))
    assert in_segments(tape, monkeypatch) is tape


def test_short_of_the_limit_loops_are_not_divided() -> None:
    tape = batch(looped(tape_of(*KNOWN["kalman"])))
    assert checkpointed(tape) is tape


def heat(p, observed, size):
    """A bar that is cooled at its ends, and how far its mean is from what was observed."""
    u = np.sin(p[2] * np.linspace(0, 3, size))
    total = 0.0
    for value in observed:
        bend = np.zeros(size)
        bend[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
        u = u + 0.2 * p[0] * bend - 0.01 * p[1] * u**3 + 0.001 * value
        total = total + (u.mean() - value) ** 2
    return np.sum(u**2) / size + total


def peak(function, *args):
    tracemalloc.start()
    try:
        function(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_gradient_and_product_of_a_long_loop_need_a_fraction_of_the_memory(monkeypatch) -> None:
    observed, size, x = RANDOM.normal(size=225), 1000, np.array([1.0, 0.5, 1.2])
    kept = 8 * size * len(observed)
    found = []
    for limit in (2**40, kept):
        monkeypatch.setattr(checkpoints, "LIMIT", limit)
        objective = Objective(heat, x, (observed, size), engine="numpy")
        values = objective.grad(x), objective.hessp(x, np.ones(3))
        memory = peak(objective.grad, x), peak(objective.hessp, x + 1e-9, np.ones(3))
        found.append((values, memory))
    (plain, more), (divided, less) = found
    for one, two in zip(plain, divided, strict=True):
        np.testing.assert_allclose(two, one, rtol=0, atol=1e-12 * np.max(np.abs(one)))
    assert less[0] < kept < more[0]
    assert less[1] < 2 * kept < more[1]
