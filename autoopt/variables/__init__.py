"""The variables of a solver, where they are not the parameters of the user: held, tied, scaled, transformed.

Knows objectives and constraints by their methods, and no solver: one stands on it as on those.
"""
