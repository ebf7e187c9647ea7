"""Tables that an objective reads outside its arguments are arguments of exported functions, under their own names."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from autoopt.exporting.module import source

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(4)
FRAME = pd.DataFrame({"dose": RNG.exponential(2.0, 60), "answer": RNG.normal(size=60), "group": ["a", "b"] * 30})


def of_global(p):
    """Columns as attributes and items, and what is made of them."""
    mean = p[0] + p[1] * np.log1p(FRAME.dose) + p[2] * (FRAME["group"] == "a")
    return ((FRAME.answer - mean) ** 2).mean()


class Study:
    """A frame below an attribute, beside an array of the same object."""

    def __init__(self, frame, weights) -> None:
        self.frame, self.weights = frame, weights

    def loss(self, p):
        mean = p[0] + p[1] * np.log1p(self.frame["dose"]) + p[2] * (self.frame["group"] == "a")
        return (self.weights * (self.frame["answer"] - mean) ** 2).sum() / len(self.weights)


def of_closure(frames):
    def loss(p):
        train = frames["train"]
        mean = p[0] + p[1] * np.log1p(train["dose"]) + p[2] * (train["group"] == "a")
        return ((train["answer"] - mean) ** 2).mean()

    return loss


STUDY = Study(FRAME, np.linspace(1.0, 2.0, 60))
CASES = {
    "global": (of_global, ["FRAME"]),
    "attribute": (STUDY.loss, ["frame", "weights"]),
    "closure": (of_closure({"train": FRAME}), ["train"]),
}


@pytest.mark.slow_for("attribute", "global")
@pytest.mark.parametrize("name", CASES)
def test_tables_outside_are_arguments(name) -> None:
    f, tables = CASES[name]
    namespace: dict = {}
    exec(compile(source(f, np.zeros(3), (), ["gradient", "hessian"]), "exported.py", "exec"), namespace)
    arguments = list(inspect.signature(namespace["value_and_grad"]).parameters)[1:]
    assert sorted(arguments) == sorted(tables)
    more = pd.concat([FRAME, FRAME.iloc[:1]], ignore_index=True)
    p = np.array([0.3, -0.2, 0.4])
    for frame in (FRAME, more):
        weights = np.linspace(1.0, 2.0, len(frame)) if "weights" in tables else np.ones(len(frame))
        X = np.stack([np.ones(len(frame)), np.log1p(frame["dose"]), frame["group"] == "a"], axis=1).astype(float)
        r = frame["answer"].to_numpy() - X @ p
        given = [weights if argument == "weights" else frame for argument in arguments]
        value, gradient = namespace["value_and_grad"](p, *given)
        np.testing.assert_allclose(value, (weights * r * r).mean(), rtol=1e-12)
        np.testing.assert_allclose(gradient, -2 * X.T @ (weights * r) / len(frame), rtol=1e-10)
        hessian = namespace["hess"](p, *given)
        np.testing.assert_allclose(hessian, 2 * X.T @ (weights[:, None] * X) / len(frame), rtol=1e-10)


def of_groups(p):
    """Groups of a global frame, each a table of its own that nobody has a name for."""
    fitted = p[0] + p[1] * np.log1p(FRAME["dose"])
    total = 0.0
    for _, part in FRAME.groupby("group"):
        total = total + ((part["answer"] - fitted[part.index]) ** 2).mean()
    return total + p[2] ** 2


def test_columns_of_nameless_tables_are_no_arguments() -> None:
    namespace: dict = {}
    exec(compile(source(of_groups, np.zeros(3), ()), "exported.py", "exec"), namespace)
    assert list(inspect.signature(namespace["value_and_grad"]).parameters) == ["p", "FRAME"]
    p = np.array([0.3, -0.2, 0.4])
    value, gradient = namespace["value_and_grad"](p, FRAME)
    slope = [(of_groups(p + 1e-6 * e) - of_groups(p - 1e-6 * e)) / 2e-6 for e in np.eye(3)]
    np.testing.assert_allclose(value, of_groups(p), rtol=1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=1e-7)
    with pytest.raises(ValueError, match="written for what is in FRAME"):
        namespace["value_and_grad"](p, FRAME.assign(group=["b", "a"] * 30))
