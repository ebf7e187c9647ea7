"""Random programs in three tiers, eager, printed and machine code, to second order; and a command for long runs.

    PYTHONPATH=tests python tests/properties/long_tiers.py --cases 10000 --seed 1            all in one process
    PYTHONPATH=tests python tests/properties/long_tiers.py --cases 10000 --jobs 2            in two
    PYTHONPATH=tests python tests/properties/long_tiers.py --cases 2000 --tiers eager        without machine code

Three of four programs are those of `programs.py`, the others the loops of `loop_texts.py`. The tiers get one tape. They
are apart where value, gradient or product with the Hessian differ by more than rounding, or where one of them says that
another branch is taken or that a kink is met, and another does not. A program that is apart is cut down and printed.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import loop_texts
import numpy as np
import programs
from long_programs import load
from program_writer import Program
from tiers import COUNTS, EAGER_IS_VECTORISED, TIERS, Answer, Tier

from autoopt.errors import AutooptError
from autoopt.objectives.objective import Objective
from autoopt.tape.tape import Tape

ROUNDING = 1e-10
"""How far tiers may be apart, relative to the largest entry, besides what rounding of x does to the derivative."""

UNSTABLE = 1e-8
"""Numbers that rounding of x moves by more, relative to their size, are not compared."""


@dataclass(frozen=True)
class Outcome:
    """What became of a program: "agree", "refused", "invalid", "nothing to compare", or "apart"."""

    kind: str
    message: str = ""


def compared(tape: Tape, x: np.ndarray, others: list[np.ndarray], names: tuple[str, ...] = tuple(TIERS)) -> str | None:
    """Compare the tiers of a tape at `x`, where it was traced, and at others; return how they are apart or None.

    What is not printed is refused, by an error, and not compared.
    """
    tiers = {"printed": Tier("printed", tape)}
    for name in sorted(set(names) - {"printed"}):
        try:
            tiers[name] = Tier(name, tape)
        except AutooptError as refusal:
            return f"{name} refuses what is printed: {refusal.happened}"
    direction = np.cos(np.arange(x.size) + 0.5)
    for point in [x, *others]:
        answers = {name: tier.answer(point, direction) for name, tier in tiers.items()}
        near = [tiers["printed"].answer(point * (1 + shift), direction) for shift in (-(2.0**-50), 2.0**-50)]
        for name, answer in answers.items():
            if name != "printed" and (told := _apart(name, answer, answers["printed"], near)):
                return f"{told} at {point.tolist()}"
    return None


def _apart(name: str, answer: Answer, expected: Answer, near: list[Answer]) -> str | None:
    if {one.says for one in near} != {expected.says}:
        COUNTS["points on the edge of a branch"] += 1
        return None
    if "on a kink" in (answer.says, expected.says) and name == "eager" and not EAGER_IS_VECTORISED:
        # of max(a, b, a) the tape as it was recorded has a tie, the vectorised one has not
        COUNTS["kinks that only one of both tapes has"] += answer.says != expected.says
        return None
    if answer.says != expected.says:
        return f"{name} says {answer.says}, printed {expected.says}"
    COUNTS[f"{name}: {answer.says}"] += 1
    for what, numbers in answer.numbers.items():
        wanted = expected.numbers[what]
        if numbers.shape != wanted.shape:
            return f"{name} {what} has shape {numbers.shape}, printed {wanted.shape}"
        if not np.all(np.isfinite(numbers)) and np.all(np.isfinite(wanted)) and name == "eager":
            COUNTS["eager not finite, left to what is compiled"] += 1
            return None
        size = np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted))
        moved = max(_distance(one.numbers[what], wanted) for one in near)
        if not moved <= UNSTABLE * (1 + size):
            COUNTS[f"{what} unstable"] += 1
            continue
        allowed = ROUNDING * (1 + size) + 1000 * moved
        same = (np.abs(numbers - wanted) <= allowed) | (numbers == wanted) | (np.isnan(numbers) & np.isnan(wanted))
        if not np.all(same):
            return f"{name} {what} is {numbers.tolist()}, printed {wanted.tolist()}"
        COUNTS[f"{what} of {name} compared"] += 1
    return None


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return how far two arrays are apart, infinite and undefined entries of both left out."""
    both = np.isfinite(one) & np.isfinite(other)
    if not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return np.inf
    return float(np.max(np.abs(one - other), initial=0.0, where=both))


def check(f: Callable, points: list[np.ndarray], args: tuple, names: tuple[str, ...] = tuple(TIERS)) -> Outcome:
    """Compare the tiers on the tape of an objective."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            if not np.isfinite(float(f(points[0].copy(), *args))):
                return Outcome("invalid")
        except Exception:
            return Outcome("invalid")
        try:
            tape = Objective(f, points[0], args).dispatch.paths[0].trace.tape
            told = compared(tape, *_flat(points), names)
        except AutooptError as refusal:
            return Outcome("refused", refusal.happened)
    return Outcome("apart", told) if told else Outcome("agree")


def _flat(points: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    first, *others = (point.reshape(-1).astype(float) for point in points)
    return first, others


# Programs of both writers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """A program of either writer: `parts` are what it may do without, `made` its objective of those that are left."""

    parts: tuple[str, ...]
    made: Callable[[tuple[str, ...]], Callable]
    points: list[np.ndarray]
    args: Callable[[], tuple]
    text: Callable[[tuple[str, ...]], str]

    def check(self, parts: tuple[str, ...] | None = None, names: tuple[str, ...] = tuple(TIERS)) -> Outcome:
        """Compare the tiers; with fewer parts, if they are given."""
        try:
            f = self.made(self.parts if parts is None else parts)
        except Exception:
            return Outcome("invalid")
        try:
            return check(f, self.points, self.args(), names)
        except Exception as problem:
            place = traceback.extract_tb(problem.__traceback__)[-1]
            where = f"({place.filename}:{place.lineno})"
            return Outcome("apart", f"{type(problem).__name__} {where} {str(problem).splitlines()[:1]}")


def written(seed: int, case: int) -> Written:
    """Return the program of a seed and a number."""
    rng = random.Random(f"{seed}-{case}")
    if case % 4 == 3:
        return loop_program(loop_texts.write(rng.randrange(2**31), most=18))
    return statements_program(programs.write(rng, rng.randint(2, 5)))


def statements_program(program: Program) -> Written:
    def left(parts: tuple[str, ...]) -> Program:
        kept = {kind: [part[2:] for part in parts if part[0] == kind] for kind in "hbr"}
        return replace(program, helpers=kept["h"], body=kept["b"], result=kept["r"])

    parts = [f"h:{part}" for part in program.helpers] + [f"b:{part}" for part in program.body]
    parts += [f"r:{part}" for part in program.result]
    return Written(
        tuple(parts),
        lambda parts: load(left(parts)),
        program.points,
        lambda: program.args,
        lambda parts: left(parts).text,
    )


def loop_program(text: loop_texts.Text) -> Written:
    points = [text.x, text.x + 0.02 * np.cos(np.arange(text.x.size))]

    def made(parts: tuple[str, ...]) -> Callable:
        return replace(text, source="\n".join(parts)).function()

    return Written(tuple(text.source.split("\n")), made, points, lambda: text.args, "\n".join)


def shrunk(program: Written, outcome: Outcome, names: tuple[str, ...] = tuple(TIERS)) -> tuple[str, ...]:
    """Return the parts without which the tiers are not apart in the same way."""
    mark = " ".join(outcome.message.split()[:2])
    parts, changed = program.parts, True
    while changed:
        changed = False
        for k in reversed(range(len(parts))):
            fewer = parts[:k] + parts[k + 1 :]
            found = program.check(fewer, names)
            if found.kind == "apart" and found.message.startswith(mark):
                parts, changed = fewer, True
    return parts


def described(program: Written, parts: tuple[str, ...], outcome: Outcome) -> str:
    """Return a program that is apart as text that can be run."""
    points = [point.tolist() for point in program.points]
    return f"# {outcome.message}\n{program.text(parts)}\n# points = {points}\n# data = {program.args()!r}\n"


# The command ----------------------------------------------------------------------------------------------------------


def one(seed: int, case: int, names: tuple[str, ...] = tuple(TIERS)) -> tuple[int, Outcome, str, dict[str, int]]:
    """Return what became of a program, its text if it is apart, and what was counted."""
    COUNTS.clear()
    program = written(seed, case)
    outcome = program.check(names=names)
    counts = dict(COUNTS)
    if outcome.kind != "apart":
        return case, outcome, "", counts
    parts = shrunk(program, outcome, names)
    return case, outcome, described(program, parts, program.check(parts, names)), counts


def _of_seed(numbers: tuple[int, int, tuple[str, ...]]) -> tuple[int, Outcome, str, dict[str, int]]:
    return one(*numbers)


def outcomes(
    seed: int, cases: range, jobs: int, names: tuple[str, ...]
) -> Iterator[tuple[int, Outcome, str, dict[str, int]]]:
    """Yield what became of each program."""
    numbers = [(seed, case, names) for case in cases]
    if jobs == 1:
        yield from map(_of_seed, numbers)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, maxtasksperchild=200) as pool:
        yield from pool.imap_unordered(_of_seed, numbers, chunksize=10)


def run(
    seed: int, cases: range, jobs: int = 1, seconds: float = np.inf, names: tuple[str, ...] = tuple(TIERS)
) -> dict[str, Any]:
    """Return the counts of outcomes and of what was compared; print what is apart, and how far the run is."""
    kinds: collections.Counter = collections.Counter()
    counts: collections.Counter = collections.Counter()
    began = time.perf_counter()
    for case, outcome, text, counted in outcomes(seed, cases, jobs, names):
        kinds[outcome.kind] += 1
        counts.update(counted)
        if text:
            print(f"--- case {seed}-{case}\n{text}", flush=True)
        if kinds.total() % 100 == 0:
            print(f"{kinds.total()} programs, {time.perf_counter() - began:.0f} s: {dict(kinds)}", flush=True)
        if time.perf_counter() - began > seconds:
            break
    return {"kinds": kinds, "counts": counts, "seconds": time.perf_counter() - began}


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000, help="how many programs (default 10000)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first (default 0)")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--seconds", type=float, default=np.inf, help="stop after so long")
    parser.add_argument(
        "--tiers", nargs="+", choices=TIERS, default=list(TIERS), help="which are compared with printed"
    )
    options = parser.parse_args(arguments)
    cases = range(options.first, options.first + options.cases)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("AUTOOPT_CACHE", folder)  # two tiers print the same text
        found = run(options.seed, cases, options.jobs, options.seconds, tuple(options.tiers))
    print(f"\n{found['kinds'].total()} programs, {found['seconds']:.0f} s: {dict(found['kinds'])}")
    for what, count in sorted(found["counts"].items()):
        print(f"{count:7d}  {what}")
    return 1 if found["kinds"]["apart"] else 0


if __name__ == "__main__":
    sys.exit(main())
