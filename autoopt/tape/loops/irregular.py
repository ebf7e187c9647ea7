"""Tapes that stay long after vectorising: what loop they stem from, and what makes its iterations differ.

Their derivatives are taken along the tape; as source they would be thousands of lines, which take minutes to derive.
Knows steps and the places that they stem from.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from autoopt.errors import Location, TracingError
from autoopt.tape.names import qualified
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.tape import PARAMETER, Step, Tape

MOST = 1500
"""More array steps that depend on the parameters are not derived as a whole: it would take more than a minute."""

ALIKE = 2
"""The number of steps of one place, and of those that differ from the rest, that is not what makes a tape long."""


class Irregular(NamedTuple):
    """Why a tape is long: `places` are the user's lines, `remedy` is what would make it short."""

    happened: str
    places: tuple[Location, ...]
    remedy: str


def irregular(tape: Tape) -> Irregular | None:
    """Return what makes a vectorised tape long; None if no more than MOST of its steps depend on the parameters."""
    steps = [(step, step.site) for step in tape.steps if step.level == PARAMETER and step.site]
    if len(steps) <= MOST:
        return None
    sites = {site for _, site in steps}
    around = {site: Location.of_loop(*site) for site in sites}
    at = {site: Location.of_instruction(*site) for site in sites}  # one place for several instructions
    loop, count = Counter(around[site] for _, site in steps).most_common(1)[0]
    places: dict[Location, list[Step]] = defaultdict(list)
    for step, site in steps:
        if around[site] == loop:
            places[at[site]].append(step)
    many = {place: made for place, made in places.items() if len(made) > ALIKE}
    if not many:
        return Irregular(
            f"The objective consists of {len(steps):,} different operations on arrays",
            (loop or next(iter(places)),),
            "write parts of it as fewer operations on larger arrays",
        )
    place, reason, remedy = _difference(many)
    return Irregular(
        f"A loop of the objective comes to {count:,} operations on arrays, because its iterations differ: {reason}",
        (loop, place) if loop else (place,),
        remedy,
    )


def refuse_irregular(tape: Tape) -> None:
    """Raise if a vectorised tape is too long to be derived as a whole.

    Raises
    ------
    TracingError
        Naming the loop that most of its steps stem from, and what makes its iterations differ.
    """
    found = irregular(tape)
    if found is not None:
        happened = f"{found.happened}. That is more than the {MOST:,} that are written as one source."
        remedy = f"{found.remedy}; with engine='auto' minimize and fit need no source."
        raise TracingError(happened, found.places, remedy)


def note(tape: Tape) -> str | None:
    """Return what is to be said of a vectorised tape that is evaluated step by step; None of others."""
    found = irregular(tape)
    if found is None:
        return None
    place = found.places[-1]
    return (
        f"Evaluated step by step, which is slower than compiled code: {found.happened[0].lower()}{found.happened[1:]} "
        f"({place.file}:{place.line}). To speed it up, {found.remedy}."
    )


def _difference(places: dict[Location, list[Step]]) -> tuple[Location, str, str]:
    """Return the first place whose steps differ in themselves, how they do, and what helps."""
    for place, made in places.items():
        for trait, reason, remedy in _TRAITS:
            kinds = Counter(map(trait, made))
            if len(made) - max(kinds.values()) > ALIKE:
                return place, reason(kinds), remedy
    place = max(places, key=lambda place: len(places[place]))
    return place, "what goes in here comes from other lines from one to the next", _BRANCHES


def _named(kinds: Iterable) -> str:
    names = sorted({"a shorter loop" if isinstance(made, Recurrence) else qualified(made) for made in kinds})
    return f"they call {len(names)} different functions here, such as {', '.join(names[:3])}"


_BRANCHES = "let every iteration do the same, with np.where in place of branches"
_TRAITS: tuple[tuple[Callable[[Step], object], Callable[[Counter], str], str], ...] = (
    (lambda step: step.operation, _named, "use one loop for each function"),
    (
        lambda step: step.shape,
        lambda kinds: f"they have arrays of {len(kinds)} different shapes here",
        "give the arrays one shape, for example with a mask that is 0 where there is nothing",
    ),
    (
        lambda step: repr(step.template),
        lambda kinds: f"they use {len(kinds)} different indices or options here",
        "use the same in every iteration",
    ),
)
