"""Edits of messages that a bot has sent, outside the ledger: the last state wins, repeating one is harmless."""

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest

from core.delivery.bot_api import keyboard_of
from core.delivery.model import Body

SAME = "message is not modified"
GONE = ("message to edit not found", "message can't be edited")


async def edit_message(bot: Bot, chat_id: int, message_id: int, body: Body) -> bool:
    """Makes a message look like `body`; False when it is gone or too old (48 hours). Raises TelegramAPIError otherwise.

    A message that looks like that already is fine: somebody was faster.
    """
    try:
        await bot.edit_message_text(
            body.text,
            chat_id=chat_id,
            message_id=message_id,
            parse_mode=body.parse_mode,
            reply_markup=keyboard_of(body),
        )
    except TelegramBadRequest as error:
        if any(words in error.message for words in GONE):
            return False
        if SAME not in error.message:
            raise
    return True
