"""A `Writer` writes a random program one statement at a time and runs it at once.

So it knows the shape, dtype and size of every name: a statement that raises, or whose numbers grow out of hand, is
taken back. What statements share is how to choose an array, an index or an expression.
"""

# ruff: noqa: E501 - tables of program text

from __future__ import annotations

import contextlib
import math
import random
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

KNOWN: dict[str, tuple[str, str]] = {}
"""Faults that are not yet mended: name -> (pattern of the programs that show it, reason). Their programs are left out."""
KNOWN_CRASHES: dict[str, str] = {}
"""The same by the message of the crash: name -> pattern."""

MAX_SIZE = 24
MAX_ENTRY = 60.0
HEADER = "import math\nimport numpy as np\n"


@dataclass
class Program:
    """The text of `f(x, ...)`, data for it, and points to run it at."""

    body: list[str]
    helpers: list[str]
    names: list[str]
    data: dict[str, Any]
    points: list[np.ndarray]
    result: list[str]
    scale: float = 1.0
    styles: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The module: the helpers and `f`."""
        lines = [HEADER, *self.helpers, f"def f({', '.join(['x', *self.data])}):"]
        lines += [f"    {line}" for block in self.body for line in block.split("\n")]
        return "\n".join([*lines, f"    return {' + '.join(self.result) or '0.0'}", ""])

    @property
    def args(self) -> tuple:
        """Fresh copies of the data."""
        return tuple(np.copy(value) if isinstance(value, np.ndarray) else value for value in self.data.values())

    def known(self) -> str | None:
        """Return the name of the known fault that the program may show, or None."""
        text = self.text
        return next((name for name, (pattern, _) in KNOWN.items() if re.search(pattern, text)), None)


IN_PLACE: list[Callable] = []
"""The statements that may stand in a loop or a function: they make no names."""
STATEMENTS: list[tuple[Callable, int]] = []


def statement(weight: int) -> Callable:
    """Return a decorator that registers `make(writer) -> text`, drawn in proportion to `weight`."""

    def register(make: Callable) -> Callable:
        STATEMENTS.append((make, weight))
        return make

    return register


class Impossible(Exception):
    """There is nothing in the program yet for such a statement."""


class Writer:
    """Writes one program; `scope` holds what every name is at the first point."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.count = 0
        self.lines: list[str] = []
        self.helpers: list[str] = []
        self.styles: list[str] = []
        self.data = self._data()
        self.points = [self._point(), self._point()]
        self.scale = 1.0
        self.scope = self._fresh()

    # The start --------------------------------------------------------------------------------------------------------

    def _numbers(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.array([self.rng.uniform(-2.0, 2.0) for _ in range(math.prod(shape))]).reshape(shape)

    def _data(self) -> dict[str, Any]:
        """Return some of: a matrix, a vector, integers, a mask, a number."""
        rng = self.rng
        self.columns = rng.randint(2, 4)
        made = {}
        if rng.random() < 0.6:
            made["A"] = self._numbers((rng.randint(2, 4), self.columns))
        if rng.random() < 0.4:
            made["b"] = self._numbers((self.columns,))
        if rng.random() < 0.4:
            made["k"] = np.array([rng.randint(0, 2) for _ in range(rng.randint(2, 4))])
        if rng.random() < 0.3:
            made["m"] = np.array([rng.random() < 0.5 for _ in range(self.columns)])
        if rng.random() < 0.3:
            made["c"] = rng.uniform(0.5, 2.0)
        return made

    def _point(self) -> np.ndarray:
        """Return parameters; now and then whole numbers and zeros, where ties are."""
        if not hasattr(self, "shape"):
            matrix = self.rng.random() < 0.25
            self.shape = (self.rng.randint(2, 3), self.columns) if matrix else (self.columns,)
            self.awkward = self.rng.random() < 0.1
        if self.awkward:
            return np.array([float(self.rng.randint(-2, 2)) for _ in range(math.prod(self.shape))]).reshape(self.shape)
        return self._numbers(self.shape)

    def _fresh(self) -> dict[str, Any]:
        scope = {"x": self.points[0].copy()}
        scope.update({name: np.copy(v) if isinstance(v, np.ndarray) else v for name, v in self.data.items()})
        exec(HEADER, scope)
        for text in [*self.helpers, *self.lines]:
            exec(text, scope)
        return scope

    # Adding a statement -----------------------------------------------------------------------------------------------

    def add(self, text: str) -> bool:
        """Append a statement if it runs and gives numbers of ordinary size."""
        with quiet():
            try:
                exec(text, self.scope)
                good = self._sound()
            except Exception:
                good = False
            if not good:
                self.scope = self._fresh()
                return False
        self.lines.append(text)
        return True

    def _sound(self) -> bool:
        for name, value in self.scope.items():
            if name.startswith("__") or callable(value) or value is np or value is math:
                continue
            if isinstance(value, list):
                continue
            array = np.asarray(value)
            if array.dtype.kind not in "fiub" or array.size > MAX_SIZE or array.ndim > 3 or array.dtype == np.float32:
                return False
            if array.size == 0 or not np.isfinite(array).all():
                return False
            largest = float(np.max(np.abs(array.astype(float))))
            if largest > MAX_ENTRY:
                return False
            self.scale = max(self.scale, largest)
        return True

    # Choosing ---------------------------------------------------------------------------------------------------------

    def new(self, prefix: str = "v") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def pick(self, options: Any) -> Any:
        options = list(options)
        if not options:
            raise Impossible
        return self.rng.choice(options)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def having(self, test: Callable[[Any], bool]) -> str:
        """Return a name whose value satisfies `test`, later ones preferred."""
        names = [n for n, v in self.scope.items() if is_value(n, v) and test(v)]
        if not names:
            raise Impossible
        return self.pick(names[-4:]) if self.chance(0.6) else self.pick(names)

    def array(self, kinds: str = "f", least: int = 1, most: int = 3) -> str:
        return self.having(lambda v: isinstance(v, np.ndarray) and v.dtype.kind in kinds and least <= v.ndim <= most)

    def own(self, kinds: str = "f", least: int = 1) -> str:
        """Return an array that may be written into; seldom the parameters or the data."""
        outside = {"x", *self.data} if self.chance(0.98) else set()
        names = [
            n
            for n, v in self.scope.items()
            if is_value(n, v) and n not in outside and isinstance(v, np.ndarray) and v.dtype.kind in kinds and v.ndim >= least
            and v.flags.writeable
            and not (outside and any(np.shares_memory(v, self.scope[o]) for o in outside if isinstance(self.scope[o], np.ndarray)))
        ]  # fmt: skip
        if not names:
            raise Impossible
        return self.pick(names[-4:])

    def number(self) -> str:
        """Return a float expression: a literal, a scalar name, or an entry of an array."""
        kind = self.rng.random()
        if kind < 0.35:
            return f"{self.rng.uniform(0.2, 2.0):.2f}"
        if kind < 0.6:
            with contextlib.suppress(Impossible):
                return self.having(lambda v: np.ndim(v) == 0 and not isinstance(v, np.ndarray | bool | np.bool_))
        name = self.array("f")
        return f"{name}[{self.position(self.scope[name].shape)}]"

    def position(self, shape: tuple[int, ...]) -> str:
        return ", ".join(str(self.rng.randint(-n, n - 1)) for n in shape)

    def index(self, name: str, plain: bool = False) -> str:
        """Return an index of the array `name`; `plain` if it shall give a view."""
        value = self.scope[name]
        if not plain and self.chance(0.15):
            return self.mask(name)
        parts, advanced = [], plain
        for size in value.shape:
            choice = self.rng.random()
            if choice < 0.3:
                parts.append(str(self.rng.randint(-size, size - 1)))
            elif choice < 0.85 or advanced:
                parts.append(self.slice(size))
            else:
                advanced = True
                parts.append(self.fancy(size))
        if self.chance(0.4):
            parts = parts[: self.rng.randint(1, len(parts))]
        if self.chance(0.12):
            parts.insert(self.rng.randint(0, len(parts)), "None")
        if self.chance(0.1):
            parts = ["...", *parts[-self.rng.randint(0, len(parts)) :]] if self.chance(0.5) else [*parts[:-1], "..."]
        return ", ".join(parts)

    def slice(self, size: int) -> str:
        kind = self.rng.random()
        if kind < 0.25:
            return ":"
        if kind < 0.4:
            return "::-1"
        if kind < 0.55:
            return "::2"
        if kind < 0.7:
            return self.pick(["1:", ":-1", f":{max(size - 1, 1)}", "-2:"])
        start = self.rng.randint(0, size - 1)
        return f"{start}:{self.rng.randint(start + 1, size)}"

    def fancy(self, size: int) -> str:
        if self.chance(0.3):
            with contextlib.suppress(Impossible):
                return self.having(
                    lambda v: (
                        isinstance(v, np.ndarray) and v.dtype.kind == "i" and v.ndim == 1 and np.all(abs(v) < size)
                    )
                )
        return str([self.rng.randint(-size, size - 1) for _ in range(self.rng.randint(1, 3))])

    def mask(self, name: str) -> str:
        shape = np.shape(self.scope[name])
        if self.chance(0.3):
            with contextlib.suppress(Impossible):
                return self.having(lambda v: isinstance(v, np.ndarray) and v.dtype.kind == "b" and v.shape == shape)
        return f"{name} {self.pick(['>', '<', '>=', '!='])} {self.rng.uniform(-0.8, 0.8):.2f}"

    def partner(self, shape: tuple[int, ...], exactly: bool = False, kinds: str = "f") -> str:
        """Return an expression that broadcasts with `shape`, or onto it if `exactly`."""

        def fits(other: Any) -> bool:
            try:
                joint = np.broadcast_shapes(shape, np.shape(other))
            except ValueError:
                return False
            return joint == shape if exactly else math.prod(joint) <= MAX_SIZE

        if self.chance(0.75):
            with contextlib.suppress(Impossible):
                name = self.having(lambda v: np.asarray(v).dtype.kind in kinds and fits(v))
                return name if not self.chance(0.2) else self.unary(name)
        return self.number()

    def unary(self, a: str) -> str:
        form = self.pick(UNARY)
        return form.format(a=a)

    def binary(self, a: str, b: str) -> str:
        return self.pick(BINARY).format(a=a, b=b)

    def expression(self) -> str:
        """Return an expression of one or two operations on arrays or numbers."""
        a = self.array("fffi" if self.chance(0.8) else "fib") if self.chance(0.85) else self.number()
        shape = np.shape(eval(a, self.scope))
        made = self.binary(a, self.partner(shape)) if self.chance(0.7) else self.unary(a)
        return self.unary(f"({made})") if self.chance(0.2) else made

    def condition(self) -> str:
        a = self.number()
        if self.chance(0.2):
            with contextlib.suppress(Impossible):
                name = self.array("f")
                return self.pick(
                    [
                        f"{name}.sum() > 0.1",
                        f"np.any({name} > 0.9)",
                        f"(np.abs({name}) < 1.0).all()",
                        f"np.max({name}) < 1.2",
                    ]
                )
        return f"{a} {self.pick(['>', '<', '>='])} {self.pick(['0.0', '0.3', '-0.4', self.number()])}"

    def source(self, target: str) -> str:
        """Return an expression that may be assigned to the array expression `target`."""
        shape = np.shape(eval(target, self.scope))
        kind = self.rng.random()
        if kind < 0.25:
            return self.binary(target, self.partner(shape, exactly=True))
        if kind < 0.6:
            return self.partner(shape, exactly=True)
        return self.number()

    def block(self, lines: int, header: str, setup: str = "") -> str:
        """Return `header` with a body of in-place statements; the names that `setup` makes are known in it."""
        before = dict(self.scope)
        if setup:
            exec(setup, self.scope)
        body = []
        try:
            for _ in range(lines):
                body.append(self.pick(IN_PLACE)(self))
        finally:
            self.scope = before
        inner = "\n".join(body).replace("\n", "\n    ")
        return f"{header}\n    {inner}"


@contextlib.contextmanager
def quiet():
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_value(name: str, value: Any) -> bool:
    return not name.startswith("__") and isinstance(value, np.ndarray | np.generic | float | int | bool)


UNARY = (
    "np.sin({a})", "np.cos({a})", "np.tanh({a})", "-{a}", "np.abs({a})", "abs({a})", "np.sqrt(np.abs({a}) + 0.3)", "np.exp(-np.abs({a}))",
    "np.log1p(np.square({a}))", "np.log(np.abs({a}) + 0.5)", "np.square({a})", "np.clip({a}, -0.9, 1.1)", "np.arctan({a})",
    "({a}) ** 2", "({a}) ** 3 * 0.1", "np.maximum({a}, 0.2)", "np.minimum({a}, 0.4)", "np.sign({a})", "np.floor({a})", "np.round({a}, 1)",
    "np.where(({a}) > 0.1, {a}, 0.5)", "np.expm1(np.minimum({a}, 1.0))", "1.0 / (1.0 + np.exp(-({a})))", "np.sinh(np.tanh({a}))",
    "np.where(({a}) > 0, np.sqrt({a}), 0.0)", "np.reciprocal(np.abs({a}) + 1.0)", "np.positive({a})", "({a}) % 0.7", "np.float64(0.5) * ({a})",
    "np.nan_to_num({a})", "np.cbrt(np.abs({a}) + 0.4)", "np.exp2(-np.abs({a}))", "np.fabs({a})", "np.sinc(np.abs({a}) + 0.1)",
)  # fmt: skip
BINARY = (
    "{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} * {b} + 0.5", "{b} - {a} * 2", "{a} / (np.abs({b}) + 0.7)", "{a} / (1 + {b} ** 2)", "np.maximum({a}, {b})",
    "np.minimum({a}, {b})", "np.hypot({a}, {b} + 0.2)", "np.logaddexp({a}, {b})", "np.arctan2({a}, np.abs({b}) + 0.3)",
    "(np.abs({a}) + 0.5) ** np.tanh({b})", "np.where({a} > {b}, {a}, {b} * 0.5)", "np.where({a} > 0.2, np.sin({b}), {a})", "{a} * ({b} > 0)",
    "np.add({a}, {b})", "np.multiply({a}, 1.5 - {b})", "np.subtract({a}, {b})", "np.true_divide({a}, 2.0 + np.square({b}))", "np.fmax({a}, {b})",
    "{a} // (np.abs({b}) + 0.5)", "({a} > {b}) * 1.0", "np.copysign({a}, {b})", "np.heaviside({a}, 0.5) * {b}",
)  # fmt: skip
