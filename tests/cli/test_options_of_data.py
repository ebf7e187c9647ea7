"""Options of `autoopt fit` that say what of the data is taken, and how it is read."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main

LINE = """\
kind = "least squares"


def objective(b, X, y):
    return y - X @ b
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "line.py").write_text(LINE)
    rng = np.random.default_rng(5)
    rows = [f"{value:.3f},{k},{'north' if k % 3 else 'south'}" for k, value in enumerate(rng.normal(size=30))]
    rows[4] = "0.5,,north"
    (tmp_path / "d.csv").write_text("y,x,town\n" + "\n".join(rows) + "\n")
    return tmp_path


def ran(*options, stdin=None):
    return CliRunner().invoke(main, ["fit", *options], input=stdin)


def told(*options, stdin=None):
    outcome = ran(*options, "--json", stdin=stdin)
    assert outcome.exit_code == 0, outcome.stderr
    return json.loads(outcome.stdout), outcome.stderr


EXPECTED = ["Intercept", "x", "town[T.south]"]


def test_a_formula_without_the_rows_that_lack_a_value(folder):
    found, stderr = told("line.py", "--data", "d.csv", "--formula", "y ~ x + town", "--missing", "drop")
    same = autoopt.fit("linear", data="d.csv", formula="y ~ x + town", missing="drop")
    assert found["names"] == EXPECTED and found["nobs"] == 29
    np.testing.assert_allclose(found["params"], same.params, rtol=1e-8)
    assert stderr.startswith("d.csv: 29 of 30 rows, 3 of 3 columns used: x 0 to 29; town 2: north, south; y ")
    assert "1 of 30 rows is left out, having missing or infinite values in x: line 6." in found["notes"]


def test_missing_values_are_told_with_their_lines_and_what_to_do(folder):
    outcome = ran("line.py", "--data", "d.csv", "--formula", "y ~ x")
    assert outcome.exit_code == 1 and "line 6, column x: missing" in outcome.stderr
    assert "--missing drop" in outcome.stderr and "Traceback" not in outcome.stderr


def test_stdin_compressed_or_not_and_models_by_name(folder):
    raw = (folder / "d.csv").read_bytes()
    options = "linear", "--data", "-", "--formula", "y ~ x + town", "--missing", "drop"
    (one, stderr), (other, _) = told(*options, stdin=raw), told(*options, stdin=gzip.compress(raw))
    assert one["params"] == other["params"] and one["names"] == EXPECTED and stderr.startswith("stdin: 29 of 30 rows")


def test_delimiters_decimals_and_categories(folder):
    text = (folder / "d.csv").read_text().replace(",", ";").replace(".", ",")
    (folder / "e.csv").write_text(text, encoding="utf-16")
    options = "--missing", "drop", "--target", "y", "--category", "town", "--delimiter", ";", "--decimal", ","
    found, _ = told("line.py", "--data", "e.csv", *options)
    assert found["names"] == ["x", "town[T.south]"] and "e.csv was read as UTF-16." in found["notes"]
    outcome = ran("line.py", "--data", "e.csv", "--target", "y")
    assert "separated by ';'" in outcome.stderr and "--delimiter ';'" in outcome.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["line.py", "--formula", "y ~ xx"], "speaks of xx, which is no column"),
        (["line.py", "--formula", "y ~ x +"], "cannot be read"),
        (["liner", "--formula", "y ~ x"], "There is no model liner. Did you mean linear or loglinear?"),
        (["line.py", "--target", "y", "--category", "twon"], "Did you mean town?"),
        (["line.py", "--formula", "y ~ x", "--encoding", "utf-99"], "which Python does not know"),
    ],
)
def test_mistakes_get_one_message(folder, options, said):
    outcome = ran(*options, "--data", "d.csv")
    assert outcome.exit_code in (1, 2) and said in outcome.stderr and "Traceback" not in outcome.stderr
