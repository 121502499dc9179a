"""The whole digest: the contract, evidence, hostile messages, and the shape of its cost."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.texts import load_texts
from core.digests.markup import Fragment, Section, plain, split_parts
from core.digests.model import Digest, DigestChat, Message, Mode, Skipped, Window
from core.digests.pipeline import build_digest, mode_of
from core.digests.terminal import as_text
from tests.digests.chats import DAY, GROUP, START, crowd, ids, message, talk, workshop
from tests.digests.telegram_html import check

KEYS = {
    "status", "reason", "chat", "digest_id", "window", "mode", "stats", "topics", "open_questions", "decisions",
    "participants", "baseline_delta", "quality", "html", "provider",
}  # fmt: skip
TOPIC_KEYS = {"title", "summary", "status", "decision", "owners", "actions", "message_ids", "evidence"}


def digest_of(messages: list[Message], chat: DigestChat = GROUP) -> Digest:
    digest = build_digest(chat, messages, DAY, load_texts)
    assert isinstance(digest, Digest)
    return digest


def claimed_ids(digest: Digest) -> set[int]:
    topics = digest.topics
    lists = [topic.message_ids for topic in topics]
    lists += [evidence.message_ids for topic in topics for evidence in topic.evidence]
    lists += [action.message_ids for topic in topics for action in topic.actions]
    lists += [claim.message_ids for claim in (*digest.decisions, *digest.open_questions)]
    lists += [person.message_ids for person in digest.participants]
    assert all(lists)
    return {number for numbers in lists for number in numbers}


def test_json_has_the_keys_of_the_contract() -> None:
    told = json.loads(digest_of(workshop()).model_dump_json())
    assert set(told) == KEYS
    assert all(set(topic) >= TOPIC_KEYS for topic in told["topics"])
    assert set(told["decisions"][0]) == {"text", "author", "message_ids", "url"}
    assert (told["status"], told["provider"], told["mode"]) == ("ready", "local", "micro")


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "empty_window"),
        ([message(1, "Анна", "вошла", kind="service")], "empty_window"),
        (talk(*[("Анна", "слово дело")] * 7), "too_few_messages"),
        ([message(n, "Бот", f"новость{n} дня", is_bot=True) for n in range(1, 20)], "too_few_messages"),
    ],
)
def test_nothing_to_say_is_skipped(messages: list[Message], reason: str) -> None:
    skipped = build_digest(GROUP, messages, DAY, load_texts)
    assert skipped.model_dump() == {"status": "skipped", "reason": reason}


def test_min_messages_is_the_callers() -> None:
    assert isinstance(build_digest(GROUP, workshop()[:3], DAY, load_texts, min_messages=3), Digest)
    assert isinstance(build_digest(GROUP, workshop(), DAY, load_texts, min_messages=13), Skipped)


@pytest.mark.parametrize(
    ("messages", "mode"), [(20, Mode.MICRO), (21, Mode.NORMAL), (150, Mode.NORMAL), (151, Mode.LARGE)]
)
def test_mode_is_by_size(messages: int, mode: Mode) -> None:
    assert mode_of(messages) is mode


def test_workshop_reads_well() -> None:
    digest = digest_of(workshop())
    assert [claim.message_ids for claim in digest.decisions] == [(7,)]
    assert [claim.message_ids for claim in digest.open_questions] == [(9,), (11,)]
    assert {person.name for person in digest.participants} == {"Марина", "Тимур", "Костя", "Sam", "Зоя", "Вика"}
    assert (digest.stats.messages, digest.stats.people) == (12, 6)
    assert digest.quality.grounded == digest.quality.links == 1.0
    shown = check(digest.html)
    for expected in (
        "Решения и договорённости",
        "сбор в 9:30 у ворот",
        "Вопросы без ответа",
        "12 сообщений · 6 участников",
    ):
        assert expected in shown


def test_every_claim_stands_on_messages_of_the_window() -> None:
    lines = [*crowd(600), message(5000, "Анна", "Решили: завтра выходной у всех", minute=2000)]
    assert claimed_ids(digest_of(lines)) <= ids(line for line in lines if DAY.holds(line.at))


def test_quotations_are_the_words_of_their_messages() -> None:
    lines = crowd(300)
    said = {line.id: f"{line.author_name}: {line.text}" for line in lines}
    for topic in digest_of(lines).topics:
        assert 1 <= len(topic.evidence) <= 4
        for evidence in topic.evidence:
            assert evidence.text.removesuffix("…") in said[evidence.message_ids[0]]


def test_same_messages_in_any_order_give_the_same_digest() -> None:
    lines = crowd(200)
    assert digest_of(lines) == digest_of(lines[::-1])


def test_basic_group_shows_author_and_local_time_instead_of_links() -> None:
    basic = DigestChat(title="Двор", marked_id=-77)
    digest = build_digest(basic, workshop(), DAY, load_texts, zone=ZoneInfo("Asia/Tokyo"))
    assert isinstance(digest, Digest)
    assert "<a " not in "".join(digest.html)
    assert "Марина, 18:07" in check(digest.html)


def test_language_follows_the_chat_or_its_hint() -> None:
    english = talk(*[(f"Ann{n % 3}", f"the delivery of box {n} is late again") for n in range(10)])
    assert "10 messages" in check(digest_of(english).html)
    hinted = GROUP.model_copy(update={"language": "ru"})
    assert "10 сообщений" in check(digest_of(english, hinted).html)


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1 сообщение"), (3, "3 сообщения"), (11, "11 сообщений"), (21, "21 сообщение")]
)
def test_russian_plurals(count: int, text: str) -> None:
    assert load_texts("ru")("digest-messages", count=count) == text


def test_texts_have_the_same_keys_in_both_languages_and_refuse_others() -> None:
    with pytest.raises(ValueError, match="no texts"):
        load_texts("xx")
    with pytest.raises(LookupError):
        load_texts("en")("no-such-key")


HOSTILE = [
    "<b>жирный</b> & <script>alert(1)</script> &lt;",
    "</b></a></i>" * 50,
    "\u202eперевёрнутый\u202c \u2066текст\u2069 \u200b\u200b",
    "я" * 100_000,
    "слово " * 20_000,
    "👨‍👩‍👧‍👦" * 3000 + "?",
    "Z̴̧̢̛͔̯͓͛͐" * 400,
    "\ud83d одиночка \x00\x07\x1b[31m\x9b",
    "@" * 5000,
    "a@" * 5000,
    '"><a href="x">' * 100 + "?",
    "Решили: <i>" + "длинно " * 3000,
    "?" * 10_000,
    "https://" * 3000,
    "\n".join(["- пункт & <ul>"] * 1000),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_never_breaks_the_html(text: str) -> None:
    names = ["<b>Анна</b>", "Бо\u202eрис", "&amp;", "", "😀" * 300, "a\nb"]
    lines = [
        message(n, names[n % 6], f"{text} {n}" if n % 2 else f"{n} {text}", reply_to=n - 1 if n % 3 else None)
        for n in range(1, 31)
    ]
    shown = check(digest_of(lines, DigestChat(title=text, marked_id=-1001234567890)).html)
    assert not set(shown) & set("\u202e\u202a\u2066\u200b\x00\x07\x1b\x9b")
    json.dumps(shown).encode()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=300)), min_size=8, max_size=25))
def test_any_text_gives_valid_html(lines: list[tuple[str, str]]) -> None:
    digest = build_digest(GROUP, talk(*lines), DAY, load_texts, min_messages=1)
    if isinstance(digest, Digest):
        check(digest.html)
        assert claimed_ids(digest) <= set(range(1, len(lines) + 1))


def test_five_hundred_subjects_fit() -> None:
    lines = [
        message(
            n,
            f"Автор{n % 40}",
            f"предмет{n // 4} вещь{n // 4} обсудим срок{n} и цену{n * 3}",
            minute=n / 2,
            reply_to=n - 1 if n % 4 else None,
        )
        for n in range(1, 2001)
    ]
    digest = digest_of(lines)
    check(digest.html)
    assert 4 <= len(digest.topics) <= 7


def test_parts_break_between_sections_then_lines() -> None:
    short, long = Section((plain("a" * 30),) * 2), Section((plain("b" * 40),) * 5)
    parts = split_parts([short, short, long], limit=100)
    assert [part.count("\n") for part in parts] == [1, 1, 1, 1, 0]
    assert all(len(part) <= 100 for part in parts)
    with pytest.raises(ValueError, match="fits no part"):
        split_parts([Section((Fragment("<b>x</b>", 101),))], limit=100)


def test_many_long_sections_make_several_parts() -> None:
    wide = [plain("&" * 400) for _ in range(40)]
    parts = split_parts([Section(tuple(wide))])
    assert check(parts).count("&") == 16_000
    assert len(parts) == 4


def test_terminal_text_has_links_below_lines_and_no_markup() -> None:
    text = as_text(digest_of(workshop()).html, width=60)
    assert "\n  https://t.me/c/1234567890/7\n" in text
    assert "<" not in text
    assert all(len(line) <= 60 for line in text.splitlines() if "https://" not in line)


def test_messages_are_compared_with_a_bounded_number_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the messages ask for ten times the comparisons, whatever the machine's speed."""
    compared = {count: _comparisons(monkeypatch, count) for count in (300, 3000)}
    assert compared[3000] <= 11 * compared[300]


def _comparisons(monkeypatch: pytest.MonkeyPatch, count: int) -> int:
    calls = 0

    def counted(one: frozenset[str], other: frozenset[str], idf: dict[str, float]) -> float:
        nonlocal calls
        calls += 1
        return 0.0

    monkeypatch.setattr("core.digests.threads.shared_weight", counted)
    window = Window(start=START, end=START + timedelta(days=30))
    build_digest(GROUP, crowd(count), window, load_texts)
    return calls
