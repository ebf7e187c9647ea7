"""All smooth problems without constraints, or with bounds alone: importing their files enters them."""

import bounded_problems
import classic_problems
import more_problems
import nist_sums
from smooth_rows import SMOOTH, Smooth

FILES = (more_problems, classic_problems, bounded_problems, nist_sums)
__all__ = ["FILES", "SMOOTH", "Smooth"]
