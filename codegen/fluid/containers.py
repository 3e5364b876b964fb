"""Containers of a task: steps, sidecars, and the template that steps share."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from fluid.errors import FluidError
from fluid.json_fields import Duration, Json, go_duration, pruned
from fluid.scope import Scope
from fluid.text import Place, render, render_json
from fluid.valid_names import dns_label
from fluid.volumes import Mount, Volume


@dataclass(frozen=True, slots=True)
class SecretKey:
    """An environment value from a Secret."""

    secret: str
    key: str
    optional: bool = False

    def to_dict(self) -> Json:
        """Return the value's source as Kubernetes JSON."""
        return {"secretKeyRef": pruned(name=self.secret, key=self.key, optional=self.optional or None)}


@dataclass(frozen=True, slots=True)
class ConfigMapKey:
    """An environment value from a ConfigMap: the way for text that Tekton would misread."""

    config_map: str
    key: str
    optional: bool = False

    def to_dict(self) -> Json:
        """Return the value's source as Kubernetes JSON."""
        return {"configMapKeyRef": pruned(name=self.config_map, key=self.key, optional=self.optional or None)}


@dataclass(frozen=True, slots=True)
class FieldPath:
    """An environment value from the pod's own fields, such as `metadata.name`."""

    path: str

    def to_dict(self) -> Json:
        """Return the value's source as Kubernetes JSON."""
        return {"fieldRef": {"fieldPath": self.path}}


EnvValue = str | SecretKey | ConfigMapKey | FieldPath
Env = Mapping[str, EnvValue] | Sequence[Mapping[str, Any]]
"""Environment: name to value, where text is literal and references are objects; or Kubernetes' own list, whose
values keep Kubernetes' own `$(NAME)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The common fields of steps, sidecars and step templates.

    Attributes:
        image: the image; of a step optional where a step template names it.
        command, args: each element is text or a reference.
        env: see `Env`.
        env_from: Kubernetes' `envFrom`.
        mounts: path to volume.
        resources: Kubernetes' `{"requests": ..., "limits": ...}`.
        security_context: Kubernetes' securityContext of a container.
        image_pull_policy: Always, IfNotPresent or Never.
        working_dir: directory in which the command starts.
    """

    image: str = ""
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    env: Env = field(default_factory=dict)
    env_from: Sequence[Mapping[str, Any]] = ()
    mounts: Mapping[str, Volume | Mount] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    security_context: Mapping[str, Any] = field(default_factory=dict)
    image_pull_policy: str = ""
    working_dir: str = ""

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """The volumes that it mounts."""
        return tuple(m.volume if isinstance(m, Mount) else m for m in self.mounts.values())

    def _container(self, where: str, scope: Scope, resources_key: str = "computeResources") -> Json:
        for name, value in (("command", self.command), ("args", self.args)):
            if isinstance(value, str):
                raise FluidError(f"{where}: {name} is one text; give a list of texts.")
        return pruned(
            image=render(self.image, f"{where}, image", scope),
            imagePullPolicy=self.image_pull_policy,
            command=_texts(self.command, f"{where}, command", scope),
            args=_texts(self.args, f"{where}, args", scope),
            workingDir=render(self.working_dir, f"{where}, working_dir", scope),
            env=_env(self.env, where, scope),
            envFrom=render_json(self.env_from, f"{where}, env_from", scope),
            **{resources_key: render_json(self.resources, f"{where}, resources", scope)},
            securityContext=render_json(self.security_context, f"{where}, security_context", scope),
            volumeMounts=[self._mount(path, mount, where) for path, mount in self.mounts.items()],
        )

    def _mount(self, path: str, mount: Volume | Mount, where: str) -> Json:
        if not path.startswith("/") or (path + "/").startswith("/tekton/"):
            raise FluidError(f"{where}: a volume is mounted at {path!r}; it must be an absolute path outside /tekton.")
        return (mount if isinstance(mount, Mount) else Mount(mount)).to_dict(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTemplate(Container):
    """The fields that all steps of a task share; a step's own fields win."""

    def to_dict(self, owner: str, scope: Scope) -> Json:
        """The template as Tekton JSON."""
        return self._container(f"{owner}, step template", scope)


@dataclass(frozen=True, slots=True)
class Step(Container):
    """One container of a task. Steps run one after the other in one pod.

    Attributes:
        name: DNS label; Tekton calls the container `step-<name>`.
        script: an executable script, run instead of a command; `$(date)` and the like stay as they are. One that
            begins with a line end is dedented.
        timeout: how long it may run.
        on_error: `continue` lets the next step run although this one failed.
    """

    name: str = ""
    script: str = field(default="", kw_only=True)
    timeout: Duration | None = field(default=None, kw_only=True)
    on_error: Literal["continue", "stopAndFail", ""] = field(default="", kw_only=True)

    def to_dict(self, owner: str, scope: Scope) -> Json:
        """The step as Tekton JSON."""
        where = f"{owner}, step {self.name!r}" if self.name else f"{owner}, a step without a name"
        if self.name:
            dns_label(self.name, f"{owner}: a step")
        _either_script_or_command(self.script, self.command, where)
        return pruned(
            name=self.name,
            **self._container(where, scope),
            script=render(_dedented(self.script), f"{where}, script", scope),
            timeout=None if self.timeout is None else go_duration(self.timeout, f"{where}, timeout"),
            onError=self.on_error,
        )


@dataclass(frozen=True, slots=True)
class Sidecar(Container):
    """A container that runs beside a task's steps and is stopped when they are done."""

    name: str = ""
    script: str = field(default="", kw_only=True)
    ports: Sequence[Mapping[str, Any]] = field(default=(), kw_only=True)
    readiness_probe: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    def to_dict(self, owner: str, scope: Scope) -> Json:
        """The sidecar as Tekton JSON."""
        where = f"{owner}, sidecar {self.name!r}"
        dns_label(self.name, f"{owner}: a sidecar")
        if not self.image:
            raise FluidError(f"{where} has no image.")
        _either_script_or_command(self.script, self.command, where)
        return pruned(
            name=self.name,
            **self._container(where, scope),
            script=render(_dedented(self.script), f"{where}, script", scope),
            ports=render_json(self.ports, f"{where}, ports", scope),
            readinessProbe=render_json(self.readiness_probe, f"{where}, readiness_probe", scope),
        )


def _either_script_or_command(script: str, command: Sequence[str], where: str) -> None:
    if script and command:
        raise FluidError(f"{where} has both a script and a command; Tekton takes one of them.")


def _dedented(script: str) -> str:
    return textwrap.dedent(script[1:]) if script.startswith("\n") else script


def _texts(values: Sequence[str], where: str, scope: Scope) -> list[str]:
    return [render(value, f"{where}[{index}]", scope, Place.EXPANDED) for index, value in enumerate(values)]


def _env(env: Env, where: str, scope: Scope) -> list[Json]:
    if not isinstance(env, Mapping):
        return [render_json(item, f"{where}, env {item.get('name')!r}", scope) for item in env]
    entries: list[Json] = []
    for name, value in env.items():
        if isinstance(value, str):
            text = render(value, f"{where}, env {name!r}", scope, Place.EXPANDED)
            entries.append({"name": name, "value": text})
        else:
            source = render_json(value.to_dict(), f"{where}, env {name!r}", scope)
            entries.append({"name": name, "valueFrom": source})
    return entries
