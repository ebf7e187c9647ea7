"""A table -> a model file to begin with: which likelihood its response suggests, which columns explain it, the text."""

from autoopt.proposals.proposal import Proposal, proposal

__all__ = ["Proposal", "proposal"]
