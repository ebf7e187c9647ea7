"""Random programs of kinds that tracing finds hard: right, or refused with a line; never silently wrong.

Longer runs have a command of their own: `python tests/properties/long_kinds.py --cases 20000 --stepwise`. The last
tests break the library on purpose and see that the programs notice.
"""

from __future__ import annotations

import contextvars
import json
import pickle
import weakref

import numpy as np
import pytest
from kinds import KINDS, write
from long_kinds import COUNTS, check, check_stepwise, plain, told
from stepwise import Stepwise

import autoopt
from autoopt.execution.engines import ENGINES
from autoopt.objectives import decisions, original
from autoopt.tracing.outside.watching import Watch
from autoopt.tracing.recording.tracer import Tracer

FAMILIES = {family: name for name, (family, _) in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.sampled(8)
def test_programs_are_right_or_refused_with_a_line(name):
    for case in range(2):
        program = write(name, f"slice-{case}")
        outcome = check_stepwise(program)
        assert not outcome.failed, told(program, outcome)


@pytest.mark.slow_for("attempts_in_a_loop")
@pytest.mark.parametrize("name", FAMILIES.values())
@pytest.mark.sampled(3)
def test_compiled_programs_are_right_or_refused_with_a_line(name):
    program = write(name, "compiled-1")
    outcome = check(program)
    assert not outcome.failed, told(program, outcome)


def test_one_seed_gives_one_program_and_others_give_others():
    assert write("attempt", "a").text == write("attempt", "a").text
    assert len({write("attempt", str(case)).text for case in range(20)}) == 20


def test_programs_run_in_plain_numpy_and_their_comparisons_are_conclusive():
    compared = COUNTS["gradients compared"]
    for case in range(3):
        program = write("selected_entries", f"plain-{case}")
        module = program.module()
        assert all(plain(module, x, program.args(module)) is not None for x in program.points[:3])
        assert check_stepwise(program).kind == "right"
    assert COUNTS["gradients compared"] >= compared + 9


# What was found, each in the fewest lines -----------------------------------------------------------------------------

C = np.array([0.33, 0.11, 0.47])
W = np.array([1.0, 2.0, 3.0])


def small(x):
    """A search whose share of the slope is less than a hundredth."""
    r = (5**0.5 - 1) / 2
    lo, hi = -20.0, 20.0
    u, v = hi - r * (hi - lo), lo + r * (hi - lo)
    for _ in range(50):
        if (u - x[0] * x[1]) ** 2 < (v - x[0] * x[1]) ** 2:
            hi, v = v, u
            u = hi - r * (hi - lo)
        else:
            lo, u = u, v
            v = lo + r * (hi - lo)
    return 0.003 * (lo + hi) + x[0] ** 2 + 2 * x[1]


def test_a_search_that_is_not_recognised_is_refused_however_small_its_share():
    with pytest.raises(autoopt.AutooptError, match="finds a number by decisions") as refusal:
        autoopt.grad(small)(np.array([0.4, -0.4, -1.2]))
    assert refusal.value.where[0].file == __file__


@pytest.mark.slow
def test_a_search_that_is_small_at_first_is_looked_at_later():
    def f(x):
        lo, hi = -20.0, 20.0
        for _ in range(70):
            u, v = lo + (hi - lo) / 3, hi - (hi - lo) / 3
            if np.cosh(u - x[1]) < np.cosh(v - x[1]):
                hi = v
            else:
                lo = u
        return x[0] * lo + x[1] ** 2

    objective = autoopt.objective(f, np.array([0.0, 0.5]))
    np.testing.assert_allclose(objective.value(np.array([0.0, 0.5])), 0.25)
    with pytest.raises(autoopt.AutooptError, match="finds a number by decisions"):
        for first in (0.0, 1.0):
            objective.grad(np.array([first, 0.5]))


def entries(x):
    lo, hi = np.zeros_like(x) - 10, np.zeros(3) + 8
    for _ in range(63):
        m = (lo + hi) / 2
        below = m**3 + (1.6 + np.cos(x)) * m < C * np.cos(x[0] - 0.55 * x[2])
        for i in range(3):
            if below[i]:
                lo[i] = m[i]
            else:
                hi[i] = m[i]
    return m @ W


def ends(x):
    lo, hi = np.zeros_like(x) - 10, np.zeros(3) + 8
    for _ in range(63):
        m = (lo + hi) / 2
        below = m**3 + (1.6 + np.cos(x)) * m < C * np.cos(x[0] - 0.55 * x[2])
        for i in range(3):
            if below[i]:
                lo[i] = m[i]
            else:
                hi[i] = m[i]
    return (lo + hi) / 2 @ W


def written_out(x):
    lo, hi = -10.0 * np.ones(3), 8.0 * np.ones(3)
    for _ in range(63):
        m = (lo + hi) / 2
        h = m**3 + (1.6 + np.cos(x)) * m - np.array([0.33, 0.11, 0.47]) * np.cos(x[0] - 0.55 * x[2])
        lo = np.where(h < 0, m, lo)
        hi = np.where(h < 0, hi, m)
    return m @ W


def compared_answers(x):
    total = 0.0
    for k in range(3):
        lo, hi = -10.0, 11.0
        for _ in range(79):
            m = (lo + hi) / 2
            h, low = ((v**3 + (1.6 + np.cos(x[k])) * v - C[k] * np.cos(x[0] - 0.55 * x[2])) for v in (m, lo))
            if (h > 0) != (low > 0):
                hi = m
            else:
                lo = m
        total += W[k] * m
    return total


@pytest.mark.parametrize("f", [entries, ends, written_out, compared_answers])
def test_searches_are_roots(f, monkeypatch):
    monkeypatch.setitem(ENGINES, "auto", Stepwise)
    objective = autoopt.objective(f, np.array([0.4, -0.4, -1.2]))
    for x in (np.array([0.4, -0.4, -1.2]), np.array([-0.2, 1.5, 0.3])):
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(f(x), abs=1e-13)
        right = _slopes(x)
        np.testing.assert_allclose(gradient, right, atol=1e-9)
        bent = [(_slopes(x + step) - _slopes(x - step)) @ W / 2e-5 for step in 1e-5 * np.eye(3)]
        np.testing.assert_allclose(objective.hessp(x, W), bent, atol=1e-6)


@pytest.mark.parametrize("f", [entries, ends])
@pytest.mark.slow
def test_searches_that_are_not_recognised_where_the_slope_is_zero_have_no_hessian(f, monkeypatch):
    monkeypatch.setitem(ENGINES, "auto", Stepwise)
    objective = autoopt.objective(f, np.zeros(3))
    np.testing.assert_allclose(objective.grad(np.zeros(3)), np.zeros(3), atol=1e-12)
    for second in (lambda: objective.hessp(np.zeros(3), W), lambda: objective.hess(np.zeros(3))):
        with pytest.raises(autoopt.AutooptError, match="second derivative"):
            second()


def test_branches_that_are_asked_often_keep_their_convention_at_a_kink(monkeypatch):
    monkeypatch.setitem(ENGINES, "auto", Stepwise)

    def f(x):
        total = 0.0
        for k in range(20):
            for v in x:
                if v > 0:
                    total = total + (k + 1) * v**2
        return total

    objective = autoopt.objective(f, np.array([0.5, -0.5]))
    for x, bent in (([0.5, -0.5], [420.0, 0.0]), ([0.0, 0.0], [0.0, 0.0]), ([-0.1, 1.0], [0.0, 420.0])):
        x = np.array(x)
        np.testing.assert_allclose(objective.grad(x), np.array(bent) * x)
        if x.any():
            np.testing.assert_allclose(objective.hess(x), np.diag(bent))
        else:
            assert np.isfinite(objective.hess(x)).all()


def test_a_root_of_zero_is_the_middle_and_not_the_sum_of_the_ends(monkeypatch):
    monkeypatch.setitem(ENGINES, "auto", Stepwise)

    def f(x):
        lo, hi = -9.0 * np.ones_like(x), 9.0 + x**2
        for _ in range(70):
            m = (lo + hi) / 2
            h = m**3 + m - x[::-1] * x
            lo, hi = np.where(h < 0, m, lo), np.where(h < 0, hi, m)
        return np.sin((lo + hi) / 2) @ np.array([0.6, 1.7])

    objective = autoopt.objective(f, np.array([1.0, -1.0]))
    np.testing.assert_allclose(objective.grad(np.array([0.0, 1.0])), [2.3, 0.0], atol=1e-9)


@pytest.mark.slow
def test_a_search_that_is_recognised_at_first_is_refused_where_it_is_not(monkeypatch):
    monkeypatch.setitem(ENGINES, "auto", Stepwise)
    objective = autoopt.objective(entries, np.array([0.4, -0.4, -1.2]))
    objective.grad(np.array([0.4, -0.4, -1.2]))
    with pytest.raises(autoopt.AutooptError, match="have slope"):
        objective.grad(np.array([0.1, 0.0, 0.2]))


def _slopes(x):
    """Return the slopes of sum of W m where m**3 + a(x) m = c(x), by the implicit function."""
    a, c = 1.6 + np.cos(x), C * np.cos(x[0] - 0.55 * x[2])
    m = np.array([np.roots([1.0, 0.0, ak, -ck]) for ak, ck in zip(a, c, strict=True)])
    m = np.array([row[np.argmin(np.abs(row.imag))].real for row in m])
    moved = -C[:, None] * np.sin(x[0] - 0.55 * x[2]) * np.array([1.0, 0.0, -0.55]) + np.diag(np.sin(x) * m)
    return W / (3 * m**2 + a) @ moved


@pytest.mark.parametrize("wrap", [lambda table: table, lambda table: {"inner": table}])
def test_dictionaries_among_the_data_may_be_changed(wrap):
    table = {"k": 0.5, "w": np.array([1.0, 2.0])}

    def f(x, data):
        data = data.get("inner", data)
        return data["k"] * x[0] ** 2 + np.sum(data["w"]) * x[1] + len(data) * x[1]

    x, p = np.array([1.5, -0.5]), np.array([1.0, 2.0])
    objective = autoopt.objective(f, x, wrap(table))
    for change in (
        lambda: None,
        lambda: table.update(k=-0.29),
        lambda: table["w"].__setitem__(1, 7.0),
        lambda: table.update(w=np.ones(2)),
        lambda: table.update(w=np.ones(5)),
        lambda: table.update(more=1),
        lambda: table.pop("more"),
    ):
        change()
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(f(x, table))
        np.testing.assert_allclose(gradient, [2 * table["k"] * x[0], np.sum(table["w"]) + len(table)])
        np.testing.assert_allclose(objective.hessp(x, p), [2 * table["k"], 0.0])


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize(
    "key", [lambda x: json.dumps(x.tolist()), lambda x: json.dumps({"a": list(x), "b": [0.5]}), pickle.dumps, bytes]
)
def test_memos_by_serialised_parameters_are_right_or_refused(key, filled):
    memo = {}

    def f(x):
        k = key(x)
        if k not in memo:
            memo[k] = np.sum(x**3)
        return 2 * memo[k]

    points = np.array([1.0, 2.0]), np.array([2.0, 0.5])
    if filled:
        f(points[0])
    if filled or key in (pickle.dumps, bytes):
        with pytest.raises(autoopt.AutooptError) as refusal:
            autoopt.grad(f)(points[0])
        assert refusal.value.where[0].file == __file__
        return
    objective = autoopt.objective(f, points[0])
    for x in (*points, points[0]):
        memo.clear()
        np.testing.assert_allclose(objective.grad(x), 6 * x**2)


def test_variables_of_a_context_and_weak_references_are_looked_at_again():
    variable = contextvars.ContextVar("k", default=0.5)
    holder = type("Holder", (), {"k": 0.5})()
    reference = weakref.ref(holder)
    x = np.array([1.5])
    for f, put in (
        (lambda x: variable.get() * x[0] ** 2, variable.set),
        (lambda x: reference().k * x[0] ** 2, lambda k: setattr(holder, "k", k)),
    ):
        objective, gradient = autoopt.objective(f, x), autoopt.grad(f)
        for k in (0.5, 2.0, -3.0, 2.0):
            put(k)
            assert objective.value(x) == pytest.approx(2.25 * k)
            np.testing.assert_allclose([objective.grad(x), gradient(x)], [[3.0 * k], [3.0 * k]])


# Are faults noticed? --------------------------------------------------------------------------------------------------


def noticed(name: str, cases: int) -> bool:
    return any(check_stepwise(write(name, f"fault-{case}")).kind == "wrong" for case in range(cases))


def test_an_answer_without_a_guard_is_noticed(monkeypatch):
    monkeypatch.setattr(Tracer, "guard", lambda self, traced, kind, answer: answer)
    assert noticed("steps_back", 20)


@pytest.mark.slow
def test_a_search_that_is_not_followed_is_noticed(monkeypatch):
    monkeypatch.setattr(original, "followed", lambda tape, *_: tape)
    monkeypatch.setattr(decisions, "wants", lambda path, kind: False)
    assert noticed("digits", 3)


def test_changes_outside_that_are_not_watched_are_noticed(monkeypatch):
    monkeypatch.setattr(Watch, "holds", lambda self: True)
    assert noticed("changes_outside", 12)
