"""The features of a statement before its rows are read, and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.derivation import Draft, decided
from sqlflow_runtime.ml.features import Dense, Embedding, Feature, Indicator, Numeric, Sparse, Vocabulary
from sqlflow_runtime.ml.text_columns import AS_CATEGORY, TextColumns

if TYPE_CHECKING:
    from sqlflow_runtime.ml.encoder import Encoder

Log = Callable[[str, str], None]
"""Takes a level and a line."""


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """The features of a statement, some of which its data decide.

    Attributes:
        columns: of the SELECT.
        drafts: the features and drafts in the matrix's order.
        places: columns to where the program says what they mean, in characters from 0.
        text: the treatment of text columns.
        unnamed: columns of which COLUMN says nothing but perhaps the name.
        known: the features of the model that the training goes on from: what its data decided then holds.
        learns: the features are made for these rows, so that none of their values may be left out.
    """

    columns: tuple[Column, ...]
    drafts: tuple[Feature | Draft, ...]
    places: Mapping[str, int] = field(default_factory=dict)
    text: TextColumns = AS_CATEGORY
    unnamed: frozenset[str] = frozenset()
    known: tuple[Feature, ...] = ()
    learns: bool = False

    def place(self, column: str) -> int | None:
        """The place at which the program says what the column means; None if it does not."""
        return self.places.get(column)

    def features(self, batches: Callable[[], Iterable[pa.RecordBatch]], log: Log) -> tuple[Feature, ...]:
        """The features, in the matrix's order.

        Args:
            batches: gives all rows; they are read only if they decide a feature.
            log: takes a line for each feature that they decide.

        Raises:
            RunError: kind `data`; the rows fit no feature, or the estimator takes no text.
        """
        found = list(decided(self.drafts, self.columns, batches))
        for position, (draft, before) in enumerate(zip(self.drafts, self.known, strict=False)):
            if isinstance(draft, Draft):
                found[position] = _known(found[position], before)
        self._check_text(found)
        for draft, feature in zip(self.drafts, found, strict=True):
            if isinstance(draft, Draft) and not isinstance(feature, Numeric):
                log("info", f"column {draft.column} is taken as {described(feature)}")
        return tuple(dict.fromkeys(found))

    def check(self, encoder: Encoder, log: Log) -> None:
        """Refuse values that the features cannot take; values that they leave out are refused or said.

        Raises:
            RunError: kind `data`, at the place of the COLUMN function.
        """
        if self.learns:
            encoder.findings.check_complete(self.place)
        encoder.check()
        encoder.report(log)

    def _check_text(self, features: Sequence[Feature]) -> None:
        found = [one for one in features if isinstance(one, Vocabulary) and one.column in self.unnamed]
        texts = [one.column for one in found]
        if texts and not self.text.form:
            written = ", ".join(f"INDICATOR({name})" for name in texts[:10])
            raise RunError(
                "data",
                f"{self.text.estimator} takes numbers only, but {listed(texts, 10)} {_is(texts)} text",
                f"Write COLUMN {written}, or leave {'it' if len(texts) == 1 else 'them'} out of the SELECT.",
                place=self.place(texts[0]),
            )
        for one in found:
            if one.size > self.text.limit:
                raise RunError(
                    "data",
                    f"column {one.column} has {one.size} categories, but {self.text.estimator} takes {self.text.limit}",
                    f"Write COLUMN INDICATOR({one.column}) or CATEGORY_HASH({one.column}, {self.text.limit}).",
                    place=self.place(one.column),
                )


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _known(found: Feature, before: Feature) -> Feature:
    same = type(found) is type(before) and (found.columns, found.target) == (before.columns, before.target)
    return before if same else found


def stored(features: Sequence[Feature]) -> Callable[[tuple[Column, ...], Column | None], FeaturePlan]:
    """The plan of rows for which a stored model has its features."""
    return lambda columns, _label: FeaturePlan(columns, tuple(features))


def described(feature: Feature) -> str:
    """The feature in words of a log record."""
    match feature:
        case Vocabulary():
            return f"a category with {feature.size} values"
        case Dense():
            return f"DENSE of {feature.size} numbers"
        case Sparse():
            return f"SPARSE of {feature.size} columns, {'key:value' if feature.pair else 'indices'}"
        case Indicator():
            return f"INDICATOR of {feature.width} categories"
        case Embedding():
            return f"EMBEDDING of {getattr(feature.of, 'size', 0)} categories"
    return feature.form.upper()
