"""Profile intervals of the published examples of MASS, bbmle and nls, with the R commands that gave the figures.

All by R 4.2.2, MASS 7.3-58.2, bbmle 1.0.25, emdbook 1.3.12. R joins points of a grid by a spline, which leaves four or
five digits, fewer where a profile is bent; a finer grid, or `uniroot`, leaves more, and its figures are taken.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import betaln, expit, gammaln

import autoopt
from autoopt import Parameter, Parameters

NLL = "negative log-likelihood"
SQUARES = "least squares"


@dataclass(frozen=True)
class Published:
    """An example.

    Attributes
    ----------
    command : str
        What R was asked, after those of its own help.
    objective, start, kind
        As `fit` takes them.
    ends : dict of name to (lower, upper)
    within : float
        Relative; what R's interpolation leaves.
    options : dict
        Of `fit`.
    """

    command: str
    objective: Any
    start: Any
    kind: str
    ends: dict
    within: float = 1e-4
    options: Any = None


# MASS -----------------------------------------------------------------------------------------------------------------

DOSE, MALE = np.tile(np.arange(6.0), 2), np.repeat([1.0, 0.0], 6)
DEAD = np.array([1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16.0])


def binomial(eta, count, size):
    return size * np.logaddexp(0, eta) - count * eta


def budworm(p):
    return binomial(p["F"] * (1 - MALE) + p["M"] * MALE + p["dose"] * DOSE, DEAD, 20)


def crossed(p):
    return binomial(p["a"] + p["M"] * MALE + (p["dose"] + p["M:dose"] * MALE) * DOSE, DEAD, 20)


AGES = np.array([9.21, 10.21, *np.arange(10.58, 15.9, 0.25), 17.58])
GIRLS = np.array([
    376, 200, 93, 120, 90, 88, 105, 111, 100, 93, 100, 108, 99, 106, 105, 117, 98, 97, 120, 102, 122, 111, 94, 114,
    1049,
])  # fmt: skip
MENARCHE = np.array(
    [0, 0, 0, 2, 2, 5, 10, 17, 16, 29, 39, 51, 47, 67, 81, 88, 79, 90, 113, 95, 117, 107, 92, 112, 1049]
)


def menarche(p):
    return binomial(p["a"] + p["age"] * AGES, MENARCHE, GIRLS)


TENANTS = np.array([
    21, 21, 28, 34, 22, 36, 10, 11, 36, 61, 23, 17, 43, 35, 40, 26, 18, 54, 13, 9, 10, 8, 8, 12, 6, 7, 9, 18, 6, 7, 15,
    13, 13, 7, 5, 11, 14, 19, 37, 17, 23, 40, 3, 5, 23, 78, 46, 43, 48, 45, 86, 15, 25, 62, 20, 23, 20, 10, 22, 24, 7,
    10, 21, 57, 23, 13, 31, 21, 13, 5, 6, 13,
])  # fmt: skip
SATISFIED, INFLUENCE, TYPE = np.arange(72) % 3, np.arange(72) // 3 % 3, np.arange(72) // 9 % 4
CONTACT = np.arange(72) // 36
HOUSING = np.column_stack([*(k == INFLUENCE for k in (1, 2)), *(k == TYPE for k in (1, 2, 3)), CONTACT]).astype(float)


def housing(p):
    below = expit(np.stack([p["cuts"][0], p["cuts"][1]])[:, None] - HOUSING @ p["b"])
    chances = np.stack([below[0], below[1] - below[0], 1 - below[1]])
    return -TENANTS * np.log(chances[SATISFIED, np.arange(72)])


QUINE = np.genfromtxt(Path(__file__).parents[1] / "data" / "quine.csv", delimiter=",", dtype=str, skip_header=1)
DAYS = QUINE[:, 4].astype(float)


def of_quine(column, level):
    return (QUINE[:, column] == level).astype(float)


ETHNIC, SEX, SLOW = of_quine(0, "N"), of_quine(1, "M"), of_quine(3, "SL")
YEARS = [of_quine(2, f"F{k}") for k in (1, 2, 3)]
BOTH = (1 - SEX, SEX)
MAIN = np.column_stack([np.ones(146), ETHNIC, SEX, *YEARS, SLOW])
NESTED = np.column_stack([
    np.ones(146), SEX, *(year * one for year in YEARS for one in BOTH), *(ETHNIC * one for one in BOTH),
    *(SLOW * one for one in BOTH), *(ETHNIC * SLOW * one for one in BOTH),
])  # fmt: skip


def days(p, X):
    eta, theta = X @ p["b"], p["theta"]
    return (
        (DAYS + theta) * np.log(np.exp(eta) + theta)
        - DAYS * eta
        - theta * np.log(theta)
        - (gammaln(DAYS + theta) - gammaln(theta))
    )


def main(p):
    return days(p, MAIN)


def nested(p):
    return days(p, NESTED)


MASS = {
    "budworm": Published(
        "confint(profile(glm(SF ~ sex + ldose - 1, binomial), maxsteps = 600, del = sqrt(qchisq(0.99, 1))/100))",
        budworm, {"F": 0.0, "M": 0.0, "dose": 0.0}, NLL,
        {"F": (-4.4580683, -2.6135363), "M": (-3.1728444, -1.6551034), "dose": (0.8228546, 1.3390388)}, 1e-6,
    ),
    "budworm, sex and dose crossed": Published(
        "confint(profile(glm(SF ~ sex * ldose, binomial), maxsteps = 600, del = sqrt(qchisq(0.99, 1))/100))",
        crossed, {"a": 0.0, "M": 0.0, "dose": 0.0, "M:dose": 0.0}, NLL,
        {
            "a": (-4.1864531, -2.0016914), "M": (-1.3709567, 1.7206718), "dose": (0.6022786, 1.2627068),
            "M:dose": (-0.1663034, 0.9064563),
        }, 1e-6,
    ),
    "menarche": Published(
        "confint(profile(glm(cbind(Menarche, Total - Menarche) ~ Age, binomial, menarche), maxsteps = 600, del = ...))",
        menarche, {"a": 0.0, "age": 0.0}, NLL, {"a": (-22.7865577, -19.7637824), "age": (1.5200992, 1.7513234)}, 1e-7,
    ),
    "housing": Published(
        "confint(profile(polr(Sat ~ Infl + Type + Cont, weights = Freq, data = housing, Hess = TRUE, "
        "control = list(reltol = 1e-14)), maxsteps = 600, del = sqrt(qchisq(0.99, 1))/100))",
        housing, Parameters(cuts=Parameter([-0.5, 0.5]), b=Parameter(np.zeros(6))), NLL,
        {
            "b[0]": (0.3616413, 0.7719536), "b[1]": (1.0409691, 1.5395805), "b[2]": (-0.8069586, -0.3394038),
            "b[3]": (-0.6705860, -0.0620450), "b[4]": (-1.3893855, -0.7953387), "b[5]": (0.1733587, 0.5479284),
        }, 1e-5,
    ),
    "quine": Published(
        "m <- glm.nb(Days ~ Eth + Sex + Age + Lrn, quine); confint(profile(m, maxsteps = 600, del = ...))",
        main, {"b": np.zeros(7), "theta": 1.274892645}, NLL,  # at whose estimate confint holds theta
        {
            "b[0]": (2.4628230, 3.3576341), "b[1]": (-0.8795011, -0.2608636), "b[2]": (-0.2403560, 0.4060544),
            "b[3]": (-0.9215175, 0.0123857), "b[4]": (-0.3922782, 0.5573202), "b[5]": (-0.1316681, 0.8382759),
            "b[6]": (-0.0687229, 0.6496200),
        }, 1e-5, {"fixed": "theta"},
    ),
    "quine, nested": Published(
        "m <- glm.nb(Days ~ Sex/(Age + Eth*Lrn), quine); confint(profile(m, maxsteps = 600, del = ...))",
        nested, {"b": np.zeros(14), "theta": 1.59799073532}, NLL,
        {
            "b[0]": (2.4691073, 3.6395720), "b[1]": (-1.2630308, 0.2904735), "b[2]": (-1.3680531, -0.0889204),
            "b[3]": (-1.3490546, -0.0937731), "b[4]": (-1.4037500, 0.1462408), "b[5]": (0.0771023, 1.1722681),
            "b[6]": (-1.0082059, 0.2882082), "b[7]": (0.5211050, 1.7870689), "b[8]": (-0.5974249, 0.4477741),
            "b[9]": (-1.1985610, -0.1630656), "b[10]": (0.2614958, 1.6205447), "b[11]": (-0.3931044, 0.9070371),
            "b[12]": (-2.1056175, -0.6120373), "b[13]": (-0.1134819, 1.6287715),
        }, 1e-5, {"fixed": "theta"},
    ),
    "quine, theta": Published(
        "l <- function(t) sum(dnbinom(quine$Days, size = t, mu = fitted(glm(Days ~ Eth + Sex + Age + Lrn, "
        "negative.binomial(t), quine)), log = TRUE)); uniroot of 2*(l(1.27489264505) - l(t)) - qchisq(0.95, 1)",
        main, Parameters(b=Parameter(np.zeros(7)), theta=Parameter(1.0, transform="log")), NLL,
        {"theta": (0.99159017, 1.62740964)}, 1e-7,
    ),
}  # fmt: skip


# bbmle ----------------------------------------------------------------------------------------------------------------

TADPOLES = np.array([5, 5, 10, 10, 15, 15, 20, 20, 30, 30, 50, 50, 75, 75, 100, 100.0])
KILLED = np.array([1, 2, 5, 6, 10, 9, 7, 10, 11, 15, 5, 21, 32, 18, 25, 35.0])


def density(p):
    q = p["a"] / (1 + p["a"] * p["h"] * TADPOLES)
    return -(KILLED * np.log(q) + (TADPOLES - KILLED) * np.log1p(-q))


SIZES = np.repeat([9, 12, 21, 25, 37.0], 3)
EATEN = np.array([0, 2, 1, 3, 4, 5, 0, 0, 0, 0, 1, 0, 0, 0, 0.0])


def size(p):
    q = p["c"] * (SIZES / p["d"] * np.exp(1 - SIZES / p["d"])) ** p["g"]
    return -(EATEN * np.log(q) + (10 - EATEN) * np.log1p(-q))


SEEDS = np.array([43, 51, 44, 71, 24, 7, 19, 56, 87, 55, 10, 13, 62, 104, 51, 11.0])
SPROUTED = np.array([2, 9, 5, 16, 2, 0, 17, 43, 79, 50, 9, 11, 47, 90, 46, 9.0])
DILUTION = np.repeat([0, 1, 2], [6, 5, 5])
CHANCES = Parameter(np.array([0.13, 0.87, 0.84]), transform="logit")
"""Outside of (0, 1) `betaln` has values, too, on which a search goes down for ever."""


def sprouted(chance, theta):
    a, b = theta * chance, theta * (1 - chance)
    return betaln(a, b) - betaln(SPROUTED + a, SEEDS - SPROUTED + b)


def orobanche(p):
    return sprouted(p["p"][DILUTION], p["theta"])


def spread(p):
    return sprouted(p["p"][DILUTION], 1 / p["sigma"] ** 2 - 1)


COUNTS = np.array([26, 17, 13, 12, 20, 5, 9, 8, 5, 4, 8.0])


def poisson(p):
    eta = p["a"] + p["b"] * np.arange(11.0)
    return np.exp(eta) - COUNTS * eta


BBMLE = {
    "frogs by density": Published(  # as in its tests/binomtest1.R, by data(ReedfrogFuncresp, package = "emdbook")
        "confint(profile(mle2(Killed ~ dbinom(prob = a/(1 + a*h*Initial), size = Initial), data = ReedfrogFuncresp, "
        "start = list(a = 0.5, h = 0.0125), control = list(reltol = 1e-15)), del = 0.05, maxsteps = 1000))",
        density, {"a": 0.5, "h": 0.0125}, NLL, {"a": (0.4024298, 0.6824693), "h": (0.0069880, 0.0263846)}, 2e-5,
    ),
    "frogs by size": Published(  # vignette mle2
        "confint(mle2(killed ~ dbinom(prob = c*((size/d)*exp(1 - size/d))^g, size = initial), data = frogdat, "
        'start = list(c = 0.5, d = 5, g = 1), control = list(reltol = 1e-15, maxit = 1000)), method = "uniroot")',
        size, {"c": 0.5, "d": 13.0, "g": 18.0}, NLL,
        {"c": (0.2181222, 0.7485746), "d": (11.2902517, 14.7296951), "g": (7.3264834, 31.6867238)}, 1e-4,
    ),
    "orobanche": Published(  # vignette mle2; NA above for theta, and below 1 / sigma^2 - 1 of the next, not its 18.022
        "confint(profile(m2, prof.upper = c(Inf, Inf, Inf, theta = 2000), del = 0.05, maxsteps = 1000))",
        orobanche, Parameters(p=CHANCES, theta=Parameter(60.0, transform="log")), NLL,
        {
            "p[0]": (0.0786839, 0.1931994), "p[1]": (0.8023499, 0.9229209), "p[2]": (0.7646627, 0.8973206),
            "theta": (18.0153817, np.inf),
        }, 1e-4,
    ),
    "orobanche, sigma": Published(  # NA below, as 0 is not reached
        "confint(profile(m2b, prof.lower = c(-Inf, -Inf, -Inf, 0), del = 0.05, maxsteps = 1000))",
        spread, Parameters(p=CHANCES, sigma=Parameter(0.1, transform="log")), NLL,
        {"sigma": (0.0, 0.2293229)}, 1e-4,
    ),
    "bound": Published(  # its tests/profbound.R; NA where the bound is met
        "confint(profile(mle2(y ~ dpois(lambda = exp(a + b*x)), start = list(a = 2, b = -0.1), method = \"L-BFGS-B\", "
        "lower = c(a = -0.2, b = -0.2), data = data.frame(x, y), control = list(factr = 10)), del = 0.05, ...))",
        poisson, {"a": 2.0, "b": -0.1}, NLL, {"a": (2.8140665, 3.3578039), "b": (-0.2, -0.0944403)}, 1e-4,
        {"bounds": {"a": (-0.2, None), "b": (-0.2, None)}},
    ),
}  # fmt: skip


# nls ------------------------------------------------------------------------------------------------------------------
# confint(m) itself joins few points: (197.30213, 229.29006) and (0.0469252, 0.0861600) of Puromycin, (14.0845, 38.4825)
# and (-2.03329, 0.59510) of BOD.

CONCENTRATION = np.repeat([0.02, 0.06, 0.11, 0.22, 0.56, 1.1], 2)
VELOCITY = np.array([76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200.0])


def michaelis(p):
    return VELOCITY - p["Vm"] * CONCENTRATION / (p["K"] + CONCENTRATION)


TIME, DEMAND = np.array([1, 2, 3, 4, 5, 7.0]), np.array([8.3, 10.3, 19.0, 16.0, 15.6, 19.8])


def oxygen(p):
    return DEMAND - p["A"] * (1 - np.exp(-np.exp(p["lrc"]) * TIME))


NLS = {
    "Puromycin": Published(
        "m <- nls(rate ~ Vm*conc/(K + conc), Puromycin, subset = state == 'treated', start = list(Vm = 212, K = .06)); "
        "uniroot of (optimize(sum of squares of the other, tol = 1e-13) - deviance(m))/sigma(m)^2 - qt(.975, 10)^2",
        michaelis, {"Vm": 200.0, "K": 0.05}, SQUARES,
        {"Vm": (197.3019329, 229.2890551), "K": (0.04692034204, 0.08615691343)}, 1e-7,
    ),
    "BOD": Published(
        "m <- nls(demand ~ A*(1 - exp(-exp(lrc)*Time)), BOD, start = list(A = 20, lrc = log(.35))); uniroot likewise",
        oxygen, {"A": 20.0, "lrc": np.log(0.35)}, SQUARES,
        {"A": (14.04936416, 38.45619797), "lrc": (-2.029526321, 0.592315060)}, 1e-7,
    ),
}  # fmt: skip

PUBLISHED = {**MASS, **BBMLE, **NLS}


@pytest.mark.slow_for("housing", "orobanche, sigma", "quine, nested")
@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", PUBLISHED)
def test_intervals_are_those_that_were_published(name):
    one = PUBLISHED[name]
    fitted = autoopt.fit(one.objective, one.start, kind=one.kind, **(one.options or {}))
    for parameter, interval in one.ends.items():
        np.testing.assert_allclose(fitted.profile(parameter).interval(), interval, rtol=one.within, err_msg=one.command)
