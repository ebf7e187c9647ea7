"""Recurrences: the loop on the tape and its derivatives against the unrolled objective and against differences."""

from collections import deque

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.graph.basic import Constant
from pytensor.tensor.basic import Alloc
from recurrence_tapes import CASES, RANDOM, Y, evaluate, looped, tape_of

import autoopt
from autoopt.execution.engines import NumpyFunctions
from autoopt.graph.build import Origin
from autoopt.graph.rewrites.rewriting import rewrite
from autoopt.tape.batching.batching import batch, vectorise
from autoopt.tape.loops.detection import recurrences
from autoopt.tape.recurrence import SHORTEST, Recurrence
from benchmarks.recurrences import garch

IDS = [case[0].__name__ for case in CASES]


def slopes(f, x, h=1e-5):
    """Differences of fourth order."""
    steps = h * np.eye(len(x))
    return np.array([8 * (f(x + e) - f(x - e)) - (f(x + 2 * e) - f(x - 2 * e)) for e in steps]) / (12 * h)


@pytest.mark.parametrize(("f", "x0", "data"), CASES, ids=IDS)
def test_loop_on_the_tape_has_the_value_of_the_unrolled(f, x0, data):
    tape = tape_of(f, x0, data)
    short = looped(tape)
    assert any(isinstance(step.operation, Recurrence) for step in short.steps)
    x = np.asarray(x0) + 0.01 * RANDOM.normal(size=len(x0))
    np.testing.assert_allclose(evaluate(short, x), evaluate(tape, x), rtol=1e-12)


@pytest.mark.parametrize(("f", "x0", "data"), CASES, ids=IDS)
@pytest.mark.slow
def test_derivatives_of_loops_agree_with_differences(f, x0, data):
    tape = batch(looped(tape_of(f, x0, data)))
    x = np.asarray(x0) + 0.01 * RANDOM.normal(size=len(x0))
    run = NumpyFunctions(tape, "value_and_grad", "loops").run
    value, gradient = run(x)
    np.testing.assert_allclose(value, f(x, data), rtol=1e-11)
    np.testing.assert_allclose(gradient, slopes(lambda x: f(x, data), x), rtol=1e-6, atol=1e-7)
    direction = RANDOM.normal(size=len(x))
    product = NumpyFunctions(tape, "hessp", "loops").run(x, direction)
    np.testing.assert_allclose(product, slopes(lambda x: run(x)[1], x) @ direction, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("f", "x0", "data"), CASES[:2] + CASES[-5:-4], ids=IDS[:2] + IDS[-5:-4])
def test_hessian_of_loops_consists_of_products(f, x0, data):
    tape = batch(looped(tape_of(f, x0, data)))
    x = np.asarray(x0, dtype=float)
    product = NumpyFunctions(tape, "hessp", "loops").run
    columns = np.array([product(x, e) for e in np.eye(len(x))])
    np.testing.assert_allclose(NumpyFunctions(tape, "hess", "loops").run(x), columns, rtol=1e-9, atol=1e-9)


def test_code_does_not_grow_with_the_loop():
    texts = []
    for length in (30, 300):
        tape = batch(looped(tape_of(garch, [0.1, 0.1, 0.8], np.resize(Y, length))))
        texts.append(NumpyFunctions(tape, "value_and_grad", "loops").text)
    assert texts[0].count("\n") == texts[1].count("\n")


def test_short_loops_stay_unrolled():
    tape = tape_of(garch, [0.1, 0.1, 0.8], Y[:SHORTEST])
    assert not any(isinstance(step.operation, Recurrence) for step in recurrences(tape).steps)


def runge_kutta(p, steps, y):
    """Lists of numbers, two loops in one another, the inner one of `steps` iterations."""
    state, total = [1.0, 0.5], 0.0
    for value in y:
        for _ in range(steps):
            slopes = []
            for share in (0.0, 0.05, 0.05, 0.1):
                a, b = [s + share * k for s, k in zip(state, slopes[-1] if slopes else [0.0, 0.0], strict=True)]
                slopes.append([-p[0] * a * b, p[0] * a * b - p[1] * b])
            state = [s + 0.1 / 6 * (k + 2 * l + 2 * m + n) for s, k, l, m, n in zip(state, *slopes, strict=True)]
        total += (state[1] - value) ** 2
    return total


@pytest.mark.parametrize(("steps", "count"), [(2, 6), (10, 9)])
def test_few_iterations_of_a_long_body_and_loops_in_loops_are_rolled(steps, count):
    tape, x = tape_of(lambda p, y: runge_kutta(p, steps, y), [0.7, 0.3], Y[:count]), np.array([0.8, 0.2])
    short = vectorise(tape)
    assert len(short.steps) < 250
    np.testing.assert_allclose(evaluate(short, x), runge_kutta(x, steps, Y[:count]), rtol=1e-12)


def test_loops_without_carries_are_left_to_batching():
    tape = tape_of(lambda x: sum(100 * (x[i + 1] - x[i] ** 2) ** 2 for i in range(len(x) - 1)), np.ones(30))
    assert not any(isinstance(step.operation, Recurrence) for step in looped(tape).steps)


@pytest.mark.slow
def test_values_that_come_back_without_a_pattern_leave_the_loop_unrolled():
    def delayed(p, y):
        waiting, state, total = deque([p[0], 0.0, 0.0], maxlen=3), 0.1, 0.0
        for t, value in enumerate(y):
            pull = p[0] * (1 - state) + p[1] * waiting[0]
            waiting.append(state)
            state = state + 0.1 * pull
            total += (state - value) ** 2
            if t % 4 == 0:
                waiting.rotate(1)
        return total

    tape, x = tape_of(delayed, [1.0, 0.5], Y[:20]), np.array([0.9, 0.6])
    np.testing.assert_allclose(NumpyFunctions(vectorise(tape), "value", "loop").run(x), delayed(x, Y[:20]), rtol=1e-13)


def test_equal_bodies_are_equal_operations():
    tapes = [looped(tape_of(garch, x0, data)) for x0, data in (([0.1, 0.1, 0.8], Y), ([0.2, 0.3, 0.4], 2 * Y))]
    first, second = (
        {step.operation for step in tape.steps if isinstance(step.operation, Recurrence)} for tape in tapes
    )
    assert first == second


def test_what_a_loop_computes_from_data_alone_again_and_again_is_one_operand():
    def turned(p, A):
        state = p
        for _ in range(12):
            state = np.tanh(np.exp(A).T @ state)
        return state @ state

    data = 0.3 * RANDOM.normal(size=(3, 3))
    tape = tape_of(turned, [0.1, 0.2, 0.3], data)
    (loop,) = (s.operation for s in vectorise(tape).steps if isinstance(s.operation, Recurrence))
    assert loop.sequences == 0
    assert sum(step.operation is np.exp for step in vectorise(tape).steps) == 1
    x = np.array([0.12, 0.09, 0.75])
    np.testing.assert_allclose(NumpyFunctions(tape, "value", "loops").run(x), turned(x, data), rtol=1e-14)


def test_filled_arrays_are_given_their_shapes_as_numbers():
    x, y = pt.tensor("x", shape=(2,), dtype="float64"), pt.tensor("y", shape=(11,), dtype="float64")
    filled = pt.alloc(x, pt.exp(y).shape[0], 2)
    graph = rewrite([x, y], [filled * 2], "guards")
    (node,) = [node for node in graph.apply_nodes if isinstance(node.op, Alloc)]
    assert all(isinstance(size, Constant) for size in node.inputs[1:])


def test_what_is_known_of_a_variables_origin_stays_short():
    x = pt.tensor("x", shape=(3,), dtype="float64")
    value = pt.exp(x)
    value.tag.trace = [Origin(k % 20) for k in range(1000)]
    graph = rewrite([x], [value.sum()])
    assert max(len(getattr(out.tag, "trace", ())) for node in graph.apply_nodes for out in node.outputs) <= 32


def test_floats_of_a_tuple_of_data_are_data_in_a_loop() -> None:
    """They became constants of the code, which then held for other data too."""

    def f(x, decay):
        state = 0.5
        for k in range(30):
            state = 0.5 * np.sin(state * decay[k]) + x[0] * 0.1 * (k % 7)
        return state

    def slope(x, decay):
        return np.imag(f(x + 1e-30j, decay)) / 1e-30

    gradient, x = autoopt.grad(f), np.array([0.55])
    for first in (1.1, 0.7):
        decay = tuple(first + 0.01 * k for k in range(30))
        np.testing.assert_allclose(gradient(x, decay), slope(x, decay), rtol=1e-12)
        same = (first,) * 30
        np.testing.assert_allclose(gradient(x, same), slope(x, same), rtol=1e-12)
