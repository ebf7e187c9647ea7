"""A Fit as pictures and as a page: what is drawn of it, and the report. Fits are taken as they are: nothing here makes
one.
"""
