"""Whether compiled code computes what the user's function does: at a point, beside it, along a run, and in which line.

`certificate.py` has what was found, in words and numbers; `secants.py` slopes of the original by few calls of it,
`segments.py` by one, which a rule of integration compares with the compiled slopes between; `points.py` the comparison
at a point. Nothing here trusts derived code, or knows more of an objective than its methods.
"""
