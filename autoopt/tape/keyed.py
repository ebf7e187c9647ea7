"""Operations of a tape that are made of steps of their own: two are the same where their keys are."""

from __future__ import annotations


class Keyed:
    """An operation that is known by its class and its `key`, a hash of all that decides what it computes."""

    @property
    def key(self) -> str:
        """The hash."""
        raise NotImplementedError

    @property
    def __name__(self) -> str:
        return f"{type(self).__qualname__.lower()}_{self.key}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)
