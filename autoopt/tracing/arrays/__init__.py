"""The traced array, and what NumPy's functions and the methods of arrays do with it."""
