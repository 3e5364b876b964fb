"""The user's class or function that a TRAIN statement, or a stored model, names: `image:tag/module.Class`."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from sqlflow_codegen.catalogue import split_image
from sqlflow_codegen.contract import IMAGE_ENV
from sqlflow_codegen.language.suggest import did_you_mean

from sqlflow_runtime.errors import RunError, listed
from sqlflow_runtime.ml.neural.environment import set_environment

_DEFAULT_MODULE = "sqlflow_models"
"""The module of a class that is named without one, as in SQLFlow."""
_OURS = ("sqlflow_runtime", "sqlflow_codegen", "sqlflow_cli", "sqlflow_operator", "fluid")
_NOT_ARGUMENTS = ("train", "validation", "optimizer", "loss")
"""Prefixes of attributes that steer the training."""
_TASKS = ("classification", "regression", "clustering")


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or function of the user's own.

    Attributes:
        image: that brings it.
        path: `module.Class`.
        module: imported.
        target: the class or function.
    """

    image: str
    path: str
    module: ModuleType
    target: Any

    @property
    def trains(self) -> bool:
        """True for a function that learns by itself: it takes the matrix, and returns a model that predicts."""
        return not inspect.isclass(self.target) and "matrix" in inspect.signature(self.target).parameters

    @property
    def task(self) -> str | None:
        """The task that the class or its module states in `sqlflow_task`; None if neither does.

        Raises:
            RunError: kind `estimator`; there is no such task.
        """
        found = getattr(self.target, "sqlflow_task", getattr(self.module, "sqlflow_task", None))
        if found is not None and found not in _TASKS:
            raise RunError("estimator", f"sqlflow_task of {self.path} is {found!r}", f"There are {', '.join(_TASKS)}.")
        return found

    def hook(self, name: str, model: Any = None) -> Any | None:
        """The function of that name, of the model or of the module; None if neither has it."""
        found = getattr(model, name, None) if model is not None else None
        return found or getattr(self.module, name, None)

    def call(self, parameters: Mapping[str, Any], offered: Mapping[str, Any]) -> Any:
        """Call the class or function.

        Args:
            parameters: the statement's attributes.
            offered: arguments that it gets if it has a parameter of that name, and the statement does not set it.

        Raises:
            RunError: kind `estimator`; an attribute is none of its parameters, one is missing, or it fails.
        """
        known = inspect.signature(self.target).parameters
        given = arguments(parameters)
        open_ended = any(one.kind is one.VAR_KEYWORD for one in known.values())
        unknown = [name for name in given if name not in known and not open_ended]
        if unknown:
            takes = [f"model.{name}" for name in known if name not in offered]
            hint = did_you_mean(f"model.{unknown[0]}", takes) or f"It takes {listed(takes, 40)}."
            raise RunError("estimator", f"unsupported attribute model.{unknown[0]} of {self.path}", hint)
        given = {**{name: value for name, value in offered.items() if name in known}, **given}
        kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        missing = [
            n for n, one in known.items() if one.default is one.empty and one.kind not in kinds and n not in given
        ]
        if missing:
            hint = f"Write model.{missing[0]}=.. in WITH."
            raise RunError("estimator", f"{self.path} needs the attribute model.{missing[0]}", hint)
        try:
            return self.target(**given)
        except RunError:
            raise
        except Exception as error:  # the user's own code
            raise RunError("estimator", f"{self.path} fails: {type(error).__name__}: {error}") from error


def arguments(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are arguments of the class or function, without `model.`."""
    return {
        name.removeprefix("model."): value
        for name, value in parameters.items()
        if name.partition(".")[0] not in _NOT_ARGUMENTS
    }


def locate(estimator: str) -> Definition:
    """The class or function of that name, imported.

    Raises:
        RunError: kind `estimator`; there is no such module or name, or it is none of the user's.
    """
    image, path = split_image(estimator)
    module_name, _, name = path.rpartition(".")
    module_name = module_name or _DEFAULT_MODULE
    package = module_name.partition(".")[0]
    where = f"the image {running}" if (running := os.environ.get(IMAGE_ENV)) else "this Python"
    hint = f"Install the module into {image}: see the example in docs/custom-models.md."
    if package in sys.stdlib_module_names or package in _OURS:
        raise RunError("estimator", f"{module_name} is no module of a model", hint)
    set_environment()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        message = f"there is no module {error.name} in {where}"
        raise RunError("estimator", message, hint) from error
    except Exception as error:  # the user's own code
        message = f"the module {module_name} cannot be imported: {type(error).__name__}: {error}"
        raise RunError("estimator", message, hint) from error
    found = getattr(module, name, None)
    if not callable(found) or getattr(found, "__module__", None) != module_name:
        names = [key for key, one in vars(module).items() if getattr(one, "__module__", None) == module_name]
        hint = did_you_mean(name, names) or f"It has {listed(sorted(names), 20)}."
        raise RunError("estimator", f"the module {module_name} has no class or function {name}", hint)
    return Definition(image, path, module, found)


def locate_stored(estimator: str) -> Definition:
    """The class or function of a stored model.

    Raises:
        RunError: kind `model`: this step runs in another image; `estimator`: it is not here.
    """
    running = wrong_image(estimator)
    if running is not None:
        image, path = split_image(estimator)
        message = f"the stored model is of {path} in the image {image}, and this step runs in {running}"
        hint = f"Put it into one program with the model's TO TRAIN, or let the steps run in {image}: spec.image."
        raise RunError("model", message, hint)
    return locate(estimator)


def wrong_image(estimator: str) -> str | None:
    """The image that this step runs in, if it is another one than that of the estimator; None outside of containers."""
    running, (image, _) = os.environ.get(IMAGE_ENV), split_image(estimator)
    return running if running and running != image else None
