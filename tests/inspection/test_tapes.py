"""The tape as text: steps under the user's lines, shapes, guards, what depends on what, loops folded."""

from __future__ import annotations

import re

import numpy as np
import pytest
from corpus import CASES

import autoopt
from autoopt.inspection.folding import Fold, folded
from autoopt.tape.tape import Tape

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(8, 2)), RNG.normal(size=8)


def ridge(w, X, y):
    r = y - X @ w
    fit = r @ r
    return fit + np.sum(np.log(y**2)) + 0.5 * np.sum(w**2)


def garch(p, r):
    omega, alpha = p
    h = np.var(r)
    total = 0.0
    for t in range(1, len(r)):
        h = omega + alpha * r[t - 1] ** 2
        if h < 0:
            return np.inf
        total += np.log(h) + r[t] ** 2 / h
    return total


def nested(p):
    total = 0.0
    for i in range(7):
        row = p[0] * i
        for j in range(9):
            row = row * p[1] + j
        total += np.sin(row)
    return total


def kinds(p, flags):
    weights = np.arange(6.0)
    x = np.zeros(6)
    x[2:4] = p
    return np.sum(np.where(flags, x, -x) * weights) + (p.astype(float)[-1] > 1.0) * p[0]


def listing(f, x0, *args):
    """Return the lines of the tape without those of the head."""
    return str(autoopt.objective(f, x0, *args).tape).split("\n")


def test_steps_stand_under_the_lines_of_the_user_with_names_and_shapes():
    first = ridge.__code__.co_firstlineno
    rows = [re.sub(r" {2,}", "  ", row) for row in listing(ridge, np.zeros(2), X, Y)]
    assert rows[0].startswith("Tape of ridge (") and rows[0].endswith(f"test_tapes.py:{first})")
    assert rows[1] == "11 steps from 2 parameters"
    assert rows[2:5] == ["  w  (2,)  parameters", "  X  (8, 2)  data", "  y  (8,)  data"]
    assert rows[5:10] == [
        f"  {first + 1} | r = y - X @ w",
        "  s3 = X @ w  (8,)",
        "  r = y - s3  (8,)",
        f"  {first + 2} | fit = r @ r",
        "  fit = r @ r  ()",
    ]
    assert "  s8 = np.log(s7)  (8,)  data" in rows and rows[-1].strip() == "value: s15"


def test_representation_is_short():
    tape = autoopt.objective(garch, np.array([0.2, 0.1]), RNG.normal(size=40)).tape
    assert re.fullmatch(r"<tape of garch \(\S*test_tapes.py:\d+\): \d+ steps, 39 guards>", repr(tape))
    assert isinstance(tape.tape, Tape) and len(tape) == sum(s.operation is not None for s in tape.tape.steps)


def test_iterations_of_a_loop_are_folded_and_names_that_recur_are_numbered():
    first = garch.__code__.co_firstlineno
    rows = listing(garch, np.array([0.2, 0.1]), RNG.normal(size=400))
    assert len(rows) < 40
    assert any(row == f"      … 398 more times these 11 steps (lines {first + 5}-{first + 8})" for row in rows)
    assert any(re.match(r"      h\.\d+ = omega \+ s\d+ ", row) for row in rows)
    assert any(re.match(r"      guard: s\d+ is False, else another path is taken", row) for row in rows)
    assert {"      omega = p[0]", "      alpha = p[1]"} <= {row[:60].rstrip() for row in rows}


def test_a_loop_in_a_loop_is_folded_within_the_first_iteration():
    rows = [row for row in listing(nested, np.array([0.5, 0.3])) if "more times" in row]
    assert [re.sub(r" \(.*", "", row.strip()) for row in rows] == [
        "… 8 more times these 3 steps",
        "… 6 more times these 31 steps",
    ]


def test_the_vectorised_tape_has_the_loop_as_one_step():
    tape = autoopt.objective(garch, np.array([0.2, 0.1]), RNG.normal(size=400)).tape
    assert len(tape.vectorised) < 25 < len(tape)

    def chained(p):
        h = p[0]
        for _ in range(50):
            h = np.sin(h) * p[1]
        return h

    rows = str(autoopt.objective(chained, np.array([0.2, 0.1])).tape.vectorised).split("\n")
    assert any(row.strip().endswith("a loop, 50 iterations") for row in rows)
    assert any(re.match(r" {10}i\d+ = np.sin\(h", row) for row in rows)


TEXTS = {
    "written at an index": (kinds, r"s\d+ = x with \[2:4\] = p "),
    "constants by their names": (kinds, r"^      weights = np.arange\(6\.0\) +\(6,\) +constant$"),
    "outer arrays are from outside": (lambda p, flags: np.sum(p * Y[:2]), r"^      Y +\(8,\) +from outside$"),
    "options": (lambda p, flags: np.sum(np.outer(p, p), axis=0)[0], r"np\.sum\(s\d+, axis=0\)"),
    "comparisons have their type": (kinds, r"s\d+ = s\d+ > 1\.0 +\(\) bool$"),
    "small matrices are shown": (lambda p, flags: np.array([1.0, 2.0]) @ p, r"\[1\., 2\.\] @ p"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_a_step(name):
    f, pattern = TEXTS[name]
    rows = listing(f, np.array([0.5, 2.0]), np.array([True, False, True, True, False, True]))
    assert any(re.search(pattern, row) for row in rows), "\n".join(rows)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES if not case.xfail])
@pytest.mark.sampled(24)
def test_tape_of_the_corpus_is_told_in_lines_of_100_columns(case):
    with np.errstate(all="ignore"):
        tape = autoopt.objective(case.f, case.x0, *case.args).tape
    for shown in (tape, tape.vectorised):
        rows = str(shown).split("\n")
        assert len(rows) < 200 and max(map(len, rows[1:])) <= 100


FOLDS = {
    "nothing recurs": ("abcdef", list(range(6))),
    "two are shown": ("abab", list(range(4))),
    "a run of one": ("aaaab", [0, Fold(3, 0, 0), 4]),
    "a period": ("xabababy", [0, 1, 2, Fold(2, 1, 2), 7]),
    "the last one is cut short": ("abcabcabcab", [0, 1, 2, Fold(2, 0, 2), 9, 10]),
    "runs of other lengths": ("obbbbobbbbb", [0, 1, Fold(3, 1, 1), 5, 6, Fold(4, 6, 6)]),
    "inner folds of the first": ("oiiipoiiipoiiip", [0, 1, Fold(2, 1, 1), 4, Fold(2, 0, 4)]),
}


@pytest.mark.parametrize("name", FOLDS)
def test_folding_shows_or_counts_each_step_once(name):
    text, expected = FOLDS[name]
    found = folded(text)
    assert found == expected
    assert sum(1 if isinstance(entry, int) else entry.times * entry.size for entry in found) == len(text)
