"""Brings a job to where its spec wants it: observe -> decide (pure) -> apply."""

from sqlflow_operator.reconcile.options import StepImage
from sqlflow_operator.reconcile.reconciler import Key, Reconciler

__all__ = ["Key", "Reconciler", "StepImage"]
