"""The kinds of derivative, one row each: what everything that asks for derivatives needs to know of them.

How one is made of a graph is told by the function of `derive` that carries its name. Nothing here needs PyTensor, so
that what runs derivatives from the cache can read the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autoopt.errors import UsageError
from autoopt.tape.batching.batching import has_loops
from autoopt.tape.tape import PARAMETER, Tape

PREPARE = "prepare"
"""The printed function of what the data alone decide, computed once per data set."""

LINEARIZE = "linearize"
"""The printed function of what one point decides, computed once per point, for products with many directions."""


@dataclass(frozen=True)
class Kind:
    """One kind of derivative.

    Attributes
    ----------
    name : str
        What it is asked for by, and what its printed function is called.
    order : int
        How often it is differentiated: 0, 1 or 2.
    returns : tuple of str
        What its function returns, the derivative last: ("value", "gradient") is a pair.
    of_array : bool
        Whether it is that of an array-valued objective.
    directed : bool
        Whether its function takes a direction before the point.
    public : str or None
        Its name in `autoopt.source(derivatives=...)`.
    eager : str or None
        The method of `EagerRun` that computes it step by step.
    singly : str or None
        Of a kind that takes a matrix of directions, one in each column: the kind that takes one of them.
    columns, rows : str or None
        The kinds of the products with a direction that give it a column, or a row, at a time, where some operation has
        no form for all at once.
    seconds : float
        What deriving it takes for each step of a vectorised tape, on a machine of 2026; `execution/ladder.py` counts
        with it.
    """

    name: str
    order: int
    returns: tuple[str, ...]
    of_array: bool = False
    directed: bool = False
    public: str | None = None
    eager: str | None = None
    singly: str | None = None
    columns: str | None = None
    rows: str | None = None
    seconds: float = 0.01

    @property
    def valued(self) -> bool:
        """Whether the value is what its function returns, or comes with it."""
        return "value" in self.returns

    @property
    def is_symmetric(self) -> bool:
        """Whether its matrix is its own transpose, so that columns are rows."""
        return self.columns is not None and self.rows is None

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the functions that a module of this kind may have, in the order in which they are called."""
        return (PREPARE, LINEARIZE, self.name) if self.directed else (PREPARE, self.name)

    def value(self, outcome: Any) -> Any:
        """Return the value in what a function of this kind returns, if it is `valued`."""
        return outcome[0] if len(self.returns) > 1 else outcome

    def derivative(self, outcome: Any) -> Any:
        """Return the derivative in what a function of this kind returns; the value itself where it is of order 0."""
        return outcome[-1] if len(self.returns) > 1 else outcome

    def with_derivative(self, outcome: Any, derivative: Any) -> Any:
        """Return `outcome` with another derivative."""
        return (*outcome[:-1], derivative) if len(self.returns) > 1 else derivative


_ROWS = (
    Kind("value", 0, ("value",), public="value", seconds=0.004),
    Kind("value_and_grad", 1, ("value", "gradient"), public="gradient", eager="gradient", seconds=0.006),
    Kind("hess", 2, ("hessian",), public="hessian", eager="hessian", columns="hessp", seconds=0.018),
    Kind("hessp", 2, ("product",), directed=True, public="hvp", eager="product", seconds=0.01),
    Kind(
        "hessp_columns",
        2,
        ("products",),
        directed=True,
        public="hvp_columns",
        eager="products",
        singly="hessp",
        seconds=0.014,
    ),
    Kind(
        "jacobian",
        1,
        ("jacobian",),
        of_array=True,
        public="jacobian",
        eager="jacobian",
        columns="pushforward",
        rows="pullback",
        seconds=0.008,
    ),
    Kind("pullback", 1, ("product",), of_array=True, directed=True, public="vjp", eager="pullback", seconds=0.008),
    Kind("pushforward", 1, ("product",), of_array=True, directed=True, public="jvp", eager="pushforward"),
    Kind("pullback_columns", 1, ("products",), of_array=True, directed=True, eager="pullbacks", singly="pullback"),
    Kind(
        "pushforward_columns",
        1,
        ("products",),
        of_array=True,
        directed=True,
        eager="pushforwards",
        singly="pushforward",
    ),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ROWS}

PUBLIC: dict[str, Kind] = {kind.public: kind for kind in _ROWS if kind.public}
"""By the names that `autoopt.source` takes."""


def kind_of(derivatives: str) -> Kind:
    """Return the kind of derivative that a user asks for by name."""
    if derivatives not in PUBLIC:
        remedy = f"choose one of {', '.join(PUBLIC)}."
        raise UsageError(f"derivatives={derivatives!r} is not understood.", remedy=remedy)
    return PUBLIC[derivatives]


PAIRS = frozenset(kind.name for kind in _ROWS if len(kind.returns) > 1)
"""The names of those that return the value and the derivative: for what is called at every point."""

DENSE = 400
"""With more parameters than this a Hessian that has no index notation is computed a column at a time."""


LONG = 60
"""With more steps than this, as unrolled chains have, a Hessian is its products, which take less long to derive."""


def at_once(tape: Tape) -> bool:
    """Whether a vectorised tape's Hessian may be derived as a whole; loops over stacks take long to derive."""
    return not has_loops(tape) and sum(step.level == PARAMETER for step in tape.steps) <= LONG
