"""A model, or a function, and its data -> a Fit: the estimates, their standard errors, and what is to be said of them.

The same as `autoopt fit` on the command line, which only reads its options and prints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from autoopt.designs.data import Selection
from autoopt.errors import AutooptError, ObjectiveError
from autoopt.execution.blocks.threads import threaded
from autoopt.fitting import diagnoses, observations, penalties
from autoopt.fitting.beside import importable
from autoopt.fitting.fitted import Fit
from autoopt.fitting.keeping import Interruption, begun, kept
from autoopt.fitting.kinds import kind_of
from autoopt.fitting.opening import Opened
from autoopt.fitting.restrictions import restrictions
from autoopt.fitting.solving import Case, solved
from autoopt.fitting.standard_errors import with_covariance
from autoopt.fitting.starting import moved
from autoopt.origin import is_ours
from autoopt.stages import heard, stage
from autoopt.tables.labels import refuse_labels_unlike
from autoopt.users_code import users_code
from autoopt.variables.start import Start
from autoopt.wording import listed


@heard
@threaded
@kept
def fit(
    model: object,
    x0: Any = None,
    data: object = None,
    method: str | None = None,
    *,
    kind: str | None = None,
    names: Sequence[str] | None = None,
    start: Any = None,
    weights: Any = None,
    covariance: str | None = None,
    groups: Any = None,
    penalty: str | None = None,
    level: float = 0.95,
    nobs: int | None = None,
    target: str | None = None,
    formula: str | None = None,
    categories: Sequence[str] = (),
    missing: str = "raise",
    reading: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    bounds: Any = None,
    fixed: Any = None,
    scale: Any = None,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
    derivatives: Any = None,
    verify: str = "start",
    engine: str = "auto",
    progress: Callable | None = None,
    run_dir: Any = None,
    checkpoint: Any = None,
    resume: bool = False,
    threads: int | None = None,
    cluster: Any = None,
) -> Fit:
    """Return the fit of a function, or of a model file, to data.

    Parameters
    ----------
    model : callable, path, name in `models.MODELS`, module, class, or object with attributes
        A function ``objective(params, *data)`` in plain NumPy; or what defines `objective` and `x0` (a value, or a
        function of the data), optionally `data` (a value or a function: a tuple, a dict of names to arrays, or a file
        name), `bounds` and `constraints` (values or functions of the data), `names` of the parameters, `fixed`,
        `method`, `kind`, `predict` (of parameters and data, for `Fit.predict`), `predict_scale` (that of its bands),
        `encode` (of a table, what `predict` takes), and `jac`, `hess`, `hessp` in place of derived ones. A class is
        called without arguments.
    x0 : scalar, array, nested dict, list or tuple of them, Parameters, or function of the data, optional
        The start, in place of the model's; a function needs one.
    data : path, dict of str to array, data frame, tuple or `autoopt.batches`, optional
        In place of the model's own; columns or arrays are bound to the objective's arguments of their names. Files are
        CSV, TSV, Parquet, Feather, JSON lines or records, .npz, .npy, compressed or not, "-" for stdin; frames those of
        pandas and polars and tables of pyarrow. A single argument whose name is no column takes the frame whole. A
        pattern or a folder names tables in several files; what is larger than memory is read in batches.
    method : str, optional
        A row of `autoopt methods`; without it the model's, and without that one chosen to fit.
    kind : str, optional
        What the objective returns, in place of the model's: "negative log-likelihood" or "log-likelihood" (a number, or
        an array with a term for each row), "least squares" (an array of residuals, or the sum of their squares), or
        "minimise" (any number; nothing is inferred), which is the default.
    names : sequence of n str, optional
        Of the parameters, in place of the model's, or of those that x0 and the columns of the data suggest.
    start : path, mapping of names to numbers, Fit, or array of shape (n,), optional
        Values in place of those of x0, by the names of the parameters; a file is a ``result.json``, a run directory
        (also of a run that was killed), JSON or CSV with names and values. What is not named starts where x0 has it.
    weights : array or str, optional
        How much each row counts, or the column of the data that says so; for objectives that return an array, or a
        number that is recognised as a sum over rows. Rows of a likelihood count as if there were so many of them, as
        with statsmodels' freq_weights; residuals have variances in inverse proportion, as with WLS.
    covariance : str, optional
        How standard errors are computed: "observed" (the exact Hessian; for least squares the exact Jacobian), "opg",
        "robust" (the sandwich, HC0), "HC1", "HC2", "HC3" or "cluster"; see `Fit.cov_params`. "cluster" if there are
        `groups`, "observed" if not.
    groups : array or str, optional
        To which group each row belongs, or the column of the data that says so.
    penalty : "firth", optional
        Firth's, minus half the log-determinant of the information, for a likelihood: estimates are finite where classes
        are separated, and less biased. `value` has it, `llf` has not; intervals by profile are those of both together.
    level : float, in (0, 1)
        Of the intervals in the summary, and of `Fit.conf_int` where no other is asked for.
    nobs : int, optional
        The number of observations; by default that of the objective's rows, of the squared residuals in a sum of
        squares, or of the rows of all data of a likelihood.
    target : str, optional
        The column that becomes the objective's last argument; the first is then the matrix of the other numeric ones.
    formula : str, optional
        Such as "y ~ age + C(region)", read by formulaic (extra "formula"): the design matrix becomes the first data
        argument, the response the last, those between are columns of their names; the parameters are called by the
        matrix's columns and start at zero without x0. Without a left side the other arguments are columns.
    categories : sequence of str
        Columns whose values are names of categories: indicators in a matrix, whose reference is the first category;
        numbers 0, 1, ... where they are arguments by themselves.
    missing : "raise" or "drop"
        What becomes of rows that lack a value in a column that is used; "drop" leaves them out, `weights` alike.
    reading : mapping, optional
        How a text file is read: "delimiter", "encoding", "decimal", "thousands".
    settings : mapping of str to number, str or bool, optional
        Values for module-level constants of the model file; of a model by its name, its offset, exposure, alpha and
        others (`autoopt models` lists them), columns by their names.
    bounds, fixed, scale : optional
        As for `autoopt.minimize`, in place of the model's; parameters may be called by their `names`. What is fixed has
        no standard error (NaN), what is tied has its factor times that of what it follows.
    tol, options, derivatives, verify, engine, progress
        As for `autoopt.minimize`.
    run_dir : path, optional
        A directory for all that the run leaves: its best point, at most a minute old, its iterates, its result and its
        report. After whatever has ended it `autoopt.resume(run_dir)` goes on.
    checkpoint : path, optional
        A file for the best point alone. Where there is one of the same fit, it goes on from there.
    resume : bool
        Whether to go on with the run in `run_dir`, if there is one.
    threads : int, optional
        In how many threads sums over rows of large data are run; by default as many as BLAS uses.
    cluster : str, Client of Dask or Executor, optional
        Whose workers hold the rows and sum over them: "local:4" (processes of this machine), "dask:4",
        "tcp://10.0.0.1:8786" (docs/clusters.rst). Of files each worker reads its own part.

    Returns
    -------
    Fit
        The result, with standard errors where the model is a likelihood or least squares.

    Raises
    ------
    ModelError, DataError, UsageError
        If the model, its data or the call are not of the form that is needed.
    VerificationError
        If the derived code and the objective disagree.
    KeyboardInterrupt
        On Ctrl-C; its attribute `fit` is the Fit of the best point so far, as is that of an error which ends a run.

    Examples
    --------
    >>> import numpy as np
    >>> def negative_log_likelihood(rate, counts):
    ...     return np.sum(rate - counts * np.log(rate))
    >>> found = fit(negative_log_likelihood, 1.0, (np.array([3.0, 5.0, 4.0]),), kind="negative log-likelihood")
    >>> found.params.round(6), found.bse.round(6)
    (array([4.]), array([1.154701]))
    """
    from autoopt.fitting.covariances import ready  # which loads SciPy, and commands start without it
    from autoopt.inference import require_level
    from autoopt.inference.covariances import chosen

    convention = chosen(covariance, groups)
    level, nobs = require_level(level), observations.require_count(nobs)
    refuse_labels_unlike(data, {"weights": weights, "groups": groups})
    given = {"x0": x0, "kind": kind, "names": names, "bounds": bounds}
    with importable(model), _workers(cluster) as executor, Interruption() as interruption:
        also = tuple(name for name in (weights, groups) if isinstance(name, str))
        selection = Selection(target, formula, tuple(categories), missing, also, executor)
        opened = Opened.of(model, data, target, settings, fixed, given, selection, reading)
        opened = interruption.opened = moved(opened, start)
        opened = interruption.opened = begun(opened, run_dir)
        loaded, start = opened.model, opened.start
        with users_code(f"The objective of {loaded.source}", ObjectiveError):
            minimised = opened.minimised(weights, penalty, derivatives)
        call = {
            "args": opened.args,
            "method": method or loaded.method,
            "bounds": start.given["bounds"],
            "fixed": start.given["fixed"],
            "scale": scale,
            "constraints": loaded.value("constraints", opened.arguments),
            "tol": tol,
            "options": dict(options) if options else None,
            "derivatives": derivatives,
            "verify": verify,
            "engine": engine,
            "progress": progress,
            "checkpoint": run_dir and run_dir.recorder,
            **loaded.derivatives,
        }
        case = Case(minimised, start, opened.limits, call, opened.names, opened.bound, opened.rows(minimised))
        case = replace(case, predict=loaded.predict, predict_scale=loaded.predict_scale)
        notes = (*loaded.unused, *opened.bound.notes, *_fixed_note(start, opened.names), *penalties.note(minimised))
        notes += _kind_note(opened) + _weights_note(opened.model.kind, weights)
        labels = ready(convention, groups, case)
        fitted = Fit(loaded.source, None, opened.names, loaded.kind, notes=notes, rows=nobs or observations.seen(case))
        fitted = replace(fitted, convention=convention.name, groups=labels, level=level)
        fitted = _solved(fitted, case)
        if fitted.is_inferential:
            fitted = _with_standard_errors(fitted, case, nobs)
        fitted.result.timings["total"] = sum(fitted.result.timings.values())
        return fitted


@contextmanager
def _workers(cluster: Any) -> Iterator[Any]:
    """Give the executor that is meant, open until the block ends; None without a cluster."""
    if cluster is None:
        yield None
        return
    from autoopt.clusters import opened  # which few fits need

    with opened(cluster) as executor:
        yield executor


def _solved(fitted: Fit, case: Case) -> Fit:
    """Return the fit with its result; what ends the run has the Fit of the best point so far."""
    start, names = case.start, fitted.names
    with users_code(f"The objective of {fitted.source}", ObjectiveError):
        try:
            result = solved(case)
        except BaseException as stop:
            if hasattr(stop, "result"):
                diagnoses.name(stop.result, start.structure.names, names)
                vars(stop)["fit"] = _stopped(fitted, case, stop)
            is_failure = isinstance(stop, Exception) and not isinstance(stop, AutooptError)
            if is_failure and is_ours(stop) and case.batches is None:
                case.objective(start.x0, *case.call["args"])  # if it fails by itself, that is what the user must see
            raise
        diagnoses.name(result, start.structure.names, names)
    left = restrictions(case, result.x_flat) if case.call["constraints"] and fitted.is_inferential else 0
    told = (*fitted.notes, *result.notes, *result.diagnosis)
    return replace(fitted, result=result, case=case, notes=told, restrictions=left)


def _stopped(fitted: Fit, case: Case, stop: Any) -> Fit:
    """Return what a run has come to that was ended before its end: the best point, and no standard errors there."""
    is_interrupted = isinstance(stop, KeyboardInterrupt)
    left = replace(fitted, result=stop.result, case=case, interrupted=is_interrupted)
    if not fitted.is_inferential:
        return left
    why = "was interrupted" if is_interrupted else "has failed"
    return replace(left, notes=(*left.notes, f"No standard errors: the run {why} before its end."))


def _with_standard_errors(fitted: Fit, case: Case, nobs: int | None) -> Fit:
    """Return `with_covariance`, timed and announced; on Ctrl-C the KeyboardInterrupt has the Fit without them."""
    start, timings = time.perf_counter(), fitted.result.timings
    if (record := case.call["checkpoint"]) is not None:
        record.solved(fitted.result)
    if callable(case.call["progress"]):
        from autoopt.solvers import Stage

        numbers = fitted.result.nit, fitted.result.fun, fitted.gradient_norm, sum(timings.values())
        case.call["progress"](Stage(*numbers, "standard errors"))
    try:
        with stage("standard errors"):
            inferred = with_covariance(observations.counted(fitted, case, nobs), case)
        if "params" in fitted.result:
            errors = case.start.structure.unflatten(inferred.bse)
            fitted.result.params = fitted.result.params.at(fitted.result.x, errors)
        return inferred
    except KeyboardInterrupt as stop:
        note = "No standard errors: interrupted while they were computed; the estimates are those of the finished fit."
        vars(stop)["fit"] = replace(fitted, interrupted=True, notes=(*fitted.notes, note))
        raise
    finally:
        timings["standard errors"] = time.perf_counter() - start


def _kind_note(opened: Opened) -> tuple[str, ...]:
    """Return the sentence on what there is not where data are fitted, and nothing says what the objective returns."""
    if opened.model.kind is not None or not opened.arguments:
        return ()
    return (
        "No standard errors, no AIC: nothing says what the objective returns. kind (--kind) does: 'negative "
        "log-likelihood', 'log-likelihood' or 'least squares', with which there are; 'minimise', with which there is "
        "nothing to infer.",
    )


def _weights_note(kind: str | None, weights: Any) -> tuple[str, ...]:
    """Return the sentence on what weights of this kind are: frequencies, or inverse variances."""
    meaning = kind_of(kind)
    if weights is None or not (meaning.is_likelihood or meaning.is_squares):
        return ()
    if meaning.is_squares:
        return ("Weights are inverse variances: a row of weight 2 is one row, whose residual has half the variance.",)
    return ("Weights count rows: a row of weight 2 is two rows.",)


def _fixed_note(start: Start, names: tuple[str, ...]) -> list[str]:
    """Return the sentence on parameters that are held."""
    held = [] if start.variables is None else [names[i] for i in start.variables.held]
    return [f"Fixed: {listed(held)}."] if held else []


def methods() -> dict[str, Any]:
    """Return the table of methods: name -> row with what it `uses`, what it `takes` and its `description`."""
    from autoopt.solvers import SOLVERS

    return dict(SOLVERS)
