"""Lists of cue phrases made into regular expressions."""

import re

PHRASE_BORDER = re.compile(r"\s*[,\n]\s*")


def any_of(phrases: str) -> str:
    """One group that matches any of the phrases, which are divided by commas or lines; a space matches any spaces.

    Phrases are regular expressions themselves ("наш(?:ёл|ла)"), without commas. Borders of words are the caller's.
    """
    listed = (phrase for phrase in PHRASE_BORDER.split(phrases.strip()) if phrase)
    return "(?:" + "|".join(r"\s+".join(phrase.split()) for phrase in listed) + ")"


def cue(phrases: str, *, before: str = r"(?<!\w)", after: str = r"(?!\w)") -> re.Pattern[str]:
    """A pattern of whole phrases, whatever their case; `before` and `after` guard its borders."""
    return re.compile(before + any_of(phrases) + after, re.IGNORECASE)
