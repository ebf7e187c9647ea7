"""Random NumPy programs: right, or a clear error with the line; never silently wrong.

Longer runs have a command of their own: `python tests/properties/long_programs.py --cases 20000`. The last tests break
the library on purpose and see that the programs notice.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from long_programs import Outcome, check, describe, shrink
from program_writer import KNOWN, KNOWN_CRASHES, Program
from programs import write

from autoopt.execution import source_cache
from autoopt.rules.table import RULES
from autoopt.tracing.arrays import cells, methods, reading, views

SETTINGS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
CASES = st.randoms(use_true_random=False).map(write)


def assert_right(program: Program, compiled: bool = False, derivatives: bool = False) -> None:
    outcome = check(program, compiled, derivatives)
    assert not outcome.failed, "\n" + describe(program, outcome)


@seed(1)
@settings(SETTINGS, max_examples=300)
@given(CASES)
@pytest.mark.slow
def test_the_tape_of_a_program_gives_its_value(program):
    assert_right(program)


@pytest.mark.parametrize("case", range(60))
def test_the_compiled_value_is_numpys_on_either_side_of_the_branches(case):
    assert_right(write(random.Random(f"value-{case}")), compiled=True)


@pytest.mark.parametrize("case", range(25))
@pytest.mark.sampled(4)
def test_derivatives_agree_with_differences(case):
    assert_right(write(random.Random(f"derivative-{case}")), compiled=True, derivatives=True)


def test_programs_are_mostly_valid_and_use_every_style():
    programs = [write(random.Random(f"style-{case}")) for case in range(400)]
    styles = {style for program in programs for style in program.styles}
    assert styles >= {
        "view",
        "item_assignment",
        "augmented",
        "loop",
        "branch",
        "convergence",
        "function",
        "helper",
        "swap",
        "joining",
    }
    assert np.mean([len(program.body) for program in programs]) > 4


def test_one_seed_gives_one_program():
    assert write(random.Random("a")).text == write(random.Random("a")).text


# Found by the long runs -----------------------------------------------------------------------------------------------

FOUND = {
    "place": (["v = x * 1.0", "np.place(v, v > 0.2, [0.3, 0.4])"], "np.sum(v * np.array([1, 2, 3]))"),
    "putmask": (["v = x * 1.0", "np.putmask(v, v > 0.2, 0.3)"], "np.sum(v * np.array([1, 2, 3]))"),
    "place in data": (["v = A * 1.0", "np.place(v, v > 0.2, [0.3, 0.4])"], "np.sum(v * np.array([1, 2, 3]))"),
    "put": (["v = A * 1.0", "np.put(v, [0, 1], x[0])"], "np.sum(v * np.array([1, 2, 3]))"),
    "put method": (["v = A * 1.0", "v.put([0], c)"], "np.sum(v * np.array([1, 2, 3])) + x[0]"),
    "view method": (["v = x.view()", "v[0] = 2.0"], "np.sum(v * np.array([1, 2, 3]))"),
    "flat slice": (["w = x * 1", "v = w.flat[1:]", "v[0] = 2.0"], "np.sum(w * np.array([1, 2, 3]))"),
    "fromiter": (["v = np.fromiter((u * 2 for u in x), float)"], "np.sum(v * np.array([1, 2, 3]))"),
    "diag view": (["v = np.zeros((2, 2))", "w = np.diag(v)", "v[0] = x[:2]"], "np.sum(w * np.array([1, 2]))"),
    "contiguous": (
        ["v = np.outer(x, x)", "w = np.ascontiguousarray(v.T)", "w[0] = x[2]"],
        "np.sum(v * np.array([1, 2, 3]))",
    ),
    "c_": (
        ["v = np.outer(x, x)[:, None]", "w = np.c_[v, v]"],
        "np.sum(w * np.linspace(1, 2, w.size).reshape(w.shape))",
    ),
    "plain arrays": (["v = np.repeat(0.5, 3)", "v[0] = x[0]"], "np.sum(v)"),
    "copyto number": (["v = x * 1", "np.copyto(v, 0.45)"], "np.sum(v) + x[0] ** 2"),
    "piecewise": (["v = np.piecewise(A, [A > 0], [lambda t: t * 2, lambda t: t * t])"], "np.sum(v) + x[0] ** 2"),
    "reversed head": (["v = np.sin(x)"], "np.sum(v[::-1][:1] * 2)"),
    "prepared array written into": (
        ["v = x + np.sin(x[0])", "w = np.zeros(2)", "w[0] = v[-2]"],
        "np.sum(v[0:1] * 0.5) + np.sum(np.sin(w) * np.array([0.9, 1.7]))",
    ),
    "guards after use": (["v = A[0][A[0] > x[2]]"], "np.sum(v * np.linspace(0.7, 1.7, v.size))"),
    "writes through an axis of one, and reads": (
        [
            "v = x * 1.0",
            "w = np.arctan2(x[0], np.abs(v) + 0.3)",
            "for r in w:",
            "    w[-1] *= r",
            "    v[None, 1:3] = w[-2]",
        ],
        "np.sum(v * np.array([1, 2, 3])) + np.sum(w * np.array([2, 3, 1])) + 0.5 * r",
    ),
    "one place written again and again": (
        ["v = np.convolve(A.ravel(), [0.5, 1.0, -0.3])", "for i in range(10):", "    v.flat[-1] = x[1]"],
        "np.sum(np.sin(v) * np.linspace(0.7, 1.7, v.size)) + x[0] ** 2",
    ),
    "written into minus a mask": (
        ["v = (x > 1.0) * 1.0", "np.negative(v, v)", "v[::2] = np.heaviside(v[::2], 0.5) * c"],
        "np.sum(v * np.array([1, 2, 3])) + x[0] ** 2",
    ),
    "floor division by one": (["v = x * 1.0", "v //= 1.0"], "np.sum(v * x * np.array([1, 2, 3]))"),
    "ptp of data": (["v = np.ptp(k, axis=0, keepdims=True)", "v[-1] = c"], "np.sum(v) * x[0]"),
    "require": (["v = A * 1", "w = np.require(v)", "w[0] = 2.0"], "np.sum(v) * x[0]"),
    "sum of one": (["v = np.outer(x, x)", "w = sum([row for row in v[:1]])", "w[0] = c"], "np.sum(v)"),
    "empty mask of data": (
        ["v = x // 0.7", "none = k > 5", "w = np.append(x, 1.0)[:2] // 0.7", "w[none] //= 1.68"],
        "np.sum(w) + x[0]",
    ),
    "piecewise of integers": (["v = np.piecewise(k, [k > 0], [lambda t: t * 0.6, 0.3])"], "np.sum(v) * x[0]"),
    "layout of full_like": (
        [
            "v = np.full_like(np.broadcast_to(x, (2,) + x.shape), 1.92)",
            "w = np.atleast_2d(v.T[:]).T.ravel()",
            "w[0] = x[-1]",
        ],
        "np.sum(v * np.linspace(0.5, 1.7, v.size).reshape(v.shape))",
    ),
    "argsort of booleans": (
        ["v = ((x > 0) & (A < 1)).argsort(axis=1)"],
        "np.sum(v * np.linspace(1, 2, 6).reshape(2, 3)) + x[0]",
    ),
    "shapes of stacks": (
        [
            "v = np.column_stack([np.outer(x, x), A.T])",
            "v[0] = v[-1] = v[-2, 2]",
            "for r in x:\n    v[:-1, ::-1][0] = v[:-1, ::-1][0] * v[1, -3]",
            "v *= np.fabs(v)",
        ],
        "np.sum(v * np.linspace(0.5, 1.7, v.size).reshape(v.shape))",
    ),
    "comparison of a number of the data": (["v = np.fabs(x) * (c > 0)"], "np.sum(v * np.array([1, 2, 3]))"),
    "argmax of a comparison": (
        ["v = np.zeros(3, dtype=int)", "v[0] = (x > 0.2).argmax()", "v[1] = np.argmin(x > 0.2)"],
        "np.sum(v * np.linspace(0.7, 1.7, 3)) + x[0]",
    ),
    "root beyond its mask, times one of its entries": (
        ["v1 = np.where((x) > 0, np.sqrt(x), 0.0)", "v2 = np.multiply(v1, 1.5 - v1[2])"],
        "np.sum(v2 * np.linspace(0.6, 1.7, 3))",
    ),
    "trace of positions": (["v = np.outer(x, x).argsort(axis=1)"], "0.5 * np.trace(v) + x[0]"),
    "a number written into": (
        ["v = x * 1", "v[..., -2] += A[1, -1]", "if np.sum(v[:1]) > 0.1:\n    v = v * 2"],
        "np.sum(v * np.linspace(0.4, 1.7, 3))",
    ),
    "root beyond its mask, in a square of sums": (
        ["v = np.where(x > 0, np.sqrt(x), 0.0)"],
        "np.sum((A * v + 1) ** 2)",
    ),
    "minus one entry of a comparison": (
        ["v = -((x[1] > A**3 * 0.1) * 1.0)", "w = np.ones(3)", "w[0] = v[1, 1]"],
        "np.sum(w * np.linspace(0.6, 1.7, 3))",
    ),
    "a list of places written into twice": (
        ["v = x[[-2, 1]]", "v[[-1]] -= x[0]", "v[[-1]] -= x[0]"],
        "np.sum(np.sin(v * v * x[:2]))",
    ),
    "linear": ([], "np.sum(x * np.linspace(0.4, 1.7, 3))"),
    "one entry": ([], "0.6 * x[1]"),
}
OPEN = {*KNOWN, *KNOWN_CRASHES}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.xfail(reason="open")] if n in OPEN else []) for n in FOUND]
)
def test_found(name, monkeypatch):
    for switches in (KNOWN, KNOWN_CRASHES):
        for known in list(switches):
            monkeypatch.delitem(switches, known)
    body, result = FOUND[name]
    data = {"A": np.arange(6.0).reshape(2, 3) * 0.3 - 0.5, "k": np.array([0, 2]), "c": 1.3}
    points = [np.array([0.3, 0.5, -0.6]), np.array([-0.3, 0.4, 0.6])]
    assert_right(Program(body, [], [], data, points, [result]), compiled=True, derivatives=True)


# Are faults noticed? --------------------------------------------------------------------------------------------------


def noticed(cases: int, derivatives: bool = False) -> list[tuple[Program, Outcome]]:
    """Return the first program that fails, if any of so many does."""
    for case in range(cases):
        program = write(random.Random(f"fault-{case}"))
        outcome = check(program, derivatives, derivatives)
        if outcome.kind == "wrong":
            return [(program, outcome)]
    return []


def test_a_write_that_a_view_does_not_pass_on_is_noticed(monkeypatch):
    for room in (views, cells, reading):
        monkeypatch.setattr(room, "attach", lambda result, *_: result)
    assert noticed(60)


def test_a_view_that_does_not_see_later_writes_is_noticed(monkeypatch):
    def settle(array):
        if array.cells:
            cells.flush(array)

    monkeypatch.setattr(reading, "settle", settle)
    assert noticed(200)


def test_a_copy_that_is_a_view_is_noticed(monkeypatch):
    monkeypatch.setitem(methods.METHODS, "copy", lambda array, order="C": array)
    assert noticed(800)


def test_a_write_at_the_wrong_place_is_noticed(monkeypatch):
    place = cells.cell_key

    def shifted(array, index):
        key = place(array, index)
        return key if key is None or array.value.shape[0] < 3 else ((key[0] + 1) % array.value.shape[0], *key[1:])

    monkeypatch.setattr(cells, "cell_key", shifted)
    assert noticed(100)


def test_a_branch_without_a_guard_is_noticed(monkeypatch):
    from autoopt.tracing.recording.tracer import Tracer

    monkeypatch.setattr(Tracer, "guard", lambda self, traced, kind, answer: answer)
    assert noticed(200)


@pytest.mark.slow
def test_a_term_missing_in_a_derivative_is_noticed(monkeypatch):
    """x y with slopes for x alone: the value stays right."""
    from pytensor.gradient import disconnected_grad

    rule = RULES[np.multiply]
    monkeypatch.setitem(
        RULES, np.multiply, replace(rule, build=lambda x, y: x * (disconnected_grad(y) if hasattr(y, "owner") else y))
    )
    monkeypatch.setattr(source_cache, "_recent", {})
    found = noticed(40, derivatives=True)
    assert found
    assert found[0][1].message.startswith(("gradient", "hessp"))


@pytest.mark.slow
def test_cut_down_programs_still_fail(monkeypatch):
    for room in (views, cells, reading):
        monkeypatch.setattr(room, "attach", lambda result, *_: result)
    ((program, outcome),) = noticed(60)
    small = shrink(program, outcome, False, False)
    assert check(small, False).kind == "wrong"
    assert len(small.body) <= len(program.body)
