"""The vectorised tape against the unrolled one, value and derivatives to second order, and a command for long runs.

    PYTHONPATH=tests python tests/properties/long_loops.py --cases 2000 --derivatives 100 --seed 1   random loops
    PYTHONPATH=tests python tests/properties/long_loops.py --corpus                                  all of the corpus

prints how many agreed and the source of each that did not.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from corpus import CASES, Case
from loop_texts import Text, write

from autoopt.graph.rewrites import rewriting
from autoopt.objectives.objective import Objective
from autoopt.tape.batching import batching
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.tape import Tape, call

ROUNDING = 1e-11
"""How far the two may be apart, relative to the largest number that either meets."""


class Apart(AssertionError):
    """The vectorised tape is not the unrolled one."""


@contextmanager
def unrolled() -> Iterator[None]:
    """Leave every tape as it is, and rewrite its large graph no more than it needs."""
    kept = batching.SMALL, rewriting.LARGE
    batching.SMALL, rewriting.LARGE = np.inf, 0
    try:
        yield
    finally:
        batching.SMALL, rewriting.LARGE = kept


def run(tape: Tape, x: np.ndarray) -> tuple[float, bool, float]:
    """Return the tape's value at `x`, whether its guards hold there, and the largest number met."""
    known: dict[int, Any] = {0: x} | tape.values
    largest = 1.0
    with np.errstate(all="ignore"):
        for index, step in enumerate(tape.steps):
            if step.operation is not None:
                known[index] = call(step, [known[source] for source in step.inputs])
                if step.dtype.kind == "f" and np.size(known[index]):
                    largest = max(largest, float(np.max(np.abs(known[index]))))
    holds = all(np.array_equal(known[guard.step], guard.answer) for guard in tape.guards)
    return float(known[tape.output]), holds, largest


def compare_tapes(tape: Tape, points: list[np.ndarray]) -> None:
    """Compare values where the tape holds, and whether it holds."""
    short = vectorise(tape)
    for x in points:
        expected, holds, largest = run(tape, x)
        value, still, _ = run(short, x)
        if holds != still:
            raise Apart(f"the guards of the unrolled tape say {holds}, those of the vectorised {still}")
        near = [run(tape, x * (1 + shift * 2.0**-50))[0] for shift in (-1, 1)]
        allowed = ROUNDING * largest + 100 * max(abs(other - expected) for other in near)
        if holds and not abs(value - expected) <= allowed:
            raise Apart(f"value {value!r}, unrolled {expected!r}")


def derivatives(objective: Objective, x: np.ndarray) -> tuple[dict[str, np.ndarray], float]:
    """Return value, gradient and a product with the Hessian, and how far rounding of `x` moves the gradient."""
    value, gradient = objective.value_and_grad(x)
    found = {"value": value, "gradient": gradient.copy(), "product": objective.hessp(x, np.cos(np.arange(x.size)))}
    return found, float(np.max(np.abs(objective.grad(x * (1 + 2.0**-50)) - found["gradient"])))


def compare_derivatives(f: Callable, x0: Any, args: tuple) -> None:
    """Compare what the two tapes give for derivatives, the Hessian by its product with a direction."""
    objective = Objective(f, x0, args)
    x = objective.structure.flatten(x0).astype(float)
    found, amplified = derivatives(objective, x)
    if x.size <= 40:
        found["hessian"] = objective.hess(x) @ np.cos(np.arange(x.size))
    with unrolled():
        expected = derivatives(Objective(f, x0, args), x)[0]
    for kind, one in found.items():
        other = expected["product" if kind == "hessian" else kind]
        allowed = ROUNDING * (1 + np.max(np.abs(other))) + 100 * amplified
        if not np.all((np.abs(one - other) <= allowed) | (one == other) | (np.isnan(one) & np.isnan(other))):
            raise Apart(f"{kind} {one}, unrolled {other}")


def check_text(text: Text, second_order: bool) -> None:
    """Check one random loop."""
    f = text.function()
    tape = Objective(f, text.x, text.args).dispatch.paths[0].trace.tape
    moves = np.random.default_rng(0).normal(size=(4, text.x.size)) * np.array([[1e-3], [0.02], [0.1], [1.0]])
    compare_tapes(tape, [text.x, *(text.x + move for move in moves)])
    if second_order:
        compare_derivatives(f, text.x, text.args)


def check_case(case: Case) -> bool:
    """Check an objective of the corpus; return whether its tape is one that vectorising changes."""
    with np.errstate(all="ignore"):
        objective = Objective(case.f, case.x0, case.args)
        tape = objective.dispatch.paths[0].trace.tape
        if len(vectorise(tape).steps) == len(tape.steps):
            return False
        x = objective.structure.flatten(case.x0).astype(float)
        compare_tapes(tape, [x, *(objective.structure.flatten(point) for point in case.points)])
        compare_derivatives(case.f, case.x0, case.args)
    return True


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=0, help="random loops")
    parser.add_argument("--derivatives", type=int, default=0, help="how many of them to second order")
    parser.add_argument("--seed", type=int, default=0, help="of the first")
    parser.add_argument("--corpus", action="store_true", help="every objective of the corpus")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    checks: list[tuple[str, Callable]] = []
    for k in range(options.cases):
        text = write(options.seed + k)
        checks.append((text.source, lambda text=text, k=k: check_text(text, k < options.derivatives)))
    if options.corpus:
        checks += [(case.name, lambda case=case: check_case(case)) for case in CASES if not case.xfail]
    began, apart, same = time.perf_counter(), 0, 0
    for name, check in checks:
        try:
            same += check() is False
        except Exception as problem:
            apart += 1
            print(f"{type(problem).__name__}: {problem}\n{name}\n", flush=True)
    seconds = time.perf_counter() - began
    print(f"{len(checks)} checked, {same} of them with nothing to vectorise; {apart} apart; {seconds:.0f} s")


if __name__ == "__main__":
    main()
