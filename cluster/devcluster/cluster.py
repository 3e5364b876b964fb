"""The kind cluster of one checkout: up, down, what it is like, and images into it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_fixed

from devcluster import gobuild, node
from devcluster.cluster_record import Record
from devcluster.context import Context
from devcluster.errors import DevClusterError, log_lines
from devcluster.forecast import Work
from devcluster.layout import Layout
from devcluster.machine import ContainerEngine, Platform, find_platform, self_built_env
from devcluster.store import locked
from devcluster.tools import TOOLS, find_tool, tool

KIND_LABEL = "io.x-k8s.kind.cluster"
READY_SECONDS = 180
READY = (
    ("Wait for the node", "Ready", ("nodes", "--all")),
    # Available, not rolled out: one replica answers, and the second's first probe may come 10 s later.
    ("Wait for CoreDNS", "Available", ("--namespace=kube-system", "deployment/coredns")),
)
"""The conditions that `up` waits for in a new cluster: title, condition, objects."""

KERNEL_MODULES = Path("/lib/modules")
"""kind mounts this folder into its nodes; where the kernel has no modules it does not exist."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """This checkout's cluster on this machine's engine."""

    context: Context
    platform: Platform

    @classmethod
    def open(cls, context: Context) -> Cluster:
        """The cluster that the record describes; examines the machine only if there is no record."""
        record = Record.read(context.layout)
        if record is None:
            if context.runner.which("podman") and ContainerEngine("podman").has_image(context.runner, node.reference()):
                return cls(context, Platform(ContainerEngine("podman", self_built_env(context)), registry=False))
            with context.reporter.step("Look for a container registry"):
                return cls(context, find_platform(context))
        env = {} if record.registry else self_built_env(context)
        return cls(context, Platform(ContainerEngine(record.program, env), record.registry))

    @property
    def engine(self) -> ContainerEngine:
        """The engine that runs the node."""
        return self.platform.engine

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.context.layout.name

    def nodes(self) -> dict[str, str]:
        """Container name -> state (running, exited, created …) of the cluster's nodes."""
        program, env = self.engine.program, self.engine.env
        listing = [program, "ps", "--all", "--quiet", "--filter", f"label={KIND_LABEL}={self.name}"]
        ids = self.context.runner.run(listing, env=env, timeout=60).out.split()
        if not ids:
            return {}
        # Not from `ps`: there `.State` is a word for people in some versions, such as "Up 3 minutes ago".
        inspect = [program, "container", "inspect", "--format", "{{.Name}} {{.State.Status}}", *ids]
        result = self.context.runner.run(inspect, env=env, timeout=60)
        return {line.split()[0].lstrip("/"): line.split()[1] for line in result.out.splitlines() if line.strip()}

    def kubectl(self, *arguments: str, timeout: float = 30) -> str | None:
        """Kubectl's output for this cluster; None if it fails."""
        argv = [str(tool(self.context, "kubectl")), "--kubeconfig", str(self.context.layout.kubeconfig), *arguments]
        result = self.context.runner.run(argv, timeout=timeout)
        return result.out if result.ok else None

    def is_healthy(self) -> bool:
        """True if the cluster is complete, its API server answers and its node is Ready."""
        layout = self.context.layout
        if Record.read_complete(layout) is None or not layout.kubeconfig.is_file():
            return False
        states = self.nodes()
        if not states or set(states.values()) != {"running"}:
            return False
        path = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}"
        ready = self.kubectl("--request-timeout=10s", "get", "nodes", "--output", path)
        return ready is not None and set(ready.split()) == {"True"}

    def up(self) -> Path:
        """Make sure that the cluster runs; returns the path of its kubeconfig.

        Raises:
            DevClusterError: something that it needs is missing, or kind failed.
        """
        layout = self.context.layout
        with locked(layout.locks / f"{self.name}.lock", f"cluster {self.name}", self.context.reporter):
            if self.is_healthy() or self._recovered():
                return layout.kubeconfig
            self.context.reporter.plan(self.works())
            image = "" if self.platform.registry else node.ensure_node(self.context, self.engine)
            kind = tool(self.context, "kind")
            tool(self.context, "kubectl")
            if self._remove():
                self.context.reporter.say(f"Cluster {self.name} was not complete or not healthy: making it anew")
            record = Record(self.name, self.engine.program, self.platform.registry, image)
            self._create(kind, record)
            self._wait_until_ready()
            record.complete = True
            record.write(layout)
        return layout.kubeconfig

    def works(self) -> list[Work]:
        """The steps that `up` takes to make the cluster."""
        node_works = [] if self.platform.registry else node.works(self.context, self.engine)
        missing = [TOOLS[name] for name in ("kind", "kubectl") if find_tool(self.context, name) is None]
        # kubectl comes with the node's programs, where those are built.
        tools = gobuild.works(self.context, [part for part in missing if not (node_works and part in node.PARTS)])
        waits = [Work(title, 15) for title, _, _ in READY]
        return [*node_works, *tools, Work(self._create_title, 25), *waits]

    @property
    def _create_title(self) -> str:
        return f"Create kind cluster {self.name}"

    def _recovered(self) -> bool:
        """Give a complete cluster time to answer, and start nodes that stopped, as after a reboot.

        A busy machine must not cost anybody the cluster they work with.
        """
        states = self.nodes()
        if (
            Record.read_complete(self.context.layout) is None
            or not self.context.layout.kubeconfig.is_file()
            or not states
        ):
            return False
        stopped = [name for name, state in states.items() if state != "running"]
        if stopped:
            self.context.runner.run([self.engine.program, "start", *stopped], env=self.engine.env, timeout=60)
        try:
            self._wait_until_ready()
        except DevClusterError as error:
            self.context.reporter.say(error.line())
            return False
        return self.is_healthy()

    def _create(self, kind: Path, record: Record) -> None:
        if not self.platform.registry:
            make_kernel_modules_folder(self.context.layout, KERNEL_MODULES)
        try:
            self._kind_create(kind, record)
        except DevClusterError as error:
            # A port taken at the last moment, or a node that a killed `up` still brought to life: gone the second time.
            text = "\n".join(log_lines(error.log)) if error.log else ""
            if not any(sign in text for sign in ("already in use", "already exist", "port is already allocated")):
                raise
            self._remove()
            self._kind_create(kind, record)

    def _kind_create(self, kind: Path, record: Record) -> None:
        record.write(self.context.layout)
        self.context.long(
            self._create_title,
            create_argv(kind, self.name, record.image, self.context.layout.kubeconfig),
            log=f"kind-{self.name}",
            env=kind_env(self.name, self.engine),
            stdin=kind_config(self_built=not self.platform.registry),
            todo="Run `python -m devcluster down` and try again",
        )

    def _wait_until_ready(self) -> None:
        kubectl = [str(tool(self.context, "kubectl")), "--kubeconfig", str(self.context.layout.kubeconfig)]
        todo = "Run `python -m devcluster down` and try again"
        for title, condition, objects in READY:
            wait = [*kubectl, "wait", f"--for=condition={condition}", f"--timeout={READY_SECONDS}s", *objects]
            self.context.long(title, wait, log=f"ready-{self.name}", todo=todo)

    def down(self) -> bool:
        """Remove the cluster and all that belongs to it; returns whether there was anything."""
        layout = self.context.layout
        with locked(layout.locks / f"{self.name}.lock", f"cluster {self.name}", self.context.reporter):
            with self.context.reporter.step(f"Remove cluster {self.name}"):
                removed = self._remove()
            remove_kernel_modules_folder(layout, KERNEL_MODULES, others=bool(self.all_clusters()))
        return removed

    def _remove(self) -> bool:
        """Container, volume, network, files; whatever of them is there, so that a kill in between does no harm."""
        layout, runner = self.context.layout, self.context.runner
        program, env = self.engine.program, self.engine.env
        nodes = list(self.nodes())
        if nodes:
            # At once: podman would give systemd ten seconds for a shutdown that nobody needs.
            now = ["--time", "0"] if program == "podman" else []
            self._remove_nodes([program, "rm", "--force", *now, "--volumes", *nodes])
        # kind labels a node's volume with the node's name; a killed `up` may leave one without its node.
        label = f"{self.name}-control-plane"
        listing = runner.run([program, "volume", "ls", "--quiet", "--filter", f"label={label}"], env=env, timeout=60)
        volumes = listing.out.split() if listing.ok else []
        if volumes:
            self.context.short("Remove the node's volume", [program, "volume", "rm", "--force", *volumes], env=env)
        network = runner.run([program, "network", "inspect", self.name], env=env, timeout=60).ok
        if network:
            self.context.short("Remove the network", [program, "network", "rm", self.name], env=env)
        # The record last: it names the engine, for whoever has to go on after a kill.
        files = [path for path in (layout.kubeconfig, layout.record) if path.exists()]
        for path in [layout.kubeconfig.with_name("kubeconfig.lock"), *files]:
            path.unlink(missing_ok=True)
        if layout.state.is_dir() and not any(layout.state.iterdir()):
            layout.state.rmdir()
        return bool(files or nodes or volumes or network)

    @retry(
        retry=retry_if_exception_type(DevClusterError),
        stop=stop_after_attempt(6),
        wait=wait_fixed(5),
        reraise=True,
    )
    def _remove_nodes(self, command: list[str]) -> None:
        """Remove the node containers, several times if need be.

        A node with hundreds of pods has thousands of processes: the engine gives up waiting for their end
        ("given PIDs did not die within timeout") although they end soon after.
        """
        self.context.short("Remove the node", command, env=self.engine.env, timeout=120)

    def all_clusters(self) -> list[str]:
        """The names of all kind clusters on this machine's engine."""
        template = f'{{{{index .Labels "{KIND_LABEL}"}}}}'
        argv = [self.engine.program, "ps", "--all", "--filter", f"label={KIND_LABEL}", "--format", template]
        result = self.context.runner.run(argv, env=self.engine.env, timeout=60)
        return sorted(set(result.out.split())) if result.ok else []


def create_argv(kind: Path, name: str, image: str, kubeconfig: Path) -> list[str]:
    """The command that creates a cluster; its configuration comes on stdin."""
    argv = [str(kind), "create", "cluster", "--name", name, "--config", "-", "--kubeconfig", str(kubeconfig)]
    return [*argv, "--image", image] if image else argv


def kind_env(name: str, engine: ContainerEngine) -> dict[str, str]:
    """The environment of kind: our engine, and a network of the cluster's own, which is therefore ours to remove."""
    provider = engine.program
    return {
        **engine.env,
        "KIND_EXPERIMENTAL_PROVIDER": provider,
        f"KIND_EXPERIMENTAL_{provider.upper()}_NETWORK": name,
        "KUBECONFIG": os.devnull,
    }


def kind_config(*, self_built: bool) -> str:
    """Kind's configuration file (JSON is YAML).

    A cluster that lives for tests need not survive a power cut, so etcd does not wait for the disk. The self-built
    node brings its own bridge network for pods, and has nftables only.
    """
    fast = {"kind": "ClusterConfiguration", "etcd": {"local": {"extraArgs": {"unsafe-no-fsync": "true"}}}}
    config: dict[str, object] = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "kubeadmConfigPatches": [json.dumps(fast)],
    }
    if self_built:
        config["networking"] = {"disableDefaultCNI": True, "kubeProxyMode": "nftables"}
    return json.dumps(config)


def make_kernel_modules_folder(layout: Layout, folder: Path) -> None:
    """Make the folder that kind mounts, if this machine has none, and note that it is ours."""
    if not folder.is_dir():
        layout.cache.mkdir(parents=True, exist_ok=True)
        (layout.cache / "made-kernel-modules-folder").touch()
        folder.mkdir(parents=True)


def remove_kernel_modules_folder(layout: Layout, folder: Path, *, others: bool) -> None:
    """Remove that folder if we made it, it is empty and no other cluster has it mounted."""
    note = layout.cache / "made-kernel-modules-folder"
    if note.exists() and not others:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        note.unlink()
