"""The part of an exported module that tests it: its derivatives against differences of its own value.

Along each parameter in turn, as its unit may be any. A step is found that suits it: from far below what the function
feels steps grow eightfold, and the difference counts that changes least from one to the next. At first rounding makes
them differ, by less and less; then the function's bends do, by more and more, and there it ends:

    step   difference   from the two before       slope -70386.94507, of a column in the 1e4s
    4e-16     -70384          7e+04
    3e-14     -70387          3e+00
    1e-11     -70386.94507    8e-03
    9e-10     -70386.94506    3e-05               the best
    6e-08     -70386.91829    3e-02               from here it grows with the square of the step
    5e-07     -70385.23112    2e+00               a thousandfold of the best: the end

A derivative is right where it is no further from the difference than ten times that, and known where that is at most
a hundredth of it. Elsewhere, as in a minimum, where slopes are nothing, it is compared beside this point. What is not
known there either is no pass.
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

EACH = 20
"""The most parameters of which each is tested by itself: of more some are, and mixtures of all."""

_SLOPE = '''
def slope_of(function, x, direction):
    """Return the slope of `function` along `direction`, its estimated error, and the last step.

    Steps grow until differences change far more than they did: the one that changed least counts.
    """
    middle = np.asarray(function(x))
    slope, error = np.zeros(middle.shape), np.full(middle.shape, np.inf)
    before, change, moved, done = slope, error, False, False
    for step in 8.0 ** np.arange(-20, 2):
        try:
            up, down = function(x + step * direction), function(x - step * direction)
        except Exception:  # too far
            break
        now = (up - down) / (2 * step)
        moved = moved | (up != middle) | (down != middle)
        last, change = change, np.where(moved, np.abs(now - before), np.inf)
        bound = np.maximum(change, last) + 2e-16 * np.abs(middle) / step
        better = (bound < error) & np.logical_not(done)
        slope, error, before = np.where(better, now, slope), np.where(better, bound, error), now
        done = done | ~(bound <= 1000 * error)
        if np.any(moved) and np.all(done | ~moved):
            break
    return slope, np.where(moved | (step < 1e-9), error, 2e-16 * np.abs(middle) / step), step
'''.strip()

_COMPARE = '''
def compare(name, derivative, function, x, directions):
    """Raise an error if a derivative is not the slope of `function`, or differences cannot tell."""
    worst = 0.0
    for direction in directions:
        step = 0.0
        for side in (0, 1, -1):  # beside `x` where its own slope is nothing, as in a minimum
            point = x + side * step / 8 * direction
            found = np.asarray(derivative(point, direction))
            slope, error, step = slope_of(function, point, direction)
            distance, size = np.abs(found - slope), np.maximum(np.abs(found), np.abs(slope))
            given = f"{name}: {found} along x{np.flatnonzero(direction)}"
            if not np.all(distance <= 10 * error + 1e-8 * size):
                raise AssertionError(f"{given}, but differences give {slope} +- {error}")
            known = np.isfinite(error) & ((100 * error <= size) | (found == slope))
            if np.mean(np.broadcast_to(known, x.shape)[direction != 0]) >= 0.5:
                break
        else:
            raise AssertionError(f"{given}: differences cannot tell, as they give {slope} +- {error}")
        worst = max(worst, np.max(distance[known] / np.maximum(size[known], 1e-300)))
    print(f"{name} agrees with differences to {worst:.0e}")
'''.strip()

_DIRECTIONS = '''
def directions_of(x, gradient):
    """Return directions along some of many parameters, and mixtures of all of them."""
    rng = np.random.default_rng(1)
    sizes = np.maximum(np.abs(gradient), 1e-3 * np.median(np.abs(gradient)))
    mixed = rng.uniform(0.5, 1.5, (3, x.size)) * np.where(gradient < 0, -1, 1) / np.where(sizes > 0, sizes, 1)
    return [*np.eye(x.size)[rng.choice(x.size, 8, replace=False)], *mixed]
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
    if "value_and_grad" not in tested.functions:
        return []
    test = _test(tested)
    return [*test, *_example(tested, test)]


def _test(tested: Untested) -> list[str]:
    """Return the functions that compare each function of the module, at `x` with `data`."""
    functions, vector = tested.functions, tested.is_vector
    flat = "{}" if vector else FLATTEN + "({})"
    at, along = ("x", "along") if vector else (f"{UNFLATTEN}(x)", f"{UNFLATTEN}(along)")
    value, gradient = f"lambda x: value_and_grad({at}, *data)[0]", flat.format(f"grad({at}, *data)")
    of_gradient = flat.format(f"value_and_grad({at}, *data)[1]")
    few = tested.flat.size <= EACH
    lines = [f"directions = {'np.eye(x.size)' if few else f'directions_of(x, {of_gradient})'}"]
    lines += ['with np.errstate(all="ignore"):']
    lines += [f'    compare("value_and_grad", lambda x, along: {of_gradient} @ along, {value}, x, directions)']
    if "hess" in functions:
        product = f"lambda x, along: hess({at}, *data) @ along"
        lines += [f'    compare("hess", {product}, lambda x: {gradient}, x, directions)']
    if "hvp" in functions:
        product = f"lambda x, along: {flat.format(f'hvp({at}, {along}, *data)')}"
        lines += [f'    compare("hvp", {product}, lambda x: {gradient}, x, directions)']
    told = said("Compare the derivatives at the vector `x` with differences.")
    return [_SLOPE, *([] if few else [_DIRECTIONS]), _COMPARE, definition("self_test", ["x", "data"], told, lines)]


def _example(tested: Untested, test: list[str]) -> list[str]:
    """Return the function that makes data up, and the program; with fewer rows where the module takes them."""
    values = tested.values
    many = sorted(length for length in rows(tuple(values.values())) if length > FEW)
    few = {length: FEW + k for k, length in enumerate(many)}
    whole: dict[int, int] = {}
    tries = [(few, PLAIN), (few, COUNTED), (whole, PLAIN), (whole, COUNTED), (whole, NEAR)]
    scales = _scales(tested)
    for lengths, closeness in tries if few else tries[2:]:
        texts = {name: data_text(value, lengths, closeness) for name, value in values.items()}
        if None in texts.values():
            break
        parts = _program(texts, parameters_text(tested.flat, scales, closeness))
        if _passes(tested, [*test, *parts]):
            return parts
    sentence = "No made-up data suit this model: call self_test(x, data) with your own."
    return [f'if __name__ == "__main__":\n    raise SystemExit("{sentence}")']


def _scales(tested: Untested) -> np.ndarray:
    """Return how far each parameter may move: a hundredth, or less where that changes the value by a tenth."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(tested.text, namespace)

    def value(x: np.ndarray) -> float:
        try:
            given = x if tested.is_vector else namespace[UNFLATTEN](x)
            return float(namespace["value_and_grad"](given, *tested.values.values())[0])
        except Exception:  # the model raises what it likes
            return np.nan

    x = tested.flat
    scales = np.full(x.size, 0.01)
    with np.errstate(all="ignore"):
        start = value(x)
        most = 0.1 * max(abs(start), 1.0)
        for k, unit in enumerate(np.eye(x.size) if x.size <= EACH and np.isfinite(start) else [np.ones(x.size)]):
            for scale in 10.0 ** -np.arange(2, 12) if np.isfinite(start) else ():
                if all(abs(value(x + side * scale * unit) - start) <= most for side in (-1, 1)):
                    scales[k if x.size <= EACH else slice(None)] = scale
                    break
    return scales


_MODULES = {"pd.": "pandas as pd", "scipy.sparse.": "scipy.sparse"}


def _program(texts: dict[str, Any], parameters: str) -> list[str]:
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
    return [definition("example", [], told, body), program]


def _passes(tested: Untested, parts: list[str]) -> bool:
    """Whether the module passes its own test."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    try:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            exec("\n\n".join([tested.text, *parts]), namespace)
            x, data = namespace["example"]()
            namespace["self_test"](x, data)
    except Exception:
        return False
    return True
