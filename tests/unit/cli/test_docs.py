"""The examples of docs/cli.md, run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlflow_cli.app import COMMANDS, app
from sqlflow_cli.commands.models import models
from typer.testing import CliRunner

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ sqlflow ([^\n]*)\n(.*?)```", PAGE, re.DOTALL)


def files() -> Iterator[tuple[str, str]]:
    yield from re.findall(r"`([\w.]+)`:\n\n```(?:sql|yaml)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("command", "expected"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_example(command: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files():
        Path(name).write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, shlex.split(command), env={"NO_COLOR": "1"})
    assert result.exit_code == (1 if "wrong.sql" in command else 0), result.stderr
    pattern = "".join(".*?" if line == "…\n" else re.escape(line) for line in expected.splitlines(keepends=True))
    assert re.fullmatch(pattern, result.stdout, re.DOTALL), result.stdout


def test_every_command_has_its_section() -> None:
    assert {command.split()[0] for command, _ in EXAMPLES} == {"check", "graph", "render"}
    assert {f"sqlflow {name} FILE" for name in set(COMMANDS) - {"models", "version"}} == set(
        re.findall(r"`(sqlflow \w+ FILE)`", PAGE)
    )


def test_every_command_of_models_is_there() -> None:
    assert {one.name or one.callback.__name__ for one in models.registered_commands} == set(
        re.findall(r"`sqlflow models (\w+)", PAGE)
    )
