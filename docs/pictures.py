"""Write the pictures of the documents: `python docs/pictures.py`, with the extra `plot`; names choose some of them.

They are those of fits to the data of the examples, drawn by `Fit.plot` or, where a picture is a model's own, here.
"""

import runpy
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autoopt.reports.figures import FIRST, INK, MUTED, SECOND, figure, legend  # noqa: E402
from autoopt.reports.figures import write as label  # noqa: E402

COLUMNS = ["mean_texture", "mean_smoothness", "mean_area"]


def example(name):
    """Return what an example defines; those that are scripts from end to end have run."""
    return runpy.run_path(str(ROOT / "examples" / f"{name}.py"))


def terms(beta, X, y):
    """Minus the log-likelihood of each row of a logistic regression."""
    eta = X @ beta
    return np.logaddexp(0, eta) - y * eta


def fitted():
    """Return a logistic regression of whether tumours are malignant."""
    import autoopt

    data = np.genfromtxt(ROOT / "examples" / "data" / "breast_cancer.csv", delimiter=",", names=True)
    X = np.column_stack([data[name] for name in COLUMNS])
    X = np.column_stack([np.ones(len(X)), (X - X.mean(0)) / X.std(0)])
    start, names = np.zeros(len(COLUMNS) + 1), ["intercept", *COLUMNS]
    return autoopt.fit(
        terms, start, (X, data["malignant"]), "bfgs", kind="negative log-likelihood", names=names, verify="start"
    )


def fit(page):
    """Four pictures of one fit: coefficients, a profile, the run, and how probabilities are calibrated."""
    found = fitted()
    above, beside, below, last = page([2.3] * 4)
    found.plot("coefficients", ax=above)
    found.plot("profile", ax=beside, names=["mean_smoothness"])
    found.plot("convergence", ax=below)
    found.plot("calibration", ax=last)


def oxygen(page):
    """The curve with its band, and the profile of a parameter beside its Wald line."""
    parts = example("oxygen")
    found = parts["fitted"]()
    curve, profile = page([2.3] * 2)
    days = np.linspace(0.0, 9.0, 91)
    mean = found.predict({"days": days}, of=parts["growth"])
    curve.fill_between(days, *mean.conf_int().T, color=FIRST, alpha=0.2, linewidth=0)
    curve.plot(days, mean.mean, color=FIRST)
    curve.plot(parts["days"], parts["demand"], "o", color=INK, markersize=3)
    label(curve, x="days", y="oxygen demand, mg/l", title="95 % band of the mean")
    found.plot("profile", ax=profile, names=["rate"])


def mixed_model(page):
    """The profiles of both standard deviations."""
    found = example("mixed_model")["fitted"]()
    for axes, name in zip(page([2.3] * 2), ["batch", "cask"], strict=True):
        found.plot("profile", ax=axes, names=[name])


def garch(page):
    """The returns, and two standard deviations to both sides."""
    parts = example("garch")
    returns = parts["simulate"](np.random.default_rng(1))[:500]
    params = dict(zip(parts["TRUE"], parts["fitted"](returns).params, strict=True))
    width = 2 * np.sqrt(parts["variances"](params, returns))
    (axes,) = page([2.3], width=7.8)
    axes.vlines(np.arange(500), 0.0, returns, color=MUTED, linewidth=0.6)
    axes.plot(width, color=FIRST, linewidth=1.0)
    axes.plot(-width, color=FIRST, linewidth=1.0)
    label(axes, x="day", y="return", title="returns of 500 days, and two fitted standard deviations")


def gaussian_process(page):
    """The observations, the mean of the process and two standard deviations."""
    parts = example("gaussian_process")
    t, y = parts["data"]()
    new = np.linspace(-0.5, 11.0, 231)
    mean, deviation = parts["predicted"](parts["fitted"](t, y), t, y, new)
    (axes,) = page([2.3], width=7.8)
    axes.fill_between(new, mean - 2 * deviation, mean + 2 * deviation, color=FIRST, alpha=0.2, linewidth=0)
    axes.plot(new, mean, color=FIRST)
    axes.plot(t, y, "o", color=INK, markersize=2)
    label(axes, x="t", y="y", title="mean and two standard deviations of the process")


def growth_curve(page):
    """The weights with the one that is spoilt, the plain curve and the robust one."""
    parts = example("growth_curve")
    time = np.linspace(1.0, 15.0, 141)
    (axes,) = page([2.3])
    for name, colour in (("plain", SECOND), ("robust", FIRST)):
        axes.plot(time, parts["growth"](time, **parts[name].x), color=colour, label=name)
    axes.plot(parts["TIMES"], parts["spoilt"], "o", color=INK, markersize=3)
    label(axes, x="time", y="weight", title="least squares, plain and with a robust loss")
    legend(axes)


def constrained(page):
    """The chain."""
    parts = example("constrained")
    (axes,) = page([2.3])
    axes.plot(*parts["joints"](parts["result"].x).T, "o-", color=FIRST, markersize=3, linewidth=1.0)
    axes.set_aspect("equal")
    label(axes, x="across", y="height", title="24 links at rest")


PICTURES = {
    picture.__name__: picture
    for picture in (fit, oxygen, mixed_model, garch, gaussian_process, growth_curve, constrained)
}


def write(folder, names=()):
    """Write a PNG for each picture, or for those that are named."""
    for name in names or PICTURES:
        pages = []

        def page(heights, width=None, pages=pages):
            """Return axes of these heights in inches, side by side."""
            made, axes = figure(heights)
            if width:
                made.set_figwidth(width)
            pages.append(made)
            return axes

        PICTURES[name](page)
        pages[0].patch.set_alpha(1.0)  # dark letters must be read on dark pages, too
        pages[0].savefig(folder / f"{name}.png", dpi=96, facecolor="white", metadata={"Software": None})


if __name__ == "__main__":
    write(Path(__file__).parent / "images", sys.argv[1:])
