"""What happened in each chat with the bot, in the order in which its person saw it."""

from enum import StrEnum
from typing import NamedTuple

from tests.fakes.telegram import Bot, Chat, Message, World
from tests.fakes.telegram.events import ButtonPressed, Event, MessageEdited, MessagesDeleted, MessageSent, QueryAnswered
from tests.fakes.telegram.messages import CallbackQuery, Formatted

QUOTED = 40  # characters


class Kind(StrEnum):
    MESSAGE = "message"
    EDIT = "edit"
    DELETION = "deletion"
    TAP = "tap"
    ALERT = "alert"
    TROUBLE = "trouble"


class Line(NamedTuple):
    """Something to see. `who` is empty for what nobody in the chat did; `rows` are the texts of the buttons."""

    kind: Kind
    who: str
    said: Formatted
    rows: tuple[tuple[str, ...], ...] = ()
    quote: str = ""
    file: str = ""


class Transcript:
    """Listens to the world. Words that are to be hidden, such as an invitation's token, are not written down."""

    def __init__(self, world: World, bot: Bot) -> None:
        self.chats: dict[str, list[Line]] = {}
        self._world = world
        self._bot = bot
        self._secrets: list[str] = []
        world.listen(self._note)

    def open(self, name: str) -> None:
        self.chats.setdefault(name, [])

    def hide(self, secret: str) -> None:
        self._secrets.append(secret)

    def trouble(self, text: str) -> None:
        """In every chat, for any may be struck."""
        for lines in self.chats.values():
            lines.append(Line(Kind.TROUBLE, "", Formatted(text)))

    def _note(self, event: Event) -> None:
        match event:
            case MessageSent(chat, message):
                self._add(chat, self._message(Kind.MESSAGE, chat, message))
            case MessageEdited(chat, _, message):
                self._add(chat, self._message(Kind.EDIT, chat, message))
            case MessagesDeleted(chat, messages, by):
                for message in messages:
                    self._add(chat, Line(Kind.DELETION, self._name(by), Formatted(short(message.text))))
            case ButtonPressed(query):
                self._add(self._chat(query), self._tap(query))
            case QueryAnswered(query) if query.answer and query.answer.text:
                self._add(self._chat(query), Line(Kind.ALERT, self._name(query.bot_id), Formatted(query.answer.text)))
            case _:
                pass  # who blocked or joined is told by what the bot says to it

    def _add(self, chat: Chat, line: Line) -> None:
        if chat.is_private:
            self.chats.setdefault(self._name(chat.other(self._bot.id)), []).append(line)

    def _message(self, kind: Kind, chat: Chat, message: Message) -> Line:
        replied = chat.messages.get(message.reply_to or 0)
        return Line(
            kind,
            self._name(message.sender_id),
            self._public(message.formatted),
            _rows(message),
            short(replied.text) if replied else "",
            f"{message.media.kind} {message.media.name}" if message.media else "",
        )

    def _tap(self, query: CallbackQuery) -> Line:
        buttons = self._chat(query).messages[query.message_id].inline_buttons
        text = next(button["text"] for button in buttons if button.get("callback_data") == query.data)
        return Line(Kind.TAP, self._name(query.person_id), Formatted(text))

    def _chat(self, query: CallbackQuery) -> Chat:
        return self._world.private(query.person_id, query.bot_id)

    def _name(self, user_id: int) -> str:
        return self._world.users[user_id].first_name

    def _public(self, said: Formatted) -> Formatted:
        hidden = next((secret for secret in self._secrets if secret in said.text), None)
        return said if hidden is None else Formatted(said.text.replace(hidden, "…"))


def _rows(message: Message) -> tuple[tuple[str, ...], ...]:
    rows = (message.markup or {}).get("inline_keyboard", [])
    return tuple(tuple(button["text"] for button in row) for row in rows)


def short(text: str) -> str:
    """A text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else f"{line[: QUOTED - 1]}…"
