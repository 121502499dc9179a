"""Telegram's Bot API as a service of the ledger, for all bots of this process.

The Bot API has no history and no client-side message id: an attempt whose answer got lost stays unknown.
Limits are Telegram's own words: about 30 messages a second for a bot, one a second in a chat, 20 a minute in a group
(core.telegram.org/bots/faq).
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import NamedTuple

from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    FSInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from aiohttp import ClientConnectorError

from core.delivery.adapter import Capabilities, Echo, FindResult, Limits
from core.delivery.model import Body, Delivery, Found, Kind, Outcome, State
from core.interactions.model import Channel, ConversationKind, Direction, Incoming, InteractionKind, Thread
from core.platform.ids import ProjectId

TAG = re.compile(r"<[^>]*>")
CODES = (
    ("chat not found", "chat_not_found"),
    ("bot was blocked", "blocked"),
    ("bot was kicked", "kicked"),
    ("user is deactivated", "deactivated"),
    ("not enough rights", "no_rights"),
    ("message is too long", "too_long"),
    ("caption is too long", "too_long"),
    ("text must be non-empty", "empty"),
    ("message text is empty", "empty"),
    ("thread not found", "topic_not_found"),
    ("BUTTON_DATA_INVALID", "button"),
    ("message to be replied not found", "reply_not_found"),
)
UPLOAD = "path:"
UNREADABLE = "can't parse entities"


class BotAccount(NamedTuple):
    """A bot and the project that its messages belong to."""

    bot: Bot
    project_id: ProjectId


class BotApiAdapter:
    """`accounts`: "bot:42" → the bot. Each `send` is one request, two where Telegram could not read the markup."""

    capabilities = Capabilities(
        deadline=30.0, account_limit=Limits(30, 1.0), chat_limit=Limits(1, 1.0), group_limit=Limits(20, 60.0)
    )

    def __init__(self, accounts: Mapping[str, BotAccount]) -> None:
        self._accounts = accounts

    def owns(self, account: str) -> bool:
        return account in self._accounts

    def is_group(self, destination: str) -> bool:
        return destination.startswith("-")

    async def send(self, delivery: Delivery) -> Outcome:
        bot = self._accounts[delivery.account].bot
        missing = next((name for name in delivery.body.media if _is_missing(name)), None)
        if missing is not None:
            return Outcome(
                state=State.FAILED, error_code="file_missing", error="a file to be sent is not there any more"
            )
        try:
            return await _sent(lambda: _request(bot, delivery.destination, delivery.body))
        except TelegramBadRequest as error:
            if UNREADABLE not in error.message:
                return _failed(error)
        try:  # the first request certainly did not act; the same words go out without their markup
            return await _sent(lambda: _request(bot, delivery.destination, plain(delivery.body)))
        except TelegramBadRequest as error:
            return _failed(error)

    async def find(self, delivery: Delivery, taken: frozenset[str]) -> FindResult:
        return FindResult(Found.CANNOT_TELL)

    def echo(self, delivery: Delivery, remote_id: str, at: datetime) -> Echo | None:
        """The interaction that an ingest of the same chat would store; albums are told by their first message."""
        account = self._accounts[delivery.account]
        return Echo(account.project_id, sent_message(account.bot.id, delivery, remote_id, at))


async def _sent(request: Callable[[], Awaitable[Message | list[Message]]]) -> Outcome:
    """Everything but a refused request, which the caller looks at. What may have acted is UNKNOWN."""
    try:
        answer = await request()
    except TelegramRetryAfter as error:
        return Outcome(state=State.QUEUED, retry_after=float(error.retry_after), error_code="flood")
    except TelegramMigrateToChat as error:
        return Outcome(state=State.QUEUED, moved_to=str(error.migrate_to_chat_id), error_code="migrated")
    except (TelegramForbiddenError, TelegramUnauthorizedError, TelegramNotFound, TelegramEntityTooLarge) as error:
        return _failed(error)
    except TelegramNetworkError as error:
        # Without a connection nothing was sent; with one, nobody knows.
        is_unsent = isinstance(error.__cause__, ClientConnectorError)
        state = State.QUEUED if is_unsent else State.UNKNOWN
        return Outcome(state=state, error_code="network", error=type(error.__cause__).__name__)
    except TelegramBadRequest:
        raise
    except (TelegramAPIError, ClientDecodeError) as error:  # 5xx, or a page of HTML from what stands before Telegram
        text = error.message[:200] if isinstance(error, TelegramAPIError) else "the answer was no JSON"
        return Outcome(state=State.UNKNOWN, error_code=type(error).__name__, error=text)
    messages = answer if isinstance(answer, list) else [answer]
    return Outcome(state=State.SENT, remote_id=",".join(str(message.message_id) for message in messages))


def _failed(error: TelegramAPIError) -> Outcome:
    code = next((code for words, code in CODES if words in error.message), type(error).__name__)
    return Outcome(state=State.FAILED, error_code=code, error=error.message[:200])


async def _request(bot: Bot, chat: str, body: Body) -> Message | list[Message]:
    reply = ReplyParameters(message_id=int(body.reply_to)) if body.reply_to else None
    keyboard = keyboard_of(body)
    match body.kind:
        case Kind.TEXT:
            return await bot.send_message(
                chat, body.text, parse_mode=body.parse_mode, message_thread_id=body.topic_id, reply_parameters=reply,
                reply_markup=keyboard, disable_notification=body.silent,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )  # fmt: skip
        case Kind.PHOTO:
            return await bot.send_photo(
                chat, _file(body.media[0]), caption=body.text or None, parse_mode=body.parse_mode,
                message_thread_id=body.topic_id, reply_parameters=reply, reply_markup=keyboard,
                disable_notification=body.silent,
            )  # fmt: skip
        case Kind.DOCUMENT:
            return await bot.send_document(
                chat, _file(body.media[0]), caption=body.text or None, parse_mode=body.parse_mode,
                message_thread_id=body.topic_id, reply_parameters=reply, reply_markup=keyboard,
                disable_notification=body.silent,
            )  # fmt: skip
        case Kind.ALBUM:
            pictures = [
                InputMediaPhoto(
                    media=_file(name), caption=body.text if number == 0 else None, parse_mode=body.parse_mode
                )
                for number, name in enumerate(body.media)
            ]
            return await bot.send_media_group(
                chat, list(pictures), message_thread_id=body.topic_id, reply_parameters=reply,
                disable_notification=body.silent,
            )  # fmt: skip


def _is_missing(name: str) -> bool:
    return name.startswith(UPLOAD) and not Path(name.removeprefix(UPLOAD)).is_file()


def _file(name: str) -> str | InputFile:
    """ "path:…" is uploaded; anything else is a file id that Telegram knows."""
    return FSInputFile(name.removeprefix(UPLOAD)) if name.startswith(UPLOAD) else name


def keyboard_of(body: Body) -> InlineKeyboardMarkup | None:
    if not body.buttons:
        return None
    rows = [[InlineKeyboardButton(text=text, callback_data=data) for text, data in row] for row in body.buttons]
    return InlineKeyboardMarkup(inline_keyboard=rows)


def plain(body: Body) -> Body:
    """The same words without markup."""
    text = unescape(TAG.sub("", body.text)) if body.parse_mode == "HTML" else body.text
    return body.model_copy(update={"text": text, "parse_mode": None})


def sent_message(bot_id: int, delivery: Delivery, remote_id: str, at: datetime) -> Incoming:
    """A message that a bot has sent, as the store keeps it; ids of private chats and basic groups are the bot's own."""
    chat = delivery.destination
    is_numbered_by_chat = chat.startswith("-100")
    topic = f"/{delivery.body.topic_id}" if delivery.body.topic_id else ""
    is_group = chat.startswith("-")
    return Incoming(
        thread=Thread(
            Channel.GROUP if is_group else Channel.CHAT,
            ConversationKind.GROUP if is_group else ConversationKind.RECORD,
            f"tg:{chat}{topic}",
            title="",
        ),
        id_space=f"tg:{chat}" if is_numbered_by_chat else f"tg:{chat}@bot{bot_id}",
        external_id=remote_id.partition(",")[0],
        kind=InteractionKind.MESSAGE,
        direction=Direction.OUT,
        occurred_at=at,
        author_id=f"user{bot_id}",
        reply_to=delivery.body.reply_to,
        text=plain(delivery.body).text,
        media={"type": str(delivery.body.kind)} if delivery.body.media else None,
    )
