"""A tape and a kind of derivative -> callables. Knows no objective and no solver."""
