"""How rows go through NumPy's functions: the axis of the rows in the result, or how results of blocks are combined.

np.exp(z), z + 1.0              rows stay where they are
X @ w                           in the axis of X that is not summed over
X.T @ r                         "sum": both have their rows along the axis that is summed over
Z.max(axis=1)                   rows stay, axis 0;          Z.max(axis=0)      "max"
a[group]                        where the positions have theirs
X[0], np.cumsum(z), X[order]    mixed: what is in one row depends on others
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Any

import numpy as np

from autoopt.execution.blocks.values import NotInBlocks, Value, flat

Outcome = int | str
"""The axis of the rows, or how the results of blocks are combined."""


@dataclass(frozen=True)
class Operation:
    """A call of which an operand has rows.

    Attributes
    ----------
    function : callable
    args : tuple of Value
    options : mapping of str to Value
    result
        What it is for the sampled rows.
    rows : int
        How many these are.
    """

    function: Callable
    args: tuple[Value, ...]
    options: Mapping[str, Value]
    result: Any
    rows: int

    @property
    def moving(self) -> list[Value]:
        """The operands that have rows."""
        return [value for value in flat((*self.args, *self.options.values())) if value.axis is not None]

    def option(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument that is a plain value, by place or name."""
        value = self.args[place] if place < len(self.args) else self.options.get(name)
        if value is None:
            return default
        if not value.is_free:
            raise NotInBlocks(f"{name} of {self.name} depends on the rows")
        return value.sample

    @property
    def name(self) -> str:
        """What the function is called."""
        return getattr(self.function, "__name__", str(self.function))

    def only(self, *names: str) -> None:
        """Refuse options of other names."""
        if other := set(self.options) - set(names):
            raise NotInBlocks(f"{self.name} with {', '.join(sorted(other))}")


Rule = Callable[[Operation], Outcome]
RULES: dict[Any, Rule] = {}
"""By function; ufuncs are elementwise without a row here."""


def outcome(operation: Operation) -> Outcome:
    """Return where the rows are in the result of a call, or how results are combined.

    Raises
    ------
    NotInBlocks
        If it mixes rows, or is not known.
    """
    try:
        rule = RULES.get(operation.function)
    except TypeError:
        rule = None
    rule = rule or NAMES.get(operation.name)
    if rule is None and isinstance(operation.function, np.ufunc) and operation.function.nout == 1:
        rule = elementwise if operation.function.signature is None else None
    if rule is None:
        raise NotInBlocks(f"{operation.name} of rows is not known to treat each by itself")
    return rule(operation)


def covers(*functions: Any) -> Callable[[Rule], Rule]:
    """Enter the decorated rule for functions."""

    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(functions, rule))
        return rule

    return enter


@covers(np.where, np.clip, np.round, np.around, np.nan_to_num, np.isclose, np.real, np.fix, np.sinc,
        np.zeros_like, np.ones_like, np.full_like, np.empty_like)  # fmt: skip
def elementwise(operation: Operation) -> int:
    """Entry by entry, after broadcasting."""
    operation.only("dtype")
    right = {value.from_right for value in operation.moving}
    if len(right) > 1:
        raise NotInBlocks(f"{operation.name} of rows along different axes")
    (axis,) = right
    for value in flat(operation.args):
        if value.axis is None and value.array.ndim >= -axis and value.array.shape[axis] not in (1,):
            raise NotInBlocks(f"{operation.name} of rows with an array that has none")
    return axis + np.ndim(operation.result)


# Reductions and what goes along one axis ------------------------------------------------------------------------------

_REDUCTIONS = {
    "sum": (np.sum, np.add.reduce, np.count_nonzero),
    "max": (np.max, np.maximum.reduce),
    "min": (np.min, np.minimum.reduce),
    "all": (np.all,),
    "any": (np.any,),
    "mean": (np.mean,),
    "": (np.prod, np.argmax, np.argmin, np.std, np.var, np.median, np.linalg.norm, np.ptp),
}


def axes_of(operation: Operation, default: Any = None) -> tuple[int, ...]:
    """Return the axes that a reduction goes along."""
    ndim = operation.args[0].array.ndim
    place = 2 if operation.function is np.linalg.norm else 1
    axis = operation.option(place, "axis", default)
    return tuple(range(ndim)) if axis is None else tuple(int(k) % ndim for k in np.atleast_1d(axis))


def _reduced(how: str) -> Rule:
    def rule(operation: Operation) -> Outcome:
        operation.only("axis", "keepdims", "ddof", "ord")
        value = operation.args[0]
        if value.axis is None:
            raise NotInBlocks(f"{operation.name} with options that depend on the rows")
        axes = axes_of(operation, 0 if operation.name == "reduce" else None)
        if value.axis in axes:
            if not how:
                raise NotInBlocks(f"{operation.name} over the rows")
            return how
        if operation.option(9, "keepdims", False):
            return value.axis
        return value.axis - sum(axis < value.axis for axis in axes)

    return rule


for _how, _functions in _REDUCTIONS.items():
    RULES.update(dict.fromkeys(_functions, _reduced(_how)))


@covers(np.cumsum, np.cumprod, np.sort, np.argsort, np.diff)
def along(operation: Operation) -> int:
    """Along one axis, each line by itself."""
    operation.only("axis")
    value = operation.args[0]
    default = -1 if operation.function in (np.sort, np.argsort, np.diff) else None
    axis = operation.option(2 if operation.function is np.diff else 1, "axis", default)
    if value.axis is None or axis is None or int(axis) % value.array.ndim == value.axis:
        raise NotInBlocks(f"{operation.name} along the rows")
    return value.axis


# Entries that move ----------------------------------------------------------------------------------------------------


def labels(value: Value, rows: int) -> np.ndarray:
    """Return the number of the row of each entry of a value; -1 for what has none."""
    shape = value.array.shape
    if value.axis is None:
        return np.full(shape, -1)
    return np.broadcast_to(np.arange(rows).reshape([-1 if k == value.axis else 1 for k in range(len(shape))]), shape)


def axis_of_labels(found: np.ndarray, rows: int) -> int | None:
    """Return the axis along which entries are of the rows in order; None if there is none."""
    for axis, length in enumerate(found.shape):
        if length == rows:
            wanted = np.arange(rows).reshape([-1 if k == axis else 1 for k in range(found.ndim)])
            if (found == wanted).all():
                return axis
    return None


@covers(np.reshape, np.transpose, np.expand_dims, np.squeeze, np.concatenate, np.stack, np.hstack, np.vstack,
        np.column_stack, np.broadcast_to, np.moveaxis, np.swapaxes, np.ravel, np.asarray, np.array, np.copy,
        np.ascontiguousarray, np.flip, np.roll, np.repeat, np.tile, np.take, np.diagonal, np.atleast_1d,
        np.atleast_2d, np.triu, np.tril, np.rot90, np.append)  # fmt: skip
def moved(operation: Operation) -> int:
    """Entries elsewhere, or several times: it is done to the numbers of their rows, which show where these are."""
    if operation.function in (np.triu, np.tril) and operation.args[0].array.ndim > 2:
        raise NotInBlocks(f"{operation.name} of rows")

    def labelled(value: Value) -> Any:
        if value.parts is not None:
            return [labelled(part) for part in value.parts]
        return labels(value, operation.rows) if value.axis is not None else value.sample

    options = {name: value.sample for name, value in operation.options.items() if name != "dtype"}
    if any(not value.is_free for value in operation.options.values()):
        raise NotInBlocks(f"{operation.name} with options that depend on the rows")
    first, *rest = operation.args
    if first.is_free or any(not value.is_free for value in rest):
        raise NotInBlocks(f"{operation.name} by what depends on the rows")
    if first.parts is not None and any(part.axis is None for part in flat(first.parts)):
        first = _spread(first, operation.rows)
    found = operation.function(labelled(first), *(value.sample for value in rest), **options)
    axis = axis_of_labels(np.asarray(found), operation.rows)
    if axis is None:
        raise NotInBlocks(f"{operation.name} changes the order of the rows")
    return axis


def _spread(value: Value, rows: int) -> Value:
    """Refuse what has no rows beside what has some, which would have to be as long as the data."""
    raise NotInBlocks("rows beside what has none")


@covers(np.linalg.solve, np.linalg.inv, np.linalg.det, np.linalg.cholesky)
def stacked(operation: Operation) -> int:
    """Matrices of a stack, each by itself."""
    operation.only()
    for value in operation.args:
        if value.axis is not None and (value.axis != 0 or value.array.ndim < 3):
            raise NotInBlocks(f"{operation.name} of a matrix whose rows are those of the data")
        if value.axis is None and value.array.ndim >= 3 and value.array.shape[0] != 1:
            raise NotInBlocks(f"{operation.name} of rows with a stack that has none")
    return 0


NAMES: dict[str, Rule] = dict.fromkeys(("polygamma", "multigammaln", "comb", "zeta"), elementwise)
"""By the name of a function of SciPy, which need not be loaded for this."""


def columns(operation: Operation) -> int:
    """The columns of a right-hand side, each by itself, where the matrix has no rows."""
    matrix, right = operation.args[:2]
    if not matrix.is_free or right.axis != 1 or right.array.ndim != 2 or operation.options.get("overwrite_b"):
        raise NotInBlocks(f"{operation.name} of a matrix whose rows are those of the data")
    return 1


NAMES |= dict.fromkeys(("solve_triangular", "cho_solve"), columns)


# Products -------------------------------------------------------------------------------------------------------------


@covers(np.matmul, np.dot, np.inner, np.vdot, np.outer, np.einsum, np.tensordot)
def contracted(operation: Operation) -> Outcome:
    """Products that are summed over axes: rows are summed over, or stay, where all operands have them there."""
    operation.only("axes", "optimize")
    operands, names, output = _letters(operation)
    found = {name[value.axis] for value, name in zip(operands, names, strict=True) if value.axis is not None}
    if len(found) != 1:
        raise NotInBlocks(f"{operation.name} of each row with each")
    (letter,) = found
    for value, name in zip(operands, names, strict=True):
        if value.axis is None and letter in name:
            raise NotInBlocks(f"{operation.name} of rows with an array that has none")
        if name.count(letter) > 1:
            raise NotInBlocks(f"{operation.name} of a diagonal")
    return output.index(letter) if letter in output else "sum"


def _letters(operation: Operation) -> tuple[Sequence[Value], list[str], str]:
    function, args = operation.function, operation.args
    if function is np.einsum:
        text = args[0].sample
        if not isinstance(text, str) or "->" not in text or "." in text:
            raise NotInBlocks("np.einsum in another form than 'ij,jk->ik'")
        left, output = text.replace(" ", "").split("->")
        return args[1:], left.split(","), output
    one, other = args[0], args[1]
    first, second = one.array.ndim, other.array.ndim
    if function is np.tensordot:
        count = operation.option(2, "axes", 2)
        if not isinstance(count, int | np.integer):
            raise NotInBlocks("np.tensordot over named axes")
        left = ascii_letters[:first]
        right = left[first - count :] + ascii_letters[first : first + second - count]
        return (one, other), [left, right], left[: first - count] + right[count:]
    if function is np.outer and first == second == 1:
        return (one, other), ["a", "b"], "ab"
    if function is np.vdot and one.array.shape == other.array.shape:
        return (one, other), [ascii_letters[:first]] * 2, ""
    if function in (np.inner, np.vdot) and (first, second) != (1, 1):
        raise NotInBlocks(f"{operation.name} of matrices")
    if function is np.dot and max(first, second) > 2:
        raise NotInBlocks("np.dot of stacks")
    if 0 in (first, second):
        raise NotInBlocks(f"{operation.name} of a number")
    return (one, other), *_matrix_product(one.array.shape, other.array.shape)


def _matrix_product(first: Sequence[int], second: Sequence[int]) -> tuple[list[str], str]:
    """Return the letters of the axes of `a @ b`: z is summed over, capitals count the matrices of a stack."""
    row, column = ("" if len(first) == 1 else "a"), ("" if len(second) == 1 else "b")
    stack = max(len(first), len(second)) - 2
    capitals = ascii_letters[26 : 26 + max(stack, 0)]
    one = _stack(first[:-2], capitals, "u") + row + "z"
    other = _stack(second[:-2], capitals, "v") + "z" + column
    return [one, other], capitals + row + column


def _stack(shape: Sequence[int], capitals: str, stretched: str) -> str:
    """Return letters for the axes ahead of a matrix: one of its own for what is stretched."""
    names = capitals[len(capitals) - len(shape) :] if shape else ""
    return "".join(stretched if length == 1 else name for name, length in zip(names, shape, strict=True))


@covers(np.bincount)
def counted(operation: Operation) -> str:
    """Sums by groups, of so many groups whatever the rows."""
    operation.only("weights", "minlength")
    least = operation.option(2, "minlength", 0)
    if len(operation.result) != least:
        raise NotInBlocks("np.bincount whose length goes by the rows")
    return "sum"


# Positions ------------------------------------------------------------------------------------------------------------


def whole(index: Value) -> list[Value]:
    """Return what stands between the brackets, one by one."""
    return list(index.parts) if index.parts is not None else [index]


def indexed(base: Value, index: Value, result: Any, rows: int) -> int:
    """Return the axis of the rows in `base[index]`.

    Raises
    ------
    NotInBlocks
        If rows are picked, left out or put in another order.
    """
    items = _expanded(base, whole(index))
    if base.axis is None:
        return _looked_up(items, rows)
    place = -1
    for item in items:
        if item.sample is not None:
            place += 1
        if place == base.axis and item.sample is not None:
            own = item
            break
    if own.is_positions:
        if any(item.axis is not None and item.array.ndim != 1 for item in items):
            raise NotInBlocks("positions in several axes")
    elif isinstance(own.sample, slice) and own.is_free and own.sample == slice(None):
        if any(item.axis is not None for item in items):
            raise NotInBlocks("each row with each")
    elif own.array.dtype.kind == "b":
        raise NotInBlocks("a selection of the rows")
    else:
        raise NotInBlocks("it picks rows by their number")
    found = labels(base, rows)[tuple(item.sample for item in items)]
    axis = axis_of_labels(np.asarray(found), rows)
    if axis is None:
        raise NotInBlocks("it changes the order of the rows")
    return axis


def _expanded(base: Value, items: Sequence[Value]) -> list[Value]:
    """Return what stands between the brackets with slices for what is left out."""
    taken = sum(1 for item in items if item.sample is not None and item.sample is not Ellipsis)
    rest = [Value(slice(None))] * (base.array.ndim - taken)
    for k, item in enumerate(items):
        if item.sample is Ellipsis:
            return [*items[:k], *rest, *items[k + 1 :]]
    return [*items, *rest]


def _looked_up(items: Sequence[Value], rows: int) -> int:
    """Return where the rows are in what positions that have rows pick out of an array that has none."""
    moving = [item for item in items if item.axis is not None]
    if any(item.array.dtype.kind == "b" for item in moving):
        raise NotInBlocks("a selection of the rows")
    right = {item.from_right for item in moving}
    if len(right) != 1:
        raise NotInBlocks("positions along different axes")
    (axis,) = right
    advanced = [k for k, item in enumerate(items) if not isinstance(item.sample, slice) and item.sample is not None]
    shape = np.broadcast_shapes(*(np.shape(items[k].sample) for k in advanced))
    for k in advanced:
        own = np.shape(items[k].sample)
        if items[k].axis is None and len(own) >= -axis and own[axis] != 1:
            raise NotInBlocks("positions of rows beside others")
    together = advanced[-1] - advanced[0] + 1 == len(advanced)
    return (advanced[0] if together else 0) + len(shape) + axis
