"""As whom a server runs: PostgreSQL refuses root, so root lends it another face."""

import ctypes
import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from config.embedded.errors import EmbeddedError

CLONE_NEWUSER = 0x10000000
UNPRIVILEGED = "nobody"


class Way(Enum):
    PLAIN = auto()
    NAMESPACE = auto()
    ACCOUNT = auto()


@dataclass(frozen=True)
class Identity:
    """`uid` and `gid` as the server sees them; in a namespace the files stay those of the account outside."""

    way: Way
    uid: int
    gid: int

    @property
    def owner(self) -> int:
        """The uid that files of the server have."""
        return self.uid if self.way is Way.ACCOUNT else os.geteuid()

    def assume(self) -> None:
        """Become it, in a child between fork and exec."""
        if self.way is Way.NAMESPACE:
            _enter_namespace(self.uid, self.gid)
        elif self.way is Way.ACCOUNT:
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)


def own() -> Identity:
    return Identity(Way.PLAIN, os.geteuid(), os.getegid())


def namespaced() -> Identity:
    """Root's files under a uid that is not 0; initdb wants one that has a name."""
    account = _unprivileged()
    return Identity(Way.NAMESPACE, account.pw_uid, account.pw_gid)


def unprivileged() -> Identity:
    account = _unprivileged()
    return Identity(Way.ACCOUNT, account.pw_uid, account.pw_gid)


def can_run(identity: Identity, program: Path) -> bool:
    """Whether the machine permits this identity and the program is within its reach."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program
            [program, "--version"], preexec_fn=identity.assume, cwd="/", capture_output=True, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(UNPRIVILEGED)
    except KeyError as error:
        raise EmbeddedError(
            "PostgreSQL does not run as root and there is no account `nobody`: "
            "run as an ordinary user or set DATABASE_URL."
        ) from error


def _enter_namespace(uid: int, gid: int) -> None:
    if sys.platform != "linux":
        raise OSError("user namespaces are Linux's")
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1", encoding="ascii")
