"""What autoopt writes of the reference models: right, golden, and not much longer than what is written by hand.

`AUTOOPT_GOLDEN=1 pytest tests/exporting/test_reference_models.py` rewrites the golden texts; `python -m
benchmarks.exported` has operations and times besides.
"""

from __future__ import annotations

import os
import re
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from autoopt.parameters import Structure

exported = pytest.importorskip("benchmarks.exported", reason="the benchmarks are not beside the tests")
from benchmarks.counting import counted  # noqa: E402
from benchmarks.reference_models import MODELS  # noqa: E402

GOLDEN = Path(__file__).parents[1] / "golden" / "reference_models"
EVERY = pytest.mark.parametrize("name", MODELS)

MOST = 1.5
"""Lines of ours by lines by hand."""

CEILINGS = {
    "softmax": 1.6,
    "cox": 1.89,
    "negative-binomial": 1.91,
    "network": 2.0,
    "nested-logit": 2.46,
    "hmm": 1.63,
    "kalman": 2.71,
    "garch": 2.13,
}
"""The same for models of which ours is still longer. These may only fall."""


@cache
def written(name):
    return exported.Exported.of(MODELS[name])


def at(ours, x0):
    """Return our module with other parameters."""
    return exported.Exported(ours.text, ours.model, x0, ours.data)


@pytest.mark.sampled(3)
@EVERY
def test_by_hand_is_right(name):
    model = MODELS[name]
    x0, data = model.started()
    value, gradient = model.by_hand(x0, *data)
    np.testing.assert_allclose(value, model.objective(x0, *data), rtol=1e-12)
    assert exported.error_of(model, exported.flat(model, gradient)) < 1e-11


@EVERY
def test_by_hand_is_no_longer_than_a_hundred_columns(name):
    assert max(map(len, exported.text_by_hand(MODELS[name]).splitlines())) <= 100


@pytest.mark.slow_for("garch", "gp-cholesky", "mixture", "softmax")
@pytest.mark.sampled(9)
@EVERY
def test_ours_agrees_with_the_objective_and_by_hand(name):
    model, ours = MODELS[name], written(name)
    structure = Structure.of(ours.x0)
    start = structure.flatten(ours.x0)
    shifted = structure.unflatten(start + 0.05 * np.random.default_rng(3).normal(size=start.size))
    for x0 in (ours.x0, shifted):
        value, gradient = at(ours, x0).call()()
        by_hand = exported.flat(model, model.by_hand(x0, *ours.data)[1])
        np.testing.assert_allclose(value, model.objective(x0, *ours.data), rtol=1e-11)
        assert exported.relative(exported.flat(model, gradient), by_hand) < 1e-11
        np.testing.assert_equal(at(ours, x0).call(once=True)()[0], value)
    assert exported.error_of(model, exported.flat(model, ours.call()()[1])) < 1e-11


@EVERY
def test_ours_is_not_much_longer_than_by_hand(name):
    ours = written(name)
    lines = exported.lines(ours.text, *ours.entries)
    assert lines <= CEILINGS.get(name, MOST) * exported.lines(exported.text_by_hand(ours.model), "value_and_grad")


@pytest.mark.parametrize("name", ["logistic", "poisson"])
def test_the_simplest_have_at_most_eight_lines(name):
    ours = written(name)
    assert exported.lines(ours.text, *ours.entries) <= 8


@pytest.mark.slow_for("kalman")
@EVERY
def test_text_is_golden(name):
    text = re.sub(r"(?m)^# autoopt [0-9a-f]{32}.*\n", "", written(name).text)
    text = text.replace(str(Path(__file__).parents[2]), "FOLDER")
    text = re.sub(r"autoopt \d+\.\d+[\w.]*", "autoopt VERSION", text)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("AUTOOPT_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


# What measures --------------------------------------------------------------------------------------------------------


def test_an_error_of_a_thousandth_is_seen():
    model = MODELS["garch"]
    x0, data = model.started()
    gradient = model.by_hand(x0, *data)[1]
    assert exported.error_of(model, gradient * [1, 1, 1.001]) > 1e-5


TEXT = '''
import numpy as np

def unused(x):
    return x

def helper(x):
    """Return twice x."""

    # a comment
    return 2 * x

def prepare(y):
    n = len(y)
    return {"n": n}

def value_and_grad(x, n):
    value = helper(
        x
    )
    return value
'''


def test_lines_are_those_of_what_is_called():
    assert exported.lines(TEXT, "value_and_grad") == 5
    assert exported.lines(TEXT, "value_and_grad", "prepare") == 7


@pytest.mark.parametrize(
    ("body", "operations", "elements"),
    [
        ("x + 1", 1, 20),
        ("x[1:]", 0, 0),
        ("x[0] * 2", 1, 2),
        ("x[[0, 1]]", 1, 4),
        ("np.exp(-x)", 2, 40),
        ("x.sum() + 2.0 * 3.0", 2, 11 + 2),
        ("x[:, None].reshape(2, 5).T", 0, 0),
        ("np.exp(x, out=x)", 1, 30),
        ("np.vdot(x, x)", 1, 21),
        ("helper(x)", 1, 20),
    ],
)
def test_operations_are_counted(body, operations, elements):
    text = f"import numpy as np\ndef helper(x):\n    return 2 * x\ndef f(x):\n    return {body}\n"
    counts = counted(text, lambda names: names["f"](np.ones(10)))
    assert (counts.operations, counts.elements) == (operations, elements)


def test_operations_in_place_are_counted():
    text = "def f(x):\n    for i in range(2):\n        x[i + 1 :] -= 2 * x[0]\n    return x\n"
    counts = counted(text, lambda names: names["f"](np.ones(4)))
    assert (counts.operations, counts.elements) == (4, (3 + 1 + 3) + (2 + 1 + 2) + 2 * 2)


def test_calls_take_turns(monkeypatch):
    monkeypatch.setattr(exported, "LEAST", 0.0)
    order = []
    exported.times(partial(order.append, "a"), partial(order.append, "b"))
    assert "".join(order) == "ab" + "ab" * exported.ROUNDS
