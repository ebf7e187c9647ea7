"""Sums and extremes of machine code: along any axes, of any length, as exact as NumPy's at least."""

from __future__ import annotations

import linecache
import math
from typing import Any

import numpy as np
import pytest

from autoopt.execution.native.machine import Native, lowered


def native(text: str, *operands: np.ndarray) -> tuple[Any, Any]:
    """Return what NumPy and the machine code make of an expression in a and b."""
    source = f"def f({', '.join('ab'[: len(operands)])}):\n    return {text}\n"
    file = f"<native reduction {text}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"np": np}
    exec(compile(source, file, "exec"), namespace)
    with np.errstate(all="ignore"):
        return namespace["f"](*operands), Native(lowered(namespace["f"], operands))(*operands)


SHAPES = [(1030,), (2053,), (3, 700), (700, 3), (1500, 8), (8, 1500), (5, 40, 12), (40, 12, 5), (1, 3000), (3000, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["sum", "max", "min"])
def test_reductions_of_any_shape_along_any_axes_equal_numpys(shape: tuple, name: str) -> None:
    a = np.random.default_rng(1).normal(size=shape)
    axes = ["", *(f"axis={k}" for k in range(len(shape)))]
    axes += ["axis=(0, 1)", "axis=(1, 2), keepdims=True", "axis=(0, 2)"] if len(shape) == 3 else []
    calls = ", ".join(f"{of}.{name}({axis})" for axis in axes for of in ("a", "(a * 2.0)"))
    expected, found = native(f"({calls})", a)
    for one, two in zip(expected, found, strict=True):
        assert np.shape(one) == np.shape(two)
        np.testing.assert_allclose(two, one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [1025, 4096, 65537, 1_000_000])
def test_long_sums_are_as_exact_as_numpys(size: int) -> None:
    a = np.random.default_rng(2).uniform(size=size)
    exact = math.fsum(a)
    expected, found = native("a.sum()", a)
    assert abs(found - exact) <= max(abs(expected - exact), np.spacing(exact))


def test_blocks_are_added_without_rounding() -> None:
    a = np.full(512 * 4001, 0.1)
    a[:512] = 1e13  # then each sum of a block alone would lose digits
    _, found = native("a.sum()", a)
    assert abs(found - math.fsum(a)) <= np.spacing(found)


@pytest.mark.parametrize(
    ("values", "total"),
    [([np.inf], np.inf), ([-np.inf], -np.inf), ([np.inf, -np.inf], np.nan), ([np.nan], np.nan), ([1e308] * 9, np.inf)],
)
def test_sums_of_what_is_not_finite(values: list, total: float) -> None:
    a = np.ones(5000)
    a[:: 5000 // len(values)][: len(values)] = values
    _, found = native("a.sum()", a)
    np.testing.assert_equal(found, total)


@pytest.mark.parametrize("place", [0, 17, 1999])
@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes_are_nan_where_an_entry_is(name: str, place: int) -> None:
    a = np.random.default_rng(3).normal(size=(2000, 9))
    a[place, 4] = np.nan
    (whole, rows, columns), found = native(f"(a.{name}(), a.{name}(axis=1), a.{name}(axis=0))", a)
    for one, two in zip((whole, rows, columns), found, strict=True):
        np.testing.assert_array_equal(two, one)


@pytest.mark.parametrize(
    "view", ["a, (3, 2), axis=(0, 2)", "a.transpose(2, 0, 1), (4,), axis=(0,)", "a * 2, (5,), axis=(1,)"]
)
def test_windows_are_views(view: str) -> None:
    a = np.random.default_rng(2).normal(size=(7, 6, 5))
    text = f"np.lib.stride_tricks.sliding_window_view({view})"
    expected, found = native(f"({text}[1:, ::2] * 1.5, {text}.sum(axis=-1), {text}.max(axis=0))", a)
    for one, two in zip(expected, found, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-13)
