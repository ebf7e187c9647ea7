"""Measure autoopt and its peers side by side and print tables of ratios.

    python -m benchmarks.run                                              everything (some minutes)
    python -m benchmarks.run --only logistic --measure first-gradient     problems and measures by part of their name

Every ratio is of medians of one run, to NumPy written by hand. Nothing here imports NumPy before the threads are set.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ["autoopt", "numpy", "scipy", "pytensor", "jax", "autograd", "casadi"]
THREADS = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"]


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure and print."""
    options = _options(arguments)
    _set_threads(options.threads)
    from benchmarks.measures import MEASURES
    from benchmarks.peers import TOOLS
    from benchmarks.problems import PROBLEMS

    problems = [problem for name, problem in PROBLEMS.items() if _chosen(name, options.only)]
    tools = [name for name in TOOLS if name == "numpy" or _chosen(name, options.tools)]
    print(f"{_versions()}; {os.cpu_count()} cores, {options.threads} threads; medians of {options.rounds} rounds.")
    with tempfile.TemporaryDirectory() as cache:
        os.environ.setdefault("AUTOOPT_CACHE", cache)
        for row in MEASURES.values():
            if _chosen(row.name, options.measure):
                print(f"\n{row.title}\n{'-' * len(row.title)}\n")
                _print_table(row, [problem for problem in problems if row.covers(problem)], tools, options.rounds)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="part of a problem's name; may be repeated")
    parser.add_argument("--measure", action="append", help="part of a measure's name; may be repeated")
    parser.add_argument("--tools", action="append", help="part of a tool's name; numpy always runs; may be repeated")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each tool (default 7)")
    parser.add_argument("--threads", type=int, default=1, help="threads of each tool (default 1)")
    return parser.parse_args(arguments)


def _chosen(name: str, parts: list[str] | None) -> bool:
    """Return whether a part of the name was asked for, or nothing in particular was."""
    return not parts or any(part in name for part in parts)


def _set_threads(count: int) -> None:
    """Give every tool the same number of threads; must run before NumPy is imported."""
    os.environ.update(dict.fromkeys(THREADS, str(count)))
    if count == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def _versions() -> str:
    """Return the versions of what is compared."""
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} from the checkout" if package == "autoopt" else f"no {package}")
    return ", ".join(found)


def _print_table(row: object, problems: list, tools: list[str], rounds: int) -> None:
    """Print an rst table: NumPy's own number, every other tool's ratio to it (or own number), autoopt's to JAX's."""
    lines = [["problem", "numpy", *[name if row.absolute else f"{name} /numpy" for name in tools[1:]], "autoopt /jax"]]
    for problem in problems:
        found = row.run(problem, tools, rounds)
        base = found["numpy"]
        others = [_amount(found[t], row.name) if row.absolute else _ratio(found[t], base) for t in tools[1:]]
        of_jax = _ratio(found.get("autoopt"), found.get("jax"))
        if any(found.values()):
            lines.append([problem.name, _amount(base, row.name), *others, of_jax])
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    print("\n".join([rule, shown[0], rule, *shown[1:], rule]), flush=True)


def _ratio(number: float | None, base: float | None) -> str:
    return f"{number / base:.2f}" if number is not None and base else "-"


def _amount(number: float | None, measure: str) -> str:
    """Return bytes as MB, seconds in a unit that suits them."""
    if number is None:
        return "-"
    if measure == "memory":
        return f"{number / 1e6:.1f} MB"
    for unit, size in [("s", 1.0), ("ms", 1e-3)]:
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number / 1e-6:.3g} us"


if __name__ == "__main__":
    main()
