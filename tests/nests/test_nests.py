"""Loops over growing windows: values, derivatives, and the source that has them as loops."""

from __future__ import annotations

import importlib.util
import re
from inspect import signature
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from window_programs import PROGRAMS, dominant

import autoopt
from autoopt.execution.native.machine import Native, lowered

NAMES = list(PROGRAMS)
SIZE = 11


def start(name, n=SIZE):
    """Return an objective, its parameters and a direction."""
    program = PROGRAMS[name]
    rng = np.random.default_rng(3)
    x, direction = rng.normal(size=(2, program.count(n)))
    return autoopt.objective(program.f, x, n), x, direction


def check_by_differences(f, x, entries, h=1e-6, rtol=1e-6):
    """Assert that the value is that of the function, and some entries of the gradient its differences."""
    value, gradient = autoopt.objective(f, x).value_and_grad(x)
    np.testing.assert_allclose(value, f(x), rtol=1e-13)
    for k in entries:
        e = h * np.eye(1, len(x), k)[0]
        np.testing.assert_allclose(gradient[k], (f(x + e) - f(x - e)) / (2 * h), rtol=rtol)


def imported(source: str, folder: Path) -> ModuleType:
    """Return the module of a source, from a file of its own."""
    path = folder / "printed.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("printed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_value_and_gradient_are_those_of_a_complex_step(name):
    objective, x, direction = start(name)
    value, gradient = objective.value_and_grad(x)
    f = PROGRAMS[name].f
    np.testing.assert_allclose(value, f(x, SIZE), rtol=1e-13)
    for k in (0, len(x) // 2, len(x) - 1, None):
        toward = direction if k is None else np.eye(1, len(x), k)[0]
        slope = f(x + 1e-30j * toward, SIZE).imag / 1e-30
        np.testing.assert_allclose(gradient @ toward, slope, rtol=1e-12, atol=1e-12 * np.abs(gradient).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_products_with_the_hessian_are_differences_of_gradients(name):
    objective, x, direction = start(name)
    found = objective.hessp(x, direction)
    h = 1e-5

    def change(step):
        return objective.value_and_grad(x + step * direction)[1] - objective.value_and_grad(x - step * direction)[1]

    expected = (8 * change(h) - change(2 * h)) / (12 * h)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())


ON_WHOLE_ARRAYS = ("triangular_product",)
"""Of these no iteration needs another one: they are operations on whole arrays."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_machine_code_gives_what_the_source_gives(name, tmp_path):
    n = 19 if name == "gram_schmidt" else SIZE
    objective, x, _ = start(name, n)
    module = imported(objective.source(), tmp_path)
    assert ("_loops(" in objective.source()) is (name not in ON_WHOLE_ARRAYS)
    more = module.prepare() if hasattr(module, "prepare") else {}
    operands = (x, *(more[name] for name in list(signature(module.value_and_grad).parameters)[1:]))
    value, gradient = Native(lowered(module.value_and_grad, operands))(*operands)
    expected = module.value_and_grad(*operands)
    np.testing.assert_allclose(value, expected[0], rtol=1e-13)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-12, atol=1e-13 * np.abs(expected[1]).max())


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_loops_of_few_iterations_are_right(n):
    def f(x, n):
        L = dominant(x[1:], n)
        s = np.zeros(n, dtype=x.dtype)
        for i in range(n):
            s[i] = (x[0] - L[i, :i] @ s[:i]) / L[i, i]
        return np.sum(s**2) + np.sum(x)

    x = np.linspace(0.1, 1.0, n * n + 1)
    value, gradient = autoopt.objective(f, x, n).value_and_grad(x)
    np.testing.assert_allclose(value, f(x, n))
    for k in range(len(x)):
        np.testing.assert_allclose(gradient[k], f(x + 1e-30j * np.eye(1, len(x), k)[0], n).imag / 1e-30, rtol=1e-13)


def test_source_has_the_users_loops_over_windows():
    objective, _, _ = start("cholesky_by_entries")
    source = objective.source()
    assert "    for i in range(11):\n        for j in range(i):\n" in source
    assert "A[i, j] = A[i, j] - A[i, :j] @ A[j, :j]" in source
    assert "        for j in range(i - 1, -1, -1):\n" in source
    assert re.search(r"A_slope\[i, :j\] -= A_slope\[i, j\] \* A\[j, :j\]", source)
    assert len(source.splitlines()) < 120


def test_nan_beyond_the_windows_does_not_leak():
    def f(x, L):
        s = np.full(12, np.nan)
        for i in range(12):
            s[i] = (x[i] - L[i, :i] @ (s[:i] * x[:i])) / (2.0 + L[i, i])
        return np.sum(s**2)

    x = np.linspace(0.5, 1.5, 12)
    L = np.where(np.tri(12, dtype=bool), np.cos(np.arange(144.0)).reshape(12, 12), np.nan)
    objective = autoopt.objective(f, x, L)
    value, gradient = objective.value_and_grad(x)
    np.testing.assert_allclose(value, f(x, L))
    h = 1e-6
    for k in (0, 5, 11):
        e = h * np.eye(1, 12, k)[0]
        np.testing.assert_allclose(gradient[k], (f(x + e, L) - f(x - e, L)) / (2 * h), rtol=1e-6, atol=1e-9)
    assert np.isfinite(objective.hessp(x, np.ones(12))).all()


def test_an_older_version_of_an_array_is_what_is_read():
    def f(x):
        s = np.zeros(14)
        s[0] = x[0]
        total = 0.0
        for i in range(1, 14):
            before = s.copy()
            s[i] = np.sin(x[i] + s[:i] @ s[:i] / 14.0)
            s[i - 1] = 0.5 * s[i - 1]
            total = total + before[:i] @ s[:i]
        return total

    x = np.linspace(0.2, 1.2, 14)
    check_by_differences(f, x, (0, 7, 13))


def test_other_data_of_the_same_shape_need_no_new_code():
    def f(x, b):
        s = np.zeros(12)
        for i in range(12):
            s[i] = (b[i] - x[:i] @ s[:i]) / (2.0 + x[i] ** 2)
        return np.sum(s**2)

    x, b = np.linspace(0.1, 0.9, 12), np.arange(12.0)
    one = autoopt.objective(f, x, b)
    other = autoopt.objective(f, x, 2.0 * b)
    np.testing.assert_allclose(4.0 * one.value_and_grad(x)[1], other.value_and_grad(x)[1], rtol=1e-13)


def test_branches_within_the_loops_are_followed_as_before():
    def f(x):
        s = np.zeros(16)
        for i in range(16):
            part = x[i] + 0.1 * np.sum(s[:i])
            if part > 0.5:
                part = 2.0 * part
            s[i] = np.sin(part)
        return np.sum(s)

    x = np.linspace(0.0, 1.0, 16)
    check_by_differences(f, x, (4,), 1e-7, 1e-5)


def test_values_of_every_iteration_may_be_read_after_the_loops():
    def f(x):
        s = np.zeros(12)
        kept = []
        for i in range(12):
            part = x[i] - 0.2 * np.sum(s[:i])
            s[i] = np.tanh(part)
            kept.append(part * part)
        return sum(kept) + s[3] * s[11]

    x = np.linspace(0.2, 1.4, 12)
    check_by_differences(f, x, (0, 4, 11))
