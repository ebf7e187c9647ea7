"""What a number in printed source is of the numbers of its tape, found from several tapes and their sources.

A form is a sequence, as it is kept as JSON: its kind, and what that takes. A whole number is fixed, or `a v + c` or
`v w` of numbers v and w of the tape. A real one is a number of the tape, the sum of two, or simple in b, which is
`v + d`, `v w` or `v / w`: p / (q b), p / q (1 / b), p (1 / (q b)) (rounded in other ways), p / q b, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import inf, log, nan, pi, sqrt
from typing import Any

Number = int | float
Form = Sequence[Any]
Numbers = Sequence[Number]

_SHIFTS = range(-3, 4)
_LARGEST = 64
_PAIRED = 8
_UNITS = (1.0, log(2 * pi), log(2.0), pi)


def _line(v: Numbers, i: int, a: int, c: int) -> Number:
    return v[i] if (a, c) == (1, 0) else a * v[i] + c


def _product(v: Numbers, i: int, j: int) -> Number:
    return v[i] * v[j]


def _sum(v: Numbers, i: int, j: int, sign: int) -> Number:
    return v[i] + sign * v[j]


def _twice(v: Numbers, base: tuple[str, int, int], p: int, q: int) -> float:
    _, i, j = base
    return p / q * (1 / v[i]) * (1 / v[j])


BASES: dict[str, Callable[[Numbers, int, int], Number]] = {
    "shift": lambda v, i, d: v[i] + d,
    "times": lambda v, i, j: v[i] * v[j],
    "over": lambda v, i, j: v[i] / v[j],
    "by inverse": lambda v, i, j: v[i] * (1 / v[j]),
}
"""What a form may be a function of, by kind."""


def _of_base(function: Callable[..., float]) -> Callable[..., float]:
    """Return the form that is a function of one of these."""

    def form(v: Numbers, base: tuple[str, int, int], *rest: Number) -> float:
        kind, i, other = base
        return function(BASES[kind](v, i, other), *rest)

    return form


REAL: dict[str, tuple[Callable[..., float], Callable[[float], float]]] = {
    "ratio": (lambda b, p, q: p / (q * b), lambda b: 1 / b),
    "inverse": (lambda b, p, q: p * (1 / (q * b)), lambda b: 1 / b),
    "multiple of inverse": (lambda b, p, q: p / q * (1 / b), lambda b: 1 / b),
    "logarithm": (lambda b, p, q: p / q * log(b), lambda b: log(b) if b > 1 else inf),
    "root": (lambda b, p, q: p / q * sqrt(b), sqrt),
    "inverse root": (lambda b, p, q: p / q / sqrt(b), lambda b: 1 / sqrt(b)),
}
"""By kind: the form in b, and about what its multiple p / q is of."""

FORMS: dict[str, Callable[..., Number]] = {
    "fixed": lambda v, number: number,
    "line": _line,
    "product": _product,
    "sum": _sum,
    "twice": _twice,
    "multiple": _of_base(lambda b, p, q, unit: p / q * unit * b),
    "multiple of multiple": _of_base(lambda b, p, q, unit: p / q * b * unit),
    **{kind: _of_base(function) for kind, (function, _) in REAL.items()},
}


def number(form: Form, v: Numbers) -> Number:
    """Return what a form is for the numbers of a tape, NaN if it is nothing."""
    try:
        return FORMS[form[0]](v, *form[1:])
    except (ArithmeticError, ValueError):
        return nan


def forms(column: Numbers, tapes: Sequence[Numbers], moving: Sequence[int]) -> list[Form]:
    """Return all forms that give the number which one place of several sources has.

    Parameters
    ----------
    column : sequence of number
        What stands there, by source.
    tapes : sequence of sequence of number
        The numbers of the tapes that the sources were made of.
    moving : sequence of int
        The positions of those that are not the same in all tapes, of equal ones the first.
    """
    if all(same(entry, column[0]) for entry in column):
        return [("fixed", column[0])]
    kinds = {type(entry) for entry in column}
    if len(kinds) > 1:
        return []
    found = _whole(column, tapes, moving) if kinds == {int} else _real(column, tapes, moving)
    return [
        form
        for form in dict.fromkeys(found)
        if all(same(number(form, tape), entry) for tape, entry in zip(tapes, column, strict=True))
    ]


def same(one: Number, other: Number) -> bool:
    """Whether two numbers are written alike."""
    return type(one) is type(other) and one == other


def _whole(column: Numbers, tapes: Sequence[Numbers], moving: Sequence[int]) -> Iterator[Form]:
    for i in moving:
        v = [tape[i] for tape in tapes]
        if not isinstance(v[0], int):
            continue
        other = next(k for k, entry in enumerate(v) if entry != v[0])
        slope, rest = divmod(column[other] - column[0], v[other] - v[0])
        if not rest and slope:
            yield "line", i, int(slope), int(column[0] - slope * v[0])
        yield from (("product", i, j) for j in moving if i <= j and isinstance(tapes[0][j], int))


def _real(column: Numbers, tapes: Sequence[Numbers], moving: Sequence[int]) -> Iterator[Form]:
    whole = [i for i in moving if isinstance(tapes[0][i], int)]
    yield from (("line", i, 1, 0) for i in moving)
    yield from (("sum", i, j, sign) for i in moving for j in moving for sign in (1, -1) if i != j)
    bases = [("shift", i, d) for i in moving for d in (_SHIFTS if i in whole else (0,))]
    if len(moving) <= _PAIRED:
        bases += [("times", i, j) for i in moving for j in moving if i <= j]
        bases += [(kind, i, j) for kind in ("over", "by inverse") for i in moving for j in moving if i != j]
    other = next(k for k, entry in enumerate(column) if entry != column[0])
    for base in bases:
        kind, i, rest = base
        b, c = (BASES[kind](v, i, rest) for v in (tapes[0], tapes[other]))
        if b <= 0 or c <= 0:
            continue
        for name, (_, about) in REAL.items():
            yield from ((name, base, p, q) for p, q in _fraction(column[0] / about(b), column[other] / about(c)))
        if kind == "times":
            yield from (("twice", base, p, q) for p, q in _fraction(column[0] * b, column[other] * c))
        for unit in _UNITS:
            for p, q in _fraction(column[0] / b / unit, column[other] / c / unit):
                yield "multiple", base, p, q, unit
                yield "multiple of multiple", base, p, q, unit


def _fraction(ratio: float, other: float) -> Iterator[tuple[int, int]]:
    """Yield a fraction of small whole numbers that two numbers nearly are."""
    if 1 / _LARGEST <= ratio <= _LARGEST and abs(ratio - other) <= 1e-12 * ratio:
        near = Fraction(ratio).limit_denominator(_LARGEST)
        if abs(float(near) - ratio) <= 1e-12 * ratio:
            yield near.numerator, near.denominator
