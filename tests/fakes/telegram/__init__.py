"""A fake Telegram: one world of people, chats and bots, a Bot API in front of it over HTTP, faults to switch on."""

from tests.fakes.telegram.chats import Bot, Chat, Right, Topic
from tests.fakes.telegram.faults import Fault, Faults
from tests.fakes.telegram.journal import Entry, Journal
from tests.fakes.telegram.limits import Limits
from tests.fakes.telegram.messages import CallbackAnswer, Message
from tests.fakes.telegram.person import Person, Unseen
from tests.fakes.telegram.server import FakeTelegram
from tests.fakes.telegram.world import World

__all__ = [
    "Bot",
    "CallbackAnswer",
    "Chat",
    "Entry",
    "FakeTelegram",
    "Fault",
    "Faults",
    "Journal",
    "Limits",
    "Message",
    "Person",
    "Right",
    "Topic",
    "Unseen",
    "World",
]
