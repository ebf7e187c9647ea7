"""Random programs of kinds that tracing finds hard, as source text: what they share, and the table of kinds.

A kind is a function under `@kind(family)`: it draws one core, the statements between the parameters and some numbers,
in the many styles in which people write it. `write` puts smooth expressions around the core, puts it in a function, a
closure or a method, and takes it if plain NumPy can run it. Everything random comes from one `default_rng(seed)`.
"""

# ruff: noqa: E501 - tables of program text

from __future__ import annotations

import linecache
import sys
import textwrap
import types
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

HEADER = "import math\nimport numpy as np\n"
FOLDER = "/tmp/autoopt_kinds"
LARGEST = 1e5
"""Values beyond are left out: differences would tell little of their smaller terms."""


@dataclass(frozen=True)
class Core:
    """What a kind draws.

    Attributes
    ----------
    body : str
        Statements that read `x` and end by setting `results`.
    results : tuple of str
        Expressions of numbers, of which the value is made.
    helpers : str
        The module's text before: imports, functions, classes, globals.
    arguments : tuple of str
        Names of data arguments; the helpers set a global of that name in capitals.
    changes : tuple of str
        Statements that are run in the module between calls.
    """

    body: str
    results: tuple[str, ...]
    helpers: str = ""
    arguments: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class KindProgram:
    """A program of one kind, with the points at which it is run."""

    kind: str
    seed: str
    text: str
    points: tuple[np.ndarray, ...]
    arguments: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    called_before: bool = False

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{FOLDER}/{self.kind}_{self.seed.replace('-', '_')}.py"

    def module(self) -> types.ModuleType:
        """Return the module anew, its lines at hand for error messages."""
        linecache.cache[self.file] = (len(self.text), None, self.text.splitlines(keepends=True), self.file)
        module = types.ModuleType("program_of_a_kind")
        module.__file__ = self.file
        sys.modules[module.__name__] = module  # classes ask for their module
        exec(compile(self.text, self.file, "exec"), module.__dict__)
        return module

    def args(self, module: types.ModuleType) -> tuple:
        """Return the data arguments of `f`."""
        return tuple(getattr(module, name.upper()) for name in self.arguments)


@dataclass
class Draw:
    """Draws text from one random generator, for `size` parameters."""

    rng: np.random.Generator
    size: int
    count: int = 0
    lines: list[str] = field(default_factory=list)

    def pick(self, *options: Any) -> Any:
        """Return one of the options."""
        return options[int(self.rng.integers(len(options)))]

    def chance(self, probability: float) -> bool:
        """Return True so often."""
        return bool(self.rng.random() < probability)

    def number(self, low: float = -1.5, high: float = 1.5) -> str:
        """Return a number."""
        return f"{self.rng.uniform(low, high):.2f}"

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        return int(self.rng.integers(low, high + 1))

    def numbers(self, count: int, low: float = -1.5, high: float = 1.5) -> str:
        """Return the inside of a list of numbers."""
        return ", ".join(self.number(low, high) for _ in range(count))

    def one(self) -> str:
        """Return one parameter."""
        k = self.whole(0, self.size - 1)
        return self.pick(f"x[{k}]", f"x[{k}]", f"x[{k - self.size}]")

    def linear(self) -> str:
        """Return a sum of parameters."""
        return self.pick(
            f"({self.one()} + {self.number()})",
            f"({self.number()} * {self.one()} + {self.one()})",
            f"({self.one()} - {self.number()} * {self.one()})",
            self.one(),
            "np.sum(x)",
            f"float({self.one()})",
        )

    def smooth(self, depth: int = 1) -> str:
        """Return a smooth number of ordinary size."""
        a = self.linear() if depth == 0 or self.chance(0.3) else self.smooth(depth - 1)
        b = self.linear()
        return self.pick(
            f"np.sin({a})",
            f"np.cos({a})",
            f"math.sin({a})",
            f"np.tanh({a})",
            f"math.atan({a})",
            f"np.exp(-({a}) ** 2)",
            f"math.exp(0.3 * np.cos({a}))",
            f"np.log1p(({a}) ** 2)",
            f"np.sqrt(1.0 + ({a}) ** 2)",
            f"{b} / (1.5 + ({a}) ** 2)",
            f"np.logaddexp({a}, {b})",
            f"({a}) * {b}",
            f"({a}) + {b}",
            f"({a}) ** 2",
            f"np.sum(np.sin(x) * {a})",
            f"np.dot(x, x) * {self.number()}",
        )

    def positive(self) -> str:
        """Return a smooth number that is at least 0.4."""
        a = self.smooth(0)
        return self.pick(
            f"(0.6 + ({a}) ** 2)", f"np.exp(0.3 * np.sin({a}))", f"(1.6 + np.cos({a}))", f"np.sqrt(0.7 + ({a}) ** 2)"
        )

    def vector(self) -> str:
        """Return a smooth vector as long as `x`."""
        a = self.smooth(0)
        return self.pick(
            "x",
            "x ** 2",
            "np.sin(x)",
            f"x * {a}",
            f"np.tanh(x + {self.number()})",
            f"np.array([{', '.join(self.smooth(0) for _ in range(self.size))}])",
            "x[::-1] * x",
            f"np.cumsum(x) * {self.number()}",
            f"np.exp(0.3 * x) - {a}",
            f"np.asarray([v * {self.number()} for v in x])",
            f"np.outer(x, x) @ np.array([{self.numbers(self.size)}])",
            f"np.array([{self.numbers(self.size)}]) * {a}",
        )

    def positives(self) -> str:
        """Return a smooth vector of entries of at least 0.4."""
        a = self.vector()
        return self.pick(f"(0.6 + ({a}) ** 2)", f"np.exp(0.3 * np.sin({a}))", f"(1.6 + np.cos({a}))")

    def switch(self) -> str:
        """Return a condition on the parameters."""
        return self.pick(
            f"{self.one()} > {self.number(-0.6, 0.6)}",
            f"{self.one()} < {self.one()}",
            f"np.sum(x) > {self.number(-0.6, 0.6)}",
        )

    def weights(self, name: str) -> str:
        """Return a sum of an array's entries, all with different weights."""
        return self.pick(
            f"np.sum(np.sin({name}) * np.linspace(0.6, 1.7, np.size({name})).reshape(np.shape({name})))",
            f"np.sum(({name}) ** 2 * np.linspace(0.5, 1.3, np.size({name})).reshape(np.shape({name})))",
            f"np.sum({name} * np.linspace(-0.5, 1.3, np.size({name})).reshape(np.shape({name})))",
        )


KINDS: dict[str, tuple[str, Callable[[Draw], Core]]] = {}
"""The kinds by name: family and what draws the core."""


def kind(family: str) -> Callable:
    """Return a decorator that enters a kind into the table."""

    def enter(make: Callable[[Draw], Core]) -> Callable:
        KINDS[make.__name__] = (family, make)
        return make

    return enter


def lines(text: str) -> str:
    """Return a block of text without its common indentation and empty ends."""
    return textwrap.dedent(text).strip("\n")


def indented(text: str, levels: int = 1) -> str:
    """Return statements further to the right."""
    return textwrap.indent(text, "    " * levels)


# A program around the core --------------------------------------------------------------------------------------------


def write(name: str, seed: str) -> KindProgram:
    """Return the program of a kind that a seed stands for: the first draft that plain NumPy can run at some points."""
    _, make = KINDS[name]
    for draft in range(40):
        rng = np.random.default_rng([zlib.crc32(f"{name} {seed}".encode()), draft])
        draw = Draw(rng, int(rng.integers(2, 4)))
        core = make(draw)
        text = _text(draw, core)
        points = tuple(_point(draw) for _ in range(8))
        program = KindProgram(name, seed, text, points, core.arguments, core.changes, draw.chance(0.4))
        kept = _valid(program)
        if len(kept) >= 3:
            first, *others = kept
            raising = [x for x in points if not any(x is y for y in kept)][:1]
            points = (first, *others[:2], *raising)
            return KindProgram(name, seed, text, points, core.arguments, core.changes, program.called_before)
    raise AssertionError(f"no draft of {name} {seed} runs")


def _point(draw: Draw) -> np.ndarray:
    x = draw.rng.uniform(-1.8, 1.8, size=draw.size)
    return np.round(x) if draw.chance(0.06) else x


def _valid(program: KindProgram) -> list[np.ndarray]:
    kept = []
    try:
        module = program.module()
        for x in program.points:
            value = plain(module, x, program.args(module))
            if value is not None and abs(value) < LARGEST:
                kept.append(x)
    except Exception:
        return []
    return kept


def plain(module: types.ModuleType, x: np.ndarray, args: tuple) -> float | None:
    """Return f(x) in plain NumPy, None where it raises or is not finite."""
    with np.errstate(all="warn", under="ignore"), warnings.catch_warnings():  # as a program finds them
        warnings.simplefilter("ignore")
        try:
            value = float(module.f(x.copy(), *args))
        except Exception:
            return None
    return value if np.isfinite(value) else None


def _text(draw: Draw, core: Core) -> str:
    """Return the module: the helpers, the core in one of several places, and `f`."""
    result = _result(draw, core.results)
    names = ", ".join(["x", *core.arguments])
    place = draw.pick("here", "here", "function", "closure", "method", "callable")
    if place == "here":
        text = f"def f({names}):\n{indented(core.body)}\n    return {result}"
    else:
        inner = f"def core({names}):\n{indented(core.body)}\n    return {result}"
        outer = draw.pick(
            f"core({names})", f"core({names}) * {draw.positive()}", f"core({names}) ** 2 + {draw.smooth()}"
        )
        if place == "function":
            text = f"{inner}\n\n\ndef f({names}):\n    return {outer}"
        elif place == "closure":
            text = f"def make():\n{indented(inner)}\n\n    def f({names}):\n        return {outer}\n\n    return f\n\n\nf = make()"
        else:
            call = "__call__" if place == "callable" else "value"
            inner = inner.replace(f"def core({names})", f"def core(self, {names})", 1)
            outer = outer.replace("core(", "self.core(", 1)
            method = f"def {call}(self, {names}):\n    return {outer}"
            bound = "Model()" if place == "callable" else "Model().value"
            text = f"class Model:\n{indented(inner)}\n\n{indented(method)}\n\n\nf = {bound}"
    return f"{HEADER}{core.helpers}\n\n\n{text}\n"


def _result(draw: Draw, results: tuple[str, ...]) -> str:
    terms = []
    for expression in results:
        terms.append(
            draw.pick(
                expression,
                f"({expression}) ** 2",
                f"np.sin({expression})",
                f"({expression}) * {draw.positive()}",
                f"{draw.number()} * ({expression})",
            )
        )
    if draw.chance(0.7):
        terms.append(draw.smooth())
    return " + ".join(terms)
