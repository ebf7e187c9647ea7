"""Functions of rows as the printer might write them, in random order: by blocks they give what whole arrays give.

    python tests/properties/row_functions.py 2000 0          so many functions, from a seed

Rows are kept, mixed, summed, written into, picked and grouped; what mixes them must be refused, all else be the same.
"""

from __future__ import annotations

import linecache
import sys
import warnings
from typing import Any

import numpy as np

from autoopt.execution.blocks.running import Blocks, planned
from autoopt.execution.blocks.values import NotInBlocks
from autoopt.execution.tiering import agree

ROWS, COLUMNS = 1499, 3

FREE_VECTOR, FREE_MATRIX, NUMBER = "free vector", "free matrix", "number"
VECTOR, MATRIX, TURNED, STACK = "vector", "matrix", "turned", "stack"


_EXPRESSIONS = [
    *("np.tanh({0})", "np.exp(-np.abs({0}))", "{0} * {1}", "{0} - 0.5 * {1}", "-{0}", "{0} + s"),
    *("np.maximum({0}, {1})", "np.where({0} > {1}, {0}, 0.5)", "1.0 / (1.0 + {0} * {0})"),
]


class Writer:
    """The lines of a function, and the names of each shape that there are."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.lines: list[str] = []
        self.names: dict[str, list[str]] = {
            VECTOR: ["y", "v"], MATRIX: ["X"], TURNED: [], STACK: [],
            FREE_VECTOR: ["w"], FREE_MATRIX: ["A"], NUMBER: ["s"],
        }  # fmt: skip
        self.count = 0

    def pick(self, *shapes: str) -> str:
        known = [name for shape in shapes for name in self.names[shape]]
        return str(self.rng.choice(known)) if known else "y"

    def of(self, options: list[str]) -> str:
        return str(self.rng.choice(options))

    def bind(self, shape: str, code: str) -> None:
        self.count += 1
        name = f"t{self.count}"
        self.lines.append(f"{name} = {code}")
        self.names[shape].append(name)

    def expression(self, shape: str) -> str:
        """Return an expression of a shape, of names that there are."""
        one, other = self.pick(shape), self.pick(shape)
        return self.of(_EXPRESSIONS).format(one, other)


def _of_rows(w: Writer) -> None:
    v, m, n = w.pick(VECTOR), w.pick(MATRIX), w.pick(NUMBER)
    shape, code = [
        (VECTOR, f"{m} @ {w.pick(FREE_VECTOR)}"),
        (VECTOR, f"{m}.sum(axis=1)"),
        (VECTOR, f"{m}.max(axis=1)"),
        (VECTOR, f"{m}[:, {w.rng.integers(COLUMNS)}]"),
        (VECTOR, f"{w.pick(FREE_VECTOR)}[g]"),
        (VECTOR, f"{m}[np.arange({ROWS}), g]"),
        (VECTOR, f"np.einsum('ij,ij->i', {m}, {w.pick(MATRIX)})"),
        (VECTOR, f"{n} * {v} + np.ones({ROWS})"),
        (VECTOR, f"np.linalg.norm({m}, axis=1)"),
        (VECTOR, f"{v} - {v}.mean()"),
        (VECTOR, f"{v} + np.full({v}.shape, {n}) * {m}.shape[1] / {m}.shape[0]"),
        (MATRIX, f"np.zeros({m}.shape) + {n} / len({v})"),
        (VECTOR, f"np.where(g == 1, {v}, {w.pick(NUMBER)})"),
        (MATRIX, f"{m} @ {w.pick(FREE_MATRIX)}"),
        (MATRIX, f"{m} * {v}[:, None]"),
        (MATRIX, f"{w.pick(FREE_MATRIX)}[g]"),
        (MATRIX, f"np.column_stack([{v}, {w.pick(VECTOR)}, {v}])"),
        (MATRIX, f"np.exp({m} - {m}.max(axis=1)[:, None])"),
        (MATRIX, f"{m} - {m}.mean(axis=0)"),
        (MATRIX, f"np.concatenate([{m}[:, 1:], {m}[:, :1]], axis=1)"),
        (MATRIX, f"{m}[:, ::-1] * {w.pick(FREE_VECTOR)}"),
        (MATRIX, f"np.cumsum({m}, axis=1)"),
        (TURNED, f"{m}.T"),
        (TURNED, f"{v} * {w.pick(FREE_VECTOR)}[:, None]"),
        (STACK, f"{m}[:, :, None] * {w.pick(MATRIX)}[:, None, :]"),
    ][w.rng.integers(25)]
    w.bind(shape, code)


def _more(w: Writer) -> None:
    shape = w.of([VECTOR, MATRIX])
    w.bind(shape, w.expression(shape))


def _turned(w: Writer) -> None:
    if w.names[TURNED]:
        t = w.pick(TURNED)
        shape, code = [(MATRIX, f"{t}.T"), (VECTOR, f"{w.pick(FREE_VECTOR)} @ {t}"), (VECTOR, f"{t}[1]"),
                       (VECTOR, f"{t}.sum(axis=0)"), (FREE_VECTOR, f"{t} @ {w.pick(VECTOR)}"),
                       (FREE_MATRIX, f"{t} @ {w.pick(MATRIX)}"), (TURNED, f"{t} * {w.pick(VECTOR)}"),
                       (FREE_VECTOR, f"{t}.sum(axis=1)")][w.rng.integers(8)]  # fmt: skip
        w.bind(shape, code)
    if w.names[STACK]:
        t = w.pick(STACK)
        shape, code = [(FREE_MATRIX, f"{t}.sum(axis=0)"), (MATRIX, f"{t} @ {w.pick(FREE_VECTOR)}"),
                       (MATRIX, f"{t}.sum(axis=2)"), (MATRIX, f"{t}.reshape({ROWS}, -1)[:, :{COLUMNS}]"),
                       (FREE_MATRIX, f"np.einsum('ijk,i->jk', {t}, {w.pick(VECTOR)})"),
                       (MATRIX, f"{t}.transpose(0, 2, 1)[:, 1]")][w.rng.integers(6)]  # fmt: skip
        w.bind(shape, code)


def _summed(w: Writer) -> None:
    v, m = w.pick(VECTOR), w.pick(MATRIX)
    shape, code = [
        (NUMBER, f"{v}.sum()"), (NUMBER, f"{v} @ {w.pick(VECTOR)}"), (NUMBER, f"{v}.max()"), (NUMBER, f"np.mean({v})"),
        (NUMBER, f"np.sum({m} * {w.pick(MATRIX)})"), (NUMBER, f"{v}.min() + {v}.sum() / {ROWS}"),
        (FREE_VECTOR, f"{m}.T @ {v}"), (FREE_VECTOR, f"{v} @ {m}"), (FREE_VECTOR, f"{m}.sum(axis=0)"),
        (FREE_VECTOR, f"{m}.max(axis=0)"), (FREE_VECTOR, f"np.bincount(g, weights={v}, minlength={COLUMNS})"),
        (FREE_MATRIX, f"{m}.T @ {w.pick(MATRIX)}"), (FREE_MATRIX, f"({m} * {v}[:, None]).T @ {m}"),
        (FREE_MATRIX, f"np.einsum('ij,ik->jk', {m}, {w.pick(MATRIX)})"),
    ][w.rng.integers(14)]  # fmt: skip
    w.bind(shape, f"0.01 * ({code})")


def _free(w: Writer) -> None:
    a, v = w.pick(FREE_MATRIX), w.pick(FREE_VECTOR)
    shape, code = [
        (FREE_VECTOR, f"{a} @ {v}"), (FREE_MATRIX, f"{a} * {v}"), (NUMBER, f"{v} @ {w.pick(FREE_VECTOR)}"),
        (FREE_VECTOR, f"np.tanh({v})"), (NUMBER, f"{v}[1] * {w.pick(NUMBER)}"), (FREE_MATRIX, f"{a}.T.copy()"),
        (FREE_VECTOR, f"{a}[{w.rng.integers(COLUMNS)}]"), (FREE_VECTOR, f"{v}[::-1]"),
    ][w.rng.integers(8)]  # fmt: skip
    w.bind(shape, code)


def _written(w: Writer) -> None:
    v, m, a, f = w.pick(VECTOR), w.pick(MATRIX), w.pick(FREE_MATRIX), w.pick(FREE_VECTOR)
    kind = w.rng.integers(7)
    if kind == 0:
        w.bind(MATRIX, f"{m}.copy()")
        w.lines.append(f"{w.names[MATRIX][-1]}[:, {w.rng.integers(COLUMNS)}] += {v}")
    elif kind == 1:
        w.bind(MATRIX, f"np.zeros(({ROWS}, {COLUMNS}))")
        w.lines.append(f"{w.names[MATRIX][-1]}[:, 1] = {v}")
    elif kind == 2:
        w.bind(MATRIX, f"{m} * 1.0")
        w.lines.append(f"{w.names[MATRIX][-1]}[np.arange({ROWS}), g] -= 1.0")
    elif kind == 3:
        w.bind(FREE_VECTOR, f"{f} * 1.0")
        w.lines.append(f"np.add.at({w.names[FREE_VECTOR][-1]}, g, 0.01 * {v})")
    elif kind == 4:
        w.bind(FREE_MATRIX, f"{a} * 1.0")
        w.lines.append(f"{w.names[FREE_MATRIX][-1]}[1] += 0.01 * ({v} @ {m})")
    elif kind == 5:
        w.bind(FREE_VECTOR, f"{f} * 1.0")
        w.bind(FREE_VECTOR, f"{w.names[FREE_VECTOR][-1]}[:]")
        w.lines.append(f"{w.names[FREE_VECTOR][-2]}[0] += {w.pick(NUMBER)}")
    else:
        w.bind(FREE_MATRIX, f"{a} * 1.0")
        w.lines.append(f"np.add.at({w.names[FREE_MATRIX][-1]}, (g, {w.rng.integers(COLUMNS)}), 0.01 * {v})")


def _mixed(w: Writer) -> None:
    """What a row has of others: it must be refused."""
    v, m = w.pick(VECTOR), w.pick(MATRIX)
    shape, code = [
        (VECTOR, f"np.cumsum({v})"), (VECTOR, f"{v}[::-1]"), (VECTOR, f"np.sort({v})"), (VECTOR, f"{v}[h]"),
        (NUMBER, f"{v}[7]"), (FREE_VECTOR, f"{m}[2]"), (NUMBER, f"{v}[1:] @ {v}[:-1]"), (VECTOR, f"np.roll({v}, 1)"),
        (FREE_VECTOR, f"{m}[:40].sum(axis=0)"), (NUMBER, f"np.median({v})"), (NUMBER, f"{v}[{v} > 0].sum()"),
        (NUMBER, f"{v}[:{ROWS // 2}].sum()"), (MATRIX, f"np.cumsum({m}, axis=0)"),
    ][w.rng.integers(13)]  # fmt: skip
    w.bind(shape, code)


_STEPS = [_of_rows] * 6 + [_more] * 4 + [_turned] * 2 + [_summed] * 4 + [_free] * 2 + [_written] * 2


def written(seed: int) -> tuple[str, bool]:
    """Return the text of a function, and whether it may mix rows."""
    w = Writer(seed)
    mixes = bool(w.rng.random() < 0.15)
    for _ in range(int(w.rng.integers(4, 16))):
        _STEPS[w.rng.integers(len(_STEPS))](w)
    if mixes:
        _mixed(w)
    for _ in range(3):
        _summed(w)
    results = [
        w.pick(NUMBER),
        w.pick(FREE_VECTOR),
        w.pick(FREE_MATRIX),
        *(w.names[s][-1] for s in (NUMBER, FREE_VECTOR)),
    ]
    if w.rng.random() < 0.3:
        results.append(w.pick(VECTOR, MATRIX))
    lines = [*w.lines, f"return {', '.join(results)}"]
    body = "\n".join(f"    {line}" for line in lines)
    return f"import numpy as np\n\n\ndef f(w, A, s, X, y, v, g, h):\n{body}\n", mixes


def data(seed: int) -> tuple:
    rng = np.random.default_rng([seed, 1])
    return (
        rng.normal(size=COLUMNS), rng.normal(size=(COLUMNS, COLUMNS)), float(rng.normal()),
        rng.normal(size=(ROWS, COLUMNS)), rng.normal(size=ROWS), rng.normal(size=ROWS),
        rng.integers(0, COLUMNS, ROWS), rng.permutation(ROWS),
    )  # fmt: skip


def check(seed: int) -> str:
    """Return "same", "refused" or "undefined"; raise if blocks give something else."""
    text, _ = written(seed)
    file = f"<rows {seed}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {}
    exec(compile(text, file, "exec"), namespace)
    function, operands = namespace["f"], data(seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        whole = function(*operands)
        if not all(np.isfinite(value).all() for value in whole):
            return "undefined"
        try:
            plan = planned(function, operands)
        except NotInBlocks:
            return "refused"
        for size, threads in ((2**11, 1), (2**13, 2), (2**16, 1)):
            blocks = Blocks(plan, {}, threads)
            blocks.size = size
            found = blocks(*operands)
            if not agree(whole, found):
                raise AssertionError(f"seed {seed}, blocks of {size} bytes:\n{text}\n{plan.text}\n{whole}\n{found}")
    return "same"


def main(count: int, seed: int) -> None:
    """Check so many functions, and say how many were divided."""
    found: dict[str, int] = {}
    for k in range(seed, seed + count):
        outcome = check(k)
        found[outcome] = found.get(outcome, 0) + 1
    print(found)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
