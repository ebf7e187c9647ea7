"""Random functions that return arrays, of the operations that Jacobians are pushed through, with Jacobians to compare.

python tests/properties/array_functions.py 2000 1        so many functions, of this seed
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from complex_steps import jacobian

from autoopt.execution.engines import ENGINES, compiled
from autoopt.parameters import Structure
from autoopt.tracing.trace import trace

SIZE = 6


class Writer:
    """Writes the lines of a function, with the shapes of its variables."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.lines: list[str] = []
        self.shapes: dict[str, tuple[int, ...]] = {"x": (SIZE,)}
        self.space: dict[str, Any] = {"np": np}

    def pick(self, ndim: int | None = None, least: int = 1) -> str:
        """Return a variable, the latest most often."""
        fitting = [n for n, s in self.shapes.items() if (ndim is None or len(s) == ndim) and np.prod(s) >= least]
        return fitting[-1] if self.random.random() < 0.6 else str(self.random.choice(fitting))

    def data(self, value: np.ndarray) -> str:
        """Return the name of an array outside, large ones being no part of the code."""
        name = f"D{len(self.space)}"
        self.space[name] = value
        return name

    def add(self, text: str) -> None:
        """Add a line, if it runs and its result is neither large nor wild."""
        name = f"v{len(self.lines)}"
        lines = [*self.lines, f"{name} = {text}"]
        with np.errstate(all="ignore"):
            value = run(lines, name, self.space)(np.linspace(0.3, 1.1, SIZE))
        value = np.asarray(value)
        if value.size > 60 or value.ndim > 3 or not np.all(np.isfinite(value)) or np.max(np.abs(value), initial=0) > 50:
            return
        self.lines, self.shapes[name] = lines, value.shape

    def line(self) -> None:
        """Add a random line."""
        kind = self.random.choice(list(KINDS))
        try:
            text = KINDS[kind](self)
            if text:
                self.add(text)
        except (ValueError, IndexError, TypeError):  # shapes that do not fit
            pass


def run(lines: list[str], result: str, space: dict[str, Any]) -> Any:
    """Return the function of these lines."""
    body = "\n    ".join([*lines, f"return {result}"])
    names: dict[str, Any] = dict(space)
    exec(f"def f(x):\n    {body}\n", names)
    return names["f"]


def _unary(w: Writer) -> str:
    return w.random.choice(
        ["np.sin({0})", "np.exp(-{0})", "{0}**2", "np.tanh({0})", "-{0}", "1 / (2 + {0}**2)"]
    ).format(w.pick())


def _binary(w: Writer) -> str:
    return f"{w.pick()} {w.random.choice(['+', '-', '*'])} {w.pick()}"


def _scaled(w: Writer) -> str:
    name = w.pick()
    return f"{name} * {w.data(w.random.normal(size=w.shapes[name]))}"


def _sliced(w: Writer) -> str:
    name = w.pick(least=2)
    parts = [w.random.choice([":", "1:", ":-1", "::2", "::-1", "0", "-1", "None"]) for _ in w.shapes[name]]
    return f"{name}[{', '.join(parts)}]"


def _gathered(w: Writer) -> str:
    name = w.pick(least=2)
    length, count = w.shapes[name][0], int(w.random.choice([3, 5, 18]))
    return f"{name}[{w.data(w.random.integers(0, length, size=count))}]"


def _summed(w: Writer) -> str:
    name = w.pick(least=2)
    axis = w.random.choice(["", *(f"axis={k}" for k in range(len(w.shapes[name])))])
    return f"{name}.{w.random.choice(['sum', 'mean', 'cumsum' if axis else 'sum', 'prod'])}({axis})"


def _product(w: Writer) -> str:
    name = w.pick(least=2)
    matrix = w.data(w.random.normal(size=(int(w.random.integers(1, 6)), w.shapes[name][0])) / 2)
    return w.random.choice([f"{matrix} @ {name}", f"{name}.T @ {matrix}.T", f"{name} @ {w.pick(least=2)}"])


def _reshaped(w: Writer) -> str:
    name = w.pick(least=2)
    size = int(np.prod(w.shapes[name]))
    rows = int(w.random.choice([k for k in range(1, size + 1) if size % k == 0]))
    return w.random.choice([f"{name}.reshape({rows}, -1)", f"{name}.T", f"{name}.ravel()", f"{name}[..., None]"])


def _joined(w: Writer) -> str:
    one, other = w.pick(ndim=1), w.pick(ndim=1)
    function = w.random.choice(["np.concatenate", "np.hstack", "np.stack", "np.array"])
    scalars = [n for n, s in w.shapes.items() if not s]
    if scalars and w.random.random() < 0.5:
        return f"np.array([{', '.join([*scalars[-3:], f'{one}[0]', '1.5'])}])"
    return f"{function}([{one}, {other}])"


def _written(w: Writer) -> str:
    name, other = w.pick(ndim=1, least=2), w.pick()
    length = w.shapes[name][0]
    mask = w.data(w.random.random(length) > 0.4)
    places = w.data(w.random.permutation(length)[: max(1, length // 2)])
    place = w.random.choice(["1:", ":-1", "0", "::2", mask, places])
    change = w.random.choice(["=", "+="])
    w.lines.append(f"w{len(w.lines)} = {name} + 0")
    target = w.lines[-1].split(" ")[0]
    line = (
        f"{target}[{place}] {change} {w.random.choice([f'{other}[0]', '2.0', 'x[1] * x[2]', f'({name}**2)[{place}]'])}"
    )
    try:
        run([*w.lines, line], target, w.space)(np.linspace(0.3, 1.1, SIZE))
    except (ValueError, IndexError, TypeError):
        w.lines.pop()
        return ""
    w.lines.append(line)
    return f"{target} * 1"


def _chosen(w: Writer) -> str:
    name = w.pick()
    mask = w.data(w.random.random(w.shapes[name]) > 0.5)
    return w.random.choice(
        [f"np.where({mask}, {name}, {name}**2)", f"np.where({name}.real > 0.5, {name}, np.sin({name}))"]
    )


KINDS = {
    function.__name__: function
    for function in (
        *(_unary, _unary, _binary, _binary, _scaled, _sliced, _gathered, _summed, _product, _reshaped, _joined),
        *(_written, _chosen),
    )
}


def written(seed: int) -> tuple[Any, str]:
    """Return a random function, and its text."""
    writer = Writer(seed)
    for _ in range(int(writer.random.integers(3, 14))):
        writer.line()
    result = next(name for name in reversed(writer.shapes))
    return run(writer.lines, result, writer.space), "\n".join([*writer.lines, f"return {result}"])


def check(seed: int) -> str:
    """Compare a Jacobian with complex steps; return the text that was printed of it."""
    f, text = written(seed)
    start = np.linspace(0.3, 1.1, SIZE)
    tape = trace(f, Structure.of(start), start, (), scalar=False).tape
    code = compiled(ENGINES["numpy"], tape, "jacobian", "title")
    for x in (start, start[::-1] + 0.05):
        try:
            found = code.run(x)
        except code.changed:  # another branch is taken there
            continue
        expected = jacobian(lambda z: np.asarray(f(z)), x).reshape(-1, SIZE)
        size = 1 + np.max(np.abs(expected), initial=0.0)
        assert found.shape == expected.shape, f"{found.shape} for {expected.shape} of\n{text}"
        assert np.allclose(found, expected, rtol=1e-9, atol=1e-10 * size), f"{found}\nfor\n{expected}\nof\n{text}"
    return code.text


def main(count: int, seed: int) -> None:
    """Check so many functions, and say which are wrong."""
    failed = 0
    for number in range(seed * 10**6, seed * 10**6 + count):
        try:
            check(number)
        except Exception as problem:
            failed += 1
            print(f"{number}: {type(problem).__name__}: {problem}\n{written(number)[1]}\n")
    print(f"{count} functions, {failed} wrong or refused")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
