"""What autoopt finds where it runs: releases, BLAS, the cache, compilers, extras; and whether a small fit comes out.

Nothing here is needed for anything else. A finding that would make fits fail, or slow, is wrong and has a remedy.
"""

from __future__ import annotations

import os
import platform
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType
from typing import Any, cast

import numpy as np

from autoopt.execution import kept
from autoopt.execution.permissions import is_safe
from autoopt.execution.source_cache import folder
from autoopt.extras import EXTRAS
from autoopt.version import __version__

OK, MISSING, WRONG = "ok", "missing", "wrong"


@dataclass(frozen=True)
class Finding:
    """What was found of one thing: `state` is "ok", "missing" (which does no harm) or "wrong"."""

    name: str
    text: str
    state: str = OK
    remedy: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON holds it."""
        return asdict(self)


def findings() -> Iterator[Finding]:
    """Yield what was found, one thing after the other; the last are computed, which takes some seconds."""
    yield Finding("autoopt", f"{__version__} in {Path(__file__).parent}")
    yield Finding("Python", f"{platform.python_version()}, {sys.executable}, {platform.platform()}")
    yield from _packages()
    yield _tried(_compatibility)
    yield from _blas()
    yield _cache()
    for examine in (_machine_code, _numba):
        yield _tried(examine)
    for name, (module, purpose) in EXTRAS.items():
        if find_spec(module) is None:
            yield Finding(f"extra {name}", f"no {module}, for {purpose}", MISSING, f'pip install "autoopt[{name}]"')
        else:
            yield Finding(f"extra {name}", f"{module} {_version(module)}")
    for examine in (_derivatives, _fit):
        yield _tried(examine)


def _tried(examine: Callable[[], Finding]) -> Finding:
    """Return what is found; what raises is wrong."""
    try:
        return examine()
    except Exception as error:
        name = examine.__name__.strip("_").replace("_", " ")
        said = str(error).split("\n")[0]
        return Finding(name, f"{type(error).__name__}: {said}", WRONG, _REMEDIES.get(name, _REPORT))


_REPORT = "report it, with the output of `autoopt doctor` and of `autoopt doctor --traceback`"
_REMEDIES = {
    "machine code": "pip install --force-reinstall llvmlite; without it loops run as NumPy, and slower",
    "numba": "pip install --upgrade numba; without it engine='numba' cannot be used, and nothing else is missing",
}


def _packages() -> Iterator[Finding]:
    """Yield the packages that autoopt requires, wrong where they are of a release that was never tested."""
    from packaging.requirements import Requirement

    try:
        required = [Requirement(text) for text in metadata.requires("autoopt") or []]
    except metadata.PackageNotFoundError:  # the sources are run as they are
        required = []
    for requirement in required:
        if requirement.marker is not None:
            continue
        name, version = requirement.name, _version(requirement.name)
        if not version:
            yield Finding(name, "not installed", WRONG, f"pip install '{requirement}'")
        elif requirement.specifier.contains(version, prereleases=True):
            yield Finding(name, version)
        else:
            said = f"{version}, where {requirement.specifier} was tested"
            yield Finding(name, said, WRONG, f"pip install '{requirement}'")


_TOGETHER, _CORE = ("scipy", "pandas", "pytensor", "numba", "scikit-learn", "matplotlib"), ("numpy", "scipy")
"""Packages whose releases have their own limits of those of the last two."""


def _compatibility() -> Finding:
    """Return whether the packages take the NumPy and SciPy that are installed, as they say themselves."""
    from packaging.requirements import Requirement

    wrong, agreed = [], []
    for package in _TOGETHER:
        if not _version(package):
            continue
        agreed.append(package)
        for requirement in map(Requirement, metadata.requires(package) or []):
            version = _version(requirement.name) if requirement.name.lower() in _CORE else ""
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if version and applies and not requirement.specifier.contains(version, prereleases=True):
                name = f"{package} {_version(package)}"
                wrong.append(f"{name} takes {requirement.name}{requirement.specifier}, and {version} is installed")
    if wrong:
        return Finding("compatibility", "; ".join(wrong), WRONG, "pip install --upgrade " + " ".join([*_CORE, *agreed]))
    return Finding("compatibility", f"{', '.join(agreed)} take these NumPy and SciPy")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _blas() -> Iterator[Finding]:
    """Yield which BLAS NumPy has, and on how many of the processors it runs."""
    built: Any = np.show_config(mode="dicts")
    used = built.get("Build Dependencies", {}).get("blas", {})
    yield Finding("BLAS", f"{used.get('name', 'unknown')} {used.get('version', '')}".strip())
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    limits = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
    pools = []
    if find_spec("threadpoolctl") is not None:  # comes with scikit-learn
        info = import_module("threadpoolctl").threadpool_info()
        pools = [f"{pool['internal_api']} on {pool['num_threads']}" for pool in info]
    processors = f"{_processors()} processors"
    yield Finding(
        "threads", ", ".join([processors, *dict.fromkeys(pools), *(limits or ["no limit in the environment"])])
    )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cache() -> Finding:
    """Return where the source cache is, and whether it is used."""
    import warnings

    place = folder()
    if place is None:
        return Finding("cache", "turned off by AUTOOPT_CACHE")
    why = kept.unwritable(place)
    if why:
        return Finding("cache", f"{place} cannot be written: {why}", WRONG, "name another folder in AUTOOPT_CACHE")
    status, files = place.stat(), kept.entries()
    size = sum(entry.size for entry in files) / 1e6
    text = f"{place}, {_owner(status)}, mode {stat.S_IMODE(status.st_mode):o}, {len(files)} entries, {size:.1f} MB"
    with warnings.catch_warnings(action="ignore"):
        is_used = is_safe(place, "folder")
    if not is_used:
        remedy = f"run chmod go-w {place}, or name a folder of your own in AUTOOPT_CACHE"
        return Finding("cache", f"{text}: others can write it, so it is not used", WRONG, remedy)
    return Finding("cache", text)


def _owner(status: os.stat_result) -> str:
    try:
        import pwd

        return f"owner {pwd.getpwuid(status.st_uid).pw_name}"
    except (ImportError, KeyError):  # Windows; a user without a name, as in containers
        return f"owner {status.st_uid}"


def _machine_code() -> Finding:
    """Return whether code is compiled by LLVM, and gives what NumPy does."""
    from autoopt.execution.native.machine import Native, lowered

    x = np.arange(5.0)
    start = time.perf_counter()
    value = float(Native(lowered(cast(FunctionType, _sample), (x,)))(x))
    seconds = time.perf_counter() - start
    if not np.isclose(value, _sample(x), rtol=1e-14):
        return Finding("machine code", f"LLVM gives {value}, NumPy {_sample(x)}", WRONG, _REPORT)
    return Finding("machine code", f"LLVM compiles a function in {seconds:.2f} s")


def _sample(x):
    total = 0.0
    for i in range(5):
        total = total + x[i] * np.exp(-x[i])
    return total


def _numba() -> Finding:
    """Return whether numba, which engine="numba" uses alone, can be imported: its releases refuse newer NumPy."""
    if find_spec("numba") is None:
        return Finding("numba", 'not installed; engine="numba" alone needs it', MISSING, "pip install numba")
    import numba

    return Finding("numba", numba.__version__)


_X = np.column_stack([np.ones(8), np.arange(8.0)])
_Y = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0])


def _negative_log_likelihood(beta: Any, X: Any, y: Any) -> Any:
    z = X @ beta
    return np.sum(np.logaddexp(0.0, z) - y * z)


def _derivatives() -> Finding:
    """Return whether derivatives agree with differences."""
    from autoopt.check import check_objective
    from autoopt.objectives.objective import Objective

    start = time.perf_counter()
    found = check_objective(Objective(_negative_log_likelihood, np.zeros(2), (_X, _Y)), np.array([0.1, -0.2]))
    seconds = time.perf_counter() - start
    if not found:
        return Finding("derivatives", str(found).replace("\n", " "), WRONG, _REPORT)
    return Finding("derivatives", f"gradient and Hessian agree with differences, {seconds:.2f} s")


def _fit() -> Finding:
    """Return whether a small fit has its gradient at zero, and the standard errors of the formula in books."""
    from autoopt.fitting.fit import fit

    start = time.perf_counter()
    kind = "negative log-likelihood"
    found = fit(_negative_log_likelihood, np.zeros(2), (_X, _Y), kind=kind, method="newton-cg")
    seconds = time.perf_counter() - start
    p = 1 / (1 + np.exp(-_X @ found.params))
    errors = np.sqrt(np.diag(np.linalg.inv(_X.T @ (_X * (p * (1 - p))[:, np.newaxis]))))
    slope = np.max(np.abs(_X.T @ (p - _Y)))
    if found.status != "converged" or slope > 1e-5 or not np.allclose(found.bse, errors, rtol=1e-6):
        return Finding("fit", f"{found.status}: {found.result.message}", WRONG, _REPORT)
    return Finding("fit", f"a logistic regression is right, with its standard errors, {seconds:.2f} s")
