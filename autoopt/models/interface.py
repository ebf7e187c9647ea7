"""scikit-learn's interface: what its tools, `clone`, pipelines and searches, ask of an estimator.

scikit-learn is not imported: it takes a second. Where it is loaded when an estimator is made, estimators are its
BaseEstimator too, with what that adds (metadata routing); all else is the same without it.
"""

from __future__ import annotations

import html
import inspect
import sys
from collections.abc import Iterator
from typing import Any, ClassVar, Self

from autoopt.errors import UsageError


class _Plain:
    """An empty base: those of a class that has none cannot be changed."""


class Interface(_Plain):
    """The constructor's arguments by name, tags, and what notebooks show.

    Subclasses have a constructor with keywords, which it keeps under their names and does nothing else.
    """

    _estimator_type: ClassVar[str | None]
    """ "classifier", "regressor", or neither."""
    _multiclass: ClassVar[bool] = False
    """Whether a classifier takes more than two classes."""
    _positive_response: ClassVar[bool] = False
    """Whether the response may not be negative."""
    _poor_score: ClassVar[bool] = False
    """Whether a classifier may not tell apart what others do."""
    _sparse: ClassVar[bool] = True
    """Whether X may be a sparse matrix."""

    def __new__(cls, *args: Any, **keywords: Any) -> Self:
        _join()
        return super().__new__(cls)

    @classmethod
    def _options(cls) -> dict[str, object]:
        """Return the names and defaults of what the constructor takes."""
        return {name: option.default for name, option in inspect.signature(cls.__init__).parameters.items()
                if name != "self"}  # fmt: skip

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments by name; `deep` makes no difference here."""
        return {name: getattr(self, name) for name in self._options()}

    def set_params(self, **params: object) -> Self:
        """Set constructor arguments by name and return the estimator."""
        unknown = sorted(set(params) - set(self._options()))
        if unknown:
            raise UsageError(
                f"Invalid parameter {', '.join(unknown)} for {type(self).__name__}.",
                remedy=f"choose among {', '.join(self._options())}.",
            )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def _changed(self) -> dict[str, object]:
        """Return the constructor's arguments that are not its defaults."""
        return {name: getattr(self, name) for name, default in self._options().items()
                if repr(getattr(self, name)) != repr(default)}  # fmt: skip

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._changed().items())})"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the estimator, and its summary once it is fitted; all text is escaped."""
        title = html.escape(repr(self))
        if not self.__sklearn_is_fitted__():
            return f"<pre>{title}</pre>"
        text = html.escape(self.summary())  # type: ignore[attr-defined]  # what is fitted has one
        return f"<details open><summary><code>{title}</code></summary><pre>{text}</pre></details>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "params_")

    def __sklearn_tags__(self) -> object:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        is_classifier = self._estimator_type == "classifier"
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=True, positive_only=self._positive_response),
            input_tags=InputTags(sparse=self._sparse),
            classifier_tags=ClassifierTags(multi_class=self._multiclass, poor_score=self._poor_score)
            if is_classifier
            else None,
            regressor_tags=RegressorTags() if self._estimator_type == "regressor" else None,
        )


def _join() -> None:
    """Give all estimators scikit-learn's BaseEstimator as their last base, if it is loaded."""
    base = sys.modules.get("sklearn.base")
    if base is not None and hasattr(base, "BaseEstimator") and base.BaseEstimator not in Interface.__mro__:
        Interface.__bases__ = (_Plain, base.BaseEstimator)
        for kind in _below(Interface):  # which gives them `set_fit_request` and its like
            base.BaseEstimator.__init_subclass__.__func__(kind)


def _below(kind: type) -> Iterator[type]:
    """Yield the classes that are made of this one, however far."""
    subclasses: list[type] = kind.__subclasses__()
    for one in subclasses:
        yield one
        yield from _below(one)
