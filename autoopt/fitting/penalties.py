"""Penalties of likelihoods, by name: what is subtracted from a log-likelihood before it is maximised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.fitting.kinds import Minimised
from autoopt.objectives.adapted import penalised as with_penalty
from autoopt.objectives.adapted import restricted
from autoopt.variables.start import Start
from autoopt.variables.variables import Variables
from autoopt.wording import near


@dataclass(frozen=True)
class Penalty:
    """A row of PENALTIES.

    Parameters
    ----------
    name : str
        As users write it.
    description : str
        One line, as the summary has it.
    function : callable
        (information, shape (m, m)) -> number: what is added to the negative log-likelihood.
    """

    name: str
    description: str
    function: Callable


def _firth(information: Any) -> Any:
    """Return -1/2 log det of the information, by its Cholesky factor: an error where it is not positive definite."""
    return -np.sum(np.log(np.diagonal(np.linalg.cholesky(information))))


PENALTIES = {
    penalty.name: penalty
    for penalty in (Penalty("firth", "minus half the log-determinant of the information, Firth's penalty", _firth),)
}


def penalised(minimised: Minimised, name: str | None, start: Start, args: tuple, others: Any = ()) -> Minimised:
    """Return what is minimised with a penalty of the observed information in the parameters that are free.

    Parameters
    ----------
    minimised : Minimised
        A likelihood.
    name : str or None
        A row of PENALTIES; None for none.
    start : Start
    args : tuple
        The data.
    others : iterable
        Derivatives that the user gives of the objective, of which there must be none.

    Notes
    -----
    The information is the Hessian that is derived; the penalty's own derivatives are those of the Hessian's code, third
    and fourth ones of the likelihood. For exponential families with their canonical link it is the expected one, and
    Firth's penalty takes away the estimates' bias of order 1/n; elsewhere this is the penalty of the observed one.

    References
    ----------
    Firth, D. (1993). Bias reduction of maximum likelihood estimates. Biometrika 80(1), 27-38.
    Heinze, G. and Schemper, M. (2002). A solution to the problem of separation in logistic regression. Statistics in
    Medicine 21(16), 2409-2419.
    """
    if name is None:
        return minimised
    if minimised.penalty is not None:
        raise UsageError(f"There are penalty={name!r} and alpha.", remedy="leave one of them out.")
    if name not in PENALTIES:
        raise UsageError(f"penalty is {name!r}.{near(str(name), PENALTIES)}", remedy=f"use {', '.join(PENALTIES)}.")
    if not minimised.kind.is_likelihood:
        raise UsageError(
            f"penalty={name!r} is one of likelihoods, and the kind is {minimised.kind.name!r}.",
            remedy="have the objective return a log-likelihood, and say so: kind='log-likelihood'.",
        )
    if any(other is not None and other is not False for other in others):
        raise UsageError(
            f"There are derivatives of the objective beside penalty={name!r}, which has others.",
            remedy="leave them out: they are derived.",
        )
    from autoopt.objectives.objective import Objective
    from autoopt.objectives.weighted_rows import Weighted

    if isinstance(minimised.function, Weighted):
        raise UsageError(
            f"There are weights beside penalty={name!r}, and the objective returns one number.",
            remedy="have it return its terms, an array with one entry for each row.",
        )
    likelihood = minimised.function
    variables = start.variables or Variables.free(start.structure.names)
    basis = variables.matrix.toarray()
    places = None if np.array_equal(basis, np.eye(start.structure.size)) else variables.moving
    information = restricted(Objective(likelihood, start.x0, args).hess, places, basis)
    objective = with_penalty(likelihood, information, PENALTIES[name].function)
    return replace(minimised, function=objective, likelihood=likelihood, penalty=name)


RIDGE = "ridge"
"""The penalty of models by their names that is set by `alpha`; their information has it, too, as estimators' has."""


def ridged(minimised: Minimised, alpha: float, squares: Callable | None) -> Minimised:
    """Return what is minimised with alpha / 2 times a sum of squares of the parameters."""
    assert squares is not None  # the models that have `alpha` say what it penalises

    def ridge(params: Any) -> Any:
        return 0.5 * alpha * squares(params)

    function = with_penalty(minimised.function, _itself, ridge)
    return replace(minimised, function=function, likelihood=minimised.function, penalty=RIDGE, is_informative=True)


def _itself(params: Any) -> Any:
    return params


def note(minimised: Minimised) -> list[str]:
    """Return the sentence on a penalty, if there is one."""
    if minimised.penalty is None:
        return []
    if minimised.penalty == RIDGE:
        return ["Penalised by alpha / 2 times the squares of the coefficients: not in the log-likelihood and AIC."]
    told = PENALTIES[minimised.penalty].description
    return [f"Penalised by {told}: it is in the value, not in the log-likelihood, AIC and standard errors."]
