"""The rules of the house: how long files, classes and functions are, and words that are not used any more."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.whole
HERE = Path(__file__).parent
ROOT = HERE.parent
if not (ROOT / "autoopt").is_dir():
    pytest.skip("the tests are run away from the sources", allow_module_level=True)

LIBRARY = sorted([*(ROOT / "autoopt").rglob("*.py"), *(ROOT / "cli").rglob("*.py")])
TESTS = sorted(HERE.rglob("*.py"))
MOST_LINES = {"file": 450, "class": 250, "function": 50, "test file": 600}

LONGER: dict[str, str] = {
    "models/shipped/negative_binomial.py: curvatures": "printed, not written",
    "models/shipped/student.py: curvatures": "printed, not written",
}
"""What may be longer, by name ("codegen/listing.py", "codegen/listing.py: Listing"), and why."""

OLD_MODULES = ("hot", "interpretation", "supplied", "faults", "renewal", "lifting", "narrowing")
OLD_WORDS = re.compile(r"\b(Hot|Supplied|Renewal|Leftovers|surroundings)\b")
OLD_PATHS = re.compile(rf"\bautoopt\.(?:\w+\.)*(?:{'|'.join(OLD_MODULES)})\b|\b(?:{'|'.join(OLD_MODULES)})\.py\b")


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix().removeprefix("autoopt/")


def definitions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, str, int]]:
    """Return kind, name and number of lines of each class and function, without the docstring of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kind = "class" if isinstance(child, ast.ClassDef) else "function"
            first = child.lineno if kind == "class" or not ast.get_docstring(child) else child.body[0].end_lineno
            yield kind, prefix + child.name, child.end_lineno - first + 1
            yield from definitions(child, f"{prefix}{child.name}.")
        else:
            yield from definitions(child, prefix)


def too_long() -> dict[str, int]:
    """Return how many lines each of what is too long has, by its name."""
    lengths = {}
    for file in LIBRARY:
        text, name = file.read_text(), name_of(file)
        parts = [("file", name, text.count("\n"))]
        parts += [(kind, f"{name}: {what}", lines) for kind, what, lines in definitions(ast.parse(text))]
        lengths |= {what: lines for kind, what, lines in parts if lines > MOST_LINES[kind]}
    for file in TESTS:
        lines = file.read_text().count("\n")
        if lines > MOST_LINES["test file"]:
            lengths[name_of(file)] = lines
    return lengths


def test_nothing_is_too_long() -> None:
    lengths = too_long()
    assert {what: lines for what, lines in lengths.items() if what not in LONGER} == {}
    assert sorted(set(LONGER) - set(lengths)) == [], "not too long any more"


def test_test_files_have_names_of_their_own() -> None:
    names = [file.name for file in TESTS if file.name not in ("__init__.py", "conftest.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def old_names(text: str) -> list[str]:
    return [match.group() for pattern in (OLD_WORDS, OLD_PATHS) for match in pattern.finditer(text)]


def test_old_names_are_gone() -> None:
    files = [file for file in [*LIBRARY, *TESTS, *(ROOT / "benchmarks").rglob("*.py")] if file.name != "test_house.py"]
    files += [*ROOT.glob("*.rst"), *(ROOT / "docs").glob("*.rst")]
    found = {name_of(file): old_names(file.read_text()) for file in files if file.name != "CHANGELOG.rst"}
    assert {name: words for name, words in found.items() if words} == {}
    assert not [file for file in LIBRARY if file.stem in OLD_MODULES]


def test_an_old_name_would_be_seen() -> None:
    assert old_names("from autoopt.hot import Hot") == ["Hot", "autoopt.hot"]
    assert old_names("a hot path, faults of the user's, what is supplied") == []
