"""Ctrl-C and SIGTERM in each phase of a fit: the best point is shown, and the run directory knows of it."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

import autoopt
from autoopt.cli.main import main
from autoopt.runs.run import read

MODEL = """
import numpy as np
kind = "negative log-likelihood"
x0 = [0.0, 0.0]
data = {"y": np.array([1.0, 2.0, 4.0, 7.0])}
def objective(params, y):
    mean, log_sd = params
    return np.sum(0.5 * ((y - mean) / np.exp(log_sd)) ** 2 + log_sd)
"""

SOLUTION, START, NOTHING = "3.5", "0", None

PHASES = {
    "reading": ("autoopt.fitting.modelfile.load", NOTHING),
    "calling the objective": ("autoopt.fitting.opening.Opened.minimised", START),
    "tracing": ("autoopt.objectives.original.trace", START),
    "compiling": ("autoopt.execution.engines.compiled", START),
    "comparing the start": ("autoopt.check.compare", START),
    "choosing the method": ("autoopt.solvers.choice.seconds_to_derive", START),
    "solving": ("autoopt.solvers.problem.Problem.iterated", "0."),
    "looking at the solution": ("autoopt.solvers.run.verdict", SOLUTION),
    "comparing the solution": ("autoopt.minimize.verified_solution", SOLUTION),
    "looking for causes": ("autoopt.minimize.diagnosed", SOLUTION),
    "standard errors": ("autoopt.fitting.fit.with_covariance", SOLUTION),
}
"""Where the signal comes, and what is shown of the mean: all digits, or how it begins."""

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}


def signalling(monkeypatch, name, number):
    """Have a function send this process a signal when it is called first, and then do what it does."""
    owner, _, attribute = name.rpartition(".")
    try:
        place = importlib.import_module(owner)
    except ModuleNotFoundError:
        module, _, kind = owner.rpartition(".")
        place = getattr(importlib.import_module(module), kind)
    own, sent = getattr(place, attribute), []

    def send(*args, **options):
        if not sent:
            sent.append(number)
            os.kill(os.getpid(), number)
        return own(*args, **options)

    monkeypatch.setattr(place, attribute, send)
    return sent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.sampled(3)
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("phase", PHASES)
def test_a_signal_in_any_phase_shows_the_best_point(folder, monkeypatch, phase, number):
    name, mean = PHASES[phase]
    sent = signalling(monkeypatch, name, number)
    method = ["--method", "bfgs"] if phase == "solving" else []  # whose first step is short
    outcome = CliRunner().invoke(main, ["fit", "model.py", "--quiet", *method])
    assert sent and outcome.exit_code == SIGNALS[number], outcome.output
    assert "Traceback" not in outcome.output
    if mean is NOTHING:
        assert outcome.stdout == "" and ("Interrupted." in outcome.stderr or "Terminated." in outcome.stderr)
        return
    shown = next(line.split() for line in outcome.stdout.splitlines() if line.split()[:1] == ["params[0]"])
    assert shown[1].startswith(mean) and "interrupted" in outcome.stdout


OTHERS = {
    "writing the first checkpoint": ("autoopt.runs.recorder.Recorder.describe", START),
    "writing the result": ("autoopt.runs.run.Run._told", SOLUTION),
    "writing the report": ("autoopt.fitting.keeping._report", SOLUTION),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("phase", [*PHASES, *OTHERS])
def test_a_run_directory_knows_of_the_interruption(folder, monkeypatch, phase):
    whole = autoopt.fit("model.py")
    sent = signalling(monkeypatch, (PHASES | OTHERS)[phase][0], signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        autoopt.fit("model.py", run_dir="run")
    assert sent
    monkeypatch.undo()
    os.chdir(folder)
    told = json.loads((folder / "run" / "result.json").read_text())
    assert told["status"] == told["run"]["state"] == "interrupted" and ("params" in told) == (phase != "reading")
    found = autoopt.resume("run")
    assert found.params == pytest.approx(whole.params, rel=1e-6) and found.bse == pytest.approx(whole.bse, rel=1e-6)
    assert json.loads((folder / "run" / "result.json").read_text())["status"] == "converged"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("phase", [*PHASES, *OTHERS])
def test_what_a_kill_leaves_in_any_phase_goes_on(folder, monkeypatch, phase):
    """A copy of the directory is what the disk holds of a process that ends there without a word."""
    whole = autoopt.fit("model.py")
    monkeypatch.setattr(os, "kill", lambda *_: shutil.copytree("run", "killed"))
    assert not signalling(monkeypatch, (PHASES | OTHERS)[phase][0], signal.SIGKILL)
    autoopt.fit("model.py", run_dir="run")
    monkeypatch.undo()
    os.chdir(folder)
    if phase == "writing the report":  # the result is there
        assert json.loads((folder / "killed" / "result.json").read_text())["status"] == "converged"
        return
    assert read("killed").point.state == "running"
    found = autoopt.resume("killed")
    assert found.params == pytest.approx(whole.params, rel=1e-6) and found.bse == pytest.approx(whole.bse, rel=1e-6)


TWICE = """
    import os, signal
    from autoopt.fitting.fitted import Fit
    x0 = [3.0, 4.0]
    def objective(x):
        return (x ** 2).sum()
    def jac(x):
        os.kill(os.getpid(), signal.NUMBER)
        return 2 * x
    def summary(self):  # while the best point is about to be shown
        os.kill(os.getpid(), signal.NUMBER)
    Fit.summary = summary
"""


@pytest.mark.sampled(3)
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_second_signal_ends_at_once(folder, number):
    (folder / "twice.py").write_text(textwrap.dedent(TWICE).replace("NUMBER", number.name))
    command = [sys.executable, "-m", "autoopt.cli", "fit", "twice.py", "--verify", "off", "--method", "cg", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (SIGNALS[number], "", "\nEnded at once.\n")


def test_handlers_are_put_back_and_ignored_signals_stay_ignored(folder):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert CliRunner().invoke(main, ["fit", "model.py", "--quiet"]).exit_code == 0
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)


# What cannot be written is told before the fit ------------------------------------------------------------------------


def no_room(*args):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("command", [["fit"], ["derive"]])
def test_an_output_without_room_is_told_first(folder, monkeypatch, command):
    monkeypatch.setattr(os, "fsync", no_room)
    outcome = CliRunner().invoke(main, [*command, "model.py", "--output", "out.txt"])
    assert outcome.exit_code == 2 and "--output out.txt cannot be written: No space left on device" in outcome.stderr
    assert outcome.stdout == "" and sorted(path.name for path in folder.iterdir()) == ["model.py"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder of Linux that nobody can write to")
def test_an_output_without_rights_is_told_first(folder):
    outcome = CliRunner().invoke(main, ["fit", "model.py", "--output", "/proc/self/result.txt"])
    assert outcome.exit_code == 2 and "cannot be written" in outcome.stderr and outcome.stdout == ""
