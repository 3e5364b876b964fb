"""Keras on JAX, on the processor. Import it from here: its environment must be set before it is loaded."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlflow_runtime.errors import RunError
from sqlflow_runtime.ml.neural.environment import set_environment


def not_installed(package: str) -> RunError:
    """The failure of a step whose image has no neural networks."""
    return RunError(
        "estimator",
        f"{package} is not installed: this image trains and uses no neural networks",
        'Use the step image without "-slim", or pip install "sqlflow-operator[neural]".',
    )


@contextmanager
def _quickly() -> Iterator[None]:
    """Keras imports scikit-learn for wrappers that nothing here uses: half of its time. Hide it, unless it is there."""
    hidden = "sklearn" not in sys.modules
    if hidden:
        sys.modules["sklearn"] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    try:
        yield
    finally:
        if hidden:
            del sys.modules["sklearn"]


@contextmanager
def quiet() -> Iterator[None]:
    """Hide warnings that Keras and JAX cause by themselves: nobody who trains a model can do anything about them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy")
        warnings.filterwarnings("ignore", message="Explicitly requested dtype .* is not available")
        yield


def _load() -> Any:
    set_environment()
    try:
        with _quickly():
            import keras
    except ModuleNotFoundError as error:
        raise not_installed(error.name or "Keras") from error
    if keras.backend.backend() != "jax":
        raise RunError(
            "estimator", f"Keras runs on {keras.backend.backend()} here, not on JAX", "Set KERAS_BACKEND=jax."
        )
    keras.config.set_floatx("float32")  # whatever a file in the home folder says
    keras.config.disable_traceback_filtering()
    return keras


keras = _load()
