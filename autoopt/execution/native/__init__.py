"""Printed NumPy functions as machine code: for code of many small operations, where Python's overhead is the cost.

`lowering` reads the text of a function and, knowing the shapes of its operands, writes every array statement as loops
over numbers; `machine` has LLVM compile them. What the room does not know it refuses, and the text runs as it is.
"""
