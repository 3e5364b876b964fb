"""How the commands end where something is missing or goes wrong: one line, an exit code, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from sqlflow_cli.app import COMMANDS

from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]


def python(code: str, *arguments: str, text: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | env,
        input=text,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    ("package", "module", "extra"),
    [
        ("typer", "sqlflow_cli.__main__", "cli"),
        ("rich", "sqlflow_cli.__main__", "cli"),
        ("sqlglot", "sqlflow_cli.__main__", "cli"),
        ("kopf", "sqlflow_operator.command", "operator"),
        ("kubernetes", "sqlflow_operator.command", "operator"),
    ],
)
def test_a_package_that_is_not_installed(package: str, module: str, extra: str) -> None:
    """As in a wheel that was installed without its extra."""
    code = f"import sys; sys.modules[{package!r}] = None; from {module} import main; main()"
    ran = python(code, "check", "-", text="SELECT 1")
    assert ran.returncode == 2
    (line,) = ran.stderr.splitlines()
    assert f"the Python package {package} is not installed: pip install 'sqlflow-operator[{extra}]'" in line


@pytest.mark.parametrize(
    ("package", "url", "extra"), [("duckdb", "duckdb://", "local"), ("psycopg", "postgresql://u@h/d", "runtime")]
)
def test_a_database_library_that_is_not_installed(package: str, url: str, extra: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from sqlflow_cli.__main__ import main; main()"
    ran = python(code, "run", "-", "--database", url, text="SELECT 1")
    assert ran.returncode == 2
    assert f"pip install 'sqlflow-operator[{extra}]'" in ran.stderr
    assert "Traceback" not in ran.stderr


JOB = """\
apiVersion: sqlflow.org/v1alpha1
kind: SQLFlowJob
metadata: {name: j, namespace: n}
spec:
  backend: argo
  dialect: sqlite
  dataSource: {secretRef: {name: s}}
  program: SELECT 1
"""


@pytest.mark.parametrize("text", ["SELECT 1", JOB], ids=["program", "manifest"])
@pytest.mark.parametrize(
    "command",
    ["check -", "graph -", "render - --backend argo", "render - --backend tekton", "run - --database sqlite://"],
)
def test_no_command_needs_the_kubernetes_client(command: str, text: str) -> None:
    """A process in which kubernetes and kopf cannot be imported."""
    code = (
        "import sys\n"
        "sys.modules['kubernetes'] = sys.modules['kopf'] = None\n"
        "from sqlflow_cli.__main__ import main; main()"
    )
    ran = python(code, *command.split(), text=text)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout


def test_an_interrupt_is_one_line() -> None:
    """While the command reads standard input, which nobody closes."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "sqlflow_cli", "check", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        status = Path(f"/proc/{process.pid}/status")
        wait_for(lambda: _catches(status.read_text(), signal.SIGINT), "the command reads its input")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def _catches(status: str, number: int) -> bool:
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    handled = bool(int(caught, 16) & 1 << number - 1)
    return handled and "sleeping" in status  # Python's own handler is there from its start


def test_a_fault_of_the_command_is_one_line_and_its_traceback_can_be_had() -> None:
    code = (
        "import sqlflow_codegen.graph as graph\n"
        "def broken(*_, **__): raise RuntimeError('first\\nsecond')\n"
        "graph.plan = broken\n"
        "from sqlflow_cli.__main__ import main; main()"
    )
    ran = python(code, "check", "-", text="SELECT 1")
    assert ran.returncode == 70
    assert ran.stderr.splitlines()[0] == "sqlflow: RuntimeError: first"
    assert "SQLFLOW_TRACEBACK=1" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Traceback" in python(code, "check", "-", text="SELECT 1", SQLFLOW_TRACEBACK="1").stderr


@pytest.mark.parametrize("content", [None, "a: [", "[]", "apiVersion: v1\nkind: Config\nclusters: 5\n"])
@pytest.mark.parametrize("script", ["operator", "loop"])
def test_no_kubeconfig(tmp_path: Path, content: str | None, script: str) -> None:
    config = tmp_path / "config"
    if content is not None:
        config.write_text(content)
    env = {"KUBECONFIG": str(config), "HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": ""}
    command = {
        "operator": [sys.executable, "-m", "sqlflow_operator.command"],
        "loop": [sys.executable, str(ROOT / "examples" / "workflow" / "loop.py"), "job"],
    }[script]
    ran = subprocess.run(
        command, env=os.environ | env, input="SELECT 1", capture_output=True, text=True, timeout=100, check=False
    )
    assert ran.returncode == 2
    (line,) = ran.stderr.splitlines()
    assert "kubeconfig" in line or "kube-config" in line


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import fluid\n@fluid.task\ndef a(:\n  pass\n", ":3: error: invalid syntax"),
        ("import fluid\nx = 1\nfluid.nothing\n", ":3: error: AttributeError"),
        ("import nowhere\n", ":1: error: ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_a_fluid_program_that_python_refuses(tmp_path: Path, program: str, words: str) -> None:
    file = tmp_path / "program.py"
    file.write_text(program)
    ran = subprocess.run(
        [sys.executable, "-m", "fluid", str(file)], capture_output=True, text=True, timeout=100, check=False
    )
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith(f"{file}{words}")


def test_the_help_imports_no_command() -> None:
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "sys.argv = ['sqlflow', '--help']\n"
        "from sqlflow_cli.__main__ import main; main()"
    )
    ran = python(code)
    assert ran.returncode == 0
    assert all(f" {name} " in ran.stdout for name in COMMANDS)
    found = [name for name in ran.stderr.split() if name.startswith("sqlflow_")]
    assert "sqlflow_cli.app" in found
    assert not [name for name in found if name.startswith(("sqlflow_cli.commands", "sqlflow_codegen.language"))]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_all_has_the_summary_of_each(name: str) -> None:
    found = getattr(import_module(f"sqlflow_cli.commands.{name}"), name)
    assert (found.info.help if isinstance(found, typer.Typer) else found.__doc__) == COMMANDS[name]
