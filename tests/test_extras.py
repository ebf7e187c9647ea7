"""What an optional package is missing for is said, with the command that installs it."""

import re
import sys
from pathlib import Path

import pytest

from autoopt.errors import UsageError
from autoopt.extras import imported


def test_a_module_that_is_there_is_imported():
    assert imported("json", "report", "Reports").dumps([]) == "[]"


@pytest.mark.parametrize(("purpose", "verb"), [("Reports", "need"), ("A picture", "needs")])
def test_a_missing_package_is_told_with_its_pip_command(monkeypatch, purpose, verb):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError) as told:
        imported("matplotlib.figure", "plot", purpose)
    assert told.value.happened == f"{purpose} {verb} matplotlib, which is not installed."
    assert told.value.remedy == 'run pip install "autoopt[plot]".'


def test_what_is_missing_inside_a_package_is_not_laid_to_pip(tmp_path, monkeypatch):
    (tmp_path / "half_there.py").write_text("import not_there_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        imported("half_there", "plot", "Pictures")


def test_extras_that_messages_name_are_those_of_setup():
    """The third one is a string in each call of `imported`."""
    root = Path(__file__).parents[1]
    calls = re.compile(r"\bimported\(\s*\"[\w.]+\",\s*\"(\w+)\"")
    named = {name for file in (root / "autoopt").rglob("*.py") for name in calls.findall(file.read_text())}
    text = (root / "setup.py").read_text()
    assert all(f'"{name}": [' in text or f'"{name}": {name.upper()}' in text for name in named)
