"""The instrumented copy of the user's function, classes, objects and containers."""
