"""Parameters that are no vector: how exported functions make one of them, and give results their structure.

x0 = {"beta": np.zeros(3), "sigma": 1.0}     def flatten(params): return np.hstack([params["beta"], params["sigma"]])
                                             def unflatten(flat): return {"beta": flat[:3], "sigma": flat[3]}
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from autoopt.exporting.functions import definition, quoted, said
from autoopt.parameters import Nest, Part, Structure

FLATTEN, UNFLATTEN = "flatten", "unflatten"

CHECK_SHAPES = "check_shapes"
"""The function that refuses parameters whose parts have other shapes: an entry too many would be read as the next."""


def is_vector(structure: Structure) -> bool:
    """Whether the parameters are a vector themselves."""
    return structure.shape is not None and len(structure.shape) == 1


def conversions(structure: Structure, name: str, flat: str) -> tuple[list[str], list[str]]:
    """Return the texts of what stands between parameters and flat vectors, nothing for a vector; and its imports."""
    if is_vector(structure):
        return [], []
    pieces = [_raveled(text, leaf) for text, leaf in _read(structure.root, name)]
    joined = pieces[0] if len(pieces) == 1 else f"np.hstack([{', '.join(pieces)}])"
    body = [*shapes_checked(structure, name)]
    body += [f"return np.asarray({joined}, dtype=float)" if len(pieces) == 1 else f"return {joined}"]
    built = _composed(structure.root, {leaf.start: _piece(leaf, flat) for _, leaf in _read(structure.root, name)})
    classes = {node.kind.__name__: node.keys for node in _branches(structure.root) if _is_class(node)}
    fields = {kind: ", ".join(f'"{key}"' for key in keys) for kind, keys in classes.items()}
    texts = [f'{kind} = namedtuple("{kind}", [{names}])' for kind, names in fields.items()]
    texts += [_check_shapes(structure, name)] if body[:-1] else []
    texts += [
        definition(FLATTEN, [name], said(f"Return the parameters as a vector, shape ({structure.size},)."), body),
        definition(UNFLATTEN, [flat], said("Return the parameters that a vector holds."), [f"return {built}"]),
    ]
    return texts, ["from collections import namedtuple"] if classes else []


def shapes_checked(structure: Structure, name: str) -> list[str]:
    """Return the statement that refuses parameters of other shapes, nothing where all of them are numbers."""
    has_arrays = any(leaf.shape is not None for _, leaf in _read(structure.root, name))
    return [f"{CHECK_SHAPES}({name})"] if has_arrays else []


def _check_shapes(structure: Structure, name: str) -> str:
    leaves = [(leaf.path or name, text, leaf.shape or ()) for text, leaf in _read(structure.root, name)]
    parts = ", ".join(f"({quoted(path)}, {text}, {shape!r})" for path, text, shape in leaves)
    body = [
        f"for name, part, shape in [{parts}]:",
        "    if np.shape(part) != shape:",
        '        raise ValueError(f"{name} has shape {np.shape(part)}, not {shape}.")',
    ]
    return definition(CHECK_SHAPES, [name], said("Refuse parameters whose parts have other shapes."), body)


def _branches(node: Part | Nest) -> Iterator[Nest]:
    if isinstance(node, Nest):
        yield node
        for child in node.children:
            yield from _branches(child)


def _is_class(node: Nest) -> bool:
    """Whether parts are attributes: of a namedtuple, or of a dataclass, for which one stands here."""
    return not (issubclass(node.kind, dict) or node.kind in (list, tuple))


def read_directly(lines: Sequence[str], structure: Structure, name: str, flat: str) -> list[str]:
    """Return statements that read whole numbers and arrays of the parameters from these, not from the flat vector.

    beta = flat[:3]  ->  beta = params["beta"]
    """
    read = {}
    for text, leaf in _read(structure.root, name):
        if leaf.shape is None:
            read[f"{flat}[{leaf.start}]"] = text
            continue
        last = leaf.stop == structure.size
        starts = (str(leaf.start),) if leaf.start else ("", "0")
        pieces = [f"{flat}[{start}:{stop}]" for start in starts for stop in (leaf.stop, *([""] if last else []))]
        if len(leaf.shape) == 1:
            read |= dict.fromkeys(pieces, text)
        else:
            read |= {f"{piece}.reshape({', '.join(map(str, leaf.shape))})": text for piece in pieces}
    pattern = re.compile(r"(?<![\w.])(" + "|".join(map(re.escape, sorted(read, key=len, reverse=True))) + ")")
    return [line if line.lstrip().startswith("#") else pattern.sub(lambda m: read[m[1]], line) for line in lines]


def structured(lines: Sequence[str], vector: str, structure: Structure) -> tuple[list[str], str] | None:
    """Return statements that end by parts of `vector` in the structure of the parameters, and their text; or None.

    gradient = np.concatenate([(X.T @ r).reshape(6), [total]])  ->  {"W": X.T @ r, "b": total}
    """
    kept = list(lines)
    whole = _taken(kept, vector) if vector.isidentifier() else vector
    call = ast.parse(whole or "0", mode="eval").body
    leaves = [leaf for _, leaf in _read(structure.root, "x")]
    if whole is None or not isinstance(call, ast.Call) or not isinstance(call.args[0], ast.List):
        return None
    joined, items = ast.unparse(call.func), call.args[0].elts
    if joined not in ("np.concatenate", "np.array") or len(items) != len(leaves) or len(call.args + call.keywords) > 1:
        return None
    texts = {}
    for leaf, item in zip(leaves, items, strict=True):
        if joined == "np.concatenate" and leaf.shape is None:
            if not isinstance(item, ast.List) or len(item.elts) != 1:
                return None
            item = item.elts[0]
        text = ast.get_source_segment(whole, item) or ""
        if leaf.shape is not None and len(leaf.shape) != 1:
            before = list(kept)
            flat = (_taken(kept, text) or text) if text.isidentifier() else text
            if (matrix := _unflattened(flat, leaf.shape)) is None:
                kept, matrix = before, f"{text}.reshape({', '.join(map(str, leaf.shape))})"
            text = matrix
        texts[leaf.start] = text
    return kept, _composed(structure.root, texts)


def _unflattened(text: str, shape: tuple[int, ...]) -> str | None:
    """Return an array that is made flat in an expression, in the shape that it had or shall have; None if it is not.

    (X.T @ r).reshape(6)        ->  X.T @ r
    s.sum(axis=0).T.reshape(6)  ->  s.sum(axis=0).T.reshape(2, 3)
    """
    call = ast.parse(text, mode="eval").body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.keywords:
        return None
    sizes = [part.value for part in call.args if isinstance(part, ast.Constant)]
    if call.func.attr not in ("reshape", "ravel") or len(sizes) != len(call.args) or len(sizes) > 1:
        return None
    inner = ast.get_source_segment(text, call.func.value) or ""
    if isinstance(call.func.value, ast.BinOp):
        return inner
    return f"{inner}.reshape({', '.join(map(str, shape))})"


def _taken(lines: list[str], name: str) -> str | None:
    """Take the statement that sets a name away and return its right side, if it is set once and nothing reads it."""
    own = [k for k, line in enumerate(lines) if line.startswith(f"{name} = ")]
    others = [line for k, line in enumerate(lines) if k not in own and re.search(rf"\b{name}\b", line)]
    if len(own) != 1 or any(not line.lstrip().startswith("#") for line in others):
        return None
    return lines.pop(own[0]).removeprefix(f"{name} = ")


def _read(node: Part | Nest, text: str) -> list[tuple[str, Part]]:
    """Return the expressions of the numbers and arrays of the parameters."""
    if isinstance(node, Part):
        return [(text, node)]
    found = []
    for key, child in zip(node.keys, node.children, strict=True):
        found += _read(child, f"{text}[{quoted(key)}]" if not _is_class(node) else f"{text}.{key}")
    return found


def _raveled(text: str, leaf: Part) -> str:
    if leaf.shape is None:
        return f"[{text}]"
    return text if len(leaf.shape) == 1 else f"np.ravel({text})"


def _piece(leaf: Part, flat: str) -> str:
    """Return the expression of one number or array with the entries of a vector."""
    if leaf.shape is None:
        return f"{flat}[{leaf.start}]"
    piece = f"{flat}[{leaf.start or ''}:{leaf.stop}]"
    return piece if len(leaf.shape) == 1 else f"{piece}.reshape({', '.join(map(str, leaf.shape))})"


def _composed(node: Part | Nest, texts: Mapping[int, str]) -> str:
    """Return the expression of parameters from those of their numbers and arrays, by where these begin."""
    if isinstance(node, Part):
        return texts[node.start]
    children = [_composed(child, texts) for child in node.children]
    if node.kind is list:
        return f"[{', '.join(children)}]"
    if node.kind is tuple:
        return f"({', '.join(children)}{',' * (len(children) == 1)})"
    if _is_class(node):
        return f"{node.kind.__name__}({', '.join(children)})"
    return "{" + ", ".join(f"{quoted(key)}: {child}" for key, child in zip(node.keys, children, strict=True)) + "}"
