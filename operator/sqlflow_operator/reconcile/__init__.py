"""Brings a job to the state that its spec asks for: observe -> decide (pure) -> apply."""

from sqlflow_operator.reconcile.reconciler import Key, Reconciler
from sqlflow_operator.run_options import Defaults

__all__ = ["Defaults", "Key", "Reconciler"]
