"""A person of two teams meets each through its own bot, and nothing of one through the other."""

from dataclasses import replace
from datetime import UTC

import pytest

from bot.people import People
from config.bots import store_bot
from config.sample import GROUP
from core.access.model import Reader, Role
from core.access.service import access_project, do_found_tenant
from core.platform.errors import Conflict
from core.platform.secretbox import new_key
from ingest.imports.telegram_import import TelegramImport
from tests.bot.conftest import Desk
from tests.fakes.telegram import Bot


async def second_team(desk: Desk) -> tuple[Desk, Desk, Bot]:
    """The first team's desk, the second one's, and its bot; both run in the same processes."""
    settings = desk.runtime.settings.model_copy(update={"parley_secret_keys": (new_key(),)})
    runtime = replace(desk.runtime, settings=settings)
    bot = desk.world.bot("other_bot")
    tenant = await do_found_tenant(runtime.database, "other", "Other")
    await store_bot(runtime, tenant.tenant_id, bot.token)
    return replace(desk, runtime=runtime), replace(desk, runtime=runtime, bot=bot, tenant_id=tenant.tenant_id), bot


async def test_each_team_is_seen_through_its_bot_only(desk: Desk) -> None:
    first, second, other = await second_team(desk)
    reader = Reader(tenant_id=first.tenant_id, member_id=None, role=Role.OWNER)
    project = await access_project(first.runtime.database, reader, None)
    await TelegramImport(first.runtime.database, first.tenant_id, project.id, first.runtime.clock, zone=UTC).run(GROUP)
    async with first.running():
        olga = await first.member("Olga", Role.OWNER)
        await olga.types("/digest")
        await olga.waits_for("Лампы и люди")
        await olga.starts(other)
        await olga.waits_for("members only")
        await olga.starts(other, await second.invite(Role.MEMBER))
        await olga.waits_for("you are a member here")
        await olga.types("/digest")
        await olga.waits_for("There are no groups yet")
        await olga.types("/status")
        await olga.waits_for("Your role does not allow this")


async def test_a_bot_belongs_to_one_tenant(desk: Desk) -> None:
    first, second, other = await second_team(desk)
    with pytest.raises(Conflict):
        await store_bot(first.runtime, first.tenant_id, other.token)
    assert second.bot is other


async def test_what_fails_for_good_is_parked_and_apologised_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ValueError("a defect")

    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
        monkeypatch.setattr(People, "know", broken)
        await olga.types("/id")
        await olga.waits_for("Something went wrong on our side")
    assert await desk.fetchval("SELECT count(*) FROM dead_letters WHERE origin = 'update'") == 1
