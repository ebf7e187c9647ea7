"""Written by `python -m autoopt.execution.eager.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np


# with arrays


def pull_72(c0, r0, x0):
    return np.full(x0.shape[0], c0)


# with arrays


def push_72(r0, x0, t0):
    return t0.sum()


def second_72(c0, r0, x0, t0):
    return None


# with arrays


def pull_73(c0, r0, x0):
    return np.full((x0.shape[0], x0.shape[1]), c0)


# with arrays


def push_73(r0, x0, t0):
    return t0.sum()


def second_73(c0, r0, x0, t0):
    return None


# with arrays


def pull_74(c0, r0, x0):
    return np.broadcast_to(c0, (x0.shape[0], c0.shape[0])).copy()


# with arrays


def push_74(r0, x0, t0):
    return t0.sum(axis=0)


def second_74(c0, r0, x0, t0):
    return None


# with arrays


def pull_75(c0, r0, x0):
    return np.broadcast_to(c0[:, None], (c0.shape[0], x0.shape[1])).copy()


# with arrays


def push_75(r0, x0, t0):
    return t0.sum(axis=1)


def second_75(c0, r0, x0, t0):
    return None


# with arrays


def pull_76(c0, r0, x0):
    return np.broadcast_to(c0[:, None], (c0.shape[0], x0.shape[1])).copy()


# with arrays


def push_76(r0, x0, t0):
    return t0.sum(axis=1)


def second_76(c0, r0, x0, t0):
    return None


# with arrays


def pull_77(c0, r0, x0):
    return np.full(x0.shape[0], np.full((1,), c0 / np.float64(x0.shape[0])))


# with arrays


def push_77(r0, x0, t0):
    return t0.sum() / np.float64(x0.shape[0])


def second_77(c0, r0, x0, t0):
    return None


# with arrays


def pull_78(c0, r0, x0):
    size_x0 = x0.shape[0]
    size_x0_2 = x0.shape[1]
    cast = np.array([x0.shape[0], x0.shape[1]], dtype=np.int64).astype(np.float64)
    return np.full((size_x0, size_x0_2), np.full((1, 1), c0 / (cast[0] * cast[1])))


# with arrays


def push_78(r0, x0, t0):
    cast = np.array([x0.shape[0], x0.shape[1]], dtype=np.int64).astype(np.float64)
    return t0.sum() / (cast[0] * cast[1])


def second_78(c0, r0, x0, t0):
    return None


# with arrays


def pull_79(c0, r0, x0):
    return np.broadcast_to((c0 / np.float64(x0.shape[0]))[None], (x0.shape[0], c0.shape[0])).copy()


# with arrays


def push_79(r0, x0, t0):
    return t0.sum(axis=0) / np.float64(x0.shape[0])


def second_79(c0, r0, x0, t0):
    return None


# with arrays


def pull_80(c0, r0, x0):
    return np.broadcast_to((c0 / np.float64(x0.shape[1]))[:, None], (c0.shape[0], x0.shape[1])).copy()


# with arrays


def push_80(r0, x0, t0):
    return t0.sum(axis=1) / np.float64(x0.shape[1])


def second_80(c0, r0, x0, t0):
    return None


# with arrays


def pull_81(c0, r0, x0):
    return np.broadcast_to((c0 / np.float64(x0.shape[1]))[:, None], (c0.shape[0], x0.shape[1])).copy()


# with arrays


def push_81(r0, x0, t0):
    return t0.sum(axis=1) / np.float64(x0.shape[1])


def second_81(c0, r0, x0, t0):
    return None


# with arrays


def pull_82(c0, r0, x0):
    mask = x0 == r0
    return np.where(mask, c0 / np.count_nonzero(mask), 0.0)


# with arrays


def push_82(r0, x0, t0):
    mask = x0 == r0
    return np.where(mask, t0, 0.0).sum() / np.count_nonzero(mask)


def second_82(c0, r0, x0, t0):
    return None


# with arrays


def pull_83(c0, r0, x0):
    mask = x0 == r0
    return np.where(mask, c0 / np.count_nonzero(mask), 0.0)


# with arrays


def push_83(r0, x0, t0):
    mask = x0 == r0
    return np.where(mask, t0, 0.0).sum() / np.count_nonzero(mask)


def second_83(c0, r0, x0, t0):
    return None


# with arrays


def pull_84(c0, r0, x0):
    mask = x0 == r0
    return np.where(mask, c0 / mask.sum(axis=0), 0.0)


# with arrays


def push_84(r0, x0, t0):
    mask = x0 == r0
    return np.where(mask, t0, 0.0).sum(axis=0) / mask.sum(axis=0)


def second_84(c0, r0, x0, t0):
    return None


# with arrays


def pull_85(c0, r0, x0):
    mask = x0 == r0[:, None]
    return np.where(mask, (c0 / mask.sum(axis=1))[:, None], 0.0)


# with arrays


def push_85(r0, x0, t0):
    mask = x0 == r0[:, None]
    return np.where(mask, t0, 0.0).sum(axis=1) / mask.sum(axis=1)


def second_85(c0, r0, x0, t0):
    return None


# with arrays


def pull_86(c0, r0, x0):
    mask = x0 == r0[:, None]
    return np.where(mask, (c0 / mask.sum(axis=1))[:, None], 0.0)


# with arrays


def push_86(r0, x0, t0):
    mask = x0 == r0[:, None]
    return np.where(mask, t0, 0.0).sum(axis=1) / mask.sum(axis=1)


def second_86(c0, r0, x0, t0):
    return None


# with arrays


def pull_87(c0, r0, x0):
    mask = x0 == r0
    return np.where(mask, c0 / np.count_nonzero(mask), 0.0)


# with arrays


def push_87(r0, x0, t0):
    mask = x0 == r0
    return np.where(mask, t0, 0.0).sum() / np.count_nonzero(mask)


def second_87(c0, r0, x0, t0):
    return None


# with arrays


def pull_88(c0, r0, x0):
    mask = x0 == r0
    return np.where(mask, c0 / np.count_nonzero(mask), 0.0)


# with arrays


def push_88(r0, x0, t0):
    mask = x0 == r0
    return np.where(mask, t0, 0.0).sum() / np.count_nonzero(mask)


def second_88(c0, r0, x0, t0):
    return None


# with arrays


def pull_89(c0, r0, x0):
    mask = x0 == r0
    return np.where(mask, c0 / mask.sum(axis=0), 0.0)


# with arrays


def push_89(r0, x0, t0):
    mask = x0 == r0
    return np.where(mask, t0, 0.0).sum(axis=0) / mask.sum(axis=0)


def second_89(c0, r0, x0, t0):
    return None


# with arrays


def pull_90(c0, r0, x0):
    mask = x0 == r0[:, None]
    return np.where(mask, (c0 / mask.sum(axis=1))[:, None], 0.0)


# with arrays


def push_90(r0, x0, t0):
    mask = x0 == r0[:, None]
    return np.where(mask, t0, 0.0).sum(axis=1) / mask.sum(axis=1)


def second_90(c0, r0, x0, t0):
    return None


# with arrays


def pull_91(c0, r0, x0):
    mask = x0 == r0[:, None]
    return np.where(mask, (c0 / mask.sum(axis=1))[:, None], 0.0)


# with arrays


def push_91(r0, x0, t0):
    mask = x0 == r0[:, None]
    return np.where(mask, t0, 0.0).sum(axis=1) / mask.sum(axis=1)


def second_91(c0, r0, x0, t0):
    return None


STEPS = {
    'np.sum((Slot(position=0)),{})|varies(:)': {"pull": pull_72, "push": push_72, "second": second_72},
    'np.sum((Slot(position=0)),{})|varies(:,:)': {"pull": pull_73, "push": push_73, "second": second_73},
    'np.sum((Slot(position=0)),{axis:0})|varies(:,:)': {"pull": pull_74, "push": push_74, "second": second_74},
    'np.sum((Slot(position=0)),{axis:1})|varies(:,:)': {"pull": pull_75, "push": push_75, "second": second_75},
    'np.sum((Slot(position=0)),{axis:-1})|varies(:,:)': {"pull": pull_76, "push": push_76, "second": second_76},
    'np.mean((Slot(position=0)),{})|varies(:)': {"pull": pull_77, "push": push_77, "second": second_77},
    'np.mean((Slot(position=0)),{})|varies(:,:)': {"pull": pull_78, "push": push_78, "second": second_78},
    'np.mean((Slot(position=0)),{axis:0})|varies(:,:)': {"pull": pull_79, "push": push_79, "second": second_79},
    'np.mean((Slot(position=0)),{axis:1})|varies(:,:)': {"pull": pull_80, "push": push_80, "second": second_80},
    'np.mean((Slot(position=0)),{axis:-1})|varies(:,:)': {"pull": pull_81, "push": push_81, "second": second_81},
    'np.max((Slot(position=0)),{})|varies(:)': {"pull": pull_82, "push": push_82, "second": second_82},
    'np.max((Slot(position=0)),{})|varies(:,:)': {"pull": pull_83, "push": push_83, "second": second_83},
    'np.max((Slot(position=0)),{axis:0})|varies(:,:)': {"pull": pull_84, "push": push_84, "second": second_84},
    'np.max((Slot(position=0)),{axis:1})|varies(:,:)': {"pull": pull_85, "push": push_85, "second": second_85},
    'np.max((Slot(position=0)),{axis:-1})|varies(:,:)': {"pull": pull_86, "push": push_86, "second": second_86},
    'np.min((Slot(position=0)),{})|varies(:)': {"pull": pull_87, "push": push_87, "second": second_87},
    'np.min((Slot(position=0)),{})|varies(:,:)': {"pull": pull_88, "push": push_88, "second": second_88},
    'np.min((Slot(position=0)),{axis:0})|varies(:,:)': {"pull": pull_89, "push": push_89, "second": second_89},
    'np.min((Slot(position=0)),{axis:1})|varies(:,:)': {"pull": pull_90, "push": push_90, "second": second_90},
    'np.min((Slot(position=0)),{axis:-1})|varies(:,:)': {"pull": pull_91, "push": push_91, "second": second_91},
}
