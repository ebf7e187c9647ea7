"""Written by `python -m autoopt.execution.eager.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np


def pull_0(c0, r0, x0):
    return c0 * r0


def push_0(r0, x0, t0):
    return t0 * r0


def second_0(c0, r0, x0, t0):
    return t0 * c0 * r0


def pull_1(c0, r0, x0):
    return c0 / x0


def push_1(r0, x0, t0):
    return t0 / x0


def second_1(c0, r0, x0, t0):
    return -(t0 / x0 * (c0 / x0))


def pull_2(c0, r0, x0):
    return 0.5 * c0 / r0


def push_2(r0, x0, t0):
    return 0.5 * t0 / r0


def second_2(c0, r0, x0, t0):
    return t0 / r0 * (c0 / r0) * (-0.25 / r0)


def pull_3(c0, r0, x0):
    return 2.0 * c0 * x0


def push_3(r0, x0, t0):
    return 2.0 * t0 * x0


def second_3(c0, r0, x0, t0):
    return 2.0 * t0 * c0


def pull_4(c0, r0, x0):
    return -c0


def push_4(r0, x0, t0):
    return -t0


def second_4(c0, r0, x0, t0):
    return None


def pull_5(c0, r0, x0):
    return c0 * np.sign(x0)


def push_5(r0, x0, t0):
    return t0 * np.sign(x0)


def second_5(c0, r0, x0, t0):
    return None


def pull_6(c0, r0, x0):
    return c0 * (1.0 - r0 * r0)


def push_6(r0, x0, t0):
    return t0 * (1.0 - r0 * r0)


def second_6(c0, r0, x0, t0):
    return -2.0 * t0 * c0 * r0 * (1.0 - r0 * r0)


def pull_7(c0, r0, x0):
    return c0 * np.cos(x0)


def push_7(r0, x0, t0):
    return t0 * np.cos(x0)


def second_7(c0, r0, x0, t0):
    return -(t0 * c0 * r0)


def pull_8(c0, r0, x0):
    return -(c0 * np.sin(x0))


def push_8(r0, x0, t0):
    return -(t0 * np.sin(x0))


def second_8(c0, r0, x0, t0):
    return -(t0 * c0 * r0)


def pull_9(c0, r0, x0):
    cos_x0 = np.cos(x0)
    return c0 / cos_x0 / cos_x0


def push_9(r0, x0, t0):
    cos_x0 = np.cos(x0)
    return t0 / cos_x0 / cos_x0


def second_9(c0, r0, x0, t0):
    cos_x0 = np.cos(x0)
    return 2.0 * (t0 / cos_x0) * (c0 / cos_x0) * (np.sin(x0) / cos_x0)


def pull_10(c0, r0, x0):
    return c0 / (1.0 + x0)


def push_10(r0, x0, t0):
    return t0 / (1.0 + x0)


def second_10(c0, r0, x0, t0):
    t1 = 1.0 + x0
    return -(t0 / t1 * (c0 / t1))


def pull_11(c0, r0, x0):
    return c0 * np.exp(x0)


def push_11(r0, x0, t0):
    return t0 * np.exp(x0)


def second_11(c0, r0, x0, t0):
    return t0 * c0 * np.exp(x0)


def pull_12(c0, r0, x0):
    return c0 / x0 * (-1.0 / x0)


def push_12(r0, x0, t0):
    return t0 / x0 * (-1.0 / x0)


def second_12(c0, r0, x0, t0):
    return 2.0 * (t0 / x0 * (c0 / x0) / x0)


def pull_13(c0, r0, x0):
    return c0 * np.cosh(x0)


def push_13(r0, x0, t0):
    return t0 * np.cosh(x0)


def second_13(c0, r0, x0, t0):
    return t0 * c0 * r0


def pull_14(c0, r0, x0):
    return c0 * np.sinh(x0)


def push_14(r0, x0, t0):
    return t0 * np.sinh(x0)


def second_14(c0, r0, x0, t0):
    return t0 * c0 * r0


def pull_15(c0, r0, x0):
    return c0 / (1.0 + x0 * x0)


def push_15(r0, x0, t0):
    return t0 / (1.0 + x0 * x0)


def second_15(c0, r0, x0, t0):
    t1 = 1.0 + x0 * x0
    return -2.0 * (t0 / t1) * (c0 / t1) * x0


def pull_16(c0, r0, x0):
    return 0.43429448190325176 * c0 / x0


def push_16(r0, x0, t0):
    return 0.43429448190325176 * t0 / x0


def second_16(c0, r0, x0, t0):
    return -0.43429448190325176 * (t0 / x0) * (c0 / x0)


def pull_17(c0, r0, x0):
    return 1.4426950408889634 * c0 / x0


def push_17(r0, x0, t0):
    return 1.4426950408889634 * t0 / x0


def second_17(c0, r0, x0, t0):
    return -1.4426950408889634 * (t0 / x0) * (c0 / x0)


def pull_18(c0, r0, x0):
    return None


def push_18(r0, x0, t0):
    return None


def second_18(c0, r0, x0, t0):
    return None


def pull_19(c0, r0, x0):
    return None


def push_19(r0, x0, t0):
    return None


def second_19(c0, r0, x0, t0):
    return None


def pull_20(c0, r0, x0):
    return c0 * r0 * (1.0 - r0)


def push_20(r0, x0, t0):
    return t0 * (1.0 - r0) * r0


def second_20(c0, r0, x0, t0):
    difference = 1.0 - r0
    return t0 * difference * c0 * r0 * difference - t0 * c0 * r0 * r0 * difference


def pull_23(c0, r0, x0):
    return 1.1283791670955126 * c0 * np.exp(-(x0 * x0))


def push_23(r0, x0, t0):
    return 1.1283791670955126 * t0 * np.exp(-(x0 * x0))


def second_23(c0, r0, x0, t0):
    return -2.256758334191025 * t0 * c0 * np.exp(-(x0 * x0)) * x0


def pull_24(c0, r0, x0):
    t1 = np.isinf(x0)
    product = 0.3989422804014327 * c0 * np.exp(np.where(t1, 0.0, np.where(t1, 0.0, -0.5 * x0 * x0)))
    return np.where(t1, 0.0, product)


def push_24(r0, x0, t0):
    t1 = np.isinf(x0)
    product = 0.3989422804014327 * t0 * np.exp(np.where(t1, 0.0, np.where(t1, 0.0, -0.5 * x0 * x0)))
    return np.where(t1, 0.0, product)


def second_24(c0, r0, x0, t0):
    t1 = np.isinf(x0)
    exp = np.exp(np.where(t1, 0.0, np.where(t1, 0.0, -0.5 * x0 * x0)))
    chosen = np.where(t1, 0.0, np.where(t1, 0.0, -0.3989422804014327 * t0 * c0 * exp * x0))
    return np.where(t1, 0.0, chosen)


# with arrays


def pull_104(c0, r0, x0):
    return c0.T.copy()


# with arrays


def push_104(r0, x0, t0):
    return t0.T.copy()


def second_104(c0, r0, x0, t0):
    return None


# with arrays


def pull_105(c0, r0, x0):
    return -(r0.T @ (c0 @ r0.T))


# with arrays


def push_105(r0, x0, t0):
    return (r0 @ -t0) @ r0


def second_105(c0, r0, x0, t0):
    minus = -t0.T
    return -(r0.T @ (((minus @ r0.T) @ c0 + (c0 @ r0.T) @ minus) @ r0.T))


# with arrays


def pull_112(c0, r0, x0):
    largest_x0 = x0.max()
    exp = np.exp(x0 - np.where(np.isinf(largest_x0), 0.0, largest_x0))
    return c0 * exp / exp.sum()


# with arrays


def push_112(r0, x0, t0):
    largest_x0 = x0.max()
    exp = np.exp(x0 - np.where(np.isinf(largest_x0), 0.0, largest_x0))
    return (t0 @ exp) / exp.sum()


def second_112(c0, r0, x0, t0):
    largest_x0 = x0.max()
    exp = np.exp(x0 - np.where(np.isinf(largest_x0), 0.0, largest_x0))
    total_exp = exp.sum()
    return c0 * t0 * exp / total_exp - (t0 @ exp) / total_exp * c0 * (exp / total_exp)


STEPS = {
    'np.exp|varies()': {"pull": pull_0, "push": push_0, "second": second_0},
    'np.log|varies()': {"pull": pull_1, "push": push_1, "second": second_1},
    'np.sqrt|varies()': {"pull": pull_2, "push": push_2, "second": second_2},
    'np.square|varies()': {"pull": pull_3, "push": push_3, "second": second_3},
    'np.negative|varies()': {"pull": pull_4, "push": push_4, "second": second_4},
    'np.absolute|varies()': {"pull": pull_5, "push": push_5, "second": second_5},
    'np.tanh|varies()': {"pull": pull_6, "push": push_6, "second": second_6},
    'np.sin|varies()': {"pull": pull_7, "push": push_7, "second": second_7},
    'np.cos|varies()': {"pull": pull_8, "push": push_8, "second": second_8},
    'np.tan|varies()': {"pull": pull_9, "push": push_9, "second": second_9},
    'np.log1p|varies()': {"pull": pull_10, "push": push_10, "second": second_10},
    'np.expm1|varies()': {"pull": pull_11, "push": push_11, "second": second_11},
    'np.reciprocal|varies()': {"pull": pull_12, "push": push_12, "second": second_12},
    'np.sinh|varies()': {"pull": pull_13, "push": push_13, "second": second_13},
    'np.cosh|varies()': {"pull": pull_14, "push": push_14, "second": second_14},
    'np.arctan|varies()': {"pull": pull_15, "push": push_15, "second": second_15},
    'np.log10|varies()': {"pull": pull_16, "push": push_16, "second": second_16},
    'np.log2|varies()': {"pull": pull_17, "push": push_17, "second": second_17},
    'np.floor|varies()': {"pull": pull_18, "push": push_18, "second": second_18},
    'np.sign|varies()': {"pull": pull_19, "push": push_19, "second": second_19},
    'scipy.special.expit|varies()': {"pull": pull_20, "push": push_20, "second": second_20},
    'scipy.special.erf|varies()': {"pull": pull_23, "push": push_23, "second": second_23},
    'scipy.special.ndtr|varies()': {"pull": pull_24, "push": push_24, "second": second_24},
    'np.transpose((Slot(position=0)),{})|varies(:,:)': {"pull": pull_104, "push": push_104, "second": second_104},
    'np.linalg.inv((Slot(position=0)),{})|varies(:,:)': {"pull": pull_105, "push": push_105, "second": second_105},
    'scipy.special.logsumexp((Slot(position=0)),{})|varies(:)': {"pull": pull_112, "push": push_112, "second": second_112},
}
