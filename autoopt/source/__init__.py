"""PyTensor graph -> NumPy source. Knows no tape, no objective and no solver."""

from autoopt.source import (  # noqa: F401  (they fill PRINTERS)
    printers_elemwise,
    printers_fourier,
    printers_linalg,
    printers_loop,
    printers_sparse,
    printers_subtensor,
)
from autoopt.source.listing import Listing, list_function
from autoopt.source.printers import PRINTERS
from autoopt.source.printers_elemwise import SCALARS

__all__ = ["PRINTERS", "SCALARS", "Listing", "list_function"]
