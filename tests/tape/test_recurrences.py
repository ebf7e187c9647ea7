"""Recurrences: the loop on the tape and its derivatives against the unrolled objective and against differences."""

from collections import deque

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.graph.basic import Constant
from pytensor.tensor.basic import Alloc

import autoopt
from autoopt.execution.engines import NumpyFunctions
from autoopt.graph.build import Origin
from autoopt.graph.rewrites.rewriting import rewrite
from autoopt.parameters import Structure
from autoopt.tape.batching.batching import batch, vectorise
from autoopt.tape.batching.flatten import flatten
from autoopt.tape.loops.detection import recurrences
from autoopt.tape.recurrence import SHORTEST, Recurrence
from autoopt.tape.simplify import live
from autoopt.tape.tape import call
from autoopt.tracing.trace import trace
from benchmarks.recurrences import forward, garch, garch_of_scalars, kalman

RANDOM = np.random.default_rng(7)
Y = RANDOM.normal(size=24)
PAIRS = RANDOM.normal(size=(12, 2))


def two_lags(p, y):
    before, earlier, total = 0.0, 0.0, 0.0
    for t in range(len(y)):
        e = y[t] - p[0] * before - p[1] * np.tanh(earlier)
        total += e * e
        earlier, before = before, e
    return total


def list_of_states(p, y):
    states = [p[0]]
    for value in y:
        states.append(np.tanh(p[1] * states[-1] + p[2] * value))
    return np.sum((np.array(states)[1:] - y) ** 2)


def stack_of_states(p, y):
    states = [p[0]]
    for value in y:
        states.append(np.tanh(p[1] * states[-1] + p[2] * value))
    return np.sum((np.stack(states)[1:] - y) ** 2)


def backwards(p, y):
    value, total = p[0], 0.0
    for t in range(len(y) - 1, -1, -1):
        value = p[1] * np.sin(value) + y[t]
        total = total + value**2
    return total


def two_loops(p, y):
    a, b, total = p[0], p[1], 0.0
    for t in range(len(y)):
        a = 0.9 * np.sin(a) + p[2] * y[t]
        total += a**2
    for t in range(0, len(y), 2):
        b = 0.5 * b * p[0] + y[t]
        total += np.cos(b)
    return total


def parameters_in_time(p, y):
    state, total = 0.3, 0.0
    for t in range(len(p)):
        state = 0.8 * state + np.sin(p[t]) * state**2
        total += (state - y[t]) ** 2
    return total


def loop_in_a_loop(p, y):
    state, total = p[0], 0.0
    for value in y:
        inner = state
        for _ in range(10):
            inner = 0.5 * inner + p[1] * np.sin(inner)
        state = 0.9 * inner + value
        total += state**2
    return total


def guarded(p, y):
    state, total = p[0], 0.0
    for value in y:
        state = p[1] * state + value
        total += state**2 if state > -100 else 1.0
    return total


def without_data(p, y):
    x = p[0]
    for _ in range(50):
        x = x + 0.1 * np.sin(p[1] * x)
    return x**2


def first_of_all(p, y):
    first, state, total = None, 0.1, 0.0
    for value in y:
        pull = p[0] * state
        first = pull if first is None else first
        state = state + 0.1 * np.sin(pull) + 0.01 * first * value
        total += state**2
    return total


CASES = [
    (garch, [0.1, 0.1, 0.8], Y),
    (garch_of_scalars, [0.1, 0.1, 0.8], Y),
    (two_lags, [0.3, 0.2], Y),
    (list_of_states, [0.3, 0.2, 0.5], Y),
    (stack_of_states, [0.3, 0.2, 0.5], Y),
    (forward, RANDOM.normal(size=12), Y),
    (kalman, [0.1, 0.3], PAIRS),
    (backwards, [0.4, 0.6], Y),
    (two_loops, [0.4, 0.6, 0.2], Y),
    (parameters_in_time, RANDOM.normal(size=20), Y),
    (loop_in_a_loop, [0.3, 0.4], Y),
    (guarded, [0.3, 0.4], Y),
    (without_data, [0.3, 0.4], Y),
    (first_of_all, [0.3], Y),
]
IDS = [case[0].__name__ for case in CASES]


def tape_of(f, x0, *args):
    structure = Structure.of(np.asarray(x0, dtype=float))
    return trace(f, structure, np.asarray(x0, dtype=float), args).tape


def looped(tape):
    return live(recurrences(flatten(tape)))


def evaluate(tape, x):
    values = {}
    for index, step in enumerate(tape.steps):
        if index == 0:
            values[index] = x
        elif step.operation is None:
            values[index] = tape.values[index]
        else:
            values[index] = call(step, [values[source] for source in step.inputs])
    return values[tape.output]


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
