"""Rule scores of a digest: is the talk covered, does every claim stand on messages, do links hold, is it short."""

from collections import Counter
from collections.abc import Iterator

from core.digests.linking import rarities
from core.digests.links import is_valid
from core.digests.model import ContextArtifact, EvaluationArtifact, Quality, SynthesisArtifact
from core.digests.tokens import Stemming

SALIENT_STEMS = 40
FAIR_CHARS = 6000  # of titles, summaries, decisions and questions together


def evaluate(context: ContextArtifact, synthesis: SynthesisArtifact, stemming: Stemming) -> EvaluationArtifact:
    """An ungrounded claim or a broken link lowers the overall score in proportion; the rest is an average."""
    grounded = _share(set(ids) <= {*context.stems} and bool(ids) for ids in _claimed_ids(synthesis))
    links = _share(is_valid(url) for url in _urls(synthesis))
    coverage = _coverage(context, synthesis, stemming)
    length = min(1.0, FAIR_CHARS / max(1, sum(map(len, _texts(synthesis)))))
    overall = grounded * links * (0.8 * coverage + 0.2 * length)
    return EvaluationArtifact(
        quality=Quality(
            coverage=round(coverage, 3),
            grounded=round(grounded, 3),
            links=round(links, 3),
            length=round(length, 3),
            overall=round(overall, 3),
        )
    )


def _coverage(context: ContextArtifact, synthesis: SynthesisArtifact, stemming: Stemming) -> float:
    """The share, by weight, of the window's most salient stems that the digest's own words hold."""
    frequency = Counter(stem for stems in context.stems.values() for stem in set(stems))
    idf = rarities(context.stems.values())
    weights = {stem: count * idf[stem] for stem, count in frequency.items()}
    salient = sorted(weights, key=lambda stem: (-weights[stem], stem))[:SALIENT_STEMS]
    told = {stem for text in _texts(synthesis) for stem in stemming.stems(text)}
    whole = sum(weights[stem] for stem in salient)
    return sum(weights[stem] for stem in salient if stem in told) / whole if whole else 1.0


def _texts(synthesis: SynthesisArtifact) -> Iterator[str]:
    for topic in synthesis.topics:
        yield from (topic.title, topic.summary, *topic.keywords)
        yield from (evidence.text for evidence in topic.evidence)
    yield from (claim.text for claim in (*synthesis.decisions, *synthesis.open_questions))


def _claimed_ids(synthesis: SynthesisArtifact) -> Iterator[tuple[int, ...]]:
    for topic in synthesis.topics:
        yield topic.message_ids
        yield from (evidence.message_ids for evidence in topic.evidence)
        yield from (action.message_ids for action in topic.actions)
    yield from (claim.message_ids for claim in (*synthesis.decisions, *synthesis.open_questions))
    yield from (person.message_ids for person in synthesis.participants)


def _urls(synthesis: SynthesisArtifact) -> Iterator[str]:
    yield from (topic.url for topic in synthesis.topics if topic.url is not None)
    claims = (*synthesis.decisions, *synthesis.open_questions)
    yield from (claim.url for claim in claims if claim.url is not None)


def _share(checks: Iterator[bool]) -> float:
    results = list(checks)
    return sum(results) / len(results) if results else 1.0
