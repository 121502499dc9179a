"""Each fault: what the caller sees, what really happened, what the journal says."""

import asyncio
import signal
import subprocess
import sys

import pytest
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError, TelegramRetryAfter

from tests.fakes.conftest import Town
from tests.fakes.telegram import Entry, Faults


def only(town: Town, method: str = "sendMessage") -> Entry:
    [entry] = town.telegram.journal.of(method)
    return entry


async def said(town: Town) -> list[str]:
    return [message.text for message in await town.anna.sees() if message.sender_id == town.desk.id]


async def test_without_faults_calls_act_and_are_acknowledged(town: Town) -> None:
    number = await town.wrote("x")
    entry = only(town)
    assert (entry.acted, entry.acknowledged, entry.message_ids, entry.fault) == (True, True, [number], None)
    assert entry.parameters["text"] == "x"


async def test_a_lost_acknowledgement_has_acted(town: Town) -> None:
    town.telegram.faults.lose_ack("sendMessage")
    with pytest.raises(TelegramNetworkError):
        await town.wrote("x")
    assert await said(town) == ["x"]
    entry = only(town)
    assert (entry.acted, entry.acknowledged, entry.fault) == (True, False, "lose_ack")
    assert town.telegram.journal.unacknowledged() == [entry]
    await town.wrote("y")
    assert await said(town) == ["x", "y"]


async def test_a_cut_connection_has_not_acted(town: Town) -> None:
    town.telegram.faults.cut("sendMessage")
    with pytest.raises(TelegramNetworkError):
        await town.wrote("x")
    assert await said(town) == []
    assert (only(town).acted, only(town).acknowledged) == (False, False)


async def test_a_late_act_happens_when_told(town: Town) -> None:
    fault = town.telegram.faults.act_late("sendMessage")
    with pytest.raises(TelegramNetworkError):
        await town.wrote("late")
    await town.wrote("early")
    assert await said(town) == ["early"]
    assert fault.act() == 1
    assert await said(town) == ["early", "late"]
    late, _ = town.telegram.journal.of("sendMessage")
    assert (late.acted, late.acknowledged, len(late.message_ids)) == (True, False, 1)
    assert fault.act() == 0


async def test_a_late_act_happens_after_its_delay(town: Town) -> None:
    town.telegram.faults.act_late("sendMessage", delay=0.01)
    with pytest.raises(TelegramNetworkError):
        await town.wrote("late")
    await town.anna.waits_for("late")


@pytest.mark.parametrize("status", [500, 502])
async def test_a_proxys_page_is_not_json(town: Town, status: int) -> None:
    town.telegram.faults.http_5xx("sendMessage", status=status)
    with pytest.raises(ClientDecodeError):
        await town.wrote("x")
    assert await said(town) == []
    assert (only(town).acted, only(town).acknowledged) == (False, True)


async def test_too_many_requests(town: Town) -> None:
    town.telegram.faults.too_many("sendMessage", retry_after=7)
    with pytest.raises(TelegramRetryAfter) as refused:
        await town.wrote("x")
    assert refused.value.retry_after == 7
    assert only(town).refusal == "429 Too Many Requests: retry after 7"


@pytest.mark.parametrize(("acts", "expected"), [(False, []), (True, ["x"])])
async def test_the_caller_is_killed_on_receipt(town: Town, acts: bool, expected: list[str]) -> None:
    saw: list[list[str]] = []

    def kill() -> None:
        saw.append([message.text for message in town.anna.chat.history() if message.sender_id == town.desk.id])

    town.telegram.faults.kill_caller(kill, "sendMessage", acts=acts)
    with pytest.raises(TelegramNetworkError):
        await town.wrote("x")
    assert saw == [expected]
    assert await said(town) == expected
    assert (only(town).acted, only(town).acknowledged) == (acts, False)


async def test_a_process_is_killed_by_its_id(town: Town) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        town.telegram.faults.kill_caller(process.pid, "sendMessage", acts=True)
        with pytest.raises(TelegramNetworkError):
            await town.wrote("x")
        assert await asyncio.to_thread(process.wait, 5) == -signal.SIGKILL


async def test_faults_end_after_their_times(town: Town) -> None:
    fault = town.telegram.faults.cut("sendMessage", times=2)
    for _ in range(2):
        with pytest.raises(TelegramNetworkError):
            await town.wrote()
    await town.wrote("through")
    assert (fault.hits, await said(town)) == (2, ["through"])


async def test_a_predicate_chooses(town: Town) -> None:
    town.telegram.faults.cut(when=lambda method, given: given.get("text") == "bad", times=None)
    await town.wrote("good")
    with pytest.raises(TelegramNetworkError):
        await town.wrote("bad")


async def test_long_polls_are_struck_only_when_named(town: Town) -> None:
    town.telegram.faults.cut()
    assert await town.client.get_updates() == []
    town.telegram.faults.clear()
    town.telegram.faults.cut("getUpdates")
    with pytest.raises(TelegramNetworkError):
        await town.client.get_updates()


async def test_a_poll_whose_answer_is_lost_has_confirmed(town: Town) -> None:
    await town.anna.types("one")
    [update] = await town.client.get_updates()
    town.telegram.faults.lose_ack("getUpdates")
    with pytest.raises(TelegramNetworkError):
        await town.client.get_updates(offset=update.update_id + 1)
    assert await town.client.get_updates() == []


def struck(seed: int) -> list[bool]:
    faults = Faults(seed)
    faults.cut(times=None, probability=0.5)
    return [faults.pick("sendMessage", {}) is not None for _ in range(64)]


def test_chance_follows_the_seed() -> None:
    assert struck(1) == struck(1) != struck(2)
    assert 16 < sum(struck(1)) < 48
