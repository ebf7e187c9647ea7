"""Derivatives of arrays pushed forward with the entries that are not zero, and no others."""
