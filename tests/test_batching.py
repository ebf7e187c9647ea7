"""Loops as array programs: n-ary chains and isomorphic steps, against the unrolled tape."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt.objective import Objective
from autoopt.tape.flatten import flatten
from autoopt.tape.operations import greatest, product, total
from autoopt.tape.tape import Tape, call


def tape_of(f, x, *args) -> Tape:
    return Objective(f, np.asarray(x, dtype=float), args)._paths[0].trace.tape


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
