"""What messages tell users to do: options that the command has, keywords that a public function takes."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main, usages
from autoopt.fitting.fitted import Fit

ROOT = Path(autoopt.__file__).parent
ROOMS = ("fitting", "inference", "runs", "tables", "proposals", "cli")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def options_of(name):
    command = main.get_command(None, name)
    return {option for parameter in command.params for option in parameter.opts}


@functools.cache
def remedies():
    """Return the remedies of the rooms that fit: where each stands, and its text without what is put into it."""
    return list(_remedies())


def _remedies():
    for file in (file for room in ROOMS for file in (ROOT / room).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "remedy":
                yield (
                    f"{file.name}:{node.value.lineno}",
                    "".join(
                        part.value
                        for part in ast.walk(node.value)
                        if isinstance(part, ast.Constant) and isinstance(part.value, str)
                    ),
                )


def test_options_that_remedies_name_are_those_of_a_command():
    known = set().union(*map(options_of, usages()))
    named = [(place, option) for place, text in remedies() for option in OPTION.findall(text)]
    assert len(named) > 8 and [one for one in named if one[1] not in known] == []


def test_keywords_that_remedies_of_fits_name_are_those_of_a_public_function():
    methods = [value for _, value in inspect.getmembers(Fit, inspect.isfunction)]
    public = [getattr(autoopt, name) for name in autoopt.__all__]
    functions = [*methods, *(one for one in public if inspect.isroutine(one)), autoopt.Estimator]
    known = {name for function in functions for name in inspect.signature(function).parameters}
    named = [(place, name) for place, text in remedies() for name in re.findall(r"\b([a-z_]\w*)=(?!=)", text)]
    assert len(named) > 20 and [one for one in named if one[1] not in known] == []


MODEL = """\
import numpy as np

kind = "least squares"
x0 = np.zeros(2)


def predict(b, x):
    return b[0] + b[1] * x


def objective(b, x, y):
    return y - predict(b, x)
"""
TABLES = {
    "d.csv": "x,y\n" + "".join(f"{x},{2 * x + (-1) ** x}\n" for x in range(8)),
    "gaps.csv": "x,y\n1,1\n,2\n3,4\n4,4\n",
    "text.csv": "x,y\na,1\nb,2\na,4\nc,4\n",
    "others.csv": "xx,yy\n1,1\n2,2\n3,4\n",
    "marks.csv": "x;y\n1;1\n2;2\n3;4\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("remedies")
    (folder / "m.py").write_text(MODEL)
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run("fit", "m.py", "--data", "d.csv", "--run-dir", "run").exit_code == 0
        (folder / "moved.csv").write_text(TABLES["d.csv"])
        assert run("fit", "m.py", "--data", "moved.csv", "-o", "moved.json").exit_code == 0
        (folder / "moved.csv").write_text(TABLES["gaps.csv"])
        yield folder


def run(*args):
    return CliRunner().invoke(main, [*args, "--quiet"])


CALLS = [
    *(("predict", "run", "--data", table) for table in TABLES if table != "d.csv"),
    *(("fit", "m.py", "--data", table) for table in TABLES if table != "d.csv"),
    ("compare", "m.py", "m.py", "--method", "lm", "--method", "trf", "--data", "gaps.csv"),
    ("profile", "m.py", "--data", "text.csv"),
    ("fit", "m.py", "--data", "d.csv", "--run-dir", "run"),
    ("resume", "run"),
    ("report", "moved.json"),
    ("fit", "linear", "--data", "d.csv"),
]


@pytest.mark.whole
@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_options_that_a_failing_command_names_are_its_own_or_said_to_be_anothers(folder, call):
    outcome = run(*call)
    said = outcome.stderr + outcome.stdout
    assert outcome.exit_code != 0 and ("To fix this" in said or "failed" in said)
    for option in OPTION.findall(said):
        elsewhere = f"{option} is an option of autoopt" in said or re.search(rf"autoopt \w+ [^\n]*{option}", said)
        assert option in options_of(call[0]) or elsewhere, said


def test_what_the_message_of_an_ended_run_says_works(folder):
    said = run("fit", "m.py", "--data", "d.csv", "--run-dir", "run").stderr
    command = re.search(r"autoopt (resume .* --force)", said)[1].split()
    outcome = run(*command, "--json")
    assert outcome.exit_code == 0 and json.loads(outcome.stdout)["nobs"] == 8


def test_without_a_kind_the_message_says_what_is_missing():
    fitted = autoopt.fit(lambda p: np.sum((p - 1.0) ** 2), np.zeros(2))
    with pytest.raises(autoopt.errors.InferenceError, match="nothing says what it returns") as caught:
        fitted.wald_test("p[0] = 1")
    assert "kind=" in str(caught.value)
