"""`autoopt compare` and `autoopt profile`: numbers of fits, side by side and of one parameter after the other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main

FULL = """\
import numpy as np

kind = "negative log-likelihood"
x0 = {"intercept": 0.0, "slope": 0.0}


def objective(p, x, y):
    z = p["intercept"] + p["slope"] * x
    return np.logaddexp(0.0, z) - y * z
"""
NULL = FULL.replace(', "slope": 0.0', "").replace(' + p["slope"] * x', " + 0 * x")
PLAIN = "x0 = [1.0, 2.0]\n\n\ndef objective(x):\n    return (x**2).sum()\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = {"full.py": FULL, "null.py": NULL, "plain.py": PLAIN}
    texts["interrupted.py"] = FULL.replace("    z =", "    raise KeyboardInterrupt\n    z =")
    texts["d.csv"] = "x,y\n0,0\n1,0\n2,1\n3,0\n4,1\n5,1\n6,0\n7,1\n"
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(*args):
    return CliRunner().invoke(main, [*args, "--quiet"])


def test_models_are_compared_by_criteria_and_a_likelihood_ratio_test(folder):
    """The figures are those of statsmodels.api.Logit(y, X).fit(): llf, aic, llr, llr_pvalue."""
    outcome = run("compare", "full.py", "null.py", "--data", "d.csv", "--json")
    told = json.loads(outcome.stdout)
    full, null = told["fits"]
    assert outcome.exit_code == 0 and (full["df_model"], null["df_model"], full["nobs"]) == (2, 1, 8)
    np.testing.assert_allclose([full["llf"], null["llf"]], [LLF, -8 * np.log(2)], rtol=1e-8)
    np.testing.assert_allclose([full["aic"], full["bic"]], [4 - 2 * LLF, 2 * np.log(8) - 2 * LLF], rtol=1e-8)
    (test,) = told["tests"]
    assert (test["smaller"], test["larger"], test["df"]) == ("null.py", "full.py", 1)
    np.testing.assert_allclose([test["statistic"], test["pvalue"]], [LLR, PVALUE], rtol=1e-6)
    shown = run("compare", "full.py", "null.py", "--data", "d.csv").stdout
    assert "log-lik." in shown and "likelihood-ratio test" in shown


LLF, LLR, PVALUE = -4.73461935778, 1.6211161734, 0.20293622335


GAUSSIAN = """\
import numpy as np

kind = "negative log-likelihood"
x0 = {"a": 0.0, "b": 0.0, "log_sd": 0.0}


def objective(p, x, y):
    return p["log_sd"] + 0.5 * np.log(2 * np.pi) + 0.5 * ((y - p["a"] - p["b"] * x) / np.exp(p["log_sd"])) ** 2
"""
SQUARES = """\
kind = "least squares"
x0 = {"a": 0.0, "b": 0.0}


def objective(p, x, y):
    return y - p["a"] - p["b"] * x
"""


def test_the_variance_is_counted_alike_beside_a_likelihood(folder):
    """By least squares of numpy.polyfit: R's AIC(lm(y ~ x)) counts three parameters."""
    (folder / "squares.py").write_text(SQUARES)
    (folder / "gaussian.py").write_text(GAUSSIAN)
    x, y = np.loadtxt(folder / "d.csv", delimiter=",", skiprows=1).T
    spread = np.mean((y - np.polyval(np.polyfit(x, y, 1), x)) ** 2)
    deviance = y.size * (np.log(2 * np.pi * spread) + 1)
    told = json.loads(run("compare", "squares.py", "gaussian.py", "--data", "d.csv", "--json").stdout)
    for fit in told["fits"]:
        np.testing.assert_allclose([fit["aic"], fit["bic"]], [deviance + 6, deviance + 3 * np.log(8)], rtol=1e-9)
    assert [fit["df_model"] for fit in told["fits"]] == [3, 3] and "variance of least squares" in told["notes"][0]
    alone = json.loads(
        run("compare", "squares.py", "--data", "d.csv", "--method", "lm", "--method", "trf", "--json").stdout
    )
    np.testing.assert_allclose(alone["fits"][0]["aic"], deviance + 4, rtol=1e-9)  # as statsmodels counts
    assert alone["notes"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((", x, y):", ", x, y):\n    x, y = x[1:], y[1:]"), "fits of 8 and 7 observations"),
        ((", x, y):", ", x, z):\n    y = z"), "different responses, or of different rows"),
        ((", x, y):", ", y, x):"), None),
    ],
    ids=["rows", "response", "order of arguments"],
)
def test_criteria_of_other_data_are_called_so(folder, change, said):
    (folder / "all.csv").write_text("x,y,z\n0,0,1\n1,0,1\n2,1,1\n3,0,0\n4,1,1\n5,1,0\n6,0,0\n7,1,1\n")
    (folder / "other.py").write_text(NULL.replace(*change))
    outcome = run("compare", "full.py", "other.py", "--data", "all.csv")
    assert outcome.exit_code == 0
    assert (said in outcome.stdout and "ratio test" not in outcome.stdout) if said else "Note" not in outcome.stdout


def test_a_larger_model_that_fits_worse_is_told(folder):
    """The names are the same, the likelihood is another."""
    (folder / "worse.py").write_text(FULL.replace("return ", "return 5 + "))
    outcome = run("compare", "worse.py", "null.py", "--data", "d.csv", "--json")
    (test,) = json.loads(outcome.stdout)["tests"]
    assert test["statistic"] < 0 and test["pvalue"] is None
    assert "is at no maximum" in run("compare", "worse.py", "null.py", "--data", "d.csv").stdout


def test_methods_are_compared_on_one_model(folder):
    told = json.loads(
        run("compare", "full.py", "--data", "d.csv", "--method", "bfgs", "--method", "cg", "--json").stdout
    )
    assert [fit["method"] for fit in told["fits"]] == ["bfgs", "cg"] and told["tests"] == []
    np.testing.assert_allclose(told["fits"][0]["llf"], told["fits"][1]["llf"], rtol=1e-9)


def test_what_is_no_likelihood_is_compared_by_its_value(folder):
    shown = run("compare", "plain.py", "--method", "bfgs", "--method", "cg").stdout
    assert "value" in shown and "AIC" not in shown


def test_a_fit_that_fails_is_told_beside_the_others(folder):
    outcome = run("compare", "full.py", "none.py", "--data", "d.csv")
    assert outcome.exit_code == 1
    assert "failed" in outcome.stdout and "converged" in outcome.stdout and "none.py is not there" in outcome.stdout


def test_interrupted_comparison_shows_what_there_is(folder):
    outcome = run("compare", "full.py", "interrupted.py", "--data", "d.csv")
    assert outcome.exit_code == 130 and "full.py" in outcome.stdout and "Traceback" not in outcome.stderr


# Profiles -------------------------------------------------------------------------------------------------------------


def test_profile_prints_the_intervals_of_the_fit(folder):
    told = json.loads(run("profile", "full.py", "--data", "d.csv", "--level", "0.9", "--json").stdout)
    found = autoopt.fit("full.py", None, "d.csv", level=0.9)
    np.testing.assert_allclose(
        [row["interval"] for row in told["parameters"]], found.conf_int(method="profile"), rtol=1e-6
    )
    np.testing.assert_allclose([row["wald"] for row in told["parameters"]], found.conf_int(), rtol=1e-6)
    for row in told["parameters"]:
        assert min(row["statistics"]) == 0.0 and len(row["values"]) == len(row["statistics"]) > 4


def test_profile_of_one_parameter_with_its_points(folder):
    outcome = run("profile", "full.py", "--data", "d.csv", "-p", "slope", "--points")
    assert outcome.exit_code == 0 and "intercept" not in outcome.stdout and "deviance" in outcome.stdout


def test_open_profile_is_told_and_is_null_in_json(folder):
    (folder / "separated.csv").write_text("x,y\n0,0\n1,0\n2,1\n3,1\n4,0\n5,1\n6,1\n7,1\n8,1\n")
    outcome = run("profile", "full.py", "--data", "separated.csv", "-p", "slope", "--level", "0.9999", "--json")
    (row,) = json.loads(outcome.stdout, parse_constant=pytest.fail)["parameters"]
    assert any(row["open"]) == (None in row["interval"]) and len(row["notes"]) == row["open"].count(True)


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (["plain.py"], 5, "A profile is that of a likelihood"),
        (["full.py", "--data", "d.csv", "-p", "slop"], 2, "Did you mean slope?"),
        (["full.py", "--data", "d.csv", "--method", "cg", "--maxiter", "1"], 3, "the fit is not converged"),
    ],
)
def test_where_there_is_no_profile_the_status_says_why(folder, args, status, says):
    outcome = run("profile", *args)
    assert outcome.exit_code == status and outcome.stdout == "" and says in outcome.stderr


def test_interrupted_profile_shows_what_there_is(folder, monkeypatch):
    from autoopt.fitting.fit import Fit

    original = Fit.profile

    def interrupted(self, name, level=None):
        if name == "slope":
            raise KeyboardInterrupt
        return original(self, name, level)

    monkeypatch.setattr(Fit, "profile", interrupted)
    outcome = run("profile", "full.py", "--data", "d.csv")
    assert outcome.exit_code == 130 and "intercept" in outcome.stdout and "slope" not in outcome.stdout
