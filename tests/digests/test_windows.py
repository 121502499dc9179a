from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.digests.service import window_of
from core.digests.windows import window_at

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 14, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def utc(day: int, hour: int, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "start", "end"), [(24, utc(13, 21), utc(14, 21)), (12, utc(14, 9), utc(14, 21)),
     (6, utc(14, 9), utc(14, 15)), (4, utc(14, 9), utc(14, 13))]
)  # fmt: skip
def test_borders_lie_in_the_group_s_own_day(hours: int, start: datetime, end: datetime) -> None:
    window = window_at(NOW, hours, MOSCOW)
    assert (window.start, window.end) == (start, end)


def test_a_border_belongs_to_the_window_it_begins() -> None:
    assert window_at(utc(14, 21), 24, MOSCOW).start == utc(14, 21)


@pytest.mark.parametrize(("month", "day", "length"), [(10, 25, 25), (3, 29, 23)])
def test_the_day_the_clocks_change_is_an_hour_longer_or_shorter(month: int, day: int, length: int) -> None:
    window = window_at(utc(day, 10, month), 24, BERLIN)
    assert window.end - window.start == length * HOUR


@pytest.mark.parametrize("hours", [4, 6, 12, 24])
def test_windows_join_without_gap_or_overlap_through_a_year(hours: int) -> None:
    moment, previous = utc(1, 0, 1), None
    while moment < utc(31, 0, 12):
        window = window_at(moment, hours, BERLIN)
        assert window.start <= moment < window.end
        assert previous in (None, window.start)
        previous = moment = window.end


@pytest.mark.parametrize(
    ("span", "end", "newest", "last_end", "expected"),
    [
        (24 * HOUR, None, NOW - HOUR, None, (NOW - 24 * HOUR, NOW)),
        (24 * HOUR, None, utc(1, 0), None, (utc(1, 0) + SECOND - 24 * HOUR, utc(1, 0) + SECOND)),
        (24 * HOUR, utc(5, 0), utc(1, 0), None, (utc(4, 0), utc(5, 0))),
        (24 * HOUR, None, None, None, (NOW - 24 * HOUR, NOW)),
        (None, None, NOW - HOUR, NOW - 5 * HOUR, (NOW - 5 * HOUR, NOW)),
        (None, None, NOW - HOUR, None, (NOW - 24 * HOUR, NOW)),
        (None, None, NOW, NOW + HOUR, (NOW + HOUR, NOW + HOUR)),
    ],
)  # fmt: skip
def test_the_window_that_was_asked_for(
    span: timedelta | None,
    end: datetime | None,
    newest: datetime | None,
    last_end: datetime | None,
    expected: tuple[datetime, datetime],
) -> None:
    window = window_of(span, end, newest, last_end, NOW)
    assert (window.start, window.end) == expected
