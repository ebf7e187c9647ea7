"""Derivations that failed, as text for the cache: what is told by the step of the tape, not by the user's file.

A tape that is the same but for its lines, in this process or another, is refused again with its own lines, without
PyTensor and its seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.tape import Step, Tape

_MARK = "# refused: "
_KINDS: dict[str, type[Exception]] = {"unsupported": UnsupportedFunctionError, "not implemented": NotImplementedError}

REFUSALS = tuple(_KINDS.values())
"""What the derivation of a tape may raise that the tape alone decides."""


def text(error: Exception, tape: Tape) -> str | None:
    """Return the refusal as text; None if it names a place that is no step's, or has no text of its own."""
    kind = next(name for name, kind in _KINDS.items() if isinstance(error, kind))
    if not isinstance(error, UnsupportedFunctionError):
        return f"{_MARK}{json.dumps({'kind': kind, 'happened': str(error)})}\n"
    places: dict[Any, int] = {}
    for number, step in enumerate(_steps(tape.steps)):
        if step.site is not None:
            places.setdefault(step.location, number)
    if not all(place in places for place in error.where):
        return None
    told = {"kind": kind, "happened": error.happened, "remedy": error.remedy}
    return f"{_MARK}{json.dumps(told | {'steps': [places[place] for place in error.where]})}\n"


def recalled(kept: str, tape: Tape) -> Exception | None:
    """Return the refusal that the text of a cache entry is, with the lines of `tape`; None if it is source."""
    if not kept.startswith(_MARK):
        return None
    told = json.loads(kept.splitlines()[0].removeprefix(_MARK))
    kind = _KINDS[told["kind"]]
    if kind is not UnsupportedFunctionError:
        return kind(told["happened"])
    wanted = set(told["steps"])
    places = {number: step.location for number, step in enumerate(_steps(tape.steps)) if number in wanted}
    where = [place for number in told["steps"] if (place := places[number]) is not None]
    return UnsupportedFunctionError(told["happened"], where, told["remedy"])


def _steps(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield the steps of a tape, those of the bodies of loops after the loop's own."""
    for step in steps:
        yield step
        yield from _steps(getattr(step.operation, "body", ()))
