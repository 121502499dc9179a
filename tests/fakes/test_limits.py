"""Telegram's limits, with a clock that the test moves."""

import pytest
from aiogram.exceptions import TelegramRetryAfter

from tests.fakes.conftest import Town


async def sends(town: Town, chat_id: int, messages: int) -> int | None:
    """The seconds to wait when one is refused."""
    for _ in range(messages):
        try:
            await town.client.send_message(chat_id, "x")
        except TelegramRetryAfter as refused:
            return refused.retry_after
    return None


@pytest.fixture(autouse=True)
def _limited(town: Town) -> None:
    town.world.limits.enabled = True


async def test_a_short_burst_passes_in_a_private_chat(town: Town) -> None:
    assert await sends(town, town.anna.id, 5) is None
    for _ in range(3):
        assert await sends(town, town.anna.id, 1) == 1
        town.clock.forward(seconds=1)
        assert await sends(town, town.anna.id, 1) is None
    town.clock.forward(seconds=5)
    assert await sends(town, town.anna.id, 5) is None


async def test_one_a_second_goes_on_for_ever(town: Town) -> None:
    for _ in range(60):
        assert await sends(town, town.anna.id, 1) is None
        town.clock.forward(seconds=1)


async def test_twenty_a_minute_in_a_group(town: Town) -> None:
    assert await sends(town, town.forum.id, 20) is None
    town.clock.forward(seconds=15)
    assert await sends(town, town.forum.id, 1) == 45
    assert await sends(town, town.group.id, 1) is None
    town.clock.forward(seconds=45)
    assert await sends(town, town.forum.id, 1) is None


async def test_thirty_a_second_for_the_bot(town: Town) -> None:
    people = [town.world.person(f"Person {n}") for n in range(31)]
    for person in people:
        await person.starts(town.desk)
    assert [await sends(town, person.id, 1) for person in people] == [None] * 30 + [1]
    other = town.world.bot("other_bot")
    await town.anna.starts(other)
    assert (await town.client_of(other).send_message(town.anna.id, "x")).text == "x"


async def test_a_refused_call_is_not_counted_and_changes_nothing(town: Town) -> None:
    await sends(town, town.anna.id, 5)
    for _ in range(3):
        assert await sends(town, town.anna.id, 1) == 1
    assert len(town.telegram.journal.acted("sendMessage")) == 5


async def test_edits_count(town: Town) -> None:
    number = await town.wrote("0")
    for n in range(1, 5):
        await town.client.edit_message_text(str(n), chat_id=town.anna.id, message_id=number)
    with pytest.raises(TelegramRetryAfter):
        await town.client.edit_message_text("5", chat_id=town.anna.id, message_id=number)


async def test_limits_can_be_switched_off(town: Town) -> None:
    town.world.limits.off()
    assert await sends(town, town.forum.id, 40) is None
