"""What a message carries beside its text."""

import json
from typing import Any

from ingest.imports.telegram_export.scalars import truth, whole
from ingest.imports.telegram_export.text import plain_text

FILE_TYPES = {"video_file": "video", "audio_file": "audio"}
WHOLE_KEYS = {
    "file_size": "size",
    "photo_file_size": "size",
    "duration_seconds": "duration",
    "width": "width",
    "height": "height",
    "thumbnail_file_size": "thumbnail_size",
    "self_destruct_period_seconds": "self_destruct_period",
}
PLAIN_KEYS = {
    "file_name": "file_name",
    "mime_type": "mime_type",
    "sticker_emoji": "emoji",
}
AUDIO_KEYS = {"performer": "performer", "title": "title"}
GAME_KEYS = {"game_title": "title", "game_description": "description", "game_link": "link"}

Media = dict[str, Any]


def take_media(extra: dict[str, Any]) -> Media | None:
    """Move the keys of a message's medium, the first if it has several, out of `extra`.

    Sizes are in bytes, periods in seconds.
    """
    for signs, take in TAKERS:
        if not signs.isdisjoint(extra):
            return take(extra)
    return None


def take_file(extra: dict[str, Any]) -> Media:
    kind = extra.pop("media_type", None)
    path_key = "photo" if kind is None and "photo" in extra else "file"
    media: Media = {"type": "photo" if path_key == "photo" else FILE_TYPES.get(str(kind), str(kind or "document"))}
    _take_path(extra, path_key, "file", media)
    _take_path(extra, "thumbnail", "thumbnail", media)
    for key, name in WHOLE_KEYS.items():
        if (number := whole(extra.get(key))) is not None:
            media[name] = number
            del extra[key]
    for key, name in (PLAIN_KEYS | AUDIO_KEYS if kind == "audio_file" else PLAIN_KEYS).items():
        if value := extra.pop(key, None):
            media[name] = value
    if truth(extra.pop("media_spoiler", None)):
        media["spoiler"] = True
    return media


def _take_path(extra: dict[str, Any], key: str, name: str, media: Media) -> None:
    """A file that was not exported has a reason in brackets where its path would be."""
    path = extra.pop(key, None)
    if isinstance(path, str) and path:
        media[f"{name}_missing" if path.startswith("(File ") else name] = path


def take_contact(extra: dict[str, Any]) -> Media:
    media = _as_dict(extra.pop("contact_information"))
    _take_path(extra, "contact_vcard", "vcard", media)
    if (size := whole(extra.pop("contact_vcard_file_size", None))) is not None:
        media["vcard_size"] = size
    return media | {"type": "contact"}


def take_place(extra: dict[str, Any]) -> Media:
    kind = "location" if {"place_name", "address"}.isdisjoint(extra) else "venue"
    media = _as_dict(extra.pop("location_information", None)) | {"type": kind}
    for key, name in (("place_name", "title"), ("address", "address"), ("live_location_period_seconds", "live_period")):
        if value := extra.pop(key, None):
            media[name] = value
    return media


def take_game(extra: dict[str, Any]) -> Media:
    found = {name: extra.pop(key, None) for key, name in GAME_KEYS.items()}
    return {"type": "game"} | {name: value for name, value in found.items() if value}


def take_invoice(extra: dict[str, Any]) -> Media:
    """Telegram Desktop writes the invoice as a string of JSON, other tools as an object."""
    raw = extra.pop("invoice_information")
    try:
        invoice = json.loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        invoice = raw
    return _as_dict(invoice) | {"type": "invoice"}


def take_poll(extra: dict[str, Any]) -> Media:
    poll = _as_dict(extra.pop("poll"))
    return poll | {
        "type": "poll",
        "question": plain_text(poll.get("question")),
        "closed": truth(poll.get("closed")),
        "total_voters": whole(poll.get("total_voters")) or 0,
        "answers": [_answer(answer) for answer in _as_list(poll.get("answers"))],
    }


def _answer(raw: object) -> dict[str, Any]:
    answer = raw if isinstance(raw, dict) else {"text": raw}
    return answer | {
        "text": plain_text(answer.get("text")),
        "voters": whole(answer.get("voters")) or 0,
        "chosen": truth(answer.get("chosen")),
    }


def take_todo(extra: dict[str, Any]) -> Media:
    todo = _as_dict(extra.pop("todo_list"))
    answers = [_as_dict(answer) for answer in _as_list(todo.get("answers"))]
    return todo | {
        "type": "todo_list",
        "title": plain_text(todo.get("title")),
        "answers": [answer | {"text": plain_text(answer.get("text"))} for answer in answers],
    }


def take_giveaway(extra: dict[str, Any]) -> Media:
    if "giveaway_information" in extra:
        return _as_dict(extra.pop("giveaway_information")) | {"type": "giveaway"}
    return _as_dict(extra.pop("giveaway_results")) | {"type": "giveaway_results"}


def _as_dict(value: object) -> dict[str, Any]:
    """A copy of an object; anything else is kept under "value"."""
    if isinstance(value, dict):
        return dict(value)
    return {} if value is None else {"value": value}


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


TAKERS = (
    (frozenset({"photo", "file", "media_type"}), take_file),
    (frozenset({"contact_information"}), take_contact),
    (frozenset({"location_information", "live_location_period_seconds", "place_name"}), take_place),
    (frozenset({"game_title", "game_link"}), take_game),
    (frozenset({"invoice_information"}), take_invoice),
    (frozenset({"poll"}), take_poll),
    (frozenset({"todo_list"}), take_todo),
    (frozenset({"giveaway_information", "giveaway_results"}), take_giveaway),
)
