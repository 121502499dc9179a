import pytest

from ingest.imports.telegram_export.media import take_media
from tests.ingest.imports.telegram_export.exports import NOT_INCLUDED, Raw

FILE: Raw = {"file": "f/1.bin", "file_size": 10, "mime_type": "m/t"}
TAKEN: Raw = {"file": "f/1.bin", "size": 10, "mime_type": "m/t"}
PLACE: Raw = {"latitude": 55.75, "longitude": 37.61}
INVOICE = {"title": "Заказ", "amount": 19900, "currency": "RUB"}


@pytest.mark.parametrize(
    ("keys", "media"),
    [
        (
            {"photo": "p/1.jpg", "photo_file_size": 7, "width": 9, "height": 8, "media_spoiler": True},
            {"type": "photo", "file": "p/1.jpg", "size": 7, "width": 9, "height": 8, "spoiler": True},
        ),
        ({"photo": NOT_INCLUDED, "width": 9}, {"type": "photo", "file_missing": NOT_INCLUDED, "width": 9}),
        (
            {"photo": "p/1.jpg", "self_destruct_period_seconds": 60},
            {"type": "photo", "file": "p/1.jpg", "self_destruct_period": 60},
        ),
        (FILE | {"media_type": "sticker", "sticker_emoji": "😀"}, TAKEN | {"type": "sticker", "emoji": "😀"}),
        (
            FILE | {"media_type": "video_message", "duration_seconds": 12},
            TAKEN | {"type": "video_message", "duration": 12},
        ),
        (
            FILE | {"media_type": "voice_message", "duration_seconds": "7"},
            TAKEN | {"type": "voice_message", "duration": 7},
        ),
        (FILE | {"media_type": "animation", "file_name": "a.mp4"}, TAKEN | {"type": "animation", "file_name": "a.mp4"}),
        (FILE | {"media_type": "video_file"}, TAKEN | {"type": "video"}),
        (
            FILE | {"media_type": "audio_file", "performer": "П", "title": "Т"},
            TAKEN | {"type": "audio", "performer": "П", "title": "Т"},
        ),
        (
            FILE | {"thumbnail": "t.jpg", "thumbnail_file_size": 4},
            TAKEN | {"type": "document", "thumbnail": "t.jpg", "thumbnail_size": 4},
        ),
        (FILE | {"media_type": "hologram"}, TAKEN | {"type": "hologram"}),
        (
            {"file": "(File unavailable, please try again later)"},
            {"type": "document", "file_missing": "(File unavailable, please try again later)"},
        ),
        ({"file": "(my) report.pdf"}, {"type": "document", "file": "(my) report.pdf"}),
        ({"media_type": "voice_message", "file": ""}, {"type": "voice_message"}),
        (
            {"contact_information": {"first_name": "Тест"}, "contact_vcard": "c.vcard", "contact_vcard_file_size": 210},
            {"type": "contact", "first_name": "Тест", "vcard": "c.vcard", "vcard_size": 210},
        ),
        ({"location_information": PLACE}, {"type": "location"} | PLACE),
        ({"location_information": None, "live_location_period_seconds": 900}, {"type": "location", "live_period": 900}),
        (
            {"place_name": "ПВЗ", "address": "ул. 1", "location_information": PLACE},
            {"type": "venue", "title": "ПВЗ", "address": "ул. 1"} | PLACE,
        ),
        ({"place_name": "ПВЗ", "address": "ул. 1"}, {"type": "venue", "title": "ПВЗ", "address": "ул. 1"}),
        (
            {"game_title": "И", "game_description": "О", "game_link": "https://t.me/g"},
            {"type": "game", "title": "И", "description": "О", "link": "https://t.me/g"},
        ),
        (
            {"invoice_information": '{\n "title": "Заказ", "amount": 19900, "currency": "RUB"}'},
            {"type": "invoice"} | INVOICE,
        ),
        ({"invoice_information": INVOICE}, {"type": "invoice"} | INVOICE),
        ({"invoice_information": "not json"}, {"type": "invoice", "value": "not json"}),
        (
            {"todo_list": {"title": "Задачи", "answers": [{"text": [{"type": "bold", "text": "а"}], "id": 1}]}},
            {"type": "todo_list", "title": "Задачи", "answers": [{"text": "а", "id": 1}]},
        ),
        ({"giveaway_information": {"quantity": 3}}, {"type": "giveaway", "quantity": 3}),
        ({"giveaway_results": {"winners": [1]}}, {"type": "giveaway_results", "winners": [1]}),
    ],
)
def test_medium_is_taken_whole(keys: Raw, media: Raw) -> None:
    extra = keys | {"via_bot": "@gif"}
    assert take_media(extra) == media
    assert extra == {"via_bot": "@gif"}


@pytest.mark.parametrize(("voters", "chosen", "closed"), [(2, True, False), ("2", "true", "false")])
def test_poll_of_any_spelling_has_numbers_and_booleans(voters: object, chosen: object, closed: object) -> None:
    answers = [
        {"text": "Пн", "voters": voters, "chosen": chosen},
        {"text": [{"type": "bold", "text": "Вт"}], "voters": "x"},
    ]
    poll = {
        "question": ["Какой ", {"type": "bold", "text": "день"}],
        "closed": closed,
        "total_voters": "3",
        "answers": answers,
    }
    assert take_media({"poll": poll}) == {
        "type": "poll",
        "question": "Какой день",
        "closed": False,
        "total_voters": 3,
        "answers": [
            {"text": "Пн", "voters": 2, "chosen": True},
            {"text": "Вт", "voters": 0, "chosen": False},
        ],
    }


def test_no_medium_takes_nothing() -> None:
    extra: Raw = {"title": "название", "duration_seconds": 5, "paid_stars_amount": 100}
    assert take_media(extra) is None
    assert len(extra) == 3


def test_two_media_then_the_second_stays_in_extra() -> None:
    extra: Raw = {"poll": {"question": "?"}, "photo": "p.jpg"}
    assert take_media(extra) == {"type": "photo", "file": "p.jpg"}
    assert list(extra) == ["poll"]
