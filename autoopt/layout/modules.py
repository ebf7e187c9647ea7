"""A whole module laid out: each statement anew, comments and docstrings wrapped, blank lines as they are.

What a statement says never changes: where the syntax tree of the result is another one, the text stays as it was.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Sequence

from autoopt.layout.documents import Document, rendered
from autoopt.layout.expressions import Expressions
from autoopt.layout.signatures import signature
from autoopt.layout.source import Source, Unknown, operator_sign

WIDTH = 100
"""The longest line of a module that is handed out."""

MOST = 12
"""The most lines of a table with a line for each number."""


def laid_out(text: str, width: int = WIDTH) -> str:
    """Return a module in lines of at most `width` columns, as `ruff format` leaves it."""
    tree = ast.parse(text)
    lines = text.split("\n")
    comments = _comments(text)
    written: list[str] = []
    done, before = 0, None
    for node in _statements(tree):
        first, last = node.lineno - 1, _last_line(node)
        written += _spaced([_comment(line, width) for line in lines[done:first]], before, node)
        own, trailing = lines[first:last], ""
        kept = own[-1].endswith(_KEPT) or any(first < line < last for line in comments)
        if last in comments and not kept:
            trailing = own[-1][comments[last] :]
            own[-1] = own[-1][: comments[last]].rstrip()
        new = own if kept or _is_laid_out(own, width) else _statement(node, own, width)
        if trailing and len(new) == 1 and len(new[0]) + 2 + len(trailing) <= width:
            new = [f"{new[0]}  {trailing}"]
        elif trailing:
            indent = new[0][: len(new[0]) - len(new[0].lstrip())]
            written.append(_comment(f"{indent}{trailing}", width))
        written += new
        done, before = last, node
    whole = "\n".join([*written, *(_comment(line, width) for line in lines[done:])])
    return whole if _says_the_same(ast.parse(whole), tree) else text


_LAID_OUT = re.compile(r" *((return )?[\w.]+(\[\w+\])?( [-+*/@]?=)? )?[^('][^\"':]*")
_OTHERWISE = re.compile(r"\*\*|e\+|E|,[)\]}]|-\w+\.|\(\(|[\[(\w,]  |[\[(] ")


def _is_laid_out(lines: Sequence[str], width: int) -> bool:
    """Whether a statement is plainly as it should be: most are, so that this saves time."""
    (line, *more) = lines
    if more or len(line) > width or _OTHERWISE.search(line):
        return False
    return _LAID_OUT.fullmatch(line) is not None


def _spaced(between: list[str], before: ast.stmt | None, node: ast.stmt) -> list[str]:
    """Return the lines between two statements: one blank below imports, at most one inside of functions."""
    imports = ast.Import | ast.ImportFrom
    inside = node.col_offset > 0
    if isinstance(before, imports) and not isinstance(node, imports | ast.FunctionDef | ast.ClassDef):
        return between if any(between) else [""]
    if inside and isinstance(before, ast.FunctionDef) and node in before.body:
        return [line for line in between if line.strip()]
    if not inside or len(between) < 2:
        return between
    return [line for k, line in enumerate(between) if line.strip() or not k or between[k - 1].strip()]


def _says_the_same(tree: ast.Module, other: ast.Module) -> bool:
    """Whether two modules are the same but for the lines of their docstrings."""
    return ast.dump(tree) == ast.dump(other) or ast.dump(_undocumented(tree)) == ast.dump(_undocumented(other))


def _undocumented(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and _docstring(node.body[:1]):
            first = node.body[0]
            assert isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            first.value.value = " ".join(str(first.value.value).split())
    return tree


def _docstring(body: Sequence[ast.stmt]) -> bool:
    first = body[0] if body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield statements and the heads of those that hold others, in the order of their lines."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt):
            yield node
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            yield from _statements(node)


def _last_line(node: ast.stmt) -> int:
    """Return the last line of a statement, or of the head of one that holds others."""
    body = getattr(node, "body", None)
    assert node.end_lineno is not None
    if not isinstance(body, list):
        return node.end_lineno
    if isinstance(node, ast.Try):
        return node.lineno
    head = [part for name, part in ast.iter_fields(node) if name not in ("body", "orelse", "decorator_list")]
    ends = [_end(part) for part in head]
    return max([node.lineno, *ends])


def _end(part: object) -> int:
    if isinstance(part, list):
        return max(map(_end, part), default=0)
    if isinstance(part, ast.AST):
        return max([getattr(part, "end_lineno", 0) or 0, *(map(_end, (v for _, v in ast.iter_fields(part))))])
    return 0


def _comments(text: str) -> dict[int, int]:
    """Return the columns of comments behind statements by their lines."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip():
            found[token.start[0]] = token.start[1]
    return found


def _comment(line: str, width: int) -> str:
    """Return a comment in several lines if it is long; other lines as they are."""
    if len(line) <= width or not line.lstrip().startswith("# "):
        return line
    indent = line[: len(line) - len(line.lstrip())]
    parts = textwrap.wrap(
        line.strip()[2:],
        width,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}#     ",
        break_long_words=True,
        break_on_hyphens=False,
    )
    return "\n".join(parts)


def _statement(node: ast.stmt, lines: list[str], width: int) -> list[str]:
    """Return the lines of a statement, or of the head of one that holds others."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    if _docstring([node]):
        return _documentation(lines, width)
    text = textwrap.dedent("\n".join(lines))
    try:
        new = rendered(_document(text, width - indent), width, indent)
    except (Unknown, SyntaxError):
        return lines
    if new.count("\n") > MOST and _is_table(node):
        return _filled(text, indent, width)
    return f"{' ' * indent}{new}".split("\n")


def _is_table(node: ast.stmt) -> bool:
    """Whether a statement names an array that is written out in numbers."""
    kinds = (
        ast.List | ast.Constant | ast.UnaryOp | ast.unaryop | ast.expr_context | ast.Attribute | ast.Name | ast.keyword
    )
    call = node.value if isinstance(node, ast.Assign) else None
    return isinstance(call, ast.Call) and all(isinstance(part, kinds) for part in ast.walk(call) if part is not call)


def _filled(text: str, indent: int, width: int) -> list[str]:
    """Return a table in as many numbers to a line as there is room for, which ruff is asked to leave so."""
    flat = re.sub(r"(?<=[\[(]) | (?=[\])])", "", " ".join(text.split()))
    margin = " " * indent
    lines = textwrap.wrap(flat, width, initial_indent=margin, subsequent_indent=f"{margin}    ", break_long_words=False)
    if len(lines[-1]) + len(_KEPT) > width:
        head, _, tail = lines[-1].rpartition(" ")
        lines[-1:] = [head, f"{margin}    {tail}"]
    return [*lines[:-1], lines[-1] + _KEPT]


_KEPT = "  # fmt: skip"


def _documentation(lines: list[str], width: int) -> list[str]:
    """Return the lines of a docstring."""
    wrapped = []
    for line in lines:
        inner = len(line) - len(line.lstrip())
        if len(line) <= width:
            wrapped.append(line)
            continue
        wrapped += textwrap.wrap(
            line.strip(),
            width,
            initial_indent=line[:inner],
            subsequent_indent=" " * inner,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return wrapped


_OPEN = ("if ", "elif ", "while ", "for ", "def ", "class ", "with ", "try:", "else:", "finally:", "except")


def _document(text: str, width: int) -> Document:
    """Return a statement as a document."""
    if not text.startswith(_OPEN):
        return _plain(ast.parse(text).body[0], Expressions(Source.of(text), width), width)
    if text.startswith(("if ", "while ", "for ", "def ")):
        source = f"{text} pass"
    elif text.startswith("elif "):
        source = f"{text[2:]} pass"
    else:
        raise Unknown(text)
    node = ast.parse(source).body[0]
    of = Expressions(Source.of(source), width)
    match node:
        case ast.FunctionDef():
            return [f"def {node.name}", signature(of, node), ":"]
        case ast.If() | ast.While():
            return [text[: text.index(" ") + 1], of.whole(node.test, width - 4), ":"]
        case ast.For():
            return ["for ", of.whole(node.target, width), " in ", of.whole(node.iter, width - 4), ":"]
    raise Unknown(text)


def _plain(node: ast.stmt, of: Expressions, width: int) -> Document:
    """Return a statement that holds no others as a document."""
    match node:
        case ast.Assign(targets=[target], value=value):
            return [of.whole(target, 0), " = ", of.whole(value, width - 4)]
        case ast.AugAssign(target=target, op=op, value=value):
            return [of.whole(target, 0), f" {operator_sign(op)}= ", of.whole(value, width - 4)]
        case ast.Return(value=None):
            return "return"
        case ast.Return(value=value):
            assert value is not None
            return ["return ", of.whole(value, width - 4)]
        case ast.Raise(exc=value, cause=None) if value is not None:
            return ["raise ", of.whole(value, width - 4)]
        case ast.Expr(value=value):
            return of.whole(value, width - 4)
    raise Unknown(type(node).__name__)
