"""PostgreSQL as a server of a home."""

import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from config.embedded.children import Launcher, environment
from config.embedded.cluster import DATABASE, Cluster
from config.embedded.directories import make_private
from config.embedded.errors import EmbeddedError
from config.embedded.identity import Identity, Way, can_run, namespaced, own, unprivileged
from config.embedded.layout import Layout

PORT = 5432  # only a part of the socket's name
ACCOUNT_DATA = Path("/var/lib/parley")  # where an account other than ours can reach its data
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "cluster_name": "parley",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "2GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
}
FAST_SETTINGS = {
    "max_connections": "100",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


@dataclass(frozen=True)
class Postgres:
    programs: Path
    cluster: Cluster
    identity: Identity
    durable: bool

    stop_signal = signal.SIGINT  # "fast": sessions are ended, everything is written out

    @property
    def folder(self) -> Path:
        return self.cluster.data

    @property
    def pid_file(self) -> Path:
        return self.folder / "postmaster.pid"

    def prepare(self, launcher: Launcher) -> None:
        self.cluster.ensure(launcher)

    def command(self, sockets: Path) -> list[str | Path]:
        settings = SETTINGS | ({} if self.durable else FAST_SETTINGS) | {"unix_socket_directories": str(sockets)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self.programs / "postgres", "-D", self.folder, *options]

    def socket(self, sockets: Path) -> Path:
        return sockets / f".s.PGSQL.{PORT}"

    def answers(self, sockets: Path) -> bool:
        done = subprocess.run(  # noqa: S603 - the wheel's own program
            [self.programs / "pg_isready", "--quiet", f"--host={sockets}", f"--port={PORT}", "--timeout=3"],
            env=environment(),
            check=False,
        )
        return done.returncode == 0


def postgres(layout: Layout, programs: Path, durable: bool) -> Postgres:
    """The server of this home, under whatever identity this account and this machine allow."""
    identity = own() if own().uid != 0 else _identity_for_root(layout, programs / "postgres")
    data = layout.data
    if identity.way is Way.ACCOUNT:
        data = _account_data(layout)
        ACCOUNT_DATA.mkdir(parents=True, exist_ok=True)
        make_private(data.parent, identity.owner)
    return Postgres(programs, Cluster(programs, data, layout.secrets, durable), identity, durable)


def dsn(socket: Path, role: str, password: str) -> str:
    """The address of database `parley` for asyncpg and libpq."""
    return f"postgresql://{role}:{password}@/{DATABASE}?{urlencode({'host': socket.parent, 'port': PORT})}"


def _identity_for_root(layout: Layout, program: Path) -> Identity:
    """A user namespace if it is permitted, else the account `nobody`; data that exist already decide."""
    if not _account_data(layout).exists() and can_run(namespaced(), program):
        return namespaced()
    if layout.data.exists():
        raise EmbeddedError(
            f"The data in {layout.root} were made where root may use user namespaces, which this machine forbids: "
            "run as an ordinary user who owns them, or set DATABASE_URL."
        )
    if not can_run(unprivileged(), program):
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and the account `nobody` cannot reach {program.parent}: "
            "run as an ordinary user or set DATABASE_URL."
        )
    return unprivileged()


def _account_data(layout: Layout) -> Path:
    return ACCOUNT_DATA / layout.key / "data"
