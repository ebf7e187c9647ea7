"""The objective with its derivatives: compiled for each path through its branches, when first used.

This is the public face. Which path holds at a point is for `dispatch.py`, what a path gives there for `evaluation.py`,
and the user's own function for `original.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.graph.kinds import kind_of
from autoopt.objectives.along_tape import product_at
from autoopt.objectives.compared import Compared
from autoopt.objectives.dispatch import Dispatch
from autoopt.objectives.evaluation import beside, meets_kinks
from autoopt.objectives.inputs import Input, inputs
from autoopt.objectives.inspected import Inspected
from autoopt.objectives.jacobian_products import JacobianProducts
from autoopt.objectives.matrices import Matrices
from autoopt.objectives.original import Original
from autoopt.objectives.products import Products
from autoopt.objectives.solved import closer
from autoopt.parameters import Structure
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.loops import irregular
from autoopt.tape.slopes import Flat, flatness
from autoopt.tracing.naming import argument_names
from autoopt.tracing.outside.watching import BUDGET
from autoopt.tracing.standins.table import stands_in

if TYPE_CHECKING:
    from autoopt.objectives.sparsity import Sparsity


class Objective(Inspected):
    """A function of NumPy code with its value, gradient, Hessian and Hessian-vector products.

    Parameters
    ----------
    f : callable, f(params, *args) -> scalar
        The objective.
    x0 : scalar, array, or nested dict, list, tuple of them
        Where it is first run, and the structure of its parameters.
    args : tuple
        Data. Arrays of more than 64 KiB must not be written into while the objective is in use: what is in those that
        are larger, or that are larger together, is not looked at again.
    engine : "auto", "numpy" or "numba"
    scalar : bool; False if `f` returns an array, of which only the `jacobian` exists

    Attributes
    ----------
    structure : Structure
        The structure of the parameters, that of x0.
    size : int
        The number of parameters, n.
    timings : dict of str to float; seconds spent in "trace" and "compile" so far

    Points are flat vectors, shape (n,), or values of x0's structure; gradients, directions and Hessians are flat.
    """

    budget: float = BUDGET
    """How many bytes of arrays are looked at for each path, to see whether they are written into."""

    gradient_source = "derived gradient"

    is_verified = False
    """Whether value and gradient of this code have been compared with those of the function, conclusively."""

    compared: tuple[Compared, ...] = ()
    """Where that was, and where the last run ended."""

    def __init__(self, f: Callable, x0: Any, args: tuple = (), engine: str = "auto", scalar: bool = True) -> None:
        self.function, self.engine, self.scalar = f, engine, scalar
        self.structure = Structure.of(x0)
        self.size = self.structure.size
        original = Original(f, args, self.structure, self.structure.flatten(x0).copy(), scalar)
        self._flat = self.structure.vector
        self._choose(Dispatch(original, engine, self.budget))

    @classmethod
    def of(cls, original: Original, engine: str) -> Objective:
        """Return the objective of a function with its data and start."""
        other = object.__new__(cls)
        other.function, other.engine, other.scalar = original.function, engine, original.scalar
        other.structure, other._flat = original.structure, original.structure.vector
        other.size = other.structure.size
        other._choose(Dispatch(original, engine, cls.budget))
        return other

    def _choose(self, dispatch: Dispatch) -> None:
        """Have `dispatch` choose the path; what is called at each point is looked up here once."""
        self.dispatch = dispatch
        self._original = dispatch.original
        self._run = dispatch.run
        self._products = Products(dispatch)
        self._matrices = Matrices(dispatch, self._products, self.__dict__.get("_matrices"))
        self._maps = JacobianProducts(dispatch)
        self.timings = dispatch.timings

    def let_go(self) -> None:
        """Let go of the function; the objective is of no use until it is `resumed`."""
        self.dispatch.let_go()
        self.function = self._original.function

    def resumed(self, dispatch: Dispatch, kind: type[Objective]) -> Any:
        """Return an objective of the same code for the function and the data of `dispatch`."""
        other = object.__new__(kind)
        other.__dict__.update(self.__dict__)
        other.function = dispatch.original.function
        other._choose(dispatch)
        return other

    def __reduce__(self) -> tuple:
        """Copies, and what is read from a pickle, are traced and compiled anew."""
        if type(self._original) is not Original:  # of the same function it makes something else
            return _anew, (self._original, self.engine, self.scalar)
        x0 = self.structure.unflatten(self._original.start)
        return Objective, (self.function, x0, self.args, self.engine, self.scalar)

    def twin(self) -> Objective:
        """Return an objective of the same code, to which other data can be bound: for another thread."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._choose(self.dispatch.twin())
        return other

    def __followed__(self, tracer: Any, substitute: Callable) -> Any:
        """Return what stands in for this objective while another one that uses it is traced."""
        from autoopt.objectives.nested import NestedObjective  # few objectives take derivatives themselves

        names = argument_names(self.function, 1 + len(self.args))[1:]
        args = tuple(map(substitute, self.args, names))
        return NestedObjective(tracer, substitute(self.function), self.structure, args, Objective, self.scalar)

    @property
    def args(self) -> tuple:
        """The data."""
        return self._original.args

    @property
    def single(self) -> bool:
        """Whether a trace met single precision, which is followed in double."""
        return self._original.single

    # Evaluation -------------------------------------------------------------------------------------------------------

    def value(self, x: Any) -> Any:
        """Return f(x): a float, or an array if f returns one."""
        value = self._run("value", self._flat(x))
        return float(value) if self.scalar else np.array(value, dtype=float)

    def value_and_grad(self, x: Any) -> tuple[float, np.ndarray]:
        """Return f(x) and its gradient, shape (n,)."""
        value, gradient = self._run("value_and_grad", self._flat(x))
        return float(value), gradient

    def grad(self, x: Any) -> np.ndarray:
        """Return the gradient, shape (n,)."""
        return self._run("value_and_grad", self._flat(x))[1]

    def on_known_path(self, x: np.ndarray) -> tuple[float, np.ndarray] | None:
        """Return value and gradient beside the point of the last call; None where another path is taken."""
        found = beside(self.dispatch, x)
        return None if found is None else (float(found[0]), found[1])

    def hess(self, x: Any, sparse: bool | None = None) -> Any:
        """Return the Hessian, shape (n, n): by default sparse if it is large and at most a quarter may differ from 0.

        With `sparse=True` it is a `scipy.sparse.csr_array`, with `sparse=False` an array, whatever its size.
        """
        return self._matrices.hessian(self._flat(x), sparse)

    def hessp(self, x: Any, p: Any) -> np.ndarray:
        """Return the Hessian times `p`, of shape (n,), or a matrix (n, k) of k directions, in the shape of `p`.

        What does not depend on `p` is computed once for each x.
        """
        if self.structure.is_matrix(p):
            return self._products.at(self._flat(x), np.asarray(p, dtype=np.float64))
        return self._run("hessp", self._flat(x), self._flat(p, "direction"))

    def product_at(self, x: Any) -> Callable | None:
        """Return the function p -> H(x) p, exact, for which no code is derived; None if it is not to be had so."""
        return product_at(self.dispatch, self._flat(x))

    @property
    def work(self) -> int:
        """The number of array entries that one evaluation handles, on the path taken last."""
        return sum(prod(step.shape) for step in self.dispatch.paths[0].tape.steps)

    def jacobian(self, x: Any, sparse: bool | None = None) -> tuple[Any, tuple[int, ...]]:
        """Return the derivatives of an array-valued f, shape (m, n), and the shape of f's result, of m entries.

        They are an array, or a `scipy.sparse.csr_array`, as the Hessian is.
        """
        return self._matrices.jacobian(self._flat(x), sparse)

    def jvp(self, x: Any, p: Any) -> np.ndarray:
        """Return the Jacobian times `p`: how the m entries of f's result change along `p`, shape (m,).

        For a matrix (n, k) it has shape (m, k). What does not depend on `p` is computed once for each x.
        """
        p = np.asarray(p, dtype=np.float64) if self.structure.is_matrix(p) else self._flat(p, "direction")
        return self._maps.pushed(self._flat(x), p)

    def vjp(self, x: Any, w: Any) -> np.ndarray:
        """Return the transposed Jacobian times `w`, shape (n,): the gradient of the sum of w times f's result.

        `w` has f's shape, or is flat, shape (m,); for a matrix (m, k) the result has shape (n, k).
        """
        return self._maps.pulled(self._flat(x), w)

    def sparsity(self, kind: str = "hessian") -> Sparsity:
        """Return where the Hessian, or the "jacobian", may differ from 0 on the path taken last; `spy` draws it."""
        return self._matrices.sparsity(kind)

    def flatness(self, x: Any) -> Flat | None:
        """Return why the value on the path at x0 has no slope in the parameters; None if it may have one."""
        tape = self.dispatch.paths[0].trace.tape
        return None if tape.equalities else flatness(tape)  # at a tie the derivative is compared with differences

    def meets_kinks(self, x: Any) -> bool:
        """Whether the gradient at `x` meets kinks, or numbers that are equal, that are not so everywhere."""
        x, path = self._flat(x), self.dispatch.paths[0]
        if len(self.dispatch.paths) > 1 or path.trace.tape.guards or "value_and_grad" not in path.compiled:
            self.value_and_grad(x)  # which finds the path that is taken there
        return meets_kinks(self.dispatch.paths[0], x)

    def closer(self, x: Any) -> Callable | None:
        """Return the values on the path at `x` with equations solved closer than asked; None if there are none."""
        return closer(self.dispatch.tape_at(self._flat(x)))

    # The user's own function ------------------------------------------------------------------------------------------

    def original(self, x: Any) -> float:
        """Return f(x) from the user's own function; what a trace left outside is as if this had not been called."""
        return self._original.value(x)

    def complex_original(self, x: np.ndarray) -> Any:
        """Return what the user's own function makes of complex parameters, flat, shape (n,), as `original` does."""
        return self._original.complex_value(x)

    def original_array(self, x: Any) -> np.ndarray:
        """Return what the user's own function returns, as `original` does: flat, shape (m,) or ()."""
        return self._original.array(x)

    def commit_state(self, x: Any) -> None:
        """Call the user's own function, so that what it keeps outside is what it keeps at `x`."""
        self._original.commit_state(x)

    # Source and data --------------------------------------------------------------------------------------------------

    def inputs(self, derivatives: str = "gradient") -> dict[str, Input]:
        """Return how the arguments of the functions in `source` are had by the names of the objective, by name."""
        return inputs(self.dispatch, kind_of(derivatives).name)

    def rebind(self, args: tuple) -> bool:
        """Take other data of the same shapes; False if the objective may run differently with them.

        Data that are the same objects are taken again too: they may have been written into.
        """
        return self.dispatch.rebind(args)

    @property
    def notes(self) -> list[str]:
        """What there is to know of how it is evaluated: loops that are too irregular to be compiled."""
        tapes = [path.tape for path in self.dispatch.paths if path.is_eager]
        return list(dict.fromkeys(text for tape in tapes if (text := irregular.note(vectorise(tape)))))

    @property
    def is_complete(self) -> bool:
        """Whether every change of what the objective reads outside is noticed."""
        return all(path.trace.watched.complete for path in self.dispatch.paths)


def _anew(original: Original, engine: str, scalar: bool) -> Objective:
    """Return the objective of an original, as a copy is made of it."""
    made = Objective.of(original, engine)
    made.scalar = scalar
    return made


@stands_in(Objective)
def nested(tracer: Any, f: Callable, x0: Any, *args: Any, **options: Any) -> Any:
    """Return what stands in for an objective that is made inside another one."""
    from autoopt.objectives.nested import NestedObjective

    return NestedObjective(tracer, f, x0, args, Objective, options.get("scalar", True))


def printed(f: Callable, x0: Any, args: tuple = (), derivatives: str = "gradient") -> str:
    """Return the functions of one kind of derivative as they are run, see `Objective.source`.

    Parameters
    ----------
    f, x0, args
        As in `minimize`.
    derivatives : "value", "gradient", "hessian", "hvp" or "hvp_columns"; for an `f` that returns an array "jacobian"
        What the module computes: "hvp" is the Hessian times a direction, "hvp_columns" times a matrix of them. Of an
        `f` that returns an array "jacobian", and its products with a direction, "jvp", and with weights, "vjp".
    """
    kind = kind_of(derivatives)
    return Objective(f, x0, args, scalar=bool(kind.order) and not kind.of_array).source(derivatives)
