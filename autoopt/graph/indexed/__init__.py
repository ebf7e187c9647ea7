"""Hessians in index notation: derivatives as sums of products over named indices, multiplied out last."""
