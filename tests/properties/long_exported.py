"""Exported modules of the corpus where neither autoopt nor PyTensor is installed; and a command for the whole run.

    PYTHONPATH=tests python tests/properties/long_exported.py                     all, in fresh environments
    PYTHONPATH=tests python tests/properties/long_exported.py --part 2/10         a part of them
    PYTHONPATH=tests python tests/properties/long_exported.py --only garch --keep FOLDER

Each module is called at x0, beside it and at the corpus's awkward points, with its own data and, where arrays among
these have rows that belong together, with n + 1 and 3 n of them; what `Objective` gives is what it must give. It is run
as a program, which is its test of itself, and read by `ruff check` and `ruff format --check` at 100 columns. The
environments have NumPy alone, or with SciPy where the module or its data need it, or with pandas where the data do.
"""

from __future__ import annotations

import argparse
import json
import pickle
import pickletools
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from corpus import CASES, Case
from silence import silence
from slices import is_in

import autoopt
from autoopt import differences
from autoopt.exporting.signature import Signature
from autoopt.objectives.objective import Objective

HERE = Path(__file__).parent
WIDTH = 100
RULES = "E,F,W,I,UP,B"
"""What `ruff check` looks for."""

PACKAGES = {"numpy": ("numpy",), "scipy": ("numpy", "scipy"), "frames": ("numpy", "scipy", "pandas", "polars")}
"""The environments, and what they have."""

BLOCKED = "autoopt", "pytensor", "numba", "llvmlite", "scipy", "pandas", "polars", "pyarrow", "corpus", "sympy"
"""What an interpreter that has all of these may not import, but for what its environment has."""


class Exported:
    """The module of a case, and what its functions are called with.

    Parameters
    ----------
    case : Case

    Attributes
    ----------
    text : str
    calls : dict of str to dict
        By what they are called: arguments, value and gradient.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.objective = Objective(case.f, case.x0, case.args)
        self.text, self.more = exported(case)
        self.calls: dict[str, dict] = {}
        self.at_points()
        self.with_rows()

    def at_points(self) -> None:
        """Add the calls with the data of the case."""
        x0 = self.objective.structure.flatten(self.case.x0).astype(float)
        rng = np.random.default_rng(len(self.case.name))
        near = x0 + 1e-2 * rng.normal(size=x0.size) * differences.step_scale(x0)
        awkward = [self.objective.structure.flatten(point).astype(float) for point in self.case.points]
        names = ["x0", "beside", *(f"point {k + 1}" for k in range(len(awkward)))]
        for name, x in zip(names, [x0, near, *awkward], strict=True):
            self.add(name, self.objective, x, [*self.case.args, *self.more])

    def with_rows(self) -> None:
        """Add those with other numbers of rows, where the function takes them."""
        rows = aligned(self.case.args)
        for name, count in (("n + 1", rows + 1), ("3 n", 3 * rows)) if rows else ():
            args = tuple(with_rows(value, rows, count) for value in self.case.args)
            try:
                other = Objective(self.case.f, self.case.x0, args)
                self.add(name, other, other.structure.flatten(self.case.x0).astype(float), [*args, *self.more])
            except Exception:  # its data do not align by rows after all
                return

    def add(self, name: str, objective: Objective, x: np.ndarray, data: list) -> None:
        """Add a call at a point, unless the objective is not defined there."""
        try:
            value, gradient = objective.value_and_grad(x)
        except Exception as error:
            if name in ("n + 1", "3 n"):
                raise error
            return
        arguments = [objective.structure.unflatten(x), *data]
        self.calls[name] = {"arguments": arguments, "value": value, "gradient": gradient}


def exported(case: Case) -> tuple[str, list]:
    """Return the module of a case, and what its functions take behind the case's own data: arrays read elsewhere."""
    own, made = Signature.of, []

    def of(*args: Any, **options: Any) -> Signature:
        made.append(own(*args, **options))
        return made[-1]

    with mock.patch.object(Signature, "of", of):
        text = autoopt.source(case.f, case.x0, case.args)
    pairs = zip(made[-1].names, made[-1].texts, strict=True)
    return text, [made[-1].values[name] for name, text in list(pairs)[len(case.args) :] if "=" not in text]


def aligned(args: tuple) -> int:
    """Return the number of rows of the longest arrays and tables among data; 0 if there are none."""
    lengths = [len(value) for value in args if has_rows(value)]
    return max((length for length in lengths if length > 3), default=0)


def has_rows(value: Any) -> bool:
    return (isinstance(value, np.ndarray) and value.ndim > 0) or (hasattr(value, "iloc") and hasattr(value, "index"))


def with_rows(value: Any, rows: int, count: int) -> Any:
    """Return data of so many rows with others of them."""
    if not has_rows(value) or len(value) != rows:
        return value
    if isinstance(value, np.ndarray):
        return value[np.arange(count) % rows]
    return value.iloc[np.arange(count) % rows].reset_index(drop=True)


def environment(text: str, data: bytes | None) -> str:
    """Return which environment a module needs with its data."""
    needs = {found for name in ("scipy", "pandas", "polars") for found in re.findall(rf"^import ({name})", text, re.M)}
    named = [part for _, part, _ in pickletools.genops(data or b".") if isinstance(part, str)]
    needs |= {part.partition(".")[0] for part in named} & {"scipy", "pandas", "polars", "corpus"}
    return "frames" if needs - {"scipy"} else "scipy" if needs else "numpy"


# Where they are run ---------------------------------------------------------------------------------------------------


def python_of(folder: Path, packages: Iterable[str]) -> Path:
    """Return the Python of a new environment with these packages, of the releases that are installed here."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pinned = [f"{name}=={version(name)}" for name in packages]
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *pinned], check=True)
    return python


def run_in(folder: Path, names: list[str], kind: str, python: Path | None) -> dict[str, dict]:
    """Return what comes of modules; with no Python of their own, in this one, where much cannot be imported."""
    (folder / "names.json").write_text(json.dumps(names))
    if python is None:
        allowed = {*PACKAGES[kind], *(["corpus", "pyarrow"] if kind == "frames" else [])}
        (folder / "blocked.json").write_text(json.dumps([name for name in BLOCKED if name not in allowed]))
    paths = str(HERE.parent) if kind == "frames" else ""
    command = [str(python or sys.executable), str(HERE / "bare.py"), str(folder)]
    done = subprocess.run(command, env={"PYTHONPATH": paths, "PATH": ""}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads((folder / "results.json").read_text())


def linted(folder: Path, names: Iterable[str]) -> dict[str, list[str]]:
    """Return what ruff has against each module, in a word each; nothing where there is no ruff."""
    found: dict[str, list[str]] = defaultdict(list)
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    if ruff is None:
        return found
    common = ["--isolated", "--line-length", str(WIDTH)]
    told = subprocess.run(
        [ruff, "check", *common, "--select", RULES, "--output-format", "json", folder], capture_output=True, text=True
    )
    for one in json.loads(told.stdout or "[]"):
        found[Path(one["filename"]).stem].append(one["code"] or "syntax")
    told = subprocess.run([ruff, "format", *common, "--check", folder], capture_output=True, text=True)
    for line in told.stdout.splitlines():
        if line.startswith("Would reformat: "):
            found[Path(line.removeprefix("Would reformat: ")).stem].append("format")
    return found


def file_name(name: str) -> str:
    return re.sub(r"\W", "_", name)


def written(cases: Iterable[Case], folder: Path, told: Callable[[str], object]) -> dict[str, list[str]]:
    """Write modules and their data; return their names by the environment that they need."""
    names: dict[str, list[str]] = {kind: [] for kind in PACKAGES}
    for case in cases:
        try:
            with silence():
                exported = Exported(case)
        except Exception as error:
            told(f"{case.name}: not exported: {type(error).__name__}: {error}")
            continue
        try:
            data = pickle.dumps(exported.calls)
        except Exception:
            data = None
        kind, name = environment(exported.text, data), file_name(case.name)
        (folder / kind).mkdir(exist_ok=True, parents=True)
        (folder / kind / f"{name}.py").write_text(exported.text)
        (folder / kind / f"{name}.pickle").write_bytes(data or b"")
        names[kind].append(name)
    return names


def counted(results: dict[str, dict], told: Callable[[str], object]) -> Counter:
    """Return how often what came out, and tell of all that is not well."""
    counts: Counter = Counter(modules=len(results))
    for name, found in results.items():
        for what, said in found.items():
            word = re.split(r"[: ]", said)[0] if said.startswith(("refused", "wrong", "raises")) else said
            well = {"agrees", "passes", "refused", "other branch", "no made-up data"}
            counts["point" if what.startswith("point") else what, word if word in well else "wrong"] += 1
            if said not in ("agrees", "passes", "other branch"):
                told(f"{name}, {what}: {said}")
    return counts


def run(
    cases: Iterable[Case], folder: Path, told: Callable[[str], object], pythons: dict[str, Path]
) -> tuple[Counter, Counter]:
    """Export cases and run their modules; return how often what came out, and what ruff has against how many."""
    counts, lint = Counter(), Counter()
    for kind, names in written(cases, folder, told).items():
        if names:
            counts += counted(run_in(folder / kind, names, kind, pythons.get(kind)), told)
            counts[kind] += len(names)
            told_of = linted(folder / kind, names)
            lint.update(code for codes in told_of.values() for code in set(codes))
            lint["clean"] += len(names) - len(told_of)
    return counts, lint


def main() -> int:
    """Run all, or a part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default="1/1", help="K/N: the objectives of part K of N")
    parser.add_argument("--only", default="", help="those with this in their name")
    parser.add_argument("--keep", type=Path, help="write the modules into this folder, and leave them there")
    parser.add_argument("--here", action="store_true", help="in this Python, in which much cannot be imported")
    options = parser.parse_args()
    named = [case for case in CASES if not case.xfail and options.only in case.name]
    cases = [case for case in named if is_in(case.name, options.part)]
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch) / "modules"
        pythons = {}
        if not options.here:
            pythons = {kind: python_of(Path(scratch) / kind, packages) for kind, packages in PACKAGES.items()}
        counts, lint = run(cases, folder, lambda line: print(line, flush=True), pythons)
    for what, count in sorted(counts.items(), key=str):
        print(f"{', '.join(what) if isinstance(what, tuple) else what}: {count}")
    print(f"ruff: {dict(lint)}\n{time.perf_counter() - begin:.0f} s")
    return sum(count for what, count in counts.items() if isinstance(what, tuple) and what[1] == "wrong")


if __name__ == "__main__":
    sys.exit(bool(main()))
