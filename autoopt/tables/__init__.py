"""Files and frames -> named columns: which reader reads what, and where in a file a value is missing.

Knows neither objectives nor models, only names.
"""
