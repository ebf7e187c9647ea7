"""The functions of a printed module as data: arguments, statements, what is returned; and how their text is changed.

Statements keep their comments, so this works on lines of text, with the syntax tree for what they say.
"""

from __future__ import annotations

import ast
import io
import keyword
import re
import textwrap
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autoopt.layout import WIDTH


@dataclass(frozen=True)
class Function:
    """One printed function.

    Attributes
    ----------
    arguments : tuple of str
    lines : tuple of str
        The body without docstring and final return, not indented.
    returned : tuple of str
        The expressions that are returned.
    """

    name: str
    arguments: tuple[str, ...]
    lines: tuple[str, ...]
    returned: tuple[str, ...]


@dataclass(frozen=True)
class Printed:
    """A printed module: its imports, what stands at the top of it, and its functions by name."""

    imports: tuple[str, ...]
    around: Mapping[str, str]
    functions: Mapping[str, Function]

    @classmethod
    def of(cls, text: str, names: Iterable[str]) -> Printed:
        """Return the printed module in `text`; what is called by none of `names` is `around`, by name."""
        lines = text.split("\n")
        imports, around, functions = [], {}, {}
        for node in ast.parse(text).body:
            own = lines[node.lineno - 1 : node.end_lineno]
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports += own
            elif isinstance(node, ast.FunctionDef) and node.name in names:
                functions[node.name] = _function(node, lines)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                around[node.name] = "\n".join(own)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                around[node.targets[0].id] = "\n".join(own)
        return cls(tuple(imports), around, functions)


def _function(node: ast.FunctionDef, lines: Sequence[str]) -> Function:
    """Return a function of a module with these lines."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    start = first.end_lineno if documented else _head_end(node, lines)
    last = node.body[-1]
    assert start is not None and isinstance(last, ast.Return) and last.value is not None
    body = textwrap.dedent("\n".join(lines[start : last.lineno - 1])).split("\n") if start < last.lineno - 1 else []
    values = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
    text = "\n".join(lines)
    returned = tuple(textwrap.dedent(ast.get_source_segment(text, value) or "") for value in values)
    arguments = tuple(argument.arg for argument in node.args.args)
    return Function(node.name, arguments, tuple(line for line in body if line), returned)


def _head_end(node: ast.FunctionDef, lines: Sequence[str]) -> int:
    """Return the line on which the signature ends."""
    line = node.lineno
    while not lines[line - 1].rstrip().endswith("):"):
        line += 1
    return line


def names_read(lines: Iterable[str]) -> set[str]:
    """Return the names that statements and expressions read."""
    found = set()
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def names_set(lines: Iterable[str]) -> set[str]:
    """Return the names that statements set, or whose arrays they write into."""
    found = set()
    for node in ast.walk(ast.parse("\n".join(lines))):
        while isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            node = node.value
            if isinstance(node, ast.Name):
                found.add(node.id)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def renamed(lines: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Return statements with other names for some; comments, texts, attributes and keywords stay."""
    if not any(old != new for old, new in names.items()):
        return list(lines)
    text = "\n".join(lines) + "\n"
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    depth, places = 0, []
    for k, token in enumerate(tokens):
        depth += (token.string in "([{") - (token.string in ")]}") if token.type == tokenize.OP else 0
        if token.type == tokenize.STRING and token.string.startswith("f"):  # Python 3.12 has tokens for its parts
            places.append(token)
        if token.type != tokenize.NAME or token.string not in names or keyword.iskeyword(token.string):
            continue
        is_attribute = k and tokens[k - 1].string == "."
        is_keyword = depth and tokens[k + 1].string == "="
        if not (is_attribute or is_keyword):
            places.append(token)
    result = text.split("\n")[:-1]
    for token in reversed(places):
        line, (column, end) = result[token.start[0] - 1], (token.start[1], token.end[1])
        new = names.get(token.string) or _FIELD.sub(lambda field: _swapped(field[0], names), token.string)
        result[token.start[0] - 1] = line[:column] + new + line[end:]
    return result


_FIELD, _WORD = re.compile(r"\{[^{}]*\}"), re.compile(r"(?<![\w.])[^\W\d]\w*")


def _swapped(text: str, names: Mapping[str, str]) -> str:
    """Return an expression with other names for some."""
    return _WORD.sub(lambda word: names.get(word[0], word[0]), text)


def without_repeated(lines: Sequence[str]) -> list[str]:
    """Return statements without those that are said again while nothing they read or set has changed."""
    tree, kept, end = ast.parse("\n".join(lines)), [], 0
    known: dict[str, set[str]] = {}
    for node in tree.body:
        own = list(lines[end : node.end_lineno])
        end = node.end_lineno or end
        text = ast.dump(node)
        if known.get(text):
            continue
        changed = names_set(own)
        known = {said: names for said, names in known.items() if not names & changed}
        is_plain = isinstance(node, ast.Assign | ast.If) and not any(
            isinstance(n, ast.AugAssign) for n in ast.walk(node)
        )
        if is_plain:
            known[text] = names_read(own) | changed | {""}
        kept += own
    return kept + list(lines[end:])


def without_unread(lines: Sequence[str], more: Sequence[str] = ()) -> list[str]:
    """Return statements without those that only name what neither others, nor `more`, read."""
    text = list(lines)
    read = Counter(_names(ast.parse("\n".join([*lines, *more]))))
    for node in reversed(ast.parse("\n".join(lines)).body):
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Name) and not read[target.id] and node.end_lineno:
            read.subtract(_names(node))
            del text[node.lineno - 1 : node.end_lineno]
    return text


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that are read, and those whose arrays are written into."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def is_read(imported: str, text: str) -> bool:
    """Whether a text reads what an import statement names."""
    name = imported.split()[-1]
    ending = "" if imported.startswith("from ") else "\\."
    return re.search(rf"(?<![\w.]){re.escape(name)}{ending}", text) is not None


def definition(name: str, arguments: Sequence[str], docstring: Sequence[str], body: Sequence[str]) -> str:
    """Return the text of a function, its signature on one line."""
    indented = textwrap.indent("\n".join([*docstring, *body]), "    ", lambda line: bool(line.strip()))
    return f"def {name}({', '.join(arguments)}):\n{indented}"


def wrapped(text: str, width: int = WIDTH - 4, indent: str = "") -> list[str]:
    """Return prose as lines."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def said(sentence: str, *more: str) -> list[str]:
    """Return a docstring as lines."""
    first = wrapped(f'"""{sentence}')
    if not more and len(first) == 1 and len(first[0]) + 3 <= WIDTH - 4:
        return [first[0] + '"""']
    body = [line for part in more for line in (wrapped(part) if part else [""])]
    return [*first, *([""] if more else []), *body, '"""']


def quoted(key: object) -> str:
    """Return a key as text, in double quotes where it holds none."""
    plain = isinstance(key, str) and '"' not in key and "\\" not in key and key.isprintable()
    return f'"{key}"' if plain else repr(key)
