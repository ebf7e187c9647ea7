"""Irregular objectives from empty caches: the first gradient, and the whole solve beside SciPy's with differences.

    python -m benchmarks.cold_tables                       textbook models and problems
    python -m benchmarks.cold_tables hmm cox               by parts of their names
    python -m benchmarks.cold_tables --corpus              every objective of tests/corpus, with the share that holds
    python -m benchmarks.cold_tables --corpus --share 3/20   the third of twenty parts of it
    python -m benchmarks.cold_tables --limit 60            seconds after which one is given up

Every number is of a fresh process, in seconds of the processor, so that a busy machine matters little; `import
autoopt` is done, what autoopt imports later counts. What must hold: the first gradient (and the first Hessian, where it
is asked for) within 1.0 s or 20 plain calls, whichever is more; L-BFGS-B with derived gradients, from cold, within the
time of SciPy's with 2-point differences and 1 s, both with SciPy's tolerances. "error" is that of the slope along one
direction, against extrapolated differences of the plain function.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.irregular_models import Case, models
from benchmarks.irregular_problems import problems
from benchmarks.processes import cell, fresh, say, seconds, table

AT_LEAST, CALLS, ALLOWANCE = 1.0, 20, 1.0
TOLERANCES = {"gtol": 1e-5, "ftol": 2.2e-9}  # SciPy's own, so that both solvers are asked for the same


def cases(corpus: bool = False) -> list[Case]:
    """Return what is measured."""
    if not corpus:
        return [*models(), *problems()]
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from corpus import CASES

    return [Case(case.name, case.f, case.x0, case.args) for case in CASES]


# In a process of its own ----------------------------------------------------------------------------------------------


def _flat(case: Case) -> tuple[Any, np.ndarray]:
    """Return the plain objective of a flat vector, and the start."""
    from autoopt.parameters import Structure

    structure = Structure.of(case.x0)
    return lambda z: case.f(structure.unflatten(z), *case.args), structure.flatten(case.x0).astype(float)


def first(name: str, corpus: bool = False) -> None:
    """Tell the plain call, the first gradient and its error, and the first Hessian."""
    import autoopt
    from autoopt.errors import AutooptError

    case = next(case for case in cases(corpus) if case.name == name)
    plain, x = _flat(case)
    plain(x.copy())
    calls = [seconds(lambda: plain(x.copy()))[1] for _ in range(3)]
    say(plain=sorted(calls)[1], n=x.size)
    try:
        (objective, gradient), spent = seconds(lambda: _gradient(autoopt, case, x))
        slope, error = _slope(plain, x)
        off = abs(gradient @ _direction(x) - slope)
        say(gradient=spent, error=float(off / max(abs(slope), 1e-8)), doubt=float(error / max(abs(slope), 1e-8)))
        if case.second:
            say(hessian=seconds(lambda: objective.hess(x))[1])
    except AutooptError as refusal:
        say(reason="refused", refusal=str(refusal))


def _gradient(autoopt: Any, case: Case, x: np.ndarray) -> tuple[Any, np.ndarray]:
    objective = autoopt.objective(case.f, case.x0, *case.args)
    return objective, np.array(objective.value_and_grad(x)[1])


def _direction(x: np.ndarray) -> np.ndarray:
    return 0.1 * np.random.default_rng(7).normal(size=x.size) * np.maximum(np.abs(x), 0.1)


def _slope(plain: Any, x: np.ndarray) -> tuple[float, float]:
    """Return the slope of the plain function along a direction, and the estimate of its error."""
    from autoopt import differences

    return differences.directional(plain, x, _direction(x))


def solve(name: str, corpus: bool = False) -> None:
    """Tell the whole solve by autoopt."""
    import autoopt
    from autoopt.errors import AutooptError

    case = next(case for case in cases(corpus) if case.name == name)
    run = {"args": case.args, "method": "l-bfgs-b", "options": TOLERANCES, "bounds": case.bounds}
    try:
        found, spent = seconds(lambda: autoopt.minimize(case.f, case.x0, **run))
        say(solve=spent, minimum=float(found.fun), calls=int(found.nfev))
    except AutooptError as refusal:
        say(reason="refused", refusal=str(refusal))


def scipy_solve(name: str, corpus: bool = False) -> None:
    """Tell the whole solve by SciPy with 2-point differences."""
    from scipy.optimize import minimize

    case = next(case for case in cases(corpus) if case.name == name)
    plain, x = _flat(case)
    warnings.simplefilter("ignore")
    options = {"method": "L-BFGS-B", "options": TOLERANCES, "bounds": case.bounds}
    found, spent = seconds(lambda: minimize(plain, x, **options))
    say(scipy=spent, scipy_minimum=float(found.fun), scipy_calls=int(found.nfev))


# The parent -----------------------------------------------------------------------------------------------------------


def measured(name: str, corpus: bool, limit: float) -> dict[str, Any]:
    """Return all numbers of one case, and whether they hold."""
    own: dict[str, Any] = {}
    for which in ("first", "solve", "scipy_solve"):
        told = fresh("benchmarks.cold_tables", f"{which}({name!r}, {corpus})", limit)
        own[f"end of {which}"] = told.pop("reason", None)
        own |= told
    if "refusal" in own:
        print(f"{name}: {own['refusal']}", file=sys.stderr, flush=True)
    own["first holds"] = _within(own.get("gradient"), max(AT_LEAST, CALLS * own.get("plain", 0.0)))
    rival = own.get("scipy", np.inf if str(own["end of scipy_solve"]).startswith(">") else None)
    own["solve holds"] = _within(own.get("solve"), None if rival is None else rival + ALLOWANCE)
    return own


def _within(spent: float | None, limit: float | None) -> bool:
    return spent is not None and (limit is None or spent <= limit)


def row(name: str, own: dict[str, Any]) -> list[str]:
    """Return the cells of one line."""

    def shown(key: str, which: str, digits: str = ".3g") -> str:
        return cell(own | {"reason": own[f"end of {which}"] or "-"}, key, digits)

    return [
        name, shown("plain", "first"), shown("gradient", "first"), shown("error", "first", ".0e"),
        shown("hessian", "first") if "hessian" in own else "", "yes" if own["first holds"] else "no",
        shown("solve", "solve"), shown("scipy", "scipy_solve"), "yes" if own["solve holds"] else "no",
        shown("minimum", "solve", ".6g"), shown("scipy_minimum", "scipy_solve", ".6g"),
    ]  # fmt: skip


HEAD = ["objective", "plain call", "first gradient", "error", "first Hessian", "holds"]
HEAD += ["solve", "SciPy's solve", "holds", "minimum", "SciPy's minimum"]


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_tables", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of what is measured")
    parser.add_argument("--corpus", action="store_true", help="every objective of tests/corpus")
    parser.add_argument("--share", default="1/1", help="k/n: every n-th objective, from the k-th")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds after which one is given up (default 60)")
    options = parser.parse_args(arguments)
    offset, step = (int(part) for part in options.share.split("/"))
    names = [case.name for case in cases(options.corpus)][offset - 1 :: step]
    names = [name for name in names if not options.names or any(part in name for part in options.names)]
    found = {}
    for name in names:
        found[name] = measured(name, options.corpus, options.limit)
        print("  ".join(row(name, found[name])), file=sys.stderr, flush=True)
    title = "From empty caches: seconds to the first gradient, and of the whole solve"
    table(title, HEAD, [row(name, own) for name, own in found.items()])
    for what in ("first holds", "solve holds"):
        held = sum(own[what] for own in found.values())
        print(f"\n{what}: {held} of {len(found)} ({100 * held / max(1, len(found)):.1f} %)")
    refused = [name for name, own in found.items() if "refusal" in own]
    print(f"\nrefused: {len(refused)}{': ' if refused else ''}{', '.join(refused)}")


if __name__ == "__main__":
    main()
