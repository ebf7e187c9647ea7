"""Jacobians of random functions of arrays, which `array_functions.py` writes."""

from __future__ import annotations

import pytest
from array_functions import check


@pytest.mark.sampled(9)
@pytest.mark.parametrize("seed", range(12))
def test_jacobians_of_random_functions(seed) -> None:
    for number in range(10 * seed, 10 * seed + 10):
        check(number)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_jacobians_of_more_random_functions(seed) -> None:
    for number in range(10 * seed, 10 * seed + 10):
        check(number)
