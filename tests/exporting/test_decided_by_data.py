"""What the data at hand decide in an objective is not silently part of an exported module."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt.exporting.module import source

RNG = np.random.default_rng(9)
N = 20
X, Y = RNG.normal(size=(N, 2)), RNG.normal(size=N)
Y[0] = 9.0
P = np.array([0.3, -0.2])


def squares(p, X, y):
    return np.sum((y - X @ p) ** 2)


def censored(p, X, y, d):
    m, r = d > 0, y - X @ p
    return np.sum(r[m] ** 2) + np.sum(np.logaddexp(0, -r[~m]))


def written(p, X, y, d):
    z = X @ p
    z[d > 0] *= 2
    return np.sum((y - z) ** 2)


def largest(p, X, y, d):
    return squares(p, X, y) + (X[np.argmax(y)] @ p) ** 4


def all_of_them(p, X, y, d):
    m = d > 0
    return squares(p, X[m], y[m]) / (1 if m.all() else 2)


def counted(p, X, y, d):
    return squares(p, X, y) + (X @ p)[: int(np.sum(d > 0))].sum()


FLAGS = {"all": np.ones(N), "none": np.zeros(N), "one": np.eye(N)[3], "half": np.arange(N) % 2.0}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("flags", ["all", "none", "one"])
@pytest.mark.parametrize("f", [censored, written, largest, all_of_them, counted], ids=lambda f: f.__name__)
def test_other_data_are_served_or_refused(f, flags) -> None:
    module: dict = {}
    exec(source(f, np.zeros(2), (X, Y, FLAGS[flags])), module)
    np.testing.assert_allclose(module["value_and_grad"](P, X, Y, FLAGS[flags])[0], f(P, X, Y, FLAGS[flags]), rtol=1e-12)
    for other in FLAGS.values():
        y = RNG.normal(size=N)
        try:
            value, gradient = module["value_and_grad"](P, X, y, other)
        except Exception as error:
            assert "written for" in str(error) or type(error).__name__ == "PathChanged"
            continue
        slope = [(f(P + 1e-6 * e, X, y, other) - f(P - 1e-6 * e, X, y, other)) / 2e-6 for e in np.eye(2)]
        np.testing.assert_allclose(value, f(P, X, y, other), rtol=1e-12)
        np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-6)


THRESHOLDS = {
    "n > 100": lambda p, X, y: squares(p, X, y) + (5.0 if len(y) > 100 else 1.0) * p @ p,
    "min": lambda p, X, y: squares(p, X, y) / min(len(y), 500),
    "//": lambda p, X, y: squares(p, X, y) + (len(y) // 1000) * p @ p,
    "batches": lambda p, X, y: sum(np.log1p(squares(p, X[i : i + 256], y[i : i + 256])) for i in range(0, len(y), 256)),
    "none": lambda p, X, y: squares(p, X, y) / len(y) + np.log(len(y)) * p @ p,
}


@pytest.mark.parametrize("name", THRESHOLDS)
def test_numbers_of_rows_by_which_the_objective_goes_are_refused(name) -> None:
    f = THRESHOLDS[name]
    module: dict = {}
    exec(source(f, np.zeros(2), (X, Y)), module)
    for n in (5, 21, 128, 600, 1500, 3000):
        more, y = RNG.normal(size=(n, 2)), RNG.normal(size=n)
        if name == "none":
            np.testing.assert_allclose(module["value_and_grad"](P, more, y)[0], f(P, more, y), rtol=1e-12)
        else:
            with pytest.raises(ValueError, match="written for 20 rows"):
                module["value_and_grad"](P, more, y)


def test_rows_of_arrays_in_a_dict_are_refused() -> None:
    def f(p, data):
        return THRESHOLDS["n > 100"](p, data["X"], data["y"])

    module: dict = {}
    exec(source(f, np.zeros(2), ({"X": X, "y": Y},)), module)
    with pytest.raises(ValueError, match="written for 20 rows of data_X, not 21"):
        module["value_and_grad"](P, {"X": RNG.normal(size=(21, 2)), "y": RNG.normal(size=21)})
