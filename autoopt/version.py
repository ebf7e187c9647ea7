"""The version of autoopt, of which the packaging and the keys of the cache are made too."""

__version__ = "0.1.0"
