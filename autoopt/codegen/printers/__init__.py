"""How each PyTensor operation is written in NumPy: one small function each, found by the class of the operation."""

from autoopt.codegen.printers import (
    arrays,  # noqa: F401  (they fill PRINTERS)
    assembled,  # noqa: F401  (they fill PRINTERS)
    elementwise,  # noqa: F401  (they fill PRINTERS)
    equations,  # noqa: F401  (they fill PRINTERS)
    fourier,  # noqa: F401  (they fill PRINTERS)
    indexing,  # noqa: F401  (they fill PRINTERS)
    linalg,  # noqa: F401  (they fill PRINTERS)
    loops,  # noqa: F401  (they fill PRINTERS)
    nests,  # noqa: F401  (they fill PRINTERS)
    roots,  # noqa: F401  (they fill PRINTERS)
    sparse,  # noqa: F401  (they fill PRINTERS)
    windows,  # noqa: F401  (they fill PRINTERS)
)
