"""What people live through with the bot, from the first day."""

from datetime import UTC

from config.sample import GROUP
from core.access.model import Reader, Role
from core.access.service import access_project
from ingest.imports.telegram_import import TelegramImport
from tests.bot.conftest import Desk


async def import_sample(desk: Desk) -> None:
    reader = Reader(tenant_id=desk.tenant_id, member_id=None, role=Role.OWNER)
    project = await access_project(desk.runtime.database, reader, None)
    await TelegramImport(desk.runtime.database, desk.tenant_id, project.id, desk.runtime.clock, zone=UTC).run(GROUP)


async def test_a_stranger_gets_a_polite_word_and_nothing_else(desk: Desk) -> None:
    async with desk.running():
        eve = desk.world.person("Eve", language="en")
        await eve.starts(desk.bot)
        await eve.waits_for("members only")
        for command in ("/status", "/digest", "/help", "/id", "hello"):
            await eve.types(command)
            await eve.waits_for("members only")
    assert {"members only" in message.text for message in await eve.sees() if message.text.startswith("Hello")} == {
        True
    }


async def test_who_opens_the_invitation_first_becomes_the_owner_once(desk: Desk) -> None:
    async with desk.running():
        link = await desk.invite(Role.OWNER)
        anna, eve = desk.world.person("Anna", language="en"), desk.world.person("Eve", language="en")
        await anna.starts(desk.bot, link)
        await anna.waits_for("Welcome, Anna! From now on you are the owner here")
        await eve.starts(desk.bot, link)
        await eve.waits_for("has been used")
        await anna.starts(desk.bot)
        await anna.waits_for("You are the owner here")
    assert await desk.fetchval("SELECT count(*) FROM team_members") == 1


async def test_help_shows_what_the_role_allows(desk: Desk) -> None:
    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
        max_ = await desk.member("Max", Role.MEMBER)
        await olga.types("/help")
        assert "/status" in (await olga.waits_for("What I understand")).text
        await max_.types("/help")
        assert "/status" not in (await max_.waits_for("What I understand")).text
        await max_.types("/status")
        await max_.waits_for("Your role does not allow this")


async def test_the_status_fits_one_screen(desk: Desk) -> None:
    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
        await olga.types("/status")
        told = await olga.waits_for("Postgres: ok, Redis: ok")
    assert len(told.text.splitlines()) <= 10


async def test_the_language_follows_the_person_and_can_be_changed(desk: Desk) -> None:
    async with desk.running():
        olga = await desk.member("Ольга", Role.OWNER, language="ru")
        await olga.types("/id")
        await olga.waits_for("Ваш номер")
        await olga.types("/language")
        await olga.waits_for("На каком языке")
        answer = await olga.presses("English")
        assert answer.text == "From now on I speak English."
        await olga.types("/id")
        await olga.waits_for("Your id")


async def test_a_digest_of_the_only_group_arrives_with_links(desk: Desk) -> None:
    await import_sample(desk)
    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
        await olga.types("/digest")
        told = await olga.waits_for("Лампы и люди")
    links = [entity for entity in told.formatted.entities if entity.type == "text_link"]
    assert links
    assert await desk.fetchval("SELECT count(*) FROM deliveries WHERE state <> 'sent'") == 0


async def test_a_group_nobody_knows_is_said_so_with_its_name_escaped(desk: Desk) -> None:
    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
        await olga.types("/digest")
        await olga.waits_for("There are no groups yet")
        await olga.types("/digest <b>nowhere</b> & more")
        assert "«<b>nowhere</b> & more»" in (await olga.waits_for("I do not know a group")).text


async def test_a_name_full_of_markup_stays_a_name(desk: Desk) -> None:
    async with desk.running():
        mallory = desk.world.person("<b>Mallory</b> & sons", language="en")
        await mallory.starts(desk.bot, await desk.invite(Role.MEMBER))
        await mallory.waits_for("Welcome, <b>Mallory</b> & sons!")


async def test_words_the_bot_does_not_know_get_a_hint(desk: Desk) -> None:
    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
        await olga.types("how are you")
        await olga.waits_for("I do not know this")


async def test_what_was_typed_while_the_bot_was_away_is_answered(desk: Desk) -> None:
    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
    for _ in range(3):
        await olga.types("/id")
    async with desk.running():
        for _ in range(3):
            await olga.waits_for("Your id")
    assert await desk.fetchval("SELECT count(*) FROM bot_updates WHERE state <> 'done'") == 0


async def test_lost_answers_of_telegram_repeat_nothing(desk: Desk) -> None:
    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
        desk.telegram.faults.lose_ack("sendMessage", times=1)
        await olga.types("/id")
        await olga.waits_for("Your id")
        await olga.types("/language")
        await olga.waits_for("Which language")
    texts = [message.text for message in await olga.sees()]
    assert sum("Your id" in text for text in texts) == 1
    assert await desk.fetchval("SELECT count(*) FROM deliveries WHERE state = 'unknown'") == 1


async def test_too_many_words_are_slowed_down_and_none_breaks_anything(desk: Desk) -> None:
    async with desk.running():
        olga = await desk.member("Olga", Role.OWNER)
        for _ in range(40):
            await olga.types("/id")
        await olga.waits_for("Too fast for me")
    assert await desk.fetchval("SELECT count(*) FROM bot_updates WHERE state = 'parked'") == 0
