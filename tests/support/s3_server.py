"""An S3-compatible server on loopback: moto's, in a process of its own."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from tests.support.servers import free_port
from tests.support.waiting import wait_for


class S3Server:
    """A server with no buckets."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self._numbers = itertools.count(1)

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a client finds it."""
        return {
            "AWS_ACCESS_KEY_ID": "someone", "AWS_SECRET_ACCESS_KEY": "something", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
        }  # fmt: skip

    def new_bucket(self) -> str:
        """Make an empty bucket and return its name."""
        name = f"models-{next(self._numbers)}"
        self._client().create_bucket(Bucket=name)
        return name

    def answers(self) -> bool:
        try:
            self._client().list_buckets()
        except Exception:  # noqa: BLE001  (whatever the client raises while nobody listens)
            return False
        return True

    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="someone",
            aws_secret_access_key="something",
            region_name="us-east-1",
        )


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A running server."""
    server = S3Server()
    port = server.url.rpartition(":")[2]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", port]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(server.answers, "the S3 server", seconds=60)
        yield server
    finally:
        process.terminate()
        process.wait()
