"""The text of a plan: functions of stages and passes, which take what they read and return what is read of it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from autoopt.execution.blocks.plan import RowPass, RowPlan, Stage
from autoopt.execution.blocks.values import NotInBlocks
from autoopt.execution.modules import source_of


@dataclass(frozen=True)
class Statement:
    """A statement of a plan.

    Attributes
    ----------
    node : ast.stmt
    level : int
        Its stage, or its pass.
    is_row : bool
        Whether it belongs to a pass.
    reads, writes : frozenset of str
        The names whose values it takes and sets.
    mutates : bool
        Whether it writes into arrays.
    """

    node: ast.stmt
    level: int
    is_row: bool
    reads: frozenset[str]
    writes: frozenset[str]
    mutates: bool = False


@dataclass(frozen=True)
class Result:
    """What a pass gives.

    Attributes
    ----------
    name, how : str
    level : int
    axis : int or None
        Where the rows are in it.
    """

    name: str
    how: str
    level: int
    axis: int | None


@dataclass(frozen=True)
class Split:
    """A function whose statements are known.

    Attributes
    ----------
    name : str
    arguments : tuple of str
    outside : dict
        Its namespace.
    axes : mapping of str to int
        The axis of the rows of its arguments.
    sized : str
        One of these that is not the numbers of the rows.
    positions : set of str
        Those that are.
    statements : sequence of Statement
    results : sequence of Result
    width : int
        Bytes for each row of the largest array that is made.
    """

    name: str
    arguments: tuple[str, ...]
    outside: dict[str, Any]
    axes: Mapping[str, int]
    sized: str
    positions: Set[str]
    statements: Sequence[Statement]
    results: Sequence[Result]
    width: int


def written(split: Split) -> RowPlan:
    """Return the plan of a function whose statements are known."""
    count = max(statement.level for statement in split.statements)
    bodies = {level: _pass(split, level) for level in range(1, count + 1)}
    stages = [[s for s in split.statements if not s.is_row and s.level == level] for level in range(count + 1)]
    if count > 1:
        _require_unwritten(split, bodies.values())
    functions: list[ast.stmt] = []
    passes: list[RowPass] = []
    made: list[Stage] = []
    handed: list[tuple[str, ...]] = []
    for level in range(count + 1):
        if level:
            row_pass, function = _row_function(split, level, bodies[level])
            passes.append(row_pass)
            functions.append(function)
        later = [s for k in range(level + 1, count + 1) for s in (*bodies[k], *stages[k])]
        stage, function, names = _stage_function(level, stages[level], later, level == count)
        made.append(stage)
        handed += [] if level == count else [names]
        functions.append(function)
    _require_known(split, made, passes)
    text = _module(split, functions)
    return RowPlan(
        text=text,
        name=split.name,
        arguments=split.arguments,
        stages=tuple(made),
        passes=tuple(passes),
        axes=dict(split.axes),
        handed=tuple(handed),
        positions=frozenset(split.positions),
        width=split.width,
    )


def _require_known(split: Split, stages: Sequence[Stage], passes: Sequence[RowPass]) -> None:
    """Refuse a plan whose stages or passes read what only rows have."""
    known = {*split.arguments, *(result.name for result in split.results), "rows"} - set(split.axes)
    known |= {name for statement in split.statements if not statement.is_row for name in statement.writes}
    read = {name for stage in stages for name in stage.arguments} | {name for one in passes for name in one.free}
    if unknown := read - known:
        raise NotInBlocks(f"{min(unknown)} has rows, and is read without them")


def _pass(split: Split, level: int) -> list[Statement]:
    """Return the statements that the results of a pass need, in order."""
    needed = {result.name for result in split.results if result.level == level}
    known = {result.name for result in split.results} - needed  # of passes before: the same for all rows
    found: list[Statement] = []
    for statement in reversed(split.statements):
        if statement.is_row and statement.level <= level and statement.writes & needed:
            found.append(statement)
            needed |= statement.reads - known
            if statement.mutates:
                needed |= statement.writes
    return found[::-1]


def _require_unwritten(split: Split, bodies: Iterable[Sequence[Statement]]) -> None:
    """Refuse arrays without rows that are written into between passes that read them."""
    changed = {name for s in split.statements if s.mutates and not s.is_row for name in s.writes}
    if any(s.reads & changed for body in bodies for s in body):
        raise NotInBlocks("an array that is written into between passes")


def _row_function(split: Split, level: int, body: Sequence[Statement]) -> tuple[RowPass, ast.stmt]:
    results = [result for result in split.results if result.level == level]
    own = {name for s in body if not s.mutates for name in s.writes}
    reads = {name for s in body for name in s.reads} - own
    rows = sorted(name for name in reads if name in split.axes)
    free = sorted(name for name in reads if name not in split.axes and name != "rows")
    nodes = [s.node for s in body]
    if "rows" in reads:
        first = next(iter(rows), split.sized)
        rows = rows or [first]
        axis = split.axes[first]
        nodes.insert(0, ast.parse(f"rows = {first}.shape[{axis}]").body[0])
    pairs = ast.Dict([ast.Constant(result.name) for result in results], [ast.Name(r.name, ast.Load()) for r in results])
    name = f"pass_{level}"
    row_pass = RowPass(
        name,
        tuple(free),
        tuple(rows),
        {result.name: result.how for result in results},
        {result.name: result.axis for result in results if result.axis is not None},
    )
    return row_pass, _function(name, [*free, *rows], [*nodes, ast.Return(pairs)])


def _stage_function(
    level: int, body: Sequence[Statement], later: Sequence[Statement], is_last: bool
) -> tuple[Stage, ast.stmt, tuple[str, ...]]:
    own = {name for s in body if not s.mutates for name in s.writes}
    arguments = tuple(sorted({name for s in body for name in s.reads} - own))
    handed = sorted(own & {name for s in later for name in s.reads})
    nodes = [s.node for s in body]
    if not is_last:
        pairs = [ast.Name(name, ast.Load()) for name in handed]
        nodes = [*nodes, ast.Return(ast.Dict([ast.Constant(name) for name in handed], list(pairs)))]
    name = f"stage_{level}"
    return Stage(name, arguments), _function(name, arguments, nodes), tuple(handed)


def _function(name: str, arguments: Sequence[str], body: list[ast.stmt]) -> ast.FunctionDef:
    text = f"def {name}({', '.join(arguments)}):\n    pass\n"
    (made,) = ast.parse(text).body
    assert isinstance(made, ast.FunctionDef)
    made.body = body
    return made


def _module(split: Split, functions: Sequence[ast.stmt]) -> str:
    """Return the text of a module: what it imports, what it takes of the printed module, and the functions."""
    nodes = [ast.fix_missing_locations(function) for function in functions]
    imports, others = _outside(split.outside, nodes)
    title = f'"""{split.name} by rows: stages without rows, and passes over blocks of them."""\n'
    parts = [title, "\n".join(sorted(imports)), *others, *(ast.unparse(node) for node in nodes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _outside(outside: dict[str, Any], nodes: Iterable[ast.AST]) -> tuple[set[str], list[str]]:
    """Return imports, and the definitions of what else functions read, in text."""
    imports, texts, wanted = {"import numpy as np"}, [], _globals(nodes, outside)
    seen: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        value = outside[name]
        if isinstance(value, ModuleType):
            imports |= _imports(name, value, outside)
        elif isinstance(value, FunctionType):
            text = source_of(value)
            texts.append(text.rstrip())
            wanted |= _globals([ast.parse(text)], outside) - seen
        elif isinstance(value, type) and issubclass(value, Exception):
            texts.append(f'class {name}(Exception):\n    """{(value.__doc__ or name).strip()}"""')
        elif isinstance(value, int | float | np.number):
            texts.append(f"{name} = {np.asarray(value).item()!r}")
        else:
            raise NotInBlocks(f"the name {name}")
    return imports, texts


def _globals(nodes: Iterable[ast.AST], outside: Collection[str]) -> set[str]:
    return {
        part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name) and part.id in outside
    } - {"np"}


def _imports(name: str, module: ModuleType, outside: dict[str, Any]) -> set[str]:
    if name != module.__name__:
        return {f"import {module.__name__} as {name}"}
    parts = [part for part in ("special", "linalg", "signal", "fft") if name == "scipy" and hasattr(module, part)]
    return {f"import {name}.{part}" for part in parts} or {f"import {name}"}
