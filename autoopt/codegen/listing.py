"""A rewritten PyTensor graph as the text of one NumPy function: what gets a name, in which order, under which comment.

How one operation is written is the business of `printers/`; which operations there are, of `graph/idioms/`.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.tensor.basic import Join, MakeVector
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.shape import Shape_i
from pytensor.tensor.subtensor import IncSubtensor, Subtensor

from autoopt.codegen.aliasing import origin, owned, seen
from autoopt.codegen.code import Code, array_text, call, columns, expression, literal, sequence
from autoopt.codegen.constants import constant_text
from autoopt.codegen.conversions import Uses, is_short, uses_of_data
from autoopt.codegen.entries import displayed
from autoopt.codegen.printers.table import print_node, stem
from autoopt.codegen.printers.writer import Check, Listing
from autoopt.graph.idioms.sweep import LAST, simplify
from autoopt.graph.loops.ends import with_ends
from autoopt.graph.rewrites.written import are_apart, reads_for
from autoopt.ops.patterns import expanded, rank
from autoopt.ops.releases import SCATTERS

WIDTH = 88  # columns of an expression; with a name and an indentation it stays below 120
WRITES = (IncSubtensor, *SCATTERS)
LONG_CONSTANT = 24  # columns; a longer constant that is read twice gets a name
RESULT_NAMES = ("value", "gradient", "hessian")


def list_function(
    name: str,
    arguments: Sequence[tuple[Variable, str]],
    results: Sequence[Variable],
    *,
    names: Mapping[Variable, str] | None = None,
    comments: Mapping[Variable, str] | None = None,
    places: Mapping[Variable, int] | None = None,
    checks: Sequence[tuple[Variable, Check]] = (),
    docstring: str = "",
    data: Collection[Variable] = (),
    shared: bool = False,
    usual: bool = True,
) -> Listing:
    """Return the NumPy function that computes `results` from `arguments`.

    Parameters
    ----------
    name : str
        The function's name.
    arguments : sequence of (Variable, str)
        The graph's inputs and what the text calls them.
    results : sequence of Variable
        Returned as a tuple, or alone if there is one. Arrays among them are fresh and writable.
    names : mapping of Variable to str, optional
        What the text shall call some of the variables; these always get a statement of their own.
    comments : mapping of Variable to str, optional
        The user's line that computes a variable, written above its statement.
    places : mapping of Variable to int, optional
        The order in which the user computes some of the variables: that of their statements.
    checks : sequence of (Variable, Check), optional
        Written, in order, before anything they do not need.
    docstring : str, optional
        The function's docstring.
    data : collection of Variable, optional
        Those arguments that may be given in other types than float64.
    shared : bool, optional
        Whether results may be one array, or look at the memory of each other: nobody writes into them.
    usual : bool, optional
        Whether several results are a value, a gradient and a Hessian.

    Raises
    ------
    UnsupportedFunctionError
        If an operation has no printer.
    """
    roots = [variable for variable, _ in checks] + list(results)
    inputs = [variable for variable, _ in arguments]
    simple = simplify(inputs, roots, LAST)
    ended = with_ends(inputs, [simple[root] for root in roots])
    simple = {variable: ended.get(better, better) for variable, better in simple.items()}
    writer = _Writer(name, arguments, [simple[root] for root in roots])
    writer.comments = {_core(simple[key]): text for key, text in (comments or {}).items() if key in simple}
    writer.names = {_core(simple[key]): text for key, text in (names or {}).items() if key in simple}
    writer.places = {simple[key]: place for key, place in (places or {}).items() if key in simple}
    writer.convert(uses_of_data(data, [simple[root] for root in roots]))
    writer.name_results([simple[result] for result in results], usual)
    for variable, check in checks:
        writer.compute([simple[variable]])
        writer.lines += check.lines(writer.code(simple[variable]))
    returned = writer.finish([simple[result] for result in results], shared)
    needs = frozenset(name for _, check in checks for name in check.needs)
    texts = tuple(text for _, text in arguments)
    listing = Listing(
        name,
        texts,
        tuple(displayed(without_unread(writer.lines, returned), WIDTH + 8)),
        returned,
        docstring,
        needs,
        {},
        writer.functions,
    )
    used = set(re.findall(r"\w+", listing.everything))
    return replace(listing, constants={k: v for k, v in writer.constants.items() if k in used})


_STATEMENT = re.compile(r"(\w+) = (?!.*:=)")


def without_unread(lines: Sequence[str], returned: Sequence[str]) -> list[str]:
    """Return the statements of a function without those of one line that only name what nothing reads."""
    read = Counter(word for line in [*lines, *returned] if not line.startswith("#") for word in _WORD.findall(line))
    kept = list(lines)
    for k in reversed(range(len(kept))):
        target = _STATEMENT.match(kept[k])
        if target and read[target[1]] == 1 and not (k + 1 < len(kept) and kept[k + 1].startswith((" ", ")"))):
            read.subtract(_WORD.findall(kept.pop(k)))
    return kept


_WORD = re.compile(r"[^\W\d]\w*")


def _core(variable: Variable) -> Variable:
    """Return the array that `variable` shows with unit axes inserted, if it does."""
    pair = expanded(variable)
    return pair[1] if pair and pair[1].owner else variable


class _Writer:
    """The function body under construction."""

    def __init__(self, name: str, arguments: Sequence[tuple[Variable, str]], roots: Sequence[Variable]) -> None:
        self.function = name
        self.inputs = [variable for variable, _ in arguments]
        self.codes = {variable: Code(text) for variable, text in arguments}
        self.taken = {name, "np", "scipy", *dir(builtins), *keyword.kwlist, *(text for _, text in arguments)}
        self.uses = _count_uses(self.inputs, roots)
        self.pending: dict[Variable, list[str]] = {}  # computed where used; with the comments that go with them
        self.settled: set[Apply] = set()
        self.names: dict[Variable, str] = {}
        self.converted: dict[Apply, dict[Variable, Code]] = {}
        self.comments: dict[Variable, str] = {}
        self.places: dict[Variable, int] = {}
        self.constants: dict[str, str] = {}
        self.functions: dict[str, Listing] = {}
        self.loops: dict[str, object] = {}
        self.lines: list[str] = []
        self.comment: str | None = None

    def convert(self, uses: Uses) -> None:
        """Have arguments converted to float64: where they are read, if that is one place, else once for all."""
        for variable, nodes in uses.items():
            name = self.codes[variable]
            code = call("np.asarray", name, "dtype=float") if rank(variable) else call("np.float64", name)
            if len(nodes) == 1 and nodes[0] is not None and is_short(nodes[0]):
                self.converted.setdefault(nodes[0], {})[variable] = code
            else:
                self.lines.append(f"{name} = {code}")

    def printed(self, node: Apply) -> Code:
        """Return the expression of one node."""
        converted = self.converted.get(node, {})
        plain = {variable: self.codes[variable] for variable in converted}
        self.codes |= converted
        try:
            return print_node(self, node)
        finally:
            self.codes |= plain

    def compute(self, variables: Sequence[Variable]) -> None:
        """Write the statements that `variables` need: what the user computes in the user's order, then the rest."""
        needed = set(ancestors(variables, blockers=self.inputs))
        users = sorted(needed.intersection(self.places), key=self.places.__getitem__)
        for node in io_toposort(self.inputs, [*users, *variables][::-1]):
            if node not in self.settled:
                self.settled.add(node)
                self.settle(node)

    def settle(self, node: Apply) -> None:
        """Write one node: as an expression kept for its only use, or as a statement."""
        code = self.printed(node)
        while columns(code.text) > WIDTH and self.shorten(node):
            code = self.printed(node)
        if len(node.outputs) > 1:
            self.unpack(node, code)
            return
        output = node.outputs[0]
        if output in self.codes:  # the printer wrote the statements itself
            return
        self.codes[output] = code
        inlined = [line for v in node.inputs for line in self.pending.get(v, ())]
        own = self.comments.get(output)
        self.pending[output] = [own] if own and not isinstance(node.op, DimShuffle | Subtensor | Shape_i) else inlined
        if code.is_simple or (output not in self.names and self.free(node)):
            return
        if output in self.names or self.uses[output] > 1 or columns(code.text) > WIDTH:
            self.named(output)

    def free(self, node: Apply) -> bool:
        """True if the node only looks at a name, so that it may be written again at each use."""
        if isinstance(node.op, MakeVector) and node.op.dtype == "int64":  # a shape; its readers take the elements
            return all(self.named(v).is_simple or isinstance(v.owner.op, Shape_i) for v in node.inputs)
        if not isinstance(node.op, DimShuffle | Shape_i | Subtensor):
            return False
        limit = 2 if isinstance(node.op, Subtensor) else 6
        if self.uses[node.outputs[0]] == 1:
            return True
        if self.uses[node.outputs[0]] > limit or columns(self.codes[node.outputs[0]].text) > 24:
            return False
        base = self.named(node.inputs[0])
        self.pending[node.outputs[0]] = []  # the comments stand above the base
        self.codes[node.outputs[0]] = print_node(self, node)
        return base.is_simple

    def shorten(self, node: Apply) -> bool:
        """Give a name to the longest operand, to the number itself of a vector of one; False if all have one."""
        waiting = [v for v in node.inputs if v in self.pending and not self.codes[v].is_simple]
        if isinstance(node.op, Join):
            numbers = {v: v.owner.inputs[0] for v in waiting if isinstance(v.owner.op, DimShuffle)}
            single = {v: number for v, number in numbers.items() if not rank(number)}
            open_ = {v: n for v, n in single.items() if n in self.pending and not self.codes[n].is_simple}
            longest = max(open_, key=lambda v: columns(self.codes[v].text), default=None)
            waiting = [v for v in waiting if v not in single]
            others = max((columns(self.codes[v].text) for v in waiting), default=0)
            if longest is not None and columns(self.codes[longest].text) >= max(16, others):
                self.named(single[longest])
                self.codes[longest], self.pending[longest] = print_node(self, longest.owner), []
                return True
        longest = max(waiting, key=lambda v: columns(self.codes[v].text), default=None)
        if longest is None or columns(self.codes[longest].text) < 16:
            return False
        self.named(longest)
        return True

    def code(self, variable: Variable) -> Code:
        """Return the expression for `variable`."""
        if variable not in self.codes and isinstance(variable, Constant):
            if rank(variable) == 0:
                return literal(variable.data)
            self.codes[variable] = expression(self.constant(variable))
        return self.codes[variable]

    def constant(self, variable: Constant) -> str:
        """Return a constant array as text, or the global name that a large one goes under."""
        value = np.asarray(variable.data)
        text = array_text(value)
        if text is not None:
            if columns(text) < LONG_CONSTANT or self.uses[variable] < 2 or value.dtype.kind not in "fi":
                return text
            name = self.fresh("index" if value.dtype.kind == "i" else self.hint(variable))
            self.write(f"{name} = {text}")
            return name
        word, text = constant_text(value)
        name = self.fresh(f"{self.function}_{word}")
        self.constants[name] = text
        return name

    def named(self, variable: Variable) -> Code:
        """Return a bare name (or number) for `variable`, writing its statement if it has none yet."""
        code = self.code(variable)
        if code.is_simple or variable not in self.pending:
            return code
        name = self.fresh(self.hint(variable))
        self.write(f"{name} = {code}", *self.pending.pop(variable))
        self.codes[variable] = Code(name)
        return self.codes[variable]

    @staticmethod
    def inner(
        name: str,
        arguments: Sequence[tuple[Variable, str]],
        results: Sequence[Variable],
        names: Mapping[Variable, str] | None = None,
        comments: Mapping[Variable, str] | None = None,
    ) -> Listing:
        """Return a function that this one calls."""
        return list_function(name, arguments, results, names=names, comments=comments, usual=False)

    def hint(self, variable: Variable) -> str:
        """Return what a person might call `variable`."""
        if variable in self.names:
            return self.names[variable]
        if variable.name and variable.name.isidentifier():
            return variable.name
        if variable.owner is None:
            return "constant"
        return stem(variable.owner, [self.code(v) for v in variable.owner.inputs]).split()[0]

    def fresh(self, hint: str) -> str:
        """Return `hint`, numbered if it is taken, and take it."""
        name, count = ("t1" if hint == "t" else hint), 1
        while name in self.taken:
            count += 1
            name = f"{hint}{count}" if not hint[-1].isdigit() else f"{hint}_{count}"
        self.taken.add(name)
        return name

    def write(self, statement: str, *comments: str) -> None:
        """Append a statement below those of its comments that are news."""
        self.note(*comments)
        self.lines += statement.split("\n")

    def note(self, *comments: str) -> None:
        """Append the comments that are news."""
        for comment in dict.fromkeys(comments):
            if comment != self.comment:
                self.lines.append(f"# {comment}")
                self.comment = comment

    def unpack(self, node: Apply, code: Code) -> None:
        """Write the statement of a node of several outputs."""
        stems = stem(node, []).split()
        stems = stems if len(stems) == len(node.outputs) else stems[:1] * len(node.outputs)
        hints = [self.names.get(v) or v.name or word for v, word in zip(node.outputs, stems, strict=True)]
        targets = [self.fresh(hint) if self.uses[v] else "_" for v, hint in zip(node.outputs, hints, strict=True)]
        self.codes |= {v: Code(target) for v, target in zip(node.outputs, targets, strict=True)}
        comments = [self.comments[v] for v in node.outputs if v in self.comments]
        self.write(f"{sequence(targets)[1:-1]} = {code}", *comments)

    def alone(self, variable: Variable) -> bool:
        """True if `variable` is a new array, or a view of one, that only one operation reads."""
        if not owned(variable):
            return False
        base = origin(variable)
        while variable is not base and self.uses[variable] == 1:
            below = seen(variable)
            assert below is not None
            variable = below
        return variable is base and self.uses[base] == 1

    def own(self, variable: Variable, result: Variable) -> str:
        """Return the name of an array with the value of `variable` that nobody else sees, to become `result`."""
        code = self.code(variable)
        if self.alone(variable) or _is_only_moved(variable, result.owner, self.uses):
            return self.named(variable).text
        name = self.fresh(self.hint(result))
        made = isinstance(variable, Constant) and not code.is_name  # anew by each expression
        self.write(f"{name} = {code}" if made else f"{name} = {code:.}.copy()", *self.pending.pop(variable, ()))
        return name

    def name_results(self, results: Sequence[Variable], usual: bool) -> None:
        """Name several results after their ranks, and an array that is filled in steps after what it becomes."""
        usual = usual and len(results) > 1 and rank(results[0]) == 0
        for result in results:
            name = RESULT_NAMES[rank(result)] if usual and rank(result) < 3 else "result"
            if result.owner and (usual or isinstance(result.owner.op, WRITES)) and name not in self.names.values():
                self.names.setdefault(result, name)
        for node in reversed(io_toposort(self.inputs, results)):
            result = node.outputs[0]
            if isinstance(node.op, WRITES) and result in self.names:
                array = node.inputs[0]
                if self.alone(array):
                    self.names.setdefault(array, self.names[result])

    def finish(self, results: Sequence[Variable], shared: bool) -> tuple[str, ...]:
        """Write what the results need, and return the expressions to be returned."""
        returned: list[str] = []
        comments: list[str] = []
        seen: set[Variable] = set()
        for result in results:
            self.compute([result])
            code, base = self.code(result), origin(result)
            is_another = (base in seen and not shared) or base in self.inputs or not owned(result)
            if rank(result) and is_another and not (shared and result in seen):
                code = self.codes[result] = Code(f"{code:.}.copy()")
                self.pending.setdefault(result, [])
            seen.add(base)
            if shared:
                seen.add(result)
            if len(results) > 1 and not code.is_simple and columns(code.text) > 30:
                code = self.named(result)
            returned.append(code.text)
            comments += self.pending.get(result, [])
        self.note(*comments)
        return tuple(returned)


def _count_uses(inputs: Sequence[Variable], roots: Sequence[Variable]) -> Counter[Variable]:
    """Return how often each variable is read on the way to `roots`."""
    uses = Counter(roots)
    for node in io_toposort(inputs, roots):
        uses.update(node.inputs)
    return uses


def _is_only_moved(array: Variable, write: Apply, uses: Mapping[Variable, int]) -> bool:
    """True if nothing reads a new array but a write of one part of it into another, as at the edges of a grid."""
    if not isinstance(write.op, IncSubtensor) or not owned(array, deep=False):
        return False
    reads = reads_for(write.inputs[1], array, lambda v: uses[v] == 1)
    return uses[array] == len(reads) + 1 and all(are_apart(write, read) for read in reads)
