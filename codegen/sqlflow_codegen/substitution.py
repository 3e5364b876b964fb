"""Protection of user text from an engine's templates.

Argo replaces `{{...}}` everywhere in a Workflow, Tekton `$(params.x)` and the like in a task; neither has a way to say
that a text is meant literally. Values of environment variables are the user's own words, so those that an engine would
touch travel in the run's ConfigMap, where nothing is replaced. In all other places such text is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlflow_codegen.backend import RunOptions
from sqlflow_codegen.errors import CodegenError

Substituted = Callable[[str], str | None]
"""Returns the first piece of a text that an engine would replace or refuse, None if there is none."""


def shield(options: RunOptions, substituted: Substituted, engine: str) -> tuple[RunOptions, dict[str, str]]:
    """Return the options with nothing in them that the engine would replace, and the texts that the ConfigMap carries.

    Raises:
        CodegenError: a text other than the value of an environment variable holds what the engine would replace.
    """
    carried: dict[str, str] = {}
    env: list[Mapping[str, Any]] = []
    for number, variable in enumerate(options.env):
        value = variable.get("value")
        if isinstance(value, str) and substituted(value):
            key = f"env-{number}"
            carried[key] = value
            reference = {"configMapKeyRef": {"name": options.name, "key": key}}
            env.append({"name": variable["name"], "valueFrom": reference})
        else:
            env.append(variable)
    shielded = replace(options, env=env)
    for field in fields(shielded):
        _refuse(getattr(shielded, field.name), field.name, substituted, engine)
    return shielded, carried


def _refuse(value: Any, where: str, substituted: Substituted, engine: str) -> None:
    if isinstance(value, str):
        found = substituted(value)
        if found:
            raise CodegenError(
                f"{where}: {engine} would replace {found!r} in {value!r}, and it has no escape; change it"
            )
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _refuse(str(key), f"{where}, key", substituted, engine)
            _refuse(item, f"{where}.{key}", substituted, engine)
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            _refuse(item, f"{where}[{index}]", substituted, engine)
