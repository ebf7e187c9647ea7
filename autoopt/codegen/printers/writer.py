"""A printed function as data, and what a printer may ask of the writer that the function is under construction in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

from pytensor.graph.basic import Variable

from autoopt.codegen.code import Code


@dataclass(frozen=True)
class Listing:
    """One function, as statements until a module joins them; and what it needs around it.

    Attributes
    ----------
    name : str
    arguments : tuple of str
    lines : tuple of str
        Its statements and their comments, but for the last one; indented as if the function were not.
    returned : tuple of str
        The expressions that it returns.
    docstring : str
    needs : frozenset of str
        What of the module's own the tests of its guards read: exceptions, numbers.
    constants : dict of str
        The expressions of arrays that it refers to by global name.
    functions : dict of Listing
        The functions that it calls, by name, those called first.
    """

    name: str
    arguments: tuple[str, ...]
    lines: tuple[str, ...]
    returned: tuple[str, ...]
    docstring: str = ""
    needs: frozenset[str] = frozenset()
    constants: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Listing] = field(default_factory=dict)

    @cached_property
    def text(self) -> str:
        """`def name(arguments): ...`, without a final blank line."""
        head = [f"def {self.name}({', '.join(self.arguments)}):"]
        head += [f'"""{self.docstring}"""'] if self.docstring else []
        return "\n    ".join([*head, *self.lines, f"return {', '.join(self.returned)}"])

    @cached_property
    def everything(self) -> str:
        """The text of the function and of those that it calls."""
        return "\n".join([*(function.text for function in self.functions.values()), self.text])

    @property
    def imports(self) -> frozenset[str]:
        """The import lines that the text needs."""
        modules = re.findall(r"\b(scipy\.\w+)\.", self.everything)
        lines = {f"import {module}" for module in modules}
        return frozenset(lines | {"import numpy as np"} if "np." in self.everything else lines)

    def calling(self, names: Mapping[str, str]) -> Listing:
        """Return the same with the functions that are called, and those of these names, under other names."""
        pattern = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b(?=[(,])")

        def renamed(texts: Iterable[str]) -> tuple[str, ...]:
            return tuple(pattern.sub(lambda found: names[found[0]], text) for text in texts)

        functions = {names[name]: function.calling(names) for name, function in self.functions.items()}
        name = names.get(self.name, self.name)
        return replace(self, name=name, lines=renamed(self.lines), returned=renamed(self.returned), functions=functions)


@dataclass(frozen=True)
class Check:
    """The statement that raises where the answer of a guard is another one.

    Attributes
    ----------
    test : str
        With `{}` for the variable that is asked.
    raised : str
        The exception.
    needs : frozenset of str
        What of the module's own this reads.
    """

    test: str
    raised: str
    needs: frozenset[str]

    def lines(self, variable: Code) -> list[str]:
        """Return the lines of the statement."""
        return [f"if {self.test.format(variable)}:", f"    raise {self.raised}"]


class Writer(Protocol):
    """The function body under construction, as printers see it.

    Attributes
    ----------
    codes : dict of Variable to Code
        What each variable is written as.
    names : dict of Variable to str
        What the text shall call some of them.
    comments : dict of Variable to str
        The user's lines.
    taken : set of str
        The names that are in use.
    constants : dict of str
        The expressions of arrays that the text refers to by global name.
    functions : dict of Listing
        The functions that this one calls.
    loops : dict
        The operations that these stand for, by name.
    """

    codes: dict[Variable, Code]
    names: dict[Variable, str]
    comments: dict[Variable, str]
    taken: set[str]
    constants: dict[str, str]
    functions: dict[str, Listing]
    loops: dict[str, Any]

    def code(self, variable: Variable) -> Code:
        """Return the expression for `variable`."""

    def named(self, variable: Variable) -> Code:
        """Return a bare name (or number) for `variable`, writing its statement if it has none yet."""

    def fresh(self, hint: str) -> str:
        """Return `hint`, numbered if it is taken, and take it."""

    def write(self, statement: str, *comments: str) -> None:
        """Append a statement below those of its comments that are news."""

    def own(self, variable: Variable, result: Variable) -> str:
        """Return the name of an array with the value of `variable` that nobody else sees, to become `result`."""

    def inner(
        self,
        name: str,
        arguments: Sequence[tuple[Variable, str]],
        results: Sequence[Variable],
        names: Mapping[Variable, str] | None = None,
        comments: Mapping[Variable, str] | None = None,
    ) -> Listing:
        """Return a function that this one calls."""


def entered(writer: Writer, listing: Listing) -> str:
    """Return the name of a function of these lines, which is entered if there is none yet."""
    for name, other in writer.functions.items():
        if other.lines == listing.lines:
            return name
    name = writer.fresh(listing.name)
    writer.functions[name] = replace(listing, name=name)
    return name
