"""getUpdates, and who is told what."""

import asyncio

import pytest
from aiogram.exceptions import TelegramConflictError
from aiogram.types import Update

from tests.fakes.conftest import Town
from tests.fakes.telegram import Person


async def texts(town: Town, offset: int | None = None) -> list[str | None]:
    updates = await town.client.get_updates(offset=offset)
    return [(update.message or update.edited_message or update.channel_post).text for update in updates]  # type: ignore[union-attr]


async def kinds(town: Town) -> list[str]:
    """Of all updates that wait; they are confirmed."""
    updates = await town.client.get_updates()
    if updates:
        await town.client.get_updates(offset=updates[-1].update_id + 1)
    return [update.event_type for update in updates]


async def anna_wrote(town: Town, *said: str) -> None:
    for text in said:
        await town.anna.types(text)


async def polling(town: Town, seconds: int = 5) -> asyncio.Task[list[Update]]:
    """A long poll that the fake has taken."""
    poll = asyncio.create_task(town.client.get_updates(timeout=seconds))
    async with asyncio.timeout(5):
        await town.telegram.api.mailbox(town.desk).polled.wait()
    return poll


async def test_updates_stay_until_an_offset_confirms_them(town: Town) -> None:
    await anna_wrote(town, "one", "two", "three")
    updates = await town.client.get_updates()
    assert await texts(town) == ["one", "two", "three"]
    assert await texts(town, updates[1].update_id) == ["two", "three"]
    assert await texts(town) == ["two", "three"]


async def test_update_ids_count_up_by_one(town: Town) -> None:
    await anna_wrote(town, "one", "two")
    first, second = await town.client.get_updates()
    assert second.update_id == first.update_id + 1


async def test_a_negative_offset_forgets_all_but_the_newest(town: Town) -> None:
    await anna_wrote(town, "one", "two", "three")
    assert await texts(town, -2) == ["two", "three"]
    assert await texts(town) == ["two", "three"]


async def test_limit(town: Town) -> None:
    await anna_wrote(town, "one", "two", "three")
    assert len(await town.client.get_updates(limit=2)) == 2


async def test_updates_are_forgotten_after_a_day(town: Town) -> None:
    await anna_wrote(town, "old")
    town.clock.forward(hours=23)
    await anna_wrote(town, "new")
    town.clock.forward(hours=2)
    assert await texts(town) == ["new"]


async def test_a_long_poll_ends_with_the_first_update(town: Town) -> None:
    poll = await polling(town)
    await anna_wrote(town, "hello")
    [update] = await poll
    assert update.message and update.message.text == "hello"


async def test_a_long_poll_ends_empty_after_its_timeout(town: Town) -> None:
    assert await town.client.get_updates(timeout=0) == []


async def test_the_second_poller_ends_the_first(town: Town) -> None:
    first = await polling(town)
    second = asyncio.create_task(town.client.get_updates(timeout=5))
    with pytest.raises(TelegramConflictError) as refused:
        await first
    assert refused.value.message == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
    await anna_wrote(town, "hello")
    assert len(await second) == 1


async def test_polling_is_refused_while_a_webhook_is_set(town: Town) -> None:
    await town.client.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(TelegramConflictError) as refused:
        await town.client.get_updates()
    assert refused.value.message == (
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    )


async def test_setting_a_webhook_ends_a_poll(town: Town) -> None:
    poll = await polling(town)
    await town.client.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook request"):
        await poll


async def test_reactions_and_members_come_when_asked_for(town: Town) -> None:
    town.world.add(town.forum, town.desk, admin=True)
    await town.anna.opens(town.forum)
    await town.client.get_updates()
    sent = await town.client.send_message(town.forum.id, "hello")
    await kinds(town)
    message = town.forum.messages[sent.message_id]
    await town.anna.reacts(message, "👍")
    assert await kinds(town) == []
    await town.client.get_updates(allowed_updates=["message_reaction", "chat_member"])
    await town.anna.reacts(message, "🔥")
    await town.anna.leaves(town.forum)
    await town.anna.joins(town.forum)
    assert await kinds(town) == ["message_reaction", "chat_member", "chat_member"]


async def test_allowed_updates_stay_until_set_again(town: Town) -> None:
    await town.client.get_updates(allowed_updates=["callback_query"])
    await anna_wrote(town, "unheard")
    assert await kinds(town) == []
    await town.client.get_updates(allowed_updates=["message"])
    await anna_wrote(town, "heard")
    assert await kinds(town) == ["message"]


GROUP = [
    ("just talk", False),
    ("/digest", True),
    ("/digest@desk_bot", True),
    ("/digest@other_bot", False),
    ("look @desk_bot here", True),
    ("look @other_bot here", False),
]


@pytest.mark.parametrize(("text", "seen"), GROUP)
async def test_privacy_mode_hides_what_is_not_for_the_bot(town: Town, text: str, seen: bool) -> None:
    await town.anna.opens(town.forum)
    await anna_wrote(town, text)
    assert await texts(town) == ([text] if seen else [])


async def test_replies_to_the_bot_are_for_it(town: Town) -> None:
    sent = await town.client.send_message(town.forum.id, "which order?")
    await town.anna.opens(town.forum)
    await town.anna.replies(town.forum.messages[sent.message_id], "the last")
    [update] = await town.client.get_updates()
    assert update.message and update.message.reply_to_message
    assert update.message.reply_to_message.text == "which order?"


async def test_administrators_see_everything(town: Town) -> None:
    town.world.add(town.forum, town.desk, admin=True)
    await kinds(town)
    await town.anna.opens(town.forum)
    await anna_wrote(town, "just talk")
    assert await texts(town) == ["just talk"]


async def test_bots_do_not_see_each_other_or_themselves(town: Town) -> None:
    other = town.world.bot("other_bot", privacy=False)
    town.world.add(town.forum, other)
    await kinds(town)
    await town.client.send_message(town.forum.id, "/digest@other_bot")
    heard = [update.message.text for update in await town.client_of(other).get_updates() if update.message]
    assert "/digest@other_bot" not in heard
    assert await kinds(town) == []


async def test_topics_are_told(town: Town) -> None:
    await town.anna.opens(town.forum, town.topic)
    await anna_wrote(town, "/digest")
    [update] = await town.client.get_updates()
    assert update.message
    assert (update.message.message_thread_id, update.message.is_topic_message) == (town.topic.id, True)


async def test_edits_blocks_and_posts_are_told(town: Town) -> None:
    message = await town.anna.types("helo")
    await town.anna.edits(message, "hello")
    await town.anna.blocks(town.desk)
    await town.boris.opens(town.channel)
    await town.boris.types("post")
    assert await kinds(town) == ["message", "edited_message", "my_chat_member", "channel_post"]


async def test_new_members_and_pins_are_told(town: Town) -> None:
    newcomer: Person = town.world.person("Vera")
    await newcomer.joins(town.forum)
    said = await newcomer.types("/hi")
    town.world.pin(town.forum, said, town.boris.id)
    joined, hello, pinned = [update.message for update in await town.client.get_updates()]
    assert joined and hello and pinned
    assert [user.first_name for user in joined.new_chat_members or []] == ["Vera"]
    assert pinned.pinned_message and pinned.pinned_message.message_id == hello.message_id
