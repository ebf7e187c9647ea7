"""Programs of `kinds.py` against plain NumPy: one check, and a command for long runs.

    python tests/properties/long_kinds.py --cases 20000 --seed 1 [--kinds bisection memo ...] [--stepwise]

prints a table with a row for each kind: how many programs were right, refused, left out, wrong; and each fault with the
program that shows it.
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
import time
import traceback
import types
import warnings
from dataclasses import dataclass
from typing import Any
from unittest import mock

import kinds_of_arrays  # noqa: F401 - fills the table
import kinds_of_decisions  # noqa: F401
import kinds_of_objects  # noqa: F401
import numpy as np
from kinds import KINDS, KindProgram, plain, write
from stepwise import Stepwise

import autoopt
from autoopt import differences
from autoopt.errors import AutooptError
from autoopt.execution import engines

VALUE = 1e-10
OUTCOMES = ("right", "refused", "inconclusive", "wrong", "unclear")
WORDS = re.compile(
    r"[Pp]y[Tt]ensor|TensorType|TensorVariable|Elemwise|Blockwise|Subtensor|Traced|KeyError: \d|\bApply\b"
)


@dataclass(frozen=True)
class Outcome:
    """What became of a program, one of `OUTCOMES`, and why."""

    kind: str
    message: str = ""

    @property
    def failed(self) -> bool:
        """Whether the library is at fault."""
        return self.kind in ("wrong", "unclear")


class Wrong(Exception):
    """A number that is not NumPy's."""


COUNTS: collections.Counter = collections.Counter()
"""Comparisons made, and those that differences could not decide."""


def check(program: KindProgram, products: bool = True, transform: bool = True) -> Outcome:
    """Return what autoopt makes of a program: value, gradient and product at all its points, on one objective.

    The function runs in one copy of its module, plain NumPy in another: what the one keeps does not help the other.
    """
    module, reference = program.module(), program.module()
    compared = COUNTS["gradients compared"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _run(program, module, reference, products, transform)
        except AutooptError as refusal:
            return _refusal(program, refusal)
        except Wrong as difference:
            return Outcome("wrong", str(difference))
        except Exception as problem:
            place = traceback.extract_tb(problem.__traceback__)[-1]
            first = (str(problem).strip().splitlines() or [""])[0]
            return Outcome("unclear", f"{type(problem).__name__}: {first} ({place.filename}:{place.lineno})")
        finally:
            sys.modules.pop(module.__name__, None)
    return Outcome("right" if COUNTS["gradients compared"] > compared else "inconclusive")


def _refusal(program: KindProgram, refusal: AutooptError) -> Outcome:
    if not any(place.file in (program.file, __file__) for place in refusal.where):  # of data: the line of the call
        return Outcome("unclear", f"without a place: {refusal}")
    if "runs, but not while it is traced" in refusal.happened or WORDS.search(refusal.happened):
        return Outcome("unclear", refusal.happened)
    if not refusal.remedy:
        return Outcome("unclear", f"without a remedy: {refusal.happened}")
    return Outcome("refused", refusal.happened)


def _run(
    program: KindProgram, module: types.ModuleType, reference: types.ModuleType, products: bool, transform: bool
) -> None:
    args = program.args(module)
    if program.called_before:
        for x in program.points:
            plain(module, x, args)
    objective = autoopt.Objective(module.f, program.points[0], args)
    gradient = autoopt.grad(module.f) if transform else None
    for x in (*program.points, program.points[0]):
        _compare_at(program, objective, gradient, reference, x, products)
    for k, change in enumerate(program.changes):
        for changed in (module, reference):
            exec(change, changed.__dict__)
        x = program.points[k % 3]
        if module.f is not objective.function:
            raise AssertionError("the function itself was replaced")
        _compare_at(program, objective, gradient, reference, x, products and k == 0)


def _compare_at(
    program: KindProgram, objective: Any, transform: Any, reference: types.ModuleType, x: np.ndarray, products: bool
) -> None:
    data = program.args(reference)

    def function(z: np.ndarray) -> float:
        value = plain(reference, z, data)
        return np.nan if value is None else value

    expected = function(x)
    if np.isnan(expected):
        _where_it_raises(objective, x)
        return
    amplified = max(abs(function(x * (1 + s * 2.0**-51)) - expected) for s in (-3, -2, -1, 1, 2, 3))
    size = max(1.0, abs(expected))
    if not amplified <= 1e-7 * size:
        COUNTS["unstable point"] += 1
        return
    value, gradient = objective.value_and_grad(x)
    allowed = VALUE * size + 100 * amplified
    if not abs(value - expected) <= allowed or not abs(objective.value(x) - expected) <= allowed:
        raise Wrong(f"value {value!r} or {objective.value(x)!r} but NumPy gives {expected!r} at {x!r}")
    if not _smooth(function, x):
        COUNTS["kinks"] += 1
        return
    if not _agree("gradient", gradient, lambda h: slopes(function, x, h), x):
        return
    if transform is not None and not np.allclose(transform(x.copy(), *objective.args), gradient, rtol=1e-8, atol=1e-9):
        raise Wrong(f"grad(f) gives {transform(x.copy(), *objective.args)!r}, the objective {gradient!r} at {x!r}")
    if products:
        direction = np.cos(np.arange(x.size) + 0.5)
        product = objective.hessp(x, direction)
        _agree("product", product, lambda h: curvatures(function, x, direction, h), x)


def _where_it_raises(objective: Any, x: np.ndarray) -> None:
    """Where plain NumPy raises or is not finite, no finite number may come."""
    COUNTS["points where NumPy raises"] += 1
    try:
        value = objective.value_and_grad(x)[0]
    except AutooptError:
        return
    except Exception as problem:  # the user's own
        if any("autoopt_kinds" in frame.filename for frame in traceback.extract_tb(problem.__traceback__)):
            return
        raise
    if np.isfinite(value):
        raise Wrong(f"value {value!r} where NumPy raises or is not finite, at {x!r}")


# Differences of the values alone --------------------------------------------------------------------------------------


def slopes(function: Any, x: np.ndarray, first: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient at `x` by extrapolated central differences from a step `first` on, and estimated errors."""
    pairs = [
        _extrapolated(lambda h, p=p: (function(x + h * p) - function(x - h * p)) / (2 * h), first, function(x), 1)
        for p in np.eye(x.size)
    ]
    return np.array([slope for slope, _ in pairs]), np.array([error for _, error in pairs])


def curvatures(function: Any, x: np.ndarray, direction: np.ndarray, first: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the Hessian times p by second differences of values: e'Hp = ((e + p)'H(e + p) - (e - p)'H(e - p)) / 4."""
    here = function(x)

    def second(p: np.ndarray) -> tuple[float, float]:
        return _extrapolated(
            lambda h: (function(x + h * p) - 2 * here + function(x - h * p)) / h**2, 2 * first, here, 2
        )

    pairs = [(second(e + direction), second(e - direction)) for e in np.eye(x.size)]
    return np.array([(u - v) / 4 for (u, _), (v, _) in pairs]), np.array([(a + b) / 4 for (_, a), (_, b) in pairs])


def _extrapolated(quotient: Any, first: float, here: float, order: int) -> tuple[float, float]:
    """Return the limit of a quotient that is even in h, and the estimate of its error (Ridders 1982)."""
    best, best_error = np.nan, np.inf
    previous: list[float] = []
    for level in range(7):
        h = first / 2.0**level
        row = [quotient(h)]
        rounding = 8 * np.finfo(float).eps * (1 + abs(here)) / h**order
        for k, above in enumerate(previous, start=1):
            row.append(row[-1] + (row[-1] - above) / (4.0**k - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - above)) + rounding
            if error < best_error:
                best, best_error = row[-1], error
        if best_error < 1e-9 * (1 + abs(best)):
            break
        previous = row
    return best, best_error


def _smooth(function: Any, x: np.ndarray) -> bool:
    """Whether the slopes ahead and behind agree along each axis and between."""
    for p in [*np.eye(x.size), np.cos(np.arange(x.size) + 0.5)]:
        ahead, behind, error = differences.one_sided(function, x, p, 2.0**-12)
        if not abs(ahead - behind) <= 1e-5 * (1 + abs(ahead)) + 4 * error or error > 1e-2 * (1 + abs(ahead)):
            return False
    return True


def _agree(what: str, found: np.ndarray, expected: Any, x: np.ndarray) -> bool:
    """Compare with differences; where they disagree, those of smaller steps must say the same. False if none tells."""
    loose = 1e-5 if what == "gradient" else 1e-3
    if found.shape != x.shape:
        raise Wrong(f"{what} of shape {found.shape}")
    verdicts = []
    for first in (2.0**-5, 2.0**-8, 2.0**-7 * 1.1):
        slope, error = expected(first)
        size = 1 + np.max(np.abs(slope), initial=0.0)
        if not np.all(error <= loose * size):
            continue
        if np.all(np.abs(found - slope) <= 20 * error + 1e-7 * size):
            COUNTS[f"{what}s compared"] += 1
            return True
        verdicts.append(slope)
    agreeing = len(verdicts) >= 2 and np.allclose(verdicts[0], verdicts[1], rtol=loose, atol=loose)
    if agreeing:
        raise Wrong(
            f"{what} {np.array2string(found, precision=9)} but differences give "
            f"{np.array2string(verdicts[0], precision=9)} at {x!r}"
        )
    COUNTS[f"{what}s inconclusive"] += 1
    return False


# The command ----------------------------------------------------------------------------------------------------------


def stepwise() -> Any:
    """Return a context in which objectives compile nothing: their tapes are run and differentiated step by step."""
    return mock.patch.dict(engines.ENGINES, auto=Stepwise)


def _sum(rows: dict[str, collections.Counter]) -> collections.Counter:
    return sum(rows.values(), collections.Counter())


def told(program: KindProgram, outcome: Outcome) -> str:
    """Return an outcome with the program, as text that can be run."""
    how = f"changes = {program.changes!r}, called before: {program.called_before}"
    head = f"{program.kind} {program.seed}: {outcome.kind}: {outcome.message}"
    return f"{head}\n{program.text}\npoints = {program.points!r}\n{how}"


def table(rows: dict[str, collections.Counter]) -> str:
    """Return the counts as text, a line for each kind and one for all."""
    shown = {**rows, "all": _sum(rows)}
    head = f"{'kind':32}" + "".join(f"{outcome:>13}" for outcome in OUTCOMES)
    return "\n".join(
        [head, *(f"{name:32}" + "".join(f"{row[outcome]:13d}" for outcome in OUTCOMES) for name, row in shown.items())]
    )


def signature(outcome: Outcome) -> str:
    """Return what sightings of one fault have in common."""
    text = re.sub(r"\[[^\]]*\]|[-+]?\d+(\.\d+)?(e[-+]?\d+)?", "0", outcome.message)
    return f"{outcome.kind}: {text[:110]}".replace("\n", " ")


def check_stepwise(program: KindProgram) -> Outcome:
    """Return what autoopt makes of a program without compiling it; what fails so is looked at compiled, too."""
    with stepwise():
        outcome = check(program)
    if not outcome.failed:
        return outcome
    COUNTS["failed stepwise"] += 1
    return check(program)


def run(
    cases: int, seed: str, names: list[str], seconds: float = np.inf, show: int = 3, checked: Any = check
) -> dict[str, collections.Counter]:
    """Check so many programs, the kinds in turn, and print what is found."""
    rows: dict[str, collections.Counter] = {name: collections.Counter() for name in names}
    refusals: collections.Counter = collections.Counter()
    faults: collections.Counter = collections.Counter()
    start = time.perf_counter()
    for case in range(cases):
        if time.perf_counter() - start > seconds:
            break
        name = names[case % len(names)]
        program = write(name, f"{seed}-{case // len(names)}")
        outcome = checked(program)
        rows[name][outcome.kind] += 1
        if outcome.kind == "refused":
            refusals[
                f"{name}: " + re.sub(r"\d+(\.\d+)?(e[-+]?\d+)?", "0", outcome.message)[:150].replace("\n", " ")
            ] += 1
        if outcome.failed:
            mark = f"{name} {signature(outcome)}"
            faults[mark] += 1
            if faults[mark] <= show:
                print(f"--- {told(program, outcome)}\n", flush=True)
        if case % 200 == 199:
            spent = time.perf_counter() - start
            print(f"=== {case + 1} programs, {spent:.0f} s, {dict(_sum(rows))}, {dict(COUNTS)}", flush=True)
    print(f"\n{_sum(rows).total()} programs, {time.perf_counter() - start:.0f} s\n{table(rows)}\n\n{dict(COUNTS)}")
    for title, counts in (("refusals", refusals), ("faults", faults)):
        print(f"\n{title}:")
        for message, count in counts.most_common():
            print(f"{count:7d}  {message}")
    return rows


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--seconds", type=float, default=np.inf, help="stop after so long")
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--stepwise", action="store_true", help="take derivatives along the tape, without compiling it")
    parser.add_argument("--show", type=int, default=3, help="print so many programs for each fault")
    options = parser.parse_args(arguments)
    checked = check_stepwise if options.stepwise else check
    found = run(options.cases, options.seed, options.kinds, options.seconds, options.show, checked)
    counts = _sum(found)
    return 1 if counts["wrong"] + counts["unclear"] else 0


if __name__ == "__main__":
    sys.exit(main())
