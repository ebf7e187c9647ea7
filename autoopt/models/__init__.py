"""Estimators whose derivatives autoopt takes from a likelihood in plain NumPy."""

from autoopt.models.contingency import ContingencyTable
from autoopt.models.gamma import GammaRegression
from autoopt.models.linear import LinearRegression
from autoopt.models.logistic import LogisticRegression
from autoopt.models.loglinear import LogLinearRegression
from autoopt.models.negative_binomial import NegativeBinomialRegression
from autoopt.models.table import MODELS, Model

__all__ = [
    "MODELS",
    "ContingencyTable",
    "GammaRegression",
    "LinearRegression",
    "LogLinearRegression",
    "LogisticRegression",
    "Model",
    "NegativeBinomialRegression",
]
