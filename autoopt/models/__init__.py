"""Estimators whose derivatives autoopt takes from a likelihood in plain NumPy."""

from autoopt.models.contingency import ContingencyTable
from autoopt.models.cox import CoxRegression
from autoopt.models.gamma import GammaRegression
from autoopt.models.huber import HuberRegression
from autoopt.models.linear import LinearRegression
from autoopt.models.logistic import LogisticRegression
from autoopt.models.loglinear import LogLinearRegression
from autoopt.models.negative_binomial import NegativeBinomialRegression
from autoopt.models.ordered import OrderedRegression
from autoopt.models.quantile import QuantileRegression
from autoopt.models.student import StudentRegression
from autoopt.models.table import MODELS, Model
from autoopt.models.tweedie import TweedieRegression

__all__ = [
    "MODELS",
    "ContingencyTable",
    "CoxRegression",
    "GammaRegression",
    "HuberRegression",
    "LinearRegression",
    "LogLinearRegression",
    "LogisticRegression",
    "Model",
    "NegativeBinomialRegression",
    "OrderedRegression",
    "QuantileRegression",
    "StudentRegression",
    "TweedieRegression",
]
