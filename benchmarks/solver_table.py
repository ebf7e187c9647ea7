"""How many published problems each method solves, and whether what it says of its own success is so.

    python -m benchmarks.solver_table                          all problems x methods: about five minutes
    python -m benchmarks.solver_table --methods bfgs auto      some methods; "auto" is method=None
    python -m benchmarks.solver_table --problems hs rosen      by parts of their names
    python -m benchmarks.solver_table --repeat 5               the fastest of so many calls each
    python -m benchmarks.solver_table --write after.json

A problem is solved where the value is one that is published, to 1e-8 of it. A success is false where that is not so and
SciPy without our verdict finds lower values from there, or f is flat there; a failure is false where the problem is
solved. What must hold: no false success, at most one false failure in 100; method=None solves at least 91 of 95, and
on 70 of 100 in at most 1.5 times the seconds of the fastest method that solves them.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from autoopt.solvers import SOLVERS
from benchmarks.processes import table
from benchmarks.solver_runs import AUTO, PROBLEMS, SMOOTH, Run, methods_for, run, run_constrained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", help="names of methods")
    parser.add_argument("--problems", nargs="+", help="parts of names of problems")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--write", type=Path, help="a file for all runs as JSON")
    options = parser.parse_args()
    smooth = list(smooth_runs(options.problems, options.methods, options.repeat))
    constrained = list(constrained_runs(options.problems, options.methods))
    if options.write:
        options.write.write_text(json.dumps([asdict(one) for one in smooth + constrained], indent=1))
    summary("Smooth problems", smooth)
    summary("Problems with constraints", constrained)
    false_verdicts(smooth + constrained)
    unsolved(smooth, AUTO)
    relative_seconds(smooth)


def smooth_runs(problems: Iterable[str] | None, methods: Iterable[str] | None, repeat: int = 1) -> Iterable[Run]:
    """Yield the runs of methods on problems, the fastest of `repeat` each; a first call, for the cache, is left out."""
    for name, problem in SMOOTH.items():
        if not _wanted(name, problems):
            continue
        chosen = [method for method in methods_for(problem) if methods is None or method in methods]
        if chosen:
            run(name, "l-bfgs-b")
        for method in chosen:
            yield min((run(name, method) for _ in range(repeat)), key=lambda one: one.seconds)


def constrained_runs(problems: Iterable[str] | None, methods: Iterable[str] | None) -> Iterable[Run]:
    """Yield the runs of the methods that take constraints."""
    able = [name for name, row in SOLVERS.items() if "constraints" in row.takes and row.is_installed]
    for number in PROBLEMS:
        for method in [*able, AUTO]:
            if _wanted(f"hs{number}", problems) and (methods is None or method in methods):
                yield run_constrained(number, method)


def _wanted(name: str, parts: Iterable[str] | None) -> bool:
    return parts is None or any(part in name for part in parts)


def summary(title: str, runs: list[Run]) -> None:
    """Print one row for each method."""
    rows = []
    for method in dict.fromkeys(one.method for one in runs):
        mine = [one for one in runs if one.method == method]
        count = {false: sum(one.false == false for one in mine) for false in ("success", "failure", "error")}
        rows.append([
            method, str(len(mine)), str(sum(one.solved for one in mine)), str(sum(one.success for one in mine)),
            *map(str, count.values()), f"{statistics.median(one.evaluations for one in mine):.0f}",
            f"{sum(one.seconds for one in mine):.1f}",
        ])  # fmt: skip
    head = ["method", "problems", "solved", "successes", "false", "false failures", "errors", "evaluations", "seconds"]
    if rows:
        table(title, head, rows)


def false_verdicts(runs: list[Run]) -> None:
    """Print every run that is wrong about itself."""
    for one in runs:
        if one.false:
            published = SMOOTH[one.problem].values if one.problem in SMOOTH else ()
            print(f"\nfalse {one.false}: {one.problem}, {one.method}: {one.value:.12g} of {published}\n  {one.message}")


def unsolved(runs: list[Run], method: str) -> None:
    """Print the problems that `method` does not solve, and which methods do."""
    for one in runs:
        if one.method == method and not one.solved and SMOOTH[one.problem].kind != "infinity":
            able = [other.method for other in runs if other.problem == one.problem and other.solved]
            print(f"\nunsolved: {one.problem}, {one.method}: {one.value:.10g}, {one.success}\n  {one.message}")
            print(f"  solved by {', '.join(able) or 'none'}")


def relative_seconds(runs: list[Run]) -> None:
    """Print on how many problems method=None is near to the fastest method that solves them."""
    ratios = {}
    for mine in (one for one in runs if one.method == AUTO and one.solved):
        others = [one for one in runs if one.problem == mine.problem and one.solved and one.method != AUTO]
        if others:
            fastest = min(others, key=lambda one: one.seconds)
            ratios[mine.problem] = mine.seconds / fastest.seconds, fastest.method
    if ratios:
        near = sum(ratio <= 1.5 for ratio, _ in ratios.values())
        print(f"\nmethod=None: at most 1.5 times the fastest on {near} of {len(ratios)} problems that both solve")
        for name, (ratio, fastest) in sorted(ratios.items(), key=lambda item: -item[1][0]):
            if ratio > 1.5:
                print(f"  {ratio:5.1f} x {fastest:14s} {name}")


if __name__ == "__main__":
    main()
