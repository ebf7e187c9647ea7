"""The models of NIST's reference data sets for nonlinear regression (StRD), as residuals `y - model(b, x)`.

Formulas, ranges of x and starts are those of the sets; the responses are the models near the certified values, as a
derivative does not depend on them. Each is written in one of the ways that people write such models.
"""

from __future__ import annotations

import math

import numpy as np

NIST = {}
"""By name: the residuals, the start and the data."""


def model(start, x, name=None):
    """Enter a model with its first start; its residuals are for data (x, y)."""

    def enter(f):
        b = np.array(start, dtype=float)
        given = np.asarray(x, dtype=float)
        y = np.asarray(f(0.9 * b, given, np.zeros(given.shape[-1:])), dtype=float)
        NIST[name or f.__name__] = (f, b, (given, -y))
        return f

    return enter


# Lower difficulty -----------------------------------------------------------------------------------------------------


@model([500, 0.0001], np.linspace(77.6, 760.0, 14))
def misra1a(b, x, y):
    return y - b[0] * (1 - np.exp(-b[1] * x))


@model([-2000, 50, 0.8], np.linspace(7.4, 36.6, 60))
def bennett5(b, x, y):
    b1, b2, b3 = b
    return y - b1 * (b2 + x) ** (-1 / b3)


@model([0.1, 0.01, 0.02], np.linspace(0.5, 5.75, 54))
def chwirut2(b, x, y):
    return y - np.exp(-b[0] * x) / (b[1] + b[2] * x)


@model([0.1, 0.01, 0.02], np.linspace(0.5, 6.0, 214))
def chwirut1(b, x, y):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = y[i] - np.exp(-b[0] * x[i]) / (b[1] + b[2] * x[i])
    return out


@model([1.2, 0.3, 5.6, 5.5, 6.5, 7.6], np.linspace(0.0, 1.15, 24))
def lanczos3(b, x, y):
    return y - (b[0] * np.exp(-b[1] * x) + b[2] * np.exp(-b[3] * x) + b[4] * np.exp(-b[5] * x))


@model([97.0, 0.009, 100.0, 65.0, 20.0, 70.0, 178.0, 16.5], np.linspace(1.0, 250.0, 250))
def gauss1(b, x, y):
    decay = b[0] * np.exp(-b[1] * x)
    return y - decay - b[2] * np.exp(-((x - b[3]) ** 2) / b[4] ** 2) - b[5] * np.exp(-((x - b[6]) ** 2) / b[7] ** 2)


@model([96.0, 0.009, 103.0, 106.0, 18.0, 72.0, 151.0, 18.0], np.linspace(1.0, 250.0, 250))
def gauss2(b, x, y):
    peaks = sum(b[k] * np.exp(-((x - b[k + 1]) ** 2) / b[k + 2] ** 2) for k in (2, 5))
    return y - b[0] * np.exp(-b[1] * x) - peaks


@model([1.0, 5.0], np.linspace(1.309, 1.471, 6))
def danwood(b, x, y):
    return y - b[0] * x ** b[1]


@model([500, 0.0001], np.linspace(77.6, 760.0, 14))
def misra1b(b, x, y):
    return y - b[0] * (1 - (1 + b[1] * x / 2) ** -2.0)


# Average difficulty ---------------------------------------------------------------------------------------------------


@model([2.5, 5e-9, -0.05], np.stack([np.repeat([1.0, 8.0, 32.0, 64.0], 32), np.tile([180.0, 225.0, 250.0, 275.0], 32)]))
def nelson(b, x, y):
    time, temperature = x
    return y - (b[0] - b[1] * time * np.exp(-b[2] * temperature))


@model([2.0, -0.1, 0.003, -0.001, 0.00001], np.linspace(9.65, 371.3, 151))
def kirby2(b, x, y):
    return y - (b[0] + x * (b[1] + x * b[2])) / (1 + x * (b[3] + x * b[4]))


@model([10.0, -1.0, 0.05, -0.00001, -0.05, 0.001, -0.000001], np.linspace(14.1, 851.6, 236))
def hahn1(b, x, y):
    above = np.polyval(b[3::-1], x)
    below = np.polyval([b[6], b[5], b[4], 1.0], x)
    return y - above / below


@model([0.5, 1.5, -1.0, 0.01, 0.02], np.arange(0.0, 330.0, 10.0))
def mgh17(b, x, y):
    return [
        yi - (b[0] + b[1] * math.exp(-xi * b[3]) + b[2] * math.exp(-xi * b[4])) for xi, yi in zip(x, y, strict=True)
    ]


@model([1.2, 0.3, 5.6, 5.5, 6.5, 7.6], np.linspace(0.0, 1.15, 24))
def lanczos1(b, x, y):
    amplitudes, rates = b[::2], b[1::2]
    return y - np.exp(-np.outer(x, rates)) @ amplitudes


@model([1.2, 0.3, 5.6, 5.5, 6.5, 7.6], np.linspace(0.0, 1.15, 24))
def lanczos2(b, x, y):
    amplitudes, rates = b.reshape(3, 2).T
    return y - np.sum(amplitudes * np.exp(-rates * x[:, None]), axis=1)


@model([94.9, 0.009, 90.1, 113.0, 20.0, 73.8, 140.0, 20.0], np.linspace(1.0, 250.0, 250))
def gauss3(b, x, y):
    heights, centres, widths = b[2::3], b[3::3], b[4::3]
    peaks = heights * np.exp(-(((x[:, None] - centres) / widths) ** 2))
    return y - b[0] * np.exp(-b[1] * x) - peaks.sum(axis=1)


@model([500, 0.0001], np.linspace(77.6, 760.0, 14))
def misra1c(b, x, y):
    return y - b[0] * (1 - 1 / np.sqrt(1 + 2 * b[1] * x))


@model([500, 0.0001], np.linspace(77.6, 760.0, 14))
def misra1d(b, x, y):
    residuals = []
    for xi, yi in zip(x, y, strict=True):
        residuals.append(yi - b[0] * b[1] * xi / (1 + b[1] * xi))
    return np.array(residuals)


@model([0.1, -0.00001, 1000.0, -100.0], np.linspace(-4868.68, -2600.0, 25))
def roszman1(b, x, y):
    return y - (b[0] - b[1] * x - np.arctan(b[2] / (x - b[3])) / np.pi)


@model([11.1, 3.0, 0.5, 40.0, -0.7, -1.3, 25.0, -0.3, 1.4], np.arange(1.0, 169.0))
def enso(b, x, y):
    yearly = b[1] * np.cos(2 * np.pi * x / 12) + b[2] * np.sin(2 * np.pi * x / 12)
    second = b[4] * np.cos(2 * np.pi * x / b[3]) + b[5] * np.sin(2 * np.pi * x / b[3])
    third = b[7] * np.cos(2 * np.pi * x / b[6]) + b[8] * np.sin(2 * np.pi * x / b[6])
    return y - (b[0] + yearly + second + third)


@model([25.0, 39.0, 41.5, 39.0], np.array([4.0, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]))
def mgh09(b, x, y):
    out = np.empty_like(x)
    for i, t in enumerate(x):
        out[i] = y[i] - b[0] * (t**2 + t * b[1]) / (t**2 + t * b[2] + b[3])
    return out


# Higher difficulty ----------------------------------------------------------------------------------------------------


@model([100.0, 0.75], np.array([1.0, 2, 3, 5, 7, 10]))
def boxbod(b, x, y):
    named = {"level": b[0], "rate": b[1]}
    return y - named["level"] * (1 - np.exp(-named["rate"] * x))


@model([100.0, 1.0, 0.1], np.array([9.0, 14, 21, 28, 42, 57, 63, 70, 79]))
def rat42(b, x, y):
    return y - b[0] / (1 + np.exp(b[1] - b[2] * x))


@model([100.0, 10.0, 1.0, 1.0], np.arange(1.0, 16.0))
def rat43(b, x, y):
    return y - b[0] / (1 + np.exp(b[1] - b[2] * x)) ** (1 / b[3])


@model([0.02, 4000.0, 250.0], np.arange(50.0, 130.0, 5.0))
def mgh10(b, x, y):
    return np.stack([y[i] - b[0] * np.exp(b[1] / (x[i] + b[2])) for i in range(x.size)])


@model([1.0, 10.0, 500.0], np.linspace(400.0, 500.0, 35))
def eckerle4(b, x, y):
    z = (x - b[2]) / b[1]
    return y - b[0] / b[1] * np.exp(-0.5 * z**2)


@model([1000.0, 1000.0, 400.0, 40.0, 0.7, 0.3, 0.03], np.linspace(-3.067, 2.2, 37))
def thurber(b, x, y):
    top = b[0] + b[1] * x + b[2] * x**2 + b[3] * x**3
    bottom = 1 + b[4] * x + b[5] * x**2 + b[6] * x**3
    return np.concatenate([y[:20] - (top / bottom)[:20], (y - top / bottom)[20:]])
