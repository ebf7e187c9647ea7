"""Constant arrays as what they are: an identity, a triangle, bands, a range, a repetition of something smaller.

Each function in STRUCTURES looks for one of them and writes the expression that would make it; this is evaluated, and
used only if it gives the array to the last bit. What is none of them is written as a display of its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import prod

import numpy as np

from autoopt.codegen.code import (
    MATMUL,
    PRODUCT,
    SHORT,
    SUM,
    UNARY,
    Code,
    array_text,
    expression,
    infix,
    literal,
    negative,
    sequence,
)

DEEP = 4
"""How many structures may stand within each other, as a repetition of bands has two."""

LONG = 160
"""The most columns of the text of a structure: if it takes more, it is none."""

BANDS = 5
"""The most diagonals that are written one by one."""

SEARCHED = 20_000
"""The most entries of an array that is looked through for blocks."""

RULES = 200
"""The most nodes of a rule that are looked for."""

LISTED = 32
"""The most positions that are written one by one within an expression."""

Structure = Callable[[np.ndarray, int], "Code | None"]
STRUCTURES: list[tuple[str, Structure]] = []


def structure(stem: str) -> Callable[[Structure], Structure]:
    """Register what finds a structure, `find(array, depth)`, in the order in which they are tried."""

    def register(find: Structure) -> Structure:
        STRUCTURES.append((stem, find))
        return find

    return register


def constant_text(value: np.ndarray) -> tuple[str, str]:
    """Return how the name of a constant array may begin, and the expression that makes it."""
    with np.errstate(all="ignore"):
        found = _found(value, 0)
    if found is not None:
        return _STEMS.get(found[0], found[0]), found[1].text
    return ("index" if value.dtype.kind in "iu" else "table"), display(value)


_STEMS = {"reshaped": "pattern", "scattered": "pattern", "chosen": "pattern", "negated": "pattern"}


def display(value: np.ndarray) -> str:
    """Return the call that makes an array of its numbers, with all digits, in lines if it is long."""
    if value.ndim > 1 and 1 in value.shape[:-1]:
        flat = display(value.reshape(tuple(n for n in value.shape[:-1] if n != 1) + value.shape[-1:]))
        return f"{flat}.reshape{value.shape!r}"
    shown = np.array2string(
        value,
        threshold=value.size + 1,
        separator=", ",
        max_line_width=110,
        formatter={"float_kind": lambda number: repr(float(number)).replace("nan", "np.nan").replace("inf", "np.inf")},
    )
    dtype = "" if value.dtype in (float, int, bool) and value.size else f", dtype={value.dtype.name!r}"
    if "\n" not in shown:
        return f"np.array({shown}{dtype})"
    return f"np.array(\n{shown}{dtype}\n)".replace("\n", "\n    ").removesuffix("    )") + ")"


def is_display(text: str) -> bool:
    """Whether the text of an array has all its numbers."""
    return text.startswith("np.array(")


def _found(value: np.ndarray, depth: int) -> tuple[str, Code] | None:
    """Return the structure of an array and its text."""
    short = array_text(value)
    if short is not None:
        return "constant", expression(short)
    if depth >= DEEP or value.dtype.kind not in "fib":
        return None
    for stem, find in STRUCTURES:
        code = find(value, depth)
        if code is not None and len(code.text) <= LONG and is_same(code.text, value):
            return stem, code
    return None


def _inner(value: np.ndarray, depth: int) -> Code | None:
    """Return the text of a smaller array that a larger one is made of."""
    if SHORT >= value.size > 4 and (code := steps(value, depth)) is not None and is_same(code.text, value):
        return code
    found = _found(value, depth + 1)
    return None if found is None else found[1]


def is_same(text: str, value: np.ndarray) -> bool:
    """Whether an expression gives an array, to the last bit."""
    try:
        found = np.asarray(eval(text, {"np": np}))
    except (ValueError, TypeError, IndexError, ArithmeticError, MemoryError):
        return False
    return found.dtype == value.dtype and found.shape == value.shape and found.tobytes() == value.tobytes()


def _sizes(*lengths: int) -> str:
    return ", ".join(str(n) for n in lengths)


def _scaled(number: float, code: Code) -> Code:
    """Return a number times an array of zeros and ones."""
    return code if number == 1 else infix("*", PRODUCT, literal(number), code)


# Patterns of zeros and one number -------------------------------------------------------------------------------------


def _pattern(value: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return where an array is not zero, if it is the same number everywhere there, and the number."""
    mask = value != 0
    numbers = value[mask]
    if not 0 < numbers.size < value.size or not (numbers == numbers[0]).all():
        return None
    return mask, numbers[0]


def _typed(text: str, value: np.ndarray, number: float) -> Code:
    """Return the pattern of a constructor that makes floats, in the array's own type."""
    if value.dtype == bool:
        return Code(text[:-1] + ", dtype=bool)" if text.endswith(")") else text.replace(").T", ", dtype=bool).T"))
    return _scaled(number, Code(text)) if value.dtype == np.float64 else Code("")


@structure("identity")
def identity(value: np.ndarray, depth: int) -> Code | None:
    """One diagonal of a matrix."""
    found = _pattern(value) if value.ndim == 2 else None
    if found is None:
        return None
    mask, number = found
    rows, columns = np.nonzero(mask)
    k = int(columns[0] - rows[0])
    if (columns - rows != k).any():
        return None
    n, m = value.shape
    return _typed(f"np.eye({_sizes(*([n] if n == m else [n, m]))}{f', k={k}' if k else ''})", value, number)


@structure("triangle")
def triangle(value: np.ndarray, depth: int) -> Code | None:
    """The lower or the upper triangle of a matrix."""
    found = _pattern(value) if value.ndim == 2 else None
    if found is None:
        return None
    mask, number = found
    n, m = value.shape
    for turned, text in ((mask, ""), (mask.T, ".T")):
        rows, columns = np.nonzero(turned)
        k = int((columns - rows).max())
        if turned.sum() == np.clip(np.arange(turned.shape[0]) + k + 1, 0, turned.shape[1]).sum():
            n, m = turned.shape
            sizes = _sizes(*([n] if n == m else [n, m]))
            return _typed(f"np.tri({sizes}{f', k={k}' if k else ''}){text}", value, number)
    return None


@structure("bands")
def bands(value: np.ndarray, depth: int) -> Code | None:
    """A few diagonals of a matrix, each of one number."""
    if value.ndim != 2 or value.dtype != np.float64 or min(value.shape) < 2:
        return None
    rows, columns = np.nonzero(value)
    offsets = np.unique(columns - rows)
    if not 1 < len(offsets) <= BANDS:
        return None
    n, m = value.shape
    terms = []
    for k in offsets[::-1]:
        numbers = np.diagonal(value, k)
        if (numbers != numbers[0]).any():
            return None
        sizes = _sizes(*([n] if n == m else [n, m]))
        terms.append((numbers[0], f"np.eye({sizes}{f', k={k}' if k else ''})"))
    text = ""
    for number, term in sorted(terms, key=lambda pair: pair[0] < 0):
        sign = " - " if number < 0 else " + "
        text += (sign if text else "-" if number < 0 else "") + _scaled(abs(number), Code(term)).text
    return Code(text, SUM)


@structure("diagonal")
def diagonal(value: np.ndarray, depth: int) -> Code | None:
    """One diagonal of a square matrix, of several numbers."""
    if value.ndim != 2 or value.shape[0] != value.shape[1] or np.count_nonzero(value) > len(value):
        return None
    numbers = _inner(np.diagonal(value), depth)
    return None if numbers is None else Code(f"np.diag({numbers})")


# Ranges ---------------------------------------------------------------------------------------------------------------


@structure("steps")
def steps(value: np.ndarray, depth: int) -> Code | None:
    """Numbers at equal distances."""
    if value.ndim != 1 or value.dtype.kind == "b" or len(value) < 4:
        return None
    n, first, last = len(value), value[0], value[-1]
    if value.dtype == np.int64:
        return None  # np.arange has been tried
    whole = np.array_equal(value, np.round(value)) and np.abs(value).max() < 2**53
    if whole:
        step = value[1] - value[0]
        sizes = [f"{float(n)!r}"] if (first, step) == (0, 1) else [f"{first!r}", f"{first + n * step!r}"]
        return Code(f"np.arange({', '.join([*map(_plain, sizes), *([_plain(repr(step))] if step != 1 else [])])})")
    return Code(f"np.linspace({literal(first)}, {literal(last)}, {n})")


def _plain(text: str) -> str:
    """Return the text of a number that NumPy would give with its type."""
    return re.sub(r"np\.\w+\((.*)\)", r"\1", text)


@structure("grid")
def grid(value: np.ndarray, depth: int) -> Code | None:
    """Sums, products, or the larger or smaller, of what belongs to the rows and what to the columns of a matrix."""
    if value.ndim != 2 or value.dtype.kind == "b" or min(value.shape) < 2:
        return None
    top, left, bottom, right = value[0], value[:, 0], value[-1], value[:, -1]
    options = [
        (left[:, None] + (top - top[0]), "{} + {}", SUM, left, top - top[0]),
        ((left - left[0])[:, None] + top, "{} + {}", SUM, left - left[0], top),
        (np.maximum(left[:, None], top), "np.maximum({}, {})", None, left, top),
        (np.minimum(left[:, None], top), "np.minimum({}, {})", None, left, top),
        (np.minimum(right[:, None], bottom), "np.minimum({}, {})", None, right, bottom),
        (np.maximum(right[:, None], bottom), "np.maximum({}, {})", None, right, bottom),
        (np.abs((left - left[0])[:, None] - (top - top[0])), "np.abs({} - {})", None, left - left[0], top - top[0]),
    ]
    if top[0] != 0:
        options.append((left[:, None] * (top / top[0]), "{} * {}", PRODUCT, left, (top / top[0]).astype(value.dtype)))
    for made, form, level, own, other in options:
        if np.array_equal(made, value):
            rows, columns = _inner(own, depth), _inner(other, depth)
            if rows is None or columns is None:
                return None
            text = form.format(f"{rows:.}[:, None]", columns.at(UNARY if level == PRODUCT else MATMUL))
            return Code(text) if level is None else Code(text, level)
    return None


# Repetitions ----------------------------------------------------------------------------------------------------------


@structure("repeated")
def repeated(value: np.ndarray, depth: int) -> Code | None:
    """The same along an axis, or each entry there so many times."""
    for axis, n in enumerate(value.shape):
        same = (np.diff(value, axis=axis) if value.dtype != bool else value.take(range(1, n), axis) ^
                value.take(range(n - 1), axis)) == 0  # fmt: skip
        alike = same.all(axis=tuple(a for a in range(value.ndim) if a != axis))
        changes = np.flatnonzero(~alike) + 1
        count = n if not changes.size else int(np.gcd.reduce([*changes, n]))
        if count == 1 or n % count:
            continue
        part = _inner(value.take(range(0, n, count), axis), depth)
        if part is not None:
            return Code(f"np.repeat({part}, {count}{f', axis={axis}' if value.ndim > 1 else ''})")
    return None


@structure("tiled")
def tiled(value: np.ndarray, depth: int) -> Code | None:
    """The same again and again along an axis."""
    for axis, n in enumerate(value.shape):
        for period in _periods(n):
            head, tail = value.take(range(n - period), axis), value.take(range(period, n), axis)
            if not np.array_equal(head, tail):
                continue
            part = _inner(value.take(range(period), axis), depth)
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
def blocks(value: np.ndarray, depth: int) -> Code | None:
    """The Kronecker product of an identity and something smaller."""
    if value.ndim != 2 or value.dtype != np.float64:
        return None
    n, m = value.shape
    if value.size > SEARCHED or not 0 < np.count_nonzero(value) < value.size:
        return None
    i, j = (int(place[0]) for place in np.nonzero(value))
    for p, q in ((p, q) for p in divisors(n) for q in divisors(m)):
        if p * q in (1, value.size):
            continue
        parts = value.reshape(n // p, p, m // q, q)
        outer, block = parts[:, i % p, :, j % q] / value[i, j], parts[i // p, :, j // q, :]
        if np.array_equal(np.kron(outer, block), value):
            one, two = _inner(outer, depth), _inner(block, depth)
            if one is not None and two is not None:
                return Code(f"np.kron({one}, {two})")
    return None


def divisors(n: int) -> list[int]:
    """Return the whole numbers that divide a length, the smallest first."""
    return [k for k in range(1, n + 1) if n % k == 0]


@structure("negated")
def negated(value: np.ndarray, depth: int) -> Code | None:
    """The negative of what has zeros: -0."""
    zeros = value[value == 0]
    if value.dtype != np.float64 or not zeros.size or not np.signbit(zeros).all():
        return None
    code = _inner(-value, depth)
    return None if code is None else negative(code)


@structure("nodes")
def nodes(value: np.ndarray, depth: int) -> Code | None:
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


@structure("chosen")
def chosen(value: np.ndarray, depth: int) -> Code | None:
    """Rows or columns of an identity."""
    found = _pattern(value) if value.ndim == 2 and value.dtype == np.float64 else None
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
    places = _places(index, depth)
    return None if places is None else _scaled(number, Code(form.format(f"np.eye({size})", places)))


def _places(index: np.ndarray, depth: int) -> Code | None:
    """Return the text of positions, as what they are or as a list."""
    steps = np.diff(index)
    if index.size <= LISTED and not (index.size > 3 and (steps == steps[0]).all()):
        return Code(f"{index.tolist()}")
    return _inner(index, depth)


@structure("reshaped")
def reshaped(value: np.ndarray, depth: int) -> Code | None:
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
    if value.ndim > 1:
        nonzero = np.flatnonzero(flat)
        gaps = np.diff(nonzero)
        if gaps.size and (gaps == gaps[0]).all() and gaps[0] > 2 and value.size % (gaps[0] - 1) == 0:
            shapes.append((value.size // int(gaps[0] - 1), int(gaps[0] - 1)))
    if depth < DEEP - 1 and value.ndim > 1:
        shapes.append((value.size,))
    for shape in shapes:
        if shape in tried or not shape or prod(shape) != value.size:
            continue
        tried.add(shape)
        code = _reshaping(value.reshape(shape), depth)
        if code is not None:
            return Code(f"{code:.}.reshape{sequence([str(n) for n in value.shape])}")
    return None


def _reshaping(value: np.ndarray, depth: int) -> Code | None:
    found = _found(value, depth + 1)
    return None if found is None or found[0] in ("reshaped", "scattered") else found[1]


@structure("scattered")
def scattered(value: np.ndarray, depth: int) -> Code | None:
    """A few numbers among zeros."""
    places = np.flatnonzero(value)
    if value.dtype != np.float64 or not 0 < places.size <= value.size // 4:
        return None
    numbers = value.reshape(-1)[places]
    where = _places(places, depth)
    if where is None:
        return None
    shape = f".reshape{sequence([str(n) for n in value.shape])}" if value.ndim > 1 else ""
    if (numbers == numbers[0]).all():
        return Code(f"{literal(float(numbers[0]))} * np.bincount({where}, minlength={value.size}){shape}", PRODUCT)
    weights = _inner(numbers, depth) or (Code(f"{numbers.tolist()}") if numbers.size <= 16 else None)
    return None if weights is None else Code(f"np.bincount({where}, {weights}, minlength={value.size}){shape}")
