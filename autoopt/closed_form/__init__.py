"""The model and its gradient as LaTeX or Markdown: formulas in index notation, with the user's names.

The formulas are differentiated here, by the rules of the textbook, and evaluated beside the compiled derivatives before
they are handed out.
"""
