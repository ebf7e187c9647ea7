"""What constant arrays may be of smaller ones: repetitions, blocks, other shapes, choices, numbers among zeros."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from autoopt.codegen.code import PRODUCT, SHORT, SUM, Code, expression, infix, literal, negative, sequence
from autoopt.codegen.structures import DEEP, Search, pattern, scaled, structure

SEARCHED = 20_000
"""The most entries of an array that is looked through for blocks."""

RULES = 200
"""The most nodes of a rule that are looked for."""


# Repetitions ----------------------------------------------------------------------------------------------------------


@structure("repeated")
def repeated(value: np.ndarray, search: Search) -> Code | None:
    """The same along an axis, or each entry there so many times."""
    for axis, n in enumerate(value.shape):
        same = (np.diff(value, axis=axis) if value.dtype != bool else value.take(range(1, n), axis) ^
                value.take(range(n - 1), axis)) == 0  # fmt: skip
        alike = same.all(axis=tuple(a for a in range(value.ndim) if a != axis))
        changes = np.flatnonzero(~alike) + 1
        count = n if not changes.size else int(np.gcd.reduce([*changes, n]))
        if count == 1 or n % count:
            continue
        part = search.inner(value.take(range(0, n, count), axis))
        if part is not None:
            return Code(f"np.repeat({part}, {count}{f', axis={axis}' if value.ndim > 1 else ''})")
    return None


@structure("tiled")
def tiled(value: np.ndarray, search: Search) -> Code | None:
    """The same again and again along an axis."""
    for axis, n in enumerate(value.shape):
        for period in _periods(n):
            if not np.array_equal(value.take(0, axis), value.take(period, axis)):
                continue
            search.left -= value.size
            head, tail = value.take(range(n - period), axis), value.take(range(period, n), axis)
            if not np.array_equal(head, tail):
                continue
            part = search.inner(value.take(range(period), axis))
            if part is None:
                break
            times = [1] * value.ndim
            times[axis] = n // period
            return Code(f"np.tile({part}, {times[0] if value.ndim == 1 else sequence([str(t) for t in times])})")
    return None


def _periods(n: int) -> Iterator[int]:
    """Yield the proper divisors of a length from 2 on, the smallest first."""
    return (period for period in divisors(n)[1:-1])


@structure("blocks")
def blocks(value: np.ndarray, search: Search) -> Code | None:
    """The Kronecker product of an identity and something smaller."""
    if value.ndim != 2 or value.dtype != np.float64:
        return None
    n, m = value.shape
    if value.size > SEARCHED or not 0 < np.count_nonzero(value) < value.size:
        return None
    i, j = (int(place[0]) for place in np.nonzero(value))
    for p, q in ((p, q) for p in divisors(n) for q in divisors(m)):
        if p * q in (1, value.size) or search.left < 0:
            continue
        search.left -= value.size
        parts = value.reshape(n // p, p, m // q, q)
        outer, block = parts[:, i % p, :, j % q] / value[i, j], parts[i // p, :, j // q, :]
        if np.array_equal(np.kron(outer, block), value):
            one, two = search.inner(outer), search.inner(block)
            if one is not None and two is not None:
                return Code(f"np.kron({one}, {two})")
    return None


def divisors(n: int) -> list[int]:
    """Return the whole numbers that divide a length, the smallest first."""
    return [k for k in range(1, n + 1) if n % k == 0]


@structure("negated")
def negated(value: np.ndarray, search: Search) -> Code | None:
    """The negative of what has zeros: -0."""
    zeros = value[value == 0]
    if value.dtype != np.float64 or not zeros.size or not np.signbit(zeros).all():
        return None
    code = search.inner(-value)
    return None if code is None else negative(code)


@structure("complement")
def complement(value: np.ndarray, search: Search) -> Code | None:
    """A number everywhere but at few places, where it is zero."""
    found = pattern(value) if value.dtype == np.float64 else None
    if found is None or 2 * np.count_nonzero(value) <= value.size or search.depth:
        return None
    code = search.inner(found[1] - value)
    return None if code is None else infix("-", SUM, literal(found[1]), code)


@structure("nodes")
def nodes(value: np.ndarray, search: Search) -> Code | None:
    """The nodes or the weights of Gauss and Legendre's rule, on (-1, 1) or (0, 1)."""
    if value.ndim != 1 or value.dtype != np.float64 or not SHORT < value.size <= RULES or value.min() < -1:
        return None
    rule = np.polynomial.legendre.leggauss(len(value))
    for k, forms in enumerate((("{}", "({} + 1.0) / 2.0"), ("{}", "{} / 2.0"))):
        for form in forms:
            if np.array_equal(eval(form.format("rule"), {"rule": rule[k]}), value):
                return expression(form.format(f"np.polynomial.legendre.leggauss({len(value)})[{k}]"))
    return None


# Choices and other shapes ---------------------------------------------------------------------------------------------


@structure("chosen", sparse=True)
def chosen(value: np.ndarray, search: Search) -> Code | None:
    """Rows or columns of an identity."""
    found = pattern(value) if value.ndim == 2 and value.dtype == np.float64 else None
    if found is None:
        return None
    mask, number = found
    n, m = value.shape
    if (mask.sum(axis=1) == 1).all():
        index, form, size = mask.argmax(axis=1), "{}[{}]", m
    elif (mask.sum(axis=0) == 1).all():
        index, form, size = mask.argmax(axis=0), "{}[:, {}]", n
    else:
        return None
    places = search.places(index)
    return None if places is None else scaled(number, Code(form.format(f"np.eye({size})", places)))


@structure("reshaped")
def reshaped(value: np.ndarray, search: Search) -> Code | None:
    """Something of another shape: without unit axes, a matrix of more or fewer columns, a vector."""
    if value.dtype.kind not in "fib":
        return None
    flat, tried = value.reshape(-1), {value.shape}
    shapes = [tuple(n for n in value.shape if n != 1)]
    shapes += [(prod(value.shape[:k]), prod(value.shape[k:])) for k in range(1, value.ndim)] if value.ndim > 2 else []
    root = round(value.size**0.5)
    shapes += [(root, root)] if root * root == value.size else []
    changes = np.flatnonzero(np.diff(np.diff(flat.astype(float)))) + 2 if value.size > 2 else np.zeros(0, int)
    width = int(changes[0]) if changes.size else 0
    shapes += [(value.size // width, width)] if 1 < width < value.size and value.size % width == 0 else []
    shapes += [(value.size // w, w) for w in _widths(flat)[:1]] if value.ndim == 1 else []
    if value.ndim > 1:
        nonzero = np.flatnonzero(flat)
        gaps = np.diff(nonzero)
        if gaps.size and (gaps == gaps[0]).all() and gaps[0] > 2 and value.size % (gaps[0] - 1) == 0:
            shapes.append((value.size // int(gaps[0] - 1), int(gaps[0] - 1)))
    if search.depth < DEEP - 1 and value.ndim > 1:
        shapes.append((value.size,))
    for shape in shapes:
        if shape in tried or not shape or prod(shape) != value.size:
            continue
        tried.add(shape)
        code = _of_shape(value.reshape(shape), search)
        if code is not None:
            return Code(f"{code:.}.reshape{sequence([str(n) for n in value.shape])}")
    return None


def _widths(flat: np.ndarray) -> list[int]:
    """Return the lengths of the rows that differ by a number each from the first of them."""
    if flat.dtype.kind != "i" or flat.size > SEARCHED:
        return []
    tables = ((w, flat.reshape(-1, w)) for w in divisors(flat.size)[1:-1])
    return [w for w, rows in tables if (rows - rows[:, :1] == rows[0] - rows[0, 0]).all()]


def _of_shape(value: np.ndarray, search: Search) -> Code | None:
    search.depth += 1
    found = search.found(value)
    search.depth -= 1
    return None if found is None or found[0] in ("reshaped", "scattered") else found[1]


@structure("scattered", sparse=True)
def scattered(value: np.ndarray, search: Search) -> Code | None:
    """A few numbers among zeros."""
    places = np.flatnonzero(value)
    if value.dtype != np.float64 or not 0 < places.size <= value.size // 4:
        return None
    numbers = value.reshape(-1)[places]
    where = search.places(places)
    if where is None:
        return None
    shape = f".reshape{sequence([str(n) for n in value.shape])}" if value.ndim > 1 else ""
    if (numbers == numbers[0]).all():
        return Code(f"{literal(float(numbers[0]))} * np.bincount({where}, minlength={value.size}){shape}", PRODUCT)
    weights = search.inner(numbers) or (Code(f"{numbers.tolist()}") if numbers.size <= 16 else None)
    return None if weights is None else Code(f"np.bincount({where}, {weights}, minlength={value.size}){shape}")
