"""An objective and its gradient as LaTeX or Markdown."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.closed_form import as_arrays, by_entries, operations, places  # noqa: F401  (they fill tables)
from autoopt.closed_form.agreement import Points
from autoopt.closed_form.document import FORMATS, Document, Formulas
from autoopt.closed_form.factors import without_factors
from autoopt.closed_form.functions import condition
from autoopt.closed_form.logarithms import named_exponentials
from autoopt.closed_form.reading import NoForm, Reader, live_steps, pieces_of
from autoopt.closed_form.slopes import Slopes, opposite
from autoopt.closed_form.tree import Array, Entry, Node, Number, arrays_of, rewritten, walk
from autoopt.errors import UnsupportedFunctionError, UsageError
from autoopt.objectives.objective import Objective
from autoopt.tape.assignments import assigned_names
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.tape import PARAMETER, Tape

SHORTER = 2
"""A tape that vectorising makes shorter by this factor has loops, and is read as it is then."""


def latex(f: Callable, x0: Any, args: Any = (), format: str = "latex") -> str:
    r"""Return the model and its gradient as a statistician writes them, with the names of `f`.

    The model is written as `f` computes it on its way through its branches at x0, the gradient by the chain rule.
    Both are evaluated as they are written, and compared with the compiled value and gradient at points about x0. What
    has no formula, such as a loop in which each iteration needs the one before, is refused with its line.

    Parameters
    ----------
    f, x0, args
        As in `minimize`; `f` returns one number.
    format : "latex" or "markdown"
        Text for a LaTeX document that loads amsmath, or Markdown with formulas between `$$`.

    Returns
    -------
    str

    Raises
    ------
    UnsupportedFunctionError
        If an operation has no formula.

    Examples
    --------
    >>> import numpy as np, autoopt
    >>> def loss(w, X, y):
    ...     r = X @ w - y
    ...     return r @ r / 2
    >>> text = autoopt.latex(loss, np.zeros(2), (np.eye(2), np.ones(2)), format="markdown")
    >>> print(next(line for line in text.splitlines() if "nabla" in line))
    \nabla_{w} \ell = X^{\top} r
    """
    if format not in FORMATS:
        raise UsageError(f"format={format!r} is not understood.", remedy=f"choose one of {', '.join(FORMATS)}.")
    objective = Objective(f, x0, args if isinstance(args, tuple) else (args,))
    objective.value_and_grad(x0)
    try:
        document = Document(formulas_of(objective, x0))
        blocks = document.blocks()
    except NoForm as none:
        raise UnsupportedFunctionError(
            f"This model has no formula that autoopt could write: there is none for {none}.",
            none.where,
            remedy="use autoopt.source, which writes the derivatives as code.",
        ) from None
    title = objective.dispatch.compiler.title().partition("\n")[0].replace("Derivatives", "Model and gradient")
    notation = document.notation()
    if objective.dispatch.paths[0].trace.tape.data_decided:
        notation.append("What the code decides by its data is as it was for those that were given.")
    return FORMATS[format](title, blocks, notation)


def formulas_of(objective: Objective, x0: Any) -> Formulas:
    """Return the formulas of an objective on the path that is taken at x0, compared with what runs."""
    tape = tape_of(objective)
    structure = objective.structure
    flat = structure.flatten(x0)
    shape = np.shape(x0) if isinstance(x0, np.ndarray | float | int) else None
    names = assigned_names(tape)
    own = {k: _as_given(name) for k, name in tape.names.items() if name != "parameter"}
    pieces = pieces_of(tape, lambda k: own.get(k) or names.get(k) or "", shape)
    if pieces is None:
        whole = Array(tape.steps[0].template.name, tape.steps[0].shape, moves=True, value=(0, len(flat)))
        pieces = {0: whole}
    parameters = sorted(set(pieces.values()), key=lambda piece: piece.value)
    roots = {name: given.root or "data" for name, given in objective.inputs("gradient").items()}
    is_short = tape is not objective.dispatch.paths[0].trace.tape
    reader = Reader(tape, pieces, is_short, _origins(objective, tape), roots)
    value = reader.entry(tape.output, ())
    conditions = [_condition(reader, guard) for guard in tape.guards if tape.steps[guard.step].level == PARAMETER]
    if list(pieces) == [0]:
        parameters, value, conditions = _by_positions(parameters[0], value, conditions)
    value = named_exponentials(value)
    points = Points(objective, parameters, conditions, flat)
    for array in arrays_of(value):
        array.symmetric = points.is_symmetric(array)
    differentiated = without_factors(value, arrays_of(value))
    moving = [array for array in arrays_of(differentiated) if array.moves]
    moving = [*(piece for piece in parameters if piece not in moving), *moving]
    for held in (True, False):
        made = Formulas(value, Slopes(differentiated, moving, held), parameters, conditions)
        if points.agree(made):
            return made
    raise NoForm("the whole: what was derived does not agree with the compiled gradient")


def _as_given(name: str) -> str:
    """Return the name of a named parameter; those that Python's grammar takes are marked on the tape."""
    bare = name.removeprefix("parameter_")
    return bare if keyword.iskeyword(bare) else name


def _origins(objective: Objective, tape: Tape) -> dict[str, str]:
    """Return what arrays are, as text, that are no argument and no part of one."""
    inputs = objective.inputs("gradient")
    found = {}
    for leaf in list(tape.leaves().values())[1:]:
        known = inputs[leaf.name].expression if leaf.name in inputs else leaf.expression
        if not known or not _is_part(ast.parse(known.removesuffix(".to_numpy()"), mode="eval").body):
            found[leaf.name] = known.removesuffix(".to_numpy()")
    return found


def _is_part(node: ast.expr) -> bool:
    """Whether an expression is a name, an attribute or an item."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name)


def _by_positions(whole: Array, value: Node, conditions: list[Node]) -> tuple[list[Array], Node, list[Node]]:
    """Return parameters that are read one by one as numbers of their own, and the formulas in them."""
    arrays = arrays_of(value, *conditions)
    formulas = [value, *conditions, *(array.body for array in arrays if array.body is not None)]
    reads = [one for formula in formulas for one in walk(formula) if isinstance(one, Entry) and one.array is whole]
    if len(whole.shape) != 1 or whole.shape[0] > 12 or not all(isinstance(one.at[0], Number) for one in reads):
        return [whole], value, conditions
    own = [Array(f"{whole.name}_{k}", (), moves=True, value=(k, k + 1)) for k in range(whole.shape[0])]

    def change(one: Node) -> Node | None:
        if isinstance(one, Entry) and one.array is whole and isinstance(one.at[0], Number):
            return Entry(own[int(one.at[0].value)], ())
        return None

    for array in arrays:
        array.body = array.body and rewritten(array.body, change)
    return own, rewritten(value, change), [rewritten(one, change) for one in conditions]


def tape_of(objective: Objective) -> Tape:
    """Return the tape to read: as it was recorded, unless that has loops."""
    path = objective.dispatch.paths[0]
    recorded = path.trace.tape
    small = vectorise(path.tape)
    is_short = len(live_steps(recorded)) < SHORTER * len(live_steps(small))
    return recorded if is_short and not any(isinstance(s.operation, Recurrence) for s in recorded.steps) else small


def _condition(reader: Reader, guard: Any) -> Node:
    """Return what holds on a path, from what was decided there."""
    where = reader.tape.steps[guard.step].location
    if guard.kind != "bool":
        raise NoForm("entries that are picked by values that depend on the parameters", where)
    made = condition(reader.entry(guard.step, ()))
    return made if guard.answer else opposite(made)
