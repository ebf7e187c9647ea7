"""Tape -> PyTensor: the symbolic graph of the objective, its derivatives, their rewriting.

Empty of imports, as `kinds` is read where PyTensor must not be loaded.
"""
