"""Every command, from the registry: help, wrong usage, a broken model, interruptions, JSON, readers that have gone."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from dataclasses import dataclass

import click
import pytest
from click.testing import CliRunner

from autoopt.cli.main import main, usages

NORMAL = """\
import numpy as np

kind = "negative log-likelihood"
names = ["mean", "log sd"]
x0 = np.zeros(2)


def objective(params, y):
    mean, log_sd = params
    return np.sum(0.5 * ((y - mean) / np.exp(log_sd)) ** 2 + log_sd)


def predict(params, y):
    return params[0] + 0 * y
"""
TABLE = "y,name\n1,a\n2,b\n4,c\n7,d\n"
MODEL = ("normal.py", "--data", "d.csv")


@dataclass(frozen=True)
class Case:
    """A command with arguments that work, and others that are wrong; `of_model` if its first argument is a model."""

    args: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ("--nonsense",)
    of_model: bool = False


CASES = {
    "cache": Case(),
    "check": Case(MODEL, of_model=True),
    "compare": Case(
        (*MODEL[1:], "normal.py", "normal.py", "--method", "bfgs", "--method", "cg", "--quiet"), ("normal.py",)
    ),
    "completion": Case(("bash",), ("powershell",)),
    "derive": Case(MODEL, ("normal.py", "--order", "3"), of_model=True),
    "doctor": Case(),
    "fit": Case((*MODEL, "--quiet"), ("normal.py", "--tol", "-1"), of_model=True),
    "methods": Case(),
    "models": Case(),
    "new": Case(("d.csv",), ("d.csv", "--likelihood", "normal")),
    "predict": Case(("run", "--data", "d.csv", "--quiet"), ("run", "--level", "2")),
    "profile": Case((*MODEL, "--quiet"), ("normal.py", "--level", "2"), of_model=True),
    "report": Case(("run", "--quiet"), ()),
    "resume": Case(("run", "--force", "--quiet"), ()),
}


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """The directory of a run of the model."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "normal.py").write_text(NORMAL)
    (folder / "d.csv").write_text(TABLE)
    with contextlib.chdir(folder):
        assert run("fit", *MODEL, "--quiet", "--run-dir", "run").exit_code == 0
    return folder / "run"


@pytest.fixture
def folder(tmp_path, monkeypatch, left):
    """A working folder with a model, its data and a run, and models that are broken or do not come to an end."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(left, tmp_path / "run")
    monkeypatch.delenv("NO_COLOR", raising=False)
    (tmp_path / "normal.py").write_text(NORMAL)
    (tmp_path / "broken.py").write_text("x0 = [1.0]\n\n\ndef objective(x):\n    return x[0] + undefined\n")
    (tmp_path / "stopped.py").write_text("raise KeyboardInterrupt\n")
    (tmp_path / "d.csv").write_text(TABLE)
    return tmp_path


def run(*args, **options):
    return CliRunner().invoke(main, args, prog_name="autoopt", terminal_width=100, **options)


def command(name):
    return main.get_command(click.Context(main), name)


of_all = pytest.mark.parametrize("name", usages())
of_models = pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.of_model])


def test_every_command_has_its_case():
    assert list(CASES) == list(usages())


@of_all
def test_it_works_and_its_output_is_on_stdout(folder, name):
    outcome = run(name, *CASES[name].args)
    assert (outcome.exit_code, outcome.stderr) == (0, "") and outcome.stdout.strip()
    assert "\x1b" not in outcome.stdout


@of_all
def test_options_of_all_commands_are_there(name):
    shown = run(name, "--help").stdout
    assert "--traceback" in shown and "--no-color" in shown and "-h, --help" in shown


@of_all
def test_wrong_usage_is_2_with_a_hint(folder, name):
    outcome = run(name, *CASES[name].wrong)
    assert outcome.exit_code == 2 and outcome.stdout == ""
    assert f"Try 'autoopt {name} -" in outcome.stderr and "Error: " in outcome.stderr


_BROKEN = [("none.py", "not there"), ("broken.py", "NameError: name 'undefined'"), ("d.csv", "autoopt new d.csv")]


@of_models
@pytest.mark.parametrize(("model", "says"), _BROKEN)
def test_broken_model_is_1_with_one_message(folder, name, model, says):
    outcome = run(name, model, *(["--quiet"] if "--quiet" in CASES[name].args else []))
    assert outcome.exit_code == 1 and outcome.stdout == ""
    assert outcome.stderr.startswith("Error: ") and says in outcome.stderr and "Traceback" not in outcome.stderr
    assert "Traceback" in run(name, model, "--traceback").stderr


@of_models
def test_interruption_is_130_and_no_traceback(folder, name):
    outcome = run(name, "stopped.py")
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize("name", [name for name in usages() if name not in ("completion", "derive", "new", "report")])
def test_json_is_one_document(folder, name):
    """Only what writes code has no numbers to be read by a program."""
    outcome = run(name, *CASES[name].args, "--json")
    assert outcome.exit_code == 0 and outcome.stderr == ""
    assert json.loads(outcome.stdout, parse_constant=pytest.fail)


@of_all
def test_a_reader_that_has_gone_ends_it_quietly(folder, name, monkeypatch):
    said = []

    def gone(text=None, file=None, nl=True, err=False, color=None):
        if err:
            said.append(text)
        else:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    monkeypatch.setattr(click, "echo", gone)
    outcome = run(name, *CASES[name].args)
    assert outcome.exit_code == 1 and said == [] and "Traceback" not in outcome.stderr


def test_a_name_that_is_near_is_suggested():
    outcome = run("metods")
    assert outcome.exit_code == 2 and "No such command 'metods'. Did you mean methods?" in outcome.stderr


# Colour ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "options", "is_coloured"),
    [({}, [], True), ({"NO_COLOR": "1"}, [], False), ({"NO_COLOR": ""}, [], True), ({}, ["--no-color"], False)],
)
def test_messages_are_coloured_on_terminals_unless_that_is_not_wanted(folder, environment, options, is_coloured):
    """CliRunner's `color=True` is a terminal."""
    runner = CliRunner(env=environment)
    outcome = runner.invoke(main, ["fit", "none.py", *options], color=True if is_coloured else None)
    assert outcome.exit_code == 1 and ("\x1b" in outcome.stderr) == is_coloured


# Completion -----------------------------------------------------------------------------------------------------------

COMPLETED = {
    "autoopt ca": ["cache"],
    "autoopt cache l": ["limit"],
    "autoopt completion z": ["zsh"],
    "autoopt fit --met": ["--method"],
    "autoopt fit --method newton-": ["newton-cg", "newton-sparse"],
    "autoopt fit --kind least": ["least squares"],
    "autoopt fit --covariance HC": ["HC1", "HC2", "HC3"],
    "autoopt fit normal.py --data d.csv --target n": ["name"],
    "autoopt check normal.py --data d.csv --target": ["--target"],
    "autoopt fit normal.py --data none.csv --target n": [],
}


@pytest.mark.parametrize("line", COMPLETED)
def test_what_a_shell_completes(folder, line):
    words = line.split()
    environment = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_AUTOOPT_COMPLETE": "bash_complete"}
    outcome = run(env=environment)
    assert outcome.stdout.strip().splitlines() == [f"plain,{value}" for value in COMPLETED[line]]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_of_completion_asks_this_command(shell):
    script = run("completion", shell).stdout
    assert f"_AUTOOPT_COMPLETE={shell}_complete" in script and "autoopt" in script


# The cache ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of three entries of 1000 bytes, the second the oldest, and files that are none of its own."""
    place = tmp_path / "cache"
    place.mkdir(mode=0o700)
    monkeypatch.setenv("AUTOOPT_CACHE", str(place))
    for number, age in enumerate((20, 30, 10)):
        entry = place / f"{number:032x}.py"
        entry.write_bytes(bytes(1000))
        os.utime(entry, (1e9 - age, 1e9 - age))
    (place / "secret").write_bytes(bytes(32))
    (place / "notes.py").write_text("mine")
    return place


def test_cache_says_where_it_is_and_how_large(cache):
    assert run("cache").stdout == f"{cache}\n3 entries, 0.0 MB\n"
    assert json.loads(run("cache", "--json").stdout) == {"path": str(cache), "entries": 3, "bytes": 3000}


def test_limit_removes_what_was_not_used_for_longest(cache):
    assert run("cache", "limit", "2kB").stdout == "Removed: 1 entry, 0.0 MB. Left: 2 entries, 0.0 MB\n"
    assert {file.name for file in cache.iterdir()} == {f"{0:032x}.py", f"{2:032x}.py", "secret", "notes.py"}


def test_clear_removes_the_caches_own_files_alone(cache):
    assert run("cache", "clear").exit_code == 0
    assert {file.name for file in cache.iterdir()} == {"secret", "notes.py"}


def test_a_cache_that_is_turned_off_says_so(monkeypatch):
    monkeypatch.setenv("AUTOOPT_CACHE", "off")
    assert run("cache").stdout == "The cache is turned off by AUTOOPT_CACHE.\n"
    assert json.loads(run("cache", "--json").stdout)["path"] is None
    assert run("cache", "clear").stdout == "Removed: 0 entries, 0.0 MB\n"


@pytest.mark.parametrize(("text", "size"), [("1k", 1000), ("1.5 MB", 1500000), ("2GB", 2 * 10**9), ("7", 7)])
def test_sizes_are_read(text, size):
    from autoopt.cli.cache import Size

    assert Size().convert(text, None, None) == size
