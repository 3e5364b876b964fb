"""Labels that list several classes in one text, `red,large`: one at each place, or any number of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.labels import Label

SEPARATOR = ","


@dataclass(frozen=True, slots=True)
class ListLabel(Label):
    """A label of texts with several classes.

    Attributes:
        parts: the classes at each place; of a set one part, all of them.
        is_set: a text lists any number of the classes, each at most once, in any order; scikit-learn calls it
            multi-label. Else it lists one class at each place: multi-output.
    """

    parts: tuple[tuple[str, ...], ...] = ()
    is_set: bool = False

    def encode(self, values: pa.Array) -> npt.NDArray[np.int64]:
        """Rows x places: the numbers of the classes, -1 for an unknown one; of a set rows x classes: 1 if it is there.

        Raises:
            RunError: kind `data`; a text lists another number of classes, or a set has one that nobody knows.
        """
        texts = [_split(text) for text in values.to_pylist()]
        if self.is_set:
            return self._members(texts)
        wrong = next((row for row in texts if len(row) != len(self.parts)), None)
        if wrong is not None:
            message = f"the label {self.name} lists {len(wrong)} classes in one row and {len(self.parts)} in another"
            raise RunError("data", message, "Each row must list as many.")
        numbers = [{one: number for number, one in enumerate(part)} for part in self.parts]
        found = [[known.get(one, -1) for known, one in zip(numbers, row, strict=True)] for row in texts]
        return np.array(found, dtype=np.int64).reshape(len(texts), len(self.parts))

    def _members(self, texts: list[list[str]]) -> npt.NDArray[np.int64]:
        places = {one: place for place, one in enumerate(self.parts[0])}
        unknown = sorted({one for row in texts for one in row} - set(places))
        if unknown:
            message = f"the label {self.name} lists {listed(unknown, 6)}, which no training row has"
            raise RunError("data", message, f"Classes are {listed(list(places), 20)}.")
        found = np.zeros((len(texts), len(places)), dtype=np.int64)
        for row, classes in enumerate(texts):
            found[row, [places[one] for one in classes]] = 1
        return found

    def decode(self, numbers: npt.NDArray[Any]) -> list[Any]:
        """Texts of the label, by what `encode` returned."""
        rows = numbers.astype(np.int64).tolist()
        if self.is_set:
            return [SEPARATOR.join(one for one, has in zip(self.parts[0], row, strict=True) if has) for row in rows]
        return [SEPARATOR.join(part[one] for part, one in zip(self.parts, row, strict=True)) for row in rows]

    def joined(self, text: str) -> str:
        """The text as `decode` writes it."""
        return SEPARATOR.join(_split(text))


def list_label(label: Label, values: pa.Array, *, is_set: bool) -> ListLabel:
    """The label with the classes that its values list, in ascending order.

    Raises:
        RunError: kind `data`; it is no text, or its texts list different numbers of classes.
    """
    if label.kind != "string":
        hint = "Select a text that lists them, such as concat(a, ',', b) AS labels."
        raise RunError("data", f"the label {label.name} is one value, and the estimator learns several", hint)
    texts = [_split(text) for text in pc.unique(values).to_pylist()]
    if is_set:
        parts = [sorted({one for row in texts for one in row})]
    else:
        lengths = sorted({len(row) for row in texts})
        if len(lengths) > 1:
            message = f"the label {label.name} lists {lengths[0]} classes in one row and {lengths[-1]} in another"
            raise RunError("data", message, "Each row must list as many.")
        parts = [sorted(set(column)) for column in zip(*texts, strict=True)]
    if not parts or not parts[0]:
        raise RunError("data", f"the label {label.name} lists no class in any row", "Check the LABEL of the statement.")
    return ListLabel(label.name, label.kind, (), tuple(map(tuple, parts)), is_set)


def _split(text: str) -> list[str]:
    """The classes of a text; none of an empty one."""
    return [one.strip() for one in text.split(SEPARATOR)] if text.strip() else []
