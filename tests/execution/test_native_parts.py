"""Arrays that are written part by part, as machine code: programs at random, what looks at their memory, loops."""

from __future__ import annotations

import linecache

import numpy as np
import pytest

from autoopt.execution.native.machine import Native, definition, lowered
from autoopt.execution.native.uses import uses_of


def function_of(*lines: str):
    """Return the function f of a and b that the lines define, where they can be read."""
    text = "\n    ".join(["def f(a, b):", *lines]) + "\n"
    file = f"<parts {hash(text):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict = {"np": np}
    exec(compile(text, file, "exec"), namespace)
    return namespace["f"]


def check(f, shape: tuple[int, ...]) -> None:
    a, b = np.random.default_rng(5).normal(size=(2, *shape))
    kept = a.copy(), b.copy()
    expected, found = f(a.copy(), b.copy()), Native(lowered(f, (a, b)))(a, b)
    assert np.array_equal(a, kept[0])
    assert np.array_equal(b, kept[1])
    for one, two in zip(expected, found, strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-13, atol=1e-14)


def box(rng: np.random.Generator, lengths: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Return an index that takes a box of these lengths."""
    starts = [int(rng.integers(0, extent - length + 1)) for length, extent in zip(lengths, shape, strict=True)]
    return ", ".join(f"{start}:{start + length}" for start, length in zip(starts, lengths, strict=True))


def program(rng: np.random.Generator, shape: tuple[int, ...]) -> list[str]:
    """Return lines that compose arrays of one another's parts."""
    names, lines = ["a", "b"], []
    for k in range(int(rng.integers(1, 5))):
        name = f"v{k}"
        base = rng.choice(names)
        begin = [f"{base}.copy()", f"np.zeros({shape})", f"0.5 * {base}", f"{base} + {rng.choice(names)}"]
        lines.append(f"{name} = {rng.choice(begin)}")
        for _ in range(int(rng.integers(0, 5))):
            lengths = tuple(int(rng.integers(0, extent + 1)) for extent in shape)
            one, two = rng.choice(names, 2)
            value = f"{rng.choice(['0.3 *', '-', 'np.exp'])}({one}[{box(rng, lengths, shape)}])"
            value += rng.choice(["", f" * {two}[{box(rng, lengths, shape)}]", f" + {name}[{box(rng, lengths, shape)}]"])
            lines.append(f"{name}[{box(rng, lengths, shape)}] {rng.choice(['=', '+=', '-='])} {value}")
        if rng.random() < 0.3:
            lines.append(f"{name}[{rng.integers(shape[0])}] = {rng.choice(names)}[{rng.integers(shape[0])}]")
        names.append(name)
    chosen = rng.choice(names[2:], 2)
    return [*lines, f"return {chosen[0]}, {chosen[1]} * 2.0, np.sum({names[-1]}), {names[-1]}[0]"]


@pytest.mark.parametrize("seed", range(40))
def test_programs_at_random_equal_numpys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = [(7,), (1,), (2,), (5, 4), (3, 1), (40, 30), (4, 3, 5)][seed % 7]
    check(function_of(*program(rng, shape)), shape)


SHARED = {
    "a part that has a name before": ["y = a.copy()", "p = y[1:-1]", "y[0:3] = 0.0", "return y, p * 1.0"],
    "a part that is written into": ["y = a.copy()", "p = y[1:-1]", "p[1:3] += b[:2]", "return y, p * 1.0"],
    "a part of a part": ["y = 2.0 * a", "p = y[1:]", "q = p[1:]", "q[0:2] = b[:2]", "return y, p * 1.0, q * 1.0"],
    "another name": ["y = np.zeros(6)", "z = y", "z[1:3] = b[:2]", "return y, z"],
    "itself moved": ["y = a.copy()", "y[1:] = y[:-1]", "y[:-2] += y[2:]", "return y, y[1:3]"],
    "read between": ["y = a.copy()", "y[0] = b[1]", "z = y * b", "y[1:4] = z[:3]", "return y, z"],
    "a step": ["y = a.copy()", "y[1:-1:2] += b[1:-1:2]", "y[::-2] -= 1.0", "return y, y[::-1]"],
    "the other way": ["y = a.copy()", "y[1:4] += b[1:4]", "z = y[::-1] + b", "return y[::2] * 1.0, z"],
    "a product": ["y = a.copy()", "y[1:3] = b[2:4]", "return y @ b, y - b"],
    "a loop": [
        "y = a.copy()",
        "y[1:3] = b[2:4]",
        "for t in range(3):",
        "    z = y * b",
        "    z[1:4] += y[2:5]",
        "    y[t + 1] = z[2]",
        "    y[2:4] = z[1:3]",
        "return y, y",
    ],
    "places of a list": ["y = a.copy()", "y[1:3] = b[2:4]", "y[np.array([0, 2])] += b[:2]", "return y, y[[1, 1]]"],
}


@pytest.mark.parametrize("lines", SHARED.values(), ids=SHARED)
def test_what_shares_memory_is_as_in_numpy(lines: list[str]) -> None:
    check(function_of(*lines), (6,))


def test_an_array_written_in_parts_takes_no_memory_of_its_own() -> None:
    f = function_of("y = a.copy()", "y[1:-1] += b[1:-1]", "y[1:] += b[:-1]", "y[0] = 0.0", "return 2.0 * y, b")
    assert uses_of(definition(f)).composed == {"y"}
    operands = np.ones(5000), np.ones(5000)
    assert len(lowered(f, operands).handed) == 4
    check(f, (5000,))


LOOPS = {
    "one": ["for t in range(5):", "    y = a.copy()", "    y[1:-1] = 0.5 * (a[2:] + a[:-2])", "    a = y"],
    "in turns": ["for t in range(5):", "    y = b.copy()", "    y[1:] += a[:-1]", "    a, b = y, a.copy()"],
    "changing places": ["for t in range(3):", "    a, b = b.copy(), a.copy()"],
    "the same twice": ["for t in range(3):", "    y = 2.0 * b", "    a, b = a.copy(), a.copy()", "b = b + y"],
    "of one another": ["for t in range(4):", "    a, b = 0.5 * a + b, 0.5 * b[::-1] - a"],
    "one stays": ["for t in range(4):", "    z = a * b", "    a, b = z, b.copy()"],
    "no iteration": ["for t in range(0):", "    a, b = b + 1.0, a * 2.0"],
    "one iteration": ["for t in range(1):", "    a, b = b + 1.0, a.copy()"],
    "backwards": ["for t in range(3, -1, -1):", "    y = a.copy()", "    y[2:4] = 0.1 * t", "    a, b = b + y, y"],
    "a loop within": [
        "for t in range(3):",
        "    c = a + b",
        "    for s in range(2):",
        "        y = c.copy()",
        "        y[1:] -= 0.5 * c[:-1]",
        "        c = y",
        "    a, b = c, a.copy()",
    ],
    "kept as well": [
        "path = np.empty((6, 7))",
        "path[0] = a",
        "for t in range(5):",
        "    y = path[t].copy()",
        "    y[1:-1] += b[2:] * path[t][:-2]",
        "    path[t + 1], b = y, 0.5 * b",
        "a = path[5] + path[2]",
    ],
}


@pytest.mark.parametrize("lines", LOOPS.values(), ids=LOOPS)
def test_arrays_that_a_loop_sets_anew_are_as_in_numpy(lines: list[str]) -> None:
    f = function_of(*lines, "return a, b")
    check(f, (7,))
    check(f, (7, 1) if "path" not in "".join(lines) else (7,))
