"""Random programs against plain NumPy: one check, and a command for long runs.

    python tests/properties/long_programs.py --cases 20000 --seed 1

prints how many programs were right, refused (with which messages), left out, and wrong; a wrong one is cut down to
the fewest lines that still show it.
"""

from __future__ import annotations

import argparse
import collections
import linecache
import random
import re
import sys
import time
import traceback
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from program_writer import KNOWN_CRASHES, Program
from programs import write

import autoopt
from autoopt import differences
from autoopt.errors import AutooptError
from autoopt.parameters import Structure
from autoopt.tape.tape import call
from autoopt.tracing import trace

FILE = "/tmp/autoopt_program.py"
ROUNDING = 1e-12
UNSTABLE = 1e-6
"""Points where rounding of the parameters moves f by more are left out."""


@dataclass(frozen=True)
class Outcome:
    """What became of a program: "right", "refused", "inconclusive", "left out", "invalid", "wrong" or "crash"."""

    kind: str
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether the library is at fault."""
        return self.kind in ("wrong", "crash")


class Wrong(Exception):
    """A number that is not NumPy's."""


def load(program: Program) -> Any:
    """Return `f`, its lines at hand for error messages."""
    text = program.text
    linecache.cache[FILE] = (len(text), None, text.splitlines(keepends=True), FILE)
    namespace: dict[str, Any] = {"__name__": "program"}
    exec(compile(text, FILE, "exec"), namespace)
    return namespace["f"]


def plain(f: Any, program: Program, x: np.ndarray) -> float | None:
    """Return f(x) in plain NumPy, None where it raises or is not finite."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = float(f(x.copy(), *program.args))
        except Exception:
            return None
    return value if np.isfinite(value) and abs(value) < 1e6 else None


def tolerance(f: Any, program: Program, x: np.ndarray, value: float) -> float:
    """Return how far another order of the same operations may be off: rounding, times how f amplifies it."""
    moved = [plain(f, program, x * (1 + shift * 2.0**-50)) for shift in (-1, 1)]
    amplified = max((abs(v - value) for v in moved if v is not None), default=0.0)
    return ROUNDING * max(1.0, abs(value), program.scale) + 100 * amplified


def check(program: Program, compiled: bool = True, derivatives: bool = False) -> Outcome:
    """Return what autoopt makes of a program."""
    known = program.known()
    if known:
        return Outcome("left out", known)
    f = load(program)
    x = program.points[0]
    value = plain(f, program, x)
    if value is None:
        return Outcome("invalid")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            try:
                check_tape(f, program, value)
            except Wrong:  # what the tape cannot say may be refused later
                autoopt.Objective(f, x, program.args).value(x)
                check_compiled(f, program, False)
                raise
            if compiled or derivatives:
                check_compiled(f, program, derivatives)
        except AutooptError as refusal:
            if not any(place.file == FILE for place in refusal.where) and "not traced by autoopt" not in str(refusal):
                return Outcome("crash", f"refused without a place: {refusal}")
            if "runs, but not while it is traced" in refusal.happened:
                return Outcome("crash", refusal.happened)
            return Outcome("refused", refusal.happened)
        except Wrong as difference:
            return Outcome("wrong", str(difference))
        except Exception as problem:
            place = traceback.extract_tb(problem.__traceback__)[-1]
            lines = str(problem).strip().splitlines() or [""]
            for name, pattern in KNOWN_CRASHES.items():
                if re.search(pattern, lines[0]):
                    return Outcome("left out", name)
            return Outcome("crash", f"{type(problem).__name__}: {lines[0]} ({place.filename}:{place.lineno})")
    return Outcome("right")


# The tape -------------------------------------------------------------------------------------------------------------


def check_tape(f: Any, program: Program, value: float) -> None:
    """Compare the numbers carried by the trace, and the tape run again, with NumPy's."""
    args, x = program.args, program.points[0]
    recorded = traced(f, x, args)
    _unchanged(program, args)
    tape = recorded.tape
    for point in program.points:
        expected = value if point is x else plain(f, program, point)
        replayed = None if expected is None else replay(tape, point.reshape(-1))
        if replayed is not None:
            _compare("tape", replayed, expected, tolerance(f, program, point, expected))


def traced(f: Any, x: np.ndarray, args: tuple) -> Any:
    """Return the trace; a user's error that only tracing raises is told apart."""
    try:
        return trace(f, Structure.of(x), x.reshape(-1), args)
    except AutooptError:
        raise
    except Exception as problem:
        place = traceback.extract_tb(problem.__traceback__)[-1]
        raise AutooptError(
            f"The objective runs, but not while it is traced: {type(problem).__name__}: {problem} "
            f"({place.filename}:{place.lineno})",
            autoopt.errors.Location(FILE, 1),
        ) from problem


def replay(tape: Any, flat: np.ndarray) -> float | None:
    """Return the tape's value at `flat` by NumPy alone; None where a guard does not hold."""
    values: list[Any] = []
    with np.errstate(all="ignore"):
        for index, step in enumerate(tape.steps):
            if step.operation is None:
                values.append(flat if index == 0 else tape.values[index])
            else:
                values.append(call(step, [values[source] for source in step.inputs]))
            if (
                values[-1] is not flat
                and np.shape(values[-1]) != step.shape
                and not isinstance(values[-1], tuple | list)
            ):
                return None if _guards_fail(tape, values) else _shape_error(step, values[-1])
    return None if _guards_fail(tape, values) else float(values[tape.output])


def _shape_error(step: Any, value: Any) -> None:
    raise Wrong(f"tape: step {step.operation} has shape {np.shape(value)}, recorded as {step.shape}")


def _guards_fail(tape: Any, values: list) -> bool:
    return any(
        guard.step >= len(values) or not np.array_equal(_answer(guard, values[guard.step]), guard.answer)
        for guard in tape.guards
    )


def _answer(guard: Any, value: Any) -> Any:
    return {"bool": bool, "int": int}.get(guard.kind, np.asarray)(value)


# Compiled -------------------------------------------------------------------------------------------------------------


def check_compiled(f: Any, program: Program, derivatives: bool) -> None:
    """Compare compiled value, there and back over both points, and derivatives if asked."""
    args = program.args
    objective = autoopt.Objective(f, program.points[0], args)
    for point in [*program.points, program.points[0]]:
        expected = plain(f, program, point)
        if expected is None:
            continue
        allowed = tolerance(f, program, point, expected)
        if allowed > UNSTABLE * (1 + abs(expected)):
            CONCLUSIVE["unstable point"] += 1
            continue
        found = objective.value(point)
        _unchanged(program, args)
        _compare("compiled value", found, expected, allowed)
    if derivatives:
        for point in program.points:
            if plain(f, program, point) is not None:
                check_derivatives(f, program, objective, point)


def check_derivatives(f: Any, program: Program, objective: Any, point: np.ndarray) -> None:
    """Compare gradient and Hessian-vector product with differences, where these tell."""
    flat = point.reshape(-1)

    def function(z: np.ndarray) -> float:
        value = plain(f, program, z.reshape(point.shape))
        return np.nan if value is None else value

    direction = np.cos(np.arange(flat.size) + 0.5)
    value, gradient = objective.value_and_grad(flat)
    _compare("value with gradient", value, function(flat), tolerance(f, program, point, value))
    slope, error = differences.gradient(function, flat)
    if _smooth(function, flat, direction, slope):
        _conclude("gradient", gradient, slope, error)
        product = objective.hessp(flat, direction)
        curve, error = differences.hessp(objective.grad, flat, direction)
        _conclude("hessp", product, curve, error)
        _conclude("hess", objective.hess(flat) @ direction, curve, error)


def _smooth(function: Any, flat: np.ndarray, direction: np.ndarray, slope: np.ndarray) -> bool:
    """Whether the slopes ahead and behind agree along each axis and `direction`, and with `slope`, of longer steps."""
    for p in [*np.eye(flat.size), direction]:
        ahead, behind, error = differences.one_sided(function, flat, p)
        if not abs(ahead - behind) <= 1e-6 * (1 + abs(ahead)) + 2 * error or error > 1e-3 * (1 + abs(ahead)):
            CONCLUSIVE["kink"] += 1
            return False
        if abs(ahead - slope @ p) > 1e-2 * (1 + abs(ahead)):
            CONCLUSIVE["steps, as of round"] += 1
            return False
    return True


CONCLUSIVE: collections.Counter = collections.Counter()


def _conclude(what: str, found: np.ndarray, expected: np.ndarray, error: np.ndarray) -> None:
    if found.shape != expected.shape:
        raise Wrong(f"{what} of shape {found.shape}, not {expected.shape}")
    size = 1 + np.max(np.abs(expected), initial=0.0)
    if not np.all(error <= 1e-5 * size):
        CONCLUSIVE[f"{what} inconclusive"] += 1
        return
    CONCLUSIVE[f"{what} compared"] += 1
    off = np.abs(found - expected)
    if not np.all(off <= 10 * error + 1e-8 * size):
        raise Wrong(
            f"{what} {np.array2string(found, precision=8)} "
            f"but differences give {np.array2string(expected, precision=8)}"
        )


def _compare(what: str, found: float, expected: float, allowed: float) -> None:
    if not abs(found - expected) <= allowed:
        raise Wrong(f"{what} {found!r} but NumPy gives {expected!r}")


def _unchanged(program: Program, args: tuple) -> None:
    for name, seen, kept in zip(program.data, args, program.data.values(), strict=True):
        if not np.array_equal(seen, kept):
            raise Wrong(f"the data argument {name} was changed")


# Cutting down ---------------------------------------------------------------------------------------------------------


def signature(outcome: Outcome) -> str:
    """Return what two sightings of one fault have in common."""
    text = re.sub(r"(?<=<autoopt )\w+ \w+", "", outcome.message)
    text = re.sub(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", "0", text)
    if outcome.kind == "wrong":
        text = " ".join(text.split()[:2])
    return f"{outcome.kind}: {text[:160]}"


def shrink(program: Program, outcome: Outcome, compiled: bool, derivatives: bool) -> Program:
    """Return a program with as few statements and terms as still fail alike."""

    def fails(candidate: Program) -> bool:
        try:
            return signature(check(candidate, compiled, derivatives)) == signature(outcome)
        except Exception:
            return False

    changed = True
    while changed:
        changed = False
        for part in ("result", "body", "helpers"):
            for k in reversed(range(len(getattr(program, part)))):
                pieces = getattr(program, part)
                candidate = replace(program, **{part: pieces[:k] + pieces[k + 1 :]})
                if (part != "result" or len(pieces) > 1) and fails(candidate):
                    program, changed = candidate, True
        for k, block in enumerate(program.body):
            lines = block.split("\n") if "np.empty" not in block else []
            for j in reversed(range(len(lines))):
                shorter = "\n".join(lines[:j] + lines[j + 1 :])
                candidate = replace(program, body=program.body[:k] + [shorter] + program.body[k + 1 :])
                if len(lines) > 1 and _compiles(candidate) and fails(candidate):
                    program, changed, lines = candidate, True, shorter.split("\n")
    return program


SHRUNK = 20
"""Most failures of one kind that are cut down; the others are only counted."""


def _bare(program: Program) -> str:
    """Return the statements without names and numbers, by which failures are told apart."""
    return re.sub(r"[a-z]?\d+(\.\d+)?", "_", " ; ".join(program.body))[-200:].replace("\n", " ")


def _compiles(program: Program) -> bool:
    try:
        compile(program.text, FILE, "exec")
    except SyntaxError:
        return False
    return True


def describe(program: Program, outcome: Outcome) -> str:
    """Return a failure as text that can be run."""
    data = {
        name: value for name, value in program.data.items() if re.search(rf"\b{name}\b", program.text.split(":", 1)[1])
    }
    return "\n".join(
        [f"# {outcome.kind}: {outcome.message}", program.text, f"points = {program.points!r}", f"data = {data!r}", ""]
    )


# The command ----------------------------------------------------------------------------------------------------------


def run(
    cases: int, seed: int, compiled: float, derivatives: float, seconds: float = np.inf, statements: tuple = (3, 10)
) -> dict[str, Any]:
    """Return counts of outcomes, messages of refusals, and one cut-down program for each kind of failure."""
    kinds: collections.Counter = collections.Counter()
    refusals: collections.Counter = collections.Counter()
    faults: collections.Counter = collections.Counter()
    styles: collections.Counter = collections.Counter()
    examples: dict[str, str] = {}
    start = time.perf_counter()
    for case in range(cases):
        if time.perf_counter() - start > seconds:
            break
        if case and case % 500 == 0:
            counts = {**kinds, **CONCLUSIVE}
            print(f"{case} programs, {time.perf_counter() - start:.0f} s: {counts}", flush=True)
        rng = random.Random(f"{seed}-{case}")
        program = write(rng, rng.randint(*statements))
        deep = rng.random()
        tier = {"compiled": deep < compiled, "derivatives": deep < derivatives}
        outcome = check(program, **tier)
        kinds[outcome.kind] += 1
        kinds["compiled" if tier["compiled"] else "tape only"] += 1
        kinds["with derivatives"] += tier["derivatives"]
        if outcome.kind in ("refused", "left out"):
            refusals[re.sub(r"\d+", "0", outcome.message)] += 1
        elif outcome.kind == "right":
            styles.update(set(program.styles))
        if outcome.failed:
            mark = signature(outcome)
            if faults[mark] < SHRUNK:
                small = shrink(program, outcome, **tier)
                mark = f"{mark} {_bare(small)}" if outcome.kind == "wrong" else mark
            faults[mark] += 1
            if mark not in examples and faults[mark] < SHRUNK:
                examples[mark] = f"# case {seed}-{case}\n" + describe(small, check(small, **tier))
                print(f"--- {mark}\n{examples[mark]}", flush=True)
    return {
        "kinds": kinds,
        "refusals": refusals,
        "faults": faults,
        "examples": examples,
        "styles": styles,
        "seconds": time.perf_counter() - start,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compiled", type=float, default=0.1, help="fraction whose compiled value is compared")
    parser.add_argument("--derivatives", type=float, default=0.03, help="fraction whose derivatives are compared")
    parser.add_argument("--seconds", type=float, default=np.inf, help="stop after so long")
    parser.add_argument("--statements", type=int, nargs=2, default=(3, 10), help="from so many to so many a program")
    options = parser.parse_args(arguments)
    found = run(
        options.cases, options.seed, options.compiled, options.derivatives, options.seconds, tuple(options.statements)
    )
    print(f"\n{found['seconds']:.0f} s;", dict(found["kinds"]), dict(CONCLUSIVE))
    for title in ("refusals", "faults", "styles"):
        print(f"\n{title}:")
        for message, count in found[title].most_common():
            print(f"{count:7d}  {message}")
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
