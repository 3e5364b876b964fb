"""XGBoost, without scikit-learn. Import it from here.

XGBoost imports scikit-learn, and with it most of SciPy, for classes that nothing here uses: two of its three seconds
of processor time, and a hundred files of shared code from the image's disk. Where a container has a fifth of a
processor and the disk is busy, that is minutes.
"""

from __future__ import annotations

from sqlflow_runtime.hidden import hidden

with hidden("sklearn"):
    import xgboost

__all__ = ["xgboost"]
