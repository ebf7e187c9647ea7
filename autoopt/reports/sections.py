"""The sections of a report, in their order. Each is a function of the page; one without blocks is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, UsageError
from autoopt.reports import facts, sources
from autoopt.reports.blocks import Block, Drawing, Facts, Section, Table, Text
from autoopt.reports.figures import figure, svg
from autoopt.reports.pictures import PICTURES
from autoopt.reports.subject import Subject
from autoopt.summaries import Coefficients, Summary, digits, rows_of
from autoopt.verification.certificate import AGREES
from autoopt.verification.certificate import summary as agreements


@dataclass(frozen=True)
class Page:
    """What sections are made of.

    Attributes
    ----------
    fitted : fitting.fitted.Fit, or an estimator
    subject : Subject
    summary : Summary
        What the summary in text says.
    """

    fitted: Any
    subject: Subject
    summary: Summary


SECTIONS: dict[str, tuple[str, Callable[[Page], Sequence[Block]]]] = {}
"""Title and function by name."""


def section(name: str, title: str) -> Callable[[Callable], Callable]:
    """Return a decorator that enters a function of a Page as a section."""

    def enter(blocks: Callable) -> Callable:
        SECTIONS[name] = title, blocks
        return blocks

    return enter


def sections(page: Page, table: Mapping[str, tuple[str, Callable]] = SECTIONS) -> list[Section]:
    """Return the sections that have something to say."""
    made = [Section(name, title, _safely(blocks, page)) for name, (title, blocks) in table.items()]
    return [one for one in made if one.blocks]


def _safely(blocks: Callable, page: Page) -> Sequence[Block]:
    """Return the blocks of a section; what fails says so there: the others are not lost for it."""
    try:
        return list(blocks(page))
    except Exception as error:
        said = error.happened if isinstance(error, AutooptError) else f"{type(error).__name__}: {error}"
        return [Text(f"This part could not be made: {said}", True)]


def drawn(page: Page, kind: str) -> list[Block]:
    """Return the drawings of a picture, with a caption; why there is none where the fit lacks what it shows."""
    row, subject = PICTURES[kind], page.subject
    if why := row.lacks(subject):
        return [Text(f"Not drawn, as {why}.", True)]
    blocks: list[Block] = []
    for number, panel in enumerate(row.panels(subject, None)):
        try:
            made, (axes,) = figure([row.height(subject)])
        except UsageError as missing:
            return [Text(f"No picture: {missing.happened} {missing.remedy}", True)]
        row.draw(subject, axes, panel)
        caption = " ".join(filter(None, [row.description, row.caption(subject)])) if number == 0 else ""
        blocks.append(Drawing(svg(made, f"{kind}-{number}", row.description), caption))
    return blocks


@section("summary", "Summary")
def summary(page: Page) -> Sequence[Block]:
    lines = [(label, text) for label, text in page.summary.lines if label != "certificate"]
    table = page.summary.table
    rows = rows_of(table) if isinstance(table, Coefficients) else [list(row) for row in table or []]
    blocks: list[Block] = [Facts([*page.summary.facts, *lines])]
    return [*blocks, Table(["parameter", *rows[0][1:]], rows[1:])] if rows else blocks


@section("certificate", "Certificate")
def certificate(page: Page) -> Sequence[Block]:
    verification = page.fitted.result.get("verification")
    said = dict(page.summary.lines).get("certificate", "")
    blocks: list[Block] = [Text(f"{said[:1].upper()}{said[1:]}.".replace("..", "."))] if said else []
    if verification is None or not verification.findings:
        return blocks
    rows = [
        [one.what, where, _verdict(one), f"{one.distance:.1e}", f"{one.allowed:.1e}"]
        for where, one in agreements(verification.findings)
    ]
    used = f"{verification.evaluations} evaluations of the original function in {verification.seconds:.2g} seconds."
    head = ["compared", "where", "verdict", "apart", "allowed"]
    return [*blocks, Table(head, rows, words=(1, 2)), Text(used, True)]


def _verdict(one: Any) -> str:
    return f"{one.digits} digits agree" if one.verdict == AGREES else str(one)


@section("convergence", "Convergence")
def convergence(page: Page) -> Sequence[Block]:
    return drawn(page, "convergence")


@section("coefficients", "Coefficients")
def coefficients(page: Page) -> Sequence[Block]:
    return drawn(page, "coefficients")


@section("profiles", "Profiles")
def profiles(page: Page) -> Sequence[Block]:
    """Those that were asked for before: a report takes no solves."""
    subject = page.subject
    if not subject.profiled or subject.profile is None:
        return []
    rows = []
    for name in subject.profiled:
        at, wald = list(subject.names).index(name), subject.intervals
        ends = [*np.asarray(subject.profile(name).interval(subject.level)), *wald[at]]
        rows.append([name, *(digits(float(end), float(subject.bse[at])) for end in ends)])
    head = ["parameter", "profile, lower", "upper", "Wald, lower", "upper"]
    return [Table(head, rows, caption=f"Intervals of {subject.of_level()}"), *drawn(page, "profile")]


@section("spectrum", "Curvature")
def spectrum(page: Page) -> Sequence[Block]:
    return drawn(page, "spectrum")


@section("residuals", "Residuals")
def residuals(page: Page) -> Sequence[Block]:
    if PICTURES["residuals"].lacks(page.subject):
        return []
    return [*drawn(page, "residuals"), *drawn(page, "quantiles")]


@section("calibration", "Calibration")
def calibration(page: Page) -> Sequence[Block]:
    return [] if PICTURES["calibration"].lacks(page.subject) else drawn(page, "calibration")


@section("notes", "Notes and diagnosis")
def notes(page: Page) -> Sequence[Block]:
    return [Text(note) for note in page.summary.notes]


@section("derivatives", "The derivatives that ran")
def derivatives(page: Page) -> Sequence[Block]:
    return sources.derivatives(page.fitted)


@section("model", "The model")
def model(page: Page) -> Sequence[Block]:
    return sources.model(page.fitted)


@section("data", "The data")
def data(page: Page) -> Sequence[Block]:
    return facts.data(page.fitted)


@section("environment", "Environment")
def environment(page: Page) -> Sequence[Block]:
    return facts.environment(page.fitted.result.get("timings") or {})
