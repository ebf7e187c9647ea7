"""Strongly connected components: which places of a block depend on themselves in an earlier block."""

from __future__ import annotations

from collections.abc import Sequence


def strong(readers: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the strongly connected components of a graph (Tarjan 1972, without recursion)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    waiting: list[int] = []
    groups: list[list[int]] = []
    open_: set[int] = set()
    for root in range(len(readers)):
        if root in order:
            continue
        path = [(root, iter(readers[root]))]
        order[root] = low[root] = len(order)
        waiting.append(root)
        open_.add(root)
        while path:
            node, rest = path[-1]
            for reader in rest:
                if reader not in order:
                    order[reader] = low[reader] = len(order)
                    waiting.append(reader)
                    open_.add(reader)
                    path.append((reader, iter(readers[reader])))
                    break
                if reader in open_:
                    low[node] = min(low[node], order[reader])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == order[node]:
                    cut = waiting.index(node)
                    groups.append(waiting[cut:])
                    open_.difference_update(waiting[cut:])
                    del waiting[cut:]
    return groups
