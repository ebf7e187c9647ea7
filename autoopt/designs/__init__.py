"""Named columns -> the data arguments of an objective: by their names, around a target, whole, or by a formula.

Files and frames are read in `autoopt.tables`. Knows neither objectives nor solvers: only the names of arguments.
"""
