"""What records a run: the tracer, where the user's code is, what is refused; it knows no array."""
