"""Products of large matrices: calls of the BLAS that SciPy brings, by the addresses that Cython code is given.

BLAS counts along columns first. What lies in memory by rows it takes for the transpose, and makes the transpose of
the product, which lies by rows again: (a b)' = b' a'.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from autoopt.execution.native.arrays import Array
from autoopt.execution.native.code import Code, Index, literal

BLAS_ADDRESSES: dict[str, int] = {}
"""Where the functions are that code calls, by the names that it has for them."""


@dataclass(frozen=True)
class Matrix:
    """A matrix in memory as BLAS takes it: `by_rows` if entries of a row are neighbours, and `leading` entries from
    one row, or else column, to the next."""

    pointer: str
    by_rows: bool
    leading: int


def as_matrix(code: Code, array: Array) -> Matrix | None:
    """Return a matrix of at least one entry as BLAS takes it; None if its entries lie in another way."""
    if array.kind != "f" or array.layout is None:
        return None
    rows, columns = array.shape
    down, right = array.layout.strides
    by_rows = _leading(rows, columns, down, right)
    leading = by_rows or _leading(columns, rows, right, down)
    return Matrix(_address(code, array), bool(by_rows), leading) if leading else None


def _leading(lines: int, length: int, between: int, within: int) -> int:
    """Return the entries from one line to the next, 0 if the lines are not without gaps or overlap."""
    if length > 1 and within != 1:
        return 0
    if lines == 1:
        return length
    return between if between >= length else 0


def _address(code: Code, array: Array) -> str:
    """Return the register with the address of an array's first entry."""
    layout = array.placed
    return code.put(f"getelementptr inbounds double, ptr {layout.memory.pointer}, i64 {layout.offset}")


def gemm(code: Code, a: Matrix, b: Matrix, inner: int, target: Array) -> None:
    """Set a matrix without gaps to a b, each entry a sum of `inner` terms."""
    rows, columns = target.shape
    turned = [_letter(code, "N" if matrix.by_rows else "T") for matrix in (b, a)]
    counts = [_whole(code, count) for count in (columns, rows, inner)]
    one, zero = _double(code, 1.0), _double(code, 0.0)
    factors = [b.pointer, _whole(code, b.leading), a.pointer, _whole(code, a.leading)]
    _call(code, "dgemm", [*turned, *counts, one, *factors, zero, _address(code, target), _whole(code, columns)])


def syrk(code: Code, a: Matrix, inner: int, target: Array) -> None:
    """Set a matrix without gaps to a a', one triangle of which is computed and copied to the other."""
    rows = target.shape[0]
    upper, turned = _letter(code, "U"), _letter(code, "T" if a.by_rows else "N")
    one, zero = _double(code, 1.0), _double(code, 0.0)
    result = [_address(code, target), _whole(code, rows)]
    leading = _whole(code, a.leading)
    counts = [_whole(code, rows), _whole(code, inner)]
    _call(code, "dsyrk", [upper, turned, *counts, one, a.pointer, leading, zero, *result])
    memory, start = target.placed.memory, target.placed.offset

    def mirror(i: Index, j: Index) -> None:
        below = code.plus(start, code.plus(code.times(i, rows), j))
        above = code.plus(start, code.plus(code.times(j, rows), i))
        code.store(memory, above, code.load(memory, below))

    code.loop(1, rows, 1, lambda i: code.loop(0, i, 1, lambda j: mirror(i, j)))


def _call(code: Code, name: str, pointers: list[str]) -> None:
    BLAS_ADDRESSES.setdefault(f"autoopt_{name}", _exported(name))
    types = ", ".join(["ptr"] * len(pointers))
    code.externals.setdefault(
        name, f"declare void @autoopt_{name}({types}) nounwind willreturn memory(argmem: readwrite)"
    )
    code.lines.append(f"  call void @autoopt_{name}({', '.join(f'ptr {pointer}' for pointer in pointers)})")


def _exported(name: str) -> int:
    """Return the address of one of SciPy's BLAS functions."""
    from scipy.linalg import cython_blas

    capsule: Any = cython_blas.__pyx_capi__[name]
    name_of, pointer_of = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return pointer_of(capsule, name_of(capsule))


def _whole(code: Code, number: int) -> str:
    return _constant(code, f"i32 {number}")


def _double(code: Code, number: float) -> str:
    return _constant(code, f"double {literal(number, 'f')}")


def _letter(code: Code, letter: str) -> str:
    return _constant(code, f"i8 {ord(letter)}")


def _constant(code: Code, text: str) -> str:
    """Return the address of a constant; those that are equal are one."""
    for line in code.constants:
        if line.endswith(f" = private constant {text}"):
            return line.split(" ")[0]
    pointer = f"@c{len(code.constants)}"
    code.constants.append(f"{pointer} = private constant {text}")
    return pointer
