"""Text is laid out as ruff does, in lines of 100 columns at most, and says what it said."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ruff import complaints, formatted

from autoopt.layout import laid_out
from autoopt.layout.constants import constant, pieces
from autoopt.layout.documents import Either, Group, Indent, Line, rendered

STATEMENTS = Path(__file__).with_name("statements.txt").read_text().splitlines()


def module_of(depth: int) -> str:
    """Return a module with the statements so many levels deep, a function of each."""
    parts = []
    for number, statement in enumerate(STATEMENTS):
        own = statement.removesuffix(" pass").split("\n") + (["    pass"] if statement.endswith(": pass") else [])
        lines = [f"def f{number}(x):", *(f"{'    ' * level}for k{level} in x:" for level in range(1, depth))]
        lines += [""] if depth > 1 and statement.startswith("def ") else []
        parts.append("\n".join([*lines, *(f"{'    ' * depth}{line}" for line in own)]))
    return "\n\n\n".join(parts) + "\n"


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 8])
def test_statements_are_laid_out_as_ruff_does(depth) -> None:
    """At all depths, so that what is left of a line is more or less."""
    text = module_of(depth)
    ours = laid_out(text)
    assert ours == formatted(ours)
    assert max(map(len, ours.split("\n"))) <= 100
    assert laid_out(ours) == ours
    assert ast.dump(ast.parse(ours)) == ast.dump(ast.parse(text))


def test_a_wrong_layout_is_seen() -> None:
    text = "x = first_of_all_names * second_of_all_names + third_of_all_names * fourth_of_all_names + fifth\n"
    other = (
        "x = (\n    first_of_all_names * second_of_all_names\n    + third_of_all_names\n    * fourth_of_all_names)\n"
    )
    assert formatted(text) == text
    assert formatted(other) != other


def test_modules_pass_the_checks() -> None:
    """Comments and docstrings are wrapped, imports and what follows them apart, tables filled."""
    numbers = ", ".join(f"{k / 7!r}" for k in range(30))
    text = f'''"""Derivatives of a model whose name is long ({"folder/" * 12}model.py:12), written by autoopt."""

import numpy as np


COUNTS = {{(6, 7)}}  # how many iterations the loops may take: for these the code has been compared with the original
table = np.array([{numbers}])


def value(x):
    """Return the value."""
    # {"return np.sum(x ** 2) + " * 6}0
    if x[0] > 1:  # short
        raise ValueError(f"{"Some words that say what is wrong here. " * 4}{{x}}")
    return np.sum(table * x ** 2) + len(COUNTS)
'''
    ours = laid_out(text)
    assert max(map(len, ours.split("\n"))) <= 100
    assert ours == formatted(ours) == laid_out(ours)
    assert complaints(ours) == ""
    names: dict = {}
    exec(ours, names)
    assert names["table"].tolist() == [k / 7 for k in range(30)] and names["COUNTS"] == {(6, 7)}
    assert "\nimport numpy as np\n\n# how many iterations" in ours and "> 1:  # short\n" in ours


def test_what_is_not_known_stays_as_it_is() -> None:
    text = "x = [  # why\n    1,\n]\nasync def f(): await   g()\nx: int  = 3\nprint('a'   'b')\n"
    assert laid_out(text) == text


@pytest.mark.parametrize(
    "text, expected",
    [
        ("'a'", '"a"'),
        ("f'{a}'", 'f"{a}"'),
        ("'\"'", "'\"'"),
        ("'\\n'", "'\\n'"),
        ("b'a'", "b'a'"),
        ("1e+300", "1e300"),
        ("1E-05", "1e-05"),
        ("0xFF", "0xFF"),
    ],
)
def test_constants(text, expected) -> None:
    assert constant(text) == expected
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(expected))


@pytest.mark.parametrize(
    "text",
    [
        '"one two three four five"',
        "f'{a + b} {c} {{d}} one {d}'",
        r'"one \" two\n three"',
        '"oneverylongword and \\\\ another"',
    ],
)
@pytest.mark.parametrize("width", [8, 12, 20])
def test_texts_in_pieces_say_the_same(text, width) -> None:
    parts = pieces(text, width)
    assert len(parts) > 1 or len(text) <= width
    assert ast.dump(ast.parse(f"({' '.join(parts)})")) == ast.dump(ast.parse(text))


def test_groups_stand_on_one_line_or_have_all_their_lines_broken() -> None:
    inner = Group(["g(", Indent([Line(), "c,", Line(" "), "d"]), Line(), ")"])
    document = Group(["f(", Indent([Line(), "a,", Line(" "), inner, Either(",")]), Line(), ")"])
    assert rendered(document, 40, 0) == "f(a, g(c, d))"
    assert rendered(document, 12, 0) == "f(\n    a,\n    g(c, d),\n)"
    assert rendered(document, 9, 0) == "f(\n    a,\n    g(\n        c,\n        d\n    ),\n)"
