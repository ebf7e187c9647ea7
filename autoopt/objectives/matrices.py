"""The Hessian and the Jacobian of an objective: derived as a whole, or by few products where patterns allow it."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.objectives.blocks import LARGEST_DENSE
from autoopt.objectives.curvatures import is_that_of_gradient
from autoopt.objectives.dispatch import Dispatch
from autoopt.objectives.products import Products

if TYPE_CHECKING:
    from autoopt.objectives.sparse import Patterns
    from autoopt.objectives.sparsity import Sparsity

FEW = 32
"""Up to so many products are sooner made than saved."""

MOST = 200
"""Up to so many products are made in place of a Hessian that is not finite."""


class Matrices:
    """The matrices of derivatives of one objective.

    Parameters
    ----------
    dispatch : Dispatch
    products : Products
        Those of the Hessian.
    like : Matrices, optional
        Those of an objective of the same code, whose patterns are known.
    """

    def __init__(self, dispatch: Dispatch, products: Products, like: Matrices | None = None) -> None:
        self.dispatch, self._products = dispatch, products
        self._known: Patterns | None = None if like is None else like.__dict__.get("_patterns", like._known)

    def hessian(self, x: np.ndarray, sparse: bool | None) -> Any:
        """Return the Hessian, as an array or sparse as `sparse` says, or its size."""
        if sparse or (sparse is None and x.size > LARGEST_DENSE) or self._is_by_columns(x.size):
            return self._patterns.hessian(x, sparse, self._whole)
        return self._whole(x)

    def jacobian(self, x: np.ndarray, sparse: bool | None) -> tuple[Any, tuple[int, ...]]:
        """Return the Jacobian, likewise, and the shape of the objective's result."""
        tape = self.dispatch.tape_at(x)
        rows = prod(tape.steps[tape.output].shape)
        if sparse or (min(rows, x.size) > FEW and rows * x.size > LARGEST_DENSE**2):
            matrix = self._patterns.jacobian(x, sparse)
        else:
            matrix = self.dispatch.run("jacobian", x)
        tape = self.dispatch.tape_at(x)
        return matrix, tape.steps[tape.output].shape

    def sparsity(self, kind: str) -> Sparsity:
        """Return where a matrix may differ from 0 on the path that was taken last."""
        return self._patterns.sparsity(kind)

    def _whole(self, x: np.ndarray) -> np.ndarray:
        """Return the Hessian; where it is not finite its products, if these are, which multiply in another order.

        Entries that an infinite one made NaN are taken from beyond the diagonal.
        """
        hessian = self.dispatch.run("hess", x)
        path = self.dispatch.paths[0]
        if path.second is None and not self.dispatch.compiler.compiled(path, "hess").by_products:
            path.second = is_that_of_gradient(self.dispatch, x, hessian)
        if path.second is False:
            return self._by_products(x)
        finite = np.isfinite(hessian)
        if finite.all():
            return hessian
        unknown = np.isnan(hessian)
        hessian = np.where(unknown, hessian.T, hessian)
        if x.size > MOST or self.dispatch.compiler.compiled(self.dispatch.paths[0], "hess").by_products:
            return hessian
        products = self._by_products(x)
        return products if np.isfinite(products).sum() > finite.sum() else hessian

    def _by_products(self, x: np.ndarray) -> np.ndarray:
        """Return the Hessian by its products with the unit vectors."""
        return self._products.at(x, np.eye(x.size))

    def _is_by_columns(self, size: int) -> bool:
        """Whether the Hessian is not derived as a whole, so that few products may do in place of n."""
        return size > FEW and self.dispatch.compiler.compiled(self.dispatch.paths[0], "hess").by_products

    @cached_property
    def _patterns(self) -> Patterns:
        """The patterns of the paths, found when first asked for."""
        from autoopt.objectives.sparse import Patterns  # loads scipy.sparse

        return Patterns(self.dispatch, self._known)
