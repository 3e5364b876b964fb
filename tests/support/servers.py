"""Throw-away PostgreSQL and MariaDB servers from the machine's packages, each with a folder and a port of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import psycopg
import pymysql
from pymysql.connections import Connection

from tests.support.waiting import wait_for

PASSWORD = "canary-p@ss/w0rd %#1"
"""With every character that a URL treats specially; must never appear in any output."""


@dataclass(frozen=True)
class _Server:
    folder: Path
    port: int
    scheme: ClassVar[str]
    database: ClassVar[str]

    def url(self, database: str | None = None, user: str = "tester", password: str = PASSWORD) -> str:
        name = self.database if database is None else database
        return f"{self.scheme}://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{name}"


class Server(_Server):
    """A throw-away PostgreSQL server."""

    scheme = "postgresql+psycopg"
    database = "postgres"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the tests' own, as superuser, over the socket."""
        return psycopg.connect(host=str(self.folder), port=self.port, user="tester", dbname=database, autocommit=True)


def programs() -> Path | None:
    """The folder of initdb and postgres, or None."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


@contextmanager
def running(folder_of_programs: Path, *, durable: bool = False, settings: str = "") -> Iterator[Server]:
    """A server; `durable` gives it the settings of a real one, on a disk: each commit waits for it.

    `settings` are further options of `postgres`.
    """
    # A short path: a socket's name has at most about a hundred bytes.
    folder = Path(tempfile.mkdtemp(prefix="sqlflow-pg-", dir=None if durable else _memory()))
    user = _user()
    if user is not None:
        shutil.chown(folder, user)
    server = Server(folder, free_port())
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)

    def call(program: str, *arguments: str) -> None:
        with (folder / "out").open("ab") as out:
            done = subprocess.run(
                [folder_of_programs / program, "-D", folder / "data", *arguments],
                user=user,
                group=pwd.getpwnam(user).pw_gid if user else None,
                cwd=folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=60,
                check=False,
            )
        assert done.returncode == 0, (folder / "out").read_text(errors="replace")

    try:
        initdb = ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
        call("initdb", "--username=tester", f"--pwfile={password}", *initdb)
        options = f"-p {server.port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=50"
        options += f" -c max_prepared_transactions=4 -c fsync={'on' if durable else 'off'} {settings}"
        call("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            call("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> Path | None:
    """A folder in memory, where there is one: these servers need no disk."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else None


def _user(name: str = "postgres") -> str | None:
    """Who runs the server: neither wants to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return name if name in names else "nobody"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class MariaServer(_Server):
    """A throw-away MariaDB server."""

    scheme = "mysql+pymysql"
    database = "test"

    def connect(self, **options: Any) -> Connection:
        """A connection of the tests' own, as superuser, over the socket."""
        return pymysql.connect(unix_socket=str(self.folder / "socket"), user="root", autocommit=True, **options)


def maria_programs() -> tuple[str, str] | None:
    """Paths of mariadb-install-db and mariadbd, or None."""
    install = shutil.which("mariadb-install-db")
    server = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    return (install, server) if install and server else None


@contextmanager
def maria_running(install: str, program: str) -> Iterator[MariaServer]:
    folder = Path(tempfile.mkdtemp(prefix="sqlflow-my-", dir=_memory()))
    user = _user("mysql")
    if user is not None:
        shutil.chown(folder, user)
    server = MariaServer(folder, free_port())
    options = {"user": user, "cwd": folder, "stdin": subprocess.DEVNULL, "env": {"PATH": os.environ["PATH"]}}
    common = ["--no-defaults", f"--datadir={folder}/data"]
    with (folder / "out").open("ab") as out:
        done = subprocess.run(
            [install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
            **options, stdout=out, stderr=out, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (folder / "out").read_text(errors="replace")
        sockets = [f"--socket={folder}/socket", f"--port={server.port}", "--bind-address=127.0.0.1"]
        small = ["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--skip-name-resolve"]
        small += ["--innodb-buffer-pool-size=64M", "--max-connections=60"]
        process = subprocess.Popen(
            [program, *common, *sockets, *small, f"--pid-file={folder}/pid"], **options, stdout=out, stderr=out
        )
    try:
        wait_for((folder / "socket").exists, "MariaDB listens", 60)
        with server.connect() as admin, admin.cursor() as cursor:
            cursor.execute("CREATE USER tester IDENTIFIED BY %s", (PASSWORD,))
            cursor.execute("GRANT ALL ON *.* TO tester")
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)
