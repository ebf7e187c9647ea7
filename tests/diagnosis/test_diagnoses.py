"""Runs that fail say why: the first diagnosis names the cause of each pathology, and healthy runs have none."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pathologies_of_data  # noqa: F401 - they enter the table
import pathologies_of_models  # noqa: F401
import pathologies_of_shape  # noqa: F401
import pathologies_of_use  # noqa: F401
import pytest
from pathologies import PATHOLOGIES
from scipy.optimize import rosen, rosen_der

import autoopt
from autoopt.diagnosis import diagnose as diagnosing
from autoopt.diagnosis.table import DIAGNOSES
from autoopt.diagnosis.walk import Walk, origin
from autoopt.objectives.objective import Objective


def first(call: dict[str, Any]) -> str:
    """Return the first diagnosis of a run, or the error that says why it could not begin."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = autoopt.minimize(**call)
        except Exception as error:
            return "\n".join([str(error), *getattr(error, "__notes__", ())])
    return result.diagnosis[0] if result.diagnosis else ""


@pytest.mark.parametrize("name", PATHOLOGIES)
def test_first_diagnosis_names_the_cause(name) -> None:
    row = PATHOLOGIES[name]
    text = first(row.call()).lower()
    missing = [words for words in row.words if not any(word.lower() in text for word in words.split("|"))]
    assert missing == [], text


def test_message_ends_with_the_cause_and_line() -> None:
    result = autoopt.minimize(lambda x: np.log(x[0]) + x[1] ** 2, [1.0, 0.0])
    assert not result.success and result.diagnosis
    ending = result.message.split(" Why: ")[1]
    assert "np.log" in ending and "test_diagnoses.py:" in ending and "\n" not in ending


@pytest.mark.slow
def test_healthy_run_has_no_diagnosis_and_imports_none() -> None:
    code = (
        "import sys, autoopt; from scipy.optimize import rosen\n"
        "r = autoopt.minimize(lambda x: 100 * (x[1] - x[0]**2)**2 + (1 - x[0])**2, [-1.2, 1.0])\n"
        "assert r.success and r.diagnosis == [], r\n"
        "print([name for name in sys.modules if name.startswith('autoopt.diagnosis.')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_run_that_the_callback_ended_has_no_diagnosis() -> None:
    def stop(x):
        raise StopIteration

    assert autoopt.minimize(rosen, [-1.2, 1.0], jac=rosen_der, callback=stop).diagnosis == []


def test_fault_of_a_row_does_not_come_up(monkeypatch) -> None:
    def broken(evidence):
        raise RuntimeError("broken")

    rows = [type(row)(row.name, broken, row.rank) for row in diagnosing.rows()]
    monkeypatch.setattr(diagnosing, "rows", lambda: rows)
    result = autoopt.minimize(lambda x: np.log(x[0]) + x[1] ** 2, [1.0, 0.0])
    assert not result.success and result.diagnosis == []


def test_diagnosis_costs_few_evaluations() -> None:
    calls = 0

    def f(x):
        nonlocal calls
        calls += 1
        return (x[0] - 1) ** 2 + abs(x[1] - 0.3)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = autoopt.minimize(f, [3.0, 2.0], jac=lambda x: np.array([2 * (x[0] - 1), np.sign(x[1] - 0.3)]))
    assert calls <= result.nfev + 700


def test_every_row_has_a_rank_of_its_own() -> None:
    ranks = [row.rank for row in diagnosing.rows()]
    assert len(set(ranks)) == len(ranks) == len(DIAGNOSES)


# Where a value ceases to be finite ------------------------------------------------------------------------------------


def begun(f, x) -> Any:
    return origin(Walk(Objective(f, x).dispatch.paths[0].trace.tape, np.asarray(x, dtype=float)))


def test_origin_is_the_first_step_that_reaches_the_value() -> None:
    t = np.array([1.0, 2.0, 800.0])
    found = begun(lambda x: np.sum(np.exp(x[0] * t) / np.exp(x[0] * t + 1)), [1.0])
    assert found.step.operation is np.exp and found.place == (2,)


def test_entries_that_are_not_chosen_are_no_origin() -> None:
    t = np.array([-1.0, 0.0, 2.0])
    found = begun(lambda x: np.sum(np.where(t > 0, np.log(t * x[0]), 0.0)) / (x[0] - 1), [1.0])
    assert found.step.operation is np.true_divide


def test_finite_value_has_no_origin() -> None:
    t = np.array([-1.0, 2.0])
    assert begun(lambda x: np.sum(np.where(t > 0, np.log(np.abs(t) * x[0]), 0.0)), [1.0]) is None


# In the user's parameters ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [None, {"a": 100.0, "b": 1.0, "c": 1e-3}], ids=["plain", "scaled"])
def test_numbers_are_the_users_where_parameters_are_held_and_scaled(scale) -> None:
    def f(p):
        return np.log(p["a"]) + (p["c"] - 1) ** 2 + p["b"] * 0

    result = autoopt.minimize(f, {"a": 100.0, "b": 7.0, "c": 0.5}, fixed=["b"], scale=scale)
    assert not result.success
    assert any("np.log of " in text for text in result.diagnosis), result.diagnosis
    text = next(text for text in result.diagnosis if "np.log of " in text)
    assert "a = " in text and "c = " in text and "b = " not in text


def test_direction_without_a_bound_is_in_the_users_units() -> None:
    with np.errstate(all="ignore"):
        result = autoopt.minimize(lambda x: (x[0] - 1) ** 2 - 0.5 * x[1], np.zeros(2), scale=[1.0, 1e-4])
    assert "falls without end along x[1]" in result.diagnosis[0]


def test_ray_that_leaves_the_constraints_is_not_taken_for_one() -> None:
    constraints = [{"type": "ineq", "fun": lambda x: 1 - x @ x}, {"type": "ineq", "fun": lambda x: x[0] - 3}]
    result = autoopt.minimize(lambda x: -x[0] - x[1], np.array([0.1, 0.1]), constraints=constraints)
    assert not result.success and "meets the constraints" in result.diagnosis[0]


def test_data_are_as_they_were_after_other_labels_were_tried() -> None:
    X = np.column_stack([np.ones(60), np.random.default_rng(1).normal(size=60)])
    y = 1.0 + (X[:, 1] > 0.3)
    before = y.copy()
    result = autoopt.minimize(lambda b: np.sum(np.logaddexp(0, X @ b) - y * (X @ b)), np.zeros(2))
    assert "labels in y are 1 and 2" in result.diagnosis[0] and np.array_equal(y, before)
