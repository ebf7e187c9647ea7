"""Whether an exported module is right for other data: other rows in the same number, one more, three times as many.

What a trace of the objective shows is how it goes with its own data. So the module and the function itself are called
with rows drawn from these; where they differ, the module takes no other data, or none of another length.
"""

from __future__ import annotations

import importlib
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from autoopt.execution.eager.functions import EagerFunctions
from autoopt.exporting.signature import Signature
from autoopt.objectives.inputs import Input
from autoopt.objectives.objective import Objective
from autoopt.objectives.original import Original
from autoopt.objectives.resizing import repeated, resized
from autoopt.tape.tape import Tape
from autoopt.tracing.expressions import namespace
from autoopt.tracing.naming import argument_names

ROWS = "rows"
DATA = "data"
"""What of the data a module is written for: their number of rows, or all of them."""

_DRAWS = 3


def written_for(module: Mapping[str, Any], objective: Objective, signature: Signature, inputs: Mapping) -> str:
    """Return what of the data a module is written for, without saying so; empty if it is right for other data."""
    original = objective.dispatch.original
    lengths = {shape[0] for shape in (getattr(given.value, "shape", ()) for given in inputs.values()) if shape}
    functions = [name for name in ("value_and_grad", "hess") if name in module]
    for rows, chosen, told in _samples(lengths) if functions else ():
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                other = resized(original, rows, chosen)
                point = original.start + 0.01 * np.cos(1.0 + np.arange(original.start.size))
                value, tape = other.value(point), other.steps_at(point)
                values = _values(other, tape, signature, inputs)
                expected = {name: EagerFunctions(tape, name, "", checked=False).run(point) for name in functions}
            except Exception:  # the objective is not defined for such data
                continue
            data = [values[name] for name in signature.names]
            if not _agrees(module, objective, (point, data), (value, expected)):
                return told
    return ""


def _values(other: Original, tape: Tape, signature: Signature, inputs: Mapping[str, Input]) -> dict[str, Any]:
    """Return what the functions of a module take for an objective of the same code with other data, by name."""
    _, known = namespace(other.function, other.args)
    own = dict(zip(argument_names(other.function, 1 + len(other.args))[1:], other.args, strict=True))
    leaves = {leaf.name: tape.values[index] for index, leaf in tape.leaves().items() if index}
    for name, given in inputs.items():
        outside, text = signature.leaves[name]
        if outside == text and outside not in own:
            found = leaves.get(name, given.value)
            own[outside] = eval(given.expression, dict(known)) if given.expression else found
    return signature.values | own


def _samples(lengths: set[int]) -> Iterator[tuple[dict[int, int], Callable, str]]:
    """Yield numbers of rows by those that there are, which rows these are, and what is fixed if they are not served."""
    for seed in range(_DRAWS):
        yield {length: length for length in lengths}, _drawn(seed), DATA
    known = sorted(lengths)
    for count in (lambda length: length + 1, lambda length: 3 * length):
        for chosen in [known] if len(known) < 2 else [known, *([length] for length in known)]:
            yield {length: count(length) for length in chosen}, repeated, ROWS


def _drawn(seed: int) -> Callable[[int, int], np.ndarray]:
    """Return what chooses rows at random, in their order: what is sorted stays so; the same for the same length."""

    def chosen(length: int, rows: int) -> np.ndarray:
        return np.sort(np.random.default_rng([seed, length]).integers(0, length, rows))

    return chosen


def _agrees(module: Mapping[str, Any], objective: Objective, given: tuple, wanted: tuple) -> bool:
    """Whether the functions of a module give a value and derivatives, or refuse the data."""
    (point, data), (value, expected) = given, wanted
    for name, derivative in expected.items():
        try:
            found = module[name](objective.structure.unflatten(point), *data)
        except Exception:  # as good as a refusal
            continue
        if name == "value_and_grad":
            found, derivative = (found[0], objective.structure.flatten(found[1])), (value, derivative[1])
        if not all(map(_is_close, _parts(found), _parts(derivative))):
            return False
    return True


def _parts(result: Any) -> tuple:
    return result if isinstance(result, tuple) else (result,)


def _is_close(found: Any, expected: Any) -> bool:
    if not np.isfinite(expected).all():
        return True
    size = float(np.max(np.abs(expected), initial=0.0))
    return np.shape(found) == np.shape(expected) and np.allclose(found, expected, rtol=1e-7, atol=1e-8 * size + 1e-12)


def refusals(told: str, signature: Signature) -> tuple[str, ...]:
    """Return the statements that refuse other data than those that a module is written for."""
    lines: list[str] = []
    for name, text in signature.leaves.values():
        value = _value(text, signature)
        if value is None or not value.ndim:
            continue
        is_sparse = hasattr(signature.values.get(text), "tocsr")
        if told == ROWS:
            found = f"{text}.shape[0]" if is_sparse else f"len({text})"
            wrong, what = f"{found} != {len(value)}", f"{len(value)} rows of {name}, not {{{found}}}"
        else:
            numbers = f"{text}.toarray()" if is_sparse else text
            wrong = f"zlib.crc32(np.asarray({numbers}, dtype=float).tobytes()) != {_checksum(value)}"
            what = f"what is in {name}, by which the objective goes"
        lines += [f"if {wrong}:", f'    raise ValueError(f"This code was written for {what}.")']
    for name, value in signature.values.items():
        if told == DATA and hasattr(value, "columns"):
            method = "to_csv" if hasattr(value, "to_csv") else "write_csv"
            lines += [
                f"if zlib.crc32({name}.{method}().encode()) != {zlib.crc32(getattr(value, method)().encode())}:",
                f'    raise ValueError("This code was written for what is in {name}, by which the objective goes.")',
            ]
    return tuple(lines)


def _value(text: str, signature: Signature) -> Any:
    """Return an array of the data that are numbers, None of others."""
    value = eval(text, {"np": np, **_modules(text), **signature.values})
    value = value.toarray() if hasattr(value, "tocsr") else np.asarray(value)
    return value if value.dtype.kind in "fiub" else None


def _modules(text: str) -> dict[str, Any]:
    return {name: importlib.import_module(module) for name, module in _TABLES.items() if f"{name}." in text}


_TABLES = {"pd": "pandas", "pl": "polars"}


def _checksum(value: np.ndarray) -> int:
    return zlib.crc32(np.asarray(value, dtype=float).tobytes())
