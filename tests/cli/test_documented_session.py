"""The session on the page of the command line: each command is run, and prints what the page says."""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from autoopt.cli.main import main, usages

ROOT = Path(__file__).parents[2]
if not (ROOT / "docs").is_dir():
    pytest.skip("the tests are run away from the documents", allow_module_level=True)

PAGE = (ROOT / "docs" / "command_line.rst").read_text(encoding="utf-8")
_BLOCK = re.compile(r"::\n\n((?:(?: {4}.*)?\n)+)")
_OTHERS = {"completion", "resume", "methods"}
"""Commands that the page tells of without showing them."""


def session(text):
    """Return the commands of a page with what it shows of their output."""
    blocks = [textwrap.dedent(block) for block in _BLOCK.findall(text) if block.startswith("    $ ")]
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.M)[1:]]
    return [tuple(part.split("\n", 1)) for part in parts]


def agrees(wanted, printed):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(wanted.strip() + "\n", printed.strip() + "\n", flags)


@pytest.mark.slow
def test_session_of_the_page_is_what_comes_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "examples" / "data" / "breast_cancer.csv", tmp_path)
    (tmp_path / "new.csv").write_text("mean_radius,mean_texture\n12,18\n15,20\n18,22\n")
    commands = session(PAGE)
    for command, wanted in commands:
        name, *args = shlex.split(command)
        outcome = CliRunner().invoke(main, args, prog_name=name, terminal_width=100)
        assert name == "autoopt" and outcome.exit_code == 0, (command, outcome.output)
        assert agrees(wanted, outcome.stdout), f"{command}\n{outcome.stdout}\n--- the page has\n{wanted}"
    assert {shlex.split(command)[1] for command, _ in commands} == set(usages()) - _OTHERS


def test_a_number_that_is_not_that_of_the_page_is_seen():
    assert agrees("a  1.5\n...\nb", "a 1.5\nmore\nb\n") and not agrees("a  1.5\n...\nb", "a 1.6\nmore\nb\n")


@pytest.mark.parametrize("document", ["docs/command_line.rst", "README.rst"])
def test_every_command_is_named(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert [name for name in usages() if not re.search(rf"\b{name}\b", text)] == []


def test_every_option_of_the_page_is_one():
    known = {option for name in usages() for param in main.get_command(None, name).params for option in param.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", PAGE))
    assert sorted(named - known) == []
