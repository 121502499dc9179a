import pytest

from core.digests.tokens import Stemming, is_content, language_of, majority_language, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Поставка пришла, https://example.org/поставка смотри", ["Поставка", "пришла", "смотри"]),
        ("@anna see `rm -rf` in user-guide", ["see", "in", "user-guide"]),
        ("пишите на mail@example.org", ["пишите", "на"]),
        ("заг\u200bоло\u202eвок", ["заголовок"]),
        ("", []),
    ],
)
def test_words_are_of_prose_only(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("word", "content"), [("склад", True), ("ещё", False), ("ахахаха", False), ("42", False), ("API", True)]
)
def test_content_words(word: str, content: bool) -> None:
    assert is_content(word) is content


def test_stems_follow_the_alphabet_of_each_word() -> None:
    assert Stemming().stems("Склады складов, imports imported") == ("склад", "склад", "import", "import")


@pytest.mark.parametrize(
    ("text", "language"), [("привет, как API?", "ru"), ("hello мир again", "en"), ("123 🙂", None)]
)
def test_language_of_text(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_language_of_chat_is_by_majority_and_falls_back() -> None:
    assert majority_language(["да", "нет", "a long English sentence"]) == "ru"
    assert majority_language(["🙂"]) == "en"
