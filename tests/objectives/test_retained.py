"""What is kept of a function between calls is used only where it still holds, and then saves its trace."""

from __future__ import annotations

import functools
import gc
import threading
import weakref
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse
from scipy import optimize

import autoopt
from autoopt.objectives import dispatch, retained
from autoopt.objectives.forms import Form

X0 = np.array([0.5, 0.1])


@pytest.fixture
def traces(monkeypatch):
    """A list that grows by one at each trace."""
    found = []
    traced = dispatch.Dispatch.traced

    def noted(self, x):
        found.append(x)
        return traced(self, x)

    monkeypatch.setattr(dispatch.Dispatch, "traced", noted)
    return found


def sample(seed=0, size=40):
    return np.random.default_rng(seed).normal(1.0, 2.0, size)


def normal(p, y):
    return np.mean(0.5 * ((y - p[0]) * np.exp(-p[1])) ** 2) + p[1]


def rows(p, y):
    total = 0.0
    for value in y:
        total = total + 0.5 * ((value - p[0]) * np.exp(-p[1])) ** 2 + p[1]
    return total / len(y)


def estimates(y):
    """Mean and log standard deviation: the closed form of the minimum."""
    return [np.mean(y), np.log(np.std(y))]


def assert_fits(result, y):
    assert result.success, result.message
    np.testing.assert_allclose(result.x, estimates(y), rtol=1e-6, atol=1e-7)


def fit_lambda(y):
    return autoopt.minimize(lambda p: normal(p, y), X0)


# It saves the trace ---------------------------------------------------------------------------------------------------


@pytest.mark.slow_for("normal")
@pytest.mark.parametrize("objective", [normal, rows])
def test_second_minimize_traces_nothing(objective, traces):
    y = sample()
    assert_fits(autoopt.minimize(objective, X0, args=(y,)), y)
    count = len(traces)
    assert_fits(autoopt.minimize(objective, X0 + 0.1, args=(y,)), y)
    assert count >= 1 and len(traces) == count


@pytest.mark.parametrize("objective", [normal, rows])
def test_bootstrap_traces_once_for_data_of_one_shape(objective, traces):
    for seed in range(4):
        y = sample(seed)
        assert_fits(autoopt.minimize(objective, X0, args=(y,)), y)
    assert len(traces) == 1


def test_lambdas_made_anew_share_a_trace(traces):
    for seed in range(4):
        assert_fits(fit_lambda(sample(seed)), sample(seed))
    assert len(traces) == 1


def test_functions_made_with_others_share_a_trace(traces):
    def fit(y):
        def residuals(p):
            return (y - p[0]) * np.exp(-p[1])

        def loss(p):
            return 0.5 * np.mean(residuals(p) ** 2) + p[1]

        return autoopt.minimize(loss, X0)

    for seed in range(3):
        assert_fits(fit(sample(seed)), sample(seed))
    assert len(traces) == 1


def test_profile_over_a_number_traces_twice(traces):
    """The second trace, at the first other number, takes it as data."""
    y = sample()

    def profile(level):
        return autoopt.minimize(lambda m: normal(np.array([m[0], level]), y), [0.3])

    for level in np.linspace(-0.5, 1.5, 6):
        result = profile(level)
        np.testing.assert_allclose(result.x, [np.mean(y)], rtol=1e-6)
        np.testing.assert_allclose(result.fun, normal(np.array([np.mean(y), level]), y), rtol=1e-12)
    assert len(traces) == 2


def test_number_that_decides_is_traced_for_each_side(traces):
    def fit(power):
        return autoopt.minimize(lambda x: (x[0] - 1.0) ** 2 if power > 1.0 else (x[0] - 2.0) ** 4 + x[0] ** 2, [0.3]).x

    for power in (2.0, 0.5, 3.0, 0.25, 0.5):
        expected = 1.0 if power > 1.0 else optimize.brentq(lambda x: 4 * (x - 2.0) ** 3 + 2 * x, 0, 2, xtol=1e-14)
        np.testing.assert_allclose(fit(power), [expected], rtol=1e-6)


def test_scipy_with_a_gradient_made_anew_traces_once(traces):
    for seed in range(3):
        y = sample(seed)
        found = optimize.minimize(normal, X0, args=(y,), jac=autoopt.grad(normal), options={"gtol": 1e-8})
        np.testing.assert_allclose(found.x, estimates(y), rtol=1e-6)
    assert len(traces) == 1


def test_minimize_check_and_transforms_share_what_is_known(traces, capsys):
    y = sample()
    autoopt.minimize(normal, X0, args=(y,))
    count = len(traces)
    assert autoopt.check(normal, X0, (y,))
    np.testing.assert_allclose(autoopt.grad(normal)(np.array(estimates(y)), y), [0.0, 0.0], atol=1e-12)
    assert len(traces) == count


def test_verification_of_what_is_known_takes_fewer_calls():
    calls = []
    y = sample()
    objective = autoopt.constant(lambda: calls.append(0))

    def noted(p, y):
        objective()
        return normal(p, y)

    counts = []
    for _ in range(2):
        calls.clear()
        assert autoopt.minimize(noted, X0, args=(y,)).verification.at_solution
        counts.append(len(calls))
    assert counts[1] < counts[0]


# And only where it holds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [40, 20_000])
@pytest.mark.parametrize("objective", [normal, lambda p, y: np.sum(np.where(y > 1.0, 1.0, 3.0) * (y - p[0]) ** 2)])
@pytest.mark.slow
def test_data_written_into_between_calls(objective, size):
    """Also arrays larger than those that are compared at each evaluation, and of which something is precomputed."""
    y = sample(size=size)
    x0 = X0 if objective is normal else X0[:1]
    for seed in (1, 2):
        first = autoopt.minimize(objective, x0, args=(y,)).x
        y[:] = sample(seed, size)
        again = autoopt.minimize(objective, x0, args=(y,)).x
        retained.forget()
        np.testing.assert_allclose(again, autoopt.minimize(objective, x0, args=(y.copy(),)).x, rtol=1e-6)
        assert abs(first[0] - again[0]) > 1e-4


@pytest.mark.slow_for("3000000")
@pytest.mark.parametrize("size", [40, 20_000, 3_000_000])
def test_attribute_array_written_into_between_calls(size):
    """It is part of the code, so it is compared in full; above `COPIED` bytes all is traced anew."""

    @dataclass
    class Model:
        y: np.ndarray

        def loss(self, p):
            return np.mean((self.y - p[0]) ** 2)

    model = Model(np.zeros(size))
    model.y[-1] = size
    np.testing.assert_allclose(autoopt.minimize(model.loss, [0.5]).x, [1.0], rtol=1e-7)
    model.y[-1] = 2 * size
    np.testing.assert_allclose(autoopt.minimize(model.loss, [0.5]).x, [2.0], rtol=1e-7)
    model.y = np.full(size, 3.0)
    np.testing.assert_allclose(autoopt.minimize(model.loss, [0.5]).x, [3.0], rtol=1e-7)


def test_decisions_from_the_data_are_taken_anew(traces):
    def censored(p, y, seen):
        total = 0.0
        for value, is_seen in zip(y, seen, strict=True):
            total = total + ((value - p[0]) ** 2 if is_seen else 3.0 * (value - p[0]) ** 2)
        return total

    def expected(y, seen):
        weights = np.where(seen, 1.0, 3.0)
        return [np.sum(weights * y) / np.sum(weights)]

    y, seen = sample(), sample(5) > 1.0
    for _ in range(2):
        np.testing.assert_allclose(autoopt.minimize(censored, [0.1], args=(y, seen)).x, expected(y, seen), rtol=1e-7)
    assert len(traces) == 1
    seen[3] = not seen[3]
    np.testing.assert_allclose(autoopt.minimize(censored, [0.1], args=(y, seen)).x, expected(y, seen), rtol=1e-7)
    other = sample(9) > 1.0
    np.testing.assert_allclose(autoopt.minimize(censored, [0.1], args=(y, other)).x, expected(y, other), rtol=1e-7)


def test_decisions_from_an_outer_array_are_taken_anew():
    y, seen = sample(), sample(5) > 1.0

    def censored(p):
        return sum((1.0 if is_seen else 3.0) * (value - p[0]) ** 2 for value, is_seen in zip(y, seen, strict=True))

    for k in (0, 1, 2):
        seen[k] = not seen[k]
        weights = np.where(seen, 1.0, 3.0)
        expected = [np.sum(weights * y) / np.sum(weights)]
        np.testing.assert_allclose(autoopt.minimize(censored, [0.1]).x, expected, rtol=1e-7)


@pytest.mark.parametrize("kind", ["default", "masked", "sparse", "frame", "series", "list", "tuple", "keyword"])
def test_what_is_no_input_and_is_written_into(kind):
    """Nothing of it may be what it was at the first call, whatever the objective makes of it."""
    values = np.array([1.0, 2.0, 6.0])

    def held(values):
        pd = pytest.importorskip("pandas") if kind in ("frame", "series") else None
        return {
            "masked": lambda: np.ma.array(values, mask=[False, False, False], copy=False),
            "sparse": lambda: scipy.sparse.csr_array(np.diag(values)),
            "frame": lambda: pd.DataFrame({"y": values}),
            "series": lambda: pd.Series(values),
            "list": lambda: list(values),
            "tuple": lambda: (values, 1.0),
        }.get(kind, lambda: values)()

    def write(thing):
        if kind == "sparse":
            thing.data[0] = 4.0
        elif kind == "frame":
            thing.loc[0, "y"] = 4.0
        elif kind == "tuple":
            thing[0][0] = 4.0
        else:
            thing[0] = 4.0

    thing = held(values)

    def numbers(thing):
        if kind == "sparse":
            return thing @ np.ones(3)
        return thing["y"] if kind == "frame" else thing[0] if kind == "tuple" else thing

    def plain(x):
        y = numbers(thing)
        return sum((x[0] - y[k]) ** 2 * (1.0 if y[k] > 3.0 else 2.0) for k in range(3))

    if kind == "default":

        def plain(x, y=values):
            return sum((x[0] - y[k]) ** 2 * (1.0 if y[k] > 3.0 else 2.0) for k in range(3))

    if kind == "keyword":

        def plain(x, *, y=values):
            return sum((x[0] - y[k]) ** 2 * (1.0 if y[k] > 3.0 else 2.0) for k in range(3))

    def expected(y):
        weights = np.where(np.array(y) > 3.0, 1.0, 2.0)
        return [np.sum(weights * np.array(y)) / np.sum(weights)]

    for _ in range(2):
        np.testing.assert_allclose(autoopt.minimize(plain, [0.1]).x, expected([1.0, 2.0, 6.0]), rtol=1e-7)
    write(thing)
    for _ in range(2):
        np.testing.assert_allclose(autoopt.minimize(plain, [0.1]).x, expected([4.0, 2.0, 6.0]), rtol=1e-7)


def test_data_that_change_during_a_run_and_decide():
    y = np.array([1.0, 2.0, 6.0])

    def loss(x, y):
        return sum((x[0] - value) ** 2 * (1.0 if value > 3.0 else 2.0) for value in y)

    x = np.array([0.3])
    with retained.resumable(loss, [0.1], (y,)) as objective:
        objective.value_and_grad(x)
        y[0] = 4.0
        np.testing.assert_allclose(objective.value_and_grad(x)[0], loss(x, y), rtol=1e-12)
    y[0] = 1.0
    np.testing.assert_allclose(autoopt.minimize(loss, [0.1], args=(y,)).x, [12.0 / 5.0], rtol=1e-7)


SCALE, DATA = 1.0, sample()


def scaled(x):
    return np.mean((SCALE * x[0] - DATA) ** 2)


def test_globals_that_change(monkeypatch, traces):
    for scale, seed in [(1.0, 0), (1.0, 1), (2.0, 1), (2.0, 3)]:
        monkeypatch.setitem(globals(), "SCALE", scale)
        monkeypatch.setitem(globals(), "DATA", sample(seed))
        np.testing.assert_allclose(autoopt.minimize(scaled, [0.1]).x, [np.mean(sample(seed)) / scale], rtol=1e-7)
    assert len(traces) == 2  # for each scale; other data of one shape are bound


def test_outer_variable_that_changes_during_a_run():
    """The array that is bound is watched as the one that was traced was."""

    def made(level, y):
        def loss(x):
            return (x[0] - level) ** 2 + np.sum(y * x[0])

        def change(new_level, new_y):
            nonlocal level, y
            level, y = new_level, new_y

        return loss, change

    for start in (1.0, 1.0, 2.0, 3.0):
        loss, change = made(start, sample())
        x = np.array([0.3])
        with retained.resumable(loss, [0.1]) as objective:
            for level, y in [(start, sample()), (7.0, sample()), (7.0, sample(1)), (start, sample(2))]:
                change(level, y)
                value, gradient = objective.value_and_grad(x)
                np.testing.assert_allclose(value, (0.3 - level) ** 2 + np.sum(0.3 * y), rtol=1e-12)
                np.testing.assert_allclose(gradient, [2 * (0.3 - level) + np.sum(y)], rtol=1e-12)


def test_arrays_that_become_one_and_the_same(traces):
    def fit(one, other):
        return autoopt.minimize(lambda x: np.sum((one - x[0]) ** 2) + 2.0 * np.sum((other - x[0]) ** 2), [0.1]).x

    y, z = sample(), sample(1)
    for one, other in [(y, z), (y, y), (z, y)]:
        expected = (np.mean(one) + 2 * np.mean(other)) / 3
        np.testing.assert_allclose(fit(one, other), [expected], rtol=1e-7)


@pytest.mark.slow
def test_other_lengths_structures_and_types():
    def total(p, y):
        vector = np.concatenate([np.ravel(part) for part in p.values()]) if isinstance(p, dict) else np.asarray(p)
        return np.sum((vector - 1.0) ** 2) * np.mean(y) + np.sum(vector)

    for x0 in ([0.5], [0.5, 0.2], {"a": 0.1, "b": np.zeros(2)}, [0.5, 0.2], {"a": np.zeros(2), "b": 0.1}):
        for y in (np.ones(3), np.ones(4), np.ones(3, int), np.ones((3, 1))):
            np.testing.assert_allclose(autoopt.minimize(total, x0, args=(y,)).x_flat, 0.5, rtol=1e-6)


@pytest.mark.parametrize("flag", [True, 1, "1", None, 2])
def test_plain_arguments_are_part_of_the_code(flag):
    def loss(x, flag):
        return (x[0] - (1.0 if flag is True else 2.0 if flag == 1 else 3.0)) ** 2

    expected = 1.0 if flag is True else 2.0 if flag == 1 else 3.0
    for other in (True, 1, "1", None, 2, flag):
        found = autoopt.minimize(loss, [0.1], args=(other,)).x
    np.testing.assert_allclose(found, [expected], rtol=1e-7)


def test_list_among_the_data_that_changes():
    levels = [1.0, 3.0]

    def loss(x, levels):
        return sum((x[0] - level) ** 2 for level in levels)

    for last in (3.0, 5.0, 5.0, 7.0):
        levels[1] = last
        np.testing.assert_allclose(autoopt.minimize(loss, [0.1], args=(levels,)).x, [(1.0 + last) / 2], rtol=1e-7)
        np.testing.assert_allclose(autoopt.minimize(loss, [0.1], args=([2.0, last],)).x, [1.0 + last / 2], rtol=1e-7)


def test_formula_that_is_given_anew():
    from autoopt.tracing.instrument import extension

    def root(x):
        return x

    def loss(x):
        return (root(x[0]) - 2.0) ** 2

    for power in (1.0, 3.0):
        autoopt.formula(root)(lambda x, power=power: x**power)
        with retained.resumable(loss, [1.5]) as objective:
            np.testing.assert_allclose(objective.value(np.array([1.5])), (1.5**power - 2.0) ** 2, rtol=1e-12)
    del extension.USER_FORMULAS[root]


def test_file_that_changes(tmp_path):
    path = tmp_path / "level.txt"

    def loss(x):
        return (x[0] - float(path.read_text())) ** 2

    for level in ("1.0", "2.0", "2.0", "-13.5"):
        path.write_text(level)
        np.testing.assert_allclose(autoopt.minimize(loss, [0.1]).x, [float(level)], rtol=1e-7)


def test_generators_counters_and_memos_are_traced_anew(traces):
    memo, calls = {}, [0]

    def loss(x, y):
        calls[0] += 1
        if "mean" not in memo:
            memo["mean"] = np.mean(y)
        return sum((x[0] - memo["mean"] - shift) ** 2 for shift in (0.0, 1.0))

    for seed in range(3):
        memo.clear()
        before = calls[0]
        found = autoopt.minimize(loss, [0.1], args=(sample(seed),)).x
        np.testing.assert_allclose(found, [np.mean(sample(seed)) + 0.5], rtol=1e-7)
        assert calls[0] > before and type(memo["mean"]) in (float, np.float64)
    assert len(traces) >= 3


def test_buffer_that_is_filled_anew():
    buffer = np.zeros(2)

    def loss(x):
        buffer[0] = x[0] - 1.0
        buffer[1] = 2.0 * (x[0] - buffer[0])
        return buffer[0] ** 2 + buffer[1]

    for _ in range(3):
        result = autoopt.minimize(loss, [0.1])
        np.testing.assert_allclose(result.x, [1.0], rtol=1e-7)
        np.testing.assert_allclose(buffer, [0.0, 2.0], atol=1e-7)


def test_errors_of_the_objective_come_up_each_time():
    def loss(x, y):
        if np.min(y) < 0:
            raise ValueError("negative")
        return np.sum((x[0] - np.log(y)) ** 2)

    good, bad = np.full(3, np.e), np.array([1.0, -1.0, 2.0])
    for _ in range(2):
        np.testing.assert_allclose(autoopt.minimize(loss, [0.1], args=(good,)).x, [1.0], rtol=1e-7)
        with pytest.raises(ValueError, match="negative"):
            autoopt.minimize(loss, [0.1], args=(bad,))


def test_run_that_was_interrupted_leaves_nothing_behind(traces):
    y = sample()

    def stop(x):
        raise KeyboardInterrupt

    autoopt.minimize(normal, X0, args=(y,))
    with pytest.raises(KeyboardInterrupt):
        autoopt.minimize(normal, X0, args=(y,), callback=stop)
    assert_fits(autoopt.minimize(normal, X0, args=(sample(1),)), sample(1))
    assert_fits(autoopt.minimize(normal, X0, args=(y,)), y)
    assert len(traces) == 2


def test_branches_at_another_start():
    def loss(x):
        return (x[0] - 3.0) ** 2 if x[0] > 0 else (x[0] + 5.0) ** 2

    for start, expected in [(1.0, 3.0), (-1.0, -5.0), (2.0, 3.0), (-2.0, -5.0)]:
        result = autoopt.minimize(loss, [start])
        np.testing.assert_allclose(result.x, [expected], rtol=1e-7)


def test_start_without_a_slope_is_refused_after_one_that_has_one():
    def loss(x):
        return (x[0] - 3.0) ** 2 if x[0] > 0 else 4.0

    np.testing.assert_allclose(autoopt.minimize(loss, [1.0]).x, [3.0], rtol=1e-7)
    for _ in range(2):
        with pytest.raises(autoopt.errors.ObjectiveError, match=r"decisions|does not depend"):
            autoopt.minimize(loss, [-1.0])


def test_minimize_inside_a_callback_and_inside_an_objective():
    y = sample()

    def nested(x):
        assert_fits(autoopt.minimize(normal, X0, args=(sample(1),)), sample(1))

    for _ in range(2):
        assert_fits(autoopt.minimize(normal, X0, args=(y,), callback=nested), y)


def test_threads_share_nothing():
    failures = []

    def fit(seed):
        try:
            for k in range(5):
                y = sample(10 * seed + k)
                assert_fits(autoopt.minimize(normal, X0, args=(y,)), y)
                assert_fits(fit_lambda(y), y)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert failures == []


def test_methods_and_partials():
    class Model:
        def __init__(self, level):
            self.level = level

        def loss(self, x):
            return (x[0] - self.level) ** 2

    one, other = Model(1.0), Model(2.0)
    for model in (one, other, one):
        np.testing.assert_allclose(autoopt.minimize(model.loss, [0.1]).x, [model.level], rtol=1e-7)
    one.level = 4.0
    np.testing.assert_allclose(autoopt.minimize(one.loss, [0.1]).x, [4.0], rtol=1e-7)
    for seed in range(2):
        bound = functools.partial(normal, y=sample(seed))
        assert_fits(autoopt.minimize(bound, X0), sample(seed))


# It costs little ------------------------------------------------------------------------------------------------------


def test_data_and_functions_are_not_kept():
    def watched():
        y, z, w = sample(), sample(1), sample(2)

        def loss(p, table):
            return normal(p, table["y"]) + normal(p, z) + np.sum(w) * 0.0

        autoopt.minimize(loss, X0, args=({"y": y},))
        autoopt.minimize(loss, X0, args=({"y": y},))
        return [weakref.ref(thing) for thing in (y, z, w, loss)]

    references = watched()
    assert len(retained._ENTRIES) == 1
    gc.collect()
    assert all(reference() is None for reference in references)


def test_number_of_what_is_kept_is_bounded():
    for count in range(retained.MOST + 3):
        autoopt.minimize(lambda x, n: np.sum(x**2) + n, np.ones(2), args=(count,), verify=False)
    assert len(retained._ENTRIES) == retained.MOST


@pytest.mark.slow
def test_number_of_paths_is_bounded():
    def robust(p, y):
        return sum(r * r if abs(r) < 1 else 2 * abs(r) - 1 for r in (value - p[0] for value in y))

    for seed in range(2 * retained.PATHS):
        y = sample(seed, 3)
        with retained.resumable(robust, [0.3], (y,)) as objective:
            x = np.array([np.median(y)])
            np.testing.assert_allclose(objective.value(x), robust(x, y), rtol=1e-12)
    (entry,) = (entry for _, entry in retained._ENTRIES.values())
    assert 2 <= len(entry.paths) <= retained.PATHS


def test_forms_tell_apart_what_differs():
    y, z = sample(), sample(1)
    assert Form.of(normal, (y,)).key == Form.of(normal, (z,)).key
    assert Form.of(normal, (y, y)).key != Form.of(normal, (y, z)).key
    assert Form.of(normal, (1,)).key != Form.of(normal, (True,)).key
    assert Form.of(normal, (0.0,)).key == Form.of(normal, (2.0,)).key
    assert Form.of(normal, ([1.0],)).key != Form.of(normal, ([1.0],)).key
    assert Form.of(normal, (y,)).key != Form.of(normal, (y.astype(int),)).key
    assert Form.of(normal, (y,)).key != Form.of(rows, (y,)).key
