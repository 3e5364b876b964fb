"""Features that the data decide: shapes, vocabularies and forms that the program leaves open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.databases.rows import Column
from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.column_profile import DISTINCT_LIMIT, Profile, sorted_values
from sqlflow_runtime.ml.features import (
    CategoryId,
    Dense,
    Embedding,
    Feature,
    Numeric,
    SequenceIds,
    Sparse,
    Vocabulary,
)
from sqlflow_runtime.ml.features.findings import shown

Open = Callable[[Profile], Any]
"""Makes a feature of what the column's values look like.

Raises:
    RunError: kind `data`; they fit no such feature.
"""

EMBEDDING_DIMENSION = 128
"""SQLFlow's for text of which the program says nothing."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A feature that the values of its column decide.

    Attributes:
        column: whose values are looked at.
        decide: makes the feature.
        delimiter: between the entries of a list.
        place: of the COLUMN function in the program, in characters from 0; None if the program says nothing.
    """

    column: str
    decide: Open
    delimiter: str = ","
    place: int | None = None


def decided(
    drafts: Sequence[Feature | Draft], columns: Sequence[Column], batches: Callable[[], Iterable[pa.RecordBatch]]
) -> tuple[Feature, ...]:
    """The features, in their order; the batches are read once, and only if a feature is open.

    Raises:
        RunError: kind `data`, at the place of the COLUMN function.
    """
    names = [column.name for column in columns]
    asked = {(draft.column, draft.delimiter) for draft in drafts if isinstance(draft, Draft)}
    profiles = {key: Profile(*key) for key in sorted(asked)}
    if profiles:
        for batch in batches():
            for (name, _), profile in profiles.items():
                profile.add(batch.column(names.index(name)))
    found: list[Feature] = []
    for draft in drafts:
        if isinstance(draft, Draft):
            try:
                found.append(draft.decide(profiles[draft.column, draft.delimiter]))
            except RunError as failure:
                failure.place = draft.place if failure.place is None else failure.place
                raise
        else:
            found.append(draft)
    return tuple(found)


def unnamed(target: str, *, text: str) -> Open:
    """A column that COLUMN does not name, or only by its name: numbers, a list of numbers, or text.

    Args:
        target: of the feature.
        text: `category` or `embedding`: the feature of text that stands for names.
    """

    def decide(profile: Profile) -> Feature:
        form = _form(profile)
        if form == "number" and not profile.codes:
            return Numeric(profile.column, target=target)
        if form == "list":
            return _dense(profile, target)
        if form == "pair":
            raise _wrong(profile, "lists key:value pairs: ", form, f"Write COLUMN SPARSE({profile.column}).")
        words = _vocabulary(profile, target, DISTINCT_LIMIT)
        return Embedding(words, EMBEDDING_DIMENSION, target=target) if text == "embedding" else words

    return decide


def dense(target: str) -> Open:
    """DENSE without a size: a number, or as many numbers as every value lists."""

    def decide(profile: Profile) -> Feature:
        form = _form(profile)
        if form == "number":
            return Numeric(profile.column, target=target)
        if form == "list":
            return _dense(profile, target)
        hint = f"Write SPARSE({profile.column})." if form == "pair" else f"Write CATEGORY_HASH({profile.column}, 100)."
        raise _wrong(profile, "holds no numbers, as DENSE needs: ", form, hint)

    return decide


def sparse(size: int | None, delimiter: str, target: str, *, hashed: bool = False, weighted: bool = True) -> Open:
    """SPARSE without delimiters, or without a size: indices or key:value pairs, up to the greatest index."""

    def decide(profile: Profile) -> Sparse:
        if hashed and size is not None:
            separator, pair = (" ", ":") if profile.counts["pair"] else (delimiter, "")
            return Sparse(profile.column, size, separator, pair, True, weighted, target=target)
        return _sparse(profile, size, delimiter, target, weighted=weighted)

    return decide


def category(size: int | None, delimiter: str, target: str) -> Open:
    """A category that the data describe: a number, several numbers, or a text.

    Args:
        size: the most categories that there may be; None if the data decide.
        delimiter: between several numbers of one value.
        target: of the feature.
    """

    def decide(profile: Profile) -> CategoryId | Vocabulary | Sparse:
        form = _form(profile)
        if form in ("list", "pair"):
            return _sparse(profile, size, delimiter, target, weighted=size is None)
        if form == "number" and size is not None:
            return CategoryId(profile.column, size, target=target)
        return _vocabulary(profile, target, size or DISTINCT_LIMIT)

    return decide


def sequence(size: int, delimiter: str, hashed: bool, target: str) -> Open:
    """SEQ_CATEGORY_ID: as long as the longest value."""

    def decide(profile: Profile) -> SequenceIds:
        longest = max(profile.lengths[1], 1)
        return SequenceIds(profile.column, size, longest, delimiter, hashed, target=target)

    return decide


def _form(profile: Profile) -> str:
    """The form of all values. Text may look like anything in some of its values, but in less than half of them.

    Raises:
        RunError: kind `data`; there is no value, or most values are of one form and some are not.
    """
    if not profile.rows:
        hint = "Leave it out of the SELECT."
        raise RunError("data", f"column {profile.column} is NULL in every row, so nothing can be learned of it", hint)
    counts = dict(profile.counts)
    if counts["list"] and not counts["pair"]:
        counts["list"] += counts.pop("number")  # a number alone is a list of one
    form = max(counts, key=lambda one: counts[one])
    others = profile.rows - counts[form]
    if not others or form == "text":
        return form
    if 2 * counts[form] < profile.rows:
        return "text"
    other = next(profile.examples[one] for one in counts if one != form and counts[one])
    what = {"number": "numbers", "list": "lists of numbers", "pair": "key:value pairs"}[form]
    raise RunError(
        "data",
        f"column {profile.column} holds {what}, such as {shown(profile.examples[form])}, but in {others} of "
        f"{profile.rows} rows something else, such as {shown(other)}",
        f"Correct the values in the SELECT, or write COLUMN CATEGORY_HASH({profile.column}, 100) if they are names.",
    )


def _dense(profile: Profile, target: str) -> Dense:
    low, high = profile.lengths
    if profile.counts["number"]:
        low = 1
    if low != high:
        raise RunError(
            "data",
            f"column {profile.column} lists {low} number{'s' if low > 1 else ''} in some rows and {high} in others",
            f"Every row must list as many numbers; write SPARSE({profile.column}) if they are indices.",
        )
    return Dense(profile.column, high, profile.delimiter, target=target)


def _sparse(profile: Profile, size: int | None, delimiter: str, target: str, *, weighted: bool) -> Sparse:
    pairs = profile.counts["pair"]
    others = profile.rows - profile.blanks - pairs
    if profile.counts["text"] > profile.blanks or (pairs and others):
        form = "text" if profile.counts["text"] > profile.blanks else "pair"
        hint = 'Say how it is written: SPARSE(column, size, ",", "int", ":", "float").'
        raise _wrong(profile, "lists neither indices (3,17) nor key:value pairs (3:0.5 17:1): ", form, hint)
    if not profile.whole:
        form = next(one for one in ("pair", "list", "number") if profile.counts[one])
        raise _wrong(profile, "holds an index that is no whole number from 0, in values such as ", form, "Use DENSE.")
    if profile.largest < 0 and size is None:
        raise RunError("data", f"column {profile.column} has no entry in any row", "Leave it out of the SELECT.")
    separator, pair = (" ", ":") if pairs else (delimiter, "")
    return Sparse(profile.column, size or profile.largest + 1, separator, pair, weighted=weighted, target=target)


def _vocabulary(profile: Profile, target: str, limit: int) -> Vocabulary:
    values = profile.values
    if values is None or len(values) > limit:
        count = f"{len(values)}" if values is not None else f"more than {DISTINCT_LIMIT}"
        raise RunError(
            "data",
            f"column {profile.column} has {count} different values where a category may have {limit}",
            f"Write CATEGORY_HASH({profile.column}, {limit}), or leave the column out of the SELECT.",
        )
    return Vocabulary(profile.column, sorted_values(values), target=target)


def _wrong(profile: Profile, what: str, form: str, hint: str) -> RunError:
    return RunError("data", f"column {profile.column} {what}{shown(profile.examples[form])}", hint)
