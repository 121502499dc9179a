"""The title of a topic: a phrase that its messages share, or a sentence that opens it, whichever tells more."""

import math
from collections.abc import Iterator, Mapping, Sequence

from core.digests.cues import cue
from core.digests.decisions import decided_in
from core.digests.model import Message
from core.digests.phrases import Keyword, Phrase
from core.digests.tokens import Stemming, words
from core.digests.wording import headline, sentences, without_list_mark, without_opening

OPENING = 3  # messages among which an opening sentence is sought
LATER = 0.6  # what a sentence loses by each message before it
FURTHER = 0.8  # and by each sentence before it in its own message
CUT = 0.7
NOT_PROSE = 0.3  # for a word or two, or a row of numbers
MIN_WORDS = 3
DECISION_BONUS = 1.3
DECISION_WORD = cue(
    """
    (?:мы )?(?:решили|договорились|утвердили|согласовали), решено, решение, итого, итог, decision, agreed
    we (?:have )?(?:decided|agreed)(?: (?:to|on|that))?
    """,
    before=r"^(?:[^\s,.!]+[\s,.!]+)?",
    after=r"[\s:,.!—–-]+",
)
PHRASE_BONUS = 1.4


def title_of(
    messages: Sequence[Message],
    phrases: Sequence[Phrase],
    keywords: Sequence[Keyword],
    stemming: Stemming,
    taken: set[str],
) -> str | None:
    """The best title not yet taken (compared in lower case); None when the messages have no words."""
    weight = {keyword.stem: keyword.weight for keyword in keywords}
    rated = [(_phrase_value(phrase, weight), headline(phrase.text)) for phrase in phrases]
    rated += _openings(messages[:OPENING], weight, stemming)
    rated += _decided(messages, weight, stemming)
    for _, title in sorted(rated, key=lambda item: -item[0]):
        if len(title) > 2 and title.lower() not in taken:
            return title
    return next((title for title in _last_resort(messages) if title.lower() not in taken), None)


def _phrase_value(phrase: Phrase, weight: Mapping[str, float]) -> float:
    told = sum((weight.get(stem, 0.0) for stem in phrase.stems), 0.0)
    support = math.sqrt(math.sqrt(min(phrase.support, 4)))
    return PHRASE_BONUS * phrase.grade * told / _length_cost(len(phrase.stems)) * support


def _openings(
    messages: Sequence[Message], weight: Mapping[str, float], stemming: Stemming
) -> Iterator[tuple[float, str]]:
    for place, message in enumerate(messages):
        for number, sentence in enumerate(_telling_sentences(message.text, stemming)):
            yield _sentence_value(sentence, weight, stemming) * LATER**place * FURTHER**number, headline(sentence)


def _decided(
    messages: Sequence[Message], weight: Mapping[str, float], stemming: Stemming
) -> Iterator[tuple[float, str]]:
    """What was decided names a topic well, without the word that says it was decided."""
    for message in messages:
        decided = decided_in(message.text)
        if decided is not None:
            outcome = DECISION_WORD.sub("", decided, count=1)
            yield DECISION_BONUS * _sentence_value(outcome, weight, stemming), headline(outcome)


def _sentence_value(sentence: str, weight: Mapping[str, float], stemming: Stemming) -> float:
    title = headline(sentence)
    said = words(title)
    told = sum((weight.get(stem, 0.0) for stem in set(stemming.stems(title))), 0.0)
    numbers = sum(any(char.isdigit() for char in word) for word in said)
    fullness = 1.0 if len(said) >= MIN_WORDS and numbers <= len(said) // 3 else NOT_PROSE
    return told / _length_cost(len(said)) * fullness * (CUT if title.endswith("…") else 1.0)


def _telling_sentences(text: str, stemming: Stemming) -> Iterator[str]:
    """Sentences without greeting and call; one that says little is taken together with the next."""
    held = ""
    for sentence in sentences(without_opening(text)):
        held = without_list_mark(f"{held} {sentence}".strip())
        if len(set(stemming.stems(held))) >= 2:
            yield held
            held = ""


def _length_cost(count: int) -> float:
    return math.sqrt(count + 2)


def _last_resort(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        title = headline(message.text or (message.media.description if message.media else ""))
        if len(title) > 2:
            yield title
