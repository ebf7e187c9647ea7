"""Which second derivatives of a tape, or first ones of its result, may differ from 0 at any point of its path.

`pool` numbers the sets of parameters that entries depend on, `walk` follows them from step to step by the rules of the
other files, `pattern` is what comes of it, and `coloring` says which columns of a pattern are found by one product.
"""
