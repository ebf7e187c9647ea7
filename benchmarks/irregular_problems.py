"""Problems of physics and of test collections whose programs dispatch, evaluate text, or go element by element.

`cold_tables.py` measures them; they know nothing of autoopt. The data are random but the same in every process; only
the mathematics is that of the problems whose names they have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.irregular_models import Case

# Circuits by text -----------------------------------------------------------------------------------------------------


def R(p, f):
    return p[0] * np.ones(len(f))


def C(p, f):
    return 1 / (p[0] * 2j * np.pi * np.array(f))


def W(p, f):
    return p[0] * (1 - 1j) / np.sqrt(2 * np.pi * np.array(f))


def s(series):
    z = len(series[0]) * [0 + 0j]
    for element in series:
        z = z + element
    return z


def p(parallel):
    z = len(parallel[0]) * [0 + 0j]
    for element in parallel:
        z = z + 1 / element
    return 1 / z


def circuit(x, frequencies, measured):
    """The misfit of R0-p(R1,C1)-p(s(R2,W1),C2), which is built as text and evaluated at each call."""
    values = np.exp(x)
    text, k = "", 0
    for part in ("s([", "R", ",p([", "R", ",", "C", "]),p([s([", "R", ",", "W", "]),", "C", "])])"):
        if part in ("R", "C", "W"):
            text += f"{part}(values[{k}:{k + 1}], frequencies)"
            k += 1
        else:
            text += part
    Z = eval(text, globals(), {"values": values, "frequencies": frequencies})
    return np.sum(np.abs(Z - measured) ** 2 / np.abs(measured) ** 2)


# Hand tracking --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hand:
    """A hand at rest: a wrist, five fingers of four bones, and a skin that the bones carry along by weights."""

    parents: tuple
    relative: np.ndarray  # (bones, 4, 4), from a bone to its parent
    inverse: np.ndarray  # (bones, 4, 4), from the hand to a bone at rest
    skin: np.ndarray  # (4, points)
    weights: np.ndarray  # (bones, points)


def _euler(angles):
    rotation = np.eye(4)
    sin, cos = np.sin(angles), np.cos(angles)
    rotation[:3, :3] = (
        np.array([[cos[2], -sin[2], 0.0], [sin[2], cos[2], 0.0], [0.0, 0.0, 1.0]])
        @ np.array([[cos[1], 0.0, sin[1]], [0.0, 1.0, 0.0], [-sin[1], 0.0, cos[1]]])
        @ np.array([[1.0, 0.0, 0.0], [0.0, cos[0], -sin[0]], [0.0, sin[0], cos[0]]])
    )
    return rotation


def _axis_angle(v):
    angle = np.sqrt(np.sum(v**2))
    if angle < 1e-4:
        return np.eye(3)
    n = v / angle
    cross = np.array([[0.0, -n[2], n[1]], [n[2], 0.0, -n[0]], [-n[1], n[0], 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def hand_tracking(x, hand, seen):
    """Half the sum of squared distances; x: rotation, translation, and four angles of each finger."""
    angles = np.zeros((len(hand.parents), 3))
    for finger in range(5):
        base = 6 + 4 * finger
        angles[1 + 4 * finger + 1] = [x[base], x[base + 1], 0.0]
        angles[1 + 4 * finger + 2] = [x[base + 2], 0.0, 0.0]
        angles[1 + 4 * finger + 3] = [x[base + 3], 0.0, 0.0]
    absolute = []
    for bone, parent in enumerate(hand.parents):
        local = hand.relative[bone] @ _euler(angles[bone])
        absolute.append(local if parent < 0 else absolute[parent] @ local)
    skin = np.zeros((3, hand.skin.shape[1]))
    for bone in range(len(absolute)):
        transform = absolute[bone] @ hand.inverse[bone]
        skin = skin + (transform @ hand.skin)[:3] * hand.weights[bone]
    rotation = _axis_angle(x[:3])
    total = 0.0
    for k in range(seen.shape[1]):
        residual = rotation @ skin[:, k] + x[3:6] - seen[:, k]
        total += 0.5 * (residual @ residual)
    return total


def _hand(rng, points=544):
    parents = [-1]
    for finger in range(5):
        first = 1 + 4 * finger
        parents += [0, first, first + 1, first + 2]
    relative = np.array([np.eye(4) for _ in parents])
    relative[1:, :3, 3] = rng.normal(size=(20, 3))
    absolute = []
    for bone, parent in enumerate(parents):
        absolute.append(relative[bone] if parent < 0 else absolute[parent] @ relative[bone])
    skin = np.vstack([2 * rng.normal(size=(3, points)), np.ones(points)])
    weights = rng.uniform(size=(21, points)) ** 8
    hand = Hand(tuple(parents), relative, np.linalg.inv(np.array(absolute)), skin, weights / weights.sum(axis=0))
    x = np.concatenate([[0.3, -0.2, 0.1], [0.1, 0.2, -0.1], 0.3 * rng.normal(size=20)])
    return hand, skin[:3] + 0.2 * rng.normal(size=(3, points)), x


# Groups of elements, as collections of test problems keep and evaluate them -------------------------------------------


class Groups:
    """A sum of groups, or their squares: a line less a constant, plus weighted elements of a few variables."""

    def __init__(self, square: bool) -> None:
        self.square = square
        self.lines: list[list[tuple[int, float]]] = []
        self.constants: list[float] = []
        self.elements: list[list[tuple[str, tuple, tuple, float]]] = []

    def add(self, line=(), constant=0.0, elements=()):
        self.lines.append(list(line))
        self.constants.append(constant)
        self.elements.append(list(elements))

    def value(self, x):
        x = x.reshape(-1, 1)
        total = 0.0
        for k in range(len(self.lines)):
            inside = -self.constants[k]
            for variable, coefficient in self.lines[k]:
                inside = inside + coefficient * float(x[variable].item())
            for kind, variables, parameters, weight in self.elements[k]:
                at = np.zeros((len(variables), 1))
                for position, variable in enumerate(variables):
                    at[position] = float(x[variable].item())
                inside = inside + weight * getattr(self, kind)(at, parameters)
            total = total + (inside**2 if self.square else inside)
        return float(total)

    @staticmethod
    def lorentzian(x, parameters):
        """Weight, inverse width, and centre of a peak, seen at one angle."""
        w, a, c = x[0, 0], x[1, 0], x[2, 0]
        return w * a / (np.pi * (1 + (a * (parameters[0] - c)) ** 2))

    @staticmethod
    def gaussian(x, parameters):
        height, width = x[0, 0], x[1, 0]
        return height * np.exp(-0.5 * ((parameters[0] - parameters[1]) / width) ** 2)

    @staticmethod
    def serpentine(x, parameters):
        return 20 * x[0, 0] / (1 + x[0, 0] ** 2)

    @staticmethod
    def difference(x, parameters):
        return (x[0, 0] - x[1, 0]) ** 2

    @staticmethod
    def squared(x, parameters):
        return x[0, 0] ** 2


def evaluated(x, groups):
    return groups.value(x)


def _diffraction(rng, points=400, peaks=33):
    """Counts of powder diffraction as a sum of Lorentzian peaks, a weight, a width and a centre each (DMN15103LS)."""
    angles, centres = np.linspace(0.0, 15.0, points), np.sort(rng.uniform(0.5, 14.5, peaks))
    weights = rng.uniform(0.5, 2.0, peaks)
    counts = np.sum(weights * 4 / (np.pi * (1 + (4 * (angles[:, None] - centres)) ** 2)), axis=1)
    groups = Groups(square=True)
    for angle, count in zip(angles, counts + 0.05 * rng.normal(size=points), strict=True):
        elements = [("lorentzian", (3 * j, 3 * j + 1, 3 * j + 2), (angle,), 1.0) for j in range(peaks)]
        groups.add(constant=count, elements=elements)
    return groups, np.column_stack([np.ones(peaks), np.full(peaks, 3.0), centres + 0.05]).ravel()


def _masses(rng, points=1025):
    """A spectrum of neutrons scattered by four masses, a height and a width each (VESUVIOULS)."""
    times, centres = np.linspace(110.0, 420.0, points), (150.0, 280.0, 325.0, 365.0)
    seen = sum(
        h * np.exp(-0.5 * ((times - c) / w) ** 2)
        for h, w, c in zip((1, 2, 1.5, 1), (15, 9, 8, 7), centres, strict=True)
    )
    groups = Groups(square=True)
    for time, count in zip(times, seen + 0.05 * rng.normal(size=points), strict=True):
        elements = [("gaussian", (2 * j, 2 * j + 1), (time, centre), 1.0) for j, centre in enumerate(centres)]
        groups.add(constant=count, elements=elements)
    return groups, np.tile([1.2, 12.0], 4)


def _serpentine(n=100):
    """The chained serpentine function (Luksan's problem 11, LUKSAN11LS)."""
    groups = Groups(square=True)
    for i in range(n - 1):
        groups.add(line=[(i + 1, -10.0)], elements=[("serpentine", (i,), (), 1.0)])
        groups.add(line=[(i, 1.0)], constant=1.0)
    return groups, np.full(n, -0.8)


def _obstacle(n=20):
    """A membrane between two obstacles, by finite differences on a grid (OBSTCLBL)."""
    h = 1.0 / (n + 1)
    grid = -np.ones((n + 2, n + 2), dtype=int)
    grid[1:-1, 1:-1] = np.arange(n * n).reshape(n, n)
    groups = Groups(square=False)
    for i in range(n + 1):
        for j in range(n + 1):
            elements = []
            for a, b in ((grid[i, j], grid[i + 1, j]), (grid[i, j], grid[i, j + 1])):
                inside = tuple(int(k) for k in (a, b) if k >= 0)
                if inside:
                    elements.append(("difference" if len(inside) == 2 else "squared", inside, (), 0.5))
            groups.add(line=[(int(grid[i, j]), h * h)] if grid[i, j] >= 0 else [], elements=elements)
    u, v = np.meshgrid(*2 * [np.arange(1, n + 1) * h], indexing="ij")
    wave = (np.sin(9.2 * u) * np.sin(9.3 * v)).ravel()
    return groups, wave**3, wave**2 + 0.02


def problems() -> list[Case]:
    """Return the problems with data that are the same in every process."""
    rng = np.random.default_rng(13)
    frequencies = np.logspace(-1, 4, 40)
    truth = np.log([10.0, 50.0, 1e-5, 100.0, 30.0, 1e-3])
    w = 2j * np.pi * frequencies
    Z = 10 + 1 / (1 / 50 + w * 1e-5) + 1 / (1 / (100 + 30 * (1 - 1j) / np.sqrt(2 * np.pi * frequencies)) + w * 1e-3)
    noise = 1 + 0.01 * rng.normal(size=40)
    found = [Case("circuit by eval", circuit, truth + 0.3 * rng.normal(size=6), (frequencies, Z * noise))]
    hand, seen, x = _hand(rng)
    found.append(Case("hand tracking 544 points", hand_tracking, x, (hand, seen)))
    for name, made in (("DMN15103LS", _diffraction(rng)), ("VESUVIOULS", _masses(rng)), ("LUKSAN11LS", _serpentine())):
        found.append(Case(f"{name}-like", evaluated, made[1], made[:1]))
    groups, low, high = _obstacle()
    found.append(Case("OBSTCLBL-like", evaluated, low.copy(), (groups,), list(zip(low, high, strict=True))))
    return found
