"""The part of an exported module that tests it: its derivatives against differences of its own value.

Slopes along random directions by central differences at seven steps, extrapolated; the entry with the smallest estimate
of its error counts, and the derivative may differ by ten times that.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.exporting.examples import COUNTED, NEAR, PLAIN, data_text, parameters_text, rows
from autoopt.exporting.functions import definition, said
from autoopt.exporting.vectors import FLATTEN, UNFLATTEN

FEW = 60
"""Rows of made-up data."""

_SLOPE = '''
def slope_of(function, x, direction):
    """Return the slope of `function` along `direction` by differences, and its estimated error."""
    table, best = [], (np.nan, np.inf)
    for k in range(7):
        h = 0.02 / 2**k
        row = [(function(x + h * direction) - function(x - h * direction)) / (2 * h)]
        for j, before in enumerate(table):
            row.append(row[j] + (row[j] - before) / (4 ** (j + 1) - 1))
        error = np.max(np.abs(row[-1] - table[-1])) if table else np.inf
        if error < best[1]:
            best = row[-1], error
        table = row
    return best
'''.strip()

_COMPARE = '''
def compare(name, found, function, x, direction):
    """Raise an error if `found` is not the slope of `function` along `direction`."""
    slope, error = slope_of(function, x, direction)
    distance, size = np.max(np.abs(found - slope)), np.max(np.abs(slope))
    if not distance <= 10 * error + 1e-9 * (1 + size):
        raise AssertionError(f"{name}: {found}, but differences give {slope} +- {error:.1g}")
    print(f"{name} agrees with differences to {distance / max(size, 1e-300):.0e}")
'''.strip()


@dataclass(frozen=True)
class Untested:
    """What is known of a module that is to test itself.

    Attributes
    ----------
    functions : collection of str
    is_vector : bool
        Whether the parameters are a vector themselves.
    flat : ndarray, shape (n,)
        Where the objective was traced.
    values : dict of str to object
        The data by argument name.
    text : str
        All of the module but for its test.
    """

    functions: Collection[str]
    is_vector: bool
    flat: np.ndarray
    values: Mapping[str, Any]
    text: str


def self_test(tested: Untested) -> list[str]:
    """Return the texts of the functions that test a module; none of one without a value and its gradient."""
    lines = _checks(tested)
    return [_SLOPE, _COMPARE, *_example(tested, lines)] if lines else []


def _checks(tested: Untested) -> list[str]:
    """Return the statements that compare each function of the module, at `x` with `data`."""
    functions, vector = tested.functions, tested.is_vector
    flat = "{}" if vector else FLATTEN + "({})"
    at = "x" if vector else f"{UNFLATTEN}(x)"
    lines = []
    if "value_and_grad" in functions:
        gradient = flat.format(f"value_and_grad({at}, *data)[1]")
        lines += [
            f'compare("value_and_grad", {gradient} @ direction, lambda x: value_and_grad({at}, *data)[0], x, direction)'
        ]
        slope = f"lambda x: {flat.format(f'grad({at}, *data)')}, x, direction"
        if "hess" in functions:
            lines += [f'compare("hess", hess({at}, *data) @ direction, {slope})']
        if "hvp" in functions:
            along = "direction" if vector else f"{UNFLATTEN}(direction)"
            lines += [f'compare("hvp", {flat.format(f"hvp({at}, {along}, *data)")}, {slope})']
    return lines


def _example(tested: Untested, checks: list[str]) -> list[str]:
    """Return the function that makes data up, and the program; with fewer rows where the module takes them."""
    values = tested.values
    many = sorted(length for length in rows(tuple(values.values())) if length > FEW)
    few = {length: FEW + k for k, length in enumerate(many)}
    whole: dict[int, int] = {}
    tries = [(few, PLAIN), (few, COUNTED), (whole, PLAIN), (whole, COUNTED), (whole, NEAR)]
    for lengths, closeness in tries if few else tries[2:]:
        texts = {name: data_text(value, lengths, closeness) for name, value in values.items()}
        if None in texts.values():
            break
        parts = _program(checks, texts, parameters_text(tested.flat, closeness))
        if _passes(tested, parts):
            return parts
    sentence = "No made-up data suit this model: call self_test(x, data) with your own."
    return [_test(checks), f'if __name__ == "__main__":\n    raise SystemExit("{sentence}")']


def _test(checks: list[str]) -> str:
    body = ["rng = np.random.default_rng(1)", "for _ in range(3):", "    direction = rng.normal(size=x.size)"]
    for check in checks:
        body.append(f"    {check}")
    return definition(
        "self_test", ["x", "data"], said("Compare the derivatives at the vector `x` with differences."), body
    )


_MODULES = {"pd.": "pandas as pd", "scipy.sparse.": "scipy.sparse"}


def _program(checks: list[str], texts: dict[str, Any], parameters: str) -> list[str]:
    body = ["rng = np.random.default_rng(0)"]
    names = []
    for name, text in texts.items():
        own = f"{name}_" if name in ("x", "rng", "np", "pd", "data") else name
        names.append(own)
        body.append(f"{own} = {text}")
    body.append(f"x = {parameters}")
    together = f"({', '.join(names)}{',' if len(names) == 1 else ''})"
    body += [f"return x, {together}"]
    used = " ".join(map(str, texts.values()))
    imports = [f"import {line}" for name, line in _MODULES.items() if name in used]
    told = said("Return made-up parameters, a vector, and data like those that this was written for.")
    body = [*imports, "", *body] if imports else body
    program = 'if __name__ == "__main__":\n    self_test(*example())'
    return [_test(checks), definition("example", [], told, body), program]


def _passes(tested: Untested, parts: list[str]) -> bool:
    """Whether the module passes its own test."""
    whole = [tested.text, _SLOPE, _COMPARE, *parts]
    namespace: dict[str, Any] = {"__name__": "exported"}
    try:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            exec("\n\n".join(whole), namespace)
            x, data = namespace["example"]()
            namespace["self_test"](x, data)
    except Exception:
        return False
    return True
