"""`make venv`: uv where it is there and works, else pip."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", ROOT / "requirements/environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An environment whose `python -m pip` notes its arguments."""
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/pip").touch()
    script = folder / "bin/python"
    script.write_text(f'#!/bin/sh\necho "pip $*" >> {tmp_path}/calls\n')
    script.chmod(0o755)
    return folder


def program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def calls(folder: Path) -> list[str]:
    return [line.split()[0] for line in (folder / "calls").read_text().splitlines()]


def test_uv_installs_where_it_is_there(
    environment: ModuleType, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "uv", f'echo "uv $*" >> {tmp_path}/calls')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    environment.make(target)
    assert calls(tmp_path) == ["uv", "pip"]  # pip installs the project itself
    assert f"--python {target}/bin/python --no-deps --require-hashes" in (tmp_path / "calls").read_text()
    assert (target / ".ready").exists()


def test_pip_installs_where_uv_fails(
    environment: ModuleType, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    program(tmp_path / "uv", f'echo "uv $*" >> {tmp_path}/calls; echo "no route to the index" >&2; exit 2')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    environment.make(target)
    assert calls(tmp_path) == ["uv", "pip", "pip"]
    assert "no route to the index" in capfd.readouterr().err
    assert (target / ".ready").exists()


def test_pip_installs_where_there_is_no_uv(
    environment: ModuleType, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(environment.shutil, "which", lambda _: None)
    environment.make(target)
    assert calls(tmp_path) == ["pip", "pip"]
    shown = capfd.readouterr()
    assert shown.out == ""  # `make -s env` prints only what a shell evaluates
    assert "Python packages (pip" in shown.err


def test_an_environment_that_cannot_be_filled_is_not_ready(
    environment: ModuleType, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(target / "bin/python", "exit 1")
    monkeypatch.setattr(environment.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit):
        environment.make(target)
    assert not (target / ".ready").exists()
