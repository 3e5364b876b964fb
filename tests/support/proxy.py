"""A proxy before a database server, which ends a client or its connection at a chosen point of what it sends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from urllib.parse import urlsplit


class Proxy:
    """Forwards the connections of one process to a server, and counts the pieces in which its data come.

    Attributes:
        url: of the proxy.
        sent: pieces that the process has sent so far.
        struck: whether it was hit.
    """

    def __init__(self, url: str, at: int = -1, share: float = 0, *, kills: bool = True) -> None:
        """Listen.

        Args:
            url: of the server.
            at: number of the piece, from 0, at which to strike.
            share: how much of that piece the server still gets.
            kills: kill the process with SIGKILL; else end its connection.
        """
        self._target = (str(urlsplit(url).hostname), urlsplit(url).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(f":{self._target[1]}/", f":{self._listener.getsockname()[1]}/")
        self.sent, self.struck = 0, False
        self._at, self._share, self._kills = at, share, kills
        self._pid = 0
        self._started = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def run(self, command: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
        """Run the process to its end; returns its exit code and standard output."""
        with subprocess.Popen(command, env=dict(env), stdout=subprocess.PIPE, text=True) as process:
            self.serve(process.pid)
            stdout, _ = process.communicate(timeout=200)
        self.close()
        return process.returncode, stdout

    def serve(self, pid: int) -> None:
        """Name the process that connects."""
        self._pid = pid
        self._started.set()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(*pair, pair[0] is client), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if counted and self.sent == self._at and not self.struck:
                    target.sendall(data[: int(len(data) * self._share)])
                    self._strike()
                    break
                self.sent += counted
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _strike(self) -> None:
        self.struck = True
        if self._kills:
            self._started.wait()
            os.kill(self._pid, signal.SIGKILL)
