"""Secrets at rest: encrypted with the first key of PARLEY_SECRET_KEYS, readable with any of them."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.platform.db import Connection, Repo
from core.platform.errors import Misconfigured
from core.platform.ids import TenantId


class SecretBox:
    """Raises Misconfigured for keys that are no Fernet keys (32 bytes, URL-safe base64)."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise Misconfigured(
                "PARLEY_SECRET_KEYS must hold Fernet keys, separated by commas: make one with `parley secrets new-key`."
            ) from error

    def encrypt(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def decrypt(self, ciphertext: bytes) -> str:
        try:
            return self._fernet.decrypt(ciphertext).decode()
        except InvalidToken as error:
            raise Misconfigured(
                "A stored secret cannot be read with PARLEY_SECRET_KEYS: add the key it was written with to the list."
            ) from error

    def rotate(self, ciphertext: bytes) -> bytes:
        """The same secret under the first key."""
        try:
            return self._fernet.rotate(ciphertext)
        except InvalidToken as error:
            raise Misconfigured(
                "A stored secret cannot be read with PARLEY_SECRET_KEYS: add the key it was written with to the list."
            ) from error


def new_key() -> str:
    return Fernet.generate_key().decode()


class SecretRepo(Repo):
    def __init__(self, db: Connection, box: SecretBox) -> None:
        super().__init__(db)
        self._box = box

    @staticmethod
    async def list_names(db: Connection, tenant_id: TenantId, prefix: str) -> list[str]:
        """Names of stored secrets, which are no secret: no key is needed."""
        return [row["name"] for row in await db.fetch(LIST_NAMES, tenant_id, prefix)]

    async def set_(self, tenant_id: TenantId, name: str, text: str) -> None:
        await self._db.execute(SET, tenant_id, name, self._box.encrypt(text))

    async def get(self, tenant_id: TenantId, name: str) -> str | None:
        ciphertext = await self._db.fetchval(GET, tenant_id, name)
        return None if ciphertext is None else self._box.decrypt(ciphertext)

    async def check_all(self, tenant_id: TenantId) -> int:
        """Decrypts every secret of the tenant, returns how many; raises Misconfigured for one it cannot."""
        rows = await self._db.fetch(LIST_ALL, tenant_id)
        for row in rows:
            self._box.decrypt(row["ciphertext"])
        return len(rows)

    async def rotate(self, tenant_id: TenantId) -> int:
        """Re-encrypts every secret of the tenant under the first key; returns how many."""
        rows = await self._db.fetch(LOCK_ALL, tenant_id)
        await self._db.executemany(SET, [(tenant_id, row["name"], self._box.rotate(row["ciphertext"])) for row in rows])
        return len(rows)


SET = """
INSERT INTO secrets (tenant_id, name, ciphertext) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, name) DO UPDATE SET ciphertext = excluded.ciphertext, updated_at = now()
"""
GET = "SELECT ciphertext FROM secrets WHERE tenant_id = $1 AND name = $2"
LIST_NAMES = "SELECT name FROM secrets WHERE tenant_id = $1 AND starts_with(name, $2) ORDER BY name"
LIST_ALL = "SELECT ciphertext FROM secrets WHERE tenant_id = $1"
LOCK_ALL = "SELECT name, ciphertext FROM secrets WHERE tenant_id = $1 ORDER BY name FOR UPDATE"
