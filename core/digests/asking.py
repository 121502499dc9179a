"""Whether a text asks something: a question mark in its prose, or a Russian or English question that forgot it."""

import re

from core.digests.cues import any_of, cue
from core.digests.tokens import prose

QUOTED_LINE = re.compile(r"^\s*>.*$", re.MULTILINE)
QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"\n]*\"")
MARK = re.compile(r"[?？](?!\w)")
ADDRESS = re.compile(r"^\s*(?:@\w+[\s,:]*|[^\s,:]{2,32}[,:]\s+)+")
LEAD_IN = any_of(
    r"""
    а, и, ну, так, кстати, ребят\w*, коллеги, народ, скажите, скажи
    so, and, also, btw, hi, hey, hello, guys, all, ok, but
    """
)
ASKING = any_of(
    r"""
    кто, где, куда, откуда, когда, почему, зачем, сколько, какой, какая, какое, какие, каким, чей, как бы
    как (?:мне|нам|вы|ты|это|лучше|правильно), (?:можно|нельзя|есть|знает|правда) ли, подскажите, посоветуйте
    (?:кто-нибудь|кто-то|никто не) (?:знает|может|видел|пробовал|сталкивался|в курсе)
    who, whom, whose, where, why, how (?:do|does|did|can|could|would|should|to|many|much|about|come)
    what(?:'s| is| are| do| does| would| about| kind), when (?:is|are|do|does|will|can), which (?:one|of|is)
    is (?:there|it|this|that|anyone), are (?:there|you|we), (?:can|could) (?:i|you|we|anyone|someone|somebody)
    does (?:anyone|anybody|it|this|that), do (?:you|we|i), did (?:you|anyone), has (?:anyone|anybody), have you
    should (?:i|we), would (?:you|it|anyone), any (?:idea|ideas|one|body|chance|suggestions)
    (?:anyone|anybody) (?:know|here|have|else|tried)
    """
)
STARTS = re.compile(rf"^\W*(?:{LEAD_IN}[\s,]+)*{ASKING}(?!\w)", re.IGNORECASE)
ASIDE = cue(
    "how come, why not, who cares, who knows, кто (?:его )?знает, как знать",
    before=r"^\W*",
    after=r"\W*$",
)
SUBORDINATE = re.compile(r"^\W*(?:когда|где|куда|who|where|why)\b[^,]*,", re.IGNORECASE)


def asks(text: str) -> bool:
    """Whether the text asks. Marks inside links, code and quotations do not count."""
    said = QUOTED.sub(" ", QUOTED_LINE.sub(" ", prose(text)))
    if MARK.search(said):
        return True
    opening = ADDRESS.sub("", said, count=1)
    return bool(STARTS.match(opening)) and not ASIDE.match(said) and not SUBORDINATE.match(opening)
