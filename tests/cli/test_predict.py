"""`autoopt predict` and `autoopt report`: from what a fit has left, to predictions and a page."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main

LINE = """\
import numpy as np

kind = "least squares"
x0 = np.zeros(2)


def predict(b, x):
    return b[0] + b[1] * x


def objective(b, x, y):
    return y - predict(b, x)
"""


def prepare(folder, text=LINE):
    """Write a model with its data, and fit it."""
    (folder / "line.py").write_text(text)
    x = np.arange(12.0)
    table = np.column_stack([x, 1 + 2 * x + np.sin(9 * x)])
    np.savetxt(folder / "d.csv", table, delimiter=",", header="x,y", comments="")
    (folder / "new.csv").write_text("id,x\n7,0\n8,20\n9,2.5\n")
    assert run("fit", "line.py", "--data", "d.csv", "--run-dir", "run", "-o", "out.json").exit_code == 0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    with contextlib.chdir(folder):
        prepare(folder)
    return folder


@pytest.fixture
def folder(prepared, monkeypatch):
    """A working folder with what a fit has left."""
    monkeypatch.chdir(prepared)
    return prepared


def run(*args):
    return CliRunner().invoke(main, [*args, "--quiet"])


def by_formula(level=0.95, observation=False):
    """Return mean, standard error and ends at 0, 20 and 2.5 as books have them (Draper and Smith, 1998, 3.2)."""
    from scipy.stats import t

    x, y = np.loadtxt("d.csv", delimiter=",", skiprows=1).T
    X, new = np.column_stack([np.ones(12), x]), np.column_stack([np.ones(3), [0, 20, 2.5]])
    b = np.linalg.lstsq(X, y)[0]
    variance = np.sum((y - X @ b) ** 2) / 10
    mean, se = new @ b, np.sqrt(np.einsum("ij,jk,ik->i", new, variance * np.linalg.inv(X.T @ X), new))
    half = t.ppf((1 + level) / 2, 10) * np.sqrt(se**2 + variance * observation)
    return np.column_stack([mean, se, mean - half, mean + half])


@pytest.mark.parametrize(
    ("place", "options", "wanted"),
    [
        ("run", [], {}),
        ("run", ["--level", "0.8"], {"level": 0.8}),
        ("out.json", ["--observation"], {"observation": True}),
    ],
)
def test_predictions_are_those_of_the_formulas(folder, place, options, wanted):
    outcome = run("predict", place, "--data", "new.csv", *options)
    assert outcome.exit_code == 0, outcome.stderr
    head, *rows = csv.reader(io.StringIO(outcome.stdout))
    assert head == ["mean", "se", "lower", "upper"]
    np.testing.assert_allclose(np.array(rows, float), by_formula(**wanted), rtol=1e-6)


def test_bands_on_another_scale_are_those_of_its_ends(folder):
    _, first, *_ = csv.reader(io.StringIO(run("predict", "run", "--data", "new.csv", "--scale", "log").stdout))
    mean, _, lower, upper = np.array(first, float)
    half = by_formula()[0, 3] - by_formula()[0, 0]
    np.testing.assert_allclose([lower, upper], mean * np.exp(half / mean * np.array([-1, 1])), rtol=1e-6)
    outcome = run("predict", "run", "--data", "new.csv", "--scale", "logit")
    assert outcome.exit_code == 2 and "in row 0" in outcome.stderr and "identity" in outcome.stderr


def test_predictions_as_json_and_in_a_file(folder):
    told = json.loads(run("predict", "run", "--data", "new.csv", "--json").stdout)
    np.testing.assert_allclose(told["mean"], by_formula()[:, 0], rtol=1e-6)
    assert run("predict", "run", "-o", "p.csv").exit_code == 0  # of the data of the fit
    assert len((folder / "p.csv").read_text().splitlines()) == 13


def test_new_data_of_another_form_are_read(folder):
    (folder / "other.csv").write_text("x;z\n2,5;a\n")
    form = ["--delimiter", ";", "--decimal", ","]
    told = json.loads(run("predict", "run", "--data", "other.csv", "--json", *form).stdout)
    np.testing.assert_allclose(told["mean"], by_formula()[2:, 0], rtol=1e-6)


def test_new_data_are_read_as_those_of_the_fit(folder):
    text = (folder / "d.csv").read_text()
    (folder / "e.csv").write_text(text.replace(",", ";").replace(".", ","))
    (folder / "other.csv").write_text("x;z\n2,5;a\n")
    form = ["--delimiter", ";", "--decimal", ","]
    assert run("fit", "line.py", "--data", "e.csv", *form, "-o", "e.json").exit_code == 0
    told = json.loads(run("predict", "e.json", "--data", "other.csv", "--json").stdout)
    np.testing.assert_allclose(told["mean"], by_formula()[2:, 0], rtol=1e-6)


def test_proposed_models_predict(folder):
    assert CliRunner().invoke(main, ["new", "d.csv", "-o", "m.py", "--likelihood", "least-squares"]).exit_code == 0
    told = json.loads(run("predict", "m.py", "--data", "new.csv", "--json").stdout)
    np.testing.assert_allclose(told["se"], by_formula()[:, 1], rtol=1e-6)


@pytest.fixture
def proposed(tmp_path, monkeypatch):
    """A working folder with a model that is proposed for columns of texts, with blanks in names."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    rows = [f"{rng.normal():.3f},{rng.normal():.3f},{'nsw'[i % 3]},{i % 2}" for i in range(60)]
    (tmp_path / "d.csv").write_text("\n".join(["the result,log dose,region,b", *rows]) + "\n")
    assert CliRunner().invoke(main, ["new", "d.csv", "--target", "the result", "-o", "m.py"]).exit_code == 0
    return tmp_path


def predictions(*args):
    outcome = run("predict", "m.py", "--json", *args)
    assert outcome.exit_code == 0, outcome.stderr
    return json.loads(outcome.stdout)["mean"]


def test_proposed_models_predict_the_table_they_were_made_of(proposed):
    assert predictions("--data", "d.csv") == predictions()


def test_many_columns_are_predicted_from_the_table_too(proposed):
    rows = np.random.default_rng(0).normal(size=(60, 15))
    np.savetxt("d.csv", rows, delimiter=",", header=",".join(f"c {i}" for i in range(15)), comments="")
    assert CliRunner().invoke(main, ["new", "d.csv", "-o", "m.py", "--force"]).exit_code == 0
    assert predictions("--data", "d.csv") == predictions()


def test_values_a_proposed_model_does_not_know_are_refused_or_left_out(proposed):
    """The reference is none of them: a region that is missing or new has no indicator, and is no n."""
    lines = (proposed / "d.csv").read_text().splitlines()
    lines[2], lines[4], lines[6] = "0,1.5,east,1", "0,1.5,,1", "0,,n,1"
    (proposed / "new.csv").write_text("\n".join(lines) + "\n")
    outcome = run("predict", "m.py", "--data", "new.csv")
    assert outcome.exit_code == 1 and "line 3, line 5, line 7" in outcome.stderr and outcome.stdout == ""
    known = [mean for row, mean in enumerate(predictions()) if row not in (1, 3, 5)]
    assert predictions("--data", "new.csv", "--missing", "drop") == known
    assert "Note: 3 of 60 rows" in run("predict", "m.py", "--data", "new.csv", "--missing", "drop").stderr
    (proposed / "new.csv").write_text("log dose,regions,b\n1,n,0\n")
    assert "Did you mean regions?" in run("predict", "m.py", "--data", "new.csv").stderr


def test_rows_that_lack_a_value_are_left_out_of_predictions(folder):
    (folder / "gaps.csv").write_text("id,x\n7,0\n8,\n9,2.5\n")
    outcome = run("predict", "run", "--data", "gaps.csv")
    assert outcome.exit_code == 1 and "--missing drop" in outcome.stderr
    outcome = run("predict", "run", "--data", "gaps.csv", "--missing", "drop", "--json")
    np.testing.assert_allclose(json.loads(outcome.stdout)["mean"], by_formula()[[0, 2], 0], rtol=1e-6)
    assert "1 of 3 rows is left out" in outcome.stderr


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (["none"], 1, "no run directory and no file none"),
        (["run", "--data", "d.npz"], 1, "There is no data file"),
        (["run", "--data", "bare.csv"], 1, "x"),
    ],
)
def test_what_cannot_be_predicted_is_told(folder, args, status, says):
    (folder / "bare.csv").write_text("z\n1\n2\n")
    outcome = run("predict", *args)
    assert outcome.exit_code == status and outcome.stdout == "" and says in outcome.stderr


def test_model_without_predict_says_what_to_write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path, LINE.replace("def predict", "def line").replace("predict(b", "line(b"))
    outcome = run("predict", "out.json")
    assert outcome.exit_code == 2 and "define predict(params, *data)" in outcome.stderr


# Reports --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "file"), [(["run"], "run/report.html"), (["out.json", "-o", "page.html"], "page.html")]
)
def test_report_is_written(folder, args, file):
    (folder / file).unlink(missing_ok=True)
    outcome = run("report", *args)
    assert outcome.exit_code == 0 and outcome.stdout == f"Written to {file}.\n"
    text = (folder / file).read_text()
    assert text.startswith("<!") and "</html>" in text and "line.py" in text and autoopt.__version__ in text


@pytest.mark.slow
def test_a_report_tells_of_the_run_itself_and_not_of_solving_once_more(folder):
    """What it took to get there, its certificate and its history, the same in words and in the picture."""
    shutil.rmtree(folder / "bent", ignore_errors=True)
    (folder / "bent.py").write_text(BENT)
    assert run("fit", "bent.py", "--method", "bfgs", "--run-dir", "bent", "--quiet").exit_code == 0
    own = (folder / "bent" / "report.html").read_text(encoding="utf-8")
    assert run("report", "bent", "-o", "again.html").exit_code == 0
    again = (folder / "again.html").read_text(encoding="utf-8")
    told = json.loads((folder / "bent" / "result.json").read_text(encoding="utf-8"))
    for page in (own, again):
        assert f"<dd>{told['nit']} iterations ({told['nfev']} values" in page and told["nit"] > 5
        assert f"{told['nit']} iterations in" in page, "below the picture"
        assert "the start and at the solution" in page

    def certificate(page):
        return page[page.index('<section id="certificate">') : page.index('<section id="convergence">')]

    assert certificate(own) == certificate(again)
    assert run("report", str(Path("bent") / "result.json"), "-o", "third.html").exit_code == 0
    assert f"<dd>{told['nit']} iterations" in (folder / "third.html").read_text(encoding="utf-8")


BENT = """
import numpy as np

def objective(p, t, y):
    return np.sum((y - np.exp(-p[0] * t) - p[1]) ** 2) + 0.1 * (p[1] - p[0] ** 2) ** 2

x0 = np.array([4.0, 1.0])

def data():
    t = np.linspace(0.1, 3.0, 40)
    return t, np.exp(-0.7 * t) + 0.01 * np.cos(9 * t)
"""


CHANGES = {
    "rows twice": (lambda folder: (folder / "d.csv").write_text(twice(folder)), "number of observations 12"),
    "weights of rows": (
        lambda folder: (folder / "line.py").write_text(LINE.replace("return y - ", "return 1.5 * (y - ") + ")"),
        "value",
    ),
}


def twice(folder):
    text = (folder / "d.csv").read_text()
    return text + text.split("\n", 1)[1]


@pytest.mark.slow_for("rows twice-predict")
@pytest.mark.parametrize("command", ["predict", "report"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_leaves_estimates_as_they_were_is_seen_too(tmp_path, monkeypatch, change, command):
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    work, said = CHANGES[change]
    work(tmp_path)
    found = run(command, "run")
    assert found.exit_code == 1 and said in found.stderr and "model or its data have changed" in found.stderr
