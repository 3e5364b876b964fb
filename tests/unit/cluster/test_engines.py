"""`make demo BACKEND=...`: an engine that is there is used; one that cannot be had is named in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from devcluster import demo
from devcluster.engines import ENGINES, ensure_engine
from devcluster.errors import DevClusterError
from devcluster.process import Completed
from devcluster.stack import Stack


class Runner:
    """kubectl, scripted: answers by the first words that match, and remembers what it was asked."""

    def __init__(self, answer: Callable[[list[str]], Completed]) -> None:
        self.answer = answer
        self.asked: list[list[str]] = []

    def run(self, argv: list[str], **_: Any) -> Completed:
        words = [word for word in argv[1:] if not word.startswith("/")]
        self.asked.append(words)
        return self.answer(words)


class Quiet:
    """A reporter and a context in one, without a terminal."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.reporter = self

    def step(self, _: str) -> Any:
        import contextlib

        return contextlib.nullcontext()

    def short(self, what: str, argv: list[str], **options: Any) -> str:
        done = self.runner.run(argv, **options)
        if not done.ok:
            raise DevClusterError(what, done.err)
        return done.out


def stack(answer: Callable[[list[str]], Completed]) -> tuple[Stack, Runner]:
    runner = Runner(answer)
    return Stack(Quiet(runner), "kubectl", Path("/kubeconfig"), "demo"), runner  # type: ignore[arg-type]


def test_job_needs_no_engine() -> None:
    made, runner = stack(lambda _: Completed(1))
    ensure_engine(made, "job")
    assert runner.asked == []


def test_an_engine_that_is_there_is_used() -> None:
    made, runner = stack(lambda _: Completed(0))
    ensure_engine(made, "tekton")
    assert not any("apply" in words for words in runner.asked)


def test_argo_gets_its_role() -> None:
    made, runner = stack(lambda words: Completed(1) if "rolebinding" in words and "get" in words else Completed(0))
    ensure_engine(made, "argo")
    assert any("--serviceaccount=demo:default" in words for words in runner.asked)


def test_an_engine_that_is_missing_is_installed() -> None:
    made, runner = stack(lambda words: Completed(1) if "get" in words else Completed(0))
    ensure_engine(made, "tekton")
    assert any(ENGINES["tekton"].manifest in words for words in runner.asked)


def test_an_engine_that_cannot_be_had_is_named_in_one_line() -> None:
    made, _ = stack(
        lambda words: Completed(1, "", "error: no such host") if "apply" in words else Completed(int("crd" in words))
    )
    with pytest.raises(DevClusterError) as told:
        ensure_engine(made, "argo")
    line = told.value.line()
    assert "\n" not in line
    assert "Argo Workflows (workflows.argoproj.io)" in line
    assert "no such host" in line
    assert "docs/backends.md" in line


def test_a_backend_that_there_is_not() -> None:
    made, _ = stack(lambda _: Completed(0))
    with pytest.raises(DevClusterError, match="no backend airflow"):
        ensure_engine(made, "airflow")


@pytest.mark.parametrize("backend", ["argo", "tekton", "job"])
def test_the_demo_applies_that_backend(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    applied: list[str] = []
    made, runner = stack(lambda _: Completed(0))
    original = runner.run

    def run(argv: list[str], **options: Any) -> Completed:
        applied.extend(filter(None, [options.get("stdin")]))
        return original(argv, **options)

    runner.run = run  # type: ignore[method-assign]
    made.context.layout = type("Layout", (), {"checkout": Path(__file__).resolve().parents[3]})  # type: ignore[misc]
    demo.apply_job(made, Console(), backend)
    assert yaml.safe_load(applied[0])["spec"]["backend"] == backend
    assert f"backend: {backend}" in capsys.readouterr().out
