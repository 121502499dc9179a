"""Whom a message addresses: by name at its start, by handle, by a mention of somebody who speaks in the window."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from core.digests.model import Message
from core.digests.tokens import STOP_WORDS, clean, normal

MIN_ALIAS_CHARS = 3
START = re.compile(r"\s*@?([^\s:,]{1,64})(\s*[:,])?(?=\s|$|[:,!?.])")
TOKEN = re.compile(r"@?[^\s,:;!?()\"«»]+")


class Address(NamedTuple):
    """People a message names: `called` at its start or by handle, `named` anywhere else. Author ids."""

    called: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


class AddressBook:
    """The names by which the speakers of a window are called: full name, first name, handle, Telegram id."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._people: dict[str, set[str]] = defaultdict(set)
        seen: set[tuple[str | None, str | None, str | None]] = set()
        for message in messages:
            identity = (message.author_id, message.author_name, message.author_username)
            if message.author_id and identity not in seen:
                seen.add(identity)
                for alias in _aliases(message.author_name, message.author_username):
                    self._people[alias].add(message.author_id)

    def address_of(self, message: Message) -> Address:
        """Whom the message calls and names; never its own author."""
        text = clean(message.text)
        called = self._called_first(text) | _mentioned_ids(message)
        named: set[str] = set()
        for token in TOKEN.findall(text[:400]):
            people = self._lookup(token)
            if token.startswith("@"):
                called |= people
            elif _tells_a_name(token):
                named |= people
        itself = {message.author_id} if message.author_id else set()
        return Address(frozenset(called - itself), frozenset(named - called - itself))

    def _called_first(self, text: str) -> set[str]:
        match = START.match(text)
        if match is None or not (match[2] or _tells_a_name(match[1])):
            return set()
        return self._lookup(match[1])

    def _lookup(self, token: str) -> set[str]:
        return self._people.get(normal(token).lstrip("@").rstrip(".'-"), set())


def _aliases(name: str | None, username: str | None) -> set[str]:
    aliases = {normal(username)} if username else set()
    folded = normal(clean(name or "")).strip()
    if folded:
        first = folded.split()[0]
        aliases |= {folded, folded.replace(" ", "_"), folded.replace(" ", ""), first.rstrip(".,:;")}
    return {alias for alias in aliases if len(alias) >= MIN_ALIAS_CHARS}


def _tells_a_name(token: str) -> bool:
    """Whether a bare token can be taken for a name though no colon, comma or @ says so."""
    return len(token) >= MIN_ALIAS_CHARS and normal(token) not in STOP_WORDS


def _mentioned_ids(message: Message) -> set[str]:
    ids = (entity.get("user_id") or _user_of(entity) for entity in message.entities or [])
    return {f"user{number}" for number in ids if number}


def _user_of(entity: dict[str, object]) -> object:
    user = entity.get("user")
    return user.get("id") if isinstance(user, dict) else None
