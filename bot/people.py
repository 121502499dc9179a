"""Who writes to the bot: known by the bot's tenant and the Telegram user, through core/access."""

import hashlib
import secrets
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from aiogram.types import User

from bot.repo import InviteRepo, PeopleRepo
from config.texts import LANGUAGES
from core.access.model import Permission, Reader, Role
from core.access.permissions import may
from core.access.repo import AccessRepo
from core.access.service import reader_of_telegram_user
from core.platform.audit import AuditRepo
from core.platform.db import Database, UnitOfWork
from core.platform.ids import TenantId

INVITE_LIFETIME = timedelta(days=7)
DEFAULT_LANGUAGE = "en"
MAX_AGE = 2.0  # seconds
REMEMBERED = 10_000


class Person(NamedTuple):
    """`reader` is None for a stranger, who gets a polite word and nothing else."""

    user_id: int
    name: str
    language: str
    reader: Reader | None

    def may(self, permission: Permission) -> bool:
        return self.reader is not None and may(self.reader, permission)


class People:
    """Whom a bot knows. A person is read anew after MAX_AGE seconds: a right that was taken away ends by then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[TenantId, int], tuple[float, Person]] = {}

    async def know(self, tenant_id: TenantId, user: User) -> Person:
        read_at, person = self._known.get((tenant_id, user.id), (0.0, None))
        if person is not None and monotonic() - read_at < MAX_AGE:
            return person
        async with self._database.uow(tenant_id) as uow:
            chosen = await PeopleRepo(uow.db).get_language(tenant_id, user.id)
            reader = await reader_of_telegram_user(uow, user.id)
        person = Person(user.id, user.full_name, chosen or language_of(user.language_code), reader)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[tenant_id, user.id] = (monotonic(), person)
        return person

    def forget(self, tenant_id: TenantId, user_id: int) -> None:
        """Something about the person has just changed."""
        self._known.pop((tenant_id, user_id), None)


def language_of(code: str | None) -> str:
    """The language of a Telegram app ("ru-RU"), if the bot speaks it."""
    short = (code or "").split("-")[0].lower()
    return short if short in LANGUAGES else DEFAULT_LANGUAGE


async def make_invite(uow: UnitOfWork, role: Role, now: datetime) -> str:
    """The token of a link that makes one person a member, once, within a week."""
    token = secrets.token_urlsafe(24)
    await InviteRepo(uow.db).add(uow.tenant_id, _hash(token), role, now + INVITE_LIFETIME)
    return token


async def use_invite(uow: UnitOfWork, token: str, user: User, now: datetime) -> Role | None:
    """Makes the person a member in the invitation's role; None for a link that is no good (any more)."""
    role = await InviteRepo(uow.db).use(uow.tenant_id, _hash(token), user.id, now)
    if role is None:
        return None
    access = AccessRepo(uow.db)
    member_id = await access.get_member_by_telegram(uow.tenant_id, user.id)
    if member_id is None:
        member_id = await access.add_member(uow.tenant_id, user.full_name, user.id)
    if member_id is None:  # somebody else has that name
        member_id = await access.add_member(uow.tenant_id, f"{user.full_name} {user.id}", user.id)
    if member_id is not None:
        await access.set_role(uow.tenant_id, member_id, None, role)
        await AuditRepo(uow.db).add(uow.tenant_id, f"member:{member_id}", "invite.use", f"member:{member_id}")
    return role


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
