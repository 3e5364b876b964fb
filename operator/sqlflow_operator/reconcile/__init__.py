"""Brings a job to where its spec wants it: observe -> decide (pure) -> apply."""

from sqlflow_operator.reconcile.reconciler import Key, Reconciler
from sqlflow_operator.run_options import Defaults

__all__ = ["Defaults", "Key", "Reconciler"]
