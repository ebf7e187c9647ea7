"""The tutorial and the README as a newcomer types them: command by command, in one folder, with what comes out."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from autoopt.cli.main import main

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial.rst"
if not PAGE.is_file():
    pytest.skip("the tests are run away from the documents", allow_module_level=True)

COMMAND = re.compile(r"^    \$ (.+(?:(?<=\\)\n.+)*)\n((?:(?:    (?!\$ ).*)?\n)*)", re.M)
NEW = "mean_radius,mean_texture\n14,19\n18,22\n"


def typed(page):
    """Yield the commands of a page, each with what it prints there."""
    for command, shown in COMMAND.findall(page.read_text(encoding="utf-8") + "\n"):
        yield command, "\n".join(line[4:] for line in shown.rstrip().split("\n"))


def run(command, folder):
    """Run what was typed, by this Python, and return what it printed on stdout."""
    words = command.replace("python ", f"{sys.executable} ", 1) if command.startswith("python ") else command
    words = re.sub(r"^autoopt\b", f"{sys.executable} -m autoopt", words)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(words, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_tutorial_is_what_comes_out(tmp_path):
    shutil.copy(ROOT / "examples" / "data" / "breast_cancer.csv", tmp_path / "tumours.csv")
    (tmp_path / "new.csv").write_text(NEW)
    commands = list(typed(PAGE))
    assert len(commands) > 9
    is_same = doctest.OutputChecker().check_output
    for command, shown in commands:
        printed = run(command, tmp_path)
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert is_same(shown + "\n", printed, flags), f"$ {command}\n{printed}\n-- but the page has\n{shown}"
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "mean_texture" in report and "<svg" in report


@pytest.mark.slow
def test_code_of_the_tutorial_runs(tmp_path, monkeypatch):
    shutil.copy(ROOT / "examples" / "data" / "breast_cancer.csv", tmp_path / "tumours.csv")
    run(next(command for command, _ in typed(PAGE)), tmp_path)
    monkeypatch.chdir(tmp_path)
    code = re.search(r"code-block:: python\n\n((?: {4}.*\n|\n)+)", PAGE.read_text(encoding="utf-8")).group(1)
    scope: dict = {}
    exec(re.sub(r"^ {4}", "", code, flags=re.M), scope)
    assert scope["fit"].status == "converged"


def test_commands_of_the_readme_are_there_with_their_options():
    lines = re.findall(r"^    autoopt (.*)$", (ROOT / "README.rst").read_text(encoding="utf-8"), re.M)
    assert len(lines) > 7
    context = click.Context(main)
    for line in lines:
        words = re.split(r" +# ", line)[0]
        names = [words.split()[0]] if " " in words.strip(",") and "," not in words else re.split(r",\s*", words)
        for name in names:
            command = main.get_command(context, name.split()[0])
            assert command is not None, line
            known = {option for parameter in command.params for option in parameter.opts}
            assert set(re.findall(r"--[\w-]+", line)) <= known, line
