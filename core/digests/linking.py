"""Which earlier message a message answers: what speaks for each candidate, one weighted sum, the best one wins.

A message that answers nothing is linked to itself. The weights were fitted as a logistic choice among the candidates
of each message, on public chat logs whose replies were annotated by people, and rounded.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from core.digests.addressing import Address
from core.digests.asking import asks
from core.digests.model import Message
from core.digests.tokens import normal, word_set, words

GREETINGS = word_set(
    """
    hi hello hey howdy greetings anyone anybody everyone guys
    привет здравствуйте приветствую народ ребята коллеги
    """
)
BACKCHANNELS = word_set(
    """
    thanks thx ty thank ok okay yes no yeah yep nope ah oh lol cool right sure
    спасибо спс ок окей да нет ага понял поняла ясно угу круто супер отлично плюс
    """
)
PAUSE = 300.0  # seconds after which the talk has moved on, unless somebody is called back to it

Weights = Mapping[str, float]


class Line(NamedTuple):
    """A message as linking sees it: `number` is its place in the talk, `silence` the seconds since the line before."""

    message: Message
    number: int
    address: Address
    stems: frozenset[str]
    asks: bool
    words: int
    greets: bool
    backchannel: bool
    new_speaker: bool
    silence: float


class Latest(NamedTuple):
    """Numbers of the latest lines that matter to one line: by speaker, and calling this line's speaker by caller."""

    by_author: dict[str, int]
    calls_me: dict[str, int]


def read_line(
    message: Message, number: int, address: Address, stems: tuple[str, ...], *, new_speaker: bool, silence: float
) -> Line:
    said = [normal(word) for word in words(message.text)]
    return Line(
        message=message,
        number=number,
        address=address,
        stems=frozenset(stems),
        asks=asks(message.text),
        words=len(said),
        greets=not GREETINGS.isdisjoint(said[:2]),
        backchannel=not BACKCHANNELS.isdisjoint(said[:2]),
        new_speaker=new_speaker,
        silence=silence,
    )


def traits_of_root(line: Line) -> Iterator[tuple[str, float]]:
    """What speaks for a line answering nothing."""
    yield "root", 1.0
    yield "root_silence", math.log1p(max(0.0, line.silence))
    if line.asks:
        yield "root_asks", 1.0
    if line.greets:
        yield "root_greets", 1.0
    if line.backchannel:
        yield "root_backchannel", 1.0
    if line.new_speaker:
        yield "root_new_speaker", 1.0
        if line.asks:
            yield "root_new_speaker_asks", 1.0
    if line.address.called:
        yield "root_calls", 1.0
    elif line.address.named:
        yield "root_names", 1.0
    if line.words > 10:
        yield "root_long", 1.0
    elif line.words < 4:
        yield "root_short", 1.0


def traits_of_parent(line: Line, parent: Line, latest: Latest, overlap: float) -> Iterator[tuple[str, float]]:
    """What speaks for a line answering an earlier one; `overlap` is the weight of their shared words, 0..1."""
    gap = max(0.0, (line.message.at - parent.message.at).total_seconds())
    yield "gap", math.log1p(gap)
    if gap > PAUSE:
        yield "pause", math.log(gap / PAUSE)
    yield "distance", math.log(line.number - parent.number)
    if line.number - parent.number == 1:
        yield "previous", 1.0
    if overlap:
        yield "overlap", overlap
    if parent.asks:
        yield "parent_asks", 1.0
    if parent.greets:
        yield "parent_greets", 1.0
    if parent.backchannel:
        yield "parent_backchannel", 1.0
    if parent.message.author_id == line.message.author_id:
        yield from _same_speaker(line, parent, latest)
    else:
        yield from _other_speaker(line, parent, latest)


def _same_speaker(line: Line, parent: Line, latest: Latest) -> Iterator[tuple[str, float]]:
    yield "same", 1.0
    if latest.by_author.get(line.message.author_id or "") == parent.number:
        yield "same_latest", 1.0
        if line.number - parent.number == 1:
            yield "same_previous", 1.0
    if line.address.called and line.address.called & parent.address.called:
        yield "same_calls_alike", 1.0
    elif line.address.called:
        yield "same_calls_anew", 1.0
    elif parent.address.called:
        yield "same_called_before", 1.0
    if line.asks:
        yield "same_asks", 1.0
    if line.greets:
        yield "same_greets", 1.0
    if parent.asks:
        yield "same_asked", 1.0


def _other_speaker(line: Line, parent: Line, latest: Latest) -> Iterator[tuple[str, float]]:
    author = parent.message.author_id or ""
    is_latest = latest.by_author.get(author) == parent.number
    calls_me = (line.message.author_id or "") in parent.address.called
    calls_me_latest = calls_me and latest.calls_me.get(author) == parent.number
    if is_latest:
        yield "other_latest", 1.0
        if line.backchannel:
            yield "backchannel_latest", 1.0
    yield from _calling(line, author, is_latest=is_latest, calls_me=calls_me, calls_me_latest=calls_me_latest)
    yield from _called(line, parent, calls_me=calls_me, calls_me_latest=calls_me_latest)
    yield from _asking(line, parent)


def _calling(
    line: Line, author: str, *, is_latest: bool, calls_me: bool, calls_me_latest: bool
) -> Iterator[tuple[str, float]]:
    """What the names in the line say about answering `author`."""
    if author in line.address.called:
        yield "calls", 1.0
        if is_latest:
            yield "calls_latest", 1.0
        if calls_me:
            yield "calls_back", 1.0
        if calls_me_latest:
            yield "calls_back_latest", 1.0
    elif line.address.called:
        yield "calls_another", 1.0
    elif author in line.address.named:
        yield "names", 1.0


def _called(line: Line, parent: Line, *, calls_me: bool, calls_me_latest: bool) -> Iterator[tuple[str, float]]:
    """What the names in the parent say about being answered by the line."""
    if calls_me and not line.address.called:
        yield "called_by", 1.0
        if calls_me_latest:
            yield "called_by_latest", 1.0
    elif parent.address.called and not calls_me:
        yield "parent_calls_another", 1.0
        if parent.address.called & line.address.called:
            yield "call_alike", 1.0


def _asking(line: Line, parent: Line) -> Iterator[tuple[str, float]]:
    if parent.asks and not line.asks:
        yield "answers", 1.0
    if line.new_speaker:
        yield "new_speaker_joins", 1.0
        if line.asks:
            yield "new_speaker_asks", 1.0
    elif line.asks:
        yield "other_asks", 1.0


def score(traits: Iterator[tuple[str, float]], weights: Weights) -> float:
    return sum(weights[name] * value for name, value in traits)


def rarity(texts: int, in_texts: int) -> float:
    """Inverse document frequency of a word, above 0."""
    return math.log(1 + texts / in_texts)


def shared_weight(one: frozenset[str], other: frozenset[str], idf: Mapping[str, float]) -> float:
    """How much of the rarer wording two lines share, 0..1 (Dice coefficient weighted by rarity)."""
    shared = one & other
    if not shared:
        return 0.0
    whole = sum(idf[stem] for stem in one) + sum(idf[stem] for stem in other)
    return 2 * sum(idf[stem] for stem in shared) / whole


def rarities(texts: Iterable[tuple[str, ...]]) -> dict[str, float]:
    """Inverse document frequency of every stem of a window."""
    total = 0
    frequency: Counter[str] = Counter()
    for stems in texts:
        total += 1
        frequency.update(set(stems))
    return {stem: rarity(total, count) for stem, count in frequency.items()}
