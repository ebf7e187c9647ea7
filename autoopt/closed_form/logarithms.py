r"""Parameters that are logarithms by their names: log_s is \\log s, and np.exp(log_s) is s.

np.exp(-2 * log_s)      1 / s^2
"""

from __future__ import annotations

from collections.abc import Sequence

from autoopt.closed_form.making import power, split
from autoopt.closed_form.symbols import symbol_of, upright
from autoopt.closed_form.tree import Array, Call, Entry, Index, Node, Number, arrays_of, rewritten


def logarithms(arrays: Sequence[Array]) -> dict[str, Array]:
    """Return the arrays log_x which are the logarithm of what x is, or would be if there were an x, by name."""
    found = {}
    for array in dict.fromkeys(arrays):
        bare = array.name.removeprefix("log_")
        is_word = symbol_of(bare) == upright(bare)
        if bare == array.name or not array.moves or (is_word and array.body is not None):
            continue
        others = [one for one in arrays if one.name == bare]
        is_only = sum(one.name == array.name for one in set(arrays)) == 1
        if is_only and all(_is_exponential(one, array) for one in others):
            found[array.name] = array
    return found


def _is_exponential(one: Array, other: Array) -> bool:
    body = one.body
    return isinstance(body, Call) and body.function == "exp" and body.operands[0] == Entry(other, one.indices)


def named_exponentials(value: Node) -> Node:
    """Return a formula in which the exponential of log_x is x; so are the definitions that it refers to."""
    arrays = arrays_of(value)
    known = logarithms(arrays)
    by_name = {array.name: array for array in arrays}
    bare: dict[Array, Array] = {}
    for name, array in known.items():
        own = by_name.get(name.removeprefix("log_"))
        if own is None:
            indices = tuple(Index.fresh(n) for n in array.shape)
            own = Array(
                name.removeprefix("log_"), array.shape, indices, Call("exp", (Entry(array, indices),)), moves=True
            )
        bare[array] = own

    def change(one: Node) -> Node | None:
        if not isinstance(one, Call) or one.function != "exp":
            return None
        number, rest = split(one.operands[0])
        if isinstance(rest, Entry) and rest.array in bare and number == int(number):
            return power(Entry(bare[rest.array], rest.at), Number(number))
        return None

    for array in arrays:
        if array.body is not None and array not in bare.values():
            array.body = rewritten(array.body, change)
    return rewritten(value, change)
