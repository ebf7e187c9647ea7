"""A plan as a module that can be read: the function of its stages and passes, with a loop over blocks of rows.

def value_and_grad(w, X, y):
    outside = stage_0(w)
    for start in range(0, len(X), 4096):
        ...
        total = combined(total, pass_1(**free, X=X[start : start + 4096], ...))
    return stage_1(...)
"""

from __future__ import annotations

from autoopt.execution.blocks.plan import ROWS, RowPass, RowPlan
from autoopt.execution.blocks.sums import COMBINED


def with_loop(plan: RowPlan, block: int = 4096) -> str:
    """Return the text of a module whose function, of the plan's own name and arguments, goes over blocks of rows."""
    lines = [f"def {plan.name}({', '.join(plan.arguments)}, block={block}):"]
    lines.append(f'    """Compute what `{plan.name}` does, for so many rows at a time."""')
    sized, axis = next(iter(plan.axes.items()))
    lines.append(f"    rows = {sized}.shape[{axis}]")
    for level, stage in enumerate(plan.stages):
        call = f"{stage.name}({', '.join(stage.arguments)})"
        if level == len(plan.passes):
            lines.append(f"    return {call}")
            break
        names = plan.handed[level]
        lines += [f"    stage = {call}"] if names else []
        lines += [f'    {name} = stage["{name}"]' for name in names]
        lines += _loop(plan, plan.passes[level])
    combines = any(how != ROWS for row_pass in plan.passes for how in row_pass.results.values())
    texts = [plan.text.rstrip(), *([_IN_PAIRS] if combines else []), "\n".join(lines)]
    return "\n\n\n".join(texts) + "\n"


_IN_PAIRS = '''def in_pairs(combine, parts):
    """Return the results of blocks as one: neighbours are combined, then what they make, as when the plan is run."""
    while len(parts) > 1:
        pairs = [combine(*two) for two in zip(parts[::2], parts[1::2])]
        parts = pairs + parts[2 * len(pairs) :]
    return parts[0]'''


def _loop(plan: RowPlan, row_pass: RowPass) -> list[str]:
    lines = ["    parts = []", "    for start in range(0, rows, block):"]
    operands = [*row_pass.free, *(_part(name, plan.axes[name]) for name in row_pass.rows)]
    lines.append(f"        parts.append({row_pass.name}({', '.join(operands)}))")
    for name, how in row_pass.results.items():
        if how == ROWS:
            lines.append(f'    {name} = np.concatenate([part["{name}"] for part in parts], axis={row_pass.axes[name]})')
            continue
        lines.append(f'    {name} = in_pairs(np.{COMBINED[how].__name__}, [part["{name}"] for part in parts])')
    return lines


def _part(name: str, axis: int) -> str:
    return f"{name}[{':, ' * axis}start : start + block]"
