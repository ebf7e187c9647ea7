"""Where the time of value and gradient goes: clocks between statements, and what is told of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from irregular_programs import irregular

import autoopt
from autoopt.cli.main import main
from autoopt.errors import Location, UsageError
from autoopt.inspection import clock as clocks
from autoopt.inspection.modules import Module, Quotes

TEXT = """
def inner(x):
    # y = slow(x)
    y = tick(3, x)
    return y


def value_and_grad(x):
    z = tick(2, x)
    # return inner(z)
    value = tick(7, inner(z))
    gradient = tick(5, value)
    return value, gradient
"""
QUOTES = Quotes({text: Location("model.py", k) for k, text in enumerate(("y = slow(x)", "return inner(z)"), 1)})


@pytest.fixture
def ticking(monkeypatch):
    """A clock of which only `tick(n, ...)` takes time: n seconds."""
    now = [0.0]

    def tick(seconds, result):
        now[0] += seconds
        return result

    monkeypatch.setattr(clocks.time, "perf_counter", lambda: now[0])
    return tick


def test_seconds_are_those_of_the_statement_that_runs_and_of_its_caller_after_it(ticking):
    module = Module(TEXT.lstrip(), "value_and_grad", QUOTES)
    clock = clocks.Clock(len(module.statements))
    namespace = {"_at": clock.at, "_here": clock.here, "_returned": clock.returned, "tick": ticking}
    exec(compile(module.marked(), "<test>", "exec"), namespace)
    seconds = clock.turn(lambda: namespace["value_and_grad"](ticking(1, 0)))
    told = {
        one.text: (spent, one.line and one.line.line) for one, spent in zip(module.statements, seconds, strict=False)
    }
    assert told == {
        "y = tick(3, x)": (3.0, 1),
        "return y": (0.0, 1),
        "z = tick(2, x)": (2.0, None),
        "value = tick(7, inner(z))": (7.0, 2),
        "gradient = tick(5, value)": (5.0, None),
        "return value, gradient": (0.0, None),
    }
    assert seconds[-1] == 1.0, "what is before the first statement is none's"


def heavy(w, A, b):
    small = np.sum(w**2)
    return b @ np.linalg.solve(A * np.exp(w[0]), b) + small


def test_the_line_that_takes_the_time_is_told_and_the_sum_is_near_the_whole():
    A = np.eye(120) + 0.01
    times = autoopt.objective(heavy, np.zeros(2), A, np.ones(120)).times()
    first = heavy.__code__.co_firstlineno
    by_line = {place.line - first: spent for place, spent in times.by_line().items()}
    assert by_line[2] > 10 * by_line.get(1, 0.0)
    assert times.whole / 3 < times.total < 3 * times.whole
    rows = str(times).split("\n")
    assert rows[0].startswith("Time of value and gradient: ") and max(map(len, rows)) <= 100
    assert any(row.startswith(f"{first + 2:>4} | return b @ np.linalg.solve") for row in rows)
    told = json.loads(json.dumps(times.to_dict()))
    assert {one["line"] - first for one in told["lines"]} >= {2} and told["turns"] == times.turns


def test_what_is_not_derived_is_timed_along_its_tape(too_long):
    times = autoopt.objective(irregular, np.full(3, 0.3)).times()
    first = irregular.__code__.co_firstlineno
    assert {place.line - first for place in times.by_line()} == {3}
    assert "It is evaluated along its tape" in str(times)


def test_an_engine_without_source_is_refused():
    with pytest.raises(UsageError, match="no source"):
        autoopt.objective(heavy, np.zeros(2), np.eye(2), np.ones(2), engine="numba").times()


def test_check_shows_it_where_it_is_asked_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ["import numpy as np", "x0 = np.ones(3)", "def objective(x):", "    z = np.exp(x)", "    return z @ z"]
    (tmp_path / "model.py").write_text("\n".join(lines) + "\n")
    plain, verbose = (CliRunner().invoke(main, ["check", "model.py", *more]) for more in ((), ("-v",)))
    assert plain.exit_code == verbose.exit_code == 0
    assert plain.stdout.count("All is well.") == verbose.stdout.count("All is well.") == 1 and not plain.stderr
    assert "Time of" not in plain.output and "Time of value and gradient: " in verbose.output
    assert "   5 | return z @ z" in verbose.output
