"""The portable copy of the step program runs where there is nothing else: no C library, no Python, no shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlflow_codegen.portable import portable_command

RUN = """
import os, sys
os.chroot(sys.argv[1])
os.chdir("/")
misleading = dict.fromkeys(["PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH"], "/nowhere")
os.execve(sys.argv[2], sys.argv[2:], misleading)
"""


def test_it_runs_in_an_empty_root(tmp_path: Path) -> None:
    namespace = [shutil.which("unshare") or "unshare", "--user", "--map-root-user"]
    if subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("this machine has no user namespaces")
    step = [sys.executable, "-c", "from sqlflow_runtime.step import main; main()"]
    subprocess.run([*step, "--copy-to", str(tmp_path / "portable")], check=True)
    (tmp_path / "p.sql").write_text("SELECT 1")
    words = [*portable_command("/portable"), "--program", "/p.sql", "--dialect", "postgres", "--statements", "1"]
    ran = subprocess.run(
        [*namespace, sys.executable, "-c", RUN, str(tmp_path), *words], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2, ran.stderr
    assert "SQLFLOW_DATABASE_URL is not set" in ran.stdout
    code = "import ssl, socket, psycopg, pymysql, tenacity, sqlflow_runtime.databases.postgres as p; print(p.__file__)"
    start = "import sys; sys.path.insert(0, '/portable/packages'); " + code
    words = [*portable_command("/portable")[:-1], "-c", start]
    ran = subprocess.run(
        [*namespace, sys.executable, "-c", RUN, str(tmp_path), *words], capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "/portable/packages/sqlflow_runtime/databases/postgres.py", ran.stderr


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    step = [sys.executable, "-c", "from sqlflow_runtime.step import main; main()", "--copy-to", f"{tmp_path}/file"]
    ran = subprocess.run(step, capture_output=True, text=True, check=False)
    assert ran.returncode == 4
    assert ran.stderr.startswith("sqlflow-step: cannot copy to ")
