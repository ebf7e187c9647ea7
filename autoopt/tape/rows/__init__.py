"""Objectives that are sums over the rows of their data, as arrays with a term for each row.

`dependence` finds which rows each entry of each step reads, by the walk of `tape/sparsity`; `terms` goes back from the
value through what is straight, to the sums over rows. Nothing here knows what the terms are wanted for.
"""

from autoopt.tape.rows.terms import NotByRow, Terms, by_row, terms_of, weighted

__all__ = ["NotByRow", "Terms", "by_row", "terms_of", "weighted"]
