"""The objectives of a library of boosted trees, by the kind of label that they learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Objectives:
    """The objectives of a library.

    Attributes:
        binary: those that predict two classes, the usual one first.
        many: those that predict any number of classes, the usual one first.
        ranking: those that rank.
        regression: the usual one of those that predict numbers.
        names: other names, and those of objectives that learn what another one does -> that one.
    """

    binary: tuple[str, ...]
    many: tuple[str, ...]
    ranking: tuple[str, ...]
    regression: str
    names: Mapping[str, str]

    @property
    def classes(self) -> tuple[str, ...]:
        """Objectives that predict classes; all others predict numbers."""
        return self.binary + self.many

    def same(self, objective: str) -> str:
        """The objective that learns the same, by its own name."""
        return self.names.get(objective, objective)
