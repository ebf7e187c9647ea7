"""Pharmacokinetics, epidemics, growth and dose-response."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm

from corpus.table import Case

rng = np.random.default_rng(606)
t = np.array([0.5, 1, 2, 4, 8, 12.0])
conc = 3 * (np.exp(-0.2 * t) - np.exp(-1.5 * t)) * np.exp(0.1 * rng.normal(size=6))

PK = namedtuple("PK", "log_ka log_ke log_v")


@dataclass
class Dose:
    amount: float
    time: float


@dataclass
class Emax:
    e0: float
    emax: float
    log_ec50: float


def one_compartment(p, t, conc, dose=10.0):
    ka, ke, V = np.exp(p)
    pred = dose * ka / (V * (ka - ke)) * (np.exp(-ke * t) - np.exp(-ka * t))
    return np.sum((np.log(conc) - np.log(pred)) ** 2)


def one_compartment_namedtuple(p, t, conc):
    ka, ke, V = (np.exp(v) for v in p)
    pred = 10 * ka / (V * (ka - ke)) * (np.exp(-ke * t) - np.exp(-ka * t))
    return ((conc - pred) ** 2).sum() + 0.1 * p.log_v**2


def repeated_doses(p, t, conc, doses):
    k, v = np.exp(p[0]), np.exp(p[1])
    pred = np.zeros_like(t)
    for dose in doses:
        after = t > dose.time
        pred[after] += dose.amount / v * np.exp(-k * (t[after] - dose.time))
    return np.sum((pred - conc) ** 2)


def two_compartment(p, t, conc):
    k10, k12, k21 = np.exp(p[:3])
    A = np.array([[-k10 - k12, k21], [k12, -k21]])
    pred = np.array([(expm(A * s) @ np.array([10.0, 0.0]))[0] for s in t]) / np.exp(p[3])
    return np.sum((pred - conc) ** 2)


def population_pk(p, t, conc_by_patient):
    """Each patient has a random clearance; its penalty is Gaussian."""
    log_cl, log_v, log_omega = p["log_cl"], p["log_v"], p["log_omega"]
    total = 0.0
    for i, conc in enumerate(conc_by_patient):
        eta = p["eta"][i]
        k = np.exp(log_cl + eta - log_v)
        pred = 10 / np.exp(log_v) * np.exp(-k * t)
        total += np.sum((np.log(conc) - np.log(pred)) ** 2) / 0.1
        total += 0.5 * eta**2 / np.exp(2 * log_omega) + log_omega
    return total


def emax_model(p, dose, effect):
    pred = p.e0 + p.emax * dose / (dose + np.exp(p.log_ec50))
    return np.mean((effect - pred) ** 2)


def hill(p, dose, y):
    bottom, top, logec, slope = p
    frac = np.zeros(len(dose))
    pos = dose > 0
    frac[pos] = 1 / (1 + 10 ** ((logec - np.log10(dose[pos])) * slope))
    return np.sum((y - bottom - (top - bottom) * frac) ** 2)


def michaelis_menten(params, S, v):
    """`params` is a dict, as lmfit users write it."""
    vmax = params["Vmax"]
    km = params["Km"]
    return sum((vi - vmax * s / (km + s)) ** 2 for s, vi in zip(S, v))


def sir_epidemic(p, cases):
    beta, gamma = np.exp(p[0]), np.exp(p[1])
    S, I, R = 0.99, 0.01, 0.0
    predicted = []
    for _ in range(len(cases)):
        new = beta * S * I
        rec = gamma * I
        S -= new
        I += new - rec
        R += rec
        predicted.append(new)
    predicted = np.array(predicted)
    return np.sum((np.sqrt(predicted) - np.sqrt(cases)) ** 2)


def seir_states(p, cases):
    rates = np.exp(p)
    state = np.array([0.97, 0.01, 0.02, 0.0])
    incidence = np.empty(cases.shape)
    for d, _ in enumerate(cases):
        flow = np.array([rates[0] * state[0] * state[2], rates[1] * state[1], rates[2] * state[2]])
        state[:3] -= flow
        state[1:] += flow
        incidence[d] = flow[1]
    return -np.sum(cases * np.log(incidence) - 100 * incidence)


def logistic_growth(p, t, n):
    K, r, n0 = p
    return np.linalg.norm(K / (1 + (K - n0) / n0 * np.exp(-r * t)) - n)


def gompertz_growth(p, t, n):
    a, b, c = np.abs(p)
    return np.sqrt(np.mean(np.square(a * np.exp(-b * np.exp(-c * t)) - n)))


def arrhenius(p, temp, rate):
    lnA, Ea = p
    return np.polyval([0.5, 0.0, 0.0], np.log(rate) - (lnA - Ea * 1000 / (8.314 * temp))).sum()


dose = np.array([0.0, 0.1, 0.3, 1, 3, 10])
effect = np.array([0.1, 0.3, 0.4, 0.9, 1.3, 1.6])
patients = [np.exp(rng.normal(size=6) * 0.2) * np.exp(-0.2 * t) for _ in range(3)]
doses = [Dose(10.0, 0.0), Dose(5.0, 3.0), Dose(5.0, 7.0)]
cases = np.array([0.01, 0.02, 0.03, 0.05, 0.06, 0.05])
pk0 = np.array([0.4, -1.6, 1.0])

CASES = [
    Case("one_compartment", one_compartment, pk0, (t, conc), tags="default"),
    Case("one_compartment_namedtuple", one_compartment_namedtuple, PK(*map(float, pk0)), (t, conc), tags="namedtuple-x0 generator"),
    Case("repeated_doses", repeated_doses, np.array([-1.5, 0.9]), (t, conc, doses), tags="masks augmented dataclass-data"),
    Case("two_compartment", two_compartment, np.array([-1.5, -1.0, -0.8, 1.0]), (t[:3], conc[:3]), tags="expm comprehension"),
    Case("population_pk", population_pk, {"log_cl": 0.1, "log_v": 1.0, "log_omega": -0.5, "eta": np.array([0.1, -0.1, 0.2])}, (t, patients), tags="dict-x0 list-data"),
    Case("emax_model", emax_model, Emax(0.1, 1.5, -0.2), (dose, effect), tags="dataclass-x0"),
    Case("hill", hill, np.array([0.1, 1.6, 0.2, 1.1]), (dose, effect), (np.array([0.0, 1.0, 0.0, 0.0]),), tags="masks power"),
    Case("michaelis_menten", michaelis_menten, {"Vmax": 1.5, "Km": 0.7}, (dose, effect), tags="dict-x0 generator sum"),
    Case("sir_epidemic", sir_epidemic, np.array([0.3, -0.7]), (cases,), tags="list-append scalars"),
    Case("seir_states", seir_states, np.log([0.8, 0.3, 0.2]), (cases,), tags="views augmented list-array"),
    Case("logistic_growth", logistic_growth, np.array([2.0, 0.5, 0.3]), (t, effect), tags="norm"),
    Case("gompertz_growth", gompertz_growth, np.array([2.0, 2.0, 0.3]), (t, effect), (np.array([-2.0, 2.0, -0.3]),), tags="abs"),
    Case("arrhenius", arrhenius, np.array([20.0, 50.0]), (np.linspace(290, 350, 6), np.exp(np.linspace(-1, 2, 6))), tags="polyval scale"),
]
