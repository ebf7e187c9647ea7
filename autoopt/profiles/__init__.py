"""Profiles of a fit: its least objective with one parameter held, where that is held, and the intervals that follow.

A fit is solved again by its case (`autoopt.fitting.solving`); what is shown of one is not known here.
"""
