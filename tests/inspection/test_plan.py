"""Which tier each derivative runs in, why, and what is known that would make it faster."""

from __future__ import annotations

import json

import numpy as np
import pytest
from irregular_programs import irregular

import autoopt
from autoopt.execution import tiering
from autoopt.inspection.plan import COMPILED, EAGER, NATIVE, PENDING

R = np.random.default_rng(0).normal(size=60)
X0 = np.full(2, 0.3)


def chain(p):
    h, total = 0.1, 0.0
    for r in R:
        h = p[0] + p[1] * h + r * r
        total += np.log(h * h)
    return total


def branching(p):
    return p @ p if p[0] > 0.0 else p @ p * 2.0


def tiers(objective):
    return {name: plan.tier for name, plan in objective.plan().kinds.items()}


@pytest.mark.slow
def test_tiers_follow_what_has_been_asked_for():
    objective = autoopt.objective(chain, X0)
    assert set(tiers(objective).values()) == {PENDING}
    objective.grad(X0), objective.source("hessian")
    assert tiers(objective) == {"value": PENDING, "gradient": COMPILED, "hvp": PENDING, "hessian": COMPILED}
    assert any(
        "become machine code once they have taken 0.1 s" in why for why in objective.plan().kinds["gradient"].why
    )


def test_a_loop_is_named_with_its_line_and_what_it_hands_on():
    notes = dict(autoopt.objective(chain, X0).plan().notes)
    assert notes["loop"] == f"line {chain.__code__.co_firstlineno + 3}: 60 iterations in turn, as each hands h on"


def test_machine_code_and_its_refusal_are_told(monkeypatch):
    monkeypatch.setattr(tiering, "COST", 0.0)
    monkeypatch.setattr(tiering, "LINE", 0.0)
    monkeypatch.setattr(tiering, "GAIN", 1e9)
    objective = autoopt.objective(chain, X0)
    objective.grad(X0), objective.grad(X0)
    assert tiers(objective)["gradient"] == NATIVE
    monkeypatch.setattr(tiering, "GAIN", 0.0)
    other = autoopt.objective(chain, X0)
    other.grad(X0), other.grad(X0)
    plan = other.plan().kinds["gradient"]
    assert plan.tier == COMPILED and "value_and_grad is not machine code, as it is not faster than NumPy" in plan.why


def test_what_has_no_machine_code_is_told(monkeypatch):
    monkeypatch.setattr(tiering, "COST", 0.0)

    def f(p):
        h = p[0]
        for r in R:
            h = np.linalg.eigvalsh(np.array([[2.0, h], [h, 3.0]]))[0] * p[1] + r
        return h

    objective = autoopt.objective(f, X0)
    objective.source()
    objective.grad(X0)
    assert any("is not machine code, as there is none for " in why for why in objective.plan().kinds["gradient"].why)


def test_a_tape_that_is_too_long_says_why_and_what_helps(too_long):
    objective = autoopt.objective(irregular, X0)
    objective.grad(X0)
    plan = objective.plan()
    assert plan.kinds["gradient"].tier == EAGER
    assert plan.kinds["hessian"].why == ("it would run step by step",)
    first = irregular.__code__.co_firstlineno
    assert len(plan.remedies) == 1 and plan.remedies[0].endswith(": use the same in every iteration.")
    assert f"(lines {first + 2}, {first + 3})" in plan.remedies[0] and "  faster    " in str(plan)


def test_what_is_derived_later_says_when(monkeypatch):
    monkeypatch.setattr("autoopt.execution.ladder.PATIENCE", 0.0)
    monkeypatch.setattr("autoopt.execution.engines.is_known", lambda *_: False)
    objective = autoopt.objective(lambda p: np.sum(np.exp(p)) * 1.25, X0)
    assert objective.plan().kinds["gradient"].why[0].startswith("step by step at first, derived once that has taken")
    objective.grad(X0)
    plan = objective.plan().kinds["gradient"]
    assert plan.tier == EAGER and plan.why[0].startswith("derived once that has taken ")


@pytest.mark.parametrize("f", [branching, lambda p: np.sum(p**2) + (1.0 if p[1] > 0.1 else 2.0)], ids=["two", "lambda"])
def test_paths_and_guards_are_told(f):
    objective = autoopt.objective(f, X0)
    assert any(word == "guards" and "1 answer of this path" in note for word, note in objective.plan().notes)
    objective.grad(X0), objective.grad(-X0)
    assert ("paths", "2 ways through the branches are known, each with its own code") in objective.plan().notes


CHECKS = {
    "data decide": (lambda p, d: np.sum(p) * (2.0 if d[0] > 0 else 1.0), "Python took decisions from the data"),
    "Python may raise": (lambda p, d: 1.0 / float(p[0]) + 2.0 ** float(p[1]), "plain Python arithmetic may raise"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_looks_beside_the_code_are_told(name):
    f, words = CHECKS[name]
    notes = autoopt.objective(f, X0, np.ones(2)).plan().notes
    assert any(word == "checks" and words in note for word, note in notes)


def test_what_cannot_be_watched_is_told_with_what_to_do():
    state = iter([0.0] * 10_000)

    def f(p):
        return np.sum(p**2) + 0.0 * next(state)

    objective = autoopt.objective(f, X0)
    assert not objective.is_complete or not objective.plan().remedies
    if not objective.is_complete:
        assert "pass it through args" in objective.plan().remedies[-1]


def test_plan_of_arrays_and_as_json():
    objective = autoopt.Objective(lambda p: np.outer(p, p), X0, scalar=False)
    plan = objective.plan()
    assert list(plan.kinds) == ["value", "jacobian", "jvp", "vjp"]
    assert json.loads(json.dumps(plan.to_dict()))["kinds"]["vjp"]["tier"] == PENDING
    assert repr(plan).startswith("<plan of ") and max(map(len, str(plan).split("\n"))) <= 120
    assert autoopt.objective(branching, X0, engine="numba").plan().kinds["gradient"].why == ()


def test_what_divides_by_rows_and_what_does_not_is_said_with_the_line():
    X, y = np.random.default_rng(0).normal(size=(2000, 3)), np.ones(2000)

    def summed(w, X, y):
        return np.sum((y - X @ w) ** 2)

    def cumulated(w, X, y):
        z = np.cumsum(X @ w)
        return np.sum(z * y)

    plans = []
    for f in (summed, cumulated):
        objective = autoopt.objective(f, np.ones(3), X, y)
        objective.value_and_grad(np.ones(3))
        plans.append(str(objective.plan()))
    assert "value_and_grad is a sum over rows in 1 pass, run on whole arrays" in " ".join(plans[0].split())
    told = " ".join(plans[1].split())
    assert "value_and_grad is not divided by rows: cumsum along the rows, in `z = np.cumsum(X @ w)`" in told
