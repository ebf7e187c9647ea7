"""Weibull accelerated failure times with censoring, from the columns of a pandas frame."""

import numpy as np
import pandas as pd


def objective(params, df):
    intercept, age, dose, log_sigma = params
    eta = intercept + age * df["age"] + dose * df["dose"]
    z = (np.log(df["time"]) - eta) / np.exp(log_sigma)
    return -np.sum(df["event"] * (z - log_sigma) - np.exp(z))


def value_and_grad(params, df):
    intercept, age, dose, log_sigma = params
    times, event = df["time"].to_numpy(), df["event"].to_numpy()
    ages, doses = df["age"].to_numpy(), df["dose"].to_numpy()
    scale, events = np.exp(-log_sigma), event.sum()
    z = scale * (np.log(times) - intercept - age * ages - dose * doses)
    hazard = np.exp(z)
    value = hazard.sum() - event @ z + log_sigma * events
    slope = event - hazard
    by_eta = scale * slope
    gradient = np.array([by_eta.sum(), by_eta @ ages, by_eta @ doses, slope @ z + events])
    return value, gradient


def start(rng):
    n = 5000
    age, dose = rng.normal(size=n), rng.uniform(size=n)
    time = np.exp(1 + 0.5 * age - dose + 0.7 * np.log(rng.exponential(size=n)))
    limit = rng.exponential(10.0, size=n)
    df = pd.DataFrame({"time": np.minimum(time, limit), "event": (time < limit) * 1.0})
    return np.array([0.5, 0.1, -0.2, 0.1]), (df.assign(age=age, dose=dose),)
