"""Eager, printed and machine code on the same random programs, to second order; each way of being apart is noticed.

Longer runs have a command of their own: `PYTHONPATH=tests python tests/properties/long_tiers.py --cases 10000`.
"""

from __future__ import annotations

import numpy as np
import pytest
import tiers
from long_tiers import check, described, loop_program, one, shrunk, written
from loop_texts import Text

from autoopt.errors import UnsupportedFunctionError

POINTS = [np.array([0.3, -0.4, 0.8]), np.array([0.9, 0.2, -0.5])]


@pytest.mark.parametrize("case", range(24))
@pytest.mark.sampled(4)
def test_tiers_agree_on_a_program(case):
    _, outcome, text, _ = one(12, case)
    assert outcome.kind != "apart", "\n" + text


def curved(x):
    total = 0.0
    for k in range(len(x)):
        total += np.sin(x[k] * x[k - 1]) + np.exp(-(x[k] ** 2))
    return total


def branching(x):
    return np.sum(x**3) if x[0] < 0.5 else np.sum(np.cos(x))


def test_all_tiers_are_compared_to_second_order():
    before = dict(tiers.COUNTS)
    assert check(curved, POINTS, ()).kind == "agree"
    for name in ("eager", "machine"):
        for what in ("value", "gradient", "product"):
            key = f"{what} of {name} compared"
            assert tiers.COUNTS[key] == before.get(key, 0) + 2
    assert tiers.COUNTS["calls of machine code"] > before.get("calls of machine code", 0)


def test_another_branch_is_told_by_all():
    before = {name: tiers.COUNTS[f"{name}: another branch"] for name in ("eager", "machine")}
    assert check(branching, POINTS, ()).kind == "agree"
    assert all(tiers.COUNTS[f"{name}: another branch"] == count + 1 for name, count in before.items())


# Found by the long runs -----------------------------------------------------------------------------------------------


def added_to(x, c):
    v = np.exp(x)  # whose slope is its value, before it is written into
    v[1:] += c
    return np.sum(v)


def written_into(x, c):
    v = np.tanh(x) * 1.0
    w = np.sqrt(v + 2.0)
    w[0] = c
    w[1:] += v[1:]
    return np.sum(w * np.array([1.0, 2.0, 3.0]))


def floored(x, c):
    return 0.6 * (x[0] // (np.abs(np.round(x.sum(), 1)) + 0.5)) + np.sum(x**2)


def floored_after_a_write(x, c):
    v = np.full(3, c)
    v.T[:] += x
    return np.sum(np.floor(v * 0.64 + 0.5) * x)


@pytest.mark.parametrize("f", [added_to, written_into, floored, floored_after_a_write], ids=lambda f: f.__name__)
def test_found(f):
    outcome = check(f, POINTS, (0.6,))
    assert outcome.kind == "agree", outcome.message


def test_what_is_refused_is_no_disagreement():
    assert check(lambda x: float(np.lexsort((x, x))[0]) + x[0], POINTS, ()).kind == "refused"
    assert check(lambda x: x[7], POINTS, ()).kind == "invalid"


class Off:
    """Functions whose results are changed before they are compared."""

    def __init__(self, functions, change):
        self.functions, self.change = functions, change
        self.changed, self.tied = functions.changed, functions.tied

    def run(self, *operands):
        return self.change(self.functions.run(*operands))


def spoiled(monkeypatch, name, kind, change):
    made = tiers.TIERS[name]

    def tier(tape, asked):
        functions = made(tape, asked)
        return Off(functions, change) if asked == kind else functions

    monkeypatch.setitem(tiers.TIERS, name, tier)


FAULTS = {
    "value": ("value_and_grad", lambda found: (found[0] * (1 + 1e-8), found[1])),
    "gradient": ("value_and_grad", lambda found: (found[0], found[1] + 1e-8)),
    "product": ("hessp", lambda found: found * (1 + 1e-8)),
}


@pytest.mark.parametrize("name", ["eager", "machine"])
@pytest.mark.parametrize("what", FAULTS)
def test_a_tier_that_is_off_by_a_hundred_millionth_is_noticed(monkeypatch, name, what):
    spoiled(monkeypatch, name, *FAULTS[what])
    outcome = check(curved, POINTS, ())
    assert outcome.kind == "apart" and outcome.message.startswith(f"{name} {what} is")


UNCHECKED = {"eager": tiers.EAGER, "machine": tiers.MachineFunctions}


@pytest.mark.parametrize("name", UNCHECKED)
def test_a_tier_that_asks_no_guards_is_noticed(monkeypatch, name):
    engine = UNCHECKED[name]
    monkeypatch.setitem(tiers.TIERS, name, lambda tape, kind: engine(tape, kind, "", checked=False, ties=True))
    outcome = check(branching, POINTS, ())
    assert outcome.kind == "apart" and "another branch" in outcome.message


def test_a_tier_that_refuses_what_is_printed_is_noticed(monkeypatch):
    def refusing(tape, kind):
        raise UnsupportedFunctionError("No machine code today.")

    monkeypatch.setitem(tiers.TIERS, "machine", refusing)
    assert check(curved, POINTS, ()).message == "machine refuses what is printed: No machine code today."


def test_what_is_apart_is_cut_down_and_told(monkeypatch):
    spoiled(monkeypatch, "machine", *FAULTS["product"])
    lines = ["def objective(x):", "    s = np.sum(x**3)", "    t = np.cos(x[0])", "    u = 2.0", "    return s"]
    program = loop_program(Text("\n".join(lines), POINTS[0], ()))
    parts = shrunk(program, program.check())
    assert parts == (lines[0], lines[1], lines[4])
    text = described(program, parts, program.check(parts))
    assert text.startswith("# machine product is") and "\n".join(parts) in text


def test_one_seed_gives_one_program():
    for case in (0, 3):
        first, second = written(5, case), written(5, case)
        assert first.text(first.parts) == second.text(second.parts)
        assert first.text(first.parts) != written(6, case).text(written(6, case).parts)
