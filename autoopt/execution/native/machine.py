"""Code compiled by LLVM and called with NumPy arrays."""

from __future__ import annotations

import ast
import ctypes
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from autoopt.execution.modules import source_of
from autoopt.execution.native.arrays import NotLowered
from autoopt.execution.native.blas import BLAS_ADDRESSES
from autoopt.execution.native.code import DTYPES, LONG, product
from autoopt.execution.native.elementwise import SPECIAL_ADDRESSES
from autoopt.execution.native.interface import Lowered, Operand
from autoopt.execution.native.lowering import lower

LARGEST_ROOM = 2**28
"""Bytes of room to work in; what needs more is refused."""

LONGEST = 40_000
"""Lines of LLVM's assembly language; compiling takes about 0.1 ms a line."""

MANY = 1024
"""Entries from which on a result is written into an array of its own, and not copied from one that is kept."""

_lock = threading.Lock()


_NOTHING = np.empty(0)


class Failed(Exception):
    """The code met what only the text can tell about: another branch, a singular matrix."""


class Changed(Exception):
    """The operands have other shapes or kinds than those that the code is made for."""


def lowered(function: FunctionType, operands: tuple) -> Lowered:
    """Return a printed function as code for operands like these; for these very whole numbers if not for all.

    Raises
    ------
    NotLowered
        If the function does what has no code here, or needs too much of it.
    """
    try:
        found = lower(function, definition, [Operand.of(value, fixed=False) for value in operands])
    except NotLowered:
        fixed = [Operand.of(value, fixed=True) for value in operands]
        if all(operand.value is None for operand in fixed):
            raise
        found = lower(function, definition, fixed)
    if found.room > LARGEST_ROOM or found.lines > LONGEST:
        raise NotLowered("so much room or code")
    return found


class Native:
    """A function as machine code.

    Parameters
    ----------
    lowered : Lowered
    """

    def __init__(self, lowered: Lowered) -> None:
        self.lowered = lowered
        self.engine, self.run = _compiled(lowered.text)
        self.tables: list[_Table] = []

    def __call__(self, *operands: Any) -> Any:
        """Return what the function returns."""
        try:
            table = self.tables.pop()
        except IndexError:
            table = _Table(self.lowered)
        try:
            table.enter(operands)
            if self.run(table.address):
                raise Failed
            return table.results()
        finally:
            self.tables.append(table)


class _Table:
    """The pointers that one call takes, and the arrays behind them; one for each call that is under way."""

    def __init__(self, lowered: Lowered) -> None:
        self.lowered = lowered
        count = len(lowered.operands)
        self.pointers = np.zeros(max(1, len(lowered.handed)), dtype=np.int64)
        self.address = _address(self.pointers)
        self.seen: list[Any] = [None] * count
        self.numbers = {
            k: np.zeros(1, DTYPES[operand.kind]) for k, operand in enumerate(lowered.operands) if operand.shape == ()
        }
        self.fixed = {k: operand.value for k, operand in enumerate(lowered.operands) if operand.value is not None}
        self.kept = [np.empty(max(1, memory.size), DTYPES[memory.kind]) for memory in lowered.handed[count:]]
        for k, array in [*self.numbers.items(), *enumerate(self.kept, start=count)]:
            self.pointers[k] = _address(array)
        shaped = zip(lowered.results, self.kept, strict=False)
        self.shaped = [array[: product(result.shape)].reshape(result.shape or 1) for result, array in shaped]
        self.scalar = [result.shape == () for result in lowered.results]
        self.large = [k for k, result in enumerate(lowered.results) if product(result.shape) > MANY]
        self.release()

    def enter(self, operands: tuple) -> None:
        """Point to the operands."""
        seen = self.seen
        if self.fixed and not all(np.array_equal(value, operands[k]) for k, value in self.fixed.items()):
            raise Changed
        for k, value in enumerate(operands):
            if k in self.numbers:
                if np.ndim(value) or not np.can_cast(np.asarray(value).dtype, self.numbers[k].dtype):
                    raise Changed
                self.numbers[k][0] = value
            elif value is not seen[k]:
                self.point(k, value)
        for k in self.large:
            result = self.lowered.results[k]
            array = self.shaped[k] = np.empty(result.shape, DTYPES[result.kind])
            self.pointers[k + len(seen)] = _address(array)

    def release(self) -> None:
        """Let go of the large results."""
        for k in self.large:
            self.shaped[k] = self.kept[k] = _NOTHING

    def point(self, k: int, value: Any) -> None:
        """Point to one array; to a copy of it, made anew at each call, if it lies in memory in another way."""
        operand = self.lowered.operands[k]
        array = value if type(value) is np.ndarray else np.asarray(value)
        if array.shape != operand.shape or not np.can_cast(array.dtype, DTYPES[operand.kind]):
            raise Changed
        plain = np.ascontiguousarray(array, dtype=DTYPES[operand.kind])
        self.pointers[k] = _address(plain)
        self.seen[k] = plain if plain is value else [plain]

    def results(self) -> Any:
        """Return the results as arrays of their own."""
        found = [
            a[0] if scalar else a if a.size > MANY else a.copy()
            for a, scalar in zip(self.shaped, self.scalar, strict=True)
        ]
        self.release()
        form = self.lowered.form
        if form == "one":
            return found[0]
        return tuple(found) if form == "tuple" else dict(zip(form, found, strict=True))


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def definition(function: FunctionType) -> ast.FunctionDef:
    """Return the syntax tree of a printed function."""
    (tree,) = ast.parse(source_of(function)).body
    assert isinstance(tree, ast.FunctionDef)
    return tree


def _target() -> Any:
    """Return what LLVM knows of this machine; an engine owns its own."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=2)


def _compiled(text: str) -> tuple[Any, Callable]:
    """Return LLVM's engine, which owns the code, and the code's `run`."""
    import llvmlite.binding as llvm

    with _lock:
        machine = _target()
        for name, address in (SPECIAL_ADDRESSES | BLAS_ADDRESSES).items():
            llvm.add_symbol(name, address)
        module = llvm.parse_assembly(text)
        module.verify()
        options = llvm.PipelineTuningOptions(speed_level=2)
        options.slp_vectorization, options.loop_vectorization = True, text.count("\n") < LONG
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
        engine = llvm.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        address = engine.get_function_address("run")
    return engine, ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)
