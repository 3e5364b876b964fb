"""`CLUSTER=current`: the cluster of the person's own kubectl context. Nothing is created, nothing removed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from devcluster.context import Context
from devcluster.errors import DevClusterError

VARIABLE, VALUE = "CLUSTER", "current"


def is_asked_for() -> bool:
    """True if the person asks for their own cluster.

    Raises:
        DevClusterError: the variable has another value, which would otherwise be ignored in silence.
    """
    value = os.environ.get(VARIABLE, "")
    if value not in ("", VALUE):
        raise DevClusterError(f"{VARIABLE}={value} is not understood", todo=f"Use {VARIABLE}={VALUE} or leave it out")
    return value == VALUE


@dataclass(frozen=True, slots=True)
class Current:
    """The cluster that kubectl uses without options."""

    context: str
    server: str
    kubeconfig: str

    @property
    def kind_cluster(self) -> str:
        """The name of the kind cluster that the context belongs to; "" if it is none of kind's."""
        return self.context.removeprefix("kind-") if self.context.startswith("kind-") else ""


def find(context: Context) -> Current:
    """Look up the current context and reach its server.

    Raises:
        DevClusterError: there is no kubectl, no current context, or no answer.
    """
    kubectl = context.runner.which("kubectl")
    if kubectl is None:
        raise DevClusterError("CLUSTER=current needs kubectl on PATH, and there is none", todo="Install kubectl")
    todo = "Choose a context with `kubectl config use-context`"
    view = [kubectl, "config", "view", "--minify", "--output", "json"]
    config = json.loads(context.short("Read the current kubectl context", view, todo=todo))
    name, clusters = config.get("current-context", ""), config.get("clusters") or []
    if not name or not clusters:
        raise DevClusterError("CLUSTER=current, but kubectl has no current context", todo=todo)
    files = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube/config")
    current = Current(name, clusters[0]["cluster"].get("server", ""), files)
    context.reporter.say(f"Using kubectl's current context {current.context} (server {current.server})")
    reach = [kubectl, "--request-timeout=10s", "get", "--raw", "/readyz"]
    context.short(
        f"Reach {current.server}", reach, todo="Check that the cluster runs and that you may use it", timeout=30
    )
    return current
