"""Python expressions as documents: where their lines may be broken, and when they get parentheses for it.

The rules are those of ruff's formatter (and mostly Black's): brackets are broken before operators are; operators begin
lines, those that bind least are broken first and all at once; elements have a line each, with a comma after the last.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterable, Sequence

from autoopt.layout.constants import constant, pieces
from autoopt.layout.documents import Document, Either, Expanded, Group, Indent, Line
from autoopt.layout.operations import INSIDE, Operand, Operator, chain, elements, grouped, line
from autoopt.layout.parentheses import is_chain, may_do_without, need
from autoopt.layout.source import Source, Unknown, binding, is_plain, is_simple, operator_sign

_NAMES = itertools.count()


class Expressions:
    """The documents of the expressions in one text."""

    def __init__(self, source: Source, width: int) -> None:
        self.source, self.width = source, width

    # Statements ---------------------------------------------------------------------------------------------------

    def whole(self, node: ast.expr, most: int) -> Document:
        """Return an expression that is all of the right side of a statement, in parentheses if it has several lines."""
        if isinstance(node, ast.Tuple) and self.source.is_bare(node) and len(node.elts) > 1:
            return self.bare_tuple(node)
        needed = need(self.source, node)
        if needed == "never":
            return self.inner(node, None)
        if needed == "if it fits":
            text = self.inner(node, None)
            fits = isinstance(text, str) and 5 < len(text) <= most
            return Group([Either("("), Indent([Line(), text]), Line(), Either(")")]) if fits else text
        if not may_do_without(self.source, node):
            return Group([Either("("), Indent([Line(), self.inner(node, INSIDE)]), Line(), Either(")")])
        name = next(_NAMES)
        inside = Indent([Line(), self.inner(node, name)], name)
        return Group([Either("("), inside, Line(), Either(")")], name)

    def bare_tuple(self, node: ast.Tuple) -> Document:
        """Return a tuple that gets its parentheses if it has several lines."""
        items = [self.of(item, INSIDE) for item in node.elts]
        return Group([Either("("), Indent([Line(), elements(items)]), Line(), Either(")")])

    # Expressions --------------------------------------------------------------------------------------------------

    def of(self, node: ast.expr, place: int | None, argument_of: ast.Call | None = None) -> Document:
        """Return an expression, in the parentheses that it has."""
        if argument_of is not None:
            enclosed = self.source.is_enclosed_argument(node, argument_of)
        else:
            enclosed = self.source.is_enclosed(node)
        if enclosed and not isinstance(node, ast.GeneratorExp):
            return self.bracketed("(", self.inner(node, INSIDE), ")", place)
        return self.inner(node, place)

    def inner(self, node: ast.expr, place: int | None) -> Document:
        """Return an expression without parentheses around it."""
        write: Callable[..., Document] | None = getattr(self, f"write_{type(node).__name__.lower()}", None)
        if write is None:
            raise Unknown(type(node).__name__)
        return write(node, place)

    def bracketed(self, opening: str, content: Document, closing: str, place: int | None) -> Document:
        """Return content between brackets."""
        if content == "":
            return opening + closing
        whole = Group([opening, Indent([Line(), content]), Line(), closing])
        return whole if place is None or place == INSIDE else Expanded(whole, place)

    def write_name(self, node: ast.Name, place: int | None) -> Document:
        return node.id

    def write_constant(self, node: ast.Constant, place: int | None) -> Document:
        text = constant(self.source.segment(node))
        if "\n" in text:
            raise Unknown("a text in pieces")
        parts = pieces(text, self.width - 8) if place == INSIDE and len(text) > self.width // 2 else [text]
        if len(parts) == 1:
            return text
        return Group(Either([part for piece in parts for part in (Line(), piece)][1:], text))

    write_joinedstr = write_constant

    def write_unaryop(self, node: ast.UnaryOp, place: int | None) -> Document:
        power = isinstance(node.operand, ast.BinOp) and isinstance(node.operand.op, ast.Pow)
        if power and not self.source.is_enclosed(node.operand):
            return [operator_sign(node.op), self.bracketed("(", self.inner(node.operand, INSIDE), ")", place)]
        return [operator_sign(node.op), self.of(node.operand, place)]

    def write_binop(self, node: ast.expr, place: int | None) -> Document:
        parts = self.flattened(node, place)
        return grouped(chain(parts, place), place)

    write_boolop = write_compare = write_binop

    def flattened(self, node: ast.expr, place: int | None) -> list[Operand | Operator]:
        """Return operands and operators in turn."""

        def operand(inner: ast.expr) -> list[Operand | Operator]:
            if isinstance(inner, ast.BinOp | ast.BoolOp | ast.Compare) and not self.source.is_enclosed(inner):
                return self.flattened(inner, place)
            simple = is_simple(inner) and not self.source.is_enclosed(inner)
            return [Operand(self.of(inner, place), simple)]

        match node:
            case ast.BinOp(left=left, op=op, right=right):
                return [*operand(left), Operator(operator_sign(op), binding(op)), *operand(right)]
            case ast.Compare(left=left, ops=ops, comparators=others):
                pairs: Iterable[tuple[ast.AST, ast.expr]] = zip(ops, others, strict=True)
                parts = operand(left)
            case ast.BoolOp(op=op, values=[first, *rest]):
                pairs = [(op, value) for value in rest]
                parts = operand(first)
            case _:
                raise Unknown(type(node).__name__)
        for each, inner in pairs:
            parts += [Operator(operator_sign(each), binding(each)), *operand(inner)]
        return parts

    def write_ifexp(self, node: ast.IfExp, place: int | None) -> Document:
        parts: list[Document] = [self.of(node.body, place), line(" ", place), "if ", self.of(node.test, place)]
        parts += [line(" ", place), "else "]
        chained = isinstance(node.orelse, ast.IfExp) and not self.source.is_enclosed(node.orelse)
        parts.append(self.of(node.orelse, place) if not chained else self.inner(node.orelse, place))
        return grouped(parts, place)

    def write_lambda(self, node: ast.Lambda, place: int | None) -> Document:
        begin, body = self.source.span(node)[0], self.source.span(node.body)[0]
        head = self.source.text[begin:body].decode().rstrip("( ")
        return [f"{head} ", self.of(node.body, place)]

    def write_namedexpr(self, node: ast.NamedExpr, place: int | None) -> Document:
        return [self.of(node.target, place), " := ", self.of(node.value, place)]

    def write_starred(self, node: ast.Starred, place: int | None) -> Document:
        return ["*", self.of(node.value, place)]

    def write_list(self, node: ast.List | ast.Set, place: int | None) -> Document:
        opening, closing = "[]" if isinstance(node, ast.List) else "{}"
        return self.bracketed(opening, elements([self.of(item, INSIDE) for item in node.elts]), closing, place)

    write_set = write_list

    def write_tuple(self, node: ast.Tuple, place: int | None) -> Document:
        items = [self.of(item, INSIDE) for item in node.elts]
        if len(items) == 1:
            return self.bracketed("(", [*items, ","], ")", place)
        if self.source.is_bare(node) and node.elts:
            return elements(items) if place == INSIDE else self.bare_tuple(node)
        return self.bracketed("(", elements(items), ")", place)

    def write_dict(self, node: ast.Dict, place: int | None) -> Document:
        items: list[Document] = []
        for key, value in zip(node.keys, node.values, strict=True):
            head: list[Document] = ["**"] if key is None else [self.of(key, INSIDE), ": "]
            items.append([*head, self.of(value, INSIDE)])
        return self.bracketed("{", elements(items), "}", place)

    def write_listcomp(self, node: ast.ListComp | ast.SetComp, place: int | None) -> Document:
        opening, closing = "[]" if isinstance(node, ast.ListComp) else "{}"
        return self.bracketed(opening, self.comprehension(self.of(node.elt, INSIDE), node.generators), closing, place)

    write_setcomp = write_listcomp

    def write_generatorexp(self, node: ast.GeneratorExp, place: int | None) -> Document:
        return self.bracketed("(", self.comprehension(self.of(node.elt, INSIDE), node.generators), ")", place)

    def write_dictcomp(self, node: ast.DictComp, place: int | None) -> Document:
        pair = [self.of(node.key, INSIDE), ": ", self.of(node.value, INSIDE)]
        return self.bracketed("{", self.comprehension(pair, node.generators), "}", place)

    def comprehension(self, element: Document, generators: Sequence[ast.comprehension]) -> Document:
        """Return what stands between the brackets of a comprehension."""
        parts: list[Document] = [Group(element)]
        for generator in generators:
            target = generator.target
            items = target.elts if isinstance(target, ast.Tuple) and self.source.is_bare(target) else [target]
            names = [part for item in items for part in (", ", self.of(item, INSIDE))][1:]
            comma = "," if isinstance(target, ast.Tuple) and len(items) == 1 and items[0] is not target else ""
            parts += [Line(" "), Group(["for ", *names, f"{comma} in ", self.of(generator.iter, INSIDE)])]
            for test in generator.ifs:
                parts += [Line(" "), "if ", self.of(test, INSIDE)]
        return parts

    # Calls, subscripts and attributes -------------------------------------------------------------------------------

    def write_attribute(self, node: ast.expr, place: int | None, inside_chain: bool | None = None) -> Document:
        fluent = (place is not None and is_chain(self.source, node)) if inside_chain is None else inside_chain
        inner = node.func if isinstance(node, ast.Call) else node.value  # type: ignore[attr-defined]
        enclosed = self.source.is_enclosed(inner)
        if not enclosed and isinstance(inner, ast.Attribute | ast.Call | ast.Subscript):
            parts: list[Document] = [self.write_attribute(inner, place, fluent)]
        else:
            parts = [self.of(inner, place)]
        if isinstance(node, ast.Call):
            parts.append(self.arguments(node, place))
        elif isinstance(node, ast.Subscript):
            parts.append(self.bracketed("[", self.index(node.slice), "]", place))
        else:
            assert isinstance(node, ast.Attribute)
            breaks = fluent and (enclosed or isinstance(inner, ast.Call | ast.Subscript))
            parts += [Line(), f".{node.attr}"] if breaks else [f".{node.attr}"]
        return Group(parts) if fluent and inside_chain is None else parts

    write_call = write_subscript = write_attribute

    def arguments(self, node: ast.Call, place: int | None) -> Document:
        """Return the arguments of a call, in their parentheses."""
        if len(node.args) == 1 and not node.keywords:
            only = node.args[0]
            if isinstance(only, ast.GeneratorExp):
                inside = self.comprehension(self.of(only.elt, INSIDE), only.generators)
                return self.bracketed("(", Group(inside), ")", place)
            items = [self.of(only, INSIDE, node)]
        else:
            items = [self.of(argument, INSIDE) for argument in node.args]
            for keyword in node.keywords:
                items.append([f"{keyword.arg}=" if keyword.arg else "**", self.of(keyword.value, INSIDE)])
        return self.bracketed("(", Group(elements(items)) if items else "", ")", place)

    def index(self, node: ast.expr) -> Document:
        """Return what stands between the brackets of a subscript."""
        if isinstance(node, ast.Tuple) and node.elts and self.source.is_bare(node):
            items = [self.index(item) for item in node.elts]
            return [*items, ","] if len(items) == 1 else elements(items)
        if not isinstance(node, ast.Slice):
            return self.of(node, INSIDE)
        bounds = [node.lower, node.upper, node.step]
        simple = all(bound is None or is_plain(bound) for bound in bounds)
        texts = ["" if bound is None else self.of(bound, INSIDE) for bound in bounds]
        before = "" if simple or node.lower is None else " "
        parts = [texts[0], before + ":", "" if simple or node.upper is None else " ", texts[1]]
        if node.step is not None:
            parts += ["" if simple or node.upper is None else " ", ":" if simple else ": ", texts[2]]
        return [part for part in parts if part != ""]
