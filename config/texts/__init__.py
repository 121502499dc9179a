"""The fixed words that people read, in Fluent: every `NAME.LANGUAGE.ftl` of this folder."""

from importlib.resources import files

from fluent.runtime import FluentBundle, FluentResource

LANGUAGES = ("ru", "en")


class Texts:
    """The texts of one language. Raises KeyError for an unknown key and whatever Fluent finds wrong with the values."""

    def __init__(self, bundle: FluentBundle) -> None:
        self._bundle = bundle

    def __call__(self, key: str, /, **values: str | int) -> str:
        pattern = self._bundle.get_message(key).value
        if pattern is None:
            raise KeyError(key)
        text, errors = self._bundle.format_pattern(pattern, values)
        if errors:
            raise errors[0]
        return str(text)


def load_texts(language: str) -> Texts:
    """The texts of "ru" or "en"; raises ValueError for any other language."""
    if language not in LANGUAGES:
        raise ValueError(f"no texts in {language!r}")
    # isolation marks around values would be seen as stray characters in chats and terminals
    bundle = FluentBundle([language], use_isolating=False)
    sources = sorted((entry for entry in files(__name__).iterdir() if entry.name.endswith(f".{language}.ftl")), key=str)
    for source in sources:
        bundle.add_resource(FluentResource(source.read_text(encoding="utf-8")))
    return Texts(bundle)
