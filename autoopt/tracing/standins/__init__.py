"""What the instrumented copy sees in place of functions that NumPy's protocols do not reach."""
