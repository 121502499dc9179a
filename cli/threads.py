"""`parley threads`: who answers whom in an export, without a database."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import guarded, print_json
from core.digests.context import build_context
from core.digests.model import DigestChat, Message, Window
from core.digests.reading import message_of, topic_of_key
from core.digests.threads import build_threads
from core.digests.tokens import Stemming
from core.platform.errors import BadInput
from ingest.imports.files import open_import
from ingest.imports.telegram_export import ChatHeader, ChatNormalizer, ExportChat, ExportReader, NotAnExport, Skipped


def threads(
    path: Annotated[Path, typer.Argument(help="result.json of Telegram Desktop.")],
    _tenant: Annotated[str | None, typer.Option("--tenant", hidden=True)] = None,  # reads a file, asks no store
) -> None:
    """Print the threads of each chat of an export: lists of message ids, and (message, parent) links."""
    guarded(lambda: print_json({"chats": list(read_threads(path))}))


def read_threads(path: Path) -> Iterator[dict[str, Any]]:
    """One object for each chat; `chat_id` is the export's own."""
    with open_import(path) as file:
        try:
            for chat in ExportReader(file).chats():
                yield {"chat_id": chat.header.id, **find_threads(chat.header, _messages(chat))}
        except NotAnExport as error:
            raise BadInput(f"{path}: {error}") from error


def find_threads(header: ChatHeader, messages: list[Message]) -> dict[str, Any]:
    if not messages:
        return {"threads": [], "links": []}
    times = [message.at for message in messages]
    window = Window(start=min(times), end=max(times) + timedelta(seconds=1))
    chat = DigestChat(title=header.title, marked_id=header.marked_id)
    found = build_threads(build_context(chat, messages, window, Stemming()))
    return {"threads": [list(thread) for thread in found.threads], "links": [list(link) for link in found.links]}


def _messages(chat: ExportChat) -> list[Message]:
    normalizer = ChatNormalizer(chat.header, id_space="file")
    told = (normalizer.normalize(raw) for raw in chat.messages())
    return [message_of(one, topic_of_key(one.thread.key)) for one in told if not isinstance(one, Skipped)]
