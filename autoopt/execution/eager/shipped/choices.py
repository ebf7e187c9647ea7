"""Written by `python -m autoopt.execution.eager.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np


def pull_39(c0, r0, x0, x1):
    product = 0.5 * c0
    value = np.where(x0 > x1, c0, np.where(x0 == x1, product, 0.0))
    chosen = np.where(x1 > x0, c0, np.where(x1 == x0, product, 0.0))
    return value, chosen


def push_39(r0, x0, x1, t0, t1):
    mask = x1 > x0
    mask2 = x0 > x1
    chosen = np.where(x0 == x1, np.where(mask2, 0.0, 0.5 * t0), 0.0)
    chosen2 = np.where(x1 == x0, np.where(mask, 0.0, 0.5 * t1), 0.0)
    return np.where(mask2, t0, 0.0) + chosen + np.where(mask, t1, 0.0) + chosen2


def second_39(c0, r0, x0, x1, t0, t1):
    return None, None


def pull_40(c0, r0, x0, x1):
    return np.where(x0 > x1, c0, np.where(x0 == x1, 0.5 * c0, 0.0))


def push_40(r0, x0, x1, t0):
    mask = x0 > x1
    return np.where(mask, t0, 0.0) + np.where(x0 == x1, np.where(mask, 0.0, 0.5 * t0), 0.0)


def second_40(c0, r0, x0, x1, t0):
    return None


def pull_41(c0, r0, x0, x1):
    return np.where(x1 > x0, c0, np.where(x1 == x0, 0.5 * c0, 0.0))


def push_41(r0, x0, x1, t0):
    mask = x1 > x0
    return np.where(mask, t0, 0.0) + np.where(x1 == x0, np.where(mask, 0.0, 0.5 * t0), 0.0)


def second_41(c0, r0, x0, x1, t0):
    return None


def pull_42(c0, r0, x0, x1):
    product = 0.5 * c0
    value = np.where(x1 > x0, c0, np.where(x1 == x0, product, 0.0))
    chosen = np.where(x0 > x1, c0, np.where(x0 == x1, product, 0.0))
    return value, chosen


def push_42(r0, x0, x1, t0, t1):
    mask = x0 > x1
    mask2 = x1 > x0
    chosen = np.where(x1 == x0, np.where(mask2, 0.0, 0.5 * t0), 0.0)
    chosen2 = np.where(x0 == x1, np.where(mask, 0.0, 0.5 * t1), 0.0)
    return np.where(mask2, t0, 0.0) + chosen + np.where(mask, t1, 0.0) + chosen2


def second_42(c0, r0, x0, x1, t0, t1):
    return None, None


def pull_43(c0, r0, x0, x1):
    return np.where(x1 > x0, c0, np.where(x1 == x0, 0.5 * c0, 0.0))


def push_43(r0, x0, x1, t0):
    mask = x1 > x0
    return np.where(mask, t0, 0.0) + np.where(x1 == x0, np.where(mask, 0.0, 0.5 * t0), 0.0)


def second_43(c0, r0, x0, x1, t0):
    return None


def pull_44(c0, r0, x0, x1):
    return np.where(x0 > x1, c0, np.where(x0 == x1, 0.5 * c0, 0.0))


def push_44(r0, x0, x1, t0):
    mask = x0 > x1
    return np.where(mask, t0, 0.0) + np.where(x0 == x1, np.where(mask, 0.0, 0.5 * t0), 0.0)


def second_44(c0, r0, x0, x1, t0):
    return None


def pull_69(c0, r0, x0, x1, x2):
    value = np.where(x0, c0, 0.0)
    return value, np.where(x0, 0.0, c0)


def push_69(r0, x0, x1, x2, t0, t1):
    return np.where(x0, t0, t1)


def second_69(c0, r0, x0, x1, x2, t0, t1):
    return None, None


def pull_70(c0, r0, x0, x1, x2):
    return np.where(x0, c0, 0.0)


def push_70(r0, x0, x1, x2, t0):
    return np.where(x0, t0, 0.0)


def second_70(c0, r0, x0, x1, x2, t0):
    return None


def pull_71(c0, r0, x0, x1, x2):
    return np.where(x0, 0.0, c0)


def push_71(r0, x0, x1, x2, t0):
    return np.where(x0, 0.0, t0)


def second_71(c0, r0, x0, x1, x2, t0):
    return None


STEPS = {
    'np.maximum|varies()|varies()': {"pull": pull_39, "push": push_39, "second": second_39},
    'np.maximum|varies()|given()': {"pull": pull_40, "push": push_40, "second": second_40},
    'np.maximum|given()|varies()': {"pull": pull_41, "push": push_41, "second": second_41},
    'np.minimum|varies()|varies()': {"pull": pull_42, "push": push_42, "second": second_42},
    'np.minimum|varies()|given()': {"pull": pull_43, "push": push_43, "second": second_43},
    'np.minimum|given()|varies()': {"pull": pull_44, "push": push_44, "second": second_44},
    'np.where((Slot(position=0),Slot(position=1),Slot(position=2)),{})|givenbool()|varies()|varies()': {"pull": pull_69, "push": push_69, "second": second_69},
    'np.where((Slot(position=0),Slot(position=1),Slot(position=2)),{})|givenbool()|varies()|given()': {"pull": pull_70, "push": push_70, "second": second_70},
    'np.where((Slot(position=0),Slot(position=1),Slot(position=2)),{})|givenbool()|given()|varies()': {"pull": pull_71, "push": push_71, "second": second_71},
}
