"""Derivatives along a tape, step by step, without compiling it as a whole."""
