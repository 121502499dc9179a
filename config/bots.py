"""The bots of this installation: BOT_TOKEN makes the first, others are sources with a stored token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import ClientDecodeError, TelegramAPIError, TelegramUnauthorizedError
from aiogram.types import User
from aiogram.utils.token import TokenValidationError

from config.runtime import Runtime
from core.access.model import Reader, Role
from core.access.repo import AccessRepo, DirectoryRepo
from core.access.service import DEFAULT_TENANT, access_project, access_tenant
from core.interactions.conversation_repo import SourceRepo
from core.platform.audit import AuditRepo
from core.platform.errors import Conflict, Misconfigured, Unavailable
from core.platform.ids import ProjectId, TenantId
from core.platform.secretbox import SecretRepo

SERVICE = "telegram-bot"
DIRECTORY = "bot"
REQUEST_SECONDS = 40.0


class OwnedBot(NamedTuple):
    """A bot, the tenant it speaks for and the project its messages belong to. `account` is its name in the ledger."""

    bot: Bot
    me: User
    tenant_id: TenantId
    project_id: ProjectId

    @property
    def account(self) -> str:
        return f"bot:{self.bot.id}"


@asynccontextmanager
async def open_bots(runtime: Runtime) -> AsyncIterator[list[OwnedBot]]:
    """Every bot whose token is known. Raises Misconfigured for a token that Telegram refuses."""
    bots: list[OwnedBot] = []
    try:
        for tenant_id, token in await _tokens(runtime):
            bots.append(await own_bot(runtime, tenant_id, token))
        yield bots
    finally:
        for owned in bots:
            await owned.bot.session.close()


async def own_bot(runtime: Runtime, tenant_id: TenantId, token: str) -> OwnedBot:
    """Knows the bot by asking Telegram who it is, and enters it as a source of the tenant."""
    bot = make_bot(token, runtime.settings.telegram_api_url)
    try:
        me = await bot.get_me()
        project_id = await _enter(runtime, tenant_id, bot.id)
    except TelegramUnauthorizedError as error:
        await bot.session.close()
        raise Misconfigured("Telegram refuses the bot's token: take a new one from @BotFather.") from error
    except (TelegramAPIError, ClientDecodeError) as error:
        await bot.session.close()
        raise Unavailable(f"Telegram cannot be reached ({type(error).__name__}): check the network.") from error
    except BaseException:
        await bot.session.close()
        raise
    return OwnedBot(bot, me, tenant_id, project_id)


def make_bot(token: str, api_url: str | None) -> Bot:
    session = AiohttpSession(timeout=REQUEST_SECONDS)
    if api_url is not None:
        session.api = TelegramAPIServer.from_base(api_url.rstrip("/"))
    try:
        return Bot(token, session=session)
    except TokenValidationError as error:
        raise Misconfigured("That is no bot token: it looks like 123456:ABC…, @BotFather has it.") from error


async def store_bot(runtime: Runtime, tenant_id: TenantId, token: str) -> int:
    """Keeps a further bot's token, encrypted; returns the bot's id."""
    owned = await own_bot(runtime, tenant_id, token)
    await owned.bot.session.close()
    async with runtime.database.uow(tenant_id) as uow:
        await SecretRepo(uow.db, runtime.secret_box()).set_(tenant_id, f"{DIRECTORY}:{owned.bot.id}", token)
        await AuditRepo(uow.db).add(tenant_id, "cli", "bot.add", f"bot:{owned.bot.id}")
    return owned.bot.id


async def _tokens(runtime: Runtime) -> list[tuple[TenantId, str]]:
    found: list[tuple[TenantId, str]] = []
    if runtime.settings.bot_token is not None:
        async with runtime.database.anyone() as db:
            bot_id = runtime.settings.bot_token.partition(":")[0]
            known = await DirectoryRepo(db).find(DIRECTORY, bot_id)
        found.append((known or await _first_tenant(runtime), runtime.settings.bot_token))
    async with runtime.database.anyone() as db:
        tenants = await DirectoryRepo(db).list_tenants()
    for tenant_id in tenants.values():
        async with runtime.database.uow(tenant_id) as uow:
            names = await SecretRepo.list_names(uow.db, tenant_id, f"{DIRECTORY}:")
            if names:
                secrets = SecretRepo(uow.db, runtime.secret_box())
                found += [(tenant_id, token) for name in names if (token := await secrets.get(tenant_id, name))]
    return list(dict.fromkeys(found))


async def _first_tenant(runtime: Runtime) -> TenantId:
    """Whose bot BOT_TOKEN makes: the only tenant's, else that of the one which the first start founded."""
    async with runtime.database.anyone() as db:
        tenants = await DirectoryRepo(db).list_tenants()
    slug = DEFAULT_TENANT if len(tenants) > 1 and DEFAULT_TENANT in tenants else None
    return (await access_tenant(runtime.database, slug)).tenant_id


async def _enter(runtime: Runtime, tenant_id: TenantId, bot_id: int) -> ProjectId:
    reader = Reader(tenant_id=tenant_id, member_id=None, role=Role.OWNER)
    project = await access_project(runtime.database, reader, None)
    async with runtime.database.anyone() as db:
        owner = await DirectoryRepo(db).find(DIRECTORY, str(bot_id))
    if owner is not None and owner != tenant_id:
        raise Conflict(f"Bot {bot_id} belongs to another tenant already: use another bot.")
    async with runtime.database.uow(tenant_id) as uow:
        await SourceRepo(uow.db).add(tenant_id, project.id, SERVICE, str(bot_id), "live")
        if owner is None:
            await AccessRepo(uow.db).add_directory(tenant_id, DIRECTORY, str(bot_id))
    return project.id
