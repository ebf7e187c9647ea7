"""Products that have factors in common: the same numbers, fewer multiplications, nothing that overflows."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor import scalar as ps
from pytensor.compile.mode import Mode
from pytensor.graph.traversal import io_toposort

from autoopt.graph.idioms.sharing import with_shared_products
from autoopt.ops.patterns import is_elementwise

RANDOM = np.random.default_rng(4)


def vectors(names: str, shape=(5,)):
    variables = [pt.tensor(f"the_{name}", dtype="float64", shape=shape) for name in names]
    return variables, [1.0 + RANDOM.random(shape) for _ in names]


def evaluated(variables, results, values):
    return pytensor.function(variables, results, mode=Mode("py", None), on_unused_input="ignore")(*values)


def operations(variables, results) -> int:
    """Return how many multiplications and divisions of arrays there are."""
    nodes = io_toposort(variables, results)
    kinds = (ps.Mul, ps.TrueDiv, ps.Sqr)
    return sum(len(n.inputs) - 1 or 1 for n in nodes if is_elementwise(n.outputs[0], kinds))


def check(variables, results, values, most=None) -> list[np.ndarray]:
    found = with_shared_products(variables, results)
    new, old = evaluated(variables, found, values), evaluated(variables, results, values)
    for value, right in zip(new, old, strict=True):
        np.testing.assert_allclose(value, right, rtol=1e-14)
    if most is not None:
        assert operations(variables, found) <= most
    return new


def test_a_pair_that_two_products_have_is_multiplied_once() -> None:
    variables, values = vectors("uvwxt")
    u, v, w, x, t = variables
    results = [pt.mul(u, v, w) / t, pt.mul(x, v, u) / t]
    assert operations(variables, results) == 6
    check(variables, results, values, most=4)


def test_signs_and_squares() -> None:
    variables, values = vectors("uvw")
    u, v, w = variables
    check(variables, [-(u * v * w), pt.sqr(u) * v, -pt.sqr(u * v), u * u * u * w], values)


def test_a_product_that_is_read_by_another_operation() -> None:
    variables, values = vectors("uvw")
    u, v, w = variables
    inner = u * v
    check(variables, [pt.exp(inner) * w, inner * w, inner], values)


def test_columns_and_rows() -> None:
    (u, v), first = vectors("uv", (5, 1))
    (x, y), second = vectors("xy", (1, 4))
    (A,), third = vectors("A", (5, 4))
    variables, values = [u, v, x, y, A], [*first, *second, *third]
    found = with_shared_products(variables, [u * x * v * y * A, v * u * A])
    check(variables, [u * x * v * y * A, v * u * A], values)
    outer = [n for n in io_toposort(variables, found) if n.outputs[0].type.shape == (5, 4)]
    assert len(outer) <= 4  # columns by columns and rows by rows before the two meet


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_quotients_are_not_taken_apart_so_that_they_overflow(scale) -> None:
    variables, values = vectors("efstw")
    e, f, s, t, w = variables
    values = [*(scale * value for value in values[:4]), values[4]]
    check(variables, [(e / s) * (f / t) * w, pt.sqr(e / t) * (f / s)], values)
    check(variables, [(e / s) * (f / t), w * w * w], values)  # nothing to share


def test_divisors_are_never_multiplied() -> None:
    variables, values = vectors("uvst")
    u, v, s, t = variables
    values = [*values[:2], *(1e200 * value for value in values[2:])]
    check(variables, [u / s / t, v / s / t, u * v / s / t], [1e150 * values[0], 1e150 * values[1], *values[2:]])


def test_random_products() -> None:
    variables, values = vectors("abcdef")
    for seed in range(40):
        random = np.random.default_rng(seed)
        results = []
        for _ in range(random.integers(1, 6)):
            product = pt.mul(*(variables[k] for k in random.integers(0, 6, size=random.integers(2, 5))))
            for k in random.integers(0, 6, size=random.integers(0, 3)):
                product = product / variables[k]
            results.append(-product if random.random() < 0.3 else product)
        check(variables, results, values)
        assert operations(variables, with_shared_products(variables, results)) <= operations(variables, results) + len(
            results
        )
