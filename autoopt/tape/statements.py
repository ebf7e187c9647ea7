"""The user's statements: which one computes a step, and how it is quoted.

A step knows the bytecode instruction that made it, and this the columns of its expression. They are looked up in the
syntax tree of the file as it is now; where the function does not stand there any more, nothing is quoted.
"""

from __future__ import annotations

import ast
import hashlib
import linecache
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType

from autoopt.errors import position
from autoopt.origin import is_library
from autoopt.tape.tape import Step, Tape

Span = tuple[int | None, int | None, int | None, int | None]

QUOTED = 90
"""Columns of a quoted statement; longer ones are cut at the end of a word."""


@dataclass
class Written:
    """The syntax tree of a file.

    Attributes
    ----------
    lines : list of str
    tree : ast.Module
    above : dict of AST to AST
        What each node stands in.
    places : dict of CodeType to AST
        Where functions stand that have been looked for.
    """

    lines: list[str]
    tree: ast.Module
    above: dict[ast.AST, ast.AST] = field(default_factory=dict)
    places: dict[CodeType, ast.AST | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.above = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def spans(self) -> dict[Span, list[ast.AST]]:
        """The expressions, and statements that store in what they compute, by their places."""
        found: dict[Span, list[ast.AST]] = {}
        for node in ast.walk(self.tree):
            if hasattr(node, "lineno") and not isinstance(node, ast.Expr):
                found.setdefault(_span(node), []).append(node)
        return found

    @cached_property
    def calls(self) -> dict[str, list[ast.Call]]:
        """The calls of functions by plain names."""
        found: dict[str, list[ast.Call]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found.setdefault(node.func.id, []).append(node)
        return found

    @cached_property
    def functions(self) -> dict[str, list[ast.FunctionDef]]:
        """The functions by name."""
        found: dict[str, list[ast.FunctionDef]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append(node)
        return found

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node stands in, itself first."""
        whole: ast.AST | None = node
        while whole is not None:
            yield whole
            whole = self.above.get(whole)


@dataclass(frozen=True)
class Place:
    """Where a step was computed: the file, the function and, where it is clear, the expression."""

    written: Written
    function: ast.AST
    expression: ast.AST | None
    statement: ast.AST

    @property
    def quoted(self) -> str:
        """The statement in one line, or the words at its beginning if it is long."""
        lines, node = self.written.lines, self.statement
        if isinstance(node, ast.For | ast.While | ast.If | ast.With | ast.Try | ast.Match):
            text = lines[node.lineno - 1].strip()
            return _cut(text)
        assert isinstance(node, ast.stmt | ast.expr)
        text = ast.get_source_segment("".join(lines), node) or ""
        if "\n" not in text:
            return _cut(text.strip())
        joined = _joined(text)
        return _cut(joined) if joined else _cut(text.split("\n")[0].strip() + " ...")


def _cut(text: str) -> str:
    """Return the text, or the words at its beginning if it is long."""
    if len(text) <= QUOTED:
        return text
    head = text[: QUOTED - 3]
    ends = [found.start() for found in re.finditer(r"\s|(?<=[,(\[])|(?=[-+*/@])", head) if found.start() > QUOTED // 2]
    return (head[: ends[-1]] if ends else head).rstrip() + " ..."


def _joined(text: str) -> str | None:
    """Return a statement of several lines in one, without its comments; None if it holds texts of several lines."""
    if '"""' in text or "'''" in text or "\\\n" in text:
        return None
    lines = [re.sub(r"\s#[^'\"]*$", "", line).strip() for line in text.split("\n")]
    if any(line.startswith("#") for line in lines):
        lines = [line for line in lines if not line.startswith("#")]
    whole = " ".join(line for line in lines if line)
    return re.sub(r",? (?=[)\]}])", "", re.sub(r"(?<=[(\[{]) ", "", whole))


def place_of(step: Step) -> Place | None:
    """Return where a step stands in the user's file, None if that is not to be found."""
    if step.site is None:
        return None
    code, offset = step.site
    written, function = _function(code)
    if written is None or function is None:
        return None
    span = position(code, offset)
    own = written.spans.get(span, [])
    expression = next((node for node in own if function in written.around(node)), None)
    node = expression or _innermost(function, span)
    if node is None:
        return None
    whole = next(n for n in written.around(node) if isinstance(n, ast.stmt) or _is_lambdas(written, n))
    inside = whole is not function and function in written.around(whole)
    return Place(written, function, expression, whole) if inside or _is_lambdas(written, whole) else None


def words(tape: Tape) -> str:
    """Return a hash of what names and comments in the code of a tape are taken from: the text of the user's functions.

    Objectives may have one tape, and differ in their names.
    """
    state = hashlib.blake2b(repr(sorted(tape.names.items())).encode(), digest_size=16)
    codes = {id(step.site[0]): step.site[0] for step in tape.steps if step.site}
    for code in codes.values():
        linecache.checkcache(code.co_filename)
        last = max((line for *_, line in code.co_lines() if line), default=0)
        text = "".join(linecache.getlines(code.co_filename)[code.co_firstlineno - 1 : last])
        state.update((text or repr((code.co_varnames, code.co_names))).encode(errors="replace"))
    return state.hexdigest()


_files: dict[str, Written] = {}


def _is_lambdas(written: Written, node: ast.AST) -> bool:
    above = written.above.get(node)
    return isinstance(above, ast.Lambda) and node is above.body


def _span(node: ast.AST) -> Span:
    names = ("lineno", "end_lineno", "col_offset", "end_col_offset")
    return tuple(getattr(node, name, None) for name in names)  # type: ignore[return-value]


def _innermost(function: ast.AST, span: Span) -> ast.AST | None:
    """Return the smallest statement in a function that has the lines of a span."""
    line = span[0]
    if line is None:
        return None
    whole = [
        n for n in ast.walk(function) if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or n.lineno)
    ]
    return min(whole, key=lambda n: (n.end_lineno or n.lineno) - n.lineno, default=None)


def _function(code: CodeType) -> tuple[Written | None, ast.AST | None]:
    """Return the file that a code stands in and its function there; None where that is another one by now."""
    if is_library(code):
        return None, None
    written = _written(code.co_filename)
    if written is None:
        return None, None
    if code not in written.places:
        written.places[code] = next((node for node in ast.walk(written.tree) if _is_of(node, code)), None)
    return written, written.places[code]


def _written(file: str) -> Written | None:
    linecache.checkcache(file)
    lines = linecache.getlines(file)
    known = _files.get(file)
    if known is None or known.lines is not lines:
        try:
            known = Written(lines, ast.parse("".join(lines)))
        except (SyntaxError, ValueError):
            return None
        _files[file] = known
    return known


_INLINE = {"<lambda>": ast.Lambda, "<listcomp>": ast.ListComp, "<genexpr>": ast.GeneratorExp,
           "<setcomp>": ast.SetComp, "<dictcomp>": ast.DictComp}  # fmt: skip


def _is_of(node: ast.AST, code: CodeType) -> bool:
    """Whether a code is that of a function of the file."""
    if isinstance(node, ast.FunctionDef):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        if node.name != code.co_name or first != code.co_firstlineno:
            return False
    elif type(node) is not _INLINE.get(code.co_name) or getattr(node, "lineno", 0) != code.co_firstlineno:
        return False
    if not isinstance(node, ast.FunctionDef | ast.Lambda):
        return True
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return tuple(names) == code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
