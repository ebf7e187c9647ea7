"""The objective with its derivatives: the path that holds at a point, and what is done where none is simple."""
