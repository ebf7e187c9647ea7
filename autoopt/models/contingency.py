"""Log-linear models of contingency tables: which factors depend on each other, as margins that the model reproduces.

The counts are independent Poisson numbers, fitted by `LogLinearRegression`; here stand what makes its columns of the
margins, and the tests and residuals that tables have.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
from scipy.special import chdtrc, xlogy

from autoopt.errors import UsageError
from autoopt.models import validation
from autoopt.models.loglinear import LogLinearRegression
from autoopt.wording import listed, near


class ContingencyTable:
    """A hierarchical log-linear model of a table of counts, of any number of factors.

    Parameters
    ----------
    margins : str, optional
        The margins that the model reproduces, joined by "+", each the names of its factors joined by "*":
        "A*B + B*C" says that A and C are independent given B. Without it all factors are independent.

    Attributes
    ----------
    names_ : list of str
        Of the factors.
    levels_ : list of list
        The levels of each factor; the first is the reference, whose effects are 0.
    counts_, expected_ : ndarray, shape of the table
        What was counted, and the means under the model; NaN for structural zeros.
    G2, X2 : float
        The deviance and Pearson's statistic; both have a chi-squared distribution with `df_resid` degrees of freedom
        where the model holds and the means are not small.
    df_resid : int
        Cells less parameters.
    pvalue, pvalue_X2 : float
        Probabilities of a larger G2, and X2.
    params, bse, tvalues, pvalues, conf_int(), cov_params(), llf, aic, nobs
        Inference under statsmodels' names; nobs is the number of cells. The parameters are called by `terms_`.

    Notes
    -----
    G2 = 2 sum n log(n / m), X2 = sum (n - m)^2 / m, of counts n with means m.

    References
    ----------
    Agresti, A. (2013). Categorical Data Analysis, 3rd edition, chapter 9. Wiley.

    Examples
    --------
    >>> table = ContingencyTable().fit([[10, 20], [30, 20]], names=["dose", "ill"])
    >>> round(table.G2, 4), table.df_resid, table.expected_.round(6).tolist()
    (5.4115, 1, [[15.0, 15.0], [25.0, 25.0]])
    """

    def __init__(self, margins: str | None = None) -> None:
        self.margins = margins

    def __repr__(self) -> str:
        return f"ContingencyTable({'' if self.margins is None else repr(self.margins)})"

    def fit(
        self,
        counts: object,
        *,
        names: Sequence[str] | None = None,
        levels: Sequence[Sequence[object]] | None = None,
        count: str | None = None,
        structural_zeros: object = None,
    ) -> ContingencyTable:
        """Fit the model.

        Parameters
        ----------
        counts : array or data frame
            An array with an axis for each factor; or a frame, whose factors are its columns without `count`, or those
            in `names`. Rows of one combination are added up.
        names : sequence of str, optional
            Of the factors; "A", "B", ... for the axes of an array.
        levels : sequence of sequences, optional
            Of each axis of an array; 0, 1, ... if not given.
        count : str, optional
            The column of a frame that holds the counts; without it each row counts as one.
        structural_zeros : array of bool, shape of the table, optional
            Cells that can hold nothing, which are left out.

        Returns
        -------
        ContingencyTable
            The model itself.

        Raises
        ------
        InputError
            If counts are negative or missing, or names and levels do not fit them.
        """
        if hasattr(counts, "columns"):
            self.names_, self.levels_, table = _tabulated(counts, names, count)
        else:
            array = np.asarray(counts)
            table = validation.counts(array.ravel(), array.size).reshape(array.shape)
            self.names_, self.levels_ = _axes(table, names, levels)
        self.counts_ = table
        inside = ~_mask(structural_zeros, table.shape)
        self.generators_ = _generators(self.margins, self.names_)
        columns, self.terms_ = _columns(self.generators_, self.names_, self.levels_)
        design = columns.reshape(len(columns), -1).T[inside.ravel()]
        self.regression_ = LogLinearRegression().fit(_Named(design, self.terms_[1:]), table[inside])
        self.expected_ = np.full(table.shape, np.nan)
        self.expected_[inside] = self.regression_.predict(_Named(design, self.terms_[1:]))
        self._design, self._inside = np.column_stack([np.ones(len(design)), design]), inside
        self.df_resid = int(inside.sum()) - len(self.terms_)
        n, m = table[inside], self.expected_[inside]
        self.G2 = float(2 * np.sum(xlogy(n, n) - xlogy(n, m) - n + m))
        self.X2 = float(np.sum((n - m) ** 2 / m))
        return self

    @property
    def pvalue(self) -> float:
        """The probability of a larger G2 if the model holds; NaN without degrees of freedom."""
        return float(chdtrc(self.df_resid, self.G2)) if self.df_resid > 0 else np.nan

    @property
    def pvalue_X2(self) -> float:
        """The probability of a larger X2 if the model holds; NaN without degrees of freedom."""
        return float(chdtrc(self.df_resid, self.X2)) if self.df_resid > 0 else np.nan

    def __getattr__(self, name: str) -> object:
        if name in _INFERENCE and "regression_" in vars(self):
            return getattr(self.regression_, name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}" + (
            " before fit." if name in (*_INFERENCE, "G2", "X2", "df_resid", "expected_") else "."))  # fmt: skip

    def residuals(self, kind: str = "adjusted") -> np.ndarray:
        """Return what each cell has beyond its mean.

        Parameters
        ----------
        kind : str
            "pearson": (n - m) / sqrt(m); "deviance": the signed root of the cell's share of G2; "adjusted": Pearson's
            over their standard errors, sqrt(1 - h) with the leverage h, which are about standard normal.

        Returns
        -------
        ndarray, shape of the table
            NaN for structural zeros, and for adjusted residuals of cells that the model reproduces whatever they hold.
        """
        if kind not in _RESIDUALS:
            raise UsageError(f"kind is {kind!r}.{near(str(kind), _RESIDUALS)}", remedy=f"use {listed(_RESIDUALS)}.")
        n, m = self.counts_[self._inside], self.expected_[self._inside]
        pearson = (n - m) / np.sqrt(m)
        if kind == "deviance":
            shown = np.sign(n - m) * np.sqrt(np.maximum(2 * (xlogy(n, n) - xlogy(n, m) - n + m), 0))
        elif kind == "adjusted":
            leverage = m * np.einsum("ij,jk,ik->i", self._design, self.regression_.cov_params(), self._design)
            free = np.maximum(1 - leverage, 0)
            shown = np.where(free > 1e-10, pearson / np.sqrt(np.where(free > 1e-10, free, 1)), np.nan)
        else:
            shown = pearson
        everywhere = np.full(self.counts_.shape, np.nan)
        everywhere[self._inside] = shown
        return everywhere

    def lr_test(self, larger: ContingencyTable) -> tuple[float, int, float]:
        """Return the statistic, the degrees of freedom and the p-value of this model within a `larger` one.

        Both are fitted to the same table, and each margin of this one is part of one of the larger.
        """
        nested = all(any(set(small) <= set(large) for large in larger.generators_) for small in self.generators_)
        if not nested or not np.array_equal(self.counts_, larger.counts_):
            raise UsageError(
                f"{self!r} is not nested in {larger!r}, or they are of different tables.",
                remedy="compare two fits of one table, of which the second has all margins of the first.",
            )
        statistic, freedom = self.G2 - larger.G2, self.df_resid - larger.df_resid
        return statistic, freedom, float(chdtrc(freedom, statistic)) if freedom else np.nan

    def summary(self) -> str:
        """Return the tests and the estimates as text."""
        tests = [
            ("G2 (deviance)", self.G2, self.pvalue),
            ("X2 (Pearson)", self.X2, self.pvalue_X2),
        ]
        lines = [f"{name:<14}{value:12.6g}   df {self.df_resid}   p {p:.4g}" for name, value, p in tests]
        return "\n".join([repr(self), *lines, self.regression_.summary()])


_INFERENCE = ("params", "bse", "tvalues", "pvalues", "conf_int", "cov_params", "llf", "aic")
_RESIDUALS = ("adjusted", "deviance", "pearson")


class _Named:
    """A matrix, (m, p), with names of its columns."""

    def __init__(self, matrix: np.ndarray, columns: Sequence[str]) -> None:
        self.matrix, self.columns = matrix, list(columns)

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return self.matrix


def _axes(
    table: np.ndarray, names: Sequence[str] | None, levels: Sequence[Sequence[object]] | None
) -> tuple[list[str], list[list[object]]]:
    """Return the names of the factors and their levels, of an array of counts."""
    names = [chr(65 + axis) for axis in range(table.ndim)] if names is None else [str(name) for name in names]
    levels = [range(size) for size in table.shape] if levels is None else levels
    if len(names) != table.ndim or tuple(map(len, levels)) != table.shape:
        raise validation.InputError(
            f"The table has shape {table.shape}; there are {len(names)} names and {list(map(len, levels))} levels.",
            remedy="give a name for each axis, and a level for each of its positions.",
        )
    return names, [list(level) for level in levels]


def _tabulated(
    frame: object, names: Sequence[str] | None, count: str | None
) -> tuple[list[str], list[list[object]], np.ndarray]:
    """Return the names and levels of the factors of a frame, and its table of counts."""
    columns = [str(name) for name in frame.columns]  # type: ignore[attr-defined]  # asked by the caller
    names = [name for name in columns if name != count] if names is None else [str(name) for name in names]
    for name in (*names, *([] if count is None else [count])):
        if name not in columns:
            raise validation.InputError(
                f"The frame has no column {name!r}.{near(name, columns)}", remedy=f"use one of {listed(columns)}."
            )
    levels, places = [], []
    for name in names:
        column = frame[name]  # type: ignore[index]
        categories = getattr(getattr(column, "cat", None), "categories", None)
        values = np.asarray(column)
        level, place = np.unique(values, return_inverse=True)
        if categories is not None:  # their order is the user's
            level = np.asarray(categories)
            place = np.asarray(column.cat.codes)
        levels.append(level.tolist())
        places.append(place)
    table = np.zeros([len(level) for level in levels])
    weights = 1.0 if count is None else validation.counts(np.asarray(frame[count]), len(places[0]))  # type: ignore[index]
    np.add.at(table, tuple(places), weights)
    return names, levels, table


def _mask(structural_zeros: object, shape: tuple[int, ...]) -> np.ndarray:
    """Return which cells can hold nothing."""
    if structural_zeros is None:
        return np.zeros(shape, bool)
    mask = np.asarray(structural_zeros, bool)
    if mask.shape != shape:
        raise validation.InputError(
            f"structural_zeros has shape {mask.shape}, the table {shape}.", remedy="give one bool for each cell."
        )
    return mask


def _generators(margins: str | None, names: list[str]) -> list[tuple[int, ...]]:
    """Return the axes of each margin, each in the order of the table."""
    if margins is None:
        return [(axis,) for axis in range(len(names))]
    generators = []
    for margin in margins.split("+"):
        factors = [name.strip() for name in margin.split("*")]
        for name in factors:
            if name not in names:
                raise UsageError(
                    f"margins is {margins!r}; the table has no factor {name!r}.{near(name, names)}",
                    remedy=f"join names of its factors, which are {listed(names)}, by * and margins by +.",
                )
        generators.append(tuple(sorted({names.index(name) for name in factors})))
    return generators


def _columns(
    generators: Sequence[Sequence[int]], names: Sequence[str], levels: Sequence[Sequence[object]]
) -> tuple[np.ndarray, list[str]]:
    """Return the columns of all effects but the intercept, (p, *table), and the names of all, the intercept first.

    The effect of a set of factors has an indicator for each combination of levels but the first of each.
    """
    shape = tuple(len(level) for level in levels)
    sets = sorted({part for margin in generators for size in range(1, len(margin) + 1)
                   for part in combinations(margin, size)}, key=lambda part: (len(part), part))  # fmt: skip
    columns, terms = [], ["intercept"]
    for part in sets:
        for combination in product(*(range(1, shape[axis]) for axis in part)):
            column = np.zeros(shape)
            place: list[int | slice] = [slice(None)] * len(shape)
            for axis, level in zip(part, combination, strict=True):
                place[axis] = level
            column[tuple(place)] = 1.0
            columns.append(column)
            terms.append(":".join(f"{names[axis]}[{levels[axis][level]}]"
                                  for axis, level in zip(part, combination, strict=True)))  # fmt: skip
    return np.array(columns).reshape(len(columns), *shape), terms
