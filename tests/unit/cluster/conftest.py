"""A runner that starts nothing: it answers from a script and remembers what it was asked."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from devcluster import cluster, node
from devcluster.cluster import Cluster
from devcluster.context import Context
from devcluster.layout import Layout
from devcluster.machine import ContainerEngine, Platform
from devcluster.process import Completed, Runner
from devcluster.progress import Reporter
from rich.console import Console

from tests.unit.cluster.world import IMAGE, World


@dataclass
class Call:
    argv: list[str]
    env: Mapping[str, str]
    stdin: str | None = None
    cwd: Path | None = None

    @property
    def line(self) -> str:
        return " ".join(self.argv)


Answer = Completed | Callable[[Call], Completed]


@dataclass
class FakeRunner(Runner):
    """Answers by the longest prepared prefix of a command; what was not prepared fails as a missing program does."""

    programs: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def has(self, *programs: str) -> None:
        self.programs.update({program: f"/usr/bin/{program}" for program in programs})

    def on(self, prefix: str, answer: Answer | str = "") -> None:
        self.answers[prefix] = Completed(0, answer) if isinstance(answer, str) else answer

    def which(self, program: str) -> str | None:
        return self.programs.get(program)

    def _answer(self, call: Call) -> Completed:
        self.calls.append(call)
        known = [prefix for prefix in self.answers if call.line.startswith(prefix)]
        if not known:
            return Completed(127, err=f"{call.argv[0]}: not prepared: {call.line}")
        answer = self.answers[max(known, key=len)]
        return answer if isinstance(answer, Completed) else answer(call)

    def run(self, argv: Sequence[str], **options: Any) -> Completed:
        return self._answer(Call(list(argv), dict(options.get("env") or {}), options.get("stdin")))

    def stream(self, argv: Sequence[str], *, log: Path, on_line: Callable[[str], None], **options: Any) -> int:
        call = Call(list(argv), dict(options.get("env") or {}), options.get("stdin"), options.get("cwd"))
        result = self._answer(call)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"$ {' '.join(argv)}\n{result.out}{result.err}\n")
        for line in result.out.splitlines():
            on_line(line)
        return result.code

    def lines(self, prefix: str = "") -> list[str]:
        return [call.line for call in self.calls if call.line.startswith(prefix)]


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def reporter(screen: io.StringIO) -> Reporter:
    return Reporter(Console(file=screen, width=200, force_terminal=False, highlight=False))


@pytest.fixture
def context(runner: FakeRunner, reporter: Reporter, tmp_path: Path) -> Context:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    return Context(runner, reporter, Layout(checkout, checkout / ".state", tmp_path / "cache"))


@pytest.fixture
def world(context: Context, runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    monkeypatch.setattr(node, "ensure_node", lambda *_: IMAGE)
    monkeypatch.setattr(cluster, "KERNEL_MODULES", tmp_path)
    monkeypatch.delenv("CLUSTER", raising=False)
    return World(runner, context)


@pytest.fixture
def ours(context: Context) -> Cluster:
    return Cluster(context, Platform(ContainerEngine("podman", {"CONTAINERS_CONF": "/c"}), registry=False))
