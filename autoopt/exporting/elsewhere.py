"""Whether an exported module is right for other data: other rows in the same number, one more, three times as many.

What a trace of the objective shows is how it goes with its own data. So the module and the function itself are called
with rows drawn from these; where they differ, the module takes no other data, or none of another length.
"""

from __future__ import annotations

import importlib
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from autoopt.execution.eager.functions import EagerFunctions
from autoopt.exporting.fixed import refusal
from autoopt.exporting.functions import names_read
from autoopt.exporting.signature import Signature, own_names
from autoopt.objectives.inputs import Input
from autoopt.objectives.objective import Objective
from autoopt.objectives.original import Original
from autoopt.objectives.resizing import repeated, resized
from autoopt.tracing.expressions import MODULES, namespace

ROWS = "rows"
DATA = "data"
ALIKE = "alike"
"""What of the data a module is written for: their number of rows, all of them, or as many rows of each."""

_DRAWS = 3

_FAR = (20, 150, 2500)
_MOST_STEPS = 20_000
_MOST_ENTRIES = 1e6
"""What an objective of far more rows may take to be tried: its steps, and the entries of an array in it."""


def written_for(module: Mapping[str, Any], objective: Objective, signature: Signature, inputs: Mapping) -> str:
    """Return what of the data a module is written for, without saying so; empty if it is right for other data."""
    lengths = {shape[0] for shape in (getattr(given.value, "shape", ()) for given in inputs.values()) if shape}
    if not lengths:
        return ""
    original = objective.dispatch.original
    for rows, chosen, values, told in _samples(objective, lengths):
        with suppress(Exception):  # the objective is not defined for such data
            if not _is_right(module, resized(original, rows, chosen, values=values), signature, inputs):
                return told
    arrays = _arrays(inputs)
    for value in arrays:
        if sum(len(other) == len(value) for other in arrays) > 1:
            longer = resized(original, {len(value): len(value) + 1}, repeated, alone=value)
            if not _is_right(module, longer, signature, inputs, asked=False):
                return ALIKE
    return ""


def _arrays(inputs: Mapping[str, Input]) -> list[np.ndarray]:
    values = (given.value for given in inputs.values())
    return [value for value in values if isinstance(value, np.ndarray) and value.ndim]


def _is_right(
    module: Mapping[str, Any], other: Original, signature: Signature, inputs: Mapping, asked: bool = True
) -> bool:
    """Whether a module gives what the objective itself gives for other data, or refuses these.

    With `asked` the objective is asked first, which raises if it is not defined for them; else the module is.
    """
    functions = [name for name in ("value_and_grad", "hess") if name in module]
    point = other.start + 0.01 * np.cos(1.0 + np.arange(other.start.size))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        leaves = {}
        if asked:
            value, tape = other.value(point), other.steps_at(point)
            leaves = {leaf.name: tape.values[index] for index, leaf in tape.leaves().items() if index}
        values = _values(other, leaves, signature, inputs)
        found = {}
        for name in functions:
            try:
                found[name] = module[name](other.structure.unflatten(point), *(values[n] for n in signature.names))
            except Exception as error:
                if asked and not _is_refusal(error):  # for yet other data it might be right by chance, or wrong
                    return False
        if found and not asked:
            try:
                value, tape = other.value(point), other.steps_at(point)
            except Exception:  # the objective is for as many of each; derivatives that read one of them alone are right
                return "value_and_grad" not in found
        for name, result in found.items():
            expected = EagerFunctions(tape, name, "", checked=False).run(point)
            if name == "value_and_grad":
                result, expected = (result[0], other.structure.flatten(result[1])), (value, expected[1])
            if not all(map(_is_close, _parts(result), _parts(expected))):
                return False
    return True


def _values(
    other: Original, leaves: Mapping[str, Any], signature: Signature, inputs: Mapping[str, Input]
) -> dict[str, Any]:
    """Return what the functions of a module take for an objective of the same code with other data, by name."""
    _, known = namespace(other.function, other.args)
    own = dict(zip(own_names(other.function, 1 + len(other.args))[1:], other.args, strict=True))
    for name, given in inputs.items():
        outside, text = signature.leaves[name]
        if outside == text and outside not in own and outside not in signature.held:
            found = leaves.get(name, given.value)
            own[outside] = eval(given.expression, dict(known)) if given.expression else found
    own |= {name: eval(expression, dict(known)) for name, expression in signature.tables.items()}
    return signature.values | own


def _samples(
    objective: Objective, lengths: set[int]
) -> Iterator[tuple[dict[int, int], Callable, Callable | None, str]]:
    """Yield numbers of rows by those that there are, which rows these are, and what is made of them.

    Last comes what the data fix if such are not served.
    """
    known = sorted(lengths)
    same = {length: length for length in known}
    for seed in range(_DRAWS):
        yield same, _drawn(seed), None, DATA
    for count in (lambda length: length + 1, lambda length: 3 * length):
        for chosen in [known] if len(known) < 2 else [known, *([length] for length in known)]:
            yield {length: count(length) for length in chosen}, repeated, None, ROWS
    for seed in range(_DRAWS):
        yield same, repeated, _shuffling(seed), DATA
    for many in _far_counts(objective, lengths):
        yield many, repeated, None, ROWS


def _far_counts(objective: Objective, lengths: set[int]) -> Iterator[dict[int, int]]:
    """Yield numbers of rows far from those at hand, few and many: an objective may go by `len(y) > 100`.

    There are none where the objective would take long.
    """
    tape = objective.dispatch.paths[0].trace.tape
    for count in _FAR:
        longest = max(lengths)
        if not longest or longest == count or len(tape.steps) * max(count / longest, 1) > _MOST_STEPS:
            continue
        sizes = (np.prod([count if n in lengths else n for n in step.shape], dtype=float) for step in tape.steps)
        if max(sizes) <= _MOST_ENTRIES:
            yield {length: count for length in lengths}


def _drawn(seed: int) -> Callable[[int, int], np.ndarray]:
    """Return what chooses rows at random, in their order: what is sorted stays so; the same for the same length."""

    def chosen(length: int, rows: int) -> np.ndarray:
        return np.sort(np.random.default_rng([seed, length]).integers(0, length, rows))

    return chosen


def _is_refusal(error: Exception) -> bool:
    """Whether a module says itself that it is not for such data."""
    return type(error).__name__ == "PathChanged" or (isinstance(error, ValueError) and "written for" in str(error))


def _shuffling(seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return what gives data other values of their kind: flags of either kind, the others in another order.

    What is true of all rows at hand, that none is censored or that the first is the largest, is not of others. What is
    sorted stays as it is.
    """
    rng = np.random.default_rng(seed)

    def other(array: np.ndarray) -> np.ndarray:
        if array.dtype.kind not in "biuf" or array.ndim != 1 or np.isnan(array.astype(float)).any():
            return array
        if np.isin(array, (0, 1)).all():
            return rng.integers(0, 2, len(array)).astype(array.dtype)
        is_sorted = np.all(array[1:] >= array[:-1]) or np.all(array[1:] <= array[:-1])
        return array if is_sorted else rng.permutation(array)

    return other


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
    if told == ALIKE:
        return tuple(_unlike(signature))
    tables = [name for name, value in signature.values.items() if told == DATA and hasattr(value, "columns")]
    for name, text in signature.leaves.values():
        value = _value(text, signature)
        if value is None or not value.ndim or name in signature.held or names_read([text]) & {*tables}:
            continue
        is_sparse = hasattr(signature.values.get(text), "tocsr")
        if told == ROWS:
            found = f"{text}.shape[0]" if is_sparse else f"len({text})"
            wrong = f"{found} != {len(value)}"
            lines += refusal(wrong, f"This code was written for {len(value)} rows of {name}, not {{{found}}}.")
        else:
            numbers = f"{text}.toarray()" if is_sparse else text
            wrong = f"zlib.crc32(np.asarray({numbers}, dtype=float).tobytes()) != {_checksum(value)}"
            lines += refusal(wrong, _by_content(name))
    for name in tables:
        value = signature.values[name]
        method = "to_csv" if hasattr(value, "to_csv") else "write_csv"
        wrong = f"zlib.crc32({name}.{method}().encode()) != {zlib.crc32(getattr(value, method)().encode())}"
        lines += refusal(wrong, _by_content(name))
    return tuple(lines)


def _by_content(name: str) -> str:
    return f"This code was written for what is in {name}, by which the objective goes."


def _unlike(signature: Signature) -> Iterator[str]:
    """Yield the statements that refuse data with unlike numbers of rows, where there are as many of each."""
    groups: dict[int, list[str]] = {}
    for _, text in signature.leaves.values():
        value = _value(text, signature)
        if value is not None and value.ndim:
            groups.setdefault(len(value), []).append(text)
    for texts in groups.values():
        if len(texts) > 1:
            names = f"{', '.join(texts[:-1])} and {texts[-1]}".replace('"', "'")
            yield f"if not {' == '.join(f'len({text})' for text in texts)}:"
            yield f'    raise ValueError("This code was written for as many rows of {names}.")'


def _value(text: str, signature: Signature) -> Any:
    """Return an array of the data that are numbers, None of others."""
    modules = {name: importlib.import_module(module) for name, module in MODULES.items() if f"{name}." in text}
    value = eval(text, modules | signature.held | signature.values)
    value = value.toarray() if hasattr(value, "tocsr") else np.asarray(value)
    return value if value.dtype.kind in "fiub" else None


def _checksum(value: np.ndarray) -> int:
    return zlib.crc32(np.asarray(value, dtype=float).tobytes())
