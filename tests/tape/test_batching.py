"""Loops as array programs: n-ary chains and isomorphic steps, against the unrolled tape."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from autoopt import differences
from autoopt.execution import engines
from autoopt.objectives.objective import Objective
from autoopt.tape.batching.batching import batch, vectorise
from autoopt.tape.batching.flatten import flatten
from autoopt.tape.operations import greatest, product, total
from autoopt.tape.tape import Tape, call
from benchmarks.loop_programs import PROGRAMS
from benchmarks.loops import cases


def tape_of(f, x, *args) -> Tape:
    return Objective(f, np.asarray(x, dtype=float), args).dispatch.paths[0].trace.tape


def run(tape: Tape, x) -> float:
    """Return what the tape computes, step by step."""
    known = {0: np.asarray(x, dtype=float)} | tape.values
    for index, step in enumerate(tape.steps):
        if step.operation is not None:
            known[index] = call(step, [known[source] for source in step.inputs])
    return known[tape.output]


def signed(x):
    s = 0.0
    for i in range(6):
        s = x[i] - s
    p = 1
    for i in range(3):
        p = p * x[i]
    m = -np.inf
    for i in range(3):
        m = np.maximum(m, x[i] * 2)
    v = np.zeros(2)
    for i in range(4):
        v = v - -(x[i] * x[:2])
    return -s + m + p - v[0]


def test_chains_of_any_sign_become_one_step_each():
    x = np.random.default_rng(0).normal(size=6)
    tape = tape_of(signed, x)
    flat = flatten(tape)
    operations = [step.operation for step in flat.steps]
    assert operations.count(total) == 2 and operations.count(product) == 1 and operations.count(greatest) == 1
    assert run(flat, x) == pytest.approx(signed(x), rel=1e-14)


def test_short_chains_and_results_read_twice_stay():
    def f(x):
        s = 0.0
        for i in range(6):
            s = s + x[i]
            if s > 100:
                break
        return s * (x[0] + x[1] - x[2])

    tape = tape_of(f, np.ones(6))
    assert [step.operation for step in flatten(tape).steps].count(total) <= 1
    assert run(flatten(tape), np.ones(6)) == f(np.ones(6))


def test_a_factor_of_one_in_one_iteration_is_no_product_of_its_own():
    def f(x):
        return sum([x[i] * i for i in range(8)])

    assert product not in [step.operation for step in flatten(tape_of(f, np.ones(8))).steps]


# Batching -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
def test_batched_tape_gives_the_same_value_in_few_steps(name):
    case = PROGRAMS[name]
    tape = tape_of(case.function, case.x, *case.args)
    batched = batch(flatten(tape))
    assert run(batched, case.x) == pytest.approx(run(tape, case.x), rel=1e-13)
    assert len(batched.steps) <= case.most


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_step_of_a_batched_tape_has_the_shape_and_dtype_that_it_says(name):
    case = PROGRAMS[name]
    batched = batch(flatten(tape_of(case.function, case.x, *case.args)))
    known = {0: case.x} | batched.values
    for index, step in enumerate(batched.steps):
        if step.operation is not None:
            known[index] = call(step, [known[source] for source in step.inputs])
        assert np.shape(known[index]) == step.shape
        assert np.asarray(known[index]).dtype == step.dtype
    assert all(np.array_equal(known[guard.step], guard.answer) for guard in batched.guards)


@pytest.mark.slow_for("filled", "interleaved", "windows")
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.sampled(5)
def test_derivatives_are_those_of_the_unrolled_tape(name, monkeypatch):
    case = PROGRAMS[name]
    p = np.cos(np.arange(case.x.size))

    def derivatives():
        objective = Objective(case.function, case.x, case.args)
        return *objective.value_and_grad(case.x), objective.hessp(case.x, p), objective

    value, gradient, product_p, objective = derivatives()
    hessian = objective.hess(case.x)
    monkeypatch.setattr(engines, "vectorise", lambda tape: tape)
    expected_value, expected_gradient, expected_product, _ = derivatives()
    size = 1 + np.max(np.abs(expected_product))
    assert value == pytest.approx(expected_value, rel=1e-13)
    atol = 1e-12 * (1 + np.max(np.abs(expected_gradient)))
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-12, atol=atol)
    np.testing.assert_allclose(product_p, expected_product, rtol=1e-11, atol=1e-12 * size)
    np.testing.assert_allclose(hessian @ p, expected_product, rtol=1e-11, atol=1e-12 * size)


@pytest.mark.parametrize("name", ["rosenbrock", "filled", "filled_with_ends", "listed"])
def test_steps_do_not_depend_on_the_trip_count(name):
    function = PROGRAMS[name].function
    counts = {len(vectorise(tape_of(function, np.linspace(0.1, 1, n))).steps) for n in (20, 57, 300)}
    assert len(counts) == 1


def test_a_step_of_a_trace_takes_at_most_300_bytes():
    rng = np.random.default_rng(0)

    def traced(count):
        X, y = rng.normal(size=(count, 3)), np.sign(rng.normal(size=count))
        tracemalloc.start()
        tape = tape_of(PROGRAMS["rows"].function, np.ones(3), X, y)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, len(tape.steps)

    traced(10)
    (few, short), (many, long) = traced(100), traced(600)
    assert (many - few) / (long - short) < 300


@pytest.mark.slow
def test_dispatch_over_a_thousand_groups_is_at_most_a_hundred_steps():
    case = cases()[-1]
    assert case.name == "dispatch 1000 groups"
    assert len(vectorise(tape_of(case.objective, case.x, *case.data)).steps) <= 100


def test_other_branches_are_noticed():
    case = PROGRAMS["ragged"]
    objective = Objective(case.function, case.x, case.args)
    for x in (case.x, -case.x, np.abs(case.x), -np.abs(case.x), case.x):
        assert objective.value(x) == pytest.approx(case.function(x, *case.args), rel=1e-13)


def test_other_data_of_the_same_shapes_are_taken():
    case = PROGRAMS["logistic_vectors"]
    X, y = case.args
    objective = Objective(case.function, case.x, case.args)
    objective.grad(case.x)
    assert objective.rebind((2 * X, 1 - y))
    assert objective.value(case.x) == pytest.approx(case.function(case.x, 2 * X, 1 - y), rel=1e-13)


def test_columns_of_data_are_views_and_rows_a_matrix_product():
    case = PROGRAMS["logistic_rows"]
    operations = [step.operation for step in vectorise(tape_of(case.function, case.x, *case.args)).steps]
    assert operations.count(np.matmul) == 1


def test_small_tapes_stay_as_they_are():
    tape = tape_of(lambda x: np.sum(x**2) + x[0], np.ones(3))
    assert vectorise(tape) is tape


def test_source_of_a_loop_reads_like_arrays():
    text = Objective(PROGRAMS["rosenbrock"].function, PROGRAMS["rosenbrock"].x).source("value")
    assert "x[1:]" in text and "x[:-1]" in text
    assert len(text.splitlines()) < 20


def _random_program(seed: int):
    """Return a loop over random positions of random operations, with groups of random sizes and a branch."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 30))
    offsets = rng.integers(0, 4, 3).tolist()
    step = int(rng.choice([1, 2, -1]))
    index = rng.integers(0, n, n).tolist()
    sizes = rng.integers(0, 4, n).tolist()
    unary = [[np.sin, np.exp, np.tanh, lambda v: v**2, lambda v: -v][k] for k in rng.integers(0, 5, 4)]
    nested, branches, filled = rng.random(3) < 0.6

    def program(x):
        total, out = 0.0, np.zeros(n)
        for i in range(n)[::step]:
            a = unary[0](x[(i + offsets[0]) % n]) * x[i] + unary[1](x[index[i]])
            if nested:
                for j in range(sizes[i]):
                    a += unary[2](x[(i + j) % n]) * (1 + 0.1 * j)
            if branches and x[i] > 0:
                a = unary[3](a) * 0.1
            out[i] = a
            total += a * i / n
        return total + np.sum(out**2) if filled else total - out[0]

    return program, rng.normal(size=n) * 0.5


@pytest.mark.parametrize("seed", range(40))
def test_random_loops_keep_their_value(seed):
    program, x = _random_program(seed)
    tape = tape_of(program, x)
    batched = batch(flatten(tape))
    assert run(batched, x) == pytest.approx(run(tape, x), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("seed", range(0, 40, 8))
def test_random_loops_keep_their_gradient(seed):
    program, x = _random_program(seed)
    gradient = Objective(program, x).grad(x)
    h = 1e-6 * np.eye(len(x))
    slopes = [(program(x + e) - program(x - e)) / 2e-6 for e in h]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-6 * np.max(np.abs(slopes)))


def american_option(p, n=12):
    up, rate = np.exp(0.1 * p[1]), 0.01 * p[2]
    q = (np.exp(rate) - 1 / up) / (up - 1 / up)
    values = [max(1.0 - p[0] * up**j * (1 / up) ** (n - j), 0.0) for j in range(n + 1)]
    for i in range(n - 1, -1, -1):
        held = [np.exp(-rate) * (q * values[j + 1] + (1 - q) * values[j]) for j in range(i + 1)]
        values = [max(h, 1.0 - p[0] * up**j * (1 / up) ** (i - j)) for j, h in enumerate(held)]
    return values[0]


def test_powers_that_vary_in_a_loop_are_one_step():
    x = np.array([0.93, 1.1, 0.5])
    tape = tape_of(american_option, x)
    short = vectorise(tape)
    assert len(short.steps) < 200 < len(tape.steps) / 5
    assert run(short, x) == pytest.approx(american_option(x), rel=1e-13)


def test_varied_powers_of_zero_have_the_slopes_of_each():
    objective = Objective(lambda x: sum((k + 1) * x[k % 2] ** k for k in range(24)), np.zeros(2))
    np.testing.assert_array_equal(objective.grad(np.zeros(2)), [0, 2])
    np.testing.assert_array_equal(objective.hessp(np.zeros(2), np.ones(2)), [6, 0])


# Steps that only move entries -----------------------------------------------------------------------------------------


ROWS = np.linspace(-1.0, 1.0, 12)


def axes_added(x):
    return sum(np.sum(np.sin(t * x)[:, None] * x[None]) for t in ROWS)


def reshaped(x):
    return sum(np.sum(np.reshape(np.cos(t * x), (3, 2)) @ np.ravel(x[:2])) ** 2 for t in ROWS)


def transposed(x):
    return sum(np.sum(np.reshape(t * x + x**2, (2, 3)).T[1] ** 3) for t in ROWS)


def permuted(x):
    return sum(np.sum(np.transpose(np.reshape(np.exp(t * x), (1, 2, 3)), (2, 0, 1))[0] ** 2) for t in ROWS)


def broadcast(x):
    return sum(np.sum(np.broadcast_to(np.sin(t * x[:3]), (2, 3)) * np.reshape(x, (2, 3))) for t in ROWS)


def filled(x):
    return sum(np.sum(np.full((2,), np.sin(t * x[0])) * x[1:3] + np.full((1,), t * x[3])) for t in ROWS)


def joined(x):
    return sum(np.sum(np.cumprod([1.1, 0.9, 1.3, 0.8]) * np.concatenate([t * x[:2], np.sin(x[2:4] * t)])) for t in ROWS)


def joined_along_columns(x):
    total = 0.0
    for t in ROWS:
        block = np.concatenate([np.reshape(t * x[:4], (2, 2)), np.reshape(x[4:] * x[0], (2, 1))], axis=-1)
        total += np.sum(block[:, 1:] ** 2)
    return total


def written(x):
    total = 0.0
    for t in ROWS:
        a = np.zeros(5)
        a[1:4] = t * x[:3]
        a[0] = np.sin(t * x[4])
        a[3:] += x[4:] * t
        a[2:4] = np.reshape(x[1:3] * t, (1, 2))
        total += np.sum(a**2) * t
    return total


def written_rows(x):
    total = 0.0
    for t in ROWS:
        a = np.ones((2, 3))
        a[1] = t * x[:3]
        a[:, 2] = x[3] * t
        total += np.sum(np.sin(a))
    return total


MOVING = [axes_added, reshaped, transposed, permuted, broadcast, filled, joined, joined_along_columns, written]


@pytest.mark.parametrize("f", [*MOVING, written_rows])
def test_steps_that_move_entries_are_array_steps(f) -> None:
    x = np.array([0.3, -0.7, 1.1, 0.4, -0.2, 0.9])
    tape = tape_of(f, x)
    short = vectorise(tape)
    assert len(short.steps) < len(tape.steps) / 2
    for point in (x, 1 - x, x[::-1] * 2):
        np.testing.assert_allclose(run(short, point), f(point), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("f", [axes_added, transposed, broadcast, joined_along_columns, written, written_rows])
def test_their_derivatives_are_those_of_differences(f) -> None:
    direction = np.array([1.0, -0.5, 0.3, 0.8, 0.2, -0.6])
    objective = Objective(f, direction)
    for x in np.array([[0.3, -0.7, 1.1, 0.4, -0.2, 0.9], [1.0, 0.2, -0.5, 0.8, 0.3, -1.2]]):
        gradient = objective.grad(x)
        np.testing.assert_allclose(gradient, differences.gradient(f, x)[0], rtol=1e-7, atol=1e-8)
        product = differences.hessp(objective.grad, x, direction)[0]
        np.testing.assert_allclose(objective.hessp(x, direction), product, rtol=1e-6, atol=1e-6)
