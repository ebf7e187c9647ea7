"""`autoopt derive MODEL --latex`: LaTeX, or Markdown by the name of the file."""

import latex_reading
import numpy as np
import pytest
from click.testing import CliRunner

from autoopt.cli.main import main

MODEL = """\
import numpy as np

x0 = np.zeros(2)
X = np.array([[1.0, 0.5], [1.0, -0.5], [1.0, 2.0]])
data = (X, np.array([0.0, 1.0, 1.0]))


def objective(beta, X, y):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


print("hello")
"""
LOOP = """\
import numpy as np

x0 = np.array([0.5, 0.1])
data = (np.arange(30.0),)


def objective(p, y):
    h, total = 1.0, 0.0
    for i in range(len(y)):
        h = p[0] * h + p[1] * y[i] ** 2
        total += np.log(h) + y[i] / h
    return total
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "loop.py").write_text(LOOP)
    return tmp_path


def run(*args):
    return CliRunner().invoke(main, list(args), prog_name="autoopt")


def test_formulas_are_shown_or_written(folder) -> None:
    shown = run("derive", "model.py", "--latex")
    assert shown.exit_code == 0 and "hello" in shown.stderr and "hello" not in shown.stdout
    assert r"\nabla_{\beta} \ell &= X^{\top} (\sigma(\eta) - y)" in shown.stdout
    assert shown.stdout.startswith("% Model and gradient of objective (") and "model.py:8)" in shown.stdout
    for name, mark in (("m.tex", r"\begin{align*}"), ("m.md", "$$")):
        assert run("derive", "model.py", "--latex", "-o", name).exit_code == 0
        text = (folder / name).read_text()
        assert mark in text
        given = {"X": np.eye(2), "y": np.array([1.0, 0.0]), r"\beta": np.array([0.3, 0.2])}
        value, (slope,) = latex_reading.value_and_slopes(text, given, [r"\beta"])
        assert value == pytest.approx(np.log(1 + np.exp(0.3)) - 0.3 + np.log(1 + np.exp(0.2)))
        assert slope.ravel() == pytest.approx([1 / (1 + np.exp(-0.3)) - 1, 1 / (1 + np.exp(-0.2))])


def test_what_does_not_go_is_said(folder) -> None:
    refused = run("derive", "loop.py", "--latex")
    assert refused.exit_code == 1
    assert "a loop in which each iteration" in refused.stderr and "loop.py:10" in refused.stderr
    for option in (["--hvp"], ["--order", "2"]):
        assert run("derive", "model.py", "--latex", *option).exit_code == 2
