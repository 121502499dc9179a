import pytest

from tests.digests.telegram_html import check, visible


@pytest.mark.parametrize(
    "broken",
    [
        "<b>open",
        "close</b>",
        "<b><i>crossed</b></i>",
        "<ul>list</ul>",
        "a < b",
        "a & b",
        '<a href="javascript:1">x</a>',
        "<b class=x>y</b>",
    ],
)
def test_reader_refuses_what_telegram_refuses(broken: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        visible(broken)


def test_reader_counts_after_entities() -> None:
    assert check(("<b>" + "&lt;" * 4096 + "</b>",)) == "<" * 4096
    with pytest.raises(ValueError, match="4098 units"):
        check(("😀" * 2049,))
