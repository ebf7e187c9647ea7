"""Names in machine code: computed where they are read, if once, in memory otherwise; results that are new arrays."""

from __future__ import annotations

import linecache

import numpy as np
import pytest

from autoopt.execution import tiering
from autoopt.execution.blocks import row_functions, running
from autoopt.execution.native.machine import Native, definition, lowered
from autoopt.execution.native.uses import uses_of
from autoopt.execution.tiering import TieredFunction
from autoopt.objectives.objective import Objective

RANDOM = np.random.default_rng(11)
V, W = RANDOM.normal(size=2000), RANDOM.normal(size=2000)


def function_of(body: str):
    """Return the function of a and b with this body, one statement a line."""
    text = "def f(a, b):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    file = f"<named {hash(text):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace = {"np": np}
    exec(compile(text, file, "exec"), namespace)
    return namespace["f"]


BODIES = {
    "chain": "t = a * 2.0\nu = np.exp(t)\nv = u + b\nreturn v * a",
    "written between": "s = a.copy()\nt = s * 2.0\ns[0] = 5.0\nreturn t + b, s",
    "added between": "s = a.copy()\nt = s[1:] * 2.0\ns[:5] += 1.0\nreturn t, s",
    "whole between": "s = a.copy()\nt = s * 2.0\ns *= b\nreturn t - s",
    "added at": "s = a.copy()\nt = s * 2.0\nnp.add.at(s, np.array([0, 0]), 1.0)\nreturn t - s",
    "loop between": "s = a.copy()\nt = s * 2.0\nfor i in range(5):\n    s[i + 1] = s[i] * b[i]\nreturn t + s",
    "read in a loop": "t = a * 2.0\ns = b.copy()\nfor i in range(5):\n    s[i] = t[i] + t.sum()\nreturn s",
    "set in a loop": "s = b.copy()\nfor i in range(5):\n    t = s[:9] * 2.0\n    s[i] = t.sum()\nreturn s",
    "gathered": "t = np.exp(a)\nreturn t[np.array([0, 1, 0, 1])] * 2.0",
    "broadcast": "t = np.exp(a[:3])\nreturn t[:, None] * b[:4]",
    "turned": "t = (a * 2.0).reshape(40, 50)\nu = t + 1.0\nreturn u.T @ b[:40]",
    "reduced": "t = a * b\nreturn t.sum(), b.max()",
    "mask": "t = a > 0.0\nreturn np.where(t, a, b)",
    "picked": "t = a * 2.0\nt[np.array([0, 3])] -= b[:2]\nt[np.array([1, 1])] *= 3.0\nreturn t",
    "sliced": "t = a * 2.0\nt[1:] -= t[:-1]\nt[::2] /= 3.0\nreturn t",
    "same twice": "t = a * 2.0\nreturn t, t",
    "a part": "t = a * 2.0\nreturn t[5:], t",
    "a view": "t = a * 2.0\nreturn t.reshape(40, 50), t.reshape(50, 40).T",
    "operand": "return a, b[:1500], a[::-1]",
    "dead": "t = a * 2.0\nreturn b + 1.0",
    "nothing": "t = a[:0] * 2.0\nreturn t + b[:0], t.sum() if False else 1.0",
}


@pytest.mark.parametrize("name", BODIES)
def test_names_stand_for_what_they_stood_for(name: str) -> None:
    f = function_of(BODIES[name])
    expected, native = f(V, W), Native(lowered(f, (V, W)))
    for _ in range(2):
        found = native(V, W)
        assert tiering.agree(expected, found)
        for one, other in zip(*(v if isinstance(v, tuple) else (v,) for v in (expected, found)), strict=True):
            assert np.asarray(one).dtype == np.asarray(other).dtype


def test_names_that_are_read_once_have_no_memory() -> None:
    f = function_of(BODIES["chain"])
    assert uses_of(definition(f)).passing == {"t", "u", "v"}
    assert len(lowered(f, (V, W)).handed) == 3  # two operands, one result


def test_large_results_are_new_arrays_in_which_the_code_computes() -> None:
    native = Native(lowered(function_of("t = a * 2.0\nt[0] = 1.0\nreturn t.reshape(40, 50), b * 2.0"), (V, W)))
    assert len(native.lowered.handed) == 4
    first, second = native(V, W), native(W, V)
    np.testing.assert_array_equal(first[1], W * 2.0)
    np.testing.assert_array_equal(second[1], V * 2.0)
    assert first[0].flags.writeable
    assert not np.shares_memory(first[0], second[0])
    assert all(table.shaped[0].size == 0 for table in native.tables)


def test_functions_without_loops_become_machine_code_if_that_is_faster(monkeypatch) -> None:
    f = function_of("t = a * 2.0 + b\nu = t * t - a * b + 3.0 * t\nreturn (u * u - 2.0 * u).sum()")
    x = RANDOM.normal(size=200_000)
    watched = TieredFunction(f, {}, loops=False)
    watched.spent = 100.0
    assert watched(x, x) == pytest.approx(f(x, x), rel=1e-12)
    assert watched.native is not None
    monkeypatch.setattr(tiering, "ROOM", 1000)
    refused = TieredFunction(f, {}, loops=False)
    refused.spent = 100.0
    refused(x, x)
    assert refused.reason == "there is none for so much room"


def stencil(x, n):
    field = x.reshape(n, n)
    change = field[1:] - field[:-1]
    return np.sum(np.where(change > 0, change, 0.5 * change) ** 2 * 3.0 - change)


def test_array_programs_become_machine_code_and_the_plan_says_so(monkeypatch) -> None:
    monkeypatch.setattr(tiering, "COST", 0.0)
    monkeypatch.setattr(tiering, "LINE", 0.0)
    monkeypatch.setattr(tiering, "GAIN", 1e9)
    monkeypatch.setattr(row_functions, "ENOUGH", 0.0)
    x = RANDOM.uniform(size=400**2)
    objective, plain = (Objective(stencil, x, (400,), engine=engine) for engine in ("auto", "numpy"))
    objective.source()
    for point in (x, x * 1.01, x * 1.02):
        np.testing.assert_allclose(objective.grad(point), plain.grad(point), rtol=1e-11, atol=1e-12)
    assert "machine code" in str(objective.plan())


def test_what_cannot_run_by_blocks_runs_as_it_is(monkeypatch) -> None:
    def broken(*operands):
        raise KeyError("taken39")

    monkeypatch.setattr(row_functions, "ENOUGH", 0.0)
    monkeypatch.setattr(running, "planned", lambda function, operands: None)
    monkeypatch.setattr(running, "Blocks", lambda plan, outside: broken)
    x = RANDOM.uniform(size=200_000)
    f = row_functions.RowFunction(function_of("t = np.exp(a) * b\nreturn t.sum()"))
    for _ in range(3):
        assert f(x, x) == pytest.approx((np.exp(x) * x).sum(), rel=1e-12)
    assert f.refused
    assert "KeyError" in f.reason
