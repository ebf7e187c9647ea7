"""Options of `autoopt fit` that say how standard errors and intervals are computed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main

LINE = """\
import numpy as np

kind = "least squares"
x0 = np.zeros(2)


def objective(b, x, y):
    return y - b[0] - b[1] * x
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "line.py").write_text(LINE)
    rng = np.random.default_rng(3)
    x, group = rng.normal(size=40), np.repeat(np.arange(8), 5)
    y = 1 + 2 * x + rng.normal(size=8)[group] + rng.normal(size=40) * (1 + x**2)
    table = np.column_stack([x, y, group, rng.integers(1, 4, 40)])
    np.savetxt("d.csv", table, delimiter=",", header="x,y,school,count", comments="")
    return tmp_path


def told(*options):
    outcome = CliRunner().invoke(main, ["fit", "line.py", "--data", "d.csv", "--json", "--quiet", *options])
    assert outcome.exit_code == 0, outcome.stderr
    return json.loads(outcome.stdout)


OPTIONS = {
    "--robust": (["--robust"], {"covariance": "robust"}),
    "--cluster": (["--cluster", "school"], {"groups": "school"}),
    "--covariance": (["--covariance", "HC3"], {"covariance": "HC3"}),
    "--level": (["--level", "0.8"], {"level": 0.8}),
    "--weights": (["--weights", "count"], {"weights": "count"}),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_option_is_the_argument_of_fit(folder, name):
    options, arguments = OPTIONS[name]
    found, other = autoopt.fit("line.py", None, "d.csv", **arguments), told()
    mine = told(*options)
    np.testing.assert_allclose(mine["bse"], found.bse, rtol=1e-12)
    np.testing.assert_allclose(mine["conf_int"], found.conf_int(), rtol=1e-12)
    assert not np.allclose(mine["conf_int"], other["conf_int"])


@pytest.mark.parametrize("options", [["--robust", "--cluster", "school"], ["--level", "1"], ["--covariance", "HC9"]])
def test_options_that_contradict_or_are_unknown_are_2(folder, options):
    outcome = CliRunner().invoke(main, ["fit", "line.py", "--data", "d.csv", "--quiet", *options])
    assert outcome.exit_code == 2 and "Error" in outcome.stderr
