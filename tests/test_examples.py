"""Every example runs, and its estimates and standard errors are those of statsmodels."""

import doctest
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from autoopt.cli.main import main
from autoopt.fitting.fit import fit

EXAMPLES = Path(__file__).parent.parent / "examples"
DATA = EXAMPLES / "data"
MODELS = ["logistic", "loglinear", "contingency", "rosenbrock"]
LONG = {"gaussian_process", "graphical_model", "neural_network"}
SCRIPTS = [
    pytest.param(file.stem, marks=[pytest.mark.slow] * (file.stem in LONG))
    for file in sorted(EXAMPLES.glob("*.py"))
    if file.stem not in MODELS
]
GALLERY = EXAMPLES.parent / "docs" / "gallery.rst"
needs_pages = pytest.mark.skipif(not GALLERY.is_file(), reason="the tests are run away from the documents")

sm = pytest.importorskip("statsmodels.api")


def assert_shown(command, printed):
    """Assert that the gallery shows this output below the command."""
    if GALLERY.is_file():
        blocks = re.findall(r"^    \$ (.+)\n((?: {4}(?!\$ ).*\n|\n)+)", GALLERY.read_text(encoding="utf-8"), re.M)
        shown = textwrap.dedent(dict(blocks)[command]).strip() + "\n"
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        same = doctest.OutputChecker().check_output(shown, printed.strip() + "\n", flags)
        assert same, f"$ {command}\n{printed}\n--- the page has\n{shown}"


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
@pytest.mark.slow
def test_scripts_run_find_what_they_assert_and_print_what_the_gallery_shows(name):
    done = subprocess.run([sys.executable, EXAMPLES / f"{name}.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert_shown(f"python examples/{name}.py", done.stdout)


@pytest.mark.parametrize("name", ["logistic", *(pytest.param(name, marks=pytest.mark.slow) for name in MODELS[1:])])
def test_model_files_print_what_the_gallery_shows(name, monkeypatch):
    monkeypatch.chdir(EXAMPLES.parent)
    command = f"autoopt fit examples/{name}.py --method newton-cg"
    outcome = CliRunner().invoke(main, command.split()[1:], prog_name="autoopt")
    assert outcome.exit_code == 0, outcome.output
    assert_shown(command, outcome.stdout)


@needs_pages
def test_every_example_is_in_the_gallery_with_pictures_that_are_there():
    page = GALLERY.read_text(encoding="utf-8")
    assert set(re.findall(r"``examples/(\w+)\.py``", page)) == {file.stem for file in EXAMPLES.glob("*.py")}
    pictures = re.findall(r"image:: (images/\w+\.png)", page)
    assert len(pictures) > 5 and all((GALLERY.parent / picture).is_file() for picture in pictures)
    assert sum(file.stat().st_size for file in (GALLERY.parent / "images").iterdir()) < 300_000


@pytest.mark.slow
def test_constrained_script_runs_and_finds_what_statics_says():
    done = subprocess.run([sys.executable, EXAMPLES / "constrained.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lowest = [line.split(" at ")[1].split()[0] for line in done.stdout.splitlines()]
    assert len(lowest) >= 3 and all(abs(float(value) - float(lowest[-1])) < 2e-8 for value in lowest)


def test_every_data_file_has_its_provenance():
    readme = (DATA / "README.rst").read_text()
    assert all(f"``{file.name}``" in readme for file in DATA.glob("*.csv"))
