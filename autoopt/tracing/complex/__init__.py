"""Complex values that depend on the parameters, as pairs of real traced arrays."""
