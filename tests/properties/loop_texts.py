"""Random objectives as Python loops, as source text: nested, ragged, branching, carrying, filling and collecting.

`write(seed)` draws one. Every number stays moderate, so that sums in another order agree to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import logsumexp

HEADERS = {
    "for i in range(1, n - 1):": "i",
    "for i in range(n - 2, 0, -1):": "i",
    "for i in range(1, n - 1, 2):": "i",
    "for i, v in enumerate(x[1:-1], start=1):": "iv",
    "for v, w, row in zip(x, y, D):": "vwr",
    "for i in index:": "i",
    "for v in x[1:]:": "v",
    "for i in [k for k in range(1, n - 1) if y[k] > -0.5]:": "i",
}
UNARY = ("np.sin({})", "np.tanh({})", "np.exp(-{} ** 2)", "{} ** 2", "np.sqrt(1 + {} ** 2)", "-{}", "np.log1p({} ** 2)")
ROWS = (
    "logsumexp([{}, x[1], 0.3])", "np.linalg.norm(x[:3] + {})", "np.sum(np.cumsum(D[1] * {}) ** 2)",
    "np.linalg.solve(A + 3.0 * np.eye(3), D[2] * {})[0]", "np.sum(np.clip(x[:4] + {}, -0.7, 0.9))",
    "np.einsum('i,ij,j', x[:3], A, np.cos(D[0] * {}))", "np.linalg.det(np.eye(3) + 0.1 * A * np.tanh({}))",
    "np.outer(x[:2], D[0, :2] + {})[1, 0]", "np.hstack([x[:2], {}])[np.array([0, 2])].sum()",
)  # fmt: skip
"""Functions of small arrays, as a row of the data is."""
BINARY = ("({} + {})", "({} - {})", "({} * {})", "np.maximum({}, {})", "bent({}, {})", "{} / (1.5 + {} ** 2)")
PLACES = ("x[i]", "x[i + 1]", "x[i - 1]", "y[i]", "x[index[i]]", "D[i, 1]", "0.1 * i", "x[(3 * i) % n]")
HELPER = "def bent(a, b):\n    return a * np.cos(b) if a > 0 else 0.5 * a - b\n"


@dataclass(frozen=True)
class Text:
    """One objective: its source, with `objective(x, y, D, A, index, sizes)`, its point and its data."""

    source: str
    x: np.ndarray
    args: tuple

    def function(self) -> Any:
        """Return the objective."""
        namespace: dict[str, Any] = {"np": np, "logsumexp": logsumexp}
        exec(compile(self.source, "<loop>", "exec"), namespace)
        return namespace["objective"]


@dataclass
class _Writer:
    """The lines so far, and what can be read where the next one stands."""

    rng: np.random.Generator
    lines: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    names: int = 0

    def pick(self, choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def new(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    def put(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def expression(self, at_hand: list[str], depth: int = 2) -> str:
        if depth == 0 or self.chance(0.2):
            return self.pick(at_hand)
        if self.chance(0.45):
            return self.pick(UNARY).format(f"({self.expression(at_hand, depth - 1)})")
        if self.chance(0.08):
            return self.pick(ROWS).format(f"({self.expression(at_hand, depth - 1)})")
        return self.pick(BINARY).format(self.expression(at_hand, depth - 1), f"({self.expression(at_hand, depth - 1)})")

    def loop(self) -> None:
        """Write a loop and what it works on."""
        header, variables = self.pick(list(HEADERS.items()))
        at_hand = ["x[0]", "x[2]", "0.7"]
        at_hand += PLACES if "i" in variables else []
        at_hand += ["v"] * ("v" in variables) + ["w", "row[2]", "row @ x[:3]"] * ("r" in variables)
        kinds = [self.sum, self.state, self.items, self.extreme, self.vector] + [self.filled] * ("i" in variables)
        first = len(self.lines)
        makers = [self.pick(kinds) for _ in range(self.rng.integers(1, 4))]
        bodies = [maker("i" in variables) for maker in makers]
        self.put(1, header)
        if self.chance(0.25):
            self.put(2, f"if {self.condition(at_hand, 'i' in variables)}:")
            self.put(3, self.pick(["continue", "continue", f"t = {self.expression(at_hand)}"]))
        temporary = self.new("t")
        self.put(2, f"{temporary} = {self.expression(at_hand)}")
        for body in bodies:
            self.statement([*at_hand, temporary], body, "i" in variables)
        assert len(self.lines) > first

    def condition(self, at_hand: list[str], counted: bool) -> str:
        choices = [f"{self.pick(at_hand)} > 0.2"] + ["i % 3 == 0", "i > n // 2"] * counted
        return self.pick(choices)

    def statement(self, at_hand: list[str], body: Any, counted: bool) -> None:
        """Write one effect of an iteration: as it is, in a branch, or in a loop of its own."""
        style = self.rng.random()
        if style < 0.25:
            self.put(2, f"if {self.condition(at_hand, counted)}:")
            body(3, self.expression(at_hand))
            if self.chance(0.6):
                self.put(2, "else:")
                body(3, self.expression(at_hand))
        elif style < 0.5:
            inner = ["range(3)", "range(1, 4)"] + ["range(sizes[i])", "range(i % 4)"] * counted
            self.put(2, f"for j in {self.pick(inner)}:")
            more = ["x[j]", "D[j, j % 3]", "0.1 * j"] + ["D[i, j % 3]", "x[(i + j) % n]"] * counted
            body(3, self.expression([*at_hand, *more]))
        else:
            body(2, self.expression(at_hand))

    # Effects: each writes what comes before the loop and returns what writes a line in it -----------------------------

    def sum(self, counted: bool) -> Any:
        name = self.new("total")
        self.put(1, f"{name} = 0.0")
        self.ends.append(name)
        form = self.pick(
            ["{0} += {1}", "{0} -= {1}", "{0} = {0} + 0.5 * ({1})", "{0} += sum(np.cos({1} * k) for k in (1, 2))"]
        )
        return lambda depth, value: self.put(depth, form.format(name, value))

    def state(self, counted: bool) -> Any:
        name = self.new("state")
        self.put(1, f"{name} = {self.pick(['0.3', 'x[0]', 'y[0]'])}")
        self.ends.append(name)
        form = self.pick(
            ["{0} = 0.5 * {0} + np.tanh({1})", "{0} = np.sin({0} + {1})", "{0} = np.tanh({0} * x[1] - {1})"]
        )
        return lambda depth, value: self.put(depth, form.format(name, value))

    def vector(self, counted: bool) -> Any:
        name = self.new("h")
        self.put(1, f"{name} = np.zeros(3)")
        self.ends.append(f"{name} @ {name}")
        forms = ["{0} = np.tanh(A @ {0} + {1})", "{0} = {0} + {1} * x[:3]"] + [
            "{0} = 0.5 * {0} + D[i] * ({1})"
        ] * counted
        form = self.pick(forms)
        return lambda depth, value: self.put(depth, form.format(name, value))

    def items(self, counted: bool) -> Any:
        name = self.new("items")
        self.put(1, f"{name} = [0.1]")
        self.ends.append(
            self.pick([f"np.sum(np.array({name}) ** 2)", f"np.tanh(np.array({name})).sum()", f"sum({name})"])
        )
        return lambda depth, value: self.put(depth, f"{name}.append({value})")

    def extreme(self, counted: bool) -> Any:
        name = self.new("top")
        start, form = self.pick([("-10.0", "np.maximum({0}, {1})"), ("1.0", "{0} * (1 + 0.1 * np.tanh({1}))")])
        self.put(1, f"{name} = {start}")
        self.ends.append(name)
        return lambda depth, value: self.put(depth, f"{name} = " + form.format(name, value))

    def filled(self, counted: bool) -> Any:
        name = self.new("out")
        self.put(1, f"{name} = np.zeros(n)")
        self.ends.append(self.pick([f"np.sum({name} ** 2)", f"{name} @ x", f"{name}[3] * {name}[-2]"]))
        form = self.pick(["{0}[i] = {1}", "{0}[i] += {1}", "{0}[i] = 0.5 * {0}[i - 1] + np.tanh({1})"])
        return lambda depth, value: self.put(depth, form.format(name, value))


def write(seed: int, most: int = 40) -> Text:
    """Return the program of a seed, its loops at most `most` iterations long."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(14, most))
    writer = _Writer(rng)
    for _ in range(rng.integers(1, 3)):
        writer.loop()
    body = "\n".join([*writer.lines, "    return " + " + ".join(writer.ends)])
    source = f"{HELPER}\ndef objective(x, y, D, A, index, sizes):\n    n = len(x)\n{body}\n"
    data = (
        rng.normal(size=n),
        rng.normal(size=(n, 3)),
        0.4 * rng.normal(size=(3, 3)),
        rng.integers(1, n - 1, n).tolist(),
        rng.integers(0, 4, n).tolist(),
    )
    return Text(source, 0.7 * rng.normal(size=n), data)
