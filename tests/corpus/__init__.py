"""Objectives as they are really written, in plain NumPy and SciPy: none of these modules imports autoopt.

`CASES` holds them all. A subject is a module with a `CASES` list of its own; it is added to `SUBJECTS`.
"""

from importlib import import_module

from corpus.table import Case

SUBJECTS = [
    "likelihoods",
    "choice",
    "survival",
    "timeseries",
    "bayes",
    "physics",
    "pharma",
    "learning",
    "finance",
    "functions",
    "styles_loops",
    "styles_objects",
    "styles_functions",
    "styles_matlab",
    "styles_branches",
    "iterations",
    "recurrences",
    "styles_checks",
    "styles_data",
    "styles_personal",
    "styles_workshop",
]

CASES: list[Case] = [case for subject in SUBJECTS for case in import_module(f"corpus.{subject}").CASES]
