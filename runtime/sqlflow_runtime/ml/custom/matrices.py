"""The matrix as models of the user's own take it: one array, without NULLs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.errors import RunError


class PlainInputs:
    """Gives a network the whole matrix as its only input."""

    def __init__(self, names: Sequence[str], path: str) -> None:
        self._names, self._path = names, path
        self.width = len(names)

    def inputs(self, matrix: Any) -> npt.NDArray[np.float32]:
        """The rows in 32 bits.

        Raises:
            RunError: kind `data`; a number is NULL or NaN.
        """
        rows = np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=np.float32)
        wrong = [self._names[position] for position in np.flatnonzero(np.isnan(rows).any(axis=0)).tolist()]
        if wrong:
            raise RunError(
                "data",
                f"{self._path} takes no NULL or NaN, but there are some in {', '.join(dict.fromkeys(wrong))}",
                "Write COALESCE(column, 0) in the SELECT, or WHERE column IS NOT NULL.",
            )
        return rows
