"""SciPy's methods with what each takes and uses, and the one way to run them. SciPy is imported when one runs."""

from autoopt.solvers import derivative_free, factored, ipopt, newton, quasi_newton, trust_region
from autoopt.solvers.bounds import Limits
from autoopt.solvers.constrained import multiplier_names
from autoopt.solvers.habits import adapted_callback, shown, solver_of
from autoopt.solvers.problem import Problem
from autoopt.solvers.rescaling import run_in_sizes
from autoopt.solvers.run import Interrupted, Progress, Stage, interrupted_at, print_progress, report, run
from autoopt.solvers.starts import Minimum, Starts, repeated
from autoopt.solvers.table import SOLVERS, Solver, are_given, choose, find

__all__ = [
    "SOLVERS",
    "Interrupted",
    "Limits",
    "Minimum",
    "Problem",
    "Progress",
    "Solver",
    "Stage",
    "Starts",
    "adapted_callback",
    "are_given",
    "choose",
    "derivative_free",
    "factored",
    "find",
    "interrupted_at",
    "ipopt",
    "multiplier_names",
    "newton",
    "print_progress",
    "quasi_newton",
    "repeated",
    "report",
    "run",
    "run_in_sizes",
    "shown",
    "solver_of",
    "trust_region",
]
