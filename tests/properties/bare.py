"""Runs exported modules where neither autoopt nor PyTensor is installed; NumPy alone is imported here.

    python bare.py FOLDER

The folder has a module and a pickle for each name in `names.json`: what the functions are called with, and what they
must return. What came of each is written to `results.json`. Where `blocked.json` names packages, importing these fails
as it does where they are not installed.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

SECONDS = 60


class Blocked:
    """Finds no module of some packages."""

    def __init__(self, packages: list[str]) -> None:
        self.packages = set(packages)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Raise ImportError for what is blocked, and leave all else to others."""
        if name.partition(".")[0] in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def flat(value: Any) -> np.ndarray:
    """Return the numbers of a nest of arrays, dicts, lists and tuples, one after another."""
    if isinstance(value, dict):
        return np.concatenate([np.zeros(0), *map(flat, value.values())])
    if isinstance(value, list | tuple):
        return np.concatenate([np.zeros(0), *map(flat, value)])
    return np.ravel(np.asarray(value, dtype=float))


def self_test(file: Path) -> str:
    """Return what comes of running a module as a program: "passes", "no made-up data", or what it says."""
    text = file.read_text()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, str(file), "exec"), {"__name__": "__main__", "__file__": str(file)})
    except SystemExit as stop:
        return "no made-up data" if "made-up" in str(stop) else f"stops: {stop}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "passes"


def outcome(namespace: dict[str, Any], call: dict[str, Any]) -> str:
    """Return what comes of one call: "agrees", "refused: ...", "other branch", or how it is wrong."""
    try:
        value, gradient = namespace["value_and_grad"](*call["arguments"])
    except ValueError as error:
        return f"refused: {error}"
    except Exception as error:
        if type(error).__name__ == "PathChanged":
            return "other branch"
        return f"raises {type(error).__name__}: {error}"
    for what, found, expected in (("value", value, call["value"]), ("gradient", gradient, call["gradient"])):
        got, size = flat(found), np.max(np.abs(expected), initial=0.0)
        if got.size != np.size(expected):
            return f"wrong: {what} of {got.size} entries for {np.size(expected)}"
        if not np.allclose(got, np.ravel(expected), rtol=1e-8, atol=1e-9 * size + 1e-12, equal_nan=True):
            return f"wrong: {what} off by {np.max(np.abs(got - np.ravel(expected))):.1e} of {size:.1e}"
    return "agrees"


def tried(folder: Path, name: str) -> dict[str, Any]:
    """Return what comes of a module: the calls by name, and its test of itself."""
    file = folder / f"{name}.py"
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        namespace: dict[str, Any] = {"__name__": name}
        try:
            exec(compile(file.read_text(), str(file), "exec"), namespace)
        except Exception as error:
            return {"import": f"{type(error).__name__}: {error}"}
        try:
            calls = pickle.loads((folder / f"{name}.pickle").read_bytes())
        except Exception as error:
            found = {"data": f"{type(error).__name__}: {error}"}
        else:
            found = {key: outcome(namespace, call) for key, call in calls.items()}
        return {**found, "self-test": self_test(file)}


def _stop(number: int, frame: Any) -> None:
    raise TimeoutError("it does not end")


def main() -> None:
    """Try all."""
    folder = Path(sys.argv[1])
    if (folder / "blocked.json").exists():
        sys.meta_path.insert(0, Blocked(json.loads((folder / "blocked.json").read_text())))
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _stop)
    results = {}
    for name in json.loads((folder / "names.json").read_text()):
        signal.alarm(SECONDS)
        try:
            results[name] = tried(folder, name)
        except TimeoutError as error:
            results[name] = {"import": str(error)}
        finally:
            signal.alarm(0)
    (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
