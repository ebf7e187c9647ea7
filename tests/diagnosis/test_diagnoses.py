"""Runs that fail say why: the first diagnosis names the cause of each pathology, and healthy runs have none."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pathologies_of_data  # noqa: F401 - they enter the table
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
