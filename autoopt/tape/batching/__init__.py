"""The thousands of small steps of a Python loop as the few array steps that they mean."""
