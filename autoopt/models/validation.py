"""What an estimator accepts: design matrices, responses, weights and offsets, checked and turned into float64 arrays.

Follows scikit-learn's conventions without importing it; its tools need its wording in a few messages. Nothing here
knows a likelihood.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.errors import DataError
from autoopt.tables.labels import refuse_masked


class InputError(DataError, ValueError):
    """Data given to an estimator cannot be used; a ValueError, as scikit-learn's tools expect."""


class InputTypeError(DataError, TypeError):
    """Data given to an estimator are of a type that it does not take."""


class NotFittedError(InputError, AttributeError):
    """An estimator was used before `fit`."""


class IdentificationWarning(UserWarning):
    """The data do not determine the estimates: collinear columns, or classes that a plane separates."""


class ConvergenceWarning(UserWarning):
    """The solver stopped before it reached the maximum of the likelihood."""


def feature_names(X: object) -> np.ndarray | None:
    """Return the column names of a table if all are strings, None for everything else."""
    columns = getattr(X, "columns", None)
    if columns is None or not all(isinstance(name, str) for name in columns):
        return None
    return np.asarray(columns, dtype=object)


def matrix(X: object) -> np.ndarray:
    """Return X as finite float64, shape (m, n), with at least one row and one column: an array, or sparse by rows."""
    X = _sparse(X) if hasattr(X, "tocsr") else _floats(X, "X")
    if X.ndim != 2:
        raise InputError(
            f"Expected a 2D array for X, got an array of shape {X.shape}. Reshape your data.",
            remedy="use X.reshape(-1, 1) for a single feature or X.reshape(1, -1) for a single row.",
        )
    for axis, kind in enumerate(["sample", "feature"]):
        if X.shape[axis] == 0:
            raise InputError(
                f"Found array with 0 {kind}(s) (shape={X.shape}) while a minimum of 1 is required.",
                remedy=f"pass X with at least one {'row' if axis == 0 else 'column'}.",
            )
    if hasattr(X, "tocsr"):
        _refuse_not_finite_rows(X)
    else:
        refuse_not_finite(X, "X")
    return X


def _sparse(X: Any) -> Any:
    """Return a sparse matrix by rows, in float64."""
    if np.issubdtype(X.dtype, np.complexfloating):
        raise InputError("X: Complex data not supported.", remedy="pass real numbers.")
    try:
        return X.tocsr().astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise InputTypeError(f"X is not numeric: {error}.", remedy="pass numbers only.") from None


def _refuse_not_finite_rows(X: Any) -> None:
    """Raise an error that says which rows of a sparse matrix hold NaN or infinity."""
    bad = np.flatnonzero(~np.isfinite(X.data))
    if bad.size:
        rows = np.zeros(X.shape[0], bool)
        rows[np.searchsorted(X.indptr, bad, side="right") - 1] = True
        kind = "NaN" if np.isnan(X.data).any() else "infinity"
        _refuse_rows(rows, "X", f"contains {kind}", "leave out or fill these rows.")


def dense_only(X: Any, who: str) -> InputTypeError:
    """Return the error that a sparse matrix is not taken, with what it takes to make it dense."""
    size = 8 * X.shape[0] * X.shape[1] / 2**30
    return InputTypeError(
        f"X is a sparse matrix, and {who} takes a dense one alone.",
        remedy=f"pass X.toarray(), which takes {size:.2g} GB here.",
    )


def vector(y: object, rows: int, name: str) -> np.ndarray:
    """Return one finite float64 value per row of X, shape (rows,)."""
    values = _floats(y, name)
    refuse_other_length(values, rows, name)
    refuse_not_finite(values, name)
    return values


def flat(y: object) -> np.ndarray:
    """Return the response as an array of one dimension and its own dtype."""
    if y is None:
        raise InputError("This estimator requires y to be passed, but the target y is None.", remedy="pass y.")
    y = _array(y, "y")
    if y.ndim == 2 and y.shape[1] == 1:
        _warn_of_column(y)
        y = y.ravel()
    if y.ndim != 1:
        raise InputError(f"y should be a 1d array, got an array of shape {y.shape} instead.", remedy="pass one column.")
    if np.iscomplexobj(y):
        raise InputError("y: Complex data not supported.", remedy="pass real numbers.")
    return y


def sample_weights(sample_weight: object, rows: int) -> np.ndarray:
    """Return non-negative weights, shape (rows,), not all zero; ones if None."""
    if sample_weight is None:
        return np.ones(rows)
    weights = _each(sample_weight, rows, "sample_weight")
    _refuse_rows(weights < 0, "sample_weight", "is negative", "pass weights that are zero or positive.")
    if not weights.any():
        raise InputError("sample_weight is zero in every row.", remedy="give some rows a positive weight.")
    return weights


def _each(values: object, rows: int, name: str) -> np.ndarray:
    """Return one finite float64 value per row of X, shape (rows,), of as many or of a single number."""
    array = np.asarray(values)  # np.ndim would call a function of values that are no array
    return vector(np.full(rows, array) if array.ndim == 0 else values, rows, name)


def offsets(offset: object, exposure: object, rows: int) -> np.ndarray:
    """Return offset + log(exposure), shape (rows,); zeros where None."""
    total = np.zeros(rows) if offset is None else _each(offset, rows, "offset")
    if exposure is None:
        return total
    exposure = _each(exposure, rows, "exposure")
    _refuse_rows(exposure <= 0, "exposure", "is not positive", "leave out rows that were never exposed.")
    return total + np.log(exposure)


def entries(entry: object, time: np.ndarray) -> np.ndarray:
    """Return the times from which on rows are at risk, shape (rows,), each before the row's own."""
    values = _each(entry, len(time), "entry")
    _refuse_rows(values >= time, "entry", "is not before y", "leave out rows that are never at risk.")
    return values


def events(event: object, rows: int) -> np.ndarray:
    """Return whether there was an event, shape (rows,), of bools or of 0 and 1; True everywhere if None."""
    if event is None:
        return np.ones(rows, bool)
    values = vector(event, rows, "event")
    if ((values != 0) & (values != 1)).any():
        codes = np.unique(values)
        shown = ", ".join(f"{code:.6g}" for code in codes[:5])
        raise InputError(
            f"event holds {shown}{', ...' if codes.size > 5 else ''}, where 1 or True is an event and 0 or "
            "False a row that was censored.",
            remedy=f"say which number is an event, as 2 is in R's Surv: event == {values.max():.6g}.",
        )
    return values == 1


def groups(groups: object, rows: int) -> np.ndarray:
    """Return the number of each row's group, shape (rows,), of labels of any type, of which there are two or more."""
    names, numbers = numbered(groups, rows, "groups")
    if len(names) < 2:
        raise InputError("All rows are of one group.", remedy="pass groups of which there are two or more.")
    return numbers


def numbered(labels: object, rows: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted labels, of any type, and the number of each row's, shape (rows,); none may be missing."""
    labels = _array(labels, name)
    refuse_other_length(labels, rows, name)
    if labels.dtype.kind not in "biuSU":
        missing = np.array([_is_missing(label) for label in labels.tolist()], bool)
        _refuse_rows(missing, name, "has no label", f"leave out these rows, or give them {name} of their own.")
    names, numbers = _sorted(labels, name)
    return names, numbers.reshape(-1)


def _is_missing(label: Any) -> bool:
    return label is None or type(label).__name__ in ("NAType", "NaTType") or label != label


def _sorted(labels: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted labels and the number of each row's; InputTypeError for labels that have no order."""
    try:
        return np.unique(labels, return_inverse=True)
    except TypeError:
        kinds = sorted({type(label).__name__ for label in labels.tolist()})
        raise InputTypeError(
            f"{name} mixes labels of the types {', '.join(kinds)}, which have no order.",
            remedy="make them all text, or all numbers.",
        ) from None


def counts(y: object, rows: int) -> np.ndarray:
    """Return a response that is zero or positive, shape (rows,)."""
    values = vector(flat(y), rows, "y")
    _refuse_rows(values < 0, "y", "is negative", "pass counts: zero or positive numbers.")
    return values


def positive(y: object, rows: int) -> np.ndarray:
    """Return a response that is positive, shape (rows,)."""
    values = vector(flat(y), rows, "y")
    _refuse_rows(values <= 0, "y", "is not positive", "pass positive numbers, or a model that has zeros.")
    return values


def labels(y: object, rows: int, most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted labels, two at least and at most `most`, and the number of each row's, shape (rows,)."""
    y = flat(y)
    refuse_other_length(y, rows, "y")
    if y.dtype.kind == "f":
        refuse_not_finite(y, "y")
    _refuse_missing_labels(y)
    classes, codes = _unique(y)
    if y.dtype.kind == "f" and len(classes) > 2 and (classes != np.round(classes)).any():
        raise InputError(
            "Unknown label type: continuous. y holds numbers that are not whole.", remedy="pass class labels."
        )
    if most is not None and len(classes) > most:
        raise InputError(
            f"Only {'binary' if most == 2 else f'up to {most}-class'} classification is supported. The type of the "
            f"target is multiclass: y has {len(classes)} classes, "
            f"{', '.join(repr(label) for label in classes[:5].tolist())}{', ...' if len(classes) > 5 else ''}.",
            remedy="pass a response with two classes." if most == 2 else f"pass at most {most} classes.",
        )
    if len(classes) < 2:
        happened = f"y has 1 class, {classes.tolist()[0]!r}: nothing to tell apart."
        raise InputError(happened, remedy="pass a response with two classes.")
    return classes, codes


def _unique(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted labels and the number of each row's; two numbers are found without sorting."""
    if y.dtype.kind in "biuf" and y.size:
        ends = np.array([y.min(), y.max()])
        upper = y == ends[1]
        if ends[0] != ends[1] and (upper | (y == ends[0])).all():
            return ends, upper.astype(np.intp)
    return _sorted(y, "y")


def class_weights(class_weight: object, classes: np.ndarray, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return `weights`, shape (m,), times that of each row's class.

    Parameters
    ----------
    class_weight : "balanced", or dict of label to weight
        "balanced" is m / (number of classes * rows of the class), as in scikit-learn; labels that a dict leaves out
        have weight 1.
    """
    if isinstance(class_weight, str) and class_weight == "balanced":
        counted = np.bincount(codes, weights=weights, minlength=len(classes))
        return weights * (weights.sum() / (len(classes) * np.where(counted > 0, counted, 1.0)))[codes]
    if not isinstance(class_weight, Mapping):
        raise InputError(f"class_weight is {class_weight!r}.", remedy="pass 'balanced' or a dict of labels to weights.")
    names = classes.tolist()
    if unknown := [label for label in class_weight if label not in names]:
        raise InputError(
            f"class_weight has {unknown[0]!r}, which is no class of y.", remedy=f"use its labels: {names[:8]}."
        )
    each = np.array([float(class_weight.get(label, 1.0)) for label in names])
    if not (np.isfinite(each).all() and (each >= 0).all()):
        raise InputError("class_weight has a negative or infinite weight.", remedy="pass weights of zero or more.")
    return weights * each[codes]


def refuse_other_features(given: np.ndarray | None, fitted: np.ndarray | None) -> None:
    """Raise an error if the column names differ from those of the fit; both must be known."""
    if given is None or fitted is None or list(given) == list(fitted):
        return
    lines = ["The feature names should match those that were passed during fit."]
    unseen = sorted(set(given) - set(fitted))
    missing = sorted(set(fitted) - set(given))
    titles = ["Feature names unseen at fit time:", "Feature names seen at fit time, yet now missing:"]
    for title, names in zip(titles, [unseen, missing], strict=True):
        if names:
            lines += [title, *(f"- {name}" for name in names[:5]), *(["- ..."] if len(names) > 5 else [])]
    if not unseen and not missing:
        lines.append("Feature names must be in the same order as they were in fit.")
    raise InputError("\n".join(lines) + "\n", remedy="pass X[model.feature_names_in_].")


def not_fitted(estimator: object) -> Exception:
    """Return the error for an estimator that is used before `fit`: scikit-learn's own class where that is loaded."""
    name = type(estimator).__name__
    happened = f"This {name} instance is not fitted yet."
    if "sklearn.exceptions" in sys.modules:
        return sys.modules["sklearn.exceptions"].NotFittedError(f"{happened} Call 'fit' first.")
    return NotFittedError(happened, remedy="call fit(X, y) first.")


def refuse_not_finite(values: np.ndarray, name: str) -> None:
    """Raise an error that says which rows hold NaN or infinity."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):  # one pass, and no array of bools
            return
    bad = ~np.isfinite(values)
    if not bad.any():
        return
    kind = "NaN" if np.isnan(values).any() else "infinity"
    _refuse_rows(bad.reshape(len(values), -1).any(axis=1), name, f"contains {kind}", "leave out or fill these rows.")


def refuse_other_length(values: np.ndarray, rows: int, name: str) -> None:
    """Raise an error unless there is one value for each row of X."""
    if values.ndim != 1:
        raise InputError(f"{name} must be 1D array or scalar, got shape {values.shape}.", remedy="pass one column.")
    if len(values) != rows:
        raise InputError(
            f"Found input variables with inconsistent numbers of samples: X has {rows} rows, {name} {len(values)}.",
            remedy="pass one value for each row of X.",
        )


def _refuse_rows(bad: np.ndarray, name: str, happened: str, remedy: str) -> None:
    """Raise an error that counts the rows in the (m,) mask `bad` and shows the first five."""
    rows = np.flatnonzero(bad)
    if rows.size:
        shown = ", ".join(str(row) for row in rows[:5]) + (", ..." if rows.size > 5 else "")
        noun = "row" if rows.size == 1 else "rows"
        raise InputError(f"Input {name} {happened} in {rows.size} {noun} (counted from 0): {shown}.", remedy=remedy)


def _refuse_missing_labels(y: np.ndarray) -> None:
    """Raise an error for labels that are None or NaN inside an array of objects."""
    if y.dtype == object:
        missing = np.array([_is_missing(label) for label in y], bool)
        _refuse_rows(missing, "y", "contains NaN or None", "leave out rows without a label.")


def _floats(values: object, name: str) -> np.ndarray:
    """Return `values` as a float64 array, or an error that says what they are instead."""
    array = _array(values, name)
    if np.iscomplexobj(array):
        raise InputError(f"{name}: Complex data not supported.", remedy="pass real numbers.")
    try:
        return array.astype(np.float64, copy=False)
    except TypeError as error:
        raise InputTypeError(f"{name} is not numeric: {error}.", remedy="pass numbers only.") from None
    except ValueError as error:
        raise InputError(f"{name} is not numeric: {error}.", remedy=_numeric_remedy(values)) from None


def _array(values: object, name: str) -> np.ndarray:
    """Return `values` as an array of their own dtype, of which nothing is masked."""
    refuse_masked(values, f"Input {name}", InputError)
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name} is no array: {error}.", remedy="pass rows of one length.") from None


def _numeric_remedy(values: object) -> str:
    """Return what to do about text in the data, naming the columns where they are known."""
    names = _text_columns(values)
    return f"encode or leave out {', '.join(names)}." if names else "encode categories as numbers first."


def _text_columns(values: object) -> Sequence[str]:
    """Return the names of a table's columns that are no numbers."""
    dtypes = getattr(values, "dtypes", None)
    if dtypes is None or not hasattr(dtypes, "items"):
        return []
    return [str(name) for name, dtype in dtypes.items() if getattr(dtype, "kind", "O") not in "biuf"]


def _warn_of_column(y: np.ndarray) -> None:
    """Warn as scikit-learn does, by its class where it is loaded, that y is a column and not a vector."""
    exceptions = sys.modules.get("sklearn.exceptions")
    kind = exceptions.DataConversionWarning if exceptions else UserWarning
    warnings.warn(f"A column-vector y was passed when a 1d array was expected, shape {y.shape}.", kind, stacklevel=5)
