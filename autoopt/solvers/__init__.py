"""SciPy's methods with what each takes and uses, and the one way to run them. SciPy is imported when one runs."""

from autoopt.solvers import factored, ipopt, newton, quasi_newton
from autoopt.solvers.bounds import Limits
from autoopt.solvers.problem import Problem
from autoopt.solvers.run import Interrupted, Progress, Stage, adapted_callback, interrupted_at, report, run
from autoopt.solvers.table import SOLVERS, Solver, choose, find, without_disp

__all__ = [
    "SOLVERS",
    "Interrupted",
    "Limits",
    "Problem",
    "Progress",
    "Solver",
    "Stage",
    "adapted_callback",
    "choose",
    "factored",
    "find",
    "interrupted_at",
    "ipopt",
    "newton",
    "quasi_newton",
    "report",
    "run",
    "without_disp",
]
