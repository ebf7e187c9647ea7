"""Right derivatives raise no alarm: the certificate over the corpus at many points; and a command for the whole run.

    PYTHONPATH=tests python tests/properties/long_healthy.py                 every objective, at all its points
    PYTHONPATH=tests python tests/properties/long_healthy.py --part 2/4      a part of them
    PYTHONPATH=tests python tests/properties/long_healthy.py --only garch    those with this in their name

A pair is an objective and a point, of which no two are the same: x0, near it, further off, and the awkward points and
kinks that the corpus has for it. Each is compared as a run compares its start, as it compares its solution, and as it
compares second derivatives. Points where the objective is not finite, or raises, are left out and counted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from corpus import CASES, Case
from silence import silence
from slices import is_in

from autoopt import differences
from autoopt.check import product_finding, verify, verify_solution
from autoopt.errors import AutooptError, VerificationError
from autoopt.objectives.objective import Objective
from autoopt.verification.certificate import DISAGREES

DISTANCES = 1e-3, 0.05, 0.3
"""How far the random points are from x0, in units of the parameters."""

UNDEFINED = AutooptError, ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError


def points(case: Case, objective: Objective) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the points of a case, each once, by what they are called."""
    flat = objective.structure.flatten
    x0, rng, seen = flat(case.x0).astype(float), np.random.default_rng(len(case.name)), set()
    named = [("x0", x0)]
    named += [(f"{size} off", x0 + size * rng.normal(size=x0.size) * differences.step_scale(x0)) for size in DISTANCES]
    named += [(f"point {k + 1}", flat(point).astype(float)) for k, point in enumerate(case.points)]
    named += [(f"kink {k + 1}", flat(point).astype(float)) for k, point in enumerate(case.kinks)]
    for name, x in named:
        if x.tobytes() not in seen:
            seen.add(x.tobytes())
            yield name, x


def alarm(objective: Any, x: np.ndarray) -> str | None:
    """Return what the certificate says against an objective at a point, "" if nothing, None if it has no slope there.

    What was found at other points is not used.
    """
    objective.compared, objective.is_verified = (), False
    try:
        value, gradient = objective.value_and_grad(x)
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(objective.original(x))):
            return None
        verify(objective, x)
        objective.compared, objective.is_verified = (), False
        found = verify_solution(objective, x, min(1.0, abs(value)))
        if not found.passed:
            return found.message
        p = np.random.default_rng(5).normal(size=x.size) * differences.step_scale(x)
        product = product_finding(objective, x, p, objective.hessp(x, p), "x0")
        return product.reason if product.verdict == DISAGREES else ""
    except VerificationError as error:
        return str(error)
    except UNDEFINED:
        return None


def run(cases: Iterable[Case], told: Callable[[str], object]) -> Counter:
    """Compare cases at all their points, tell of alarms, and return how often what came out."""
    counts: Counter = Counter()
    for case in cases:
        with silence():
            objective = Objective(case.f, case.x0, case.args)
            for name, x in points(case, objective):
                said = alarm(objective, x)
                counts["undefined" if said is None else "alarm" if said else "healthy"] += 1
                if said:
                    told(f"{case.name} at {name}: {said}")
    return counts


def main() -> int:
    """Run all, or a part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default="1/1", help="K/N: the objectives of part K of N")
    parser.add_argument("--only", default="", help="those with this in their name")
    options = parser.parse_args()
    named = [case for case in CASES if not case.xfail and options.only in case.name]
    chosen = [case for case in named if is_in(case.name, options.part)]
    begin, screen = time.perf_counter(), sys.stdout  # what the objectives print is not shown
    counts = run(chosen, lambda line: print(line, file=screen, flush=True))
    pairs = counts["healthy"] + counts["alarm"]
    print(f"{len(chosen)} objectives, {pairs} pairs, {counts['alarm']} alarms; {counts['undefined']} points left out.")
    print(f"{time.perf_counter() - begin:.0f} s")
    return counts["alarm"]


if __name__ == "__main__":
    sys.exit(bool(main()))
