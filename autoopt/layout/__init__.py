"""Python text in lines of at most so many columns, laid out as ruff and Black do; it knows of no derivative."""

from autoopt.layout.modules import WIDTH, laid_out

__all__ = ["WIDTH", "laid_out"]
