"""XGBoost, without scikit-learn. Import it from here."""

from sqlflow_runtime.ml.lean import without

with without("sklearn"):
    import xgboost

__all__ = ["xgboost"]
