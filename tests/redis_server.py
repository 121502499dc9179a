"""A Redis of a test's own, that may be killed, stopped and started again."""

import signal
import subprocess
from pathlib import Path
from typing import Self

from redis import Redis
from redis.exceptions import RedisError

from config.embedded.binaries import redis_program


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{folder}/redis.sock"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        command = [
            str(redis_program(None)),
            "--port",
            "0",
            "--unixsocket",
            str(self._folder / "redis.sock"),
            "--save",
            "",
        ]
        self._process = subprocess.Popen([*command, "--dir", str(self._folder)], stdout=subprocess.DEVNULL)
        while not self._answers():
            pass

    def kill(self) -> None:
        """As the out-of-memory killer would; everything in it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        with Redis.from_url(self.url) as client:
            client.flushall()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    def _answers(self) -> bool:
        with Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except (RedisError, OSError):
                return False
