"""What exported functions do before the printed statements: parameters, data, what the data decide.

def value_and_grad(p, df):
    mu, log_s = p                              the parameters
    time = df["time"].to_numpy()               the data that the printed code reads
    log_time = np.log(time)                    its `prepare`, or what the caller has had prepared
    ...
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from autoopt.exporting.functions import names_read, names_set

CHEAP = frozenset(
    ("len", "zeros", "ones", "eye", "full", "arange", "astype", "reshape", "ravel", "asarray", "sum", "T")
)
"""Functions that take next to no time beside an evaluation, so that nobody need have their results prepared."""


def is_dear(lines: Sequence[str]) -> bool:
    """Whether statements may take as long as an evaluation does."""
    statements = [node for node in ast.parse("\n".join(lines)).body if not isinstance(node, ast.If)]  # which refuse
    for node in (part for statement in statements for part in ast.walk(statement)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            plain = all(isinstance(part, ast.Name | ast.Constant | ast.Attribute | ast.Tuple) for part in node.args)
            if name not in CHEAP or not (plain or name in ("len", "reshape")):
                return True
    return False


def unpacked(lines: Sequence[str], name: str, size: int) -> list[str] | None:
    """Return statements that begin by unpacking the vector `name`; None where some of them read it otherwise.

    mu = p[0]; ...; log_s = p[1]  ->  mu, log_s = p
    """
    found: dict[int, str] = {}
    kept = []
    for line in lines:
        entry = re.fullmatch(rf"([^\W\d]\w*) = {name}\[(\d+)\]", line)
        if entry and int(entry[2]) not in found:
            found[int(entry[2])] = entry[1]
        else:
            kept.append(line)
    stored = [
        n.id for n in ast.walk(ast.parse("\n".join(lines))) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    once = all(stored.count(entry) == 1 for entry in found.values())
    if sorted(found) != list(range(size)) or not once or name in names_read(kept) or size > 12:
        return None
    targets = ", ".join(found[k] for k in range(size))
    return [f"{targets}, = {name}" if size == 1 else f"{targets} = {name}", *kept]


def read_together(lines: Sequence[str]) -> list[str]:
    """Return statements in which those that follow each other and read parts of one array are one.

    beta = p[:10]; log_alpha = p[10]  ->  beta, log_alpha = p[:10], p[10]
    """
    joined: list[str] = []
    targets: list[str] = []
    parts: list[str] = []
    base = ""
    for line in lines:
        read = _PART.fullmatch(line)
        fits = len(", ".join([*targets, *parts, line])) <= _TOGETHER
        if read and read["base"] == base and fits and base not in (*targets, read["name"]):
            joined.pop()
        else:
            targets, parts, base = [], [], read["base"] if read else ""
        if read:
            targets, parts = [*targets, read["name"]], [*parts, read["part"]]
        joined.append(f"{', '.join(targets)} = {', '.join(parts)}" if len(targets) > 1 else line)
    return joined


_PART = re.compile(r"(?P<name>[^\W\d]\w*) = (?P<part>(?P<base>[^\W\d]\w*)(\[(-?\d*(:-?\d*)?|\"[^\"\\]*\")\]|\.\w+)+)")
_TOGETHER = 80
"""Columns of statements that read together."""


def shape_check(lines: Sequence[str], name: str, size: int) -> list[str]:
    """Return the statements that refuse vectors of another length, where the code reads single entries of `name`."""
    fixed = False
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name:
            parts = [node.slice.lower, node.slice.upper] if isinstance(node.slice, ast.Slice) else [node.slice]
            fixed = fixed or any(
                isinstance(n, ast.Constant) and n.value is not None for p in parts if p for n in ast.walk(p)
            )
        if isinstance(node, ast.Constant) and node.value == size and type(node.value) is int and size > 1:
            fixed = True
    if not fixed:
        return []
    told = f"{name} has {size} {'entry' if size == 1 else 'entries'}, not shape {{{name}.shape}}."
    return [f"if {name}.shape != ({size},):", f'    raise ValueError(f"{told}")']


def needed(statements: Sequence[str], wanted: set[str]) -> list[str]:
    """Return those statements of one line each, in order, whose names `wanted` asks for, or that these need."""
    kept: list[str] = []
    for line in reversed(statements):
        if names_set([line]) & wanted:
            wanted = wanted | names_read([line])
            kept.append(line)
    return kept[::-1]
