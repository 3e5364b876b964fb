"""A TCP proxy that can be told to misbehave: to let connections hang without a word, or to refuse them."""

from __future__ import annotations

import contextlib
import select
import socket
import threading


class Proxy:
    """Forwards every connection to one port of this machine, until it is told not to."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._refusing = threading.Event()
        self._closed = threading.Event()
        self._generation = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def freeze(self) -> None:
        """From now on nothing passes through the connections that are open; new ones work."""
        self._generation += 1

    def refuse(self, refusing: bool) -> None:
        """Cut every connection and refuse new ones, or accept them again."""
        if refusing:
            self._refusing.set()
        else:
            self._refusing.clear()

    def close(self) -> None:
        self._closed.set()
        self._refusing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing.is_set():
                client.close()
                continue
            threading.Thread(target=self._forward, args=(client, self._generation), daemon=True).start()

    def _forward(self, client: socket.socket, generation: int) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as server:
            while not self._refusing.is_set():
                ready, _, _ = select.select([client, server], [], [], 0.2)
                if generation != self._generation:
                    self._closed.wait(600)  # silent: neither data nor an end
                    return
                for source in ready:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)
