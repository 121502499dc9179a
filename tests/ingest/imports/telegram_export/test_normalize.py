from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.interactions.model import Channel, Direction, Incoming, InteractionKind
from ingest.imports.telegram_export import Skipped
from ingest.imports.telegram_export.normalize import ChatNormalizer
from tests.ingest.imports.telegram_export.exports import (
    ANNA,
    BORIS,
    NOON,
    NOT_INCLUDED,
    Raw,
    message,
    message_of_2019,
    message_of_2021,
    normalizer,
    service,
)

MOSCOW = ZoneInfo("Europe/Moscow")
AT_NOON = datetime(2025, 1, 1, 9, tzinfo=UTC)


def taken(raw: Raw, chat: ChatNormalizer | None = None) -> Incoming:
    result = (chat or normalizer()).normalize(raw)
    assert isinstance(result, Incoming)
    return result


def test_message_of_today_has_every_field() -> None:
    raw = message(8, "Едет", reply_to_message_id=7, edited="2025-01-01T12:06:40", edited_unixtime=str(NOON + 400))
    before = dict(raw)
    chat = normalizer()
    assert chat.normalize(raw) == Incoming(
        thread=taken(message(1), chat).thread,
        id_space="space",
        external_id="8",
        kind=InteractionKind.MESSAGE,
        direction=Direction.IN,
        occurred_at=AT_NOON,
        edited_at=AT_NOON + timedelta(seconds=400),
        author_id="user5000000001",
        author_name="Анна Тестова",
        reply_to="7",
        text="Едет",
    )
    assert raw == before


def test_channels_and_kinds() -> None:
    assert taken(message(1), normalizer("personal_chat", 7)).thread.channel is Channel.CHAT
    assert taken(service(1, "pin_message")).kind is InteractionKind.SERVICE
    assert taken({"id": 1, "type": "unsupported"}).kind is InteractionKind.UNSUPPORTED


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ({"id": 1, "action": "new"}, "service"),
        ({"id": 1, "actor": "Анна"}, "service"),
        ({"id": 1, "file": "1.jpg"}, "message"),
        ({"id": 1, "text": "a"}, "message"),
        ({"id": 1, "type": "hologram", "text": "a"}, "message"),
        ({"id": 1, "type": "hologram"}, "unsupported"),
        ({"id": 1}, "unsupported"),
    ],
)
def test_type_when_absent_or_new_then_told_by_the_keys(raw: Raw, kind: str) -> None:
    assert taken(raw).kind == kind


@pytest.mark.parametrize(("number", "external_id"), [(5, "5"), ("5", "5"), (-999999999, "-999999999"), (5.0, "5")])
def test_id_of_any_spelling_is_taken(number: object, external_id: str) -> None:
    assert taken(message(1) | {"id": number}).external_id == external_id


@pytest.mark.parametrize("number", [None, "x", True, 1.5, [], 1 << 63, "9" * 40])
def test_id_when_unusable_then_skipped(number: object) -> None:
    result = normalizer().normalize(message(1) | {"id": number})
    assert isinstance(result, Skipped)
    assert result.where == "chat Склад"
    assert "usable id" in result.why


@pytest.mark.parametrize(
    ("raw", "occurred_at"),
    [
        (message(1), AT_NOON),
        (message(1) | {"date_unixtime": NOON}, AT_NOON),
        (message_of_2019(1), datetime(2019, 3, 1, 9, tzinfo=UTC)),
        (message_of_2021(1), datetime(2021, 6, 1, 9, tzinfo=UTC)),
        (message_of_2021(1) | {"date": "2021-06-01T12:00:00+05:00"}, datetime(2021, 6, 1, 7, tzinfo=UTC)),
    ],
)
def test_time_of_any_age_is_utc(raw: Raw, occurred_at: datetime) -> None:
    result = taken(raw, normalizer(zone=MOSCOW))
    assert (result.occurred_at, result.occurred_at.tzinfo, result.extra) == (occurred_at, UTC, None)


def test_time_when_missing_then_that_of_the_message_before() -> None:
    chat = normalizer()
    first, _, third = (taken(raw, chat) for raw in ({"id": 1, "type": "unsupported"}, message(2), {"id": 3}))
    assert (first.occurred_at, first.extra) == (datetime(1970, 1, 1, tzinfo=UTC), {"date_inferred": True})
    assert (third.occurred_at, third.extra) == (AT_NOON, {"date_inferred": True})


@pytest.mark.parametrize("date", ["soon", "0001-01-01T00:00:00"])
def test_time_when_unusable_then_kept_in_extra(date: str) -> None:
    result = taken(message_of_2021(1, date=date), normalizer(zone=MOSCOW))
    assert result.extra == {"date_inferred": True, "date": date}


def test_time_when_beyond_the_calendar_then_inferred() -> None:
    raw = message(1, date_unixtime="9" * 18)
    assert taken(raw).extra == {"date_inferred": True, "date": raw["date"]}


@pytest.mark.parametrize(
    ("keys", "edited_at"),
    [
        ({"edited": "1970-01-01T03:00:00"}, None),
        ({"edited": "1969-12-31T19:00:00"}, None),
        ({"edited": "2021-06-01T12:00:00"}, datetime(2021, 6, 1, 9, tzinfo=UTC)),
        ({"edited_unixtime": "0", "edited": "1970-01-01T03:00:00"}, None),
        ({}, None),
    ],
)
def test_edited_at_the_epoch_means_never(keys: Raw, edited_at: datetime | None) -> None:
    assert taken(message_of_2021(1, **keys), normalizer(zone=MOSCOW)).edited_at == edited_at


@pytest.mark.parametrize(
    ("raw", "kind", "author"),
    [
        (message(1), "public_supergroup", ("user5000000001", "Анна Тестова")),
        (message(1) | {"from": None}, "public_supergroup", ("user5000000001", None)),
        (message(1) | {"from": None, "from_id": None}, "public_supergroup", (None, None)),
        (message(1) | {"from_id": "channel9"}, "public_supergroup", ("channel9", "Анна Тестова")),
        (message_of_2019(1, from_id=44), "public_supergroup", ("user44", "Анна Тестова")),
        (message_of_2019(1) | {"from_id": "44"}, "public_supergroup", ("user44", "Анна Тестова")),
        (message_of_2019(1, from_id=1234567890), "public_channel", ("channel1234567890", "Анна Тестова")),
        (message_of_2019(1, from_id=1234567890), "personal_chat", ("user1234567890", "Анна Тестова")),
        (service(1, "pin_message"), "public_supergroup", ("user5000000001", "Анна Тестова")),
        (
            {"id": 1, "type": "service", "action": "send_payment"} | BORIS,
            "bot_chat",
            ("user5000000002", "Boris Sample"),
        ),
        ({"id": 1, "type": "service", "action": "send_payment"}, "bot_chat", (None, None)),
    ],
)
def test_author_of_any_age_is_known(raw: Raw, kind: str, author: tuple[str | None, str | None]) -> None:
    result = taken(raw, normalizer(kind))
    assert (result.author_id, result.author_name) == author


def test_proximity_keeps_the_other_side_in_extra() -> None:
    keys = {"action": "proximity_reached", "to": "Анна", "to_id": "user1", "distance": 120}
    result = taken({"id": 1, "type": "service", "date_unixtime": str(NOON), **BORIS, **keys})
    assert (result.author_id, result.extra) == ("user5000000002", keys)


def test_direction_is_out_for_the_exporting_account_only() -> None:
    chat = normalizer(account_id=5000000002)
    assert taken(message(1, **BORIS), chat).direction is Direction.OUT
    assert taken(message(2, **ANNA), chat).direction is Direction.IN
    assert taken(message(3) | {"from_id": None}).direction is Direction.IN


@pytest.mark.parametrize(
    ("keys", "reply_to", "extra"),
    [
        ({"reply_to_message_id": 7}, "7", None),
        ({"reply_to_message_id": "7"}, "7", None),
        ({"reply_to_message_id": -999999998}, "-999999998", None),
        (
            {"reply_to_message_id": 7, "reply_to_peer_id": "channel1600000001"},
            None,
            {"reply_to_message_id": 7, "reply_to_peer_id": "channel1600000001"},
        ),
        (
            {"reply_to_message_id": 7, "reply_to_peer_id": "channel1234567890"},
            "7",
            {"reply_to_peer_id": "channel1234567890"},
        ),
        ({"reply_to_message_id": "x"}, None, {"reply_to_message_id": "x"}),
    ],
)
def test_reply_to_another_chat_is_told_in_extra_only(keys: Raw, reply_to: str | None, extra: Raw | None) -> None:
    result = taken(message(8, **keys))
    assert (result.reply_to, result.extra) == (reply_to, extra)


@pytest.mark.parametrize(
    "keys",
    [
        {"author": "Логист"},
        {"via_bot": "@gif"},
        {"forwarded_from": "Новости", "forwarded_from_id": "channel16", "saved_from": "Новости"},
        {"forwarded_from": None, "forwarded_from_id": "user5"},
        {"forwarded_from": None},
        {"inline_bot_buttons": [[{"type": "callback", "text": "Да", "data": "", "dataBase64": "-_8B"}]]},
        {"paid_stars_amount": 100},
        {"key_of_the_future": {"a": [1]}, "flag": False, "count": 0},
    ],
)
def test_key_without_a_place_is_kept(keys: Raw) -> None:
    assert taken(message(1, **keys)).extra == keys


def test_service_keys_are_kept_under_their_names_and_empty_ones_dropped() -> None:
    raw = service(6, "invite_members", members=["Вика", None], inviter=None, title="", photo="p.jpg", width=640)
    result = taken(raw)
    assert result.extra == {"action": "invite_members", "members": ["Вика", None], "photo": "p.jpg", "width": 640}
    assert (result.media, result.text) == (None, "")
    assert taken(service(7, None, information_text="x")).extra == {"information_text": "x"}


def test_reactions_lose_their_recent_people() -> None:
    recent = [{"from": "Boris", "from_id": "user5", "date": "2025-01-01T12:00:50"}]
    emoji = {"type": "emoji", "count": 3, "emoji": "👍"}
    paid = {"type": "paid", "count": 5}
    result = taken(message(1, reactions=[emoji | {"recent": recent}, paid]))
    assert result.extra == {"reactions": [emoji, paid]}


def test_rich_message_is_text_and_stays_in_extra() -> None:
    rich = {"rtl": False, "part": False, "blocks": [{"type": "paragraph", "text": "абзац"}]}
    raw = {key: value for key, value in message(1, rich_message=rich).items() if not key.startswith("text")}
    result = taken(raw)
    assert (result.text, result.entities, result.extra) == ("абзац", None, {"rich_message": rich})


def test_caption_and_media_are_apart() -> None:
    result = taken(message(1, "подпись", photo=NOT_INCLUDED, width=5))
    assert (result.text, result.media) == ("подпись", {"type": "photo", "file_missing": NOT_INCLUDED, "width": 5})
    poll = taken(message(2, "", poll={"question": "Когда?"}))
    assert poll.text == ""
    assert poll.media is not None
    assert poll.media["question"] == "Когда?"


def photo(number: int, *, at: int = NOON, **keys: object) -> Raw:
    return message(number, "", at=at, photo="p.jpg", **keys)


@pytest.mark.parametrize(
    ("messages", "albums"),
    [
        ([photo(1), photo(2), photo(3, file="v.mp4", media_type="video_file")], [None, "1", "1"]),
        ([photo(1), photo(2, at=NOON + 1), photo(3, at=NOON + 1)], [None, None, "2"]),
        ([photo(1), photo(2, **BORIS)], [None, None]),
        ([photo(1), message(2), photo(3)], [None, None, None]),
        ([photo(1), message(2, file="a.zip"), photo(3)], [None, None, None]),
        ([photo(1, from_id=None), photo(2, from_id=None)], [None, None]),
    ],
)
def test_album_is_neighbours_of_one_author_and_second(messages: list[Raw], albums: list[str | None]) -> None:
    chat = normalizer()
    assert [(taken(raw, chat).extra or {}).get("album") for raw in messages] == albums
