"""`autoopt compare MODEL...`: fit models, or one by several methods, and print them side by side."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import click
import numpy as np

from autoopt.cli import ending, values
from autoopt.cli.fitting import QUIET, SOLVING, STATUSES, fitted, watched
from autoopt.cli.on_model import DATA, JSON, given
from autoopt.cli.table import lines, number, plain
from autoopt.errors import AutooptError
from autoopt.fitting.comparison import Criteria, RatioTest, criteria, ratio_tests, remarks
from autoopt.fitting.fit import Fit

ERROR = 1


@click.command()
@given(
    click.argument("models", nargs=-1, required=True, metavar="MODEL...", shell_complete=values.files),
    *DATA,
    click.option("--method", "methods", multiple=True, metavar="NAME", shell_complete=values.methods,
                 help="As listed by `autoopt methods`; repeatable: each model is fitted by each of them."),
    *SOLVING,
    QUIET,
    JSON,
)  # fmt: skip
@click.pass_context
def compare(ctx: click.Context, models: tuple, methods: tuple, quiet: bool, as_json: bool, **options: Any) -> None:
    """Fit each Python file MODEL to the same data, by each --method, and print the fits side by side.

    Log-likelihood, AIC and BIC, and the likelihood-ratio test of each model within the smallest one that has all of its
    parameters, by their names, and others besides. A fit that fails is a row with its reason below. Exit status as for
    `autoopt fit`: that of the first fit that did not succeed.
    """
    fits: dict[str, Fit] = {}
    failures: dict[str, str] = {}
    seconds: dict[str, float] = {}
    statuses = []
    with watched(quiet) as progress:
        try:
            for name, model, method in _cases(models, methods):
                start = time.perf_counter()
                try:
                    fits[name] = fitted(model=model, method=method, progress=progress, **options)
                    statuses.append(STATUSES[fits[name].status])
                except AutooptError as error:
                    failures[name] = str(error)
                    statuses.append(ERROR)
                seconds[name] = time.perf_counter() - start
        except KeyboardInterrupt as stop:
            if not fits:
                raise
            statuses = [ending.status(stop)]
    tests = ratio_tests(fits)
    counted, notes = criteria(fits), remarks(fits)
    if as_json:
        facts = {
            "fits": [_facts(name, fit, counted[name], seconds[name]) for name, fit in fits.items()],
            "notes": notes,
        }
        facts |= {"failures": failures, "tests": [asdict(test) | {"pvalue": plain(test.pvalue)} for test in tests]}
        click.echo(json.dumps(facts, indent=2, allow_nan=False))
    else:
        click.echo(_text(_rows(fits, counted, failures, seconds), tests, notes, failures))
    ctx.exit(next((status for status in statuses if status), 0))


def _cases(models: tuple[str, ...], methods: tuple[str, ...]) -> list[tuple[str, str, str | None]]:
    """Return what is fitted: what it is called, the model, and the method."""
    cases = [(model, method) for model in dict.fromkeys(models) for method in dict.fromkeys(methods or (None,))]
    if len(cases) == 1:
        raise click.UsageError("There is one fit, and nothing to compare it with: give other models or methods.")
    return [
        (" ".join([model, *([method] if method and len(methods) > 1 else [])]), model, method)
        for model, method in cases
    ]


def _text(rows: list[list[str]], tests: list[RatioTest], notes: list[str], failures: dict[str, str]) -> str:
    parts = [lines(rows, left=3)]
    if tests:
        head = ["likelihood-ratio test", "within", "statistic", "df", "P"]
        cells = [[t.smaller, t.larger, f"{t.statistic:.6g}", str(t.df), number(t.pvalue, ".3g")] for t in tests]
        parts.append(lines([head, *cells], left=2))
    parts += [f"Note: {note}" for note in notes]
    parts += [
        f"Note: {test.larger} has less log-likelihood than {test.smaller}, which is nested in it: it is at no maximum, "
        "or the names of the parameters mean different things."
        for test in tests
        if test.statistic < 0
    ]
    return "\n\n".join([*parts, *(f"{name}: {said}" for name, said in failures.items())])


def _rows(
    fits: dict[str, Fit], counted: dict[str, Criteria], failures: dict[str, str], seconds: dict[str, float]
) -> list[list[str]]:
    """Return the table of the fits, the head first: of likelihoods with their criteria, of other objectives' values."""
    shown = ["log-lik.", "AIC", "BIC"] if any(np.isfinite(fit.llf) for fit in fits.values()) else ["value"]
    head = ["model", "method", "status", "n", "df", *shown, "iterations", "seconds"]
    rows = [head]
    for name, fit in fits.items():
        count = counted[name]
        values = (fit.llf, count.aic, count.bic) if len(shown) > 1 else (float(fit.result.fun),)
        numbers = [str(fit.nobs or "-"), str(count.df), *(number(value, ".8g") for value in values)]
        rows.append([fit.source, fit.result.method, fit.status, *numbers, str(fit.result.get("nit"))])
        rows[-1].append(f"{seconds[name]:.3f}")
    unknown = ["-"] * (len(head) - 4)
    return [*rows, *([name, "", "failed", *unknown, f"{seconds[name]:.3f}"] for name in failures)]


def _facts(name: str, fit: Fit, counted: Criteria, seconds: float) -> dict[str, Any]:
    numbers = {"llf": fit.llf, "aic": counted.aic, "bic": counted.bic, "value": fit.result.fun, "seconds": seconds}
    return {
        "name": name,
        "model": fit.source,
        "method": fit.result.method,
        "status": fit.status,
        "nobs": fit.nobs,
        "df_model": counted.df,
        "nit": fit.result.get("nit"),
        **{key: plain(value) for key, value in numbers.items()},
    }
