"""The windows of a group's day: fixed borders in its own time zone, whatever the clocks do in between."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.digests.model import Window


def window_at(moment: datetime, hours: int, zone: ZoneInfo) -> Window:
    """The window [border, next border) that holds `moment`; borders lie every `hours` from local midnight.

    A border that the clocks skip or repeat is taken at its first reading, so windows of a changing day are an hour
    shorter or longer and never overlap.
    """
    local = moment.astimezone(zone)
    midnight = datetime.combine(local.date(), time.min)
    borders = [_to_utc(midnight + timedelta(hours=step), zone) for step in range(0, 24 + hours, hours)]
    start = max(border for border in borders if border <= moment)
    end = min(border for border in borders if border > moment)
    return Window(start=start, end=end)


def _to_utc(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
