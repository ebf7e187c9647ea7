"""Streams that are closed, or cannot have a name: the result is shown all the same."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from autoopt.cli import ending
from autoopt.cli.main import main


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A working folder with a table one of whose columns has a Greek name."""
    monkeypatch.chdir(tmp_path)
    x = np.arange(20.0)
    rows = "\n".join(f"{a},{1 + 2 * a + np.sin(9 * a)}" for a in x)
    (tmp_path / "d.csv").write_text(f"α,y\n{rows}\n", encoding="utf-8")


@pytest.mark.parametrize("charset", ["latin-1", "cp1252"])
def test_a_name_that_the_encoding_has_not_is_escaped(table, charset):
    found = CliRunner(charset=charset).invoke(
        main, ["fit", "linear", "--data", "d.csv", "--formula", "y ~ α", "--quiet"]
    )
    assert found.exit_code == 0 and "\\u03b1" in found.stdout and "Intercept" in found.stdout


def test_json_needs_no_escape_of_its_own(table):
    call = ["fit", "linear", "--data", "d.csv", "--formula", "y ~ α", "--quiet", "--json"]
    found = CliRunner(charset="latin-1").invoke(main, call)
    assert json.loads(found.stdout)["names"] == ["Intercept", "α"]


def test_what_cannot_be_written_to_a_closed_stdout_is_shown(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout", None)
    assert ending.show("the result", None) is False
    assert capsys.readouterr().err.splitlines() == [
        "Error: The result cannot be written to stdout, which is closed. It is:", "the result",
    ]  # fmt: skip


def test_a_closed_stdin_has_no_data(table, monkeypatch):
    import autoopt
    from autoopt.errors import DataError

    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(DataError, match="stdin is closed"):
        autoopt.fit("linear", data="-", formula="y ~ x")
