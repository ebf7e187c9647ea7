"""Data as batches of rows: files, folders and arrays larger than memory, read through again for each pass.

Knows columns, arrays and files; knows neither objectives nor fits.
"""
