"""Loops that are called once stand where they are called, as a person writes them; others stay functions.

a2 = a_loop(a, x[1:], n)      with      def a_loop(start, term, n):         ->      term = x[1:]
                                            a = np.empty(n)                         a2 = np.empty(n)
                                            a[0] = start                            a2[0] = a
                                            for t in range(n - 1):                  for t in range(n - 1):
                                                a[t + 1] = a[t] * term[t]               a2[t + 1] = a2[t] * term[t]
                                            return a
"""

from __future__ import annotations

import ast
import itertools
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autoopt.exporting.functions import names_read, names_set, renamed


def inlined(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the functions of a module, by name, with those of loops in the only ones that call them, once."""
    kept = dict(texts)
    for name in [name for name in texts if re.search(r"_loop\d*_*$", name)]:
        callers = [other for other, text in kept.items() if other != name and re.search(rf"\b{name}\b", text)]
        if len(callers) != 1 or len(re.findall(rf"\b{name}\b", kept[callers[0]])) != 1:
            continue
        whole = _with_body(kept[callers[0]], name, kept[name])
        if whole is not None and _is_code(whole):
            kept[callers[0]] = whole
            del kept[name]
    return kept


def _is_code(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _with_body(text: str, name: str, called: str) -> str | None:
    """Return a function with the statements of one that it calls once; None if they cannot stand there."""
    lines = text.split("\n")
    at = next((k for k, line in enumerate(lines) if re.search(rf"\b{name}\(", line)), 0)
    call = re.fullmatch(rf"    (\w+(?:, \w+)*) = {name}\(.*\)", lines[at])  # of its own statements, not of a block
    loop = _Loop.of(called)
    if call is None or loop is None:
        return None
    targets = call[1].split(", ")
    statement = ast.parse(lines[at].strip()).body[0]
    assert isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
    arguments = [ast.get_source_segment(lines[at].strip(), node) or "" for node in statement.value.args]
    if (len(arguments), len(targets)) != (len(loop.parameters), len(loop.results)):
        return None
    if names_read(arguments) & set(targets):
        return None
    below = textwrap.dedent("\n".join(lines[at + 1 :])).split("\n")
    live = _live(below)
    swap = {t: r for t, r in zip(targets, loop.results, strict=True) if r not in live | names_set(below) and t != r}
    below = [line and f"    {line}" for line in renamed(below, swap)]
    targets = [swap.get(target, target) for target in targets]
    if names_read(arguments) & set(targets):
        return None
    new, given = loop.names(live - set(swap) | names_read(arguments), arguments, targets)
    inner = renamed(loop.body, new)
    for parameter, argument in given.items():
        ending = f" = {new[parameter]}"
        only = sum(len(re.findall(rf"\b{new[parameter]}\b", line)) for line in inner) == 1
        place = next((k for k, line in enumerate(inner) if line.endswith(ending) and line[:1].strip()), None)
        if only and place is not None:
            inner[place] = f"{inner[place].removesuffix(ending)} = {argument}"
        else:
            inner.insert(0, f"{new[parameter]} = {argument}")
    above = lines[:at]
    while above[-1].strip().startswith("#") and above[-1].strip() in map(str.strip, inner):
        above.pop()
    return "\n".join([*above, *(f"    {line}" for line in inner), *below])


@dataclass(frozen=True)
class _Loop:
    """The function of a loop: what it takes, its statements, the names of what it returns, and those that it sets."""

    parameters: list[str]
    body: list[str]
    results: list[str]
    own: set[str]

    @classmethod
    def of(cls, text: str) -> _Loop | None:
        """Return the function in a text; None if it is more than statements that set names which it returns."""
        node = ast.parse(text).body[0]
        if not isinstance(node, ast.FunctionDef):
            return None
        last = node.body[-1]
        others = [part for part in ast.walk(node) if part is not node and part is not last]
        if not isinstance(last, ast.Return) or any(isinstance(part, ast.FunctionDef | ast.Return) for part in others):
            return None
        parts = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
        results = [part.id for part in parts if isinstance(part, ast.Name)]
        lines = text.split("\n")[node.body[0].lineno - 1 : last.lineno - 1]
        body = textwrap.dedent("\n".join(lines)).split("\n")
        parameters, own = [argument.arg for argument in node.args.args], names_set(body)
        is_plain = len(results) == len(parts) == len(set(results)) and set(results) <= own - set(parameters)
        return cls(parameters, body, results, own) if is_plain else None

    def names(
        self, live: set[str], arguments: Sequence[str], targets: Sequence[str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return what its names become in a function that still reads those which are `live`, and which parameters need
        a statement."""
        taken = live | set(targets)
        new, given = dict(zip(self.results, targets, strict=True)), {}
        for parameter, argument in zip(self.parameters, arguments, strict=True):
            if argument.isidentifier() and parameter not in self.own:
                new[parameter] = argument
            else:
                new[parameter] = _fresh(parameter, taken)
                given[parameter] = argument
        for local in sorted(self.own - set(new)):
            new[local] = _fresh(local, taken)
        return new, given


def _live(lines: Sequence[str]) -> set[str]:
    """Return the names that statements read before they set them: what stands above may set the others anew."""
    live: set[str] = set()
    known: set[str] = set()
    for node in ast.parse("\n".join(lines)).body:
        text = ast.unparse(node)
        live |= names_read([text]) - known
        if isinstance(node, ast.Assign):
            known |= {target.id for target in ast.walk(node.targets[0]) if isinstance(target, ast.Name)} - names_read(
                [text]
            )
        elif isinstance(node, ast.For):
            known |= {node.target.id} if isinstance(node.target, ast.Name) else set()
    return live


def _fresh(hint: str, taken: set[str]) -> str:
    """Return `hint`, or if it is taken the same with the next number, and take it."""
    base = re.sub(r"_?\d+$", "", hint)
    numbered = (f"{base}{k}" for k in itertools.count(2))
    name = next(name for name in itertools.chain([hint], numbered) if name not in taken)
    taken.add(name)
    return name
