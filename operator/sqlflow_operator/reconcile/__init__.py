"""Brings a job to where its spec wants it: observe -> decide (pure) -> apply."""

from sqlflow_operator.reconcile.options import Defaults
from sqlflow_operator.reconcile.reconciler import Key, Reconciler

__all__ = ["Defaults", "Key", "Reconciler"]
