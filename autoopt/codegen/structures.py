"""What constant arrays may be: an identity, a triangle, bands, a range, a repetition of something smaller.

Each function in STRUCTURES looks for one structure and writes the expression that would make the array; this is
evaluated, and used only if it gives the array to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
)

DEEP = 4
"""How many structures may stand within each other, as a repetition of bands has two."""

LONG = 160
"""The most columns of the text of a structure: if it takes more, it is none."""

BANDS = 5
"""The most diagonals that are written one by one."""

EFFORT = 300
"""How many times the entries of an array may be looked at, all in all."""

LISTED = 32
"""The most positions that are written one by one within an expression."""


class Search:
    """The search for the structure of one array, and of those that it is made of.

    Parameters
    ----------
    display : callable, optional
        What writes an array without structure that a larger one is made of; without it there must be none.
    """

    def __init__(self, display: Callable[[np.ndarray], str] | None = None) -> None:
        self.display, self.depth = display, 0
        self.left = np.inf  # the entries that may still be looked at

    def found(self, value: np.ndarray, structures: Mapping[str, Structure] | None = None) -> tuple[str, Code] | None:
        """Return the structure of an array and its text."""
        short = array_text(value)
        if short is not None:
            return "constant", expression(short)
        if self.depth >= DEEP or value.dtype.kind not in "fib":
            return None
        if value.dtype not in (np.float64, np.int64, np.bool_):
            return self._of_other_type(value)
        if not self.depth:
            self.left = EFFORT * float(value.size)
        for stem, find in (STRUCTURES if structures is None else structures).items():
            self.left -= value.size
            if self.left < 0:
                return None
            code = find(value, self)
            if code is not None and self._is_short(code) and is_same(code.text, value):
                return stem, code
        return None

    def _is_short(self, code: Code) -> bool:
        return self.display is not None or len(code.text) <= LONG

    def _of_other_type(self, value: np.ndarray) -> tuple[str, Code] | None:
        found = self.found(value.astype(np.float64 if value.dtype.kind == "f" else np.int64))
        if found is None:
            return None
        code = Code(f"{found[1]:.}.astype(np.{value.dtype.name})")
        return (found[0], code) if is_same(code.text, value) else None

    def inner(self, value: np.ndarray) -> Code | None:
        """Return the text of a smaller array that a larger one is made of."""
        if SHORT >= value.size > 2 and (code := steps(value, self)) is not None and is_same(code.text, value):
            return code
        self.depth += 1
        found = self.found(value)
        self.depth -= 1
        if found is None:
            return None if self.display is None else Code(self.display(value))
        return found[1]

    def places(self, index: np.ndarray) -> Code | None:
        """Return the text of positions, as what they are or as a list."""
        gaps = np.diff(index)
        if index.size <= LISTED and not (index.size > 3 and (gaps == gaps[0]).all()):
            return Code(f"{index.tolist()}")
        return self.inner(index)


Structure = Callable[[np.ndarray, Search], "Code | None"]

STRUCTURES: dict[str, Structure] = {}
"""What finds a structure, `find(array, search)`, in the order in which they are tried; by how names may begin."""

SPARSE: dict[str, Structure] = {}
"""Those of arrays of many zeros, which may be written by what the others are."""


def structure(stem: str, sparse: bool = False) -> Callable[[Structure], Structure]:
    """Register what finds a structure."""

    def register(find: Structure) -> Structure:
        STRUCTURES[stem] = find
        if sparse:
            SPARSE[stem] = find
        return find

    return register


def is_same(text: str, value: np.ndarray) -> bool:
    """Whether an expression gives an array, to the last bit."""
    try:
        found = np.asarray(eval(text, {"np": np}))
    except (ValueError, TypeError, IndexError, ArithmeticError, MemoryError):
        return False
    return found.dtype == value.dtype and found.shape == value.shape and found.tobytes() == value.tobytes()


def _sizes(*lengths: int) -> str:
    return ", ".join(str(n) for n in lengths)


def scaled(number: float, code: Code) -> Code:
    """Return a number times an array of zeros and ones."""
    return code if number == 1 else infix("*", PRODUCT, literal(number), code)


# Patterns of zeros and one number -------------------------------------------------------------------------------------


def pattern(value: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return where an array is not zero, if it is the same number everywhere there, and the number."""
    mask = value != 0
    numbers = value[mask]
    if not 0 < numbers.size < value.size or not (numbers == numbers[0]).all():
        return None
    return mask, numbers[0]


def _typed(text: str, value: np.ndarray, number: float) -> Code:
    """Return the pattern of a constructor that makes floats, in the array's own type."""
    if value.dtype != np.float64:
        kind = "bool" if value.dtype == bool else "int"
        text = f"{text[:-1]}, dtype={kind})" if text.endswith(")") else text.replace(").T", f", dtype={kind}).T")
    if number < 0 and not np.signbit(value).all():  # times a negative number zeros would be -0
        return infix("-", SUM, literal(abs(number - number)), scaled(-number, Code(text)))
    return scaled(number, Code(text))


@structure("identity")
def identity(value: np.ndarray, search: Search) -> Code | None:
    """One diagonal of a matrix."""
    found = pattern(value) if value.ndim == 2 else None
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
def triangle(value: np.ndarray, search: Search) -> Code | None:
    """The lower or the upper triangle of a matrix."""
    found = pattern(value) if value.ndim == 2 else None
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


@structure("index")
def triangle_positions(value: np.ndarray, search: Search) -> Code | None:
    """The rows, or the columns, of the entries of a triangle."""
    if value.ndim != 1 or value.dtype != np.int64 or value.size < 6:
        return None
    n = int(value.max()) + 1
    for name, k in (("triu", 0), ("tril", 0), ("triu", 1), ("tril", -1)):
        for length in (n, n + 1):
            if length * (length + (1 if k == 0 else -1)) // 2 != value.size:
                continue
            for which, positions in enumerate(getattr(np, f"{name}_indices")(length, k)):
                if np.array_equal(positions, value):
                    return Code(f"np.{name}_indices({_sizes(length, *([k] if k else []))})[{which}]")
    return None


@structure("half")
def half(value: np.ndarray, search: Search) -> Code | None:
    """A triangle of a square matrix with another number on the diagonal."""
    if value.ndim != 2 or value.shape[0] != value.shape[1] or value.dtype != np.float64 or len(value) < 3:
        return None
    inside, on = value[-1, 0] + value[0, -1], value[0, 0]
    if inside == 0 or on in (0.0, inside):
        return None
    turned = ".T" if value[-1, 0] == 0 else ""
    lower = scaled(inside, Code(f"np.tri({len(value)}){turned}"))
    unit = scaled(abs(on - inside), Code(f"np.eye({len(value)})"))
    return infix("-" if on < inside else "+", SUM, lower, unit)


@structure("bands")
def bands(value: np.ndarray, search: Search) -> Code | None:
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
        text += (sign if text else "-" if number < 0 else "") + scaled(abs(number), Code(term)).text
    return Code(text, SUM)


@structure("diagonal", sparse=True)
def diagonal(value: np.ndarray, search: Search) -> Code | None:
    """One diagonal of a square matrix, of several numbers."""
    if value.ndim != 2 or value.shape[0] != value.shape[1] or np.count_nonzero(value) > len(value):
        return None
    numbers = search.inner(np.diagonal(value))
    return None if numbers is None else Code(f"np.diag({numbers})")


# Ranges ---------------------------------------------------------------------------------------------------------------


@structure("steps")
def steps(value: np.ndarray, search: Search) -> Code | None:
    """Numbers at equal distances."""
    if value.ndim != 1 or value.dtype.kind == "b" or len(value) < (3 if value.dtype == np.int64 else 5):
        return None
    n, first, last = len(value), value[0], value[-1]
    if not np.isfinite(value).all() or not np.array_equal(value, np.round(value)) or np.abs(value).max() > 2**53:
        return Code(f"np.linspace({literal(first)}, {literal(last)}, {n})")
    start, step = int(first), int(value[1] - first)
    stop = start + n * step
    bounds = [stop] if (start, step) == (0, 1) else [start, stop] if step == 1 else [start, stop, step]
    return Code(f"np.arange({_sizes(*bounds)}{', dtype=float' if value.dtype == np.float64 else ''})") if step else None


@structure("grid")
def grid(value: np.ndarray, search: Search) -> Code | None:
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
            rows, columns = search.inner(own), search.inner(other)
            if rows is None or columns is None:
                return None
            text = form.format(f"{rows:.}[:, None]", columns.at(UNARY if level == PRODUCT else MATMUL))
            return Code(text) if level is None else Code(text, level)
    return None
