"""One module of the derivatives of an objective, as a person would write it and hand it on.

    value_and_grad(params, *data)            value and gradient
    grad(params, *data)                      the gradient alone
    hess(params, *data)                      the Hessian
    hvp(params, direction, *data)            its product with a direction
    linearize(params, *data)                 the function of directions that gives such products
    prepare(*data)                           what the data alone decide, if that takes time

The statements are those that `Objective` runs (`execution/engines.py`): what differs is what stands around them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import pi
from typing import Any

from autoopt.errors import UsageError
from autoopt.execution.modules import executed
from autoopt.exporting.agreement import function_name, has_structure, require_same
from autoopt.exporting.apart import Names
from autoopt.exporting.elsewhere import refusals, written_for
from autoopt.exporting.functions import (
    Function,
    Printed,
    definition,
    is_read,
    names_read,
    names_set,
    renamed,
    said,
    without_repeated,
    without_unread,
)
from autoopt.exporting.headings import docstring, heading
from autoopt.exporting.inlining import inlined
from autoopt.exporting.prelude import is_dear, needed, read_together, shape_check, unpacked
from autoopt.exporting.self_test import Untested, self_test
from autoopt.exporting.signature import IMPORTS, Signature, with_defaults
from autoopt.exporting.traced import traced
from autoopt.exporting.vectors import (
    FLATTEN,
    UNFLATTEN,
    conversions,
    is_vector,
    read_directly,
    shapes_checked,
    structured,
)
from autoopt.graph.kinds import LINEARIZE, PREPARE, PUBLIC, Kind, kind_of
from autoopt.layout import laid_out
from autoopt.objectives.objective import Objective
from autoopt.tape.names import fresh

_BY_FUNCTION = {"grad": "gradient"} | {function_name(kind): name for name, kind in PUBLIC.items()}
"""The kinds of derivative by the functions that a module has of them: whoever knows these may ask for them so."""


def source(f: Callable, x0: Any, args: Any = (), derivatives: str | Sequence[str] = "gradient") -> str:
    """Return a module of NumPy code with the derivatives of `f`, which runs without autoopt.

    Its functions take what `f` takes, ``value_and_grad(params, *data)``, for data of any number of rows where that can
    be, and say so where they are written for one. They are code for ``scipy.optimize.minimize(jac=True)``,
    ``autoopt.minimize(jac=..., hess=..., hessp=...)`` and other packages; run as a program the module tests itself.

    Parameters
    ----------
    f, x0, args
        As in `minimize`.
    derivatives : str, or sequence of them
        What the module has: "value", "gradient" (functions `value_and_grad` and `grad`), "hessian" (`hess`), "hvp"
        (`hvp`, the Hessian times a direction, and `linearize`, which returns the function of directions),
        "hvp_columns" (times a matrix). Of an `f` that returns an array "jacobian", and its products with a direction,
        "jvp", and with weights, "vjp". The names of the functions will do as well.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        If `derivatives` is not understood, or mixes those of numbers and of arrays.
    """
    asked = [derivatives] if isinstance(derivatives, str) else list(derivatives)
    kinds = [kind_of(_BY_FUNCTION.get(name, name)) for name in asked]
    if len({kind.of_array for kind in kinds}) > 1:
        raise UsageError(
            f"derivatives={asked!r} are those of an objective that is a number and of one that is an array.",
            remedy=f"choose among {', '.join(sorted(PUBLIC))}, those with Jacobians apart.",
        )
    args = args if isinstance(args, tuple) else (args,)
    scalar = bool(kinds[0].order) and not kinds[0].of_array
    return module_of(traced(f, x0, with_defaults(f, args), scalar), x0, kinds, len(args))


def module_of(objective: Objective, x0: Any, kinds: Sequence[Kind], given: int) -> str:
    """Return the module of an objective whose first `given` arguments are not defaults, with these derivatives."""
    inputs = {name: given for kind in kinds for name, given in objective.inputs(kind.public or kind.name).items()}
    signature = Signature.of(objective.function, objective.args, inputs, given)
    statements = [(kind, objective.statements(kind.public or kind.name)) for kind in kinds]
    text, module = _written(objective, signature, x0, statements)
    told = written_for(module, objective, signature, inputs)
    if told:
        signature = replace(signature, fixed=(*signature.fixed, *refusals(told, signature)))
        text, _ = _written(objective, signature, x0, statements)
    return text


def _written(
    objective: Objective, signature: Signature, x0: Any, statements: Sequence[tuple[Kind, str]]
) -> tuple[str, dict[str, Any]]:
    """Return the text of a module that gives what the objective does, made of printed statements, and its names.

    Parts of vectors become those of structures as they are, if they are these.
    """
    flat = objective.dispatch.paths[0].trace.tape.steps[0].template.name
    for is_direct in (True, False):
        writer = _Writer(objective, signature, flat, is_direct)
        for kind, printed in statements:
            writer.add(kind, printed)
        text = writer.text(x0)
        module = executed(text, "exported")
        if writer.is_vector or not is_direct or has_structure(module, objective, signature):
            break
    require_same(module, objective, signature, [kind for kind, _ in statements])
    return text, module


@dataclass(frozen=True)
class _Body:
    """The statements of a function, and whether it takes what is prepared."""

    lines: list[str]
    prepared: bool


class _Writer:
    """The functions of a module under construction."""

    def __init__(self, objective: Objective, signature: Signature, flat: str, is_direct: bool) -> None:
        self.objective, self.signature = objective, signature
        self.names = Names(signature)
        self.is_direct = is_direct  # whether parts of vectors may become those of structures as they are
        self.is_vector = is_vector(objective.structure)
        self.printed_flat = flat
        self.flat = signature.parameters if self.is_vector else fresh("flat", {signature.parameters, *signature.names})
        self.imports: dict[str, None] = {"import numpy as np": None}
        self.around = _constants(signature)
        self.functions: dict[str, str] = {}
        self.prepared: list[tuple[str, ...]] = []  # what each function takes of it
        self.statements: tuple[str, ...] = ()  # of `prepare`

    def add(self, kind: Kind, statements: str) -> None:
        """Add the functions of one kind of derivative, whose statements are printed."""
        names = {PREPARE, LINEARIZE, kind.name, *_parts(kind)}
        printed = self.taken(Printed.of(statements, names))
        name = function_name(kind)
        functions = printed.functions
        if kind.directed:
            self.directed(kind, name, functions)
        elif LINEARIZE in functions:  # a matrix by its products with the unit vectors
            directed = next(kind for kind in PUBLIC.values() if kind.directed and kind.name in functions)
            functions = {**functions, LINEARIZE: _with_lengths(functions[LINEARIZE], functions[kind.name])}
            self.by_products(kind, name, *self.directed(directed, function_name(directed), functions))
        else:
            self.plain(kind, name, functions)

    def taken(self, printed: Printed) -> Printed:
        """Return what is printed, its own names such that the module can hold it beside what it has."""
        self.imports |= dict.fromkeys(printed.imports)
        new = {}
        for name, text in printed.around.items():
            if self.around.get(name, text) != text or name in self.names.users:
                new[name] = fresh(name, {*self.around, *printed.around, *self.names.users})
        around = {new.get(k, k): "\n".join(renamed(v.split("\n"), new)) for k, v in printed.around.items()}
        self.around |= around
        swap = new | ({self.printed_flat: self.flat} if self.flat != self.printed_flat else {})
        swap |= self.names.variables(printed, self.printed_flat, self.flat)
        swap |= {leaf: name for leaf, (name, _) in self.signature.leaves.items() if leaf != name}
        if PREPARE in printed.functions:
            own = [name for f in printed.functions.values() for name in (*f.arguments, *names_set(f.lines))]
            swap |= _apart(renamed(printed.functions[PREPARE].lines, swap), self.statements, set(own))
        functions = {}
        for name, function in printed.functions.items():
            lines = renamed(function.lines, swap)
            returned = tuple("\n".join(renamed([text], swap)) for text in function.returned)
            arguments = tuple(swap.get(argument, argument) for argument in function.arguments)
            functions[name] = Function(name, arguments, tuple(lines), returned)
        return Printed(printed.imports, around, _joinable(functions))

    # The statements of a function -------------------------------------------------------------------------------------

    def data(self, wanted: set[str]) -> list[str]:
        """Return the statements that name the data which are `wanted`."""
        leaves = self.signature.leaves.values()
        read = names_read(text for name, text in leaves if name in wanted)
        self.imports |= dict.fromkeys(IMPORTS[name] for name in IMPORTS if name in read)
        return [f"{name} = {text}" for name, text in leaves if name in wanted and text != name]

    def body(self, functions: Mapping[str, Function], names: Sequence[str], more: Sequence[str] = ()) -> _Body:
        """Return the statements of printed functions in turn, what they need of parameters and data ahead of them."""
        own = [line for name in names for line in functions[name].lines]
        arguments = {argument for name in names for argument in functions[name].arguments}
        ahead: list[str] = []
        dear = PREPARE in functions and is_dear(functions[PREPARE].lines)
        if PREPARE in functions:
            lines = list(functions[PREPARE].lines)
            kept = [name for name in _returned(functions[PREPARE]) if name in arguments]
            if dear:
                ahead = self.from_prepared(functions[PREPARE], kept)
                arguments -= set(functions[PREPARE].arguments) - names_read([*own, *more])
            else:
                ahead = needed(lines, set(kept)) if all(_is_one_line(line) for line in lines) else lines
                arguments |= set(functions[PREPARE].arguments) & names_read(ahead or ["0"])
        if any("zlib." in line for line in self.signature.fixed):
            self.imports["import zlib"] = None
        whole = without_repeated([*self.data(arguments), *ahead, *own])
        return _Body([*self.signature.fixed, *self.of_parameters(whole, more)], dear)

    def from_prepared(self, function: Function, kept: Sequence[str]) -> list[str]:
        """Return the statements that take what is prepared, by the caller or now."""
        self.prepared.append(tuple(kept))
        self.statements = tuple(without_repeated([*self.statements, *function.lines]))
        call = f"{PREPARE}({', '.join(self.signature.names)})"
        own = self.names.prepared
        return [f"if {own} is None:", f"    {own} = {call}", f"{', '.join(kept)} = {own}"]

    def unpacking(self, text: str) -> str:
        """Return a function that takes what is prepared by its names."""
        if len(set(self.prepared)) < 2:
            return text
        lines, own = [], self.names.prepared
        for line in text.split("\n"):
            names, equals, _ = line.partition(f" = {own}")
            if not equals or line != names + equals or tuple(names.strip().split(", ")) not in self.prepared:
                lines.append(line)
                continue
            indent = names[: len(names) - len(names.lstrip())]
            lines += [f'{indent}{name} = {own}["{name}"]' for name in names.strip().split(", ")]
        return "\n".join(lines)

    def of_parameters(self, lines: Sequence[str], more: Sequence[str] = ()) -> list[str]:
        """Return statements behind those that read the parameters."""
        size, flat, name = self.objective.size, self.flat, self.signature.parameters
        if not self.is_vector:
            direct = read_directly(lines, self.objective.structure, name, flat)
            if flat in names_read([*direct, *more]):
                return [f"{flat} = {FLATTEN}({name})", *lines]
            return [*shapes_checked(self.objective.structure, name), *read_together(direct)]
        short = None if flat in names_read([*more, "0"]) else unpacked(lines, flat, size)
        if short is not None:
            return short
        if flat not in names_read([*lines, *more]):
            return list(lines)
        return [
            f"{flat} = np.asarray({flat}, dtype=float)",
            *shape_check([*lines, *more], flat, size),
            *read_together(lines),
        ]

    def arguments(self, *between: str, prepared: bool) -> list[str]:
        """Return the arguments of a function, `between` the parameters and the data."""
        own = [self.signature.parameters, *between, *self.signature.texts]
        return [*own, "*", f"{self.names.prepared}=None"] if prepared else own

    def call(self, name: str, prepared: bool) -> str:
        """Return the call of a function with the arguments of another one."""
        own = self.names.prepared
        given = [self.signature.parameters, *self.signature.names, *([f"{own}={own}"] if prepared else [])]
        return f"{name}({', '.join(given)})"

    # Functions --------------------------------------------------------------------------------------------------------

    def plain(self, kind: Kind, name: str, functions: Mapping[str, Function]) -> None:
        """Add a function of parameters and data."""
        function = functions[kind.name]
        body = self.body(functions, [kind.name], function.returned)
        lines, returned = body.lines, list(function.returned)
        if not self.is_vector and kind.returns[-1] == "gradient":
            direct = structured(lines, returned[-1], self.objective.structure) if self.is_direct else None
            if direct is None:
                returned[-1] = f"{UNFLATTEN}({returned[-1]})"
            else:
                own = returned[-1] if returned[-1].isidentifier() else "gradient"
                lines, returned[-1] = [*direct[0], f"{own} = {direct[1]}"], own
        arguments = self.arguments(prepared=body.prepared)
        self.define(name, arguments, kind, [*lines, f"return {', '.join(returned)}"])
        if name == "value_and_grad":
            alone = self.names.called([f"return {self.call(name, body.prepared)}[1]"])
            self.functions["grad"] = definition("grad", arguments, said("Return the gradient alone."), alone)

    def directed(self, kind: Kind, name: str, functions: Mapping[str, Function]) -> tuple[str, bool]:
        """Add the function that is made at a point, of directions, and the one of both.

        Return the name of what makes the first, and whether that takes what is prepared.
        """
        product = functions[kind.name]
        is_pulled = kind.name.startswith("pullback")
        direction = self.names.weights if is_pulled else self.names.direction
        inner = [*product.lines, f"return {', '.join(product.returned)}"]
        first = [LINEARIZE] if LINEARIZE in functions else []
        taken = names_read(inner) | names_set(inner) | set(product.arguments)
        times = fresh("product", {*taken, *self.around, *self.names.users})
        functions = {**functions, kind.name: Function(kind.name, product.arguments, (), ())}
        body = self.body(functions, [*first, kind.name], inner)
        inner = _without_checks(inner, body.lines)
        if not self.is_vector and not is_pulled and kind.singly is None:
            inner = [f"{direction} = {FLATTEN}({direction})", *inner]
        if is_pulled:
            inner = renamed(inner, {self.names.direction: direction})
        if not self.is_vector and not kind.of_array and kind.singly is None:
            inner[-1] = f"return {UNFLATTEN}({inner[-1].removeprefix('return ')})"
        maker = LINEARIZE if name == "hvp" else f"{LINEARIZE}_{name}"
        text = definition(times, [direction], [], inner).split("\n")
        lines = [*body.lines, "", *text, "", f"return {times}"]
        self.define(maker, self.arguments(prepared=body.prepared), kind, lines, linearized=True)
        made = [f"return {self.call(maker, body.prepared)}({direction})"]
        self.define(name, self.arguments(direction, prepared=body.prepared), kind, made)
        return maker, body.prepared

    def by_products(self, kind: Kind, name: str, maker: str, prepared: bool) -> None:
        """Add a matrix that is made of its products with the unit vectors."""
        units = self.objective.size
        rows = f"[product(unit) for unit in np.eye({units})]"
        if not self.is_vector:
            rows = f"[{FLATTEN}(product({UNFLATTEN}(unit))) for unit in np.eye({units})]"
        matrix = f"np.array({rows})" + ("" if kind.is_symmetric else ".T")
        made = self.call(maker, prepared)
        self.define(name, self.arguments(prepared=prepared), kind, [f"product = {made}", f"return {matrix}"])

    def define(self, name: str, arguments: list[str], kind: Kind, lines: list[str], linearized: bool = False) -> None:
        """Add a function."""
        told = self.names.told(docstring(kind, self.objective, self.signature, linearized))
        self.functions[name] = definition(name, arguments, told, without_unread(self.names.called(lines)))

    def text(self, x0: Any) -> str:
        """Return the module."""
        converting, imports = conversions(self.objective.structure, self.signature.parameters, self.flat)
        self.imports |= dict.fromkeys(imports)
        texts = self.around | {f"conversion {k}": text for k, text in enumerate(converting)}
        if self.statements:
            texts[PREPARE] = self.prepare()
        parts = list(inlined(texts | {name: self.unpacking(text) for name, text in self.functions.items()}).values())
        parts += self.names.others(self.functions, parts).values()
        plain = "\n\n\n".join(["\n".join(self.imports), *parts])
        flat = self.objective.structure.flatten(x0)
        test = self_test(Untested(list(self.functions), self.is_vector, flat, self.signature.values, plain))
        head = heading(self.objective, self.signature, self.names.prepared if self.statements else "")
        body = "\n\n\n".join([*parts, *test])
        whole = "\n\n\n".join([_grouped([line for line in self.imports if is_read(line, body)]), body])
        return laid_out(f"{head}\n\n{_PI.sub('np.pi', whole)}\n")

    def prepare(self) -> str:
        """Return the function of what the data alone decide: a tuple if all take the same of it, else a dictionary."""
        lines = without_repeated([*self.data(names_read(self.statements)), *self.statements])
        names = list(dict.fromkeys(name for kept in self.prepared for name in kept))
        items = names if len(set(self.prepared)) < 2 else [f'"{name}": {name}' for name in names]
        opened, closed = ("", "") if items is names else ("{", "}")
        told = said("Return what the data alone decide, to be computed once: the functions below take it.")
        returned = f"{opened}{', '.join(items)}{closed}"
        lines = without_unread(lines, [returned])
        if lines[-1].startswith(f"{returned} = "):
            returned = lines.pop().removeprefix(f"{returned} = ")
        return definition(PREPARE, list(self.signature.texts), told, [*lines, f"return {returned}"])


def _constants(signature: Signature) -> dict[str, str]:
    """Return the arrays that the objective computes itself as constants, by name."""
    from autoopt.codegen.constants import constant_text

    return {name: f"{name} = {constant_text(value)[1]}" for name, value in signature.held.items()}


def _apart(lines: Sequence[str], known: Sequence[str], own: set[str]) -> dict[str, str]:
    """Return other names, none of their `own`, for what statements set that others, ahead of them, set otherwise."""
    said, names = set(known), names_set(known)
    taken = names | names_set(lines) | own
    swap: dict[str, str] = {}
    for line in lines if names else ():
        if not line.startswith((" ", ")", "]", "}", "#", "if ", "for ")):
            other = names_set([line]) & names if line not in said or names_read([line]) & set(swap) else set()
            swap |= {name: fresh(name, taken) for name in other if name not in swap}
    return swap


def _joinable(functions: Mapping[str, Function]) -> dict[str, Function]:
    """Return functions such that none gives a name of what is prepared to something of its own.

    Each is right by itself; but where the statements of several are one after the other, the last reads the first's.
    """
    prepared = set(_returned(functions[PREPARE])) if PREPARE in functions else set()
    taken = {name for f in functions.values() for name in (*f.arguments, *names_set(f.lines))}
    changed = dict(functions)
    for name, function in functions.items():
        clashing = names_set(function.lines) & prepared - set(function.arguments) if name != PREPARE else ()
        swap = {own: fresh(own, taken) for own in sorted(clashing)}
        returned = tuple("\n".join(renamed([text], swap)) for text in function.returned)
        changed[name] = replace(function, lines=tuple(renamed(function.lines, swap)), returned=returned)
    return changed


def _parts(kind: Kind) -> tuple[str, ...]:
    return tuple(name for name in (kind.columns, kind.rows) if name)


def _returned(function: Function) -> list[str]:
    """Return the names of what is in the dictionary that a printed function returns."""
    display = ast.parse(function.returned[0], mode="eval").body
    assert isinstance(display, ast.Dict)
    return [value.id for value in display.values if isinstance(value, ast.Name)]


def _with_lengths(function: Function, caller: Function) -> Function:
    """Return a function with the statements of its caller that make arguments of it, such as `n = len(y)`."""
    made = needed([line for line in caller.lines if _is_one_line(line)], set(function.arguments))
    arguments = dict.fromkeys([*function.arguments, *caller.arguments])
    return replace(function, arguments=tuple(arguments), lines=(*made, *function.lines))


def _without_checks(lines: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return statements without the refusals that were made before."""
    kept = list(lines)
    for k in reversed(range(len(kept) - 1)):
        pair = kept[k : k + 2]
        if pair[1].startswith("    raise ") and any(pair == list(known[j : j + 2]) for j in range(len(known) - 1)):
            del kept[k : k + 2]
    return kept


def _is_one_line(line: str) -> bool:
    return not line.startswith((" ", "if ", "for ", ")", "]", "}", "#"))


_PI = re.compile(rf"(?<![\w.]){re.escape(repr(pi))}(?![\w.])")


def _grouped(imports: Sequence[str]) -> str:
    """Return import statements, those of Python's own library first."""
    own = [line for line in imports if not any(name in line for name in ("numpy", "scipy", "pandas"))]
    others = sorted(line for line in imports if line not in own)
    return "\n\n".join("\n".join(group) for group in (own, others) if group)
