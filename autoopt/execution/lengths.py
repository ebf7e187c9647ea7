"""The lengths of the data in source that is handed out: symbols where they may be others, checked where they may not.

return 0.001 * total                    n = len(y)
                                ->      return 1 / n * total
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.execution.families import Family, parts
from autoopt.execution.forms import Form, Number
from autoopt.tape.skeleton import is_small

_SIGNATURE = r"^def {}\(([^()]*)\):\n"
_OPENS, _CLOSES = ("(", "[", ",", ":", "=", "{", "return"), (")", "]", ",", ":", "}", "\n")


def with_lengths(text: str, family: Family, ranks: Mapping[str, int]) -> str | None:
    """Return the source of a family's tape with symbols for lengths of the data; None if it is for these alone.

    `ranks` has how many axes data have, by name: `len(y)` reads better than `len(X)`.
    """
    found = family.of_lengths()
    pieces, row, _ = parts(text)
    if found is None or len(found) != len(row):
        return None
    if not any(found):
        return text
    symbols = _symbols(family, [form for form in found if form], _words(text))
    written: list[str] = []
    for k, (form, number) in enumerate(zip(found, row, strict=True)):
        code = repr(number) if form is None else _text(form, symbols)
        if form is not None and not _is_same(code, number, family, symbols):
            return None
        before, after = "".join(written[-1:]) + pieces[k], pieces[k + 1] + "".join(map(repr, row[k + 1 : k + 2]))
        written.append(f"{pieces[k]}{_fitted(code, before, after)}")
    text = "".join(written) + pieces[-1]
    if any(_wanted(text, set(symbols.values()))[name] for name in _handed_on(text)):
        return None  # what calls such a function has no symbols for it
    return _with_definitions(text, [*symbols.values()], _holders(family, symbols, ranks))


def with_checks(text: str, lengths: Mapping[tuple[str, int], int], why: str = "", everywhere: bool = False) -> str:
    """Return the source with checks of those lengths, by data and axis, that may have made some of its numbers.

    A number of rows may be behind any number but 2.0, 0.5, and the like; one of columns, which most often is that of
    the parameters as well, behind those that are near it. With `everywhere` numbers of rows are checked in any case;
    `why` tells what fixes them.
    """
    _, row, _ = parts(text)
    for (name, axis), length in lengths.items():
        known = [number for number in row if _tells(number, length) or (axis == 0 and not is_small(number))]
        if not known and not (everywhere and axis == 0):
            continue
        found = f"len({name})" if axis == 0 else f"{name}.shape[{axis}]"
        wanted = f"{length} {('rows', 'columns')[axis]} of {name}" if axis < 2 else f"{found} = {length}"
        told = f"This code was written for {wanted}, not {{{found}}}{why if axis == 0 else ''}."
        text = _refusing(text, name, f"{found} != {length}", told)
    return text


def with_least(text: str, names: Sequence[str], least: int) -> str:
    """Return the source with checks that data have at least so many rows."""
    for name in sorted(names) if least > 1 else ():
        told = f"This code is for {least} rows of {name} or more, not {{len({name})}}."
        text = _refusing(text, name, f"len({name}) < {least}", told)
    return text


def _refusing(text: str, name: str, wrong: str, told: str) -> str:
    """Return the source whose functions of an argument `name` begin by refusing it where `wrong` holds."""
    for function in _outer(text):
        if name in _arguments(text, function):
            text = _begun(text, function, [f"if {wrong}:", f'    raise ValueError(f"{told}")'])
    return text


def _tells(number: Number, length: int) -> bool:
    """Whether a number may come from a length."""
    if length < 3:
        return False
    if isinstance(number, int):
        return number > 2 and abs(number - length) <= 1
    return any(abs(number * b - c) < 1e-12 * c for b in (length, length - 1) for c in (0.5, 1, 2)) or number == length


# Symbols --------------------------------------------------------------------------------------------------------------


def _symbols(family: Family, found: Sequence[Form], taken: set[str]) -> dict[int, str]:
    """Return a name for each length that is needed, by its position among the numbers of the tape."""
    wanted = sorted({i for form in found for i in _positions(form)})
    names = {}
    for i in wanted:
        leaf, axis = family.lengths[i]
        name = "n" if len(wanted) == 1 else f"n_{leaf}" if axis == 0 else f"n_{leaf}_{axis}"
        while name in taken:
            name += "_"
        taken.add(name)
        names[i] = name
    return names


def _words(text: str) -> set[str]:
    """Return the names in a module, but for its comments."""
    return set(re.findall(r"\w+", re.sub(r"^ *#.*$", "", text, flags=re.MULTILINE)))


def _positions(form: Form) -> list[int]:
    """Return which numbers of the tape a form reads."""
    kind, *rest = form
    if kind in ("line", "fixed"):
        return rest[:1] if kind == "line" else []
    if kind in ("product", "sum"):
        return rest[:2]
    base, i, other = rest[0]
    return [i] if base == "shift" else [i, other]


def _text(form: Form, names: Mapping[int, str]) -> str:
    """Return a form as an expression."""
    kind, *rest = form
    if kind == "line":
        i, a, c = rest
        product = names[i] if a == 1 else f"{a} * {names[i]}"
        return product if not c else f"{product} {'+' if c > 0 else '-'} {abs(c)}"
    if kind in ("product", "sum"):
        i, j, *sign = rest
        return f"{names[i]} {'*' if not sign else '+' if sign[0] > 0 else '-'} {names[j]}"
    (base, i, other), p, q, *unit = rest
    between = {"times": " * {}", "over": " / {}", "by inverse": " * (1 / {})"}
    b = _text(("line", i, 1, other), names) if base == "shift" else names[i] + between[base].format(names[other])
    whole = b.isidentifier()
    if kind == "multiple of multiple" or (kind == "multiple" and unit == [1.0]):
        factor = f"{p / q!r} * " + (b if whole else f"({b})")
        return factor if kind == "multiple" or unit == [1.0] else f"{factor} * {unit[0]!r}"
    return _REAL[kind](b if whole else f"({b})", b, p, q, *unit)


def _scaled(p: int, q: int, code: str) -> str:
    return code if p == q else f"{p / q!r} * {code}"


_REAL: dict[str, Callable[..., str]] = {
    "ratio": lambda b, bare, p, q: f"{p} / {b}" if q == 1 else f"{p} / ({q} * {b})",
    "inverse": lambda b, bare, p, q: f"{p} * (1 / {b})" if q == 1 else f"{p} * (1 / ({q} * {b}))",
    "multiple of inverse": lambda b, bare, p, q: f"{p / q!r} * (1 / {b})",
    "logarithm": lambda b, bare, p, q: _scaled(p, q, f"np.log({bare})"),
    "root": lambda b, bare, p, q: _scaled(p, q, f"np.sqrt({bare})"),
    "inverse root": lambda b, bare, p, q: f"{p / q!r} / np.sqrt({bare})",
    "twice": lambda b, bare, p, q: _scaled(p, q, " * ".join(f"(1 / {name})" for name in bare.split(" * "))),
    "multiple": lambda b, bare, p, q, unit: f"{p / q * unit!r} * {b}",
}


def _is_same(code: str, number: Number, family: Family, names: Mapping[int, str]) -> bool:
    """Whether an expression is the number, but for the last bit, for the lengths of this tape."""
    known = {name: family.numbers[i] for i, name in names.items()}
    found: Any = eval(code, {"np": np}, known)
    return type(found) is int and found == number if isinstance(number, int) else abs(found - number) <= 4e-16 * number


def _fitted(code: str, before: str, after: str) -> str:
    """Return an expression to stand in the place of a number, in parentheses where it needs them."""
    if re.fullmatch(r"[\w.]+", code):
        return code
    plain = re.fullmatch(r"1\.0 \* (\w+)", code)
    if plain and (re.search(r"(?<![\w.])\d+\.[\d.e+-]* \* $", before) or re.match(r" \* \d+\.\d", after)):
        return plain[1]  # another factor makes it a float
    opened, closed = before.rstrip(" ").endswith(_OPENS), after.lstrip(" ").startswith(_CLOSES)
    if not re.search(r" [+-] ", code):  # a product may stand among terms, and before factors
        opened = opened or before.endswith((" + ", " - "))
        closed = closed or re.match(r" ([+-]|\*|/) ", after) is not None
    return code if opened and closed else f"({code})"


# Functions ------------------------------------------------------------------------------------------------------------


def _with_definitions(text: str, symbols: Sequence[str], holders: Mapping[str, Sequence[tuple[str, int]]]) -> str:
    """Return the module in which each function knows the symbols that it reads, from the data or from its caller."""
    text = _with_own_constants(text, set(symbols))
    wanted = _wanted(text, set(symbols))
    outer, words = _outer(text), _words(text)
    inner = {name: [symbol for symbol in symbols if symbol in wanted[name]] for name in wanted if name not in outer}
    inner = {name: needed for name, needed in inner.items() if needed}
    text = _calling(text, inner)
    for name, needed in inner.items():
        text = _extended(text, name, needed)
    for name in outer:
        lines = []
        for symbol in symbols:
            if symbol not in wanted[name]:
                continue
            known = _arguments(text, name)
            leaf, axis = min(holders[symbol], key=lambda place: (place[0] not in known, place[0] not in words))
            if leaf not in known:
                text = _extended(text, name, [leaf])
            lines.append(f"{symbol} = len({leaf})" if axis == 0 else f"{symbol} = {leaf}.shape[{axis}]")
        text = _begun(text, name, lines)
    return text


def _with_own_constants(text: str, symbols: set[str]) -> str:
    """Return the module with constants whose lengths are symbols in the functions that read them."""
    moved = []
    for node in ast.parse(text).body:
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and names & symbols:
            moved.append((node.targets[0].id, node.lineno - 1, node.end_lineno or node.lineno))
    lines = text.split("\n")
    for name, first, last in reversed(moved):
        statement = lines[first:last]
        del lines[first:last]
        text = "\n".join(lines)
        for function, node in _functions(text).items():
            if any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node)):
                text = _begun(text, function, statement)
        lines = text.split("\n")
    return text


def _holders(family: Family, symbols: Mapping[int, str], ranks: Mapping[str, int]) -> dict[str, list[tuple[str, int]]]:
    """Return the data, and the axes, that have the length which a symbol stands for, the plainest first."""
    tracks = list(zip(*family.tapes, strict=True))
    return {
        symbol: sorted(
            (place for k, place in family.lengths.items() if tracks[k] == tracks[i]),
            key=lambda place: (place[1], ranks[place[0]]),
        )
        for i, symbol in symbols.items()
    }


def _functions(text: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def _calls(function: ast.AST) -> list[tuple[str, ast.Call]]:
    return [
        (node.func.id, node)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]


def _outer(text: str) -> list[str]:
    """Return the functions that no other one calls, or hands on."""
    functions = _functions(text)
    read = {
        node.id
        for function in functions.values()
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return [name for name in functions if name not in read]


def _handed_on(text: str) -> list[str]:
    """Return the functions that others hand on, as to a search for a root."""
    functions = _functions(text)
    found = []
    for function in functions.values():
        called = {id(call.func) for _, call in _calls(function)}
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id in functions]
        found += [node.id for node in names if id(node) not in called]
    return found


def _wanted(text: str, symbols: set[str]) -> dict[str, set[str]]:
    """Return the symbols that each function needs, for itself or for those that it calls."""
    functions = _functions(text)
    wanted = {
        name: {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} & symbols
        for name, function in functions.items()
    }
    for _ in functions:
        for name, function in functions.items():
            wanted[name] |= {symbol for called, _ in _calls(function) for symbol in wanted.get(called, ())}
    return wanted


def _calling(text: str, inner: Mapping[str, Sequence[str]]) -> str:
    """Return the module whose calls of some functions hand on symbols."""
    lines = [line.encode() for line in text.split("\n")]
    ends = [
        (node.end_lineno or 0, node.end_col_offset or 0, name, "{0}={0}" if node.keywords else "{}")
        for name, node in _calls(ast.parse(text))
        if name in inner
    ]
    for line, column, name, form in sorted(ends, reverse=True):
        before, after = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
        lines[line - 1] = before + "".join(f", {form.format(symbol)}" for symbol in inner[name]).encode() + after
    return "\n".join(line.decode() for line in lines)


def _arguments(text: str, function: str) -> list[str]:
    found = re.search(_SIGNATURE.format(function), text, re.MULTILINE)
    return found[1].split(", ") if found else []


def _extended(text: str, function: str, names: Sequence[str]) -> str:
    """Return the module with more arguments of a function."""
    whole = ", ".join([*filter(None, _arguments(text, function)), *names])
    return re.sub(_SIGNATURE.format(function), f"def {function}({whole}):\n", text, count=1, flags=re.MULTILINE)


def _begun(text: str, function: str, lines: Sequence[str]) -> str:
    """Return the module with lines at the beginning of a function, below its docstring."""
    body = _functions(text)[function].body
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    whole = text.split("\n")
    found = re.search(_SIGNATURE.format(function), text, re.MULTILINE)
    assert found is not None
    place = (body[0].end_lineno or 0) if documented else text[: found.end()].count("\n")
    return "\n".join([*whole[:place], *(f"    {line}" for line in lines), *whole[place:]])
