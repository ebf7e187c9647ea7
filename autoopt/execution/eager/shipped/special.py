"""Written by `python -m autoopt.execution.eager.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np
import scipy.special


def pull_21(c0, r0, x0):
    return c0 * scipy.special.psi(x0)


def push_21(r0, x0, t0):
    return t0 * scipy.special.psi(x0)


def second_21(c0, r0, x0, t0):
    return t0 * c0 * scipy.special.polygamma(1.0, x0)


def pull_22(c0, r0, x0):
    return c0 * scipy.special.polygamma(1.0, x0)


def push_22(r0, x0, t0):
    return t0 * scipy.special.polygamma(1.0, x0)


def second_22(c0, r0, x0, t0):
    return t0 * c0 * scipy.special.polygamma(2.0, x0)


def pull_25(c0, r0, x0):
    mask = x0 < 0
    t1 = np.where(mask, 0.0, np.where(mask, 0.0, -0.5 * x0 * x0)) - 0.9189385332046727
    ratio = 0.7978845608028654 / scipy.special.erfcx(np.where(mask, -0.7071067811865475 * x0, 0.0))
    return c0 * np.where(mask, ratio, np.exp(t1 - scipy.special.log_ndtr(np.where(mask, 0.0, x0))))


def push_25(r0, x0, t0):
    mask = x0 < 0
    t1 = np.where(mask, 0.0, np.where(mask, 0.0, -0.5 * x0 * x0)) - 0.9189385332046727
    ratio = 0.7978845608028654 / scipy.special.erfcx(np.where(mask, -0.7071067811865475 * x0, 0.0))
    return t0 * np.where(mask, ratio, np.exp(t1 - scipy.special.log_ndtr(np.where(mask, 0.0, x0))))


def second_25(c0, r0, x0, t0):
    mask = x0 < 0
    chosen = np.where(mask, 0.0, x0)
    mask2 = chosen < 0
    chosen2 = np.where(mask, 0.0, np.where(mask, 0.0, -0.5 * x0 * x0))
    t1 = np.where(mask2, 0.0, np.where(mask2, 0.0, chosen2)) - 0.9189385332046727
    product = -0.7071067811865475 * x0
    ratio = 0.7978845608028654 / scipy.special.erfcx(np.where(mask2, np.where(mask, 0.0, product), 0.0))
    exp = np.exp(t1 - scipy.special.log_ndtr(np.where(mask2, 0.0, chosen)))
    exp2 = np.exp(chosen2 - 0.9189385332046727 - scipy.special.log_ndtr(chosen))
    product2 = -(t0 * c0 * exp2 * np.where(mask2, ratio, exp))
    t2 = scipy.special.erfcx(np.where(mask, product, 0.0))
    t3 = np.where(mask, -1.414213562373095 * x0 * t2, 0.0) - 1.1283791670955126
    chosen3 = np.where(mask, 0.0, np.where(mask, 0.0, -(t0 * c0 * exp2 * x0)) + product2)
    return np.where(mask, np.where(mask, 0.5641895835477563 * (t0 / t2) * (c0 / t2) * t3, 0.0), chosen3)


def pull_26(c0, r0, x0):
    return c0 * scipy.special.expit(-x0)


def push_26(r0, x0, t0):
    return t0 * scipy.special.expit(-x0)


def second_26(c0, r0, x0, t0):
    sigmoid = scipy.special.expit(-x0)
    return -(t0 * c0 * sigmoid * (1.0 - sigmoid))


def pull_48(c0, r0, x0, x1):
    difference = x0 - x1
    t1 = np.isnan(difference)
    value = np.where(t1, 0.0, c0 * scipy.special.expit(np.where(t1, 0.0, difference)))
    difference2 = x1 - x0
    t2 = np.isnan(difference2)
    chosen = np.where(t2, 0.0, c0 * scipy.special.expit(np.where(t2, 0.0, difference2)))
    return value, chosen


def push_48(r0, x0, x1, t0, t1):
    difference = x1 - x0
    t2 = np.isnan(difference)
    difference2 = x0 - x1
    t3 = np.isnan(difference2)
    chosen = np.where(t3, 0.0, t0 * scipy.special.expit(np.where(t3, 0.0, difference2)))
    return chosen + np.where(t2, 0.0, t1 * scipy.special.expit(np.where(t2, 0.0, difference)))


def second_48(c0, r0, x0, x1, t0, t1):
    difference = x1 - x0
    t2 = np.isnan(difference)
    sigmoid = scipy.special.expit(np.where(t2, 0.0, difference))
    difference2 = 1.0 - sigmoid
    difference3 = x0 - x1
    t3 = np.isnan(difference3)
    sigmoid2 = scipy.special.expit(np.where(t3, 0.0, difference3))
    difference4 = 1.0 - sigmoid2
    chosen = np.where(t2, 0.0, np.where(t2, 0.0, -(t1 * c0 * sigmoid * difference2)))
    value = np.where(t3, 0.0, np.where(t3, 0.0, t0 * c0 * sigmoid2 * difference4)) + chosen
    chosen2 = np.where(t3, 0.0, np.where(t3, 0.0, -(t0 * c0 * sigmoid2 * difference4)))
    t4 = chosen2 + np.where(t2, 0.0, np.where(t2, 0.0, t1 * c0 * sigmoid * difference2))
    return value, t4


def pull_49(c0, r0, x0, x1):
    difference = x0 - x1
    t1 = np.isnan(difference)
    return np.where(t1, 0.0, c0 * scipy.special.expit(np.where(t1, 0.0, difference)))


def push_49(r0, x0, x1, t0):
    difference = x0 - x1
    t1 = np.isnan(difference)
    return np.where(t1, 0.0, t0 * scipy.special.expit(np.where(t1, 0.0, difference)))


def second_49(c0, r0, x0, x1, t0):
    difference = x0 - x1
    t1 = np.isnan(difference)
    sigmoid = scipy.special.expit(np.where(t1, 0.0, difference))
    return np.where(t1, 0.0, np.where(t1, 0.0, t0 * c0 * sigmoid * (1.0 - sigmoid)))


def pull_50(c0, r0, x0, x1):
    difference = x1 - x0
    t1 = np.isnan(difference)
    return np.where(t1, 0.0, c0 * scipy.special.expit(np.where(t1, 0.0, difference)))


def push_50(r0, x0, x1, t0):
    difference = x1 - x0
    t1 = np.isnan(difference)
    return np.where(t1, 0.0, t0 * scipy.special.expit(np.where(t1, 0.0, difference)))


def second_50(c0, r0, x0, x1, t0):
    difference = x1 - x0
    t1 = np.isnan(difference)
    sigmoid = scipy.special.expit(np.where(t1, 0.0, difference))
    return np.where(t1, 0.0, np.where(t1, 0.0, t0 * c0 * sigmoid * (1.0 - sigmoid)))


STEPS = {
    'scipy.special.gammaln|varies()': {"pull": pull_21, "push": push_21, "second": second_21},
    'scipy.special.psi|varies()': {"pull": pull_22, "push": push_22, "second": second_22},
    'scipy.special.log_ndtr|varies()': {"pull": pull_25, "push": push_25, "second": second_25},
    'scipy.special.log_expit|varies()': {"pull": pull_26, "push": push_26, "second": second_26},
    'np.logaddexp|varies()|varies()': {"pull": pull_48, "push": push_48, "second": second_48},
    'np.logaddexp|varies()|given()': {"pull": pull_49, "push": push_49, "second": second_49},
    'np.logaddexp|given()|varies()': {"pull": pull_50, "push": push_50, "second": second_50},
}
