"""Arrow arrays out of a buffer that holds the values of many rows one after the other, as a server sent them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sqlflow_runtime.arrow import pa

PADDING = bytes(8)
"""Goes behind the last row, so that a value may be looked up where a row has none."""

Positions = npt.NDArray[np.int64]


def slices(buffer: bytearray, at: Positions, width: Positions, there: npt.NDArray[Any], *, binary: bool) -> pa.Array:
    """Slices of the buffer as texts or bytes.

    Args:
        buffer: at most 2 GiB.
        at: where each begins; ascending.
        width: the bytes of each.
        there: whether there is one; NULL stands for it if not.
        binary: bytes, not text in UTF-8.
    """
    # For Arrow, values and the gaps between them are one array; every second one of it is a value.
    offsets = np.zeros(2 * len(at) + 1, np.int32)
    offsets[1::2], offsets[2::2] = at, at + width
    whole = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(buffer)])
    found = whole.take(pa.array(np.arange(len(at)) * 2 + 1, mask=~there))
    return found if binary else found.cast(pa.string())
