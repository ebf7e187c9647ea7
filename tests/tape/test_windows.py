"""Windows that move along axes of arrays: convolutions and pooling written as loops, read as views."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from autoopt import differences
from autoopt.objectives.objective import Objective
from autoopt.tape.windows import Move, overlaid, shape_of, windows

RANDOM = np.random.default_rng(30)
IMAGES = RANDOM.normal(size=(2, 9, 8, 3))
SMOOTH = RANDOM.normal(size=6)


def layer(images, w, stride=1, dilation=1):
    """Return the products of filters `w` with windows of images."""
    spans = [(extent - 1) * dilation + 1 for extent in w.shape[:2]]
    rows, columns = ((images.shape[k + 1] - spans[k]) // stride + 1 for k in range(2))
    out = np.empty((len(images), rows, columns, w.shape[3]))
    for i in range(rows):
        for j in range(columns):
            a, b = i * stride, j * stride
            window = images[:, a : a + spans[0] : dilation, b : b + spans[1] : dilation, :, np.newaxis]
            out[:, i, j, :] = np.sum(window * w[np.newaxis], axis=(1, 2, 3))
    return out


def filters(x):
    return np.sum(np.tanh(layer(IMAGES, x.reshape(3, 3, 3, 2))) ** 2)


def two_layers(x):
    hidden = np.tanh(layer(IMAGES, x[:54].reshape(3, 3, 3, 2)))
    return np.sum(layer(hidden, x[54:].reshape(3, 2, 2, 2)) ** 2)


def with_stride(x):
    hidden = np.tanh(layer(IMAGES, x[:54].reshape(3, 3, 3, 2)))
    return np.sum(layer(hidden, x[54:].reshape(2, 2, 2, 3), stride=2) ** 3)


def with_padding(x):
    padded = np.zeros((2, 9, 10, 2))
    padded[:, 1:-1, 1:-1] = layer(IMAGES, x[:54].reshape(3, 3, 3, 2))[:, :, :8][:, :7, :]
    return np.sum(np.sin(layer(padded, x[54:].reshape(3, 2, 2, 2))))


def with_gaps(x):
    return np.sum(layer(x.reshape(2, 9, 8, 3), W3, dilation=2) ** 2)


W3 = RANDOM.normal(size=(3, 3, 3, 2))


def largest_of_tiles(x):
    hidden = x.reshape(2, 8, 6, 2)
    out = np.empty((2, 4, 3, 2))
    for i in range(4):
        for j in range(3):
            out[:, i, j, :] = np.max(hidden[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, :], axis=(1, 2))
    return np.sum(out**2)


def means_of_overlapping(x):
    field = x.reshape(10, 9)
    out = np.zeros((4, 7))
    for i in range(4):
        for j in range(7):
            out[i, j] = field[2 * i : 2 * i + 4, j : j + 3].mean() ** 2
    return np.sum(out * np.arange(7.0))


def whole_array(x):
    field, out = x.reshape(6, 5), np.zeros(3)
    for i in range(3):
        out[i] = np.sum(field[i : i + 4, 0:5] * field[:4])
    return np.sum(out**2)


def few_long_windows(x):
    field, out = x.reshape(24, 3), np.zeros((9, 3))
    for i in range(9):
        out[i] = np.sum(field[i : i + 16] ** 3, axis=0)
    return np.sum(np.exp(0.01 * out))


def entry_by_entry(x):
    out = np.zeros(len(x) - 5)
    for i in range(len(out)):
        for k in range(6):
            out[i] += SMOOTH[k] * x[i + k]
    return np.sum(np.sin(out))


def lags(x):
    return sum((x[:20] @ x[k : k + 20]) ** 2 for k in range(9))


def backwards(x):
    out = np.zeros(12)
    for i in range(12):
        out[i] = x[11 - i : 16 - i] @ x[:5]
    return np.sum(out**2)


def each_of_a_band(x):
    field, total = x.reshape(12, 12), 0.0
    for i in range(12):
        total = total + np.sum(field[i, max(0, i - 2) : i + 3] ** 3)
    return total


def from_the_end(x):
    field, total = x.reshape(12, 4), 0.0
    for i in range(10):
        total = total + np.sum(field[..., -12 + i : -9 + i if i < 9 else None, None, :] * np.ones((2, 1))) ** 2
    return total


PROGRAMS = {
    filters: 54, two_layers: 78, with_stride: 78, with_gaps: 432, largest_of_tiles: 192, means_of_overlapping: 90,
    whole_array: 30, few_long_windows: 72, entry_by_entry: 40, lags: 28, backwards: 16, each_of_a_band: 144,
    from_the_end: 48,
}  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_values_and_derivatives_are_those_of_the_program(f) -> None:
    start = 0.5 * RANDOM.normal(size=PROGRAMS[f])
    objective = Objective(f, start)
    for x in (start, 0.7 * start):
        assert objective.value(x) == pytest.approx(f(x), rel=1e-12, abs=1e-12)
        p = RANDOM.normal(size=x.size)
        slope, doubt = differences.directional(f, x, 0.1 * p)
        assert 0.1 * objective.grad(x) @ p == pytest.approx(slope, rel=1e-6, abs=10 * doubt + 1e-9)
        change = (objective.grad(x + 1e-4 * p) - objective.grad(x - 1e-4 * p)) / 2e-4
        product = objective.hessp(x, p)
        np.testing.assert_allclose(product, change, rtol=1e-4, atol=1e-5 * np.abs(product).max() + 2e-5)


@pytest.mark.parametrize("f", [filters, two_layers, with_stride, with_gaps, few_long_windows, lags])
def test_they_are_views(f) -> None:
    source = Objective(f, RANDOM.normal(size=PROGRAMS[f])).source("gradient")
    assert "sliding_window_view" in source
    assert "np.add.at" not in source


def test_tiles_are_a_reshaped_array() -> None:
    source = Objective(largest_of_tiles, RANDOM.normal(size=192)).source("gradient")
    assert "sliding_window_view" not in source
    assert ".reshape(2, 4, 2, 3, 2, 2)" in source


def test_filters_may_have_other_images() -> None:
    def f(x, images):
        return np.sum(np.tanh(layer(images, x.reshape(3, 3, 3, 2))) ** 2)

    x = RANDOM.normal(size=54)
    for count in (1, 2, 5):
        images = RANDOM.normal(size=(count, 9, 8, 3))
        p = RANDOM.normal(size=54)
        slope, doubt = differences.directional(lambda z, images=images: f(z, images), x, 0.1 * p)
        assert 0.1 * Objective(f, x, (images,)).grad(x) @ p == pytest.approx(slope, rel=1e-6, abs=10 * doubt)


MOVES = [
    (Move(0, 3),),
    (Move(0, 2, 2),),
    (Move(1, 3, 2, 2),),
    (Move(0, 5), Move(2, 2, 3)),
    (Move(2, 4, 1, 2), Move(1, 6)),
    (Move(0, 7), Move(1, 1), Move(2, 9)),
]


@pytest.mark.parametrize("moves", MOVES, ids=str)
def test_sums_of_windows_are_the_adjoint_of_windows(moves) -> None:
    x = RANDOM.normal(size=(7, 8, 9))
    seen = windows(x, moves)
    assert seen.shape == shape_of(moves, x.shape)
    values = RANDOM.normal(size=seen.shape)
    assert np.sum(seen * values) == pytest.approx(np.sum(x * overlaid(values, moves, x.shape)), rel=1e-12)


@pytest.mark.parametrize("moves", MOVES, ids=str)
def test_windows_have_the_entries_that_their_moves_tell(moves) -> None:
    x = RANDOM.normal(size=(7, 8, 9))
    seen = windows(x, moves)
    for place in itertools.product(*map(range, seen.shape)):
        source = list(place[:3])
        for k, move in enumerate(moves):
            source[move.axis] = place[move.axis] * move.stride + place[3 + k] * move.dilation
        assert seen[place] == x[tuple(source)]
