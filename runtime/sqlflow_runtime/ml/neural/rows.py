"""The rows of a dataset as a network takes them: batches of one size, in another order each time they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.arrow import pa
from sqlflow_runtime.ml.batch import Batch
from sqlflow_runtime.ml.dataset import Dataset
from sqlflow_runtime.ml.neural.fitting import Fed

Array = npt.NDArray[Any]


class Rows:
    """The rows of a dataset, again and again; a part of them is in memory, and shuffled, at a time."""

    def __init__(self, data: Dataset, layout: Fed, targets: Callable[[pa.Array], Array] | None, seed: int) -> None:
        """`targets` makes the network's targets of labels; None without a label."""
        self._data, self._layout, self._targets = data, layout, targets
        self._random = np.random.default_rng(seed)

    def batches(self, size: int) -> Iterator[tuple[Any, ...]]:
        """Batches of `size` rows without end, the last of each pass smaller: inputs, targets, and weights if any."""
        while True:
            yield from self._pass(size)

    def _pass(self, size: int) -> Iterator[tuple[Any, ...]]:
        left: Batch | None = None
        seen = 0
        for window in self._data.batches():
            seen += len(window)
            rows = _taken(window, self._random.permutation(len(window)))
            rows = rows if left is None else _joined(left, rows)
            # Batches of one size but for the last one: each size costs a compilation of its own.
            end = len(rows) if seen == len(self._data) else len(rows) // size * size
            for start in range(0, end, size):
                yield self._fed(rows, start, min(start + size, end))
            left = _taken(rows, np.arange(end, len(rows))) if end < len(rows) else None

    def _fed(self, rows: Batch, start: int, end: int) -> tuple[Any, ...]:
        inputs = self._layout.inputs(rows.matrix[start:end])
        if self._targets is None or rows.labels is None:
            return (inputs,)
        targets = self._targets(rows.labels.slice(start, end - start))
        if rows.weights is None:
            return inputs, targets
        weights = rows.weights.slice(start, end - start)
        return inputs, targets, weights.to_numpy(zero_copy_only=False).astype(np.float32)


def _taken(batch: Batch, positions: Array) -> Batch:
    return Batch(batch.matrix[positions], **{name: one.take(pa.array(positions)) for name, one in batch.others.items()})


def _joined(first: Batch, second: Batch) -> Batch:
    others = {name: pa.concat_arrays([one, getattr(second, name)]) for name, one in first.others.items()}
    if isinstance(first.matrix, np.ndarray):
        return Batch(np.concatenate([first.matrix, second.matrix]), **others)
    from scipy.sparse import vstack

    return Batch(vstack([first.matrix, second.matrix], format="csr"), **others)


def moments(data: Dataset) -> tuple[Array, Array]:
    """The mean of each column of the matrix and its standard deviation, 1 where it is constant."""
    count = 0
    mean = spread = np.zeros(0)
    for batch in data.batches():
        rows, (center, squares) = len(batch), _moments(batch.matrix)
        if not count:
            count, mean, spread = rows, center, squares
            continue
        shift = center - mean  # Chan, Golub, LeVeque: the parts' sums of squares, and that of their distance
        spread = spread + squares + shift**2 * (count * rows / (count + rows))
        mean = mean + shift * (rows / (count + rows))
        count += rows
    scale = np.sqrt(spread / count)
    scale[~(scale > 0)] = 1.0
    return mean, scale


def _moments(matrix: Any) -> tuple[Array, Array]:
    """The mean of each column, and the sum of squares around it."""
    if isinstance(matrix, np.ndarray):
        mean = matrix.mean(axis=0, dtype=np.float64)
        return mean, ((matrix - mean) ** 2).sum(axis=0)
    mean = np.asarray(matrix.mean(axis=0, dtype=np.float64)).ravel()
    squares = np.asarray(matrix.multiply(matrix).sum(axis=0, dtype=np.float64)).ravel()
    return mean, np.maximum(squares - matrix.shape[0] * mean**2, 0)
