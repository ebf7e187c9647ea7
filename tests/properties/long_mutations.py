"""Every rule, printer and idiom broken in turn: does the certificate notice? And a command for the whole run.

    PYTHONPATH=tests:tests/cases python tests/properties/long_mutations.py                     all
    PYTHONPATH=tests:tests/cases python tests/properties/long_mutations.py --part 3/8          a part of them
    PYTHONPATH=tests:tests/cases python tests/properties/long_mutations.py --only np.cumsum    of what is called so

A mutant (`mutants.py`) is *changing* if value, gradient or product with the Hessian of some model that uses what is
broken are others than those of the library as it is, by more than rounding, at x0, near it or at random points. It is
*caught* if `autoopt.check` at x0 disagrees, or `minimize` with verify="start" does; *crashed* if an error says so.
Models are the cases of the table of rules, one for each function, and the corpus.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from corpus import CASES
from fresh import fresh
from mutants import Mutant, differ, mutants_of, recorded, rule_mutants
from rule_calls import CALLED, as_vectors, leaves, moves, parameters
from silence import silence
from slices import is_in

import autoopt
from autoopt.check import check_objective
from autoopt.errors import AutooptError, VerificationError
from autoopt.objectives.objective import Objective
from autoopt.rules.table import RULES
from autoopt.tape.names import qualified
from autoopt.verification.points import compare

ROUNDING = 1e-8
"""What results of a broken library may differ by, relative to the largest entry, and count as the same."""

SECONDS = 20
"""Of processor time: after so long a mutant is taken for one that does not end."""

MODELS = 3
"""So many models that use a thing are tried, until its mutant changes a result."""

FAR = 50.0
"""Cases with larger entries are models only of what has no others."""

TRIED = 8
"""Of so many models it is seen whether they use a thing."""

LARGE = 300
"""Models with more parameters are left out."""


@dataclass(eq=False)
class Model:
    """What uses rules, printers and idioms.

    Attributes
    ----------
    name : str
    f : callable, f(x, *args) -> float
    x0, args
        Where it is run.
    uses : dict of (kind, row, name) to int
    """

    name: str
    f: Callable
    x0: Any
    args: tuple = ()
    uses: dict = field(default_factory=dict)
    answers: list = field(default_factory=list)
    seconds: float = 0.0

    def objective(self) -> Objective:
        """Return it as it is derived now."""
        return Objective(self.f, self.x0, self.args, engine="numpy")

    def learn(self) -> bool:
        """Find out what it uses and gives; False if it is of no use: refused, not finite, or without slopes."""
        begin = time.perf_counter()
        try:
            with limited(), fresh(), recorded() as uses:
                objective = self.objective()
                if objective.size > LARGE or not check_objective(objective, start(objective, self.x0)):
                    return False
                self.answers = answers(objective, self.x0)
        except (Exception, TooLong):
            return False
        self.seconds = time.perf_counter() - begin
        self.uses = uses if all(np.isfinite(part).all() for part in self.answers[0]) else {}
        return bool(self.uses)


def start(objective: Objective, x0: Any) -> np.ndarray:
    return objective.structure.flatten(x0).astype(float)


def answers(objective: Objective, x0: Any) -> list:
    """Return value, gradient and product with the Hessian at x0, near it, and at random points."""
    x, rng = start(objective, x0), np.random.default_rng(0)
    p, found = rng.normal(size=x.size), []
    for size in (0.0, 1e-3, 0.1, 0.3):
        y = x + size * rng.normal(size=x.size)
        try:
            found.append((*map(np.asarray, objective.value_and_grad(y)), objective.hessp(y, p)))
        except Exception as error:
            if not size:
                raise
            found.append(type(error))
    return found


WHAT = "value", "gradient", "product"


def apart(model: Model, found: list) -> str:
    """Return in which results, and where, a broken library differs from that of the model; "" if in none."""
    told = []
    for place, own, other in zip(("x0", "near", "random 1", "random 2"), model.answers, found, strict=True):
        if isinstance(own, type) or isinstance(other, type):
            told += [place] if own is not other else []
            continue
        told += [
            f"{what} at {place} by {np.max(np.abs(b - a), initial=0.0) / (np.max(np.abs(a), initial=0.0) or 1.0):.1e}"
            for what, a, b in zip(WHAT, own, other, strict=True)
            if np.isfinite(a).all() and differ(b, a, ROUNDING)
        ]
    return ", ".join(told)


class TooLong(BaseException):
    """It does not end; not to be caught by what is run."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise TooLong in a block that takes too long; nothing is warned of in it."""

    def stop(number: int, frame: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)  # of this process: beside other work it takes longer
    try:
        with silence():
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: "same", "crashed", "caught at x0", "caught in the run" or "survived", and why."""

    word: str
    why: str = ""
    model: str = ""


def judged(mutant: Mutant, model: Model) -> Outcome:
    """Return what the certificate says of a mutant on a model; it has nothing to say of the library as it is."""
    try:
        with limited(), fresh(), mutant.broken():
            try:
                objective = model.objective()
                if is_caught(objective, start(objective, model.x0)):
                    return Outcome("caught at x0", model=model.name)
                changed = apart(model, answers(objective, model.x0))
            except Exception as error:
                return Outcome("crashed", f"{type(error).__name__}: {error}", model.name)
            if not changed:
                return Outcome("same")
            return Outcome(after_a_run(model), changed, model.name)
    except TooLong:
        return Outcome("crashed", "does not end", model.name)


def is_caught(objective: Objective, x: np.ndarray) -> bool:
    """Whether the certificate at a point says that something is wrong: of value and gradient, then of products."""
    try:
        return not (compare(objective, x).passed and check_objective(objective, x))
    except AutooptError:
        return True


def after_a_run(model: Model) -> str:
    """Return whether the certificate of a short run notices what was not seen at its start."""
    try:
        result = autoopt.minimize(model.f, model.x0, args=model.args, engine="numpy", options={"maxiter": 20})
    except VerificationError:
        return "caught in the run"
    except Exception:
        return "survived"
    is_wrong = result.verification is not None and not result.verification.passed
    return "caught in the run" if is_wrong else "survived"


# Models ---------------------------------------------------------------------------------------------------------------


def rule_model(case: Any) -> Model:
    """Return an objective of a case of a rule: bounded, curved, with another weight for each entry."""
    f, x0 = as_vectors(case), parameters(case)
    if case.kink:
        x0 = x0 + np.random.default_rng(4).uniform(0.05, 0.15, x0.size)
    with np.errstate(all="ignore"):
        first = f(x0)
    weights, size = np.random.default_rng(3).uniform(0.5, 1.5, first.size), 1.0 + np.abs(first)

    def objective(x):
        return np.sum(weights * np.sin(f(x) / size))

    return Model(str(case), objective, x0)


def rule_models(only: str = "") -> dict[Any, list[Model]]:
    """Return for each function that users call with a rule a model of each of its cases, those without kinks first."""
    found: dict[Any, list[Model]] = defaultdict(list)
    for case in sorted(CALLED, key=_how_telling):
        if only in qualified(case.function):
            with contextlib.suppress(Exception):
                found[case.function].append(rule_model(case))
    return found


def _how_telling(case: Any) -> tuple:
    """Return what cases are sorted by: without kinks first, then with more operands that vary, and entries."""
    varying = [leaf for leaf in leaves((case.args, case.kwargs)) if moves(leaf) and leaf.size]
    return case.kink, np.max(np.abs(parameters(case))) > FAR, -min(len(varying), 3), -min(parameters(case).size, 4)


def learned(models: Iterable[Model], use: tuple | None, most: int) -> list[Model]:
    """Return the first of the models that are of use, and use one thing, if any: not all functions keep their rule."""
    tried = (model for model in islice(models, TRIED) if model.uses or model.learn())
    return list(islice((model for model in tried if use is None or use in model.uses), most))


def corpus_models(share: int) -> Iterator[Model]:
    """Yield the objectives of the corpus that can be used, one in so many."""
    for case in CASES[::share]:
        model = Model(case.name, case.f, case.x0, case.args)
        if not case.xfail and not case.noise and model.learn():
            yield model


def users(models: list[Model]) -> dict[tuple, list[Model]]:
    """Return for each rule, printer and idiom the models that use it, quick ones first."""
    found: dict[tuple, list[Model]] = defaultdict(list)
    for model in sorted(models, key=lambda model: model.seconds):
        for use in model.uses:
            found[use].append(model)
    return found


# The run --------------------------------------------------------------------------------------------------------------


def rule_jobs(models: dict[Any, list[Model]], known: dict[tuple, list[Model]]) -> Iterator[tuple]:
    """Yield the mutants of each rule with the models on which they are tried: cases of the rule, then others."""
    for function in sorted(models.keys() | {row for kind, row, _ in known if kind == "rule"}, key=qualified):
        use = "rule", function, qualified(function)
        yield use, lambda use=use: learned([*models.get(use[1], ()), *known.get(use, ())], use, 2)


def other_jobs(known: dict[tuple, list[Model]]) -> Iterator[tuple]:
    """Yield those of printers and idioms."""
    for use in sorted(known, key=lambda use: (use[0], use[2])):
        if use[0] != "rule":
            yield use, lambda use=use: known[use][:MODELS]


def mutants_with_models(use: tuple, models: list[Model]) -> Iterator[tuple[Mutant, list[Model]]]:
    """Yield the mutants of one thing."""
    if not models:
        return
    operands = min(known_operands(use, models), 3)
    for mutant in rule_mutants(use[1], operands) if use[0] == "rule" else mutants_of(*use):
        yield mutant, models


def known_operands(use: tuple, models: list[Model]) -> int:
    """Return with how many operands that vary a rule is called at most."""
    return max(model.uses.get(use, 1) for model in models)


def run(pairs: Iterator[tuple[Mutant, list[Model]]], told: Callable[[str], None]) -> dict[str, Counter]:
    """Judge mutants, tell of survivors, and return the counts by kind, when interrupted those so far."""
    counts: dict[str, Counter] = defaultdict(Counter)
    with contextlib.suppress(KeyboardInterrupt):
        for mutant, models in pairs:
            outcome = Outcome("same")
            for model in models:
                outcome = judged(mutant, model)
                if outcome.word != "same":
                    break
            counts[mutant.kind][outcome.word] += 1
            if outcome.word in ("survived", "caught in the run"):
                told(f"{outcome.word}: {mutant} on {outcome.model}: {outcome.why}")
    return counts


def table(counts: dict[str, Counter]) -> str:
    """Return the counts in lines."""
    words = "same", "crashed", "caught at x0", "caught in the run", "survived"
    rows = [f"{'':10}{'mutants':>9}{'changing':>10}" + "".join(f"{word:>19}" for word in words) + f"{'caught':>10}"]
    for kind, row in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        changing = sum(row.values()) - row["same"]
        caught = 100 * (1 - row["survived"] / changing) if changing else 100.0
        columns = "".join(f"{row[word]:19}" for word in words)
        rows.append(f"{kind:10}{sum(row.values()):9}{changing:10}{columns}{caught:9.2f}%")
    return "\n".join(rows)


def main() -> None:
    """Run all, or a part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default="1/1", help="K/N: the mutants of part K of N")
    parser.add_argument("--only", default="", help="what is broken has this in its name")
    parser.add_argument("--kind", default="", help="rule, printer or idiom")
    parser.add_argument("--share", type=int, default=1, help="N: that use printers and idioms, one model in N")
    parser.add_argument("--no-corpus", action="store_true", help="the cases of rules alone are models")
    options = parser.parse_args()
    begin = time.perf_counter()
    cases = rule_models(options.only if options.kind == "rule" else "")
    more = [] if options.no_corpus else list(corpus_models(options.share))
    if options.kind != "rule":
        more += [model for some in list(cases.values())[:: options.share] for model in learned(some, None, 1)]
    known = users(more)
    uses = [*rule_jobs(cases, known), *other_jobs(known)]
    chosen = [
        (use, models)
        for use, models in uses
        if options.only in use[2] and options.kind in use[0] and is_in(f"{use[0]}{use[2]}", options.part)
    ]
    print(f"{len(chosen)} of {len(uses)} rules, printers and idioms, {len(more)} models ({seconds_since(begin)})")
    pairs = (pair for use, models in chosen for pair in mutants_with_models(use, models()))
    print(table(run(pairs, lambda line: print(line, flush=True))))
    print(seconds_since(begin))
    if not options.only:
        missing = {row.name for row in RULES.values() if row.order > 0} - {use[2] for use, _ in uses}
        print(f"Rules that no model uses: {', '.join(sorted(missing)) or 'none'}")


def seconds_since(begin: float) -> str:
    return f"{time.perf_counter() - begin:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
