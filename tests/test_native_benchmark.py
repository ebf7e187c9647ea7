"""What `benchmarks.native_functions` measures is the same by machine code and by NumPy."""

import numpy as np
import pytest

from autoopt.execution.native.machine import Native, lowered
from autoopt.execution.tiering import agree
from benchmarks import native_functions


@pytest.mark.parametrize("returned", native_functions.RETURNED)
def test_machine_code_gives_what_numpy_gives(returned):
    function = native_functions.function_of(returned)
    a = np.random.default_rng(1).uniform(0.1, 3.0, 64)
    assert agree(function(a), Native(lowered(function, (a,)))(a))


def test_a_row_has_all_numbers():
    found = native_functions.row("np.exp(a)", 64)
    assert found["native"] > 0 and found["numpy"] > 0 and found["compiling"] > 0
