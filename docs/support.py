"""Write docs/support.rst, the table of the functions that an objective may call, from the registries.

To run it::

    python docs/support.py
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from autoopt.rules import load_all
from autoopt.tape.names import qualified
from autoopt.tracing import formulas
from autoopt.tracing.arrays import functions, methods
from autoopt.tracing.complex import eigenvalues  # noqa: F401
from autoopt.tracing.standins import modes, table
from autoopt.tracing.standins import python as scalars  # noqa: F401
from autoopt.tracing.stats import distributions, multivariate

PAGE = Path(__file__).with_suffix(".rst")

_HEAD = """\
Supported functions
===================

Written by ``python docs/support.py`` from the tables that the library itself works from.

What depends on data alone may call anything: it is computed by the function itself, once per data set. This page is
about values that depend on the parameters. A function that is not on it is followed if it is Python code, yours or a
library's, that calls functions that are; otherwise it is refused with your line. ``@autoopt.formula(function)`` then
gives it a formula in NumPy; ``jac="finite-difference"`` does without.

Arithmetic, comparison, indexing and assignment are followed with NumPy's rules for views, and so are ``out=``,
``outer`` of the ufuncs below, and names of one function (``np.abs`` is ``np.absolute``). At a kink slopes are shared:
``abs`` and norms have slope 0 at 0, tied maxima have equal parts.

Complex values on the way to a real result are carried as real and imaginary part: arithmetic, powers, ``exp``, ``log``,
``sqrt``, the trigonometric and hyperbolic functions, ``abs``, ``angle``, ``conj``, sums, products of matrices,
``np.linalg.solve``, ``np.roots``, ``scipy.special.wofz`` and ``lambertw``, joining, reshaping, indexing and assignment,
``cmath``, and the transforms of ``np.fft``.
"""

PYTHON = {
    "scipy.integrate": ("fixed_quad", "quad_vec", "romb", "simpson"),
    "scipy.optimize": ("root_scalar",),
}
"""Functions of SciPy that are in no table, being Python code that is followed into; a test calls each."""

_STATS = """\
Called as ``norm.logpdf(x, loc, scale)`` or frozen; first and second derivatives in every argument, those of
distribution functions such as ``gamma.logsf``, and of quantiles such as ``t.ppf``, in their shapes to a relative 1e-9.
What rests on a function that is differentiable in one argument is so too. ``interval`` goes where ``ppf`` does.
"""

_ORDERS = {
    2: "Exact first and second derivatives",
    1: "Exact first derivatives",
    0: "Piecewise constant, so of slope 0; a branch on the result is guarded",
    -1: "Refused",
}


def text() -> str:
    """Return the page."""
    parts = [_HEAD, *_by_module(), *_while_tracing(), *_distributions()]
    return "\n".join(parts)


def _by_module() -> Iterable[str]:
    """The rules, by module and by number of derivatives."""
    modules: dict[str, list] = {}
    for rule in load_all().values():
        if rule.name != "indexing" and not rule.name.startswith("autoopt.") and not rule.name.endswith(".outer"):
            modules.setdefault(_module(rule.function), []).append(rule)
    for module, rules in sorted(modules.items()):
        yield _heading(module)
        for order, meaning in _ORDERS.items():
            found = {rule.name.removeprefix(module + "."): rule.note for rule in rules if rule.order == order}
            plain = sorted(name for name, note in found.items() if not note)
            if plain:
                yield _entry(meaning, map(_code, plain))
            for note in sorted(set(found.values()) - {""}):
                yield _entry(f"{meaning}; {note}", (_code(name) for name in sorted(found) if found[name] == note))


def _while_tracing() -> Iterable[str]:
    """What is followed without a rule of its own, because others do its work."""
    known, followed = load_all(), formulas.load_all()
    more = sorted(
        {
            qualified(function)
            for function in (*functions.HANDLERS, *table.STAND_INS)
            if function not in known and function not in followed and function not in modes.REFUSED
        }
    )
    yield _heading("Without a rule of their own")
    yield "Constructors, writes, and what is done by the functions above:\n"
    for module in ("np", "math", "builtins", "scipy.integrate", "scipy.linalg", "scipy.optimize", "scipy.special"):
        names = [name.removeprefix(module + ".") for name in more if name.startswith(module + ".")]
        yield _entry(module, map(_code, names))
    yield _entry("methods of arrays", map(_code, sorted(methods.METHODS)))
    yield _heading("Code that is followed")
    yield "Functions of SciPy that call functions on this page; others of their kind have not been tried:\n"
    for module, names in PYTHON.items():
        yield _entry(module, map(_code, names))
    yield _heading("By formulas")
    yield "Followed as NumPy's other functions; exact first and second derivatives:\n"
    modules: dict[str, list] = {}
    for found in followed.values():
        if not found.function.__name__.startswith("_"):
            modules.setdefault(_module(found.function), []).append(found)
    for module, rows in sorted(modules.items()):
        for note in sorted({row.note for row in rows}):
            names = sorted(qualified(row.function).removeprefix(module + ".") for row in rows if row.note == note)
            yield _entry(f"{module}; {note}" if note else module, map(_code, names))


def _distributions() -> Iterable[str]:
    """The methods of each distribution."""
    yield _heading("scipy.stats")
    yield _STATS
    methods = {
        name: tuple(method for method, available in distributions.AVAILABLE.items() if available(row))
        for name, row in distributions.DISTRIBUTIONS.items()
    } | {name: tuple(found) for name, found in multivariate.METHODS.items()}
    alike: dict[tuple, list[str]] = {}
    for name, found in methods.items():
        alike.setdefault(found, []).append(name)
    for found, names in alike.items():
        yield _entry(" ".join(found), map(_code, names))


def _module(function: Callable) -> str:
    """Return where a user finds `function`; a ufunc's method is found where the ufunc is."""
    owner = getattr(function, "__self__", None)
    return qualified(owner if isinstance(owner, np.ufunc) else function).rpartition(".")[0]


def _heading(title: str) -> str:
    return f"{title}\n{'-' * len(title)}"


def _code(name: str) -> str:
    return f"``{name}``"


def _entry(term: str, names: Iterable[str]) -> str:
    """Return one entry of a definition list."""
    lines = textwrap.fill(" ".join(names), 116, break_long_words=False, break_on_hyphens=False)
    return f"{term}\n{textwrap.indent(lines, '    ')}\n"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
