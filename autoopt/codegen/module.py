"""The functions of one derivative as a module of readable NumPy source that runs without autoopt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.traversal import ancestors, io_toposort

from autoopt.codegen.code import Code, expression, in_docstring, literal
from autoopt.codegen.constants import inline_text
from autoopt.codegen.data_names import described, known_texts
from autoopt.codegen.listing import list_function, without_unread
from autoopt.codegen.origins import origins
from autoopt.codegen.printers.loops import reserved
from autoopt.codegen.printers.table import NoSource, stem
from autoopt.codegen.printers.writer import Check, Listing
from autoopt.codegen.steps import list_steps
from autoopt.errors import Location, display_path
from autoopt.graph.build import Graph, origin
from autoopt.graph.division import Function
from autoopt.graph.kinds import LINEARIZE, PREPARE, Kind
from autoopt.graph.loops.marks import mark_of
from autoopt.ops.patterns import rank
from autoopt.tape.assignments import assigned_names
from autoopt.tape.digest import constant_names
from autoopt.tape.names import fresh
from autoopt.tape.statements import place_of
from autoopt.tape.tape import DATA, Guard

_OWN = {
    "COUNTS": """\
COUNTS = set()  # how many iterations the loops may take: for these the code has been compared with the original
MOST = [max(known) for known in zip(*COUNTS, strict=True)]""",
    "TIES": "TIES = 0  # how many of them are equal at every point",
    "Tied": '''\
class Tied(Exception):
    """Operands of kinks, as those of abs and maximum are, are equal at this point: this many of them."""''',
    "PathChanged": '''\
class PathChanged(Exception):
    """The objective takes another branch at this point than the one that this code was made for."""''',
}
"""What the tests of guards read, in the order of the module's text."""


def write_module(graph: Graph, functions: Sequence[Function], title: str) -> str:
    """Return the text of the module with the functions of one kind of derivative.

    `prepare` and `linearize` return a dictionary whose keys are argument names of the functions after them, so that
    `f(x, X, y, **prepare(X, y))` is a whole evaluation.
    """
    writer = _Writer(graph)
    return joined(_needed([writer.listing(function) for function in functions]), title)


def write_by_products(graph: Graph, functions: Sequence[Function], kind: Kind, title: str) -> str:
    """Return the text of the module of a matrix as the products with the unit vectors, its columns or its rows.

    `functions` are those of the products, which become functions that the one of `kind` calls.
    """
    writer = _Writer(graph)
    listings = {function.name: writer.listing(function) for function in functions}
    linearize, product = listings[LINEARIZE], listings[functions[-1].name]
    assert linearize is not None and product is not None
    given = _needed(list(listings.values()))
    rows = graph.size if kind.rows is None else prod(graph.tape.steps[graph.tape.output].shape)
    return joined([*given, _by_products(linearize, product, kind, (rows, graph.size))], title)


def _needed(listings: Sequence[Listing | None]) -> list[Listing]:
    """Return the functions of a module, of what the first one prepares only what another one takes."""
    given = [listing for listing in listings if listing is not None]
    if len(given) < 2 or given[0].name != PREPARE:
        return given
    first, *others = given
    taken = {name for listing in others for name in listing.arguments}
    names = [name for name in re.findall(r'"(\w+)":', first.returned[0]) if name in taken]
    if not names:
        return others
    returned = _dictionary(names)
    lines = tuple(without_unread(first.lines, [returned]))
    data = tuple(name for name in first.arguments if _reads("\n".join(lines), name))
    return [replace(first, arguments=data, lines=lines, returned=(returned,)), *others]


def _by_products(linearize: Listing, product: Listing, kind: Kind, lengths: tuple[int, int]) -> Listing:
    """Return the function that calls the products, linearised once."""
    later = product.arguments[1:]  # after the direction
    point, *known = linearize.arguments
    ahead = re.findall(r'"(\w+)":', linearize.returned[0])
    arguments = [point, *dict.fromkeys(name for name in [*known, *later] if name not in (point, *ahead))]
    taken = {*arguments, *ahead, "np", linearize.name, product.name, kind.name}
    kept, unit = fresh("kept", taken), fresh("unit", taken)
    first = f"{linearize.name}({', '.join(linearize.arguments)})"
    given = [unit, *(name for name in later if name not in ahead), *([f"**{kept}"] if ahead else [])]
    by_rows = product.name == kind.rows
    units = str(lengths[0]) if by_rows else f"len({point})"
    matrix = f"np.array([{product.name}({', '.join(given)}) for {unit} in np.eye({units})])"
    if not all(lengths):
        matrix = f"np.zeros({lengths!r})"
    elif not by_rows and not kind.is_symmetric:
        matrix += ".T"
    lines = (f"{kept} = {first}" if ahead else first,)
    docstring = (
        f"Return the {kind.returns[-1].capitalize()}, a {'row' if by_rows else 'column'} at a time: "
        "its products with the unit vectors."
    )
    return Listing(kind.name, tuple(arguments), lines, (matrix,), docstring)


def joined(listings: Sequence[Listing], title: str = "") -> str:
    """Return the text of a module of functions, with what they need around them."""
    listings = _distinct(listings)
    needs = {name for listing in listings for name in listing.needs}
    texts = [text for name, text in _OWN.items() if name in needs]
    texts += [called.text for listing in listings for called in listing.functions.values()]
    texts += [listing.text for listing in listings]
    imports = {line for listing in listings for line in listing.imports} | {"import numpy as np"}
    plain = sorted(imports, key=lambda line: ("numpy" not in line, line))
    constants = {name: text for listing in listings for name, text in listing.constants.items()}
    if constants:
        texts.insert(0, "\n".join(f"{name} = {text}" for name, text in constants.items()))
    head = f'"""{in_docstring(title)}"""\n\n' if title else ""
    return head + "\n".join(plain) + "\n\n\n" + "\n\n\n".join(texts) + "\n"


def _distinct(listings: Sequence[Listing]) -> list[Listing]:
    """Return the listings with the functions that they call renamed where two have one name."""
    taken: set[str] = set()
    result = []
    for listing in listings:
        new = {}
        for name in listing.functions:
            new[name] = name
            while new[name] in taken:
                new[name] += "_"
            taken.add(new[name])
        result.append(listing.calling(new) if new else listing)
    return result


def input_names(graph: Graph) -> list[str]:
    """Return what the graph's inputs are called: leaves by their names, the rest as `prepare` returns them."""
    writer = _Writer(graph)
    writer.name_inputs()
    return writer.inputs


class _Writer:
    """Names that several functions of a module share."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.steps = graph.tape.steps
        self.taken = {"np", "scipy", "direction", PREPARE, LINEARIZE, "PathChanged", "Tied", "ties"}
        self.leaves = self._leaf_names()
        self.assigned = assigned_names(graph.tape)
        self.ahead: dict[Variable, str] = {}
        self.inputs: list[str] = []

    def _leaf_names(self) -> dict[int, str]:
        names = {index: leaf.name for index, leaf in self.graph.tape.leaves().items()}
        names |= constant_names(self.graph.tape)
        self.taken.update(names.values())
        return names

    def listing(self, function: Function) -> Listing | None:
        """Return one function, None for a `prepare` that has nothing to do."""
        if function.name == PREPARE:
            return self.prepare(function)
        arguments = self.arguments(function)
        if function.name == LINEARIZE:
            names = self.name_ahead(function.results)
            listing = self.print(function, arguments, names)
            return _returning_dict(listing, [names[result] for result in function.results])
        return self.print(function, arguments, {})

    def print(
        self,
        function: Function,
        arguments: list[tuple[Variable, str]],
        names: Mapping[Variable, str],
        taken: Sequence[str] = (),
    ) -> Listing:
        """Return one function, some of whose variables have `names`; others have none of those that are taken."""
        comments, hints, places = self.origins([*function.results, *(variable for variable, _ in function.guards)])
        hints = {v: name for v, name in hints.items() if name not in names.values()} | dict(names)
        used = self.used(function, arguments)
        try:
            return list_function(
                function.name,
                [*(pair for pair in arguments if pair[0] in used), *reserved(taken)],
                function.results,
                names=hints,
                comments=comments,
                places=places,
                checks=[(variable, _check(guard)) for variable, guard in function.guards],
                docstring=_DOCS.get(function.name, ""),
                data=self.data(arguments),
                shared=function.name in _DOCS,
            )
        except NoSource as problem:
            raise problem.at(where=self.location(problem.node, function)) from None

    def location(self, node: Apply | None, function: Function) -> Location | None:
        """Return the user's line that an operation stems from, or what it works on, or what is made of its results.

        Idioms make operations anew, without their origin: then it is that of such an operation before them, and where
        there is none, the line that computes the objective's value.
        """
        if node is None:
            return None
        nodes = io_toposort(function.arguments, function.results)
        alike = [other for other in nodes if other.op == node.op] or [node]
        later = {v for other in alike for v in other.outputs}
        for other in nodes:
            if later.intersection(other.inputs):
                later.update(other.outputs)
        behind = [v for other in nodes for v in other.outputs if v in later]
        near = [*ancestors(node.outputs), *(v for other in alike for v in ancestors(other.outputs)), *behind]
        places = [*map(origin, near), self.graph.tape.output]
        index = next((index for index in places if index is not None and self.steps[index].site), None)
        return None if index is None else self.steps[index].location

    def used(self, function: Function, arguments: list[tuple[Variable, str]]) -> set[Variable]:
        """Return the arguments that the function reads, its first always."""
        given = [variable for variable, _ in arguments]
        roots = [*function.results, *(variable for variable, _ in function.guards)]
        return {*given[:1], *set(given).intersection(ancestors(roots, blockers=given))}

    def data(self, arguments: list[tuple[Variable, str]]) -> set[Variable]:
        """Return the arguments that are what the user gives, or the user's statements make of it, as float64."""
        named = zip(self.graph.inputs, self.inputs, strict=True)
        names = {name for index, name in named if self.steps[index].level == DATA}
        return {v for v, name in arguments if name in names and getattr(v.type, "dtype", "") == "float64"}

    def arguments(self, function: Function) -> list[tuple[Variable, str]]:
        """Return what the function's arguments are called: direction, parameters, data, what was prepared."""
        inputs = iter(self.inputs)
        named = []
        for argument in function.arguments:
            variable = getattr(argument.tag, "stands_for", argument)
            if variable in self.ahead:
                name = self.ahead[variable]
            elif variable.name == "direction":
                name = "direction"
            elif variable.name == self.leaves[0]:
                name = self.leaves[0]
            else:
                name = next(inputs)
            named.append((argument, name))
        return named

    def prepare(self, function: Function) -> Listing | None:
        """Return `prepare`: the user's own statements on the data, then what the derivative adds to them."""
        names = self.name_inputs()
        known = {index: Code(name) for index, name in self.leaves.items()}
        known |= {index: _constant(value) for index, value in self.graph.tape.values.items() if index not in known}
        locals_ = set(self.taken)
        lines = list_steps(self.steps, list(names), known, names, locals_, self.hint)
        hoisted = self.name_ahead(function.results)
        listing = None
        if function.results:
            arguments = self.arguments(function)
            listing = self.print(function, arguments, hoisted, tuple(names.values()))
            lines += [*listing.lines, *_renamed(listing, [hoisted[result] for result in function.results])]
        if not lines:
            return None
        returned = [*names.values(), *(hoisted[result] for result in function.results)]
        body = "\n".join(lines)
        data = [name for name in self.leaves.values() if name != self.leaves[0] and _reads(body, name)]
        own = Listing(PREPARE, tuple(data), tuple(lines), (_dictionary(returned),), _DOCS[PREPARE])
        return own if listing is None else replace(own, constants=listing.constants, functions=listing.functions)

    def name_inputs(self) -> dict[int, str]:
        """Name the graph's inputs and return the names of those that are no leaves."""
        wanted = [index for index in self.graph.inputs if index not in self.leaves]
        names: dict[int, str] = {}
        for index in wanted:
            own = self.step_name(index)
            names[index] = self.data_name(index) if own is None else self.fresh(own)
        self.inputs = [self.leaves.get(index) or names[index] for index in self.graph.inputs]
        return names

    def data_name(self, index: int) -> str:
        """Return a name for what the data alone decide, apart from those that the user has for other things."""
        name = fresh(described(index, self.steps, self.known) or "prepared", {*self.taken, *self.known.values()})
        self.taken.add(name)
        return name

    def hint(self, index: int) -> str:
        """Return what a step of the data might be called."""
        return described(index, self.steps, self.known) or "part"

    @cached_property
    def known(self) -> dict[int, str]:
        """What steps are called: by the user, and constants by their text."""
        return known_texts(self.graph.tape.values) | self.graph.tape.names | self.assigned | self.leaves

    def name_ahead(self, results: Sequence[Variable]) -> dict[Variable, str]:
        """Give names to what is computed ahead, after the user's where they tell."""
        for result in results:
            if result not in self.ahead:
                word = (stem(result.owner, []).split() or ["product"])[0]
                self.ahead[result] = self.fresh("ahead" if word == "t" else word)
        return {result: self.ahead[result] for result in results}

    def fresh(self, hint: str) -> str:
        """Return `hint`, numbered if it is taken, and take it."""
        return fresh(hint, self.taken)

    def origins(
        self, roots: Sequence[Variable]
    ) -> tuple[dict[Variable, str], dict[Variable, str], dict[Variable, int]]:
        """Return the user's statements, names and order of the variables that still stand for expressions of theirs."""
        comments: dict[Variable, str] = {}
        places: dict[Variable, int] = {}
        latest: dict[int, Variable] = {}
        for variable, index in reversed(origins(self.graph, roots).items()):
            places[variable] = index
            place = place_of(self.steps[index])
            comments[variable] = place.quoted if place else ""
            shape = self.steps[index].shape
            if len(shape) == rank(variable) or (prod(shape) == 1 and all(variable.type.broadcastable)):
                latest[index] = variable
        iterated: dict[str, Variable] = {}
        for variable in ancestors(roots):
            inside = mark_of(variable) if variable not in places else None  # of a loop, for all its iterations
            if inside is not None:
                comments[variable] = inside.text
                iterated[inside.name] = variable
        names: dict[Variable, str | None] = {variable: name for name, variable in iterated.items()}
        names |= {variable: self.step_name(index) for index, variable in latest.items()}
        return {v: text for v, text in comments.items() if text}, {v: n for v, n in names.items() if n}, places

    def step_name(self, index: int) -> str | None:
        """Return the user's variable that a step was assigned to."""
        return self.graph.tape.names.get(index) or self.assigned.get(index)


_DOCS = {
    PREPARE: "Return what depends on the data alone, by argument name of the functions below.",
    LINEARIZE: "Return what depends on the point but not on the direction, by argument name of the function below.",
}


def _returning_dict(listing: Listing, names: list[str]) -> Listing:
    """Return the function with its results as a dictionary."""
    lines = (*listing.lines, *_renamed(listing, names))
    return replace(listing, lines=lines, returned=(_dictionary(names),))


def _renamed(listing: Listing, names: list[str]) -> list[str]:
    """Return the statements that give results their names where the function returns them under others."""
    return [f"{name} = {text}" for name, text in zip(names, listing.returned, strict=True) if name != text]


def _dictionary(names: Sequence[str]) -> str:
    """Return the display of a dictionary."""
    return "{" + ", ".join(f'"{name}": {name}' for name in names) + "}"


def _reads(body: str, name: str) -> bool:
    return re.search(rf"\b{name}\b", body) is not None


def _check(guard: Guard) -> Check:
    """Return the statement that raises PathChanged when a guard's answer differs."""
    if guard.kind == "ties":
        return Check("(ties := {}) > TIES", "Tied(ties)", frozenset({"TIES", "Tied"}))
    needs = {"PathChanged"}
    if guard.kind in ("bool", "finite"):
        test = "not {:.}" if guard.answer else "{}"
    elif guard.kind == "counts":
        test = "tuple({}) not in COUNTS" if guard.answer > 1 else "({},) not in COUNTS"
        needs.add("COUNTS")
    elif guard.kind in ("int", "float"):
        test = f"{guard.kind}({{}}) != {guard.answer!r}"
    else:
        test = f"not np.array_equal({{}}, {_array(np.asarray(guard.answer))})"
    location = Location.of_instruction(*guard.site) if guard.site else None
    place = f"{display_path(location.file)}:{location.line}: {location.text}" if location else ""
    return Check(test, f"PathChanged({place!r})", frozenset(needs))


def _array(value: np.ndarray) -> str:
    """Return a display of an array of any size."""
    return inline_text(value) if value.size else f"np.zeros({value.shape!r}, dtype={value.dtype.name!r})"


def _constant(value: Any) -> Code:
    return literal(value) if np.ndim(value) == 0 else expression(_array(value))
