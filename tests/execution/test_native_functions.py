"""Elementary functions of machine code: every row of the table against mpmath, in units in the last place.

`MOST` is what each may be wrong by. The plain run takes few points, the slow one a hundred thousand of each function.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special

from autoopt.execution.native import angles
from autoopt.execution.native.arrays import NotLowered
from autoopt.execution.native.elementwise import FORMULAS
from autoopt.execution.native.machine import Failed, Native, lowered

FEW, MANY = 1500, 100_000
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 2.0, 8.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 1e-310, -1e-310, 1.2e308,
                    1.5e308, np.finfo(float).max, np.finfo(float).min])  # fmt: skip
REFERENCE = mpmath.mp.clone()
REFERENCE.prec = 150


def span(low: float, high: float) -> Callable:
    """Return what draws numbers from an interval."""
    return lambda rng, n: rng.uniform(low, high, n)


def sizes(low: float, high: float, signs: tuple = (-1.0, 1.0), centre: float = 0.0) -> Callable:
    """Return what draws numbers whose distance from `centre` has any exponent of ten in an interval."""
    return lambda rng, n: centre + rng.choice(signs, n) * 10.0 ** rng.uniform(low, high, n)


SMALL = [sizes(-323.5, 0), span(-1, 1)]
EXPONENTS = [*SMALL, span(-745.2, 709.8), span(-746, -708), span(-40, 40), span(-800, 800)]
POSITIVE = [sizes(-323.5, 308.2, (1.0,)), span(0.4, 2.5), span(0, 100), sizes(-16, -0.5, centre=1.0)]


def quarters(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return what doubles have of multiples of pi / 2, where sine or cosine are smallest."""
    return np.pi / 2 * np.concatenate([np.arange(n - n // 2), rng.integers(0, 2**29, n // 2)])


ANGLES = [*SMALL, span(-10, 10), span(-1e5, 1e5), span(-(2.0**30), 2.0**30), quarters]
GAMMAS = [sizes(-307, 2, (1.0,)), sizes(0, 300, (1.0,)), span(0, 3), span(2, 40), *(
    sizes(-16, -1, centre=centre) for centre in (1.0, 2.0, 1.4616321449683622))]  # fmt: skip
ABOVE_ONE = [*SMALL, sizes(-17, 308, (1.0,)), span(-0.6, 1.5), sizes(-15, -0.1, (1.0,), centre=-1.0)]


def mp_logaddexp(a: Any, b: Any) -> Any:
    larger, smaller = max(a, b), min(a, b)
    return larger + REFERENCE.log1p(REFERENCE.exp(smaller - larger))


def mp_erfcx(x: Any) -> Any:
    return REFERENCE.erfc(x) * REFERENCE.exp(x * x)


def mp_ndtr(x: Any) -> Any:
    return REFERENCE.erfc(-x / REFERENCE.sqrt(2)) / 2


def mp_log_ndtr(x: Any) -> Any:
    return REFERENCE.log(mp_ndtr(x)) if x < 0 else REFERENCE.log1p(-mp_ndtr(-x))


NORMALS = [*SMALL, span(-3, 3), span(-8, 8), span(-37, 37)]
ROWS: dict[Any, tuple[Callable, float, list]] = {
    np.exp: (REFERENCE.exp, 1.0, EXPONENTS),
    np.exp2: (lambda x: REFERENCE.mpf(2) ** x, 1.0, [*EXPONENTS, span(-1076, -1020), span(-1022, 1024)]),
    np.expm1: (REFERENCE.expm1, 1.0, EXPONENTS),
    np.tanh: (REFERENCE.tanh, 2.0, [*SMALL, span(-25, 25), sizes(-2, 3)]),
    scipy.special.expit: (lambda x: 1 / (1 + REFERENCE.exp(-x)), 2.0, EXPONENTS),
    np.log: (REFERENCE.log, 1.0, POSITIVE),
    np.log2: (lambda x: REFERENCE.log(x, 2), 1.0, POSITIVE),
    np.log10: (REFERENCE.log10, 1.0, POSITIVE),
    np.log1p: (REFERENCE.log1p, 1.0, ABOVE_ONE),
    np.sin: (REFERENCE.sin, 1.0, ANGLES),
    np.cos: (REFERENCE.cos, 1.0, ANGLES),
    np.tan: (REFERENCE.tan, 1.0, ANGLES),
    scipy.special.gammaln: (REFERENCE.loggamma, 2.0, GAMMAS),
    scipy.special.psi: (REFERENCE.digamma, 3.0, GAMMAS),
    scipy.special.polygamma: (lambda x: REFERENCE.psi(1, x), 2.0, GAMMAS),
    scipy.special.erf: (REFERENCE.erf, 2.0, NORMALS),
    scipy.special.erfc: (REFERENCE.erfc, 4.0, [*NORMALS, span(20, 27.3)]),
    scipy.special.erfcx: (mp_erfcx, 4.0, [*SMALL, span(-3, 3), span(-26.6, 40), sizes(0, 4, (1.0,))]),
    scipy.special.ndtr: (mp_ndtr, 5.0, [*NORMALS, span(-38.6, -30)]),
    scipy.special.log_ndtr: (mp_log_ndtr, 5.0, [*NORMALS, sizes(0, 4, (-1.0,))]),
    np.logaddexp: (mp_logaddexp, 2.0, [span(-3, 3), span(-40, 40), span(-800, 800)]),
}
"""Each function: with many digits, the units that it may be wrong by, what draws its points."""


SIZES = {np.logaddexp: np.maximum}
"""Where the result is a difference, the number whose digits are meant, if it is larger than the result."""


def name_of(function: Any) -> str:
    name = function.__name__
    return f"scipy.special.{name}" if getattr(scipy.special, name, None) is function else f"np.{name}"


def text_of(function: Any) -> str:
    """Return a call of a function of a and b."""
    given = {scipy.special.polygamma: "1, a", np.logaddexp: "a, b"}.get(function, "a")
    return f"{name_of(function)}({given})"


def count_of(function: Any) -> int:
    """Return how many operands the call has."""
    return getattr(function, "nin", 1)


def both(function: Any, *operands: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what NumPy or SciPy and the machine code make of a function of arrays."""
    text = f"def f({', '.join('ab'[: len(operands)])}):\n    return {text_of(function)}\n"
    file = f"<native function {text}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"np": np, "scipy": scipy}
    exec(compile(text, file, "exec"), namespace)
    with np.errstate(all="ignore"):
        return namespace["f"](*operands), Native(lowered(namespace["f"], operands))(*operands)


def native(function: Any, *operands: np.ndarray) -> np.ndarray:
    """Return what machine code makes of a function of arrays."""
    return both(function, *operands)[1]


def points(function: Any, count: int) -> list[np.ndarray]:
    """Return operands of a function."""
    rng = np.random.default_rng(17)
    draws = ROWS[function][2]
    return [np.concatenate([draw(rng, count // len(draws) + 1) for draw in draws]) for _ in range(count_of(function))]


def units(found: np.ndarray, function: Any, operands: list[np.ndarray]) -> np.ndarray:
    """Return by how many units in the last place results differ from what mpmath has."""
    exact = [ROWS[function][0](*map(REFERENCE.mpf, row)) for row in zip(*(a.tolist() for a in operands), strict=True)]
    high = np.array([float(value) for value in exact])
    low = np.array([float(value - h) if np.isfinite(h) else 0.0 for value, h in zip(exact, high.tolist(), strict=True)])
    with np.errstate(invalid="ignore"):
        difference = np.where(found == high, 0.0, found - high) - low
    size = np.abs(np.where(np.isfinite(high), high, 1e300))
    if function in SIZES:
        size = np.maximum(size, np.abs(SIZES[function](*operands)))
    return np.abs(difference) / np.spacing(size)


def test_every_function_that_is_written_out_has_a_row() -> None:
    assert set(ROWS) == {*FORMULAS, scipy.special.polygamma}


def check(function: Any, count: int) -> None:
    operands = points(function, count)
    wrong = units(native(function, *operands), function, operands)
    worst = int(np.argmax(wrong))
    assert wrong[worst] <= ROWS[function][1], [a[worst] for a in operands]


@pytest.mark.parametrize("function", ROWS, ids=name_of)
def test_functions_are_right_to_the_last_digits(function: Any) -> None:
    check(function, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("function", ROWS, ids=name_of)
def test_functions_are_right_at_many_points(function: Any) -> None:
    check(function, MANY)


@pytest.mark.parametrize("function", ROWS, ids=name_of)
def test_special_values_are_numpys(function: Any) -> None:
    special = SPECIAL
    if function in (np.sin, np.cos, np.tan):
        special = special[~((np.abs(special) > 8) & np.isfinite(special))]
    elif ROWS[function][2] is GAMMAS:
        special = special[~(special < 0) & ~((special > 0) & (special < 1e-300))]  # where SciPy's overflows
    grid = [part.ravel() for part in np.meshgrid(*[special] * count_of(function))]
    expected, found = both(function, *grid)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found)[known], np.signbit(expected)[known])
    exact = known & ((expected == 0.0) | np.isinf(expected) | np.isin(expected, (1.0, 0.5, 3.0, -1.0)))
    np.testing.assert_array_equal(found[exact], expected[exact])
    np.testing.assert_allclose(found[known], expected[known], rtol=1e-13)


@pytest.mark.parametrize("function", ROWS, ids=name_of)
def test_one_number_and_many_give_the_same(function: Any) -> None:
    operands = [a[::7] for a in points(function, 300)]
    many = native(function, *operands)
    one = [native(function, *(a[k : k + 1] for a in operands))[0] for k in range(0, many.size, 9)]
    np.testing.assert_array_equal(one, many[::9])


@pytest.mark.parametrize("function", [np.sin, np.cos, np.tan], ids=name_of)
def test_angles_that_are_too_large_are_left_to_numpy(function: Any) -> None:
    near, far = np.linspace(-angles.LIMIT, angles.LIMIT, 40), np.linspace(0.0, 1.5 * angles.LIMIT, 40)
    np.testing.assert_allclose(native(function, near), function(near), rtol=1e-15)
    with pytest.raises(Failed):
        native(function, far)
    with pytest.raises(Failed):
        native(function, far[-1:])


def test_derivatives_of_the_gamma_function_beyond_the_second_have_no_code() -> None:
    for order in (2, 0):
        text = f"def f(a):\n    return scipy.special.polygamma({order}, a)\n"
        file = f"<native polygamma {order}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        namespace: dict[str, Any] = {"scipy": scipy}
        exec(compile(text, file, "exec"), namespace)
        x = np.array([0.5, 3.0])
        if order:
            with pytest.raises(NotLowered):
                lowered(namespace["f"], (x,))
        else:
            np.testing.assert_allclose(Native(lowered(namespace["f"], (x,)))(x), scipy.special.psi(x), rtol=1e-15)


@pytest.mark.parametrize("function", [f for f in ROWS if ROWS[f][2] is GAMMAS], ids=name_of)
def test_gamma_functions_of_negative_numbers_are_left_to_scipy(function: Any) -> None:
    with pytest.raises(Failed):
        native(function, np.linspace(3.0, -0.5, 30))


def test_the_softplus_that_is_printed_is_right_for_all_numbers() -> None:
    """log1p of exp(-|a|) has code of its own."""
    text = "def f(a):\n    return np.log1p(np.exp(-np.abs(a))), np.log1p(np.exp(-a))\n"
    file = "<native softplus>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"np": np}
    exec(compile(text, file, "exec"), namespace)
    x = np.concatenate(
        [[0.0, -0.0, np.inf, -np.inf, np.nan], *(draw(np.random.default_rng(0), 500) for draw in EXPONENTS)]
    )
    code = lowered(namespace["f"], (x,))
    with np.errstate(all="ignore"):
        expected, found = namespace["f"](x), Native(code)(x)
    for one, two in zip(expected, found, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-15, atol=1e-322)
    assert "@log1p_of_power" in code.text and "@log1p(" in code.text


def test_a_wrong_digit_would_be_seen() -> None:
    x = np.linspace(0.1, 3.0, 50)
    assert np.max(units(np.exp(x) * (1 + 6e-16), np.exp, [x])) > 2.0
