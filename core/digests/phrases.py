"""Titles and keywords taken from the messages: readable phrases in their original forms, never made up."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from core.digests.model import Message
from core.digests.tokens import CYRILLIC, HANDLE, Stemming, is_content, prose, word_set

PREPOSITIONS = word_set("в во на для из по с со о об от к без под про for of in on with to from without the a")
RUN = re.compile(r"[^\W_](?:[\w'’\-]*[^\W_])?|[.,;:!?()\[\]«»\"…—–/|\n]")
OBLIQUE = re.compile(r"(?:ого|его|ому|ему|ыми|ими|ами|ями|ах|ях|ам|ям|ом|ем|ой|ей|ую|юю|ым|им|ых|их|у|ю|(?<![иоые])е)$")
VERBAL = re.compile(
    r"(?:ть|ться|тся|лся|лась|лись|чь|ешь|ишь|ете|ите|йте|ют|ут|ает|яет|ует|еет|оет|аем|яем|уем"
    r"|или|али|ели|яли|ила|ала|ела|яла|ил|ял|шёл|шел|ся|сь)$"
)
ENGLISH_VERBAL = re.compile(r"(?:ing|ed|ly|n't|'ll|'ve|'re|'d)$")
PHRASE_CHARS = 48
LONGEST = 3
SAID_ONCE = 0.7  # a word of one message says little of a topic
NAMING_STEMS = 40
OBLIQUE_GRADE = 0.6
PLAIN = 0.6


class Form(NamedTuple):
    """A word as written, its stem (empty for a preposition), and whether it reads as a thing's plain name."""

    text: str
    stem: str
    grade: float


class Keyword(NamedTuple):
    stem: str
    weight: float


class Phrase(NamedTuple):
    """A phrase as written, its stems, how many messages say it, and how name-like its form is (0..1)."""

    text: str
    stems: tuple[str, ...]
    support: int
    grade: float


class Phrasebook:
    """Runs of words between marks for every message, and the most name-like form of each stem of the window."""

    def __init__(self, messages: Iterable[Message], stemming: Stemming) -> None:
        self._runs: dict[int, list[list[Form]]] = {}
        forms: dict[str, Counter[str]] = defaultdict(Counter)
        for message in messages:
            self._runs[message.id] = [*_runs_of(message.text, stemming)]
            for run in self._runs[message.id]:
                for form in run:
                    if form.stem:
                        forms[form.stem][form.text] += 1
        self._best = {stem: _most_name_like(counts) for stem, counts in forms.items()}

    def word(self, stem: str) -> str:
        return self._best.get(stem, stem)

    def phrases(self, ids: Sequence[int]) -> Iterator[tuple[int, tuple[Form, ...]]]:
        """All phrases of one to three content words in the messages, a preposition allowed between two of them."""
        for number in ids:
            for run in self._runs.get(number, ()):
                for start in range(len(run)):
                    for end in range(start + 1, min(start + LONGEST + 1, len(run) + 1)):
                        phrase = run[start:end]
                        if phrase[0].stem and phrase[-1].stem:
                            yield number, tuple(phrase)


def keywords_of(
    ids: Sequence[int], stems: Mapping[int, tuple[str, ...]], frequency: Mapping[str, int], idf: Mapping[str, float]
) -> list[Keyword]:
    """Stems that mark these messages out, heaviest first: said in several of them, rarely elsewhere."""
    here = Counter(stem for number in ids for stem in set(stems.get(number, ())))
    weighed = [
        Keyword(stem, (count - SAID_ONCE) * idf[stem] * (count / frequency[stem]) ** 0.5)
        for stem, count in here.items()
    ]
    return sorted(weighed, key=lambda keyword: (-keyword.weight, keyword.stem))


def best_phrases(ids: Sequence[int], keywords: Sequence[Keyword], book: Phrasebook) -> list[Phrase]:
    """Phrases that could name the topic: heavy words in a plain form, said together in several of its messages."""
    weight = {keyword.stem: keyword.weight for keyword in keywords[:NAMING_STEMS]}
    said_in: dict[tuple[str, ...], set[int]] = defaultdict(set)
    written: dict[tuple[str, ...], Counter[tuple[Form, ...]]] = defaultdict(Counter)
    for number, phrase in book.phrases(ids):
        key = tuple(form.stem for form in phrase if form.stem)
        if all(stem in weight for stem in key) and len(set(key)) == len(key) > 1:
            said_in[key].add(number)
            written[key][phrase] += 1
    found: list[Phrase] = []
    for key, forms in written.items():
        form = max(forms, key=lambda written_form: (_grade(written_form), forms[written_form]))
        text = " ".join(word.text for word in form)
        if len(said_in[key]) > 1 and _grade(form) >= PLAIN and len(text) <= PHRASE_CHARS:
            found.append(Phrase(text, key, len(said_in[key]), _grade(form)))
    return found


def _grade(phrase: tuple[Form, ...]) -> float:
    """How well a phrase reads as a name: as its worst word; a case behind the first word is no fault."""
    first, *rest = (form.grade for form in phrase if form.stem)
    return min([first, *(1.0 if grade == OBLIQUE_GRADE else grade for grade in rest)])


def _runs_of(text: str, stemming: Stemming) -> Iterator[list[Form]]:
    run: list[Form] = []
    for token in RUN.findall(HANDLE.sub(" . ", prose(text))):
        form = _form_of(token, stemming)
        if form is None:
            if run:
                yield run
            run = []
        else:
            run.append(form)
    if run:
        yield run


def _form_of(token: str, stemming: Stemming) -> Form | None:
    if token.lower() in PREPOSITIONS:
        return Form(token, "", 1.0)
    if not is_content(token):
        return None
    return Form(token, stemming.stem(token), name_grade(token))


def name_grade(word: str) -> float:
    """0..1, how much a word looks like the plain name of a thing: no verb, no oblique case."""
    if not CYRILLIC.search(word):
        return 0.5 if ENGLISH_VERBAL.search(word.lower()) else 1.0
    folded = word.lower()
    if VERBAL.search(folded):
        return 0.25
    return OBLIQUE_GRADE if OBLIQUE.search(folded) else 1.0


def _most_name_like(counts: Counter[str]) -> str:
    return max(counts, key=lambda word: (name_grade(word) * counts[word] ** 0.25, counts[word], word))
