"""Simulations and inner calculations of engineers: queues, stores, trees, events, own algebra, registries of code."""

import collections
import enum
import functools
import heapq
import itertools
import math
import operator

import numpy as np

from corpus.table import Case

rng = np.random.default_rng(2024)
noise = rng.normal(size=40) * 0.5
pauses, efforts = np.abs(noise[:12]), np.abs(noise[12:24])
observed = 5 * np.exp(-0.2 * np.arange(13.0)) + 0.5


def queue_of_two_servers(p):
    arrivals = np.cumsum(np.exp(p[0]) * pauses)
    servers, waiting = [0.0, 0.0], 0.0
    for arrival, effort in zip(arrivals, np.exp(p[1]) * efforts):
        k = servers.index(min(servers))
        start = max(arrival, servers[k])
        waiting += start - arrival
        servers[k] = start + effort
    return waiting / 12 + p[2] ** 2


def inventory_policy(p):
    stock, cost = 5.0, 0.0
    for demand in np.abs(noise[:20]) * 3:
        stock -= demand
        if stock < 0:
            cost, stock = cost - 10 * p[0] * stock, 0.0
        if stock < 2 * p[1]:
            order = 5 * p[2] - stock
            cost += 1 + 0.5 * order**2
            stock += order
        cost += 0.1 * stock
    return cost


def american_put(p, n=6):
    spot, rate = 100 * p[0], 0.1 * p[2]
    up = math.exp((abs(p[1]) + 0.05) * math.sqrt(1 / n))
    q = (math.exp(rate / n) - 1 / up) / (up - 1 / up)
    value = [max(100 - spot * up**j * (1 / up) ** (n - j), 0.0) for j in range(n + 1)]
    for i in range(n - 1, -1, -1):
        value = [max(math.exp(-rate / n) * (q * value[j + 1] + (1 - q) * value[j]), 100 - spot * up**j * (1 / up) ** (i - j)) for j in range(i + 1)]
    return (value[0] - 8) ** 2 / 10


def doses_and_observations(p):
    ka, ke, volume, share = np.exp(p)
    events = [(0.0, "dose", 100.0), (4.0, "obs", 2.0), (8.0, "dose", 50.0), (8.0, "obs", 1.5), (12.0, "obs", 2.5)]
    gut = blood = now = loss = 0.0
    for time, kind, amount in events:
        if (dt := time - now) > 0:
            before, gut = gut, gut * np.exp(-ka * dt)
            blood = blood * np.exp(-ke * dt) + before * ka / (ka - ke) * (np.exp(-ke * dt) - np.exp(-ka * dt))
        now = time
        match kind:
            case "dose":
                gut += amount * share
            case "obs":
                loss += (math.log(blood / volume + 1e-6) - math.log(amount)) ** 2
    return loss


def rk4(f, y, t, h):
    k1 = f(t, y)
    k2 = f(t + h / 2, [a + h / 2 * k for a, k in zip(y, k1)])
    k3 = f(t + h / 2, [a + h / 2 * k for a, k in zip(y, k2)])
    k4 = f(t + h, [a + h * k for a, k in zip(y, k3)])
    return [a + h / 6 * (p + 2 * q + 2 * r + s) for a, p, q, r, s in zip(y, k1, k2, k3, k4)]


def absorption_by_lists(p):
    ka, ke, volume = map(math.exp, p)
    y, sse = [100.0, 0.0], 0.0
    for day in range(1, 6):
        y = rk4(lambda t, y: (-ka * y[0], ka * y[0] - ke * y[1]), y, day, 1.0)
        sse += (y[1] / volume - observed[day]) ** 2
    return sse


def delayed_feedback(x):
    waiting, level, cost = collections.deque([0.0] * 3, maxlen=3), 0.1, 0.0
    for t in range(15):
        pull = x[0] * (1 - level) + x[1] * waiting[0]
        waiting.append(level)
        level = level + 0.1 * pull
        cost += (level - 0.8) ** 2
        if t % 4 == 0:
            waiting.rotate(1)
    return cost


def huffman_cost(x):
    heap = [(float(v), i) for i, v in enumerate(x)]
    heapq.heapify(heap)
    cost = 0.0
    for n in itertools.count(len(x)):
        if len(heap) == 1:
            return cost
        a, b = heapq.heappop(heap)[0], heapq.heappop(heap)[0]
        cost += (a + b) ** 2
        heapq.heappush(heap, (a + b, n))


def cheapest_alignment(x):
    memo = {}

    def cost(i, j):
        if (i, j) not in memo:
            if i * j == 0:
                memo[i, j] = x[0] * j + x[1] * i
            else:
                memo[i, j] = min(cost(i - 1, j) + 1.1 * x[0], cost(i, j - 1) + x[1], cost(i - 1, j - 1) + x[2] ** 2 * (i != j))
        return memo[i, j]

    return cost(2, 3) ** 2


def running_averages(x):
    def averager():
        total, n, mean = 0.0, 0, None
        while (value := (yield mean)) is not None:
            total, n = total + value, n + 1
            mean = total / n
        return total

    a, out = averager(), 0.0
    next(a)
    for k in range(5):
        out += a.send(x[k % 2] ** (k + 1)) ** 2
    try:
        a.send(None)
    except StopIteration as stop:
        out += stop.value
    return out


class Variable:
    """A user's own differentiation in reverse."""

    def __init__(self, value, tape):
        self.value, self.tape, self.slope = value, tape, 0.0

    def __mul__(self, other):
        out = Variable(self.value * other.value, self.tape)

        def back():
            self.slope += other.value * out.slope
            other.slope += self.value * out.slope

        self.tape.append(back)
        return out

    def sin(self):
        out = Variable(math.sin(self.value), self.tape)
        self.tape.append(lambda: setattr(self, "slope", self.slope + math.cos(self.value) * out.slope))
        return out


def squared_slopes(x):
    tape = []
    a, b = Variable(x[0], tape), Variable(x[1], tape)
    f = (a * b).sin() * a
    f.slope = 1.0
    for back in reversed(tape):
        back()
    return f.value**2 + a.slope**2 + b.slope**2


class Stage(enum.Enum):
    COLD = 0
    WARM = 1
    HOT = 2

    def heated(self, temperature, x):
        factors = np.ones(3)
        factors[Stage.WARM.value] = 1 + 0.2 * x[2]
        return temperature * float(factors[self.value]) - (x[1] ** 2 if self is Stage.HOT else -0.3 * x[1])


def staged_heating(x):
    stage, temperature, energy = Stage.COLD, x[0], 0.0
    for _ in range(6):
        if stage is Stage.COLD and temperature > 0.5:
            stage = Stage.WARM
        elif stage is Stage.WARM and temperature > 1.0:
            stage = Stage.HOT
        temperature = stage.heated(temperature, x)
        energy += (temperature - 0.7) ** 2
    return energy


class Kernel:
    __slots__ = ("parts",)

    def __init__(self, *parts):
        self.parts = parts

    def __add__(self, other):
        return Kernel(*self.parts, *other.parts)

    def __call__(self, r):
        out = np.zeros(r.shape)
        for part in self.parts:
            out += part(r)
        return out


SMOOTH = Kernel(lambda r: np.exp(-(r**2) / 8))


def kernel_algebra(theta):
    t = np.arange(6.0)
    k = SMOOTH + Kernel(functools.partial(lambda scale, r: np.exp(-np.abs(r) / scale), math.exp(theta[0])))
    K = math.exp(theta[1]) * k(t[:, None] - t) + 0.1 * np.eye(6)
    L = np.linalg.cholesky(K)
    z = np.linalg.solve(L, observed[:6])
    return 0.5 * z @ z + np.log(np.diag(L)).sum()


LOSSES = collections.OrderedDict()


def loss(name):
    def register(f):
        LOSSES[name] = f
        return f

    return register


@loss("bounded")
def bounded(r):
    out = np.empty_like(r)
    for i, v in enumerate(r):
        out[i] = v**2 / (1 + v**2) if v > 0 else 0.5 * v**2 / (0.5 - v)
    return out


@loss("smooth")
def smooth(r):
    return np.array([math.hypot(1.0, v) - 1 for v in r])


def registered_losses(p):
    r = observed - p[0] * np.exp(-p[1] * np.arange(13.0))
    return sum(weight * f(r).sum() for weight, f in zip((1.0, 0.3), LOSSES.values()))


def postfix_calculator(x):
    operations = {"+": operator.add, "*": operator.mul, "-": operator.sub, "/": operator.truediv, "^": operator.pow}
    names, stack = dict(zip("abc", x)), []
    for token in "a b * c + 2 ^ a - b 3 * + 7 /".split():
        if token in operations:
            right, left = stack.pop(), stack.pop()
            stack.append(operations[token](left, right))
        else:
            stack.append(names[token] if token in names else float(token))
    return stack[-1] ** 2


def eliminated(x):
    A, b = np.diag(np.abs(x[:3]) + 0.5), x[:3].copy()
    A[0, 1], A[1, 0], A[2, 1], A[2, 0] = x[3], 2.0, x[4], 1.5
    for k in range(3):
        p = k + np.argmax(np.abs(A[k:, k]))
        A[[k, p]], b[[k, p]] = A[[p, k]], b[[p, k]]
        for i in range(k + 1, 3):
            m = A[i, k] / A[k, k]
            A[i, k:] -= m * A[k, k:]
            b[i] -= m * b[k]
    z = np.zeros(3)
    for i in reversed(range(3)):
        z[i] = (b[i] - A[i, i + 1 :] @ z[i + 1 :]) / A[i, i]
    return z @ z


def layers_of_glass(x):
    M = np.eye(2, dtype=complex)
    for n, d in zip(np.exp(x[:2]), np.exp(x[2:])):
        phase = 2 * np.pi * n * d / 3
        layer = [[np.cos(phase), 1j * np.sin(phase) / n], [1j * n * np.sin(phase), np.cos(phase)]]
        M = M @ np.array(layer)
    (a, b), (c, d) = M
    return abs((a + b - c - d) / (a + b + c + d)) ** 2


def columns_in_memory(x):
    A = x.reshape(2, 3).T
    B = np.asfortranarray(x.reshape(3, 2) ** 2)
    return np.ravel(A, order="K") @ np.arange(6) + B.ravel("A") @ x + A.flatten("F") @ np.arange(6) ** 2


def counted_signs(x):
    return x[0] * sum(x > 0) + x[1] ** 2 * sum(v > 0.5 for v in x) + np.sum(x // 1 * x) + len([v for v in x if v > 0]) * x[2]


x6 = np.array([0.4, -0.7, 1.2, 0.9, -0.3, 0.6])

CASES = [
    Case("queue_of_two_servers", queue_of_two_servers, np.array([0.3, 0.8, 0.5]), tags="list.index min max"),
    Case("inventory_policy", inventory_policy, np.array([0.3, 0.8, 1.2]), tags="events"),
    Case("american_put", american_put, np.array([0.97, 0.3, 0.2]), tags="tree max powers"),
    Case("doses_and_observations", doses_and_observations, np.array([-1.0, -1.5, 3.0, 0.1]), tags="events match walrus"),
    Case("absorption_by_lists", absorption_by_lists, np.array([-1.0, -1.5, 3.0]), tags="rk4 lists"),
    Case("delayed_feedback", delayed_feedback, np.array([1.0, 0.5]), tags="deque rotate"),
    Case("huffman_cost", huffman_cost, x6[:4], tags="heapq tuples"),
    Case("cheapest_alignment", cheapest_alignment, np.array([0.9, 0.7, 0.3]), tags="memo recursion min"),
    Case("running_averages", running_averages, np.array([1.0, 0.5]), tags="generator send"),
    Case("squared_slopes", squared_slopes, np.array([0.5, 1.1]), tags="closures own-ad"),
    Case("staged_heating", staged_heating, np.array([0.3, 0.8, 1.2]), (), (np.array([3.0, 1.0, 1.0]),), tags="enum methods"),
    Case("kernel_algebra", kernel_algebra, np.array([0.1, -0.5]), tags="slots operators"),
    Case("registered_losses", registered_losses, np.array([4.0, 0.3]), tags="registry OrderedDict"),
    Case("postfix_calculator", postfix_calculator, x6[:3], tags="operator dict"),
    Case("eliminated", eliminated, x6[:5], (), (np.array([2.0, 1.0, 0.1, 3.0, -1.0]),), tags="pivots swaps"),
    Case("layers_of_glass", layers_of_glass, x6[:4], tags="complex matrices"),
    Case("columns_in_memory", columns_in_memory, x6, (), (np.zeros(6),), tags="order ravel"),
    Case("counted_signs", counted_signs, x6, tags="sum-of-bools floor-division"),
]
