"""XGBoost, without scikit-learn. Import it from here.

XGBoost imports scikit-learn, and with it most of SciPy, for classes that nothing here uses: two of its three seconds
of processor time, and a hundred files of shared code from the image's disk. Where a container has a fifth of a
processor and the disk is busy, that is minutes.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlflow_runtime.hidden import hidden

with hidden("sklearn"):
    import xgboost

__all__ = ["library_warnings", "words_of", "xgboost"]

_EXPECTED = re.compile(r"`?booster=(gblinear|dart)`? is deprecated")
"""Warnings about SQLFlow's own names, with which a program can do nothing."""


@contextmanager
def library_warnings(log: Callable[[str, str], None] = lambda level, line: None) -> Iterator[None]:
    """Pass XGBoost's warnings to `log`, each once, in its own words without the place in its code."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        xgboost.set_config(verbosity=1)  # that of one model counts for all that the process makes after it
        try:
            yield
        finally:
            words = [words_of(one.message) for one in caught if isinstance(one.message, Warning)]
            for line in dict.fromkeys(words):
                if not _EXPECTED.search(line):
                    log("warning", f"XGBoost: {line}")


def words_of(error: Exception) -> str:
    """XGBoost's own words without its C++ stack."""
    text = re.sub(r"Stack trace:.*", "", str(error), flags=re.DOTALL)
    text = re.sub(r"^\[[\d:]+\] (?:WARNING: )?\S+:\d+:\s*", "", text.strip())
    return re.sub(r"\s+", " ", text).strip()
