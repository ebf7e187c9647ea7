"""Every example runs, and its estimates and standard errors are those of statsmodels."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autoopt.fitting.fit import fit

EXAMPLES = Path(__file__).parent.parent / "examples"
DATA = EXAMPLES / "data"
MODELS = ["logistic", "loglinear", "contingency", "rosenbrock"]
SCRIPTS = sorted(file.stem for file in EXAMPLES.glob("*.py") if file.stem not in MODELS)

sm = pytest.importorskip("statsmodels.api")


def logistic():
    """Return statsmodels' fit of the tumours."""
    table = pd.read_csv(DATA / "breast_cancer.csv")
    X = table[["mean_radius", "mean_texture", "mean_smoothness", "mean_compactness", "mean_symmetry"]]
    X = (X - X.mean()) / X.std(ddof=0)
    return sm.GLM(table["malignant"], sm.add_constant(X), sm.families.Binomial())


def loglinear():
    """Return statsmodels' fit of all 20190 person-years, one by one."""
    table = pd.read_csv(DATA / "rand_health.csv")
    return sm.GLM(table["mdvis"], sm.add_constant(table.drop(columns="mdvis")), sm.families.Poisson())


def contingency():
    """Return statsmodels' fit of the table, its columns in the order of the example's parameters."""
    table = pd.read_csv(DATA / "berkeley_admissions.csv")
    female, admitted = table["gender"] == "female", table["admitted"] == 1
    departments = [table["department"] == name for name in "BCDEF"]
    columns = [np.ones(len(table)), female, admitted, female & admitted, *departments]
    columns += [department & female for department in departments]
    columns += [department & admitted for department in departments]
    return sm.GLM(table["count"], np.column_stack(columns).astype(float), sm.families.Poisson())


@pytest.mark.parametrize("method", ["newton-cg", "trust-exact"])
@pytest.mark.parametrize("peer", [logistic, loglinear, contingency], ids=lambda peer: peer.__name__)
def test_estimates_and_standard_errors_are_those_of_statsmodels(peer, method):
    found = fit(EXAMPLES / f"{peer.__name__}.py", method=method)
    expected = peer().fit(tol=1e-14, tol_criterion="params", maxiter=100)
    assert found.status == "converged"
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-7)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-7)


def test_contingency_names_are_those_of_its_parameters():
    found = fit(EXAMPLES / "contingency.py", method="trust-exact")
    assert list(found.names)[:5] == ["intercept", "female", "admitted", "female:admitted", "department[0]"]


def test_rosenbrock_reaches_its_minimum():
    np.testing.assert_allclose(fit(EXAMPLES / "rosenbrock.py", method="newton-cg").params, 1, rtol=1e-8)


@pytest.mark.parametrize("name", MODELS)
def test_model_files_import_no_autoopt(name):
    assert "import autoopt" not in (EXAMPLES / f"{name}.py").read_text()


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_run_and_find_what_they_assert(name):
    done = subprocess.run([sys.executable, EXAMPLES / f"{name}.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_api_script_shows_the_minimum():
    done = subprocess.run([sys.executable, EXAMPLES / "api.py"], capture_output=True, text=True, check=True)
    assert "x = [1. 1. 1. 1.]" in done.stdout


def test_constrained_script_runs_and_finds_what_statics_says():
    done = subprocess.run([sys.executable, EXAMPLES / "constrained.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lowest = [line.split(" at ")[1].split()[0] for line in done.stdout.splitlines()]
    assert len(lowest) >= 3 and all(abs(float(value) - float(lowest[-1])) < 2e-8 for value in lowest)


def test_every_data_file_has_its_provenance():
    readme = (DATA / "README.rst").read_text()
    assert all(f"``{file.name}``" in readme for file in DATA.glob("*.csv"))
