"""Tables of second derivatives: whole Hessians over those that are written by hand, and over `jax.hessian`.

    python -m benchmarks.hessian_tables                      every case
    python -m benchmarks.hessian_tables softmax network      by parts of their names
    python -m benchmarks.hessian_tables --small --no-jax     of a few rows, to see that everything runs

Every case has a fresh process with empty caches and one thread. "first" is the processor's seconds from the function
to its first Hessian, "over hand" and "over jax" are ratios of medians over rounds in which the tools take turns, and
"error" is the largest difference from the Hessian by hand over its largest entry. "extra" is the most memory of NumPy's
in one call beyond the result. JAX has float64, `jit` and its data on its own side; it compiles before it is timed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.hessian_models import CASES
from benchmarks.hessians import Case
from benchmarks.processes import cell, fresh, say, seconds, table

ROUNDS, ROUND = 7, 0.05
WARM = 1.0  # seconds of calls before the timed ones, in which what pays may compile
EQUAL, MOST_LINES, MOST_MEMORY = 1e-9, 60, 60e6


def measure(name: str, small: bool = False, jax: bool = True) -> None:
    """Tell the numbers of one case; in a process of its own."""
    case = CASES[name]
    x, data = case.point(small)
    by_hand = case.hess(x, *data)
    say(n=x.size)
    calls = {"hand": lambda x: case.hess(x, *data)}
    try:
        calls["autoopt"] = _autoopt(case, x, data, by_hand)
    except Exception as error:
        say(reason=type(error).__name__, refusal=str(error)[:300])
    if jax and case.jax:
        with contextlib.suppress(ImportError):
            calls["jax"] = _jax(case, x, data, by_hand)
    spent = _alternating(calls, x)
    say(**spent)
    for peer in ("hand", "jax"):
        if peer in spent and "autoopt" in spent:
            say(**{f"over_{peer}": spent["autoopt"] / spent[peer]})


def _autoopt(case: Case, x: np.ndarray, data: tuple, by_hand: Any) -> Callable:
    """Tell the first call, error, memory and source of autoopt's Hessian; return it."""
    import autoopt
    from autoopt.objectives.objective import printed

    def first() -> tuple[Any, Any]:
        objective = autoopt.objective(case.f, x, *data)
        return objective.hess, objective.hess(x)

    (hess, found), spent = seconds(first)
    say(first=spent, error=_difference(found, by_hand), sparse=bool(sparse.issparse(found)))
    began = time.process_time()
    near = x
    while time.process_time() - began < WARM:
        near = near * (1 + 1e-9)
        hess(near)
    say(error=max(_difference(found, by_hand), _difference(hess(near), case.hess(near, *data))))
    say(extra=_memory(hess, near * (1 + 1e-9)), extra_hand=_memory(lambda x: case.hess(x, *data), x))
    try:
        text = printed(case.f, x, data, derivatives="hessian")
        say(lines=_lines(text), base64="base64" in text)
    except autoopt.AutooptError as error:
        say(lines=None, unprinted=str(error).split("\n")[0][:200])
    return hess


def _lines(text: str) -> int:
    """Return how many lines of code there are in the function of the Hessian and those beside it."""
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in text.splitlines())


def _memory(hess: Callable, x: np.ndarray) -> int:
    """Return the bytes that one call takes at its peak, beyond its result."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found = hess(x)
        size = found.data.nbytes if sparse.issparse(found) else found.nbytes
        return max(0, tracemalloc.get_traced_memory()[1] - before - size)
    finally:
        tracemalloc.stop()


def _jax(case: Case, x: np.ndarray, data: tuple, by_hand: Any) -> Callable:
    """Tell what JAX takes to compile its Hessian, and its error; return it."""
    hess, spent = seconds(lambda: jax_hessian(case, x, data))
    say(jax_compile=spent, jax_error=_difference(hess(x), by_hand))
    return hess


def jax_hessian(case: Case, x: np.ndarray, data: tuple) -> Callable[[np.ndarray], np.ndarray]:
    """Return JAX's compiled Hessian of the same objective, on one thread if nobody has imported JAX before."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import jax
    import jax.numpy as jnp

    from benchmarks.peers import translated

    jax.config.update("jax_enable_x64", True)
    modules = {"np": jnp, "special": jax.scipy.special, "linalg": jax.scipy.linalg}
    f = translated(case.f, modules) if case.peer is None else lambda x, *data: case.peer(jnp, x, *data)
    arrays = {
        k: jnp.asarray(part)
        for k, part in enumerate(data)
        if isinstance(part, np.ndarray) and not (case.peer and part.dtype.kind == "i")  # positions stay NumPy's
    }

    def at(x: Any, arrays: dict) -> Any:
        return f(x, *(arrays.get(k, part) for k, part in enumerate(data)))

    compiled = jax.jit(jax.hessian(at)).lower(x, arrays).compile()
    return lambda x: np.asarray(compiled(x, arrays))


def _difference(found: Any, expected: Any) -> float:
    """Return the largest difference over the largest entry."""
    if sparse.issparse(found) and sparse.issparse(expected):
        difference = abs(found - expected)
        return float(difference.max() / abs(expected).max())
    found, expected = (each.toarray() if sparse.issparse(each) else each for each in (found, expected))
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


def _alternating(calls: dict[str, Callable], x: np.ndarray) -> dict[str, float]:
    """Return the median of the processor's seconds of each, every call at another point."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    points = [x * (1 + k * 1e-10) for k in range(64)]
    at = 0
    for turn in range(ROUNDS):
        for name in list(calls)[:: -1 if turn % 2 else 1]:
            began, count = time.process_time(), 0
            while count == 0 or time.process_time() - began < ROUND:
                at = (at + 1) % len(points)
                calls[name](points[at])
                count += 1
            spent[name].append((time.process_time() - began) / count)
    return {name: statistics.median(each) for name, each in spent.items()}


HEAD = [
    "case",
    "n",
    "hand ms",
    "autoopt ms",
    "over hand",
    "most",
    "jax ms",
    "over jax",
    "error",
    "extra MB",
    "by hand MB",
] + ["lines", "base64", "first s", "jax compile s"]


def row(case: Case, found: dict[str, Any]) -> list[str]:
    """Return the cells of one case."""
    scaled = found | {name: found[name] * 1e3 for name in ("hand", "autoopt", "jax") if name in found}
    scaled |= {name: found[name] / 1e6 for name in ("extra", "extra_hand") if name in found}
    base64 = {True: "yes", False: "no", None: "-"}[found.get("base64")]
    return [
        case.name + (" sparse" if found.get("sparse") else ""),
        str(found.get("n", "-")),
        cell(scaled, "hand"),
        cell(scaled, "autoopt"),
        cell(scaled, "over_hand"),
        f"{case.most:.1f}" if case.most else "",
        cell(scaled, "jax"),
        cell(scaled, "over_jax"),
        cell(found, "error", ".0e"),
        cell(scaled, "extra"),
        cell(scaled, "extra_hand"),
        "refused" if "unprinted" in found else cell(found, "lines", "d"),
        base64,
        cell(found, "first"),
        cell(found, "jax_compile"),
    ]


def misses(case: Case, found: dict[str, Any]) -> list[str]:
    """Return what must hold of a case and does not."""
    asked = {
        "right": found.get("error", np.inf) <= EQUAL,
        f"{case.most} x by hand": case.most is None or found.get("over_hand", np.inf) <= case.most,
        "faster than JAX": found.get("over_jax", 0.0 if "jax" not in found else np.inf) < 1,
        "source": found.get("lines") is not None,
        f"{MOST_LINES} lines": (found.get("lines") or 0) <= MOST_LINES,
        "no base64": not found.get("base64"),
        f"{MOST_MEMORY / 1e6:.0f} MB": case.name != "logistic-1000000x50" or found.get("extra", np.inf) <= MOST_MEMORY,
    }
    return [what for what, holds in asked.items() if not holds]


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hessian_tables", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of cases")
    parser.add_argument("--small", action="store_true", help="the small sizes, as the tests have them")
    parser.add_argument("--no-jax", action="store_true", help="without JAX")
    parser.add_argument("--limit", type=float, default=120.0, help="processor's seconds for a case (default 120)")
    options = parser.parse_args(arguments)
    rows, missed = [], []
    for case in CASES.values():
        if options.names and not any(part in case.name for part in options.names):
            continue
        call = f"measure({case.name!r}, {options.small}, {not options.no_jax})"
        found = fresh("benchmarks.hessian_tables", call, options.limit)
        rows.append(row(case, found))
        missed.append(
            [case.name, ", ".join(misses(case, found)) or "all hold", found.get("refusal", "").split("\n")[0]]
        )
        print("  ".join(rows[-1]), found.get("refusal", found.get("unprinted", "")), file=sys.stderr, flush=True)
    table("Hessians: over those by hand, and over JAX", HEAD, rows)
    table("What does not hold", ["case", "what", "why"], missed)


if __name__ == "__main__":
    main()
