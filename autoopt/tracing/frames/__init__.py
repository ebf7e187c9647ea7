"""Stand-ins for the tables of pandas and polars."""
