"""Writes the derivatives of the models' terms that ship with the package: `python -m autoopt.models.shipping`.

They are what autoopt prints for the terms, so that a fresh process derives nothing and loads no PyTensor.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np

from autoopt.models import MODELS
from autoopt.models.derived import ROWS, sources
from autoopt.models.table import Model

FOLDER = Path(__file__).parent / "shipped"
_HEAD = '''"""Written by `python -m autoopt.models.shipping`, not by hand."""

# ruff: noqa
# fmt: off

'''


def written() -> dict[str, str]:
    """Return the text of each generated file by its name."""
    return {f"{name_of(model)}.py": text_of(model) for model in MODELS.values() if model.terms_by_row}


def name_of(model: Model) -> str:
    """Return the file of a model."""
    return model.estimator.__module__.rpartition(".")[2]


def text_of(model: Model) -> str:
    """Return the text of the derivatives of a model's terms."""
    sample = np.array(model.sample)
    y = np.resize(sample, (ROWS, *sample.shape[1:]))
    imports: list[str] = []
    parts: list[str] = []
    for text, name in zip(sources(model.likelihood, y, model.ancillary), ("slopes", "curvatures"), strict=True):
        tree = ast.parse(text)
        lines = text.splitlines()
        tops = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        imports += [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import)]
        wanted = _reached(name, tops)
        others = wanted - {name}
        for node in tree.body:
            if isinstance(node, ast.Assign) or (isinstance(node, ast.FunctionDef) and node.name in wanted):
                own = lines[node.lineno - 1 : node.end_lineno]
                part = "\n".join(line for line in own if not line.lstrip().startswith("#"))  # who asked, not what
                for other in others:
                    part = re.sub(rf"\b{other}\b", f"{name}_{other}", part)
                parts.append(part)
    return _HEAD + "\n".join(sorted(set(imports))) + "\n\n\n" + "\n\n\n".join(parts) + "\n"


def _reached(name: str, tops: dict[str, ast.FunctionDef]) -> set[str]:
    """Return the functions that one calls, itself among them."""
    found, ahead = {name}, [name]
    while ahead:
        for node in ast.walk(tops[ahead.pop()]):
            if isinstance(node, ast.Name) and node.id in tops and node.id not in found:
                found.add(node.id)
                ahead.append(node.id)
    return found


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in written().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
