"""Fits and the command line show why a run failed, by the model's names for its parameters."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main
from autoopt.fitting.diagnoses import in_names

MODEL = """\
import numpy as np

names = ["mu", "rate"]
x0 = [0.0, 1.0]
y = np.array([1.0, 2.0, 3.0, 5.0])


def objective(p):
    return {value}
"""
WRONG_SIGN = "-np.sum((y - p[0]) ** 2) - p[1] ** 2"


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "model", raising=False)

    def write(value: str) -> str:
        (tmp_path / "model.py").write_text(MODEL.format(value=value))
        return "model.py"

    return write


def test_fit_notes_the_cause_by_the_models_names(model) -> None:
    fitted = autoopt.fit(model(WRONG_SIGN))
    note = next(note for note in fitted.notes if "not bounded below" in note)
    assert "-mu + " in note and "* rate" in note and "at mu = 2.75" in note
    assert fitted.to_dict()["diagnosis"]


def test_command_shows_the_cause_once(model) -> None:
    outcome = CliRunner().invoke(main, ["fit", model(WRONG_SIGN), "--quiet"])
    assert outcome.exit_code == 3
    assert outcome.output.count("falls without end") == 1 and "its sign may be wrong" in outcome.output


def test_what_has_no_minimum_is_said_once_by_the_models_names(model) -> None:
    """Of classes that are separated, and of one that falls without end: one direction, in the status or in a note."""
    falls = CliRunner().invoke(main, ["fit", model(WRONG_SIGN), "--quiet"]).output
    assert "x[0]" not in falls and "x[1]" not in falls and falls.count("Note: The ") == 1
    rate = "np.sum(np.log1p(np.exp(-(p[0] + p[1] * y) * np.sign(y - np.median(y)))))"
    fitted = autoopt.fit(model(rate), method="bfgs")
    assert fitted.status == "not converged" and "x[0]" not in fitted.summary()
    assert sum("along" in note for note in fitted.notes) == 1, fitted.notes


def test_fit_that_went_well_has_no_note(model) -> None:
    fitted = autoopt.fit(model("np.sum((y - p[0]) ** 2) + p[1] ** 2"))
    assert fitted.notes == () and fitted.to_dict()["diagnosis"] == []


def test_names_are_not_replaced_in_code_and_longer_names() -> None:
    text = "x[1] and max[1] and x[10]\n  model.py:3\n    x[1]"
    plain = [f"x[{k}]" for k in range(11)]
    names = [*plain[:1], "b", *plain[2:10], "k"]
    assert in_names(text, plain, names) == "b and max[1] and k\n  model.py:3\n    x[1]"
