"""Functions of an array's entries, and sums of them, as machine code beside NumPy: nanoseconds an entry.

    python -m benchmarks.native_functions                    all: some seconds
    python -m benchmarks.native_functions log sum            by parts of their texts

The operand is an array of 4096 doubles, or `--entries`; the call, which takes about a microsecond, is part of the time.
NumPy has vector code of its own for some functions on some processors. "compiling" is seconds of the processor.
"""

from __future__ import annotations

import argparse
import linecache
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from benchmarks.processes import table

ENTRIES, ROUNDS = 4096, 200
SPECIAL = ("expit", "gammaln", "digamma", "erf", "erfc", "erfcx", "ndtr", "log_ndtr")
PLAIN = ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "tanh", "sin", "cos", "tan")
SOFTPLUS = "np.maximum(a, 0.0) + np.log1p(np.exp(-np.abs(a)))"
RETURNED = [
    *(f"np.{name}(a)" for name in PLAIN),
    *(f"scipy.special.{name}(a)" for name in SPECIAL),
    *("scipy.special.polygamma(1, a)", "np.logaddexp(a, 1.0)", SOFTPLUS, "a.sum()", "a.max()", "(a * a).sum()"),
    *("np.log(a).sum()", "a.reshape(-1, 8).sum(axis=0)", "a.reshape(-1, 8).sum(axis=1)"),
    f"(softplus.sum(), np.exp(a - softplus) - 1.0) with softplus = {SOFTPLUS}",
    "power / power.sum(axis=1)[:, None] with power = np.exp(a.reshape(-1, 8))",
]
"""What is returned of an array `a`, perhaps with a name for an array on the way."""


def function_of(returned: str) -> Callable:
    """Return a function of `a` whose lines can be read."""
    value, _, named = returned.partition(" with ")
    lines = ["def f(a):", *([f"    {named}"] if named else []), f"    return {value}"]
    file = f"<{returned}>"
    linecache.cache[file] = (0, None, [f"{line}\n" for line in lines], file)
    namespace: dict[str, Any] = {"np": np, "scipy": scipy}
    exec(compile("\n".join(lines), file, "exec"), namespace)
    return namespace["f"]


def seconds(function: Callable, operand: np.ndarray) -> float:
    """Return what the fastest of some calls takes."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        function(operand)
        times.append(time.perf_counter() - begin)
    return min(times)


def row(returned: str, entries: int) -> dict[str, Any]:
    """Return what one text takes as machine code and by NumPy."""
    from autoopt.execution.native.machine import Native, lowered

    operand = np.random.default_rng(0).uniform(0.1, 3.0, entries)
    function = function_of(returned)
    begin = time.process_time()
    native = Native(lowered(function, (operand,)))
    compiling = time.process_time() - begin
    mine, numpys = (seconds(f, operand) / entries * 1e9 for f in (native, function))
    return {"returned": returned, "native": mine, "numpy": numpys, "ratio": mine / numpys, "compiling": compiling}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--entries", type=int, default=ENTRIES, help="of the array; a multiple of 8")
    options = parser.parse_args()
    chosen = [text for text in RETURNED if not options.names or any(name in text for name in options.names)]
    rows = [row(text, options.entries) for text in chosen]
    head = ["returned", "machine code, ns", "NumPy, ns", "ratio", "compiling, s"]
    cells = [[r["returned"], *(f"{r[key]:.2f}" for key in list(r)[1:])] for r in rows]
    table(f"An entry of {options.entries}", head, cells)


if __name__ == "__main__":
    main()
