"""Environment variables that Keras and JAX read once, when they are loaded."""

from __future__ import annotations

import os
import sys

from sqlflow_runtime.ml.threads import processors

_FIXED = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}


def set_environment() -> None:
    """Set them, unless Keras is loaded already. Call it before a module of the user's own, which may import Keras."""
    if "keras" not in sys.modules:
        os.environ.update(_FIXED)
        os.environ.setdefault("PJRT_NPROC", str(processors()))
