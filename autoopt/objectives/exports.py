"""Source as it is handed out: for any lengths of the data where it can be, else with checks of those that it is for."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

import numpy as np

from autoopt.execution import engines, ladder
from autoopt.execution.engines import NumpyFunctions, module_source
from autoopt.execution.families import Family
from autoopt.execution.lengths import with_checks, with_least, with_lengths
from autoopt.execution.printed import with_constants, with_counts, without_ties
from autoopt.graph.kinds import KINDS
from autoopt.objectives.compilation import Compiler
from autoopt.objectives.original import Original
from autoopt.objectives.paths import Path
from autoopt.objectives.portions import enlarged, of_counts, portions
from autoopt.objectives.trials import least_rows
from autoopt.tape.digest import LITERAL
from autoopt.tape.tape import Tape

MOST_SECONDS = 3.0
"""The most that a derivation may be estimated to take, by its steps, for it to be made twice more, on fewer rows."""


def exported(compiler: Compiler, path: Path, kind: str, compiled: NumpyFunctions) -> str:
    """Return the source of one kind of derivative on a path: for any number of rows, or else checked for its own."""
    why = "" if path.trace.changes or not _rows(compiled.tape) else of_counts(compiler.original, _rows(compiled.tape))
    if not why and not path.trace.changes:
        for one in _many_rows(compiler, path, kind, compiled):
            text = _of_any_rows(compiler.original, one, kind, path.counts)
            if text is not None:
                return text
    text, constants = compiled.text, compiled.inputs.constants
    lengths = _lengths(compiled)
    return _told(with_constants(with_checks(text, lengths, why, everywhere=True), constants), path, lengths)


class _Printed(NamedTuple):
    """Functions of one kind of derivative, the path that they are of, and what has compiled them."""

    compiler: Compiler
    path: Path
    compiled: NumpyFunctions


def _many_rows(compiler: Compiler, path: Path, kind: str, compiled: NumpyFunctions) -> Iterator[_Printed]:
    """Yield the functions for data whose rows are so many that no rule knows their number: more, if they are few."""
    rows = _rows(compiled.tape)
    if any(length > 2 * LITERAL for length in rows):
        yield _Printed(compiler, path, compiled)
        return
    for more in enlarged(compiler.original, rows):
        with _unheard():
            twin = compiler.twin(more, {"trace": 0.0, "compile": 0.0})
            recorded = more.trace(more.start)
            recorded.side_effects.take_back()
            there = Path(recorded, more.start, compiler.repeats, 0.0)
            printed = twin.printed(there, kind)
            if isinstance(printed, NumpyFunctions) and printed.text:
                yield _Printed(twin, there, printed)


def _of_any_rows(original: Original, one: _Printed, kind: str, counts: Collection[tuple[int, ...]]) -> str | None:
    """Return the source that serves other numbers of rows, None if it does not.

    `counts` has the numbers of iterations that loops take in the objective itself.
    """
    constants = one.compiled.inputs.constants
    family = None if constants else _informed(one, kind)  # arrays that it holds are of one length
    if family is None:
        return None
    leaves = {leaf.name: one.compiled.tape.steps[index] for index, leaf in one.compiled.tape.leaves().items() if index}
    ranks = {name: len(step.shape) for name, step in leaves.items()}
    text = with_lengths(module_source(one.compiled.tape, kind, one.compiler.title()), family, ranks)
    if text is None:
        return None
    moving = family.moving()
    names = [name for name, axis in moving if not axis]
    text = with_counts(without_ties(text), counts) if counts else without_ties(text)
    least = least_rows(text, kind, original, _own_lengths(original, names))
    if least is None:
        return None
    text = with_least(text, names, least)
    lengths = {place: length for place, length in _lengths(one.compiled).items() if place not in moving}
    return _told(with_checks(text, lengths), one.path, {})


def _lengths(compiled: NumpyFunctions) -> dict[tuple[str, int], int]:
    """Return the lengths of the data that the source may be for alone, by name and axis."""
    leaves = {leaf.name: compiled.tape.steps[index] for index, leaf in compiled.tape.leaves().items() if index}
    count = compiled.tape.steps[0].shape[0]
    named = {name: value for name, value in compiled.inputs.constants.items() if compiled.inputs.expressions.get(name)}
    return {
        (name, axis): length
        for name, step in leaves.items()
        if step.dtype != object
        for axis, length in enumerate(step.shape)
        if not axis or length != count  # columns as many as parameters are held to that by the products
    } | {(name, 0): len(value) for name, value in named.items()}


def _told(text: str, path: Path, lengths: Mapping[tuple[str, int], int]) -> str:
    """Return the source whose docstring says what data it is for."""
    rows = [f"{length} of {name}" for (name, axis), length in lengths.items() if not axis]
    told = [f"It is written for data of so many rows: {', '.join(rows)}."] if rows else []
    if path.trace.tape.data_decided:
        told.append("The objective goes by what is in its data: other data may take it another way, without a word.")
    if not told or not text.startswith('"""'):
        return text
    end = text.index('"""', 3)
    return f"{text[:end].rstrip()}\n\n" + "\n".join(told) + f"\n{text[end:]}"


def _informed(one: _Printed, kind: str) -> Family | None:
    """Return the family of a source and of those for fewer rows, which shows what depends on them."""
    compiler, compiled = one.compiler, one.compiled
    if ladder.estimated(compiled.tape, KINDS[kind]) > MOST_SECONDS:
        return None
    start = compiler.original.start
    for pair in portions(compiler.original, _rows(compiled.tape)):
        with _unheard():  # whatever fewer rows make of the objective, it is for all of them then
            tapes = [compiled.tape]
            for fewer in pair:
                recorded = fewer.trace(start)
                recorded.side_effects.take_back()
                tape = Path(recorded, start, compiler.repeats, 0.0).tape
                there = engines.compiled(compiler.engine, tape, kind, compiler.title(), ties=True)
                assert isinstance(there, NumpyFunctions)
                tapes.append(there.tape)
            texts = [module_source(tape, kind, compiler.title()) for tape in tapes]
            family = Family.alike(tapes, kind, texts)
            if family is not None and family.of_lengths() is not None:
                return family
    return None


@contextmanager
def _unheard() -> Iterator[None]:
    """Go on where the objective, or its derivation, raises with other data, and let it warn unheard."""
    with suppress(Exception), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _rows(tape: Tape) -> list[int]:
    """Return the number of rows of each of the data."""
    shapes = [tape.steps[index].shape for index in tape.leaves() if index]
    return [shape[0] for shape in shapes if shape]


def _own_lengths(original: Original, names: Collection[str]) -> set[int]:
    """Return how many rows some of the data have in the objective itself."""
    tape = original.steps_at(original.start)
    leaves = {leaf.name: tape.steps[index].shape for index, leaf in tape.leaves().items() if index}
    return {leaves[name][0] for name in names if name in leaves}
