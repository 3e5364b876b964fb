"""The programs that tests and people call: kind, kubectl, etcd, kube-apiserver."""

from __future__ import annotations

import json
import re
from pathlib import Path

from devcluster import gobuild
from devcluster.context import Context
from devcluster.gobuild import APISERVER, ETCD, KIND, KUBECTL, Programs
from devcluster.process import Runner

TOOLS: dict[str, Programs] = {"kind": KIND, "kubectl": KUBECTL, "etcd": ETCD, "kube-apiserver": APISERVER}


def all_tools(context: Context) -> dict[str, Path]:
    """Tool -> path of a program that works; builds what is missing.

    Raises:
        DevClusterError: a tool is neither here nor can it be built.
    """
    missing = [TOOLS[name] for name in TOOLS if find_tool(context, name) is None]
    context.reporter.plan(gobuild.works(context, missing))
    gobuild.ensure_all(context, missing)
    return {name: tool(context, name) for name in TOOLS}


def tool(context: Context, name: str) -> Path:
    """The path of one tool: this machine's own if it fits, else ours.

    Raises:
        DevClusterError: it is neither here nor can it be built.
    """
    return find_tool(context, name) or gobuild.ensure(context, TOOLS[name]) / name


def find_tool(context: Context, name: str) -> Path | None:
    """The path of a tool that is here already; None if it has to be built."""
    programs = TOOLS[name]
    ours = context.store.path(programs.name, gobuild.key(programs)) / name
    if ours.is_file():
        return ours
    if name in ("kind", "kubectl"):
        found = context.runner.which(name)
        if found is not None and fits(context.runner, name, found, programs.version):
            return Path(found)
    return None


def fits(runner: Runner, name: str, path: str, pinned: str) -> bool:
    """True if a program of this machine can stand in for ours.

    kubectl may be one minor version away from the cluster; kind must be the pinned version, since it and the node
    image belong together.
    """
    if name == "kubectl":
        result = runner.run([path, "version", "--client", "--output", "json"], timeout=30)
        have = _minor(_client_version(result.out)) if result.ok else None
        want = _minor(pinned)
        return have is not None and want is not None and have[0] == want[0] and abs(have[1] - want[1]) <= 1
    result = runner.run([path, "version", "--quiet"], timeout=30)
    return result.ok and result.out.strip().removeprefix("v") == pinned.removeprefix("v")


def _client_version(output: str) -> str:
    try:
        return str(json.loads(output)["clientVersion"]["gitVersion"])
    except (ValueError, KeyError, TypeError):
        return ""


def _minor(version: str) -> tuple[int, int] | None:
    match = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else None
