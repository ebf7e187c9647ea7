"""Estimators whose derivatives autoopt takes from a likelihood in plain NumPy."""

from autoopt.models.contingency import ContingencyTable
from autoopt.models.logistic import LogisticRegression
from autoopt.models.loglinear import LogLinearRegression
from autoopt.models.table import MODELS, Model

__all__ = ["MODELS", "ContingencyTable", "LogLinearRegression", "LogisticRegression", "Model"]
