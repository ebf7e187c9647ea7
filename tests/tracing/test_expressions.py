"""Inputs of a tape have the Python text that gives their arrays by the objective's own names."""

from collections import namedtuple
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import autoopt
from autoopt.tape.digest import digest
from autoopt.tape.skeleton import skeleton
from autoopt.tape.tape import Leaf
from autoopt.tracing.expressions import namespace

pd = pytest.importorskip("pandas")

X = np.random.default_rng(0).normal(size=(40, 2))
Y = X @ [1.0, 2.0]
Z = Y + 1.0
FRAME = pd.DataFrame({"time": np.exp(Y), "age": X[:, 0], "dose of it": X[:, 1], "g": ["a", "b"] * 20})
Pair = namedtuple("Pair", "X y")


class Model:
    def __init__(self):
        self.X, self.data = X.copy(), {"y": Y.copy()}

    def loss(self, w):
        return np.sum((self.data["y"] - self.X @ w) ** 2)

    def __call__(self, w):
        return self.loss(w)


class Slotted:
    __slots__ = ("X",)

    def __init__(self):
        self.X = X


def arrays(w, X, y):
    return np.sum((y - X @ w) ** 2)


def nested(w, data, pair):
    return np.sum((data["y"] - data["the X"] @ w) ** 2) + pair[0] * w[0] + np.sum(pair[1]["z"] * w[1])


def fields(w, pair):
    return np.sum((pair.y - pair.X @ w) ** 2)


def outside(w):
    return np.sum((Y - X @ w) ** 2)


def defaults(w, X, y=Y, *, z=Z):
    return np.sum((y - X @ w) ** 2) + np.sum(z * w[0])


def starred(w, *args):
    return np.sum((args[1] - args[0] @ w) ** 2)


def all_starred(*args):
    return np.sum((args[2] - args[1] @ args[0]) ** 2)


def reserved(w, value, gradient):
    return np.sum((gradient - value @ w) ** 2)


def slotted(w, model):
    return np.sum((model.X @ w) ** 2)


def columns(w, df):
    return np.sum((df["time"].to_numpy() - df[["age", "dose of it"]].to_numpy() @ w) ** 2) + np.sum(df.age * w[0])


def closed():
    design, response = X.copy(), Y.copy()

    def loss(w):
        return np.sum((response - design @ w) ** 2)

    return loss


def parts_of_frames(w, df):
    return (
        np.sum(df[df["g"] == "a"]["age"] * w[0])
        + np.sum(pd.get_dummies(df["g"]).to_numpy() @ w)
        + np.sum(df.loc[df.age > 0, "dose of it"].to_numpy() * w[1])
        + np.sum(df.sort_values("age").iloc[3:9]["time"] * w[0])
    )


WAYS = {
    "arrays": (arrays, (X, Y), {"X", "y"}),
    "dicts and tuples": (
        nested,
        ({"the X": X, "y": Y}, (2.5, {"z": Y})),
        {'data["the X"]', 'data["y"]', "pair[0]", 'pair[1]["z"]'},
    ),
    "named tuple": (fields, (Pair(X, Y),), {"pair.X", "pair.y"}),
    "plain object": (fields, (SimpleNamespace(X=X, y=Y),), {"pair.X", "pair.y"}),
    "slots": (slotted, (Slotted(),), {"model.X"}),
    "method": (Model().loss, (), {"self.X", 'self.data["y"]'}),
    "callable": (Model(), (), {"self.X", 'self.data["y"]'}),
    "globals": (outside, (), {"X", "Y"}),
    "outer variables": (closed(), (), {"design", "response"}),
    "defaults": (defaults, (X,), {"X", "y", "z"}),
    "given beforehand": (partial(arrays, X=X, y=Y), (), {"X", "y"}),
    "further arguments": (starred, (X, Y), {"args[0]", "args[1]"}),
    "all arguments": (all_starred, (X, Y), {"args[1]", "args[2]"}),
    "names of the source": (reserved, (X, Y), {"value", "gradient"}),
    "columns": (
        columns,
        (FRAME,),
        {'df["time"].to_numpy()', 'df[["age", "dose of it"]].to_numpy()', 'df["age"].to_numpy()'},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_expressions_give_the_inputs(way):
    function, args, expected = WAYS[way]
    objective = autoopt.objective(function, np.ones(2), *args)
    found = objective.inputs()
    assert {one.expression for one in found.values()} == expected
    kinds, names = namespace(function, args)
    assert all(kinds[one.root] == one.kind for one in found.values())
    leaves = objective.dispatch.paths[0].tape
    values = {leaf.name: leaves.values[index] for index, leaf in leaves.leaves().items() if index}
    for name, one in found.items():
        given = np.asarray(eval(one.expression, dict(names)))
        assert name not in values or np.array_equal(given, values[name])


def test_parts_of_frames_are_had_as_the_objective_has_them():
    found = autoopt.objective(parts_of_frames, np.ones(2), FRAME).inputs()
    assert len(found) == 4
    assert all(one.root == "df" and one.kind == "argument" for one in found.values())


def test_kinds_of_roots():
    def kinds(name):
        function, args, _ = WAYS[name]
        return {one.kind for one in autoopt.objective(function, np.ones(2), *args).inputs().values()}

    assert kinds("globals") == {"global"}
    assert kinds("outer variables") == {"outer"}
    assert kinds("method") == {"self"}


def changed(w, df):
    df = df.copy()
    df["time"] = df["time"] - 1.0
    return np.sum(df["time"] * w[0] + df["age"] * w[1])


def changed_itself(w, df):
    df["time"] = np.log(df["time"]) if df["time"].max() > 20.0 else df["time"]
    return np.sum(df["time"] * w[0] + df["age"] * w[1])


@pytest.mark.parametrize("function", [changed, changed_itself])
def test_what_the_objective_has_changed_has_no_expression_that_would_give_another(function):
    frame = FRAME.copy()
    objective = autoopt.objective(function, np.ones(2), frame)
    tape, (_, names) = objective.dispatch.paths[0].tape, namespace(function, (frame,))
    values = {leaf.name: tape.values[index] for index, leaf in tape.leaves().items() if index}
    for name, one in objective.inputs().items():
        assert not one.expression or np.array_equal(eval(one.expression, dict(names)), values[name])


def test_expressions_are_no_part_of_what_code_is_made_from():
    tape = autoopt.objective(arrays, np.ones(2), X, Y).dispatch.paths[0].tape
    known = digest(tape), skeleton(tape)
    assert all(leaf.expression for index, leaf in tape.leaves().items() if index)
    for index, leaf in tape.leaves().items():
        tape.steps[index] = tape.steps[index]._replace(template=Leaf(leaf.name, leaf.kind, "something_else"))
    assert known == (digest(tape), skeleton(tape))
    assert Leaf("X", "argument", "a") == Leaf("X", "argument", "b")
