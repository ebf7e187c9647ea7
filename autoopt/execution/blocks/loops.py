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
    return plan.text.rstrip() + "\n\n\n" + "\n".join(lines) + "\n"


def _loop(plan: RowPlan, row_pass: RowPass) -> list[str]:
    lines = ["    parts = []", "    for start in range(0, rows, block):"]
    operands = [*row_pass.free, *(_part(name, plan.axes[name]) for name in row_pass.rows)]
    lines.append(f"        parts.append({row_pass.name}({', '.join(operands)}))")
    for name, how in row_pass.results.items():
        if how == ROWS:
            lines.append(f'    {name} = np.concatenate([part["{name}"] for part in parts], axis={row_pass.axes[name]})')
            continue
        lines.append(f'    {name} = parts[0]["{name}"]')
        lines.append("    for part in parts[1:]:")
        other = f'part["{name}"]'
        function = f"np.{COMBINED[how].__name__}"
        lines.append(f"        {name} = " + (f"{name} + {other}" if how == "sum" else f"{function}({name}, {other})"))
    return lines


def _part(name: str, axis: int) -> str:
    return f"{name}[{':, ' * axis}start : start + block]"
