"""Whether a text asks something: a question mark in its prose, or a Russian or English question that forgot it."""

import re

from core.digests.tokens import prose

QUOTED_LINE = re.compile(r"^\s*>.*$", re.MULTILINE)
QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"\n]*\"")
MARK = re.compile(r"[?？](?!\w)")
ADDRESS = re.compile(r"^\s*(?:@\w+[\s,:]*|[^\s,:]{2,32}[,:]\s+)+")
STARTS = re.compile(
    r"""^\W*(?:(?:а|и|ну|так|кстати|ребят\w*|коллеги|народ|подскажите|скажите|скажи|so|and|also|btw|hi|hey|hello|guys|all|ok|but)[\s,]+)*
    (?:(?:кто|где|куда|откуда|когда|почему|зачем|сколько|какой|какая|какое|какие|каким|как\ бы|как\ (?:мне|нам|вы|ты|это|лучше|правильно)|чей|можно\ ли|нельзя\ ли|есть\ ли|знает\ ли|правда\ ли)\b
      |(?:кто-нибудь|кто-то|никто\ не)\ (?:знает|может|видел|пробовал|сталкивался|в\ курсе)
      |(?:подскажите|посоветуйте)\b
      |(?:who|whom|whose|where|why|how\ (?:do|does|did|can|could|would|should|to|many|much|about|come)|what(?:'s|\ is|\ are|\ do|\ does|\ would|\ about|\ kind)
         |when\ (?:is|are|do|does|will|can)|which\ (?:one|of|is)|is\ (?:there|it|this|that|anyone)|are\ (?:there|you|we)|can\ (?:i|you|we|anyone|someone|somebody)
         |could\ (?:i|you|we|anyone|someone)|does\ (?:anyone|anybody|it|this|that)|do\ (?:you|we|i)|did\ (?:you|anyone)|has\ (?:anyone|anybody)|have\ you|should\ (?:i|we)
         |would\ (?:you|it|anyone)|any\ (?:idea|ideas|one|body|chance|suggestions)|anyone\ (?:know|here|have|else|tried)|anybody\ (?:know|here|have))\b)
    """,
    re.VERBOSE | re.IGNORECASE,
)
ASIDE = re.compile(r"^\W*(?:how\ come|why\ not|who\ cares|who\ knows|кто\ знает|кто\ его\ знает|как\ знать|where\ there)\W*$", re.IGNORECASE)


def asks(text: str) -> bool:
    """Whether the text asks. Marks inside links, code and quotations do not count."""
    said = QUOTED.sub(" ", QUOTED_LINE.sub(" ", prose(text)))
    if MARK.search(said):
        return True
    return bool(STARTS.match(ADDRESS.sub("", said, count=1))) and not ASIDE.match(said)
