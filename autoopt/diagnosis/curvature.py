"""What the curvature where the run ended says: directions that are flat, units that differ, saddles and plateaus."""

from __future__ import annotations

import re

import numpy as np

from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.identified import curvatures
from autoopt.diagnosis.table import Diagnosis, cause, numbers
from autoopt.inference import combination, upwards
from autoopt.wording import listed

_NARROW = 1e-6
_APART = 1e8
"""Curvatures that differ by this much in the parameters' own units cost a method of first order 1e4 steps."""


@cause("verdict on rays", 19)
def no_end_by_the_verdict(evidence: Evidence) -> Diagnosis | None:
    """A ray on which f falls, or does not rise, however far one goes, as the verdict has found by values."""
    return _as_proved(
        evidence, _RAYS, "bound these parameters, leave one out, or add a penalty; if it is to be maximised, return -f."
    )


@cause("verdict", 50)
def as_the_verdict_says(evidence: Evidence) -> Diagnosis | None:
    """A saddle, a kink where slopes cancel, a plateau: what the verdict has found by values."""
    return _as_proved(evidence, _PROVED, "start elsewhere, for instance a little off in this direction.")


def _as_proved(evidence: Evidence, begins: dict[str, str], remedy: str) -> Diagnosis | None:
    said = re.split(r"(?<!\.)\. ", evidence.result.message.removeprefix("Not converged: "))[0]
    for words, place in begins.items():
        if said.startswith(words):
            said = re.sub(r" \([A-Z][^()]*\)$", "", said.removeprefix("this is "))
            happened = f"The run ended {place} {said.rstrip('.')}."
            return Diagnosis(happened, (), remedy, True)
    return None


_PROVED = {
    "this is a saddle point": "at",
    "this is a kink": "at",
    "the objective is flat": "where",
}
_RAYS = {"the objective does not rise": "where", "the objective falls along": "where"}
"""How the verdicts begin that are proved by values, and the word that leads to them."""


@cause("constant", 52, of_success=True)
def constant(evidence: Evidence) -> Diagnosis | None:
    """f has one value wherever it was asked."""
    if evidence.slope.any() or not np.isfinite(evidence.here) or _is_of_plateau(evidence):
        return None
    random, size = np.random.default_rng(11), evidence.x.size
    points = [0.0 * evidence.x0, -evidence.x0]
    points += [evidence.x0 + 10.0**k * random.normal(size=size) * evidence.unit for k in range(-3, 4)]
    if any(evidence.value(evidence.inside(point)) != evidence.here for point in points):
        return None
    happened = f"The objective does not depend on its parameters: it is {evidence.here:.6g} near and far from x0"
    return Diagnosis(happened + ".", (), "return a value that is computed from them; see whether it reads others.")


def _is_of_plateau(evidence: Evidence) -> bool:
    """Whether the verdict has found a lower value at the end of a plateau."""
    return "the objective is flat" in evidence.result.message


@cause("a parameter that is not used", 98, of_success=True)
def unused(evidence: Evidence) -> Diagnosis | None:
    """f does not change with a parameter, near or far."""
    idle = [k for k in range(evidence.x.size) if evidence.slope[k] == 0]
    unmoved = []
    other = evidence.inside(evidence.x + evidence.unit * np.random.default_rng(8).uniform(-0.5, 0.5, evidence.x.size))
    there = evidence.value(other) if idle else np.nan  # at x the others may be what makes it idle
    for k in idle[:20]:
        axis = evidence.unit * np.eye(1, evidence.x.size, k)[0]
        steps = [evidence.value(evidence.inside(evidence.x + h * axis)) == evidence.here for h in (1e-3, 0.3, -1.7)]
        if all(steps) and evidence.value(evidence.inside(other + 0.3 * axis)) == there:
            unmoved.append(k)
    if not unmoved or len(unmoved) == evidence.x.size:
        return None
    evidence.kept["unused"] = unmoved
    verb = "it" if len(unmoved) == 1 else "them"
    shown = listed([evidence.names[k] for k in unmoved])
    happened = f"The objective does not depend on {shown}: with other numbers its value is the same."
    return Diagnosis(happened, (), f"use {verb}, or leave {verb} out of x0.", evidence.result.success)


@cause("bad scaling", 105)
def scaling(evidence: Evidence) -> Diagnosis | None:
    """Curvatures differ by many powers of ten in the parameters' own units, and hardly in units of their own."""
    spectrum = curvatures(evidence)
    variables = getattr(evidence.problem and evidence.problem.objective, "variables", None)
    if spectrum is None or (variables is not None and (variables.scale != 1).any()):  # the run had a `scale`
        return None
    eigenvalues, _, bends = spectrum
    steep, shallow = int(np.argmax(bends)), int(np.argmin(bends))
    if not (bends[shallow] > 0 and bends[steep] > _APART * bends[shallow]):
        return None
    if not eigenvalues[-1] <= 1e-3 * bends[steep] / bends[shallow] * max(eigenvalues[0], 1e-12):
        return None
    names = [evidence.names[steep], evidence.names[shallow]]
    ratio = np.sqrt(bends[steep] / bends[shallow])
    happened = (
        f"The parameters are badly scaled: the curvature is {bends[steep]:.1e} for {names[0]} and "
        f"{bends[shallow]:.1e} for {names[1]} (at {numbers(names, evidence.x[[steep, shallow]])})"
    )
    remedy = (
        f"choose units in which both change by about 1, those of {names[1]} {ratio:.0e} times as large as those of "
        f"{names[0]}, or pass scale=."
    )
    return Diagnosis(happened + ".", (), remedy)


@cause("narrow valley", 108)
def valley(evidence: Evidence) -> Diagnosis | None:
    """Curvatures differ by many powers of ten in whatever units: f hardly changes along a combination of parameters."""
    spectrum = curvatures(evidence)
    if spectrum is None:
        return None
    eigenvalues, directions, _ = spectrum
    if not 0 < eigenvalues[0] < _NARROW * eigenvalues[-1]:
        return None
    along = combination(upwards(directions[:, 0]), evidence.names)
    ratio = eigenvalues[0] / eigenvalues[-1]
    happened = (
        f"The run crept along a narrow valley: along {along} the curvature is {ratio:.1e} of that across, in any units "
        "of the parameters"
    )
    remedy = 'use a method with second derivatives, such as "trust-exact", or other parameters for what the data show.'
    return Diagnosis(happened + ".", (), remedy)
