"""Texts and whole numbers made of the parameters: they may decide anything, and what they lead to has no derivative."""

from __future__ import annotations

import logging
import sys

import numpy as np
import pytest

import autoopt
from autoopt.errors import TracingError

LOG = logging.getLogger("a model")


def cubes(x):
    return np.sum(x**3)


def memo(key, places=None):
    kept = {} if places is None else places

    def objective(x):
        k = key(x)
        if k not in kept:
            kept[k] = cubes(x)
        return kept[k] ** 2

    return objective


KEYS = {
    "str": str,
    "repr": lambda x: repr(x.tolist()),
    "f-string": lambda x: f"{x[0]:.12f} {x[1]!r}",
    "percent": lambda x: "%.12f %.12f" % (x[0], x[1]),  # noqa: UP031
    "percent of an array": lambda x: "%s" % x,  # noqa: UP031
    "format": lambda x: "{} {}".format(*x),
    "join": lambda x: ",".join(map(str, x)),
    "array2string": np.array2string,
    "array_repr": np.array_repr,
    "bytes of text": lambda x: str(x).encode(),
    "tuple of texts": lambda x: tuple(str(v) for v in x),
    "int": lambda x: (int(x[0] * 1e9), int(x[1] * 1e9)),
    "round": lambda x: tuple(round(v * 1e9) for v in x),
    "floor division": lambda x: int(x[0] // 1e-9),
    "integers": lambda x: tuple((x * 1e9).astype(int).tolist()),
    "bytes of integers": lambda x: (x * 1e9).astype(np.int64).tobytes(),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_memo_filled_before_is_refused_and_one_that_is_empty_followed(key):
    x = np.array([1.1, 0.5])
    filled = memo(key)
    filled(x)
    with pytest.raises(
        TracingError, match=r"a text or a whole number[\s\S]*test_texts\.py:\d+[\s\S]*anew in each call"
    ):
        autoopt.grad(filled)(x)
    objective = autoopt.objective(memo(key), x)
    for point in (x, x + 0.2, x, -x):
        value, gradient = objective.value_and_grad(point)
        assert value == pytest.approx(cubes(point) ** 2)
        assert gradient == pytest.approx(2 * cubes(point) * 3 * point**2)


class OnSelf:
    def __init__(self):
        self.kept = {}

    def __call__(self, x):
        k = str(x)
        if k not in self.kept:
            self.kept[k] = cubes(x)
        return self.kept[k] + x[0]


def by_default(x, _kept={}):  # noqa: B006
    k = f"{x}"
    if k not in _kept:
        _kept[k] = cubes(x)
    return _kept[k] + x[0]


def on_the_function(x):
    found = on_the_function.kept.get(repr(x))
    if found is None:
        found = on_the_function.kept[repr(x)] = cubes(x)
    return found + x[0]


on_the_function.kept = {}
LEVELS = {}


def of_two_levels(x):
    first, second = str(x[0]), str(x[1])
    inner = LEVELS.setdefault(first, {})
    if second not in inner:
        inner[second] = cubes(x)
    return LEVELS[first][second] + x[0]


@pytest.mark.parametrize("make", [OnSelf, lambda: by_default, lambda: on_the_function, lambda: of_two_levels])
def test_a_memo_is_refused_wherever_it_is_kept(make):
    f, x = make(), np.array([1.1, 0.5])
    f(x)
    with pytest.raises(TracingError, match="a text or a whole number"):
        autoopt.grad(f)(x)


@pytest.mark.parametrize("share", [1.0, 1e-2, 1e-3])
def test_a_memo_is_refused_however_small_its_share(share):
    memo: dict = {}

    def f(x):
        key = tuple((x * 1e11).astype(int))
        if key not in memo:
            memo[key] = np.sqrt(1.0 + (x[1] + 0.96) ** 2)
        return share * np.sin(memo[key]) + np.sum(np.sin(x) * np.sum(x))

    x = np.array([-0.08, -0.83, -0.55])
    f(x)
    with pytest.raises(TracingError, match="a text or a whole number"):
        autoopt.grad(f)(x)


def test_a_memo_in_a_function_of_several_values_is_refused():
    kept, x = {}, np.array([1.1, 0.5])

    def f(x):
        k = str(x)
        if k not in kept:
            kept[k] = x**3
        return [kept[k][0], kept[k][1], x[0]]

    f(x)
    with pytest.raises(TracingError, match="a text or a whole number"):
        autoopt.jacobian(f)(x)


RATES = {"1": 3.0, "2": 5.0, "0": 1.0, "-1": 2.0}
KNOTS = np.linspace(-4, 4, 4001)
TABLE = np.sin(KNOTS)


def line(x):
    i = int((x[0] + 4) * 500)
    t = (x[0] - KNOTS[i]) / (KNOTS[i + 1] - KNOTS[i])
    return TABLE[i] * (1 - t) + TABLE[i + 1] * t + x[1] ** 2


DECISIONS = {
    "key": lambda x: RATES[f"{x[0]:.0f}"] * x[0] ** 2,
    "startswith": lambda x: x[0] ** 2 if str(x[0]).startswith("-") else x[0] ** 3,
    "comparison": lambda x: x[0] ** 2 if "%.1f" % x[0] < "1.0" else x[0] ** 3,  # noqa: UP031
    "length": lambda x: len(f"{x[0]:.0f}") * x[0] ** 2,
    "int of text": lambda x: int(f"{x[0]:.0f}") * x[0],
    "table": lambda x: TABLE[int((x[0] + 4) * 500)] + x[1] ** 2,
    "interpolation": line,
    "whole number": lambda x: round(x[0]) * x[0] ** 2 + x[1],
}


@pytest.mark.parametrize("f", DECISIONS.values(), ids=DECISIONS)
def test_decisions_are_those_of_each_point(f):
    points = np.array([[1.1003, 0.5], [-1.3003, 0.4], [2.2003, -0.3], [0.9303, 0.1], [1.1003, 0.2], [-1.1003, 0.7]])
    objective = autoopt.objective(f, points[0])
    for x in (*points, *points):
        value, gradient = objective.value_and_grad(x)
        slopes = [(f(x + step) - f(x - step)) / 2e-6 for step in 1e-6 * np.eye(2)]
        assert value == pytest.approx(f(x))
        assert gradient == pytest.approx(slopes, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    "read",
    [
        lambda x: np.asarray(list(map(str, x)), dtype=float),
        lambda x: np.array([f"{v:.12f}" for v in x]).astype(float),
        lambda x: np.fromstring(" ".join(map(str, x)), sep=" "),
    ],
)
def test_numbers_read_from_a_text_are_refused(read):
    with pytest.raises(TracingError, match="a text or a whole number"):
        autoopt.grad(lambda x: np.sum(read(x) ** 2))(np.array([1.1, 0.5]))


def shown(x):
    value = np.sum(x**2)
    print(f"loss {value:.3f}", value)
    LOG.info("loss %g", value)
    LOG.debug(f"loss {value}")
    message = f"at {x}"
    message += f", {value:.2f}"
    lines = f"{x[0]}"
    if value > 1e9:
        raise ValueError(message)
    assert value < 1e9, f"too large: {value}"
    sys.stdout.write(lines)
    return value


def test_texts_that_are_shown_cost_nothing(capsys, monkeypatch):
    objective = autoopt.objective(shown, np.array([1.0, 2.0]))
    objective.value_and_grad(np.array([1.0, 2.0]))
    assert "loss 5.000 5.0" in capsys.readouterr().out
    monkeypatch.setattr(objective.dispatch, "traced", None)
    assert objective.grad(np.array([0.5, 3.0])) == pytest.approx([1.0, 6.0])
