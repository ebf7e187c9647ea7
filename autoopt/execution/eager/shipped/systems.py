"""Written by `python -m autoopt.execution.eager.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np
import scipy.linalg


# with arrays


def pull_106(c0, c1, r0, r1, x0):
    return c1 * np.linalg.inv(x0.T)


# with arrays


def push_106(r0, r1, x0, t0):
    return None, np.vdot(t0, np.linalg.inv(x0.T))


def second_106(c0, c1, r0, r1, x0, t0):
    factor, factor2 = scipy.linalg.lu_factor(x0, check_finite=False)
    order = np.arange(len(factor2))
    for i, pivot in enumerate(factor2):
        order[[i, pivot]] = order[[pivot, i]]
    taken = (t0 * c1)[order]
    solution = scipy.linalg.solve_triangular(factor, taken, lower=True, unit_diagonal=True, check_finite=False)
    t1 = scipy.linalg.solve_triangular(factor, solution, check_finite=False).T
    solution2 = scipy.linalg.solve_triangular(factor.T, t1, lower=True, check_finite=False)
    solution3 = scipy.linalg.solve_triangular(factor.T, solution2, unit_diagonal=True, check_finite=False)
    return -solution3[order.argsort()]


# with arrays


def pull_107(c0, r0, x0):
    index = np.arange(x0.shape[0])
    t1 = np.minimum(x0.shape[1], c0.shape[1])
    index2 = np.arange(t1)
    r0c0 = r0.T @ c0
    filled = np.zeros((t1, t1))
    filled[index2, index2] = 0.5 * r0c0.diagonal()
    product = r0c0.T * (np.arange(x0.shape[1]) >= np.arange(c0.shape[1])[:, None]).astype(np.float64)
    t2 = scipy.linalg.solve_triangular(r0.T, product - filled.T, check_finite=False).T
    solution = scipy.linalg.solve_triangular(r0.T, t2, check_finite=False)
    filled2 = np.zeros((x0.shape[0], x0.shape[0]))
    filled2[index, index] = solution.diagonal()
    return (solution + solution.T) * (index[:, None] >= index).astype(np.float64) - filled2


# with arrays


def push_107(r0, x0, t0):
    size_x0 = x0.shape[1]
    t1 = np.minimum(size_x0, r0.shape[1])
    index = np.arange(t1)
    index2 = np.arange(np.zeros(size_x0).shape[0])
    t2 = x0.shape[0]
    index3 = np.arange(x0.shape[0])
    index4 = np.arange(size_x0)
    if not np.all((size_x0 == 1) | (size_x0 == t1)):
        raise AssertionError('`x[i]` and `y` do not have the same shape.')
    filled = np.zeros((size_x0, size_x0))
    filled[index4, index4] = np.array([0.0])
    t3 = scipy.linalg.solve_triangular(r0.T, -filled.T, check_finite=False).T
    size = scipy.linalg.solve_triangular(r0.T, t3, check_finite=False).diagonal().shape[0]
    index5 = np.arange(size)
    filled2 = np.zeros((x0.shape[0], x0.shape[0]))
    filled2[index3, index3] = (-t0)[index5, index5]
    filled3 = np.zeros((x0.shape[0], x0.shape[0]))
    filled3[:t2, :t2] = filled2
    product = t0 * (index3[:, None] >= index3).astype(np.float64)
    t4 = product + product.T + filled3
    t5 = scipy.linalg.solve_triangular(r0, t4, lower=True, check_finite=False).T
    t6 = scipy.linalg.solve_triangular(r0, t5, lower=True, check_finite=False).T
    filled4 = np.zeros((t1, t1))
    filled4[index, index] = 0.5 * (-t6)[index2, index2]
    filled5 = np.zeros((size_x0, size_x0))
    filled5[:t1, :t1] = filled4
    return r0 @ (t6 * (index4[:, None] >= np.arange(r0.shape[1])).astype(np.float64) + filled5)


def second_107(c0, r0, x0, t0):
    size_x0 = x0.shape[0]
    index = np.arange(size_x0)
    index2 = np.arange(x0.shape[1])
    t1 = np.minimum(x0.shape[1], c0.shape[1])
    index3 = np.arange(t1)
    r0c0 = r0.T @ c0
    product = 0.5 * r0c0.diagonal()
    index4 = np.arange(product.shape[0])
    filled = np.zeros((t1, t1))
    filled2 = filled.copy()
    filled2[index3, index3] = product
    cast = (index2 >= np.arange(c0.shape[1])[:, None]).astype(np.float64)
    solution = scipy.linalg.solve_triangular(r0.T, r0c0.T * cast - filled2.T, check_finite=False)
    solution2 = scipy.linalg.solve_triangular(r0.T, solution.T, check_finite=False)
    index5 = np.arange(solution2.diagonal().shape[0])
    filled3 = np.zeros((size_x0, size_x0))
    filled4 = filled3.copy()
    filled4[index, index] = (-t0)[index5, index5]
    filled5 = np.zeros((size_x0, size_x0))
    filled5[:size_x0, :size_x0] = filled4
    cast2 = (index[:, None] >= index).astype(np.float64)
    product2 = t0 * cast2
    t2 = product2 + product2.T + filled5
    t3 = scipy.linalg.solve_triangular(r0, t2, lower=True, check_finite=False).T
    solution3 = scipy.linalg.solve_triangular(r0, t3, lower=True, check_finite=False)
    filled6 = filled.copy()
    filled6[index3, index3] = 0.5 * (-solution3.T)[index4, index4]
    filled7 = np.zeros((x0.shape[1], c0.shape[1]))
    filled7[:t1, :t1] = filled6
    difference = 1.0 - (index2 >= np.arange(1, 1 + size_x0)[:, None]).astype(np.float64)
    product3 = -((solution @ solution3.T) * difference)
    product4 = r0.T @ (product3 + c0 @ (solution3 * cast + filled7.T) - (solution2 @ t3) * difference)
    filled8 = np.zeros((x0.shape[1], x0.shape[1]))
    filled8[index2, index2] = 0.5 * product4.diagonal()
    difference2 = product4.T * (index2 >= index2[:, None]).astype(np.float64) - filled8.T
    t4 = scipy.linalg.solve_triangular(r0.T, difference2, check_finite=False).T
    solution4 = scipy.linalg.solve_triangular(r0.T, t4, check_finite=False)
    filled9 = filled3.copy()
    filled9[index, index] = solution4.diagonal()
    return (solution4 + solution4.T) * cast2 - filled9


STEPS = {
    'np.linalg.slogdet((Slot(position=0)),{})|varies(:,:)': {"pull": pull_106, "push": push_106, "second": second_106},
    'np.linalg.cholesky((Slot(position=0)),{})|varies(:,:)': {"pull": pull_107, "push": push_107, "second": second_107},
}
