"""PyArrow, without pandas. Import it from here.

PyArrow imports pandas, if it is installed, when it first meets an array of NumPy: a second and a half of processor
time and a hundred MiB for nothing that is used here.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sqlflow_runtime.hidden import hidden

with hidden("pandas"):
    pa.array(np.zeros(1)).to_numpy(zero_copy_only=False)  # it looks for pandas once in each direction

__all__ = ["pa"]
