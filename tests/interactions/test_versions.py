"""Which telling of an interaction holds: the same for every order of arrival."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from core.interactions.model import (
    Channel,
    ConversationId,
    ConversationKind,
    Direction,
    Incoming,
    InteractionId,
    InteractionKind,
    Thread,
)  # fmt: skip
from core.interactions.versions import Decision, Revision, Stored, decide

T0 = datetime(2026, 10, 1, tzinfo=UTC)
HERE, THERE = ConversationId(1), ConversationId(2)
THREAD = Thread(Channel.GROUP, ConversationKind.GROUP, "tg:-1001", "Group")


def at(hours: int) -> datetime:
    return T0 + timedelta(hours=hours)


def told(text: str = "one", edited: int | None = None, **fields: Any) -> Incoming:
    values: dict[str, Any] = {
        "thread": THREAD, "id_space": "tg:-1001", "external_id": "5", "kind": InteractionKind.MESSAGE,
        "direction": Direction.IN, "occurred_at": T0, "author_id": "user1", "author_name": "Anna", "text": text,
        "edited_at": None if edited is None else at(edited),
    }  # fmt: skip
    return Incoming(**{**values, **fields})


def stored(text: str = "one", edited: int | None = None, observed: int = 10, **fields: Any) -> Stored:
    values: dict[str, Any] = {
        "id": InteractionId(7), "conversation_id": HERE, "thread_known": True, "kind": "message", "occurred_at": T0,
        "edited_at": None if edited is None else at(edited), "observed_at": at(observed), "deleted_at": None,
        "author_id": "user1", "author_name": "Anna", "reply_to": None, "text": text, "entities": None, "media": None,
        "extra": None,
    }  # fmt: skip
    return Stored(**{**values, **fields})


def resulting(old: Stored, decision: Decision) -> Stored:
    return decision.row or old


CASES = [
    ("the same again", stored(), told(), 10, "one", None, False),
    ("the same, seen later", stored(), told(), 20, "one", None, False),
    ("an edit", stored(), told("two", edited=5), 20, "two", "one", True),
    ("an edit from an export made earlier", stored(observed=30), told("two", edited=5), 20, "two", "one", True),
    ("an older text after the edit", stored("two", edited=5), told("one"), 20, "two", "one", False),
    ("a middle edit after the last", stored("three", edited=9), told("two", edited=5), 20, "three", "two", False),
    ("a hidden edit, seen later", stored(), told("two"), 20, "two", "one", True),
    ("a hidden edit, seen earlier", stored("two"), told("one"), 5, "two", "one", False),
    ("an edit back to the first words", stored("two", edited=5), told("one", edited=9), 20, "one", "two", True),
]


@pytest.mark.parametrize(
    ("name", "old", "new", "observed", "text", "revision", "changed"), CASES, ids=[c[0] for c in CASES]
)
def test_decide(
    name: str, old: Stored, new: Incoming, observed: int, text: str, revision: str | None, changed: bool
) -> None:
    decision = decide(old, new, HERE, at(observed))
    assert resulting(old, decision).text == text, name
    assert (decision.revision.text if decision.revision else None) == revision
    assert decision.changed is changed


def test_reactions_follow_the_newest_observation() -> None:
    liked = told(extra={"reactions": [{"emoji": "+", "count": 2}]})
    assert decide(stored(observed=10), liked, HERE, at(20)).changed
    late = decide(stored(observed=30, extra={"reactions": []}), liked, HERE, at(20))
    assert late.row is None


def test_a_later_look_at_the_same_moves_only_the_time_of_looking() -> None:
    decision = decide(stored(observed=10), told(), HERE, at(20))
    assert decision.row == stored(observed=20)
    assert not decision.changed


def test_a_name_is_never_lost_to_a_deleted_account() -> None:
    decision = decide(stored(observed=10), told(author_name=None), HERE, at(20))
    assert resulting(stored(), decision).author_name == "Anna"
    filled = decide(stored(observed=30, author_name=None), told(), HERE, at(20))
    assert resulting(stored(), filled).author_name == "Anna"


def test_a_thread_once_known_stays() -> None:
    unknown = stored(thread_known=False)
    assert resulting(unknown, decide(unknown, told(), THERE, at(20))).conversation_id == THERE
    known = stored()
    assert resulting(known, decide(known, told(thread_known=False), THERE, at(20))).conversation_id == HERE


def test_an_unsupported_shell_never_hides_a_message() -> None:
    shell = told("", kind=InteractionKind.UNSUPPORTED, occurred_at=at(1))
    assert decide(stored(observed=10), shell, HERE, at(90)).row is None
    old_shell = stored("", kind="unsupported", occurred_at=at(1), observed=90)
    read = resulting(old_shell, decide(old_shell, told("one"), HERE, at(10)))
    assert (read.text, read.kind, read.occurred_at) == ("one", "message", T0)


def test_a_deleted_message_stays_deleted() -> None:
    gone = stored(deleted_at=at(3))
    assert decide(gone, told("two", edited=5), HERE, at(20)) == Decision(None, None, False)


TELLINGS = [
    (told("one"), 10),
    (told("two", edited=2), 20),
    (told("three", edited=4), 30),
    (told("two", edited=2, extra={"views": 1}), 25),
]


@pytest.mark.parametrize("order", list(permutations(range(len(TELLINGS)))))
def test_every_order_of_arrival_ends_the_same(order: tuple[int, ...]) -> None:
    first, observed = TELLINGS[order[0]]
    row = Stored(
        InteractionId(7), HERE, True, "message", T0, first.edited_at, at(observed), None, "user1", "Anna", None,
        first.text, None, None, first.extra,
    )  # fmt: skip
    revisions: set[tuple[datetime, str]] = set()
    for number in order[1:]:
        new, observed = TELLINGS[number]
        decision = decide(row, new, HERE, at(observed))
        row = decision.row or row
        if decision.revision:
            revisions.add((decision.revision.version_at, decision.revision.text))
    assert (row.text, row.edited_at) == ("three", at(4))
    assert revisions == {(T0, "one"), (at(2), "two")}


def test_a_revision_is_known_by_its_text() -> None:
    assert (
        Revision(T0, "a", None).text_hash == Revision(at(1), "a", None).text_hash != Revision(T0, "b", None).text_hash
    )
