"""How many squared residuals an objective sums, and means over rows where sums are needed: both by the tape."""

import numpy as np
import pytest

from autoopt.objectives.objective import Objective
from autoopt.tape.rows import NotByRow
from autoopt.tape.rows.means import mean_over_rows
from autoopt.tape.rows.squares import Counting, squares
from autoopt.tape.tape import call

RNG = np.random.default_rng(3)
N = 12
T = RNG.uniform(0.1, 2.0, N)
Y = np.exp(-T) + 0.1 * RNG.normal(size=N)
GAPS = np.where(np.arange(N) % 4 == 0, np.nan, Y)  # three are missing
OK = ~np.isnan(GAPS)
W = RNG.uniform(1.0, 2.0, N)
ZERO = np.where(np.arange(N) % 3 == 0, 0.0, W)  # four are zero
TABLE = Y[:, np.newaxis] + RNG.normal(size=(N, 4))
groups = np.arange(N) // 3
P = np.array([0.8, 0.7])


def tape(objective, *args):
    return Objective(objective, P, args).dispatch.paths[0].tape


def r(p, t, y):
    return y - p[0] * np.exp(-p[1] * t)


def by_loop(p, t, y):
    total = 0.0
    for i in range(len(t)):
        if not np.isnan(y[i]):
            total += (y[i] - p[0] * np.exp(-p[1] * t[i])) ** 2
    return total


def with_memory(p, t, y):
    total = error = 0.0
    for i in range(N):
        error = Y[i] - p[0] - p[1] * np.tanh(error)
        total += error * error
    return total


def put(p, t, y):
    left = np.zeros(N)
    left[OK] = r(p, t, y)[OK]
    return left @ left


COUNTS = {
    "sum": (lambda p, t, y: np.sum(r(p, t, Y) ** 2), N),
    "method, square": (lambda p, t, y: np.square(r(p, t, Y)).sum(), N),
    "product": (lambda p, t, y: np.sum(r(p, t, Y) * r(p, t, Y)), N),
    "dot": (lambda p, t, y: r(p, t, Y) @ r(p, t, Y), N),
    "vdot": (lambda p, t, y: np.vdot(r(p, t, Y), r(p, t, Y)), N),
    "einsum": (lambda p, t, y: np.einsum("ij,ij->", TABLE - r(p, t, 0)[:, None], TABLE - r(p, t, 0)[:, None]), 4 * N),
    "norm": (lambda p, t, y: np.linalg.norm(TABLE - r(p, t, 0)[:, None]) ** 2, 4 * N),
    "columns": (lambda p, t, y: (r(p, t, Y)[:, None].T @ r(p, t, Y)[:, None])[0, 0], N),
    "table": (lambda p, t, y: np.sum((TABLE + r(p, t, 0)[:, None]) ** 2), 4 * N),
    "table by rows": (lambda p, t, y: np.sum(np.sum((TABLE + r(p, t, 0)[:, None]) ** 2, axis=1)), 4 * N),
    "two sums": (lambda p, t, y: np.sum(r(p, t, Y) ** 2) + np.sum((T - p[1]) ** 2), 2 * N),
    "a vector of another length": (lambda p, t, y: np.sum((Y[:5] - p[0] * t[:5] - p[1]) ** 2), 5),
    "nansum": (lambda p, t, y: np.nansum(r(p, t, y) ** 2), 9),
    "mask": (lambda p, t, y: np.sum(r(p, t[OK], y[OK]) ** 2), 9),
    "mask of the data": (lambda p, t, y: np.sum(r(p, t, y)[~np.isnan(y)] ** 2), 9),
    "sum where": (lambda p, t, y: np.sum(r(p, t, y) ** 2, where=~np.isnan(y)), 9),
    "np.where": (lambda p, t, y: np.sum(np.where(np.isnan(y), 0, r(p, t, y)) ** 2), 9),
    "nan_to_num": (lambda p, t, y: np.sum(np.nan_to_num(r(p, t, y)) ** 2), 9),
    "times a mask": (lambda p, t, y: np.sum((r(p, t, Y) * OK) ** 2), 9),
    "each times a mask": (lambda p, t, y: np.sum((Y * OK - r(p, t, 0) * OK) ** 2), 9),
    "put": (put, 9),
    "loop": (by_loop, 9),
    "loop with memory": (with_memory, N),
    "weights": (lambda p, t, y: np.sum(W * r(p, t, Y) ** 2), N),
    "weights that are zero": (lambda p, t, y: np.sum(ZERO * r(p, t, Y) ** 2), 8),
    "weights, dot": (lambda p, t, y: ZERO @ r(p, t, Y) ** 2, 8),
    "errors": (lambda p, t, y: np.sum((r(p, t, Y) / W) ** 2) / 2, N),
    "mean": (lambda p, t, y: np.mean(r(p, t, Y) ** 2), N),
    "mean of what is there": (lambda p, t, y: np.nanmean(r(p, t, y) ** 2), 9),
    "weighted mean": (lambda p, t, y: np.average(r(p, t, Y) ** 2, weights=ZERO), 8),
    "complex": (lambda p, t, y: np.sum(np.abs(Y - p[0] * np.exp(1j * p[1] * t)) ** 2), 2 * N),
    "groups": (lambda p, t, y: np.sum(np.bincount(groups, weights=r(p, t, Y) ** 2)), N),
    "some groups": (lambda p, t, y: sum(np.sum(r(p, t, Y)[groups == k] ** 2) for k in (0, 2)), 6),
    "root": (lambda p, t, y: np.sqrt(np.sum(r(p, t, Y) ** 2)) ** 2, N),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", COUNTS)
def test_squared_residuals_are_counted(name):
    objective, expected = COUNTS[name]
    assert squares(tape(objective, T, GAPS), P) == expected


def test_squares_of_long_loops_are_counted():
    """Of one in which an error is that of the last step, too."""

    def moving_average(p, y):
        total = error = 0.0
        for value in y:
            error = value - p[0] - p[1] * np.tanh(error)
            total += error * error
        return total

    assert squares(tape(moving_average, RNG.normal(size=1500)), P) == 1500


def test_means_of_long_loops_are_seen():
    def total(p, y):
        added = 0.0
        for value in y:
            added += 0.5 * (value - p[0]) ** 2 / p[1] + 2 * np.log(p[1])
        return added

    y = RNG.normal(size=300)
    means = (lambda p, y: total(p, y) / len(y), lambda p, y: total(p, y) * (1 / 300), total)
    assert [bool(mean_over_rows(tape(one, y))) for one in means] == [True, True, False]


def test_steps_that_others_read_twice_are_looked_at_once(monkeypatch):
    begun, rows = np.arange(4.0), np.abs(RNG.normal(size=(30, 4)))
    rows[:, 0] = 0.0  # where the model is 0, too

    def logistic(p, y, z):
        total = 0.0
        for row in y:
            z = z + p[0] * z * (1 - z / 10)
            total = total + np.sum((row - z) ** 2)
        return total

    def shrunk(p, y):
        weights = np.abs(y)
        for _ in range(30):
            weights = np.sqrt(weights * weights + weights) / 2
        return np.mean(weights * (y - p[0]) ** 2)

    counted = {"squares": 0, "means": 0}

    def counting(name, function):
        def called(*given):
            counted[name] += 1
            assert counted[name] < 2000, "steps are looked at by all ways back"
            return function(*given)

        return called

    monkeypatch.setattr(Counting, "alive", counting("squares", Counting.alive))
    monkeypatch.setattr("autoopt.tape.rows.means.call", counting("means", call))
    assert squares(tape(logistic, rows, begun), P) == 90
    assert mean_over_rows(tape(shrunk, Y), N)[0] == N
    assert counted["squares"] and counted["means"]


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        (lambda p, t, y: np.sum(r(p, t, y) ** 2) - 200.0, "goes through subtract"),
        (lambda p, t, y: np.sum(r(p, t, y) ** 2) + np.sum(y**2), "what no parameter changes"),
        (lambda p, t, y: np.log(np.sum(r(p, t, y) ** 2)), "goes through log"),
        (lambda p, t, y: np.sum(np.abs(r(p, t, y))), "goes through absolute"),
        (lambda p, t, y: np.sum(np.abs(r(p, t, y)) * r(p, t, y)), "goes through multiply"),
        (lambda p, t, y: np.sum(r(p, t, y) ** 2) + 0.1 * p @ p, "as of a penalty"),
        (lambda p, t, y: np.sum(-W * r(p, t, y) ** 2), "squares are subtracted"),
        (lambda p, t, y: np.linalg.norm(r(p, t, y), 1) ** 2, "not the Euclidean"),
        (lambda p, t, y: r(p, t, y) @ np.diag(W) @ r(p, t, y), "goes through matmul"),
        (lambda p, t, y: np.sum(r(p, t, y) ** 2 / p[0]), "goes through divide"),
    ],
)
def test_what_is_no_sum_of_squares_is_not_counted(objective, said):
    with pytest.raises(NotByRow, match=said):
        squares(tape(objective, T, Y), P)


def term(p, t, y):
    return p[1] + 0.5 * (r(p, t, y) / np.exp(p[1])) ** 2


DRAWS = RNG.normal(size=(5, N))
MEANS = {
    "mean": (lambda p, t, y: np.mean(term(p, t, y)), N),
    "half of a mean, and a penalty": (lambda p, t, y: -np.mean(-term(p, t, y)) / 2 + 0.1 * p @ p, N),
    "over the number": (lambda p, t, y: np.sum(term(p, t, y)) / len(y), N),
    "each over the number": (lambda p, t, y: np.sum(term(p, t, y) / y.size), N),
    "times one over it": (lambda p, t, y: np.sum(term(p, t, y)) * (1 / N), N),
    "products": (lambda p, t, y: (np.sum(np.logaddexp(0, p[0] * t + p[1])) - y @ (p[0] * t + p[1])) / N, N),
    "average": (lambda p, t, y: np.average(term(p, t, y), weights=W), N),
    "over the weights": (lambda p, t, y: W @ term(p, t, y) / W.sum(), N),
    "over groups": (lambda p, t, y: np.mean([np.sum(term(p, t[groups == k], y[groups == k])) for k in range(4)]), 4),
    "columns of means": (lambda p, t, y: np.sum(np.mean((TABLE - r(p, t, 0)[:, None]) ** 2, axis=0)), N),
    "sum": (lambda p, t, y: np.sum(term(p, t, y)), None),
    "half": (lambda p, t, y: 0.5 * np.sum(term(p, t, y)), None),
    "mean times the number": (lambda p, t, y: np.mean(term(p, t, y)) * len(y), None),
    "mean of the parameters": (lambda p, t, y: np.sum(term(p, t, y)) + np.mean(p**2), None),
    "concentrated": (lambda p, t, y: N / 2 * np.log(np.mean(r(p, t, y) ** 2)), None),
    "over draws": (lambda p, t, y: -np.sum(np.log(np.mean(np.exp(-term(p, t, y + DRAWS)), axis=0))), None),
    "draws of sums": (lambda p, t, y: np.mean(np.sum(term(p, t, y + DRAWS), axis=1)), None),
    "centred": (lambda p, t, y: np.sum(term(p, t - t.mean(), y - np.mean(p[0] * t))), None),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", MEANS)
def test_mean_over_rows_is_seen(name):
    objective, expected = MEANS[name]
    found = mean_over_rows(tape(objective, T, Y))
    assert (None if found is None else found[0]) == expected
