"""XGBoost, without scikit-learn. Import it from here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Hide a package from the imports inside, unless it is loaded already.

    XGBoost imports scikit-learn, and with it most of SciPy, for classes that nothing here uses: two of its three
    seconds of processor time, and a hundred files of shared code from the image's disk. Where a container has a fifth
    of a processor and the disk is busy, that is minutes.
    """
    loaded = name in sys.modules
    if not loaded:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    try:
        yield
    finally:
        if not loaded:
            del sys.modules[name]


with _without("sklearn"):
    import xgboost

__all__ = ["xgboost"]
