"""Every stand-in is called by some test; here those are that no other file has."""

import cmath
import math
import re
import time
from pathlib import Path

import numpy as np
import pytest
from plainly import Cases, check

import autoopt  # noqa: F401  (fills STAND_INS)
from autoopt.tape.names import qualified
from autoopt.tracing.standins.table import STAND_INS

TESTS = Path(__file__).parents[2]
PROGRAMS = Cases()


@PROGRAMS
def ones_below_a_diagonal(x):
    return np.sum(np.tri(3, 2) @ x**2)


@PROGRAMS
def indices_of_a_grid(x):
    rows, columns = np.indices((2, 3))
    return np.sum(np.outer(x, np.sin([x[0], x[1], x[0]])) * rows * columns + rows * x[0])


@PROGRAMS
def finite_array(x):
    return np.sum(np.asarray_chkfinite([x[0], x[1] ** 2]))


@PROGRAMS
def roots_of_a_polynomial(x):
    roots = np.polynomial.polynomial.polyroots([-(x[0] ** 2) - 1, 0.0, 1.0 + x[1] ** 2])
    return np.sum(np.real(roots) ** 2)


@PROGRAMS
def function_of_numbers(x):
    return np.sum(np.frompyfunc(lambda a, b: a * math.exp(b), 2, 1)(x, x[::-1]).astype(float))


@PROGRAMS
def inverse_functions(x):
    return math.asin(x[0] / 9) * math.acosh(2 + x[1] ** 2) * math.atanh(x[1] / 9) + math.fmod(x[0] ** 2, 100.0)


@PROGRAMS
def polar_numbers(x):
    return abs(cmath.rect(x[0], x[1]) + 2.0) ** 2


@PROGRAMS
def seconds_that_are_shown(x):
    start = time.process_time()
    return np.sum(x**2) if time.process_time() >= start else 0.0


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_stand_ins_give_what_the_functions_do(f) -> None:
    check(f)


@pytest.mark.slow
def test_every_stand_in_is_called_in_a_test() -> None:
    text = "\n".join(file.read_text() for file in TESTS.rglob("*.py"))
    names = {qualified(function) for function in STAND_INS}
    assert [name for name in sorted(names) if not re.search(rf"\b{re.escape(name.rpartition('.')[2])}\(", text)] == []
