"""Rules of products of arrays that are summed over shared axes, all in the notation of einsum."""

from __future__ import annotations

from itertools import combinations
from math import prod
from string import ascii_letters
from typing import Any

import numpy as np

from autoopt.tape import operations
from autoopt.tape.sparsity.rules import Given, Operand, Unknown, follows


def contracted(walk: Any, operands: list[Any], labels: list[str], output: str) -> np.ndarray:
    """Return what a product of operands depends on; in it each operand meets the others at shared labels.

    Parameters
    ----------
    operands : list of Operand or of arrays
    labels : list of str
        The axes of each operand, a letter each.
    output : str
        The axes of the result.
    """
    moving = [
        (walk.of(one.step), names)
        for one, names in zip(operands, labels, strict=True)
        if isinstance(one, Operand) and walk.depends(one.step)
    ]
    moving = [_without_diagonals(numbers, names) for numbers, names in moving]
    for one, other in combinations(moving, 2):
        shared = "".join(name for name in one[1] if name in other[1])
        left, right = (_over(walk, *part, shared) for part in (one, other))
        walk.interactions.between(left, right)
    result = np.zeros((1,) * len(output), dtype=np.int64)
    for numbers, names in moving:
        kept = "".join(name for name in output if name in names)
        left = _over(walk, numbers, names, kept)
        lengths = iter(left.shape)
        left = left.reshape([next(lengths) if name in names else 1 for name in output])
        result = walk.pool.union(result, left)
    return result


def _over(walk: Any, numbers: np.ndarray, names: str, kept: str) -> np.ndarray:
    """Return the unions over all axes but those in `kept`, in the order of these."""
    gone = [name for name in names if name not in kept]
    numbers = np.transpose(numbers, [names.index(name) for name in (*kept, *gone)])
    lead = numbers.shape[: len(kept)]
    return walk.pool.unions(numbers.reshape(prod(lead), -1)).reshape(lead)


def _without_diagonals(numbers: np.ndarray, names: str) -> tuple[np.ndarray, str]:
    """Return an operand with each axis once."""
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            one = names.index(name)
            other = names.index(name, one + 1)
            if numbers.shape[one] != numbers.shape[other]:
                length = max(numbers.shape[one], numbers.shape[other])
                shape = [length if k in (one, other) else size for k, size in enumerate(numbers.shape)]
                numbers = np.broadcast_to(numbers, shape)
            numbers = np.diagonal(numbers, axis1=one, axis2=other)
            names = names[:one] + names[one + 1 : other] + names[other + 1 :] + name
    return numbers, names


def _axes(walk: Any, operand: Any) -> int:
    return len(walk.steps[operand.step].shape) if isinstance(operand, Operand) else np.ndim(operand)


def _two(given: Given) -> tuple[Any, Any]:
    if len(given.args) != 2 or set(given.options) - {"dtype", "casting", "order"}:
        raise Unknown
    return given.args[0], given.args[1]


@follows(np.matmul, np.linalg.matmul)
def matmul(walk: Any, given: Given) -> np.ndarray:
    """Matrix products, stacked along the leading axes."""
    one, other = _two(given)
    first, second = _axes(walk, one), _axes(walk, other)
    if not first or not second:
        raise Unknown
    lead = ascii_letters[: max(first - 2, second - 2, 0)]
    left = lead[len(lead) - max(first - 2, 0) :] + ("YZ" if first > 1 else "Z")
    right = lead[len(lead) - max(second - 2, 0) :] + ("ZX" if second > 1 else "Z")
    output = lead + ("Y" if first > 1 else "") + ("X" if second > 1 else "")
    return contracted(walk, [one, other], [left, right], output)


@follows(np.dot)
def dot(walk: Any, given: Given) -> np.ndarray:
    """The last axis of one with the last but one of the other."""
    return _along_last(walk, given, -2)


@follows(np.inner)
def inner(walk: Any, given: Given) -> np.ndarray:
    """The last axis of both."""
    return _along_last(walk, given, -1)


def _along_last(walk: Any, given: Given, axis: int) -> np.ndarray:
    """Return the product of the last axis of one with `axis` of the other, or the only one that it has."""
    one, other = _two(given)
    first, second = _axes(walk, one), _axes(walk, other)
    left, right = list(ascii_letters[:first]), list(ascii_letters[26 : 26 + second])
    if first and second:
        left[-1] = right[max(axis, -second)] = "z"
    output = [name for name in left + right if name != "z"]
    return contracted(walk, [one, other], ["".join(left), "".join(right)], "".join(output))


@follows(np.vdot, np.outer, np.linalg.outer)
def flat(walk: Any, given: Given) -> np.ndarray:
    """Products of vectors, or of arrays taken for such."""
    one, other = _two(given)
    if _axes(walk, one) != 1 or _axes(walk, other) != 1:
        raise Unknown
    names, output = (["a", "a"], "") if given.step.operation is np.vdot else (["a", "b"], "ab")
    return contracted(walk, [one, other], names, output)


@follows(np.vecdot)
def vecdot(walk: Any, given: Given) -> np.ndarray:
    """The last axis of both, stacked along the leading ones."""
    one, other = _two(given)
    first, second = _axes(walk, one), _axes(walk, other)
    lead = ascii_letters[: max(first, second) - 1]
    return contracted(walk, [one, other], [lead[len(lead) - k + 1 :] + "Z" for k in (first, second)], lead)


@follows(np.tensordot)
def tensordot(walk: Any, given: Given) -> np.ndarray:
    """Chosen axes of both."""
    one, other = given.args[:2]
    axes = given.argument(2, "axes", 2)
    first, second = _axes(walk, one), _axes(walk, other)
    pairs = (range(first - axes, first), range(axes)) if isinstance(axes, int) else axes
    left, right = list(ascii_letters[:first]), list(ascii_letters[26 : 26 + second])
    for a, b in zip(*map(np.atleast_1d, pairs), strict=True):
        right[b] = left[a]
    summed = [left[a] for a in np.atleast_1d(pairs[0])]
    output = "".join(name for name in left + right if name not in summed)
    return contracted(walk, [one, other], ["".join(left), "".join(right)], output)


@follows(np.einsum)
def einsum(walk: Any, given: Given) -> np.ndarray:
    """As it is written."""
    subscripts, *operands = given.args
    if not isinstance(subscripts, str) or "." in subscripts:
        raise Unknown
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    labels = inputs.split(",")
    if not arrow:
        every = "".join(labels)
        output = "".join(sorted(name for name in set(every) if every.count(name) == 1))
    return contracted(walk, operands, labels, output)


@follows(np.linalg.multi_dot)
def chain(walk: Any, given: Given) -> np.ndarray:
    """A product of several matrices: what each depends on meets the others' dependences."""
    operands = list(given.args[0])
    if any(_axes(walk, one) != 2 for one in operands):
        raise Unknown
    labels = [ascii_letters[k : k + 2] for k in range(len(operands))]
    return contracted(walk, operands, labels, ascii_letters[0] + ascii_letters[len(operands)])


@follows(np.kron)
def kron(walk: Any, given: Given) -> np.ndarray:
    """All products of two entries."""
    one, other = _two(given)
    if _axes(walk, one) != 2 or _axes(walk, other) != 2:
        raise Unknown
    four = contracted(walk, [one, other], ["ac", "bd"], "abcd")
    shapes = [walk.steps[k.step].shape if isinstance(k, Operand) else np.shape(k) for k in (one, other)]
    full = (shapes[0][0], shapes[1][0], shapes[0][1], shapes[1][1])
    return np.broadcast_to(four, full).reshape(given.step.shape)


@follows(np.trace, np.linalg.trace)
def trace(walk: Any, given: Given) -> np.ndarray:
    """The sum of the diagonal of a matrix."""
    if len(given.args) != 1 or given.options or _axes(walk, given.args[0]) != 2:
        raise Unknown
    diagonal = np.diagonal(walk.spread(given.args[0].step))
    return np.array(walk.pool.all(diagonal))


@follows(operations.sparse_product, operations.sparse_transposed_product)
def sparse_product(walk: Any, given: Given) -> np.ndarray:
    """Each entry depends on what a row of the sparse matrix reads."""
    matrix = walk.value(given.args[0].step) if isinstance(given.args[0], Operand) else given.args[0]
    rows = (matrix if given.step.operation is operations.sparse_product else matrix.T).tocsr()
    source = given.args[1].step
    numbers = walk.spread(source)
    columns = numbers[:, None] if numbers.ndim == 1 else numbers
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    parts = [walk.pool.gathered(row, column[rows.indices], rows.shape[0]) for column in columns.T]
    return np.stack(parts, axis=1).reshape(given.step.shape)


@follows(np.cross, np.linalg.cross)
def cross(walk: Any, given: Given) -> np.ndarray:
    """Each of three entries reads the two others of both vectors."""
    if len(given.args) != 2 or set(given.options) - {"axis"} or given.options.get("axis", -1) != -1:
        raise Unknown
    one, other = (walk.spread(k.step) if isinstance(k, Operand) else np.zeros(np.shape(k), int) for k in given.args)
    if one.shape[-1:] != (3,) or other.shape[-1:] != (3,):
        raise Unknown
    one, other = np.broadcast_arrays(one, other)
    first, second = [1, 2, 0], [2, 0, 1]
    walk.interactions.between(one[..., first], other[..., second])
    walk.interactions.between(one[..., second], other[..., first])
    parts = [part[..., k] for part in (one, other) for k in (first, second)]
    result = parts[0]
    for part in parts[1:]:
        result = walk.pool.union(result, part)
    return result
