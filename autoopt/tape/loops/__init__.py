"""Loops that hand values on, as single steps of the tape."""
