"""Written by `python -m autoopt.execution.eager.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np


# with arrays


def pull_92(c0, r0, x0, x1):
    return c0 * x1, x0 * c0


# with arrays


def push_92(r0, x0, x1, t0, t1):
    return t0 @ x1 + x0 @ t1


def second_92(c0, r0, x0, x1, t0, t1):
    return t1 * c0, c0 * t0


# with arrays


def pull_93(c0, r0, x0, x1):
    return c0 * x1


# with arrays


def push_93(r0, x0, x1, t0):
    return t0 @ x1


def second_93(c0, r0, x0, x1, t0):
    return None


# with arrays


def pull_94(c0, r0, x0, x1):
    return x0 * c0


# with arrays


def push_94(r0, x0, x1, t0):
    return x0 @ t0


def second_94(c0, r0, x0, x1, t0):
    return None


# with arrays


def pull_95(c0, r0, x0, x1):
    return c0[:, None] * x1, x0.T @ c0


# with arrays


def push_95(r0, x0, x1, t0, t1):
    return t0 @ x1 + x0 @ t1


def second_95(c0, r0, x0, x1, t0, t1):
    return c0[:, None] * t1, c0 @ t0


# with arrays


def pull_96(c0, r0, x0, x1):
    return c0[:, None] * x1


# with arrays


def push_96(r0, x0, x1, t0):
    return t0 @ x1


def second_96(c0, r0, x0, x1, t0):
    return None


# with arrays


def pull_97(c0, r0, x0, x1):
    return x0.T @ c0


# with arrays


def push_97(r0, x0, x1, t0):
    return x0 @ t0


def second_97(c0, r0, x0, x1, t0):
    return None


# with arrays


def pull_98(c0, r0, x0, x1):
    return c0 @ x1.T, x0[:, None] * c0


# with arrays


def push_98(r0, x0, x1, t0, t1):
    return t0 @ x1 + x0 @ t1


def second_98(c0, r0, x0, x1, t0, t1):
    return t1 @ c0, t0[:, None] * c0


# with arrays


def pull_99(c0, r0, x0, x1):
    return c0 @ x1.T


# with arrays


def push_99(r0, x0, x1, t0):
    return t0 @ x1


def second_99(c0, r0, x0, x1, t0):
    return None


# with arrays


def pull_100(c0, r0, x0, x1):
    return x0[:, None] * c0


# with arrays


def push_100(r0, x0, x1, t0):
    return x0 @ t0


def second_100(c0, r0, x0, x1, t0):
    return None


# with arrays


def pull_101(c0, r0, x0, x1):
    return c0 @ x1.T, x0.T @ c0


# with arrays


def push_101(r0, x0, x1, t0, t1):
    return t0 @ x1 + x0 @ t1


def second_101(c0, r0, x0, x1, t0, t1):
    return c0 @ t1.T, t0.T @ c0


# with arrays


def pull_102(c0, r0, x0, x1):
    return c0 @ x1.T


# with arrays


def push_102(r0, x0, x1, t0):
    return t0 @ x1


def second_102(c0, r0, x0, x1, t0):
    return None


# with arrays


def pull_103(c0, r0, x0, x1):
    return x0.T @ c0


# with arrays


def push_103(r0, x0, x1, t0):
    return x0 @ t0


def second_103(c0, r0, x0, x1, t0):
    return None


STEPS = {
    'np.matmul|varies(:)|varies(:)': {"pull": pull_92, "push": push_92, "second": second_92},
    'np.matmul|varies(:)|given(:)': {"pull": pull_93, "push": push_93, "second": second_93},
    'np.matmul|given(:)|varies(:)': {"pull": pull_94, "push": push_94, "second": second_94},
    'np.matmul|varies(:,:)|varies(:)': {"pull": pull_95, "push": push_95, "second": second_95},
    'np.matmul|varies(:,:)|given(:)': {"pull": pull_96, "push": push_96, "second": second_96},
    'np.matmul|given(:,:)|varies(:)': {"pull": pull_97, "push": push_97, "second": second_97},
    'np.matmul|varies(:)|varies(:,:)': {"pull": pull_98, "push": push_98, "second": second_98},
    'np.matmul|varies(:)|given(:,:)': {"pull": pull_99, "push": push_99, "second": second_99},
    'np.matmul|given(:)|varies(:,:)': {"pull": pull_100, "push": push_100, "second": second_100},
    'np.matmul|varies(:,:)|varies(:,:)': {"pull": pull_101, "push": push_101, "second": second_101},
    'np.matmul|varies(:,:)|given(:,:)': {"pull": pull_102, "push": push_102, "second": second_102},
    'np.matmul|given(:,:)|varies(:,:)': {"pull": pull_103, "push": push_103, "second": second_103},
}
