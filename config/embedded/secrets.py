"""Random passwords that stay in the home."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

PASSWORD_BYTES = 24


@dataclass(frozen=True)
class Passwords:
    """Passwords of the two roles: letters, digits, `-` and `_`, so they need no quoting in SQL or an address."""

    admin: str
    app: str

    @classmethod
    def random(cls) -> Self:
        return cls(secrets.token_urlsafe(PASSWORD_BYTES), secrets.token_urlsafe(PASSWORD_BYTES))

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """None if there is no such file."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def save(self, path: Path) -> None:
        write_whole(path, json.dumps(asdict(self)))


def write_whole(path: Path, text: str) -> None:
    """Write a private file so that a reader sees the old content or the new, never a part."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
