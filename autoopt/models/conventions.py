"""The covariance of an estimator's parameters by the convention that is asked for, of the scores of its rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar

import numpy as np

from autoopt import inference
from autoopt.errors import InferenceError, UsageError
from autoopt.inference.covariances import Convention, Evidence, chosen
from autoopt.models import validation
from autoopt.models.derived import row_derivatives
from autoopt.models.inferred import Inferred
from autoopt.models.newton import Solution
from autoopt.models.problem import GRADIENTS, NEWTON, Problem, rows_of
from autoopt.wording import listed, near

GENERALISED = ("observed", "opg", "robust", "HC1", "HC2", "HC3", "cluster")
"""Those of models whose rows have one term of one predictor, and so a leverage."""


class Conventions(Inferred):
    """Estimates whose covariance is one of `inference.COVARIANCES`, as `covariance` and the groups of the fit say.

    A row that counts w times is w rows with the same score: "robust" has w s s' of it, and a group's sum w s.
    """

    covariance: str | None = None
    ancillary_: dict[str, float]
    _conventions: ClassVar[tuple[str, ...]] = ("observed", "opg", "robust", "HC1", "cluster")
    """Those that a model has, its usual one first."""
    _why_not: ClassVar[str] = ""
    """Why it has no others."""

    def _group_numbers(self, groups: object, rows: int) -> np.ndarray | None:
        """Return the number of each row's group, shape (m,), if there are groups; refuse a covariance not to be had."""
        self._convention_of(groups)
        return None if groups is None else validation.groups(groups, rows)

    def _convention_of(self, groups: object) -> Convention:
        convention = chosen(self.covariance, groups, self._conventions[0])
        if convention.name not in self._conventions:
            known = near(convention.name, self._conventions)
            raise UsageError(
                f"{type(self).__name__} has no covariance={convention.name!r}.{known}{self._why_not}",
                remedy=f"choose one of {listed(self._conventions)}; None is the first, or the last with groups.",
            )
        if convention.name == "opg" and getattr(self, "alpha", False):
            raise UsageError(
                'covariance="opg" is made of scores alone, which know nothing of the penalty.',
                remedy='choose "observed" or "robust", or alpha=0.',
            )
        return convention

    def _scores(self, problem: Problem, params: np.ndarray) -> Iterator[np.ndarray]:
        """Yield minus the derivatives of the log-likelihood of rows, (rows, n), without weights, all in their order."""
        with rows_of(problem) as rows:
            yield from rows.scores(params)

    def _leverages(self, problem: Problem, params: np.ndarray, inverse: np.ndarray) -> np.ndarray | None:
        """Return the leverages of the rows, shape (m,), each row counted once; None where there are none."""
        if problem.predictors > 1 or problem.ancillaries:
            return None
        with rows_of(problem) as rows:
            return rows.leverages(params, inverse)

    def _stated(self) -> tuple[Callable | None, Callable | None, int]:
        """Return the terms and the likelihood, one of them not None, and how many linear predictors a row has."""
        return None, None, 1

    def _dispersion(self) -> float:
        """Return what the likelihood is to be divided by."""
        return 1.0

    def _make_robust(self, problem: Problem, found: Solution) -> None:
        """Put the covariance that is asked for in the place of the usual one, where that is known."""
        convention = self._convention_of(problem.groups)
        self._robustly: tuple[str, int] | None = None
        self._usual_covariance = self.cov_params_
        if convention.name == self._conventions[0]:
            return
        self._robustly = convention.name, 0 if problem.groups is None else int(problem.groups.max()) + 1
        if self.cov_params_.size and np.isfinite(self.cov_params_).all():
            try:
                self.cov_params_ = self._covariance(convention, self._evidence(convention, problem, found))
            except InferenceError as error:  # the estimates stand
                self.cov_params_ = np.full(self.cov_params_.shape, np.nan)
                warnings.warn(validation.IdentificationWarning(str(error)), stacklevel=5)
            self.bse_ = inference.standard_errors(self.cov_params_)

    def _covariance(self, convention: Convention, evidence: Evidence) -> np.ndarray:
        """Return the covariance, which is not that of the information alone."""
        assert convention.function is not None
        return convention.function(evidence)

    def _texts(self) -> dict[str, Sequence[Callable]]:
        """Return the terms, or the likelihood, and the printed derivatives that ran; other methods leave none."""
        terms, likelihood, predictors = self._stated()
        texts: dict[str, Sequence[Callable]] = {"model": [one for one in (terms or likelihood,) if one is not None]}
        if terms is not None and predictors == 1 and self.method_ in (NEWTON, GRADIENTS):
            printed = row_derivatives(type(self).__module__.rpartition(".")[2], terms, np.zeros(0), np.zeros(0))
            texts["derivatives"] = printed.slopes, printed.curvatures
        return texts

    def _map_covariances(self, across: np.ndarray) -> None:
        """Turn covariances, and standard errors, into those of `across` times the parameters."""
        self.cov_params_, self._usual_covariance = (
            across @ one @ across.T for one in (self.cov_params_, self._usual_covariance)
        )
        self.bse_ = inference.standard_errors(self.cov_params_)

    def _evidence(self, convention: Convention, problem: Problem, found: Solution) -> Evidence:
        held = [problem.coefficients + j for j, one in enumerate(problem.ancillaries) if one.fixed]
        params = np.concatenate([found.x[: problem.coefficients], [*self.ancillary_.values()]])
        scale = self._dispersion()
        inverse = scale * inference.covariance(found.hessian, self.names_)
        scores = (np.delete(block, held, axis=1) / scale for block in self._scores(problem, params))
        if problem.groups is not None:
            sums = _sums(scores, problem.weights, problem.groups, len(inverse))
            return Evidence(inverse, sums, None, np.arange(len(sums)), self.names_, float(self.nobs_))
        roots = None if problem.weights is None else np.sqrt(problem.weights)
        if "leverages" in convention.needs:
            leverages = self._leverages(problem, params, inverse / scale)
            whole = np.concatenate(list(_weighted(scores, roots)))
            return Evidence(inverse, whole, leverages, None, self.names_, float(self.nobs_))
        root = _root(_weighted(scores, roots), len(inverse))
        return Evidence(inverse, root, None, None, self.names_, float(self.nobs_))


def _weighted(scores: Iterable[np.ndarray], weights: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield blocks of scores times the weights of their rows, if there are any."""
    end = 0
    for block in scores:
        end += len(block)
        yield block if weights is None else weights[end - len(block) : end, np.newaxis] * block


def _sums(scores: Iterable[np.ndarray], weights: np.ndarray | None, groups: np.ndarray, size: int) -> np.ndarray:
    """Return the sums of weighted scores over the groups, shape (groups, size)."""
    from scipy.sparse import csr_matrix

    sums, end = np.zeros((int(groups.max()) + 1, size)), 0
    for block in _weighted(scores, weights):
        end += len(block)
        rows = np.arange(len(block))
        numbers, own = np.unique(groups[end - len(block) : end], return_inverse=True)
        sums[numbers] += csr_matrix((np.ones(len(block)), (own, rows)), shape=(len(numbers), len(block))) @ block
    return sums


def _root(scores: Iterable[np.ndarray], size: int) -> np.ndarray:
    """Return so few rows, (size, size), that their products s s' have the same sum."""
    products = np.zeros((size, size))
    for block in scores:
        products += block.T @ block
    scale = np.sqrt(np.diag(products))
    scale[scale == 0] = 1.0
    values, vectors = np.linalg.eigh(products / np.outer(scale, scale))
    return np.sqrt(np.maximum(values, 0.0))[:, np.newaxis] * vectors.T * scale
