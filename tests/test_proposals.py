"""Model files that are proposed for tables: what they are, that they fit at once, and what they say."""

from __future__ import annotations

import ast
import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main
from autoopt.designs.data import describe
from autoopt.errors import DataError, UsageError
from autoopt.proposals import proposal
from autoopt.proposals.columns import identifier
from autoopt.proposals.likelihoods import LIKELIHOODS


def table(m=120):
    """Return columns of several kinds, and a response for each likelihood."""
    rng = np.random.default_rng(4)
    age, dose = rng.normal(50, 10, m), rng.choice([0.0, 1.0, 2.0], m)
    z = 0.5 + 0.02 * (age - 50) + 0.4 * dose
    frame = pd.DataFrame({"age": age.round(1), "log dose": dose, "region": rng.choice(["north", "south", "west"], m)})
    frame["income"] = (2e7 * rng.random(m)).round()
    responses = {
        "logistic": (rng.random(m) < 1 / (1 + np.exp(-z))).astype(int),
        "poisson": rng.poisson(np.exp(z)),
        "log-normal": np.exp(z + 1.2 * rng.normal(size=m)),
        "gamma": np.exp(z) * rng.gamma(4.0, 0.25, m),
        "least-squares": 3 * z - 1 + rng.normal(size=m),
    }
    return frame, responses


def statsmodels_fit(name, X, y):
    import statsmodels.api as sm

    log = sm.families.links.Log()
    return {
        "logistic": lambda: sm.Logit(y, X).fit(disp=0),
        "poisson": lambda: sm.Poisson(y, X).fit(disp=0),
        "log-normal": lambda: sm.OLS(np.log(y), X).fit(),
        "gamma": lambda: sm.GLM(y, X, sm.families.Gamma(log)).fit(),
        "least-squares": lambda: sm.OLS(y, X).fit(),
    }[name]()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_proposed_file_fits_at_once_as_statsmodels_does(tmp_path, name):
    frame, responses = table()
    frame["result"] = responses[name]
    frame.to_csv(tmp_path / "d.csv", index=False)
    outcome = CliRunner().invoke(main, ["new", str(tmp_path / "d.csv")])
    file = tmp_path / "d_model.py"
    assert outcome.exit_code == 0 and f"autoopt fit {file}" in outcome.stdout
    assert outcome.stdout.startswith(LIKELIHOODS[name].title)
    found = autoopt.fit(file)
    assert found.status == "converged", found.result.message
    X = np.column_stack([np.ones(len(frame)), frame["age"], frame["log dose"], frame["region"] == "south",
                         frame["region"] == "west", frame["income"]]).astype(float)  # fmt: skip
    assert found.names[:6] == ("intercept", "age", "log_dose", "region_south", "region_west", "income")
    other = np.asarray(statsmodels_fit(name, X / X.max(axis=0), frame["result"]).params) / X.max(axis=0)
    np.testing.assert_allclose(found.params[:6], other, rtol=1e-4)
    assert found.case.predict_scale == {"logistic": "logit", "least-squares": None}.get(name, "log")
    checked = CliRunner().invoke(main, ["check", str(file)])
    assert checked.exit_code == 0, checked.output


def written(tmp_path, text, **options):
    (tmp_path / "d.csv").write_text(text, **options)
    return tmp_path / "d.csv"


ROWS = "\n".join(f"{i},{i % 3},{i % 2},{(7 * i) % 11}" for i in range(1, 25))


def test_columns_that_explain_nothing_are_left_out_with_the_reason(tmp_path):
    text = "id,same,a,b,copy,note,empty,y\n"
    text += "".join(f"{i},7,{i % 3},{(7 * i) % 11},{2 * (i % 3)},t{i},,{(5 * i) % 13 - 6.5}\n" for i in range(1, 25))
    found = proposal(written(tmp_path, text))
    assert found.columns == ("a", "b") and found.target == "y" and found.likelihood == "least-squares"
    for said in ("id: it numbers", "same: all values are equal", "copy: it is a combination", "note: text with 24",
                 "empty: it is empty"):  # fmt: skip
        assert f"#   {said}" in found.text
    assert proposal(tmp_path / "d.csv", columns=("id", "a")).columns == ("id", "a")


def test_rows_that_lack_a_value_are_left_out_and_counted(tmp_path, capsys):
    text = "a,b,y\n" + "".join(f"{i % 5},{'' if i == 3 else (3 * i) % 7},{(5 * i) % 13 - 6.5}\n" for i in range(20))
    found = proposal(written(tmp_path, text))
    assert "# 1 row lacks a value, and is left out" in found.text
    (tmp_path / "m.py").write_text(found.text)
    assert autoopt.fit(tmp_path / "m.py").nobs == 19
    assert capsys.readouterr().out == "d.csv: 1 of 20 rows lack a value: left out\n"


def test_rows_with_infinite_values_are_left_out_as_fits_leave_them(tmp_path):
    text = "a,b,y\n" + "".join(f"{i % 5},{'-inf' if i == 3 else (3 * i) % 7},{(5 * i) % 13 - 6.5}\n" for i in range(20))
    found = proposal(written(tmp_path, text))
    assert "# 1 row lacks a finite value, and is left out" in found.text
    (tmp_path / "m.py").write_text(found.text)
    fit = autoopt.fit(tmp_path / "m.py")
    again = autoopt.fit("linear", data=tmp_path / "d.csv", formula="y ~ a + b", missing="drop")
    assert fit.nobs == again.nobs == 19 and np.allclose(fit.params, again.params, rtol=1e-6)
    assert "replace" not in proposal(tmp_path / "d.csv", columns=("a",)).text


def test_many_columns_become_a_matrix(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(90, 16)), columns=[f"c{i}" for i in range(15)] + ["y"])
    frame.to_csv(tmp_path / "d.csv", index=False)
    (tmp_path / "m.py").write_text(proposal(tmp_path / "d.csv").text)
    found = autoopt.fit(tmp_path / "m.py")
    X = np.column_stack([np.ones(90), frame.iloc[:, :15]])
    np.testing.assert_allclose(found.params, np.linalg.lstsq(X, frame["y"])[0], rtol=1e-6)
    assert found.names == ("intercept", *(f"c{i}" for i in range(15)))


FORMS = {
    "semicolons and decimal commas": ("a b;y\n" + "".join(f"{i % 4},5;{i % 7},25\n" for i in range(30)), {}),
    "tabs": ("a b\ty\n" + "".join(f"{i % 4}.5\t{i % 7}.25\n" for i in range(30)), {}),
    "another encoding": ("a b,y,größe\n" + "".join(f"{i % 4}.5,{i % 7}.25,\n" for i in range(30)),
                         {"encoding": "latin-1"}),
    "two bytes to a letter": ("a b,y,größe\n" + "".join(f"{i % 4}.5,{i % 7}.25,{'øs'[i % 2]}\n" for i in range(30)),
                              {"encoding": "utf-16"}),
    "two bytes, unmarked": ("a b,y\n" + "".join(f"{i % 4}.5,{i % 7}.25\n" for i in range(30)),
                            {"encoding": "utf-16-be"}),
    "numbers of rows": (",a b,y\n" + "".join(f"{100 + 3 * i * i},{i % 4}.5,{i % 7}.25\n" for i in range(30)), {}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_files_of_other_forms_are_read_and_the_model_says_how(tmp_path, form):
    text, options = FORMS[form]
    found = proposal(written(tmp_path, text, **options), target="y")
    (tmp_path / "m.py").write_text(found.text)
    assert (
        found.columns[0] == "a_b"
        and len(found.columns) == 1 + ("ø" in text)
        and autoopt.fit(tmp_path / "m.py").nobs == 30
    )


def test_names_of_columns_never_break_the_file(tmp_path):
    rows = "".join(
        f"{i % 3}.5,{(3 * i) % 7},{(5 * i) % 11},{(7 * i) % 13},{(2 * i) % 9},{(4 * i) % 17}.5\n" for i in range(60)
    )
    found = proposal(written(tmp_path, 'x"""\\,{y},lambda,np,params,1st\n'.replace('\\"', "'") + rows))
    ast.parse(found.text)
    (tmp_path / "m.py").write_text(found.text)
    assert autoopt.fit(tmp_path / "m.py").status == "converged"


def whole_numbers():
    """Return whole numbers of several kinds, and the likelihood that is proposed for them."""
    rng = np.random.default_rng(1)
    return {
        "counts": (rng.poisson(2, 200), "poisson"),
        "counts without a zero": (rng.negative_binomial(1, 0.1, 200) + 1, "poisson"),
        "counts that vary much": (rng.negative_binomial(0.5, 0.05, 200), "poisson"),
        "amounts": (np.exp(8 + rng.normal(size=200)).round(), "log-normal"),
        "amounts, some of them zero": (1000 * rng.poisson(2, 200), "least-squares"),
        "years": (rng.integers(1950, 2010, 200), "least-squares"),
        "codes": (rng.integers(1, 6, 200), "least-squares"),
        "scores": (rng.integers(1, 11, 200), "least-squares"),
        "ages": (rng.integers(18, 90, 200), "gamma"),
    }


@pytest.mark.whole
@pytest.mark.parametrize("name", whole_numbers())
def test_whole_numbers_are_taken_for_counts_where_that_is_likely(tmp_path, name):
    y, likelihood = whole_numbers()[name]
    pd.DataFrame({"a": np.random.default_rng(2).normal(size=200), "y": y}).to_csv(tmp_path / "d.csv", index=False)
    found = proposal(tmp_path / "d.csv")
    assert found.likelihood == likelihood
    other = "--likelihood gamma" if likelihood == "poisson" else "If they are: --likelihood poisson"
    assert other in found.notes[0] and "whole numbers of y" in ast.get_docstring(ast.parse(found.text))
    assert proposal(tmp_path / "d.csv", likelihood="poisson").likelihood == "poisson"


def test_what_is_left_out_is_said(tmp_path):
    rows = "".join(f"{i},{(3 * i) % 7 if i % 25 else 'n/k'}.5,{i % 4 or ''},{(5 * i) % 13 - 6.5}\n" for i in range(60))
    written(tmp_path, "id,a,b,y\n" + rows)
    said = CliRunner().invoke(main, ["new", str(tmp_path / "d.csv")]).stdout
    assert "Note: 15 rows of 60 lack a value, and are left out." in said
    assert "Note: Left out: id: it numbers the rows." in said
    assert "Note: Left out: a: 3 values of 60 are no number, such as 'n/k.5'." in said


def test_a_response_of_two_texts_is_one_of_ones_and_zeros(tmp_path):
    text = "a,y\n" + "".join(f"{(3 * i) % 7},{'yes' if (5 * i) % 11 > 5 else 'no'}\n" for i in range(30))
    found = proposal(written(tmp_path, text))
    assert found.likelihood == "logistic" and '(table["y"] == "yes")' in found.text


REFUSED = {
    "no file": (dict(path="none.csv"), DataError, "There is no data file"),
    "another kind": (dict(path="m.py"), DataError, "is no CSV or TSV file"),
    "no column": (dict(target="z"), DataError, "has no column z"),
    "text": (dict(target="t"), UsageError, "text with 3 values"),
    "equal": (dict(target="same"), DataError, "All values of same are equal"),
    "unsuited": (dict(target="a", likelihood="logistic"), UsageError, "for a response that has two values"),
    "unknown": (dict(target="a", likelihood="poison"), UsageError, "Did you mean poisson?"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_proposed_is_refused_with_the_reason(tmp_path, name):
    options, error, said = REFUSED[name]
    path = written(tmp_path, "a,t,same\n" + "".join(f"{i},{'xyz'[i % 3]},1\n" for i in range(3, 30)))
    (tmp_path / "m.py").write_text("")
    options = {"path": path, **options}
    if isinstance(options["path"], str):
        options["path"] = tmp_path / options["path"]
    with pytest.raises(error, match=said.replace("?", r"\?")):
        proposal(**options)


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    path = written(tmp_path, "a,y\n" + "".join(f"{i % 5},{(5 * i) % 13 - 6.5}\n" for i in range(20)))
    (tmp_path / "d_model.py").write_text("mine")
    outcome = CliRunner().invoke(main, ["new", str(path)])
    assert outcome.exit_code == 2 and "--force" in outcome.stderr and (tmp_path / "d_model.py").read_text() == "mine"
    assert CliRunner().invoke(main, ["new", str(path), "--force"]).exit_code == 0
    assert "least squares" in (tmp_path / "d_model.py").read_text()


def test_model_finds_its_data_from_another_folder(tmp_path, monkeypatch):
    path = written(tmp_path, "a,y\n" + "".join(f"{i % 5},{(5 * i) % 13 - 6.5}\n" for i in range(20)))
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path / "models")
    assert CliRunner().invoke(main, ["new", "../d.csv", "-o", "m.py"]).exit_code == 0
    monkeypatch.chdir("/")
    outcome = CliRunner().invoke(main, ["fit", str(tmp_path / "models" / "m.py"), "--json", "--quiet"])
    assert json.loads(outcome.stdout)["nobs"] == 20 and str(path)


@pytest.mark.parametrize(
    "name", ["a", "lambda", "1st", "a b", "np", "größe", "%", "params", "dose_\N{MICRO SIGN}g", "ﬁt", "x²"]
)
def test_identifiers_are_free_names_of_python(name):
    taken = {"params", "a"}
    one, two = identifier(name, taken), identifier(name, taken)
    assert one.isidentifier() and two.isidentifier() and len({one, two, "params", "a", "np", "lambda"}) == 6
    assert ast.parse(one).body[0].value.id == one  # Python has no other form of it


def test_a_column_that_python_writes_in_another_form_is_fitted(tmp_path):
    name = "dose_\N{MICRO SIGN}g"
    rows = "".join(f"{(3 * i) % 7},{(5 * i) % 13 - 6.5}\n" for i in range(20))
    (tmp_path / "m.py").write_text(proposal(written(tmp_path, f"{name},y\n{rows}", encoding="utf-8")).text, "utf-8")
    frame = pd.read_csv(tmp_path / "d.csv")
    fit = autoopt.fit(tmp_path / "m.py")
    expected = np.polyfit(frame[name], frame["y"], 1)
    np.testing.assert_allclose(fit.params, expected[::-1], rtol=1e-6)
    np.testing.assert_allclose(fit.predict(frame[[name]].head(3)).mean, np.polyval(expected, frame[name].head(3)))


def test_file_and_terminal_say_what_is_in_the_columns(tmp_path):
    """As fits do; a name of a category that ends a line, as Python sees it, ends no comment."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(50, 9, 40).round(1), "town": ["Ulm", "B\rprint(1)", "Bonn", "Ulm"] * 10})
    frame["y"] = rng.integers(0, 2, 40)
    file = tmp_path / "d.csv"
    frame.to_csv(file, index=False, quoting=2)
    outcome = CliRunner().invoke(main, ["new", str(file)])
    text = (tmp_path / "d_model.py").read_text()
    assert f"{file}: 40 rows, 3 of 3 columns used: age " in outcome.stdout
    described = str(describe(file)).splitlines()
    assert described[0].replace(str(file), "d.csv") in text and all(
        f"# {row}".rstrip() in text for row in described[2:]
    )
    assert not [
        node for node in ast.parse(text).body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
