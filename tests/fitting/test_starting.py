"""`fit(start=...)` and `--start`: values by name, of an earlier fit or of a file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main
from autoopt.errors import DataError, UsageError
from autoopt.fitting.restoring import restored
from autoopt.fitting.starting import values_of
from autoopt.runs.run import read

MODEL = """\
import numpy as np

x0 = {"a": 1.0, "b": [2.0, 3.0]}
names = ["a", "first", "second"]


def objective(p):
    return (p["a"] - 5.0) ** 2 + np.sum((np.asarray(p["b"]) - 7.0) ** 2)
"""

FORMS = {
    "result.json": json.dumps({"names": ["a", "second"], "params": [0.5, 0.25], "status": "converged"}),
    "values.json": json.dumps({"a": 0.5, "second": 0.25}),
    "lines.csv": "a,0.5\nsecond,0.25\n",
    "headed.csv": "name,value\na,0.5\nsecond,0.25\n",
    "summary.csv": "parameter,std. error,estimate\na,9,0.5\nsecond,9,0.25\n",
    "row.csv": "a,second\n0.5,0.25\n",
    "tabs.tsv": "a\t0.5\nsecond\t0.25\n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.py").write_text(MODEL)
    for name, text in FORMS.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", FORMS)
def test_every_form_names_its_values(folder, name):
    assert values_of(name) == {"a": 0.5, "second": 0.25}


def test_a_fit_and_its_run_directory_are_starts(folder):
    first = autoopt.fit("m.py", run_dir="run")
    for start in (first, "run", "run/result.json"):
        assert autoopt.fit("m.py", start=start, method="bfgs").result.nit <= 1


def test_what_is_held_stays_where_it_starts_and_what_is_not_named_starts_where_x0_does(folder):
    found = autoopt.fit("m.py", start={"a": 0.5}, fixed=["a", "first"])
    np.testing.assert_allclose(found.params, [0.5, 2.0, 7.0], rtol=1e-7)


REFUSED = {
    "unknown": ({"frist": 1.0}, UsageError, "The start names frist, which m.py has not. Did you mean first?"),
    "no number": ({"a": None}, UsageError, "no number for a"),
    "no file": ("none.json", DataError, "There is no file none.json"),
    "no JSON": ("broken.json", DataError, "cannot be read as JSON"),
    "a list": ("list.json", UsageError, "start is of type list"),
    "no values": ("names.csv", DataError, "has no values of parameters"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_start_is_refused(folder, name):
    (folder / "broken.json").write_text("{")
    (folder / "list.json").write_text("[1, 2]")
    (folder / "names.csv").write_text("a\nb\nc\n")
    start, error, said = REFUSED[name]
    with pytest.raises(error) as caught:
        autoopt.fit("m.py", start=start)
    assert said in caught.value.happened


def test_command_line_starts_from_a_file(folder):
    outcome = CliRunner().invoke(main, ["fit", "m.py", "--quiet", "-o", "out.json"])
    assert outcome.exit_code == 0
    for start in ("out.json", "lines.csv"):
        again = CliRunner().invoke(main, ["fit", "m.py", "--quiet", "--json", "--start", start, "--method", "bfgs"])
        told = json.loads(again.stdout)
        assert (told["nit"] <= 1) is (start == "out.json") and told["status"] == "converged"
        assert told["call"]["start"] == str(folder / start)


# Restored -------------------------------------------------------------------------------------------------------------

LINE = """\
import numpy as np

kind = "least squares"
x0 = np.zeros(2)


def objective(b, x, y):
    return y - b[0] - b[1] * x
"""


@pytest.fixture
def line(folder):
    (folder / "line.py").write_text(LINE)
    x = np.arange(12.0)
    write(folder, x, 1 + 2 * x + np.sin(9 * x))
    return folder


def write(folder, x, y):
    np.savetxt(folder / "d.csv", np.column_stack([x, y]), delimiter=",", header="x,y", comments="")


@pytest.mark.parametrize("place", ["run", "run/result.json", "out.json"])
def test_fit_is_restored_from_what_it_left_in_any_folder(line, place, monkeypatch):
    args = ["fit", "line.py", "--data", "d.csv", "--quiet", "--robust", "--run-dir", "run", "-o", "out.json"]
    assert CliRunner().invoke(main, args).exit_code == 0
    told = json.loads((line / "out.json").read_text())
    found = restored(line / place)
    assert found.convention == "robust" and found.result.nit <= 1
    np.testing.assert_allclose(found.params, told["params"], rtol=1e-7)
    np.testing.assert_allclose(found.bse, told["bse"], rtol=1e-6)


def test_restored_fit_of_other_data_is_refused(line):
    args = ["fit", "line.py", "--data", "d.csv", "--quiet", "-o", "out.json"]
    assert CliRunner().invoke(main, args).exit_code == 0
    write(line, np.arange(12.0), np.arange(12.0) ** 2)
    with pytest.raises(autoopt.AutooptError, match="the model or its data have changed"):
        restored("out.json")


def killed(line, monkeypatch, **options):
    """Leave a run directory as kill -9 does, at its third iterate; return the checkpoint's point."""
    monkeypatch.setattr("autoopt.fitting.keeping._end", lambda *args, **options: None)

    def stop(event):
        if event.iteration == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        autoopt.fit("line.py", data="d.csv", method="bfgs", run_dir="run", progress=stop, **options)
    monkeypatch.undo()
    monkeypatch.chdir(line)
    return read("run").point


def test_run_that_was_killed_is_looked_at_where_it_was_left(line, monkeypatch):
    point = killed(line, monkeypatch)
    found = restored("run")
    assert point.state == "running" and not (line / "run" / "result.json").exists()
    assert found.status == "interrupted" and found.params.tolist() == point.x and found.result.nfev is None
    assert np.isnan(found.bse).all() and found.nobs == 12 and found.result.fun == pytest.approx(point.value)
    assert "left at iterate" in found.result.message and "autoopt resume run goes on" in found.notes[-1]
    mean = found.predict(of=lambda b, x: b[0] + b[1] * x)
    np.testing.assert_allclose(mean.mean, point.x[0] + point.x[1] * np.arange(12.0))
    assert np.isnan(mean.se).all() and json.dumps(found.to_dict())


def test_report_of_a_run_that_was_killed_has_model_and_derivative(line, monkeypatch):
    killed(line, monkeypatch)
    outcome = CliRunner().invoke(main, ["report", "run", "--quiet"])
    assert outcome.exit_code == 130, outcome.output
    text = (line / "run" / "report.html").read_text()
    assert "Interrupted: this is the best point so far" in text and "could not be made" not in text
    assert ("def value_and_grad" in text or "def jacobian" in text) and "def objective(b, x, y)" in text
    assert CliRunner().invoke(main, ["predict", "run", "--quiet"]).exit_code == 130


def test_fit_starts_where_a_killed_run_was_left(line, monkeypatch):
    point = killed(line, monkeypatch)
    found = autoopt.fit("line.py", data="d.csv", method="bfgs", start="run", options={"maxiter": 1})
    assert found.result.fun <= point.value
    with pytest.raises(UsageError, match=r"has shape \(3,\), and .* has 2 parameters"):
        autoopt.fit("line.py", data="d.csv", start=np.zeros(3))


def test_killed_run_of_other_data_is_refused(line, monkeypatch):
    killed(line, monkeypatch)
    write(line, np.arange(12.0), np.arange(12.0) ** 2)
    with pytest.raises(autoopt.AutooptError, match="the model or its data have changed"):
        restored("run")


@pytest.mark.parametrize(("name", "said"), [("none", "no run directory and no file"), ("lines.csv", "as JSON"),
                                            ("values.json", "is no result of a fit")])  # fmt: skip
def test_what_is_no_run_is_refused(folder, name, said):
    with pytest.raises(DataError, match=said):
        restored(name)
