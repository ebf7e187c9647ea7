"""Loops over growing windows: found on a tape without cells, held as one operation that runs them in place."""
