"""Source as it is handed out: for any lengths of the data where it can be, else with checks of those that it is for."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress

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
from autoopt.objectives.portions import portions
from autoopt.objectives.trials import least_rows

WAIT = 0.6
"""Seconds that a derivation may take for it to be made twice more, on fewer rows."""


def exported(compiler: Compiler, path: Path, kind: str, compiled: NumpyFunctions) -> str:
    """Return the source of one kind of derivative on a path."""
    leaves = {leaf.name: compiled.tape.steps[index] for index, leaf in compiled.tape.leaves().items() if index}
    count = compiled.tape.steps[0].shape[0]
    lengths = {
        (name, axis): length
        for name, step in leaves.items()
        if step.dtype != object
        for axis, length in enumerate(step.shape)
        if not axis or length != count  # columns as many as parameters are held to that by the products
    }
    text, constants = compiled.text, compiled.inputs.constants
    family = None if constants else _informed(compiler, path, kind, compiled)  # arrays that it holds are of one length
    if family is not None:
        ranks = {name: len(step.shape) for name, step in leaves.items()}
        known = with_lengths(module_source(compiled.tape, kind, compiler.title()), family, ranks)
        rows = {length for (_, axis), length in lengths.items() if not axis}
        least = None if known is None else least_rows(without_ties(known), kind, compiler, rows)
        if known is not None and least is not None:
            text = without_ties(known)
            text = with_counts(text, path.counts) if path.counts else text
            moving = family.moving()
            text = with_least(text, [name for name, axis in moving if not axis], least)
            lengths = {place: length for place, length in lengths.items() if place not in moving}
            return _told(with_constants(with_checks(text, lengths), constants), path, {})
    return _told(with_constants(with_checks(text, lengths, everywhere=True), constants), path, lengths)


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


def _informed(compiler: Compiler, path: Path, kind: str, compiled: NumpyFunctions) -> Family | None:
    """Return the family of a source, after traces on fewer rows if it does not know what depends on them."""
    family = _family(compiler, kind, compiled)
    if family is None or family.of_lengths() is not None or path.trace.changes:
        return family
    if ladder.estimated(compiled.tape, KINDS[kind]) > WAIT:  # nobody waits for it twice more
        return None
    original = compiler.original
    for pair in portions(original.args):
        # whatever fewer rows make of the objective, it is for all of them then
        with suppress(Exception), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for args in pair:
                fewer = Original(original.function, args, original.structure, original.start, original.scalar)
                tape = Path(fewer.trace(original.start), original.start, compiler.repeats, 0.0).tape
                engines.compiled(compiler.engine, tape, kind, compiler.title(), ties=True)
            family = _family(compiler, kind, compiled)
            if family is not None and family.of_lengths() is not None:
                return family
    return None


def _family(compiler: Compiler, kind: str, compiled: NumpyFunctions) -> Family | None:
    """Return the family of a source, which knows of it."""
    family = Family.of(compiled.tape, kind)
    if family is not None and family.numbers not in family.tapes:
        family.learn(module_source(compiled.tape, kind, compiler.title()))
    return family
