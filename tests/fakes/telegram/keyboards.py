"""Keyboards under messages: what Telegram refuses in them, and what it keeps."""

from typing import Any

from aiogram.types import (
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.links import checked_url
from tests.fakes.telegram.messages import utf16

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | ForceReply
MAX_CALLBACK_BYTES = 64
MAX_COPIED = 256
MAX_BUTTONS = 100
ACTIONS = {
    "url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay",
}  # fmt: skip


def checked_markup(markup: Markup | None) -> dict[str, Any] | None:
    """The keyboard in the Bot API's JSON; empty rows go, a keyboard without buttons is none. Raises Refused."""
    if markup is None:
        return None
    shape = markup.model_dump(exclude_none=True)
    if not isinstance(markup, InlineKeyboardMarkup):
        return shape
    rows = [row for row in markup.inline_keyboard if row]
    if sum(map(len, rows)) > MAX_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    for row in rows:
        for button in row:
            _check(button)
    return {"inline_keyboard": [row for row in shape["inline_keyboard"] if row]} if rows else None


def _check(button: InlineKeyboardButton) -> None:
    if not button.text.strip():
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be non-empty')
    actions = {name for name in ACTIONS if getattr(button, name, None) is not None}
    if not actions:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if button.callback_data is not None and not 1 <= len(button.callback_data.encode()) <= MAX_CALLBACK_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if button.url is not None and checked_url(button.url) is None:
        raise bad_request(f"inline keyboard button URL '{button.url}' is invalid: Wrong HTTP URL")
    if button.web_app is not None and not button.web_app.url.startswith("https://"):
        raise bad_request(
            f"inline keyboard button Web App URL '{button.web_app.url}' is invalid: Only HTTPS links are allowed"
        )
    if button.copy_text is not None and not 1 <= utf16(button.copy_text.text) <= MAX_COPIED:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
