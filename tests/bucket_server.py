"""A server that speaks S3, for tests: moto's, in a process of its own, over real HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import DEVNULL

import pytest

ADDRESS = "s3://club/rowing"


@contextmanager
def bucket_server(patch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server with one empty bucket, and an environment in which it is found; answers where it listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listens = f"http://127.0.0.1:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL": listens,
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        patch.setenv(name, value)
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL) as server:
        try:
            _await(port)
            import s3fs

            s3fs.S3FileSystem(skip_instance_cache=True).mkdir("club", region_name="eu-central-1")
            yield listens
        finally:
            server.kill()


def _await(port: int) -> None:
    """Wait until somebody listens there."""
    until_s = time.monotonic() + 60.0
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.1)
