"""Stand-ins for the distributions of scipy.stats."""
