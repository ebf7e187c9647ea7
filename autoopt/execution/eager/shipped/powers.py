"""Written by `python -m autoopt.execution.eager.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np


def pull_45(c0, r0, x0, x1):
    mask = x0 == 0
    t1 = mask & (x1 == 0)
    value = np.where(t1, 0.0, c0 * x1 * np.power(x0, np.where(t1, 1.0, x1 - 1.0)))
    chosen = np.where(mask, 0.0, c0 * np.log(np.where(mask, 1.0, x0)) * r0)
    return value, chosen


def push_45(r0, x0, x1, t0, t1):
    mask = x0 == 0
    t2 = mask & (x1 == 0)
    chosen = np.where(t2, 0.0, t0 * x1 * np.power(x0, np.where(t2, 1.0, x1 - 1.0)))
    return chosen + np.where(mask, 0.0, t1 * np.log(np.where(mask, 1.0, x0)) * r0)


def second_45(c0, r0, x0, x1, t0, t1):
    mask = x0 == 0
    t2 = mask & (x1 == 0)
    chosen = np.where(t2, 1.0, x1 - 1.0)
    t3 = np.power(x0, chosen)
    chosen2 = np.where(mask, 1.0, x0)
    log_chosen2 = np.log(chosen2)
    t4 = mask & (chosen == 0)
    chosen3 = np.where(t4, 0.0, t0 * c0 * x1 * chosen * np.power(x0, np.where(t4, 1.0, chosen - 1.0)))
    chosen4 = np.where(mask, 0.0, np.where(t2, 0.0, t1 * c0 * log_chosen2 * x1 * t3))
    chosen5 = np.where(mask, 0.0, np.where(mask, 0.0, t1 * c0 * r0 / chosen2))
    value = np.where(t2, 0.0, chosen3) + chosen5 + chosen4
    chosen6 = np.where(t2, 0.0, np.where(mask, 0.0, t0 * c0 * x1 * log_chosen2 * t3))
    chosen7 = np.where(mask, 0.0, np.where(mask, 0.0, t1 * c0 * log_chosen2 * log_chosen2 * r0))
    t5 = np.where(t2, 0.0, t0 * c0 * t3) + np.where(t2, 0.0, chosen6) + chosen7
    return value, t5


def pull_46(c0, r0, x0, x1):
    t1 = (x0 == 0) & (x1 == 0)
    return np.where(t1, 0.0, c0 * x1 * np.power(x0, np.where(t1, 1.0, x1 - 1.0)))


def push_46(r0, x0, x1, t0):
    t1 = (x0 == 0) & (x1 == 0)
    return np.where(t1, 0.0, t0 * x1 * np.power(x0, np.where(t1, 1.0, x1 - 1.0)))


def second_46(c0, r0, x0, x1, t0):
    mask = x0 == 0
    t1 = mask & (x1 == 0)
    chosen = np.where(t1, 1.0, x1 - 1.0)
    t2 = mask & (chosen == 0)
    chosen2 = np.where(t2, 0.0, t0 * c0 * x1 * chosen * np.power(x0, np.where(t2, 1.0, chosen - 1.0)))
    return np.where(t1, 0.0, chosen2)


def pull_47(c0, r0, x0, x1):
    mask = x0 == 0
    return np.where(mask, 0.0, c0 * np.log(np.where(mask, 1.0, x0)) * r0)


def push_47(r0, x0, x1, t0):
    mask = x0 == 0
    return np.where(mask, 0.0, t0 * np.log(np.where(mask, 1.0, x0)) * r0)


def second_47(c0, r0, x0, x1, t0):
    mask = x0 == 0
    log = np.log(np.where(mask, 1.0, x0))
    return np.where(mask, 0.0, np.where(mask, 0.0, t0 * c0 * log * log * r0))


def pull_57(c0, r0, x0):
    return 2.0 * c0 * x0


def push_57(r0, x0, t0):
    return 2.0 * t0 * x0


def second_57(c0, r0, x0, t0):
    return 2.0 * t0 * c0


def pull_58(c0, r0, x0):
    return 3.0 * c0 * (x0 * x0)


def push_58(r0, x0, t0):
    return 3.0 * t0 * (x0 * x0)


def second_58(c0, r0, x0, t0):
    return 6.0 * t0 * c0 * x0


def pull_59(c0, r0, x0):
    return 4.0 * c0 * (x0 * x0 * x0)


def push_59(r0, x0, t0):
    return 4.0 * t0 * (x0 * x0 * x0)


def second_59(c0, r0, x0, t0):
    return 12.0 * t0 * c0 * (x0 * x0)


def pull_60(c0, r0, x0):
    return c0 / x0 * (-1.0 / x0)


def push_60(r0, x0, t0):
    return t0 / x0 * (-1.0 / x0)


def second_60(c0, r0, x0, t0):
    return 2.0 * (t0 / x0 * (c0 / x0) / x0)


def pull_61(c0, r0, x0):
    return c0 / x0 * (-2.0 / x0) / x0


def push_61(r0, x0, t0):
    return t0 / x0 * (-2.0 / x0) / x0


def second_61(c0, r0, x0, t0):
    ratio = c0 / x0
    ratio2 = t0 / x0
    return ratio2 * ratio * (8.0 / x0) / x0 + ratio2 * ratio * (-2.0 / x0) / x0


def pull_62(c0, r0, x0):
    return 2.0 * c0 * x0


def push_62(r0, x0, t0):
    return 2.0 * t0 * x0


def second_62(c0, r0, x0, t0):
    return 2.0 * t0 * c0


def pull_63(c0, r0, x0):
    return 3.0 * c0 * (x0 * x0)


def push_63(r0, x0, t0):
    return 3.0 * t0 * (x0 * x0)


def second_63(c0, r0, x0, t0):
    return 6.0 * t0 * c0 * x0


def pull_64(c0, r0, x0):
    return 0.5 * c0 / r0


def push_64(r0, x0, t0):
    return 0.5 * t0 / r0


def second_64(c0, r0, x0, t0):
    return t0 / r0 * (c0 / r0) * (-0.25 / r0)


def pull_65(c0, r0, x0):
    return 1.5 * c0 * np.sqrt(x0)


def push_65(r0, x0, t0):
    return 1.5 * t0 * np.sqrt(x0)


def second_65(c0, r0, x0, t0):
    return 0.75 * t0 * c0 * (1.0 / np.sqrt(x0))


def pull_66(c0, r0, x0):
    return c0 / x0 * (-1.0 / x0)


def push_66(r0, x0, t0):
    return t0 / x0 * (-1.0 / x0)


def second_66(c0, r0, x0, t0):
    return 2.0 * (t0 / x0 * (c0 / x0) / x0)


def pull_67(c0, r0, x0):
    root_x0 = np.sqrt(x0)
    return c0 / root_x0 * (-0.5 / root_x0) / root_x0


def push_67(r0, x0, t0):
    root_x0 = np.sqrt(x0)
    return t0 / root_x0 * (-0.5 / root_x0) / root_x0


def second_67(c0, r0, x0, t0):
    root_x0 = np.sqrt(x0)
    ratio = c0 / root_x0
    ratio2 = t0 / root_x0
    ratio3 = ratio2 * ratio * (0.25 / root_x0) / root_x0 / root_x0
    return ratio2 * ratio * (0.5 / root_x0) / root_x0 / root_x0 + ratio3


def pull_68(c0, r0, x0):
    return c0 / x0 * (-2.0 / x0) / x0


def push_68(r0, x0, t0):
    return t0 / x0 * (-2.0 / x0) / x0


def second_68(c0, r0, x0, t0):
    ratio = c0 / x0
    ratio2 = t0 / x0
    return ratio2 * ratio * (8.0 / x0) / x0 + ratio2 * ratio * (-2.0 / x0) / x0


STEPS = {
    'np.power|varies()|varies()': {"pull": pull_45, "push": push_45, "second": second_45},
    'np.power|varies()|given()': {"pull": pull_46, "push": push_46, "second": second_46},
    'np.power|given()|varies()': {"pull": pull_47, "push": push_47, "second": second_47},
    'np.power|varies()|fixed int2': {"pull": pull_57, "push": push_57, "second": second_57},
    'np.power|varies()|fixed int3': {"pull": pull_58, "push": push_58, "second": second_58},
    'np.power|varies()|fixed int4': {"pull": pull_59, "push": push_59, "second": second_59},
    'np.power|varies()|fixed int-1': {"pull": pull_60, "push": push_60, "second": second_60},
    'np.power|varies()|fixed int-2': {"pull": pull_61, "push": push_61, "second": second_61},
    'np.power|varies()|fixed float2.0': {"pull": pull_62, "push": push_62, "second": second_62},
    'np.power|varies()|fixed float3.0': {"pull": pull_63, "push": push_63, "second": second_63},
    'np.power|varies()|fixed float0.5': {"pull": pull_64, "push": push_64, "second": second_64},
    'np.power|varies()|fixed float1.5': {"pull": pull_65, "push": push_65, "second": second_65},
    'np.power|varies()|fixed float-1.0': {"pull": pull_66, "push": push_66, "second": second_66},
    'np.power|varies()|fixed float-0.5': {"pull": pull_67, "push": push_67, "second": second_67},
    'np.power|varies()|fixed float-2.0': {"pull": pull_68, "push": push_68, "second": second_68},
}
