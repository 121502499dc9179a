"""setMessageReaction."""

from aiogram.methods import SetMessageReaction
from aiogram.types import ReactionTypeEmoji

from tests.fakes.telegram.access import access_chat, access_message
from tests.fakes.telegram.call import Call, unimplemented
from tests.fakes.telegram.errors import bad_request

ALLOWED = {
    "❤", "👍", "👎", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱", "🤬", "😢",
    "🎉", "🤩", "🤮", "💩", "🙏", "👌", "🕊", "🤡", "🥱", "🥴", "😍", "🐳",
    "❤‍🔥", "🌚", "🌭", "💯", "🤣", "⚡", "🍌", "🏆", "💔", "🤨", "😐", "🍓",
    "🍾", "💋", "🖕", "😈", "😴", "😭", "🤓", "👻", "👨‍💻", "👀", "🎃", "🙈",
    "😇", "😨", "🤝", "✍", "🤗", "🫡", "🎅", "🎄", "☃", "💅", "🤪", "🗿",
    "🆒", "💘", "🙉", "🦄", "😘", "💊", "🙊", "😎", "👾", "🤷‍♂", "🤷", "🤷‍♀",
    "😡",
}  # fmt: skip


def set_message_reaction(call: Call, method: SetMessageReaction) -> bool:
    """A bot may set one reaction; an empty list takes it back."""
    chat = access_chat(call, method.chat_id)
    message = access_message(chat, method.message_id, "react")
    emoji = tuple(_emoji(reaction) for reaction in method.reaction or [])
    if len(emoji) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    call.world.react(chat, message, call.bot.id, emoji)
    return True


def _emoji(reaction: object) -> str:
    if not isinstance(reaction, ReactionTypeEmoji):
        raise unimplemented(f"reactions of type {type(reaction).__name__}")
    if reaction.emoji not in ALLOWED:
        raise bad_request("REACTION_INVALID")
    return reaction.emoji
