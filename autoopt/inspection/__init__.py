"""What there is to see of a run: its tape beside the lines of the user, what it costs, which tier it runs in."""
