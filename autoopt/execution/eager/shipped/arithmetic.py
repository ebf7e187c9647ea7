"""Written by `python -m autoopt.execution.eager.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np


def pull_27(c0, r0, x0, x1):
    return c0, c0


def push_27(r0, x0, x1, t0, t1):
    return t0 + t1


def second_27(c0, r0, x0, x1, t0, t1):
    return None, None


def pull_28(c0, r0, x0, x1):
    return c0


def push_28(r0, x0, x1, t0):
    return t0


def second_28(c0, r0, x0, x1, t0):
    return None


def pull_29(c0, r0, x0, x1):
    return c0


def push_29(r0, x0, x1, t0):
    return t0


def second_29(c0, r0, x0, x1, t0):
    return None


def pull_30(c0, r0, x0, x1):
    value = -c0
    return c0, value


def push_30(r0, x0, x1, t0, t1):
    return t0 - t1


def second_30(c0, r0, x0, x1, t0, t1):
    return None, None


def pull_31(c0, r0, x0, x1):
    return c0


def push_31(r0, x0, x1, t0):
    return t0


def second_31(c0, r0, x0, x1, t0):
    return None


def pull_32(c0, r0, x0, x1):
    return -c0


def push_32(r0, x0, x1, t0):
    return -t0


def second_32(c0, r0, x0, x1, t0):
    return None


def pull_33(c0, r0, x0, x1):
    value = c0 * x1
    return value, c0 * x0


def push_33(r0, x0, x1, t0, t1):
    return t0 * x1 + t1 * x0


def second_33(c0, r0, x0, x1, t0, t1):
    value = t1 * c0
    return value, t0 * c0


def pull_34(c0, r0, x0, x1):
    return c0 * x1


def push_34(r0, x0, x1, t0):
    return t0 * x1


def second_34(c0, r0, x0, x1, t0):
    return None


def pull_35(c0, r0, x0, x1):
    return c0 * x0


def push_35(r0, x0, x1, t0):
    return t0 * x0


def second_35(c0, r0, x0, x1, t0):
    return None


def pull_36(c0, r0, x0, x1):
    value = c0 / x1
    return value, -(value * r0)


def push_36(r0, x0, x1, t0, t1):
    return t0 / x1 - t1 / x1 * r0


def second_36(c0, r0, x0, x1, t0, t1):
    ratio = c0 / x1
    ratio2 = t1 / x1
    value = -(ratio2 * ratio)
    t2 = 2.0 * (ratio2 * ratio * r0) - t0 / x1 * ratio
    return value, t2


def pull_37(c0, r0, x0, x1):
    return c0 / x1


def push_37(r0, x0, x1, t0):
    return t0 / x1


def second_37(c0, r0, x0, x1, t0):
    return None


def pull_38(c0, r0, x0, x1):
    return -(c0 / x1 * r0)


def push_38(r0, x0, x1, t0):
    return -(t0 / x1 * r0)


def second_38(c0, r0, x0, x1, t0):
    return 2.0 * (t0 / x1 * (c0 / x1) * r0)


def pull_51(c0, r0, x0, x1):
    t1 = x1 * x1 + x0 * x0
    value = c0 * x1 / t1
    return value, -(c0 * x0) / t1


def push_51(r0, x0, x1, t0, t1):
    t2 = x1 * x1 + x0 * x0
    return t0 * x1 / t2 - (t1 * x0) / t2


def second_51(c0, r0, x0, x1, t0, t1):
    t2 = x1 * x1 + x0 * x0
    ratio = c0 / t2
    ratio2 = t1 / t2
    ratio3 = t0 / t2
    value = 2.0 * ratio2 * ratio * x0 * x0 - 2.0 * ratio3 * ratio * x1 * x0 - (t1 * c0) / t2
    t3 = t0 * c0 / t2 + 2.0 * ratio2 * ratio * x0 * x1 - 2.0 * ratio3 * ratio * x1 * x1
    return value, t3


def pull_52(c0, r0, x0, x1):
    return c0 * x1 / (x1 * x1 + x0 * x0)


def push_52(r0, x0, x1, t0):
    return t0 * x1 / (x1 * x1 + x0 * x0)


def second_52(c0, r0, x0, x1, t0):
    t1 = x1 * x1 + x0 * x0
    return -2.0 * (t0 / t1) * (c0 / t1) * x1 * x0


def pull_53(c0, r0, x0, x1):
    return -(c0 * x0) / (x1 * x1 + x0 * x0)


def push_53(r0, x0, x1, t0):
    return -(t0 * x0) / (x1 * x1 + x0 * x0)


def second_53(c0, r0, x0, x1, t0):
    t1 = x1 * x1 + x0 * x0
    return 2.0 * (t0 / t1) * (c0 / t1) * x0 * x1


def pull_54(c0, r0, x0, x1):
    t1 = np.maximum(np.abs(x0), np.abs(x1))
    mask = t1 > 0
    chosen = np.where(mask, t1, 1.0)
    t2 = np.isinf(chosen)
    chosen2 = np.where(t2, 1.0, np.where(mask, t1 * t1, 1.0))
    chosen3 = np.where(t2, 1.0, chosen)
    root = np.sqrt(np.where(mask, (x0 / chosen3) ** 2 + (x1 / chosen3) ** 2, 1.0))
    value = np.where(mask, np.where(mask, c0 * chosen3 * x0 / root / chosen2, 0.0), 0.0)
    chosen4 = np.where(mask, np.where(mask, c0 * chosen3 * x1 / root / chosen2, 0.0), 0.0)
    return value, chosen4


def push_54(r0, x0, x1, t0, t1):
    t2 = np.maximum(np.abs(x0), np.abs(x1))
    mask = t2 > 0
    chosen = np.where(mask, t2, 1.0)
    t3 = np.isinf(chosen)
    chosen2 = np.where(t3, 1.0, chosen)
    chosen3 = np.where(t3, 1.0, np.where(mask, t2 * t2, 1.0))
    root = np.sqrt(np.where(mask, (x0 / chosen2) ** 2 + (x1 / chosen2) ** 2, 1.0))
    ratio = 0.5 * (2.0 * t0 * x0 / chosen3 + 2.0 * t1 * x1 / chosen3) * chosen2 / root
    return np.where(mask, np.where(mask, ratio, 0.0), 0.0)


def second_54(c0, r0, x0, x1, t0, t1):
    t2 = np.maximum(np.abs(x0), np.abs(x1))
    mask = t2 > 0
    chosen = np.where(mask, t2, 1.0)
    t3 = np.isinf(chosen)
    chosen2 = np.where(t3, 1.0, chosen)
    root = np.sqrt(np.where(mask, (x0 / chosen2) ** 2 + (x1 / chosen2) ** 2, 1.0))
    ratio = c0 / root
    chosen3 = np.where(t3, 1.0, np.where(mask, t2 * t2, 1.0))
    ratio2 = (2.0 * t0 * x0 / chosen3 + 2.0 * t1 * x1 / chosen3) / root
    ratio3 = (np.where(mask, -0.5 * ratio2 * ratio * (x0 / root), 0.0) + t0 * c0 / root) / chosen2
    value = np.where(mask, np.where(mask, ratio3, 0.0), 0.0)
    ratio4 = (np.where(mask, -0.5 * ratio2 * ratio * (x1 / root), 0.0) + t1 * c0 / root) / chosen2
    chosen4 = np.where(mask, np.where(mask, ratio4, 0.0), 0.0)
    return value, chosen4


def pull_55(c0, r0, x0, x1):
    t1 = np.maximum(np.abs(x0), np.abs(x1))
    mask = t1 > 0
    chosen = np.where(mask, t1, 1.0)
    t2 = np.isinf(chosen)
    chosen2 = np.where(t2, 1.0, chosen)
    root = np.sqrt(np.where(mask, (x0 / chosen2) ** 2 + (x1 / chosen2) ** 2, 1.0))
    ratio = c0 * chosen2 * x0 / root / np.where(t2, 1.0, np.where(mask, t1 * t1, 1.0))
    return np.where(mask, np.where(mask, ratio, 0.0), 0.0)


def push_55(r0, x0, x1, t0):
    t1 = np.maximum(np.abs(x0), np.abs(x1))
    mask = t1 > 0
    chosen = np.where(mask, t1, 1.0)
    chosen2 = np.where(np.isinf(chosen), 1.0, chosen)
    product = chosen2 * np.sqrt(np.where(mask, (x0 / chosen2) ** 2 + (x1 / chosen2) ** 2, 1.0))
    return np.where(mask, np.where(mask, t0 * x0 / product, 0.0), 0.0)


def second_55(c0, r0, x0, x1, t0):
    t1 = np.maximum(np.abs(x0), np.abs(x1))
    mask = t1 > 0
    chosen = np.where(mask, t1, 1.0)
    chosen2 = np.where(np.isinf(chosen), 1.0, chosen)
    root = np.sqrt(np.where(mask, (x0 / chosen2) ** 2 + (x1 / chosen2) ** 2, 1.0))
    ratio = t0 * x0 * c0 / chosen2 / root * (x0 / root) * (-1.0 / root) / chosen2
    chosen3 = np.where(mask, (np.where(mask, ratio, 0.0) + t0 * c0 / root) / chosen2, 0.0)
    return np.where(mask, chosen3, 0.0)


def pull_56(c0, r0, x0, x1):
    t1 = np.maximum(np.abs(x0), np.abs(x1))
    mask = t1 > 0
    chosen = np.where(mask, t1, 1.0)
    t2 = np.isinf(chosen)
    chosen2 = np.where(t2, 1.0, chosen)
    root = np.sqrt(np.where(mask, (x0 / chosen2) ** 2 + (x1 / chosen2) ** 2, 1.0))
    ratio = c0 * chosen2 * x1 / root / np.where(t2, 1.0, np.where(mask, t1 * t1, 1.0))
    return np.where(mask, np.where(mask, ratio, 0.0), 0.0)


def push_56(r0, x0, x1, t0):
    t1 = np.maximum(np.abs(x0), np.abs(x1))
    mask = t1 > 0
    chosen = np.where(mask, t1, 1.0)
    chosen2 = np.where(np.isinf(chosen), 1.0, chosen)
    product = chosen2 * np.sqrt(np.where(mask, (x0 / chosen2) ** 2 + (x1 / chosen2) ** 2, 1.0))
    return np.where(mask, np.where(mask, t0 * x1 / product, 0.0), 0.0)


def second_56(c0, r0, x0, x1, t0):
    t1 = np.maximum(np.abs(x0), np.abs(x1))
    mask = t1 > 0
    chosen = np.where(mask, t1, 1.0)
    chosen2 = np.where(np.isinf(chosen), 1.0, chosen)
    root = np.sqrt(np.where(mask, (x0 / chosen2) ** 2 + (x1 / chosen2) ** 2, 1.0))
    ratio = t0 * x1 * c0 / chosen2 / root * (x1 / root) * (-1.0 / root) / chosen2
    chosen3 = np.where(mask, (np.where(mask, ratio, 0.0) + t0 * c0 / root) / chosen2, 0.0)
    return np.where(mask, chosen3, 0.0)


# with arrays


def pull_108(c0, r0, x0, x1):
    solution = np.linalg.solve(x0.T, c0)
    return -(solution[:, None] * r0), solution


# with arrays


def push_108(r0, x0, x1, t0, t1):
    return np.linalg.solve(x0, t1 - t0 @ r0)


def second_108(c0, r0, x0, x1, t0, t1):
    minus_t0 = -t0
    solution = np.linalg.solve(x0.T, c0)
    solution2 = np.linalg.solve(x0.T, solution @ minus_t0)
    difference = -(solution[:, None] * np.linalg.solve(x0, minus_t0 @ r0 + t1)) - solution2[:, None] * r0
    return difference, solution2


# with arrays


def pull_109(c0, r0, x0, x1):
    return -(np.linalg.solve(x0.T, c0)[:, None] * r0)


# with arrays


def push_109(r0, x0, x1, t0):
    return np.linalg.solve(x0, -t0 @ r0)


def second_109(c0, r0, x0, x1, t0):
    minus_t0 = -t0
    solution = np.linalg.solve(x0.T, c0)
    minus = -(solution[:, None] * np.linalg.solve(x0, minus_t0 @ r0))
    return minus - np.linalg.solve(x0.T, solution @ minus_t0)[:, None] * r0


# with arrays


def pull_110(c0, r0, x0, x1):
    return np.linalg.solve(x0.T, c0)


# with arrays


def push_110(r0, x0, x1, t0):
    return np.linalg.solve(x0, t0)


def second_110(c0, r0, x0, x1, t0):
    return None


# with arrays


def pull_111(c0, r0, x0, x1):
    solution = np.linalg.solve(x0.T, c0)
    return -(solution @ r0.T), solution


# with arrays


def push_111(r0, x0, x1, t0, t1):
    return np.linalg.solve(x0, t1 - t0 @ r0)


def second_111(c0, r0, x0, x1, t0, t1):
    solution = np.linalg.solve(x0.T, c0)
    minus_t0 = -t0
    solution2 = np.linalg.solve(x0.T, minus_t0.T @ solution)
    difference = -(solution @ np.linalg.solve(x0, minus_t0 @ r0 + t1).T) - solution2 @ r0.T
    return difference, solution2


STEPS = {
    'np.add|varies()|varies()': {"pull": pull_27, "push": push_27, "second": second_27},
    'np.add|varies()|given()': {"pull": pull_28, "push": push_28, "second": second_28},
    'np.add|given()|varies()': {"pull": pull_29, "push": push_29, "second": second_29},
    'np.subtract|varies()|varies()': {"pull": pull_30, "push": push_30, "second": second_30},
    'np.subtract|varies()|given()': {"pull": pull_31, "push": push_31, "second": second_31},
    'np.subtract|given()|varies()': {"pull": pull_32, "push": push_32, "second": second_32},
    'np.multiply|varies()|varies()': {"pull": pull_33, "push": push_33, "second": second_33},
    'np.multiply|varies()|given()': {"pull": pull_34, "push": push_34, "second": second_34},
    'np.multiply|given()|varies()': {"pull": pull_35, "push": push_35, "second": second_35},
    'np.divide|varies()|varies()': {"pull": pull_36, "push": push_36, "second": second_36},
    'np.divide|varies()|given()': {"pull": pull_37, "push": push_37, "second": second_37},
    'np.divide|given()|varies()': {"pull": pull_38, "push": push_38, "second": second_38},
    'np.arctan2|varies()|varies()': {"pull": pull_51, "push": push_51, "second": second_51},
    'np.arctan2|varies()|given()': {"pull": pull_52, "push": push_52, "second": second_52},
    'np.arctan2|given()|varies()': {"pull": pull_53, "push": push_53, "second": second_53},
    'np.hypot|varies()|varies()': {"pull": pull_54, "push": push_54, "second": second_54},
    'np.hypot|varies()|given()': {"pull": pull_55, "push": push_55, "second": second_55},
    'np.hypot|given()|varies()': {"pull": pull_56, "push": push_56, "second": second_56},
    'np.linalg.solve((Slot(position=0),Slot(position=1)),{})|varies(:,:)|varies(:)': {"pull": pull_108, "push": push_108, "second": second_108},
    'np.linalg.solve((Slot(position=0),Slot(position=1)),{})|varies(:,:)|given(:)': {"pull": pull_109, "push": push_109, "second": second_109},
    'np.linalg.solve((Slot(position=0),Slot(position=1)),{})|given(:,:)|varies(:)': {"pull": pull_110, "push": push_110, "second": second_110},
    'np.linalg.solve((Slot(position=0),Slot(position=1)),{})|varies(:,:)|varies(:,:)': {"pull": pull_111, "push": push_111, "second": second_111},
}
