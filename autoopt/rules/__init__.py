"""One PyTensor expression per NumPy or SciPy function, one file per kind.

Rules know neither tapes nor users: they take PyTensor variables and plain Python values and return PyTensor variables.
A file in this folder fills RULES without being listed anywhere. Those called `scipy_...`, the rules of SciPy's
functions, are loaded when such a function is first asked for, as importing SciPy costs time; the others at once.
"""

from functools import cache
from importlib import import_module
from pathlib import Path

from autoopt.rules.table import RULES, Rule, Unsupported, rule
from autoopt.rules.table import find as _find

__all__ = ["RULES", "Rule", "Unsupported", "find", "load_all", "rule"]


@cache
def _load(of_scipy: bool) -> None:
    """Import the files that hold rules, of SciPy's functions or of the others: they fill RULES."""
    names = sorted(file.stem for file in Path(__file__).parent.glob("*.py"))
    for name in names:
        if name != "__init__" and name.startswith("scipy_") == of_scipy:
            import_module(f"{__name__}.{name}")


def load_all() -> dict:
    """Return RULES with those of SciPy's functions."""
    _load(of_scipy=True)
    return RULES


def find(function: object) -> Rule | None:
    """Return the rule of `function`, or None if there is none."""
    found = _find(function)
    if found is None and not str(getattr(function, "__module__", "scipy")).startswith("numpy"):
        load_all()
        found = _find(function)
    return found


_load(of_scipy=False)
