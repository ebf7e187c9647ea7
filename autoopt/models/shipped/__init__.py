"""Derivatives of the models' terms by row, written by `python -m autoopt.models.shipping`."""
