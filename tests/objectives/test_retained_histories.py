"""Random histories: what a function reads changes between calls and during them; each value is the function's."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

import autoopt
from autoopt.objectives import retained


@dataclass
class Model:
    """What an objective may read: numbers, arrays, containers and code of an object."""

    weight: float = 1.0
    values: np.ndarray = field(default_factory=lambda: np.array([1.0, 2.0]))
    factors: dict = field(default_factory=lambda: {"k": 3.0, "b": np.ones(3)})
    levels: list = field(default_factory=lambda: [1.0, 2.0])

    def loss(self, x):
        terms = np.sum((x[1] - self.values) ** 2) * self.factors["k"] + np.sum(self.factors["b"]) * x[0] ** 2
        return (x[0] - self.weight) ** 2 + terms + (x[1] - self.levels[1]) ** 2

    def __call__(self, x):
        return self.loss(x) + self.weight


def nearest(x):
    return x[1] ** 2


def farthest(x):
    return (x[1] - 1.0) ** 2


def made(level, values, function):
    """Return a closure over a number that decides nothing, an array that does, and a function."""

    def loss(x):
        total = 0.0
        for value in values:
            total = total + (x[0] - value) ** 2 if value > 0 else total + 2.0 * (x[0] - value) ** 2
        return total + function(x) * level + (x[1] - level) ** 2

    return loss


def smooth(level, values, scale):
    return lambda x: np.sum((x[0] - values) ** 2) + (x[1] - level) ** 2 * scale


class World:
    """What objectives read, and its changes."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.model = Model()
        self.arrays = [self.rng.normal(size=3) for _ in range(3)]
        self.changes = [
            lambda: setattr(self.model, "weight", float(self.rng.integers(3))),
            lambda: setattr(self.model, "values", self.rng.normal(size=self.rng.integers(2, 4))),
            lambda: self.model.values.__setitem__(0, self.rng.normal()),
            lambda: self.model.factors.update(k=float(self.rng.integers(1, 3))),
            lambda: self.model.factors["b"].__setitem__(1, self.rng.uniform()),
            lambda: setattr(self.model, "levels", [1.0, float(self.rng.integers(3))]),
            lambda: self.model.levels.__setitem__(1, float(self.rng.integers(3))),
            lambda: self.arrays[0].__setitem__(0, self.rng.normal()),
            lambda: self.arrays.__setitem__(1, self.rng.normal(size=3)),
        ]

    def change(self):
        self.changes[self.rng.integers(len(self.changes))]()

    def objective(self):
        kind, array = self.rng.integers(4), self.arrays[self.rng.integers(3)]
        if kind < 2:
            return self.model.loss if kind else self.model
        if kind == 2:
            return made(float(self.rng.integers(1, 4)), array, (nearest, farthest)[self.rng.integers(2)])
        return smooth(self.rng.normal(), array, float(self.rng.integers(1, 3)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.sampled(3)
def test_every_value_and_gradient_is_that_of_a_new_objective(seed, monkeypatch):
    resumed, kept = [], retained._Entry.resumed
    monkeypatch.setattr(
        retained._Entry, "resumed", lambda self, *rest: resumed.append(kept(self, *rest)) or resumed[-1]
    )
    world = World(seed)
    for _ in range(50):
        if world.rng.integers(3) == 0:
            world.change()
        function, x = world.objective(), world.rng.normal(size=2)
        with retained.resumable(function, x) as objective:
            for _ in range(1 + world.rng.integers(2)):
                value, gradient = objective.value_and_grad(x)
                np.testing.assert_allclose(value, function(x), rtol=1e-11)
                np.testing.assert_allclose(gradient, autoopt.objective(function, x).grad(x), rtol=1e-9, atol=1e-10)
                world.change()
    assert sum(objective is not None for objective in resumed) >= 5
