"""Writes the derivatives of common steps that ship with the package: `python -m autoopt.execution.eager.shipping`.

They are derived from the same rules as all others, so that a process which meets nothing else need not load PyTensor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.special

from autoopt.execution.eager.derivatives import kind_text
from autoopt.execution.eager.roles import Role
from autoopt.tape.tape import PARAMETER, Slot, Step

FOLDER = Path(__file__).parent / "shipped"


class Common(NamedTuple):
    """A kind of step: its call, and what its operands are."""

    operation: Any
    operands: tuple[Role, ...]
    options: dict[str, Any] | None = None

    @property
    def step(self) -> Step:
        """Such a step, of unknown lengths."""
        slots = tuple(map(Slot, range(len(self.operands))))
        template = None if self.options is None else (slots, self.options)
        return Step(self.operation, tuple(range(len(slots))), template, (), np.dtype(float), PARAMETER, None)


_VARIES, _GIVEN = Role("varies"), Role("given")
_VECTOR, _MATRIX = Role("varies", (None,)), Role("varies", (None, None))
_GIVEN_VECTOR, _GIVEN_MATRIX = Role("given", (None,)), Role("given", (None, None))
_MASK = Role("given", (), "bool")

_UNARY = (
    np.exp, np.log, np.sqrt, np.square, np.negative, np.absolute, np.tanh, np.sin, np.cos, np.tan, np.log1p, np.expm1,
    np.reciprocal, np.sinh, np.cosh, np.arctan, np.log10, np.log2, np.floor, np.sign,
    scipy.special.expit, scipy.special.gammaln, scipy.special.psi, scipy.special.erf, scipy.special.ndtr,
    scipy.special.log_ndtr, scipy.special.log_expit,
)  # fmt: skip
_BINARY = (
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.power, np.logaddexp, np.arctan2, np.hypot,
)  # fmt: skip
_EXPONENTS = (2, 3, 4, -1, -2, 2.0, 3.0, 0.5, 1.5, -1.0, -0.5, -2.0)
_OVER = (np.sum, np.mean, np.max, np.min)
_SQUARE = (np.linalg.inv, np.linalg.slogdet, np.linalg.cholesky)


def common_steps() -> Iterator[Common]:
    """Yield the kinds that ship."""
    for function in _UNARY:
        yield Common(function, (_VARIES,))
    for function in _BINARY:
        for pair in ((_VARIES, _VARIES), (_VARIES, _GIVEN), (_GIVEN, _VARIES)):
            yield Common(function, pair)
    for exponent in _EXPONENTS:
        yield Common(np.power, (_VARIES, Role("fixed", value=exponent)))
    for pair in ((_VARIES, _VARIES), (_VARIES, _GIVEN), (_GIVEN, _VARIES)):
        yield Common(np.where, (_MASK, *pair), {})
    for function in _OVER:
        yield Common(function, (_VECTOR,), {})
        yield Common(function, (_MATRIX,), {})
        for axis in (0, 1, -1):
            yield Common(function, (_MATRIX,), {"axis": axis})
    for pair in (
        (_VECTOR, _VECTOR), (_VECTOR, _GIVEN_VECTOR), (_GIVEN_VECTOR, _VECTOR),
        (_MATRIX, _VECTOR), (_MATRIX, _GIVEN_VECTOR), (_GIVEN_MATRIX, _VECTOR),
        (_VECTOR, _MATRIX), (_VECTOR, _GIVEN_MATRIX), (_GIVEN_VECTOR, _MATRIX),
        (_MATRIX, _MATRIX), (_MATRIX, _GIVEN_MATRIX), (_GIVEN_MATRIX, _MATRIX),
    ):  # fmt: skip
        yield Common(np.matmul, pair)
    yield Common(np.transpose, (_MATRIX,), {})
    for function in _SQUARE:
        yield Common(function, (_MATRIX,), {})
    for pair in ((_MATRIX, _VECTOR), (_MATRIX, _GIVEN_VECTOR), (_GIVEN_MATRIX, _VECTOR), (_MATRIX, _MATRIX)):
        yield Common(np.linalg.solve, pair, {})
    yield Common(scipy.special.logsumexp, (_VECTOR,), {})


def written(steps: Iterator[Common] | None = None) -> dict[str, str]:
    """Return the text of each generated file by its name."""
    from autoopt.codegen.step_functions import write_step_functions
    from autoopt.graph.steps import Operand

    functions: dict[str, list[str]] = {}
    tables: dict[str, list[str]] = {}
    index = []
    for number, common in enumerate(steps or common_steps()):
        key = kind_text(common.step, common.operands)
        texts = [
            write_step_functions(common.step, [Operand(*role) for role in common.operands], order) for order in (1, 2)
        ]
        file = _file(common, "\n".join(texts))
        functions.setdefault(file, []).append("\n\n\n".join(map(_numbered(number), texts)))
        names = ", ".join(f'"{name}": {name}_{number}' for name in ("pull", "push", "second"))
        tables.setdefault(file, []).append(f"    {key!r}: {{{names}}},")
        index.append(f"    {key!r}: {file!r},")
    files = {f"{file}.py": _module(functions[file], tables[file]) for file in functions}
    files["index.py"] = _HEAD + "\nFILES = {\n" + "\n".join(index) + "\n}\n"
    return files


_HEAD = '"""Written by `python -m autoopt.execution.eager.shipping`, not by hand."""\n\n# ruff: noqa\n# fmt: off\n'


_FILES = {np.power: "powers", np.where: "choices", np.maximum: "choices", np.minimum: "choices", np.matmul: "products"}


def _file(common: Common, text: str) -> str:
    """Return the file that the functions of a step go into: what needs SciPy is loaded when it is met."""
    if "scipy." in text:
        return "special" if "scipy.special" in text else "systems"
    if common.operation in _OVER:
        return "reductions"
    return _FILES.get(common.operation, "functions" if len(common.operands) == 1 else "arithmetic")


def _numbered(number: int) -> Any:
    """Return what gives the functions of a text names of their own, and drops its imports."""

    def numbered(text: str) -> str:
        text = re.sub(r"^(import|from) .*\n", "", text, flags=re.MULTILINE).strip()
        return re.sub(r"^def (pull|push|second)\(", rf"def \1_{number}(", text, flags=re.MULTILINE)

    return numbered


def _module(functions: list[str], table: list[str]) -> str:
    body = "\n\n\n".join(functions)
    code = re.sub(r"^#.*", "", body, flags=re.MULTILINE)
    modules = sorted({f"import {name}" for name in re.findall(r"\b(scipy\.\w+)\.", code)})
    imports = "\n".join(["import numpy as np", *modules])
    return f"{_HEAD}\n{imports}\n\n\n{body}\n\n\nSTEPS = {{\n" + "\n".join(table) + "\n}\n"


if __name__ == "__main__":
    for name, text in written().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
