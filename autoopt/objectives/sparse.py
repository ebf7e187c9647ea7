"""Hessians and Jacobians by as few products as their patterns allow.

    pattern     tape/sparsity       where they may differ from 0, on the path that is taken
    colouring                       which columns one product with a vector gives at once
    products    hessp, pushforward, pullback: what is computed for one point is computed once
    entries     a gather from the products: their places are known from the first time on

The first matrix on a path is compared with one more product, in a random direction: an entry that the pattern lacks
would show. Where numbers that move with the parameters are found equal, derivatives are settled on other paths, too
(`equalities.py`), which have patterns of their own; there all columns are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from autoopt.errors import UsageError
from autoopt.objectives.blocks import LARGEST_DENSE
from autoopt.objectives.products import Products
from autoopt.objectives.sparsity import SHARE, Sparsity
from autoopt.stages import during
from autoopt.tape.sparsity import coloring, propagation
from autoopt.tape.sparsity.coloring import Coloring
from autoopt.tape.sparsity.pattern import Pattern
from autoopt.tape.tape import Tape

if TYPE_CHECKING:
    from autoopt.objectives.dispatch import Dispatch
    from autoopt.objectives.paths import Path

SAVED = 0.5
"""Products are taken for colours if these are at most this share of what they would be without."""

AT_ONCE = 200_000
"""Products of up to this many entries are taken in one sweep; larger arrays take no longer by themselves."""

KEPT = 8
"""Of how many paths the patterns are kept."""


@dataclass(eq=False)
class Compressed:
    """The pattern and the colouring of one kind of matrix on one path.

    Attributes
    ----------
    steps : list of Step
        Those of the path's tape: as long as a tape has these, and the leaves that were read are as they were, it holds.
    reading : Reading
    pattern : Pattern
    checked : bool
        Whether a matrix has been compared with a product in a direction of no colour.
    """

    kind: str
    steps: list
    reading: propagation.Reading
    pattern: Pattern
    checked: bool = False

    @cached_property
    def coloring(self) -> Coloring:
        """Which products give the matrix, and where its entries are in them."""
        return _ROWS[self.kind][1](self.pattern)

    def takes_at_most(self, products: float) -> bool:
        """Whether it takes no more products than that; what is too full for it is not coloured."""
        if self.kind == "hessian" and coloring.fewest(self.pattern) > products:
            return False
        return self.coloring.colors <= products

    def of(self, products: list[np.ndarray]) -> sparse.csr_array:
        """Return the matrix whose products with the colours are these."""
        return self.pattern.matrix(self.coloring.values(products))


_ROWS: dict[str, tuple[Callable, Callable, str, str]] = {
    "hessian": (propagation.hessian, coloring.symmetric, "hessp", "hessp"),
    "jacobian": (propagation.jacobian, coloring.of_matrix, "pushforward", "pullback"),
}
"""For each kind of matrix how its pattern is found and coloured, and the kinds of products from the right and left."""


class Patterns:
    """The patterns of an objective's paths.

    Parameters
    ----------
    dispatch : Dispatch
    known : Patterns, optional
        Those of an objective of the same code.
    """

    def __init__(self, dispatch: Dispatch, known: Patterns | None = None) -> None:
        self.dispatch = dispatch
        self._products_of: dict[str, Products] = {}
        self._kept: list[Compressed | tuple[str, list]] = [] if known is None else list(known._kept)

    def sparsity(self, kind: str) -> Sparsity:
        """Return the pattern of the path that was taken last.

        Raises
        ------
        UsageError
            If the kind is not known or not that of the objective, or there are too many entries to be listed.
        """
        if kind not in _ROWS:
            raise UsageError(f"kind={kind!r} is not understood.", remedy='choose "hessian" or "jacobian".')
        self.dispatch.compiler.require(_ROWS[kind][2])
        found = self.of(kind, self.dispatch.paths[0])
        if found is None:
            raise UsageError(
                f"The {kind} has too many entries that may differ from 0 to list them.",
                remedy="use products: `hessp`, or `autoopt.hvp`.",
            )
        pattern = found.pattern
        return Sparsity(kind, pattern.shape, pattern.indptr.copy(), pattern.indices.copy(), found.coloring.colors)

    def hessian(self, x: np.ndarray, wanted: bool | None, dense: Callable[[np.ndarray], np.ndarray]) -> Any:
        """Return the Hessian at `x`, by colours if that pays or a sparse one is wanted, else as `dense` gives it."""
        matrix = self.matrix("hessian", x, always if wanted else saves(x.size))
        return returned(dense(x) if matrix is None else matrix, wanted)

    def jacobian(self, x: np.ndarray, wanted: bool | None) -> Any:
        """Return the Jacobian at `x`, by colours if that pays or a sparse one is wanted."""
        tape = self.dispatch.tape_at(x)
        fewest = min(prod(tape.steps[tape.output].shape), x.size)
        matrix = self.matrix("jacobian", x, always if wanted else saves(fewest))
        return returned(self.dispatch.run("jacobian", x) if matrix is None else matrix, wanted)

    def of(self, kind: str, path: Path) -> Compressed | None:
        """Return the pattern of a path with its colours; None if it has too many entries to be listed."""
        tape = path.tape
        for place, known in enumerate(self._kept):
            if isinstance(known, tuple):
                if known[0] == kind and known[1] is tape.steps:
                    return None
            elif known.kind == kind and known.steps is tape.steps:
                if known.reading.holds(tape):
                    return known
                del self._kept[place]
                break
        made = _made(kind, tape)
        self._kept.insert(0, made if made is not None else (kind, tape.steps))
        del self._kept[KEPT:]
        return made

    def matrix(self, kind: str, x: np.ndarray, pays: Callable[[Compressed], bool]) -> sparse.csr_array | None:
        """Return the matrix at `x`; None where it is to be computed another way, as it is if `pays` denies it."""
        for _ in range(3):  # the path that is taken at x may be another one than that taken last
            path = self.dispatch.paths[0]
            if self.dispatch.eager is not None or path.trace.tape.equalities or path.trace.tape.caught:
                return None
            found = self.of(kind, path)
            if found is None or not pays(found):
                return None
            products = self._products(found, path, x)
            if products is None:
                continue
            matrix = found.of(products)
            if not found.checked and not self._is_right(found, matrix, path, x):
                return None
            return matrix
        return None

    def _products(self, found: Compressed, path: Path, x: np.ndarray) -> list[np.ndarray] | None:
        """Return the products with all colours; None if the objective takes another path than `path`."""
        _, _, right, left = _ROWS[found.kind]
        rows, columns = found.pattern.shape
        products: list[np.ndarray] = []
        both = (right, found.coloring.directions, rows), (left, found.coloring.adjoints, columns)
        for kind, directions, length in both:
            if directions.shape[0] * max(rows, columns) <= AT_ONCE:
                products += list(self._several(kind).at(x, directions.toarray().T, length).T)
            else:
                for direction in _each(directions):
                    products.append(self.dispatch.run(kind, x, direction))
                    if self.dispatch.paths[0] is not path:
                        return None
        return None if self.dispatch.paths[0] is not path else products

    def _several(self, kind: str) -> Products:
        """Return what takes many products of a kind at a time."""
        if kind not in self._products_of:
            self._products_of[kind] = Products(self.dispatch, f"{kind}_columns")
        return self._products_of[kind]

    def _is_right(self, found: Compressed, matrix: sparse.csr_array, path: Path, x: np.ndarray) -> bool:
        """Whether the matrix has the product that it should, with a random vector."""
        kind = _ROWS[found.kind][2]
        direction = np.random.default_rng(0).uniform(0.5, 1.0, matrix.shape[1])
        if not found.coloring.directions.shape[0]:
            kind, matrix = _ROWS[found.kind][3], matrix.T
            direction = np.random.default_rng(0).uniform(0.5, 1.0, matrix.shape[1])
        product = self.dispatch.run(kind, x, direction)
        if self.dispatch.paths[0] is not path:
            return False
        with np.errstate(all="ignore"):
            own, size = matrix @ direction, abs(matrix) @ direction
            found.checked = bool(np.all(np.abs(own - product) <= 1e-7 * (size + np.abs(product))))
        return found.checked or not np.isfinite(product).all()


@during("compiling", lambda kind, tape: f"the pattern of the {kind}")
def _made(kind: str, tape: Tape) -> Compressed | None:
    reading = _ROWS[kind][0](tape)
    return None if reading.pattern is None else Compressed(kind, tape.steps, reading, reading.pattern)


def _each(matrix: sparse.csr_array) -> Iterator[np.ndarray]:
    """Yield the rows one at a time, as arrays."""
    for first, last in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        row = np.zeros(matrix.shape[1])
        row[matrix.indices[first:last]] = matrix.data[first:last]
        yield row


def saves(products: int) -> Callable[[Compressed], bool]:
    """Return whether a colouring takes fewer products than `products`, by enough."""
    return lambda found: found.takes_at_most(SAVED * products)


def always(found: Compressed) -> bool:
    """Return that a colouring is to be used: that is asked for."""
    return True


def returned(matrix: Any, wanted: bool | None) -> Any:
    """Return a matrix as it is wanted: dense, sparse, or by its size."""
    if wanted is None:
        large = matrix.shape[0] * matrix.shape[1] > LARGEST_DENSE**2
        wanted = large and sparse.issparse(matrix) and matrix.nnz <= SHARE * matrix.shape[0] * matrix.shape[1]
    if wanted:
        return matrix if sparse.issparse(matrix) else sparse.csr_array(matrix)
    return matrix.toarray() if sparse.issparse(matrix) else matrix
