"""Where an embedded server keeps its things inside a home."""

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Service(StrEnum):
    POSTGRES = "postgres"
    REDIS = "redis"

    @property
    def label(self) -> str:
        return "PostgreSQL" if self is Service.POSTGRES else "Redis"

    @property
    def setting(self) -> str:
        """The setting that names a server of one's own instead."""
        return "DATABASE_URL" if self is Service.POSTGRES else "REDIS_URL"


@dataclass(frozen=True)
class Layout:
    """Paths of one service in one home; `home` is absolute and free of symbolic links."""

    home: Path
    service: Service

    @property
    def key(self) -> str:
        """12 hex digits that tell this home from others on the machine."""
        return hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]

    @property
    def root(self) -> Path:
        return self.home / self.service

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets" / f"{self.service}.json"

    @property
    def ready(self) -> Path:
        """Exists while the server answers; holds the path of its socket."""
        return self.root / "ready"

    @property
    def failure(self) -> Path:
        """The sentence of a supervisor that gave up."""
        return self.root / "failure"

    @property
    def start_lock(self) -> Path:
        """Held by the one user who is starting the server."""
        return self.root / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by all users; taken exclusively by a supervisor that leaves."""
        return self.root / "users.lock"

    @property
    def supervisor_lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def server_lock(self) -> Path:
        """Inherited by every process of the server: free means that none of them is alive."""
        return self.root / "server.lock"
