"""Who writes to the bot: known by the bot's tenant and the Telegram user, through core/access."""

import hashlib
import secrets
from datetime import datetime, timedelta
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


class Person(NamedTuple):
    """`reader` is None for a stranger, who gets a polite word and nothing else."""

    user_id: int
    name: str
    language: str
    reader: Reader | None

    def may(self, permission: Permission) -> bool:
        return self.reader is not None and may(self.reader, permission)


async def know(database: Database, tenant_id: TenantId, user: User) -> Person:
    async with database.uow(tenant_id) as uow:
        chosen = await PeopleRepo(uow.db).get_language(tenant_id, user.id)
        reader = await reader_of_telegram_user(uow, user.id)
    return Person(user.id, user.full_name, chosen or language_of(user.language_code), reader)


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
