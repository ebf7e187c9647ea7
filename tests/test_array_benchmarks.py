"""The array programs of the benchmark at tiny sizes: derivatives against differences, the ports to JAX against both."""

from __future__ import annotations

import json

import numpy as np
import pytest

from autoopt import differences
from autoopt.objectives.objective import Objective
from benchmarks import array_tables
from benchmarks.array_programs import PROGRAMS

every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))


def started(program):
    return program.start(program.small, np.random.default_rng(2))


def test_there_are_seventeen():
    assert len(PROGRAMS) == 17


@every_program
@pytest.mark.sampled(4)
def test_slopes_are_those_by_differences_to_second_order(program):
    x, data = started(program)
    objective = Objective(program.f, x, data)
    np.testing.assert_allclose(objective.value(x), program.f(x, *data), rtol=1e-12)
    for seed in range(2):
        p = 0.1 * np.random.default_rng(seed).normal(size=x.size)
        slope, doubt = differences.directional(lambda z: program.f(z, *data), x, p)
        assert objective.grad(x) @ p == pytest.approx(slope, rel=1e-7, abs=10 * doubt)
        step = 1e-4
        change = (objective.grad(x + step * p) - objective.grad(x - step * p)) / (2 * step)
        product = objective.hessp(x, p)
        np.testing.assert_allclose(product, change, rtol=1e-5, atol=1e-6 * np.abs(product).max() + 1e-7)


@every_program
@pytest.mark.sampled(4)
def test_ports_are_the_programs(program):
    pytest.importorskip("jax")
    x, data = started(program)
    objective, port = Objective(program.f, x, data), array_tables.jaxs(program.name, data)
    value, gradient = port(x)
    assert value == pytest.approx(program.f(x, *data), rel=1e-12)
    np.testing.assert_allclose(objective.grad(x), gradient, rtol=1e-9, atol=1e-12 * np.abs(gradient).max())


@pytest.mark.slow
def test_the_table_of_small_sizes_is_printed(capfd):
    pytest.importorskip("jax")
    array_tables.main(["mvt", "--small"])
    printed = capfd.readouterr().out
    assert "mvt" in printed
    assert "differ" in printed


def test_what_differs_ends_with_an_error(monkeypatch, capsys):
    found = {"value": 1e-6, "gradient": 1e-15, "ours": 1.0, "theirs": 1.0, "ratio": 1.0}
    monkeypatch.setattr(array_tables, "fresh", lambda *_: json.loads(json.dumps(found)))
    with pytest.raises(SystemExit, match="gradients differ: mvt"):
        array_tables.main(["mvt"])
