"""A throw-away MariaDB server from the machine's packages: its own folder and socket, no network."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pymysql


def installed() -> bool:
    """Whether the server and the program that makes its first files are there."""
    return shutil.which("mariadbd") is not None and shutil.which("mariadb-install-db") is not None


@contextmanager
def running() -> Iterator[str]:
    """Start a server; yields its socket. Stopped and removed at the end."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="sqlflow-my-", dir=memory if memory.is_dir() else None))
    user = _user()
    if user:
        shutil.chown(folder, user)
    data, server_socket, log = folder / "data", folder / "s", folder / "log"
    as_user = [f"--user={user}"] if user else []
    process: subprocess.Popen[bytes] | None = None
    try:
        with log.open("wb") as out:
            install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db", *as_user]
            install += ["--auth-root-authentication-method=normal"]
            subprocess.run(install, stdout=out, stderr=out, stdin=subprocess.DEVNULL, timeout=60, check=True)
            serve = [
                shutil.which("mariadbd") or "mariadbd",
                "--no-defaults",
                f"--datadir={data}",
                f"--socket={server_socket}",
            ]
            serve += ["--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"]
            serve += ["--innodb-lock-wait-timeout=20", "--lock-wait-timeout=20", "--max-connections=60", *as_user]
            process = subprocess.Popen([*serve, f"--pid-file={folder / 'pid'}"], stdout=out, stderr=out)
            _wait(process, str(server_socket), log)
        yield str(server_socket)
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], name: str, log: Path) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with closing(socket.socket(socket.AF_UNIX)) as probe, suppress(OSError):
            probe.connect(name)
            pymysql.connect(unix_socket=name, user="root", ssl_disabled=True).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"MariaDB did not start: {log.read_text(errors='replace')[-2000:]}")


def _user() -> str:
    """MariaDB refuses to run as root."""
    if os.geteuid() != 0:
        return ""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "mysql" if "mysql" in names else "nobody"
