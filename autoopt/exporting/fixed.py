"""What of the data is part of exported code: numbers, texts and choices among them, which other data must share.

def loss(w, data): ... ** data["power"]        if data["power"] != 3:
                                          ->       raise ValueError(...)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from autoopt.exporting.functions import names_read
from autoopt.origin import DATA_LIBRARIES
from autoopt.tracing.expressions import part_text
from autoopt.tracing.outside.watching import attribute

PLAIN = (bool, int, float, str, bytes, type(None))
_SHORT = 24
"""Numbers of a list that is compared with the one that the code was written for, and the most comparisons."""

_DEEPEST = 3


def fixed(values: Mapping[str, Any], read: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the statements that refuse other values than those in the code, and words on what they cannot tell.

    Parameters
    ----------
    values : mapping of str to object
        The arguments.
    read : collection of str
        The expressions of what the code reads itself.
    """
    lines: list[str] = []
    notes: dict[str, None] = {}
    lengths = {len(value): text for text, value in reversed(list(_arrays(values, read)))}
    for name, value in values.items():
        parts = list(_parts(value, name, read))
        if len(parts) > _SHORT or (not parts and not _is_told(value, name, read)):
            told = f"What the objective reads of {name} is part of this code: another one needs code of its own."
            notes[told] = None
            continue
        for text, part in parts:
            same = lengths.get(part) if type(part) in (int, np.int64) else None
            lines += _refusal(text, part) if same is None else _refusal_of_count(text, same)
    return tuple(lines), tuple(notes)


def _refusal(text: str, value: Any) -> list[str]:
    wrong = f"{text} is not None" if value is None else f"{text} != {value!r}"
    if isinstance(value, bool):
        wrong = f"bool({text}) is not {value}"
    shown, plain = _quoted(text), _quoted(repr(value))
    return refusal(wrong, f"This code was written for {shown} = {plain}, not {{{text}!r}}.")


def _refusal_of_count(text: str, array: str) -> list[str]:
    """Return the refusal of a number that is how many rows there are."""
    return refusal(f"{text} != len({array})", f"{_quoted(text)} is {{{text}}}, but there are {{len({array})}} rows.")


def refusal(wrong: str, told: str) -> list[str]:
    """Return the statements that refuse what is `wrong`, in words that may have fields, as an f-string has."""
    return [f"if {wrong}:", f"    raise ValueError({'f' if '{' in told else ''}{_string(told)})"]


def _quoted(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _string(text: str) -> str:
    """Return a string whose fields may hold quotes: before Python 3.12 these are of another kind than its own."""
    if '"' not in text:
        return f'"{text}"'
    return f"'{text}'" if "'" not in text else f'"""{text}"""'


def _is_told(value: Any, name: str, read: Collection[str]) -> bool:
    """Whether nothing of an argument but what is read can be in the code."""
    return isinstance(value, np.ndarray) or any(name in names_read([expression]) for expression in read)


def _arrays(values: Mapping[str, Any], read: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Yield the arguments, and the parts of them, that are arrays which the code reads."""
    for name, value in values.items():
        for text, part in _walked(value, name, _DEEPEST):
            if isinstance(part, np.ndarray) and part.ndim and text in read:
                yield text, part


def _parts(value: Any, name: str, read: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Yield the numbers, texts and short lists of an argument that are not read but written into the code."""
    for text, part in _walked(value, name, _DEEPEST):
        if text in read or f"np.array({text})" in read:
            continue
        if type(part) in PLAIN or _is_short(part):
            yield text, part
        elif isinstance(part, np.generic):
            yield text, part.item()


def _is_short(value: Any) -> bool:
    """Whether a list or tuple, or a nest of them, holds few numbers and texts and nothing else."""
    return type(value) in (list, tuple) and _count(value) <= _SHORT


def _count(value: Any) -> float:
    if type(value) in (list, tuple):
        return sum(map(_count, value))
    return 1 if type(value) in PLAIN else np.inf


def _walked(value: Any, text: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield a value and what is in it, with their expressions; short lists as one."""
    yield text, value
    if not depth or _is_short(value):
        return
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list | tuple):
        items = list(zip(getattr(type(value), "_fields", range(len(value))), value, strict=True))
    elif isinstance(value, type | ModuleType | FunctionType | np.ndarray) or type(value).__module__.startswith(_OPAQUE):
        return
    else:
        held = attribute(value, "__dict__", {})
        items = list(held.items()) if isinstance(held, dict) else []
    for key, part in items[:_MOST]:
        if spelled := part_text(value, key):
            yield from _walked(part, text + spelled, depth - 1)


_OPAQUE = (*DATA_LIBRARIES, "scipy")
_MOST = 100
