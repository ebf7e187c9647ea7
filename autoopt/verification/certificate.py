"""What was compared with the original function, and how it came out: in numbers, in words, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autoopt.wording import listed, times

AGREES, DISAGREES, CANNOT_TELL = "agrees", "disagrees", "cannot tell"
VALUE, GRADIENT, PRODUCT = "value", "gradient", "product"
"""What is compared: with the original's value, with a secant of it, and with differences of the gradient."""

BESIDE, ITERATE = "beside ", "iterate"
"""With what places begin that are not those of the start and of the end of a run."""

_EPSILON = float(np.finfo(np.float64).eps)
_MOST_DIGITS = 15


@dataclass(frozen=True)
class Finding:
    """One comparison.

    Attributes
    ----------
    what : "value", "gradient" or "product"
        The last is that of the Hessian and a direction.
    place : str
        Where: "x0", "beside x0", "iterate 12", "the solution", ...
    distance : float
        How far the two sides are apart, as a part of the size of what is compared.
    allowed : float
        The same of what the errors of both sides are estimated to come to: rounding, and what a secant leaves out.
    verdict : "agrees", "disagrees" or "cannot tell"
    reason : str
        Why nothing can be told, or what is wrong.
    """

    what: str
    place: str
    distance: float
    allowed: float
    verdict: str = AGREES
    reason: str = ""

    @property
    def digits(self) -> int:
        """How many digits agree, at most 15."""
        return digits(self.distance)

    @property
    def is_sharp(self) -> bool:
        """Whether the two are no further apart than their own errors, so that more digits are not to be had."""
        return self.distance <= max(self.allowed, 4 * _EPSILON)

    @classmethod
    def of_dict(cls, told: Mapping[str, Any]) -> Finding:
        """Return the comparison that `Verification.to_dict` has told."""
        distance, allowed = (np.nan if told[name] is None else told[name] for name in ("distance", "allowed"))
        verdict, text = told["verdict"], told["text"]
        reason = "" if verdict == AGREES else text.removeprefix(verdict).removeprefix(": ")
        return cls(told["what"], told["place"], distance, allowed, verdict, reason)

    def at(self, place: str) -> Finding:
        """Return the same of a point that is called `place`, or lies beside it."""
        return replace(self, place=BESIDE + place if self.place.startswith(BESIDE) else place)

    def __str__(self) -> str:
        if self.verdict == AGREES:
            return agreement(self.digits, self.is_sharp)
        return f"{self.verdict}{': ' if self.reason else ''}{self.reason}"


def digits(distance: float) -> int:
    """Return how many digits a relative distance leaves, at most 15.

    >>> digits(3e-12), digits(0.0), digits(2.0)
    (11, 15, 0)
    """
    if not distance > 0:
        return _MOST_DIGITS
    return max(0, min(_MOST_DIGITS, math.floor(-math.log10(distance)))) if distance < 1 else 0


def agreement(count: int, is_sharp: bool) -> str:
    """Return in words how well two numbers agree.

    >>> agreement(11, True)
    'agrees to 11 digits, as well as the function allows'
    """
    return f"agrees to {times(count, 'digit')}{', as well as the function allows' if is_sharp else ''}"


@dataclass(frozen=True, repr=False)
class Verification:
    """What was compared, and how it came out: the certificate of a run. `print` shows it, `to_json` writes it.

    `value_error` is |compiled - original|; `slope` the gradient along `direction`, `secant` its numerical counterpart
    with `secant_error` its estimated error, `slope_error` their distance. `kink` says that the slopes ahead and behind
    x differ there, in which case the comparison was made close by. NaN where nothing was compared. `at_solution` says
    that the solution was compared too: numbers are those of the start, or of the solution where that did not pass.
    `findings` are all comparisons, in turn; `evaluations` counts calls of the original that they took, `seconds` all
    time for them, `iterates` those of the run that were compared ("periodic").
    """

    passed: bool
    value_error: float = np.nan
    slope: float = np.nan
    secant: float = np.nan
    secant_error: float = np.nan
    kink: bool = False
    conclusive: bool = True
    direction: np.ndarray | None = field(default=None, repr=False, compare=False)
    message: str = ""
    at_solution: bool = False
    findings: tuple[Finding, ...] = ()
    evaluations: int = field(default=0, compare=False)
    seconds: float = field(default=0.0, compare=False)
    iterates: int = 0

    def __repr__(self) -> str:
        if not self.passed:
            return f"Verification(passed=False, message={self.message!r})"
        where = "x0 and the solution" if self.at_solution else "x0"
        errors = f"value off by {self.value_error:.1e}, slope by {self.slope_error:.1e}"
        return f"Verification(passed=True at {where}: {errors}{'' if self.conclusive else '; not conclusive'})"

    def __str__(self) -> str:
        lines = [f"{finding.what:10}{place}: {finding}" for place, finding in summary(self.findings)]
        if not self.passed or not lines:
            lines.append(self.message)
        used = times(self.evaluations, "evaluation")
        return "\n".join([*lines, f"{used} of the original function, {self.seconds:.2g} seconds in all"])

    def at(self, place: str, evaluations: int) -> Verification:
        """Return the same, the point that was compared being called `place`, and having taken so many evaluations."""
        findings = self.findings
        if any(one.place not in (place, BESIDE + place) for one in findings):
            findings = tuple(one.at(place) for one in findings)
        return replace(self, findings=findings, evaluations=evaluations)

    def joined(self, other: Verification) -> Verification:
        """Return the certificate with what `other` has found besides, and what that has taken."""
        return replace(
            self,
            at_solution=self.at_solution or other.at_solution,
            findings=self.findings + other.findings,
            evaluations=self.evaluations + other.evaluations,
            seconds=self.seconds + other.seconds,
            iterates=self.iterates + other.iterates,
        )

    @property
    def slope_error(self) -> float:
        """How far the slope of the derived code is from the secant's."""
        return abs(self.slope - self.secant)

    @property
    def verdict(self) -> str:
        """One of "agrees", "disagrees", "cannot tell"."""
        return DISAGREES if not self.passed else AGREES if self.conclusive else CANNOT_TELL

    @property
    def untold(self) -> str:
        """Of what nothing could be told where, in words; empty if there is nothing."""
        places: dict[str, dict[str, None]] = {}
        for where, one in summary(self.findings):
            if one.verdict == CANNOT_TELL:
                places.setdefault(one.reason, {})[f"{one.what} at {where}"] = None
        return "; ".join(f"nothing can be told of its {listed(list(where))}: {why}" for why, where in places.items())

    def to_dict(self) -> dict[str, Any]:
        """Return all that was found as plain values that JSON can hold; None stands for what is not known."""
        numbers = ("value_error", "slope", "secant", "secant_error", "slope_error", "seconds")
        plain = ("passed", "conclusive", "verdict", "kink", "at_solution", "message", "evaluations", "iterates")
        return {
            **{name: getattr(self, name) for name in plain},
            **{name: _number(getattr(self, name)) for name in numbers},
            "findings": [
                {
                    "what": one.what,
                    "place": one.place,
                    "verdict": one.verdict,
                    "digits": one.digits if one.verdict == AGREES else None,
                    "distance": _number(one.distance),
                    "allowed": _number(one.allowed),
                    "text": str(one),
                }
                for one in self.findings
            ],
        }

    @classmethod
    def of_dict(cls, told: Mapping[str, Any]) -> Verification:
        """Return the certificate that `to_dict` has told."""
        known = ("passed", "kink", "conclusive", "message", "at_solution", "evaluations", "iterates")
        numbers = ("value_error", "slope", "secant", "secant_error", "seconds")
        return cls(
            **{name: told[name] for name in known},
            **{name: np.nan if told[name] is None else told[name] for name in numbers},
            findings=tuple(map(Finding.of_dict, told["findings"])),
        )

    def to_json(self, indent: int | None = None) -> str:
        """Return the same as a text."""
        import json  # which the first import of autoopt does without

        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)


def summary(findings: tuple[Finding, ...]) -> list[tuple[str, Finding]]:
    """Return for each thing that was compared the places and the worst of what was found there.

    Iterates count as one place; what does not agree has a line of its own.
    """
    lines = []
    for what in dict.fromkeys(one.what for one in findings):
        of_this = [one for one in findings if one.what == what]
        agreeing = [one for one in of_this if one.verdict == AGREES]
        if agreeing:
            lines.append((_places(agreeing), max(agreeing, key=lambda one: one.distance)))
        lines += [(one.place, one) for one in of_this if one.verdict != AGREES]
    return lines


def _places(findings: list[Finding]) -> str:
    names = dict.fromkeys(one.place for one in findings)
    iterates = sum(name.startswith(ITERATE) for name in names)
    others = [name for name in names if not name.removeprefix(BESIDE).startswith(ITERATE)]
    return ", ".join([*others, *([times(iterates, ITERATE)] if iterates else [])])


def _number(value: float) -> float | None:
    """Return a number as JSON has it."""
    return float(value) if math.isfinite(value) else None
