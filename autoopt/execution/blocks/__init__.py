"""Printed functions as passes over blocks of the rows of their data: what is found, and how it is run."""
