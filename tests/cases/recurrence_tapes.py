"""Functions with recurrences in time, and their tapes."""

import numpy as np

from autoopt.parameters import Structure
from autoopt.tape.batching.flatten import flatten
from autoopt.tape.loops.detection import recurrences
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
