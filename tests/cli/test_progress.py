"""What stderr shows of a fit that goes on: lines, or two lines of a terminal that are rewritten."""

from __future__ import annotations

import io
import subprocess
import sys

import click
import numpy as np
import pytest

from autoopt.cli import progress
from autoopt.cli.progress import Progress, described
from autoopt.solvers.run import Progress as Event
from autoopt.solvers.run import Stage


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns, and no second to wait."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(progress, "_FIRST", 0.0)
    return Terminal()


def shown(stream, *events, name="model.py"):
    before = sys.stdout, sys.stderr
    with Progress(stream, name) as show:
        for event in events:
            show.during(*event) if isinstance(event, tuple) else show(event)
    assert (sys.stdout, sys.stderr) == before
    return stream.getvalue()


def test_terminal_shows_file_phase_iteration_value_gradient_and_rate(terminal):
    text = shown(terminal, Event(0, 9.0, 1.0, 1.0), Event(12, 3.25, 1e-4, 2.0))
    for part in ("model.py", "minimising", "iteration 12", "value 3.25", "gradient 1.00e-04", "iterations/s"):
        assert part in text, part
    assert "tracing (120 steps)" in shown(Terminal(), ("tracing", "120 steps", 1.5))
    assert "\x1b[?25l" not in text  # the cursor stays: who is killed could not bring it back
    assert text.endswith("\x1b[2K") and "\x1b[36m" in text


def test_lines_never_break_on_a_narrow_terminal(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    text = shown(terminal, Event(123456, -3.25e-100, 1e-4, 2.0), name="a/long/path/to/the/model_of_everything.py")
    bare = click.unstyle(text).replace("\r", "\n")
    assert max(len(line) for line in bare.split("\n")) <= 30


def test_no_colour_on_request(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[36m" not in shown(terminal, Event(12, 3.25, 1e-4, 2.0))
    monkeypatch.delenv("NO_COLOR")
    context = click.Context(click.Command("fit"))
    context.color = False
    with context:
        assert "\x1b[36m" not in shown(Terminal(), Event(12, 3.25, 1e-4, 2.0))


def test_what_the_model_prints_stands_above(terminal):
    with Progress(terminal, "model.py") as show:
        show(Event(1, 1.0, 1.0, 1.0))
        print("a word of the model")
        show.say("what was [found]")
        show.say("what was [found]")
    text = terminal.getvalue()
    assert "a word of the model\n" in text and text.count("what was [found]\n") == 1


def test_nothing_is_shown_and_rich_not_imported_in_the_first_second():
    code = """
import io, sys
class Terminal(io.StringIO):
    def isatty(self): return True
from autoopt.cli.progress import Progress
from autoopt.solvers.run import Progress as Event
stream = Terminal()
with Progress(stream) as show:
    show(Event(1, 1.0, 1.0, 0.5))
print(repr(stream.getvalue()), "rich" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "'' False\n", done.stderr


@pytest.mark.parametrize("dumb", [False, True])
def test_elsewhere_lines_become_sparser(monkeypatch, dumb):
    """A terminal that says that it is dumb is no terminal."""
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal() if dumb else io.StringIO()
    events = [Event(i, 1.0, 1.0, i / 2) for i in range(1, 21)]
    text = shown(
        stream, *events, Stage(20, 1.0, 1.0, 10.0, "standard errors"), ("tracing", "", 1.0), ("tracing", "", 1.5)
    )
    lines = text.splitlines()
    assert [float(line.rsplit(maxsplit=2)[1]) for line in lines] == [1.0, 2.0, 4.0, 8.0, 10.0, 1.0]
    assert "standard errors" in lines[4] and "tracing" in lines[5] and "\x1b" not in text


@pytest.mark.parametrize(
    ("rate", "said"), [(6.25, "6.2 iterations/s"), (0.05, "20 s/iteration"), (0.0, None), (np.nan, None)]
)
def test_rate_is_that_of_iterations_or_of_seconds(rate, said):
    text = described(Event(3, 2.0, np.nan, 1.0), rate)
    assert text == "iteration 3   value 2" + (f"   {said}" if said else "")
