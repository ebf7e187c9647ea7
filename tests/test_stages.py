"""What takes longer than a second says what it is and how far; Ctrl-C leaves what there is."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from click.testing import CliRunner

import autoopt
from autoopt import stages
from autoopt.stages import Pace, counted, during, line, listening, progressed, stage


@pytest.fixture
def quick(monkeypatch):
    """Stages are shown after 0.05 s, and looked at every 0.01 s."""
    monkeypatch.setattr(stages, "QUIET", 0.05)
    monkeypatch.setattr(stages, "_LOOK", 0.01)


class Heard:
    def __init__(self):
        self.events = []

    def during(self, name, far, seconds):
        self.events.append((name, far, seconds))

    def __call__(self, event):
        self.events.append((str(event), "", event.seconds))

    def wait(self, text):
        """Wait until a stage of this name has been shown."""
        deadline = time.monotonic() + 20
        while not any(text in name for name, _, _ in self.events):
            assert time.monotonic() < deadline, self.events
            threading.Event().wait(0.005)


def test_stage_that_lasts_is_shown_with_how_far_it_is(quick):
    heard, done = Heard(), [0]
    with listening(heard), stage("deriving", lambda: f"{done[0]} of 3"):
        heard.wait("deriving")
        done[0] = 2
        count = len(heard.events)
        while len(heard.events) < count + 2:
            threading.Event().wait(0.005)
    assert heard.events[0][:2] == ("deriving", "0 of 3") and heard.events[-1][:2] == ("deriving", "2 of 3")
    assert all(seconds >= 0.05 for _, _, seconds in heard.events)
    count = len(heard.events)
    threading.Event().wait(0.03)
    assert len(heard.events) == count


def test_stages_inside_one_another_are_shown_together(quick):
    heard = Heard()
    with listening(heard), stage("fit"), stage("standard errors"):
        heard.wait("standard errors")
    assert heard.events[-1][0] == "fit: standard errors"


def test_short_stages_of_a_long_one_are_not_named(quick):
    heard = Heard()
    with listening(heard), stage("minimising"):
        while not heard.events:
            with stage("tracing"):
                pass
    assert heard.events[0][0] == "minimising"


def test_stage_whose_progress_is_shown_otherwise_is_silent(quick, monkeypatch):
    monkeypatch.setattr(stages, "QUIET", 0.2)
    heard = Heard()
    with listening(heard), stage("minimising"):
        for _ in range(40):
            threading.Event().wait(0.01)
            progressed()
    assert heard.events == []


def test_parts_are_counted(quick):
    heard = Heard()
    with listening(heard):
        for part in counted("columns", "ab"):
            if part == "b":
                heard.wait("columns")
    assert heard.events[-1][:2] == ("columns", "1 of 2") and stages._LOCAL.listener is None


def test_error_of_what_is_shown_is_nobodys(quick):
    class Broken:
        def during(self, *event):
            raise ValueError

    with listening(Broken()), stage("tracing"):
        threading.Event().wait(0.1)


def test_other_threads_are_not_heard(quick):
    heard, found = Heard(), []
    with listening(heard):
        thread = threading.Thread(target=lambda: found.append(stages._LOCAL.listener))
        thread.start()
        thread.join()
    assert found == [None]


def test_nobody_listens_by_default():
    before = threading.active_count()

    @during("tracing")
    def traced():
        return threading.active_count(), stages._LOCAL.listener

    assert traced() == (before, None)
    with listening(None), listening(print):
        assert traced() == (before, None)


def test_function_that_is_a_stage_says_how_far_by_its_arguments(quick):
    heard = Heard()

    @during("deriving", lambda count, *rest: f"{count} steps")
    def derived(count, text):
        heard.wait("deriving")
        return text

    with listening(heard):
        assert derived(3, "text") == "text"
    assert heard.events[0][:2] == ("deriving", "3 steps")


def test_what_is_derived_is_told(quick, monkeypatch):
    heard = Heard()
    cache = importlib.import_module("autoopt.execution.source_cache")
    monkeypatch.setattr(cache, "read", lambda key: heard.wait("deriving"))
    with listening(heard):
        autoopt.objective(lambda x: np.sum(x**2), np.ones(2)).grad(np.ones(2))
    assert heard.events[-1][0] == "compiling: deriving" and heard.events[-1][1].startswith("value and gradient, ")


def test_lines_become_sparser():
    pace = Pace()
    shown = [seconds for seconds in np.arange(0.5, 10.0, 0.5) if pace.is_due("deriving", seconds)]
    assert shown == [1.0, 2.0, 4.0, 8.0]
    assert pace.is_due("compiling", 1.0) and not pace.is_due("compiling", 1.1)
    assert pace.is_due("compiling", 2.5) and not pace.is_due("compiling", 0.3) and pace.is_due("compiling", 1.2)


def test_line_of_a_stage():
    assert line("minimising: tracing", "12 steps", 1.25) == "minimising: tracing (12 steps) ...   1.2 s"
    assert line("deriving", "", 12.0) == "deriving ...   12.0 s"


# In minimize and on the command line ----------------------------------------------------------------------------------


def slow(x):
    total = 0.0
    for k in range(30):
        time.sleep(0.005)
        total = total + (x[0] - k) ** 2
    return total


@pytest.mark.slow
def test_minimize_says_what_it_does(quick):
    heard = Heard()
    result = autoopt.minimize(slow, [0.5], progress=heard)
    np.testing.assert_allclose(result.x, [14.5])
    names = " ".join(name for name, _, _ in heard.events)
    assert "tracing" in names and "comparing with the original function" in names
    assert any("steps" in event[1] for event in heard.events if event[0] == "tracing")


@pytest.mark.slow
def test_minimize_prints_what_it_does(quick, capsys):
    autoopt.minimize(slow, [0.5], progress=True)
    shown = capsys.readouterr().err
    assert "tracing (" in shown and " steps) ...   0." in shown and "iteration" in shown


def test_option_of_the_signature_is_still_there():
    import inspect

    assert "progress" in inspect.signature(autoopt.minimize).parameters
    assert "progress" in inspect.signature(autoopt.fit).parameters


@pytest.mark.parametrize("where", ["trace", "compile", "verify"])
def test_ctrl_c_before_the_first_iteration_leaves_the_start(where, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    places = {"trace": ("objectives.original", "trace"), "compile": ("execution.engines", "compiled")}
    room, name = places.get(where, ("check", "compare"))
    monkeypatch.setattr(importlib.import_module(f"autoopt.{room}"), name, interrupt)
    with pytest.raises(KeyboardInterrupt) as stop:
        autoopt.minimize(lambda p: p["a"] ** 2 + np.sum(p["b"] ** 2), {"a": 1.0, "b": np.ones(2)}, method="cg")
    result = stop.value.result
    assert result.status == 130 and not result.success and result.nit == 0 and np.isnan(result.fun)
    assert result.message == "Interrupted before the first iteration; x is the start."
    assert result.x["a"] == 1.0 and result.x_flat.tolist() == [1.0, 1.0, 1.0] and result.method == "cg"
    monkeypatch.undo()
    np.testing.assert_allclose(autoopt.minimize(lambda x: (x[0] - 1.0) ** 2, [0.0]).x, [1.0])


def test_ctrl_c_while_the_state_is_left_keeps_the_solution():
    calls, limit = [0], [np.inf]

    def loss(x):
        calls[0] += 1
        if calls[0] > limit[0]:
            raise KeyboardInterrupt
        return (x[0] - 1.0) ** 2

    autoopt.minimize(loss, [0.0])
    limit[0], calls[0] = calls[0] - 1, 0
    with pytest.raises(KeyboardInterrupt) as stop:
        autoopt.minimize(loss, [0.0])
    np.testing.assert_allclose(stop.value.result.x, [1.0])


MODEL = """
    import time
    import numpy as np
    x0 = [3.0, 4.0]
    def objective(x):
        total = 0.0
        for k in range(400):
            time.sleep(0.01)
            total = total + np.exp(x[0] - k) * x[1] ** 2
        return total
"""


@pytest.mark.slow
def test_command_line_says_that_it_traces_and_ctrl_c_shows_the_start(tmp_path):
    (tmp_path / "slow.py").write_text(textwrap.dedent(MODEL))
    command = [sys.executable, "-m", "autoopt.cli", "fit", str(tmp_path / "slow.py"), "--method", "cg"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        shown = process.stderr.readline()
        os.kill(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert shown.startswith("tracing (") and " steps) ...   1." in shown
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr and "interrupted" in stdout
    lines = [text.split() for text in stdout.splitlines()]
    assert ["x[0]", "3"] in lines and ["x[1]", "4"] in lines


@pytest.mark.parametrize("is_quiet", [False, True])
@pytest.mark.slow
def test_quiet_command_line_says_nothing(tmp_path, quick, is_quiet):
    from autoopt.cli.main import main

    (tmp_path / "slow.py").write_text(textwrap.dedent(MODEL).replace("400", "15"))
    options = ["fit", str(tmp_path / "slow.py"), "--verify", "off", "--maxiter", "1"]
    outcome = CliRunner().invoke(main, options + ["--quiet"] * is_quiet)
    assert outcome.exit_code in (0, 3)
    assert (outcome.stderr == "") if is_quiet else outcome.stderr.startswith("tracing (")
