"""Optimise plain NumPy objectives with exact, readable derivatives."""

__version__ = "0.1.0"
