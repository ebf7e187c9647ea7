"""Written by `python -m autoopt.models.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np


def slopes_prepare(eta, y):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    y_part = y[:, 0]
    y_part_2 = y[:, 1]
    difference = 1 - y_part_2
    difference_2 = 2 - y_part_2
    mask = difference == 0
    chosen = np.where(difference == 0, 1.0, difference)
    mask_2 = difference_2 == 0
    chosen_2 = np.where(difference_2 == 0, 1.0, difference_2)
    difference_2 = np.asarray(difference_2, dtype=float)
    chosen_2 = np.asarray(chosen_2, dtype=float)
    difference = np.asarray(difference, dtype=float)
    chosen = np.asarray(chosen, dtype=float)
    product = -np.asarray(y_part, dtype=float)
    ratio = difference / chosen
    ratio_2 = difference_2 / chosen_2
    return difference, difference_2, mask, mask_2, product, ratio, ratio_2


def slopes(point, eta, y, *, prepared=None):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    if point.shape != (1,):
        raise ValueError(f"point has 1 entry, not shape {point.shape}.")
    if prepared is None:
        prepared = slopes_prepare(eta, y)
    difference, difference_2, mask, mask_2, product, ratio, ratio_2 = prepared
    t1 = eta[:, None] + point[0]
    chosen = np.where(mask[:, None], 1.0, np.exp(difference[:, None] * t1) * ratio[:, None])
    chosen2 = np.where(mask_2[:, None], 1.0, np.exp(difference_2[:, None] * t1) * ratio_2[:, None])
    return chosen2 + chosen * product[:, None]


def curvatures_prepare(eta, y, prepared=None):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    y_part = y[:, 1]
    difference = 1 - y_part
    difference_2 = 2 - y_part
    minus_y = -y[:, 0]
    ratio = difference / np.where(difference == 0, 1.0, difference)
    ratio_2 = difference_2 / np.where(difference_2 == 0, 1.0, difference_2)
    mask = (difference == 0)[:, None]
    mask_2 = (difference_2 == 0)[:, None]
    product = (
        np.asarray(difference, dtype=float)
        * np.asarray(ratio, dtype=float)
        * np.asarray(minus_y, dtype=float)
    )
    product_2 = np.asarray(difference_2, dtype=float) * np.asarray(ratio_2, dtype=float)
    return difference, difference_2, mask, mask_2, product, product_2


def curvatures(point, eta, y, prepared=None, *, prepared_2=None):
    """Return the Jacobian, a column for each parameter, at `point`."""
    if prepared is not None:
        raise ValueError(f"This code was written for prepared = None, not {prepared!r}.")
    point = np.asarray(point, dtype=float)
    if point.shape != (1,):
        raise ValueError(f"point has 1 entry, not shape {point.shape}.")
    if prepared_2 is None:
        prepared_2 = curvatures_prepare(eta, y, prepared)
    difference, difference_2, mask, mask_2, product, product_2 = prepared_2
    t1 = eta[:, None] + point[0]
    chosen = np.where(mask_2, 0.0, np.exp(difference_2[:, None] * t1) * product_2[:, None])
    return chosen + np.where(mask, 0.0, np.exp(difference[:, None] * t1) * product[:, None])
