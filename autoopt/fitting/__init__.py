"""A model file and its data -> a Fit: what `autoopt fit` and `autoopt.fit` do."""
