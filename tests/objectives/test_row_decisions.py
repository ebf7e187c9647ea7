"""Decisions by data and by numbers of rows, where some rows alone are traced: those of all rows, or refused."""

import numpy as np
import pytest

import autoopt
from autoopt.errors import TracingError
from autoopt.objectives.row_counts import counted
from autoopt.objectives.streamed import StreamedObjective

LIMIT = 50.0


def fit(w, s, y):
    return np.sum((y - w[0] - w[1] * s) ** 2)


def scaled(w, s, y):
    return fit(w, s / 1000 if np.max(np.abs(s)) > LIMIT else s, y)


def by_any(w, s, y):
    return fit(w, s, y) * (2.0 if np.any(s == 90) else 1.0)


def by_largest(w, s, y):
    return fit(w, s, y) * (int(s.max()) + 1)


def by_equality(w, s, y):
    return fit(w, s, y) * (2.0 if np.array_equal(s, np.minimum(s, 50)) else 1.0)


def by_mean(w, s, y):
    return fit(w, s, y) * (2.0 if s.sum() / len(s) > 5.0 else 1.0)


def validated(w, s, y):
    if np.any(s > 80) or not np.isfinite(s).all():
        raise ValueError("doses are at most 80")
    return fit(w, s, y)


def asserted(w, s, y):
    if not s.max() < 80:
        raise AssertionError("doses are at most 80")
    return fit(w, s, y)


DECIDED = [scaled, by_any, by_largest, by_equality, by_mean, validated, asserted]


def by_median(w, s, y):
    return fit(w, s, y) * (2.0 if np.median(s) > 0.1 else 1.0)


def by_kinds(w, s, y):
    return fit(w, s, y) * len(np.unique(s))


def by_set(w, s, y):
    return fit(w, s, y) * len(set(s.tolist()))


def by_groups(w, s, y):
    return fit(w, s, y) * len(np.bincount(s.astype(int)))


def by_each(w, s, y):
    return fit(w, s, y) * (2.0 if any(v > 80 for v in s) else 1.0)


UNTOLD = [by_median, by_kinds, by_set, by_groups, by_each]


def by_length(w, s, y):
    return fit(w, s, y) + (0.1 if len(y) < 10_000 else 5000.0) * (w @ w)


def by_shape(w, s, y):
    return fit(w, s, y) + (0.1 if y.shape[0] / 100 < 100 else 5000.0) * (w @ w)


def by_size(w, s, y):
    return fit(w, s, y) + (0.1 if np.sqrt(y.size) < 100 else 5000.0) * (w @ w)


def by_least(w, s, y):
    return fit(w, s, y) + min(len(y), 10_000) * (w @ w)


COUNTED = [by_length, by_shape, by_size, by_least]

W = np.array([0.5, -1.0])


def rows(number=20_000):
    rng = np.random.default_rng(0)
    return rng.permutation(np.arange(number) % 2.0) * 1.0, rng.normal(size=number)


def unsampled(s, y):
    """Return the data with one entry of 90, in a row that is not traced."""
    sampled = autoopt.batches({"s": np.arange(float(len(s))), "y": y}, size=100_000).sample(4096, 0)["s"]
    s = s.copy()
    s[np.setdiff1d(np.arange(len(s)), sampled)[1000]] = 90
    return s, y


def streamed(f, s, y):
    return StreamedObjective.of(f, np.zeros(2), (autoopt.batches({"s": s, "y": y}, size=100_000),))


@pytest.mark.parametrize("f", DECIDED)
def test_what_all_rows_decide_alike_is_as_in_memory(f):
    s, y = rows()
    value, gradient = streamed(f, s, y).value_and_grad(W)
    assert value == pytest.approx(f(W, s, y), rel=1e-12)
    np.testing.assert_allclose(gradient, autoopt.objective(f, W, s, y).grad(W), rtol=1e-10)


@pytest.mark.parametrize("f", [scaled, by_any, by_largest, by_equality])
def test_what_other_rows_decide_otherwise_is_refused_with_the_line(f):
    with pytest.raises(TracingError, match="all rows of The data decide otherwise") as caught:
        streamed(f, *unsampled(*rows())).value_and_grad(W)
    assert f"test_row_decisions.py:{f.__code__.co_firstlineno + 1}" in str(caught.value)


@pytest.mark.parametrize(("f", "kind"), [(validated, ValueError), (asserted, AssertionError)])
def test_what_the_user_raises_of_any_row_is_raised(f, kind):
    with pytest.raises(kind, match="doses are at most 80"):
        streamed(f, *unsampled(*rows())).value_and_grad(W)


@pytest.mark.parametrize("f", UNTOLD)
def test_what_no_pass_can_tell_is_refused_with_the_line(f):
    with pytest.raises(TracingError, match="no pass over them can tell") as caught:
        streamed(f, *rows()).value_and_grad(W)
    assert f"test_row_decisions.py:{f.__code__.co_firstlineno + 1}" in str(caught.value)


@pytest.mark.parametrize("f", COUNTED)
def test_what_the_number_of_all_rows_decides_otherwise_is_refused_with_the_line(f):
    with pytest.raises(TracingError, match="goes by their number") as caught:
        streamed(f, *rows()).value_and_grad(W)
    assert f"test_row_decisions.py:{f.__code__.co_firstlineno + 1}" in str(caught.value)
    s, y = rows(9_000)
    assert streamed(by_length, s, y).value(W) == pytest.approx(by_length(W, s, y), rel=1e-12)


def test_numbers_of_rows_are_numbers_that_tell_when_they_are_asked():
    noted = []
    count = counted(4, 10, lambda: noted.append(1))
    assert (count + 1, 3 * count, 2.0 / count, count // 3, type(count + 1).__name__) == (5, 12, 0.5, 1, "Count")
    assert noted
    noted.clear()
    assert (2 * count).whole == 20 and np.sqrt(count).whole == 10**0.5 and list(range(count)) == [0, 1, 2, 3]
    assert count > 0 and count < 1000 and not noted
    assert not count > 6 and noted == [1]
