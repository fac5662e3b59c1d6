"""TCX files (Garmin's Training Center), read as a stream; a document type is refused, and with it all entities.

A TCX can't say that it was rowed: its sports are running, biking and other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree import ElementTree

from rowsync.errors import RecordingError
from rowsync.imports.cells import moment, number, unix_s
from rowsync.imports.row import MOST_POINTS, Point, Row, Totals, believed
from rowsync.session import MADE_UP_BY
from rowsync.wording import outside_text

POINT = {
    ("Trackpoint", "DistanceMeters"): "distance_m",
    ("Trackpoint", "Cadence"): "stroke_rate_spm",
    ("HeartRateBpm", "Value"): "heart_rate_bpm",
    ("TPX", "Watts"): "power_w",
    ("TPX", "Speed"): "pace_s_per_500m",
}
"""Which element of a track point says which quantity; the speed in m/s."""

LAP = {
    ("Lap", "TotalTimeSeconds"): "duration_s",
    ("Lap", "DistanceMeters"): "distance_m",
    ("Lap", "Calories"): "energy_kcal",
}
"""Which element of a lap says which total."""

DEEPEST = 50
"""A track point's extensions lie ten elements deep."""

MOST_ELEMENTS = 20 * MOST_POINTS
"""A track point with all its extensions has fifteen elements."""

_ENDLESS = re.compile(rb"[^<]{100000}")
"""A tag, or a text, as no TCX has: the parser would make a dictionary of its millions of attributes."""

OTHERS = {"running": "a run", "biking": "a ride"}


@dataclass(slots=True)
class _Activity:
    """One activity while it is read."""

    sport: str
    laps: int = 0
    points: list[tuple[datetime, str, str, Mapping[str, float | None]]] = field(default_factory=list)
    totals: dict[str, float] = field(default_factory=dict)
    notes: str = ""


class _Reader:
    """What the parser tells: a handful of elements are kept, and the rest of the document isn't."""

    def __init__(self) -> None:
        self.root = ""
        self.activities: list[_Activity] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self._time: datetime | None = None
        self._point: dict[str, float | None] = {}
        self._count = 0
        self._elements = 0

    def doctype(self, *_: object) -> None:
        raise RecordingError(
            "It declares a document type, as no TCX does and XML bombs do. Nothing of it was imported."
        )

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise RecordingError(f"It has more than {MOST_ELEMENTS} elements, as no row has.")
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        self._open.append(name)
        if len(self._open) > DEEPEST:
            raise RecordingError("It nests deeper than any TCX. Nothing of it was imported.")
        self._text = []
        if name == "Activity":
            self.activities.append(_Activity(attributes.get("Sport", "")))
        elif name == "Lap" and self.activities:
            self.activities[-1].laps += 1
        elif name == "Trackpoint":
            self._count += 1
            if self._count > MOST_POINTS:
                raise RecordingError(f"It has more than {MOST_POINTS} track points, as no row has.")
            self._time, self._point = None, {}

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        name = self._open.pop()
        path = (self._open[-1] if self._open else "", name)
        text, self._text = "".join(self._text).strip(), []
        if not self.activities:
            return
        if path == ("Trackpoint", "Time"):
            self._time = self._read_moment(text)
        elif path in POINT and "Trackpoint" in self._open:
            self._point[POINT[path]] = self._number(POINT[path], text, name)
        elif path == ("Activity", "Notes"):
            self.activities[-1].notes = text
        elif path in LAP:
            totals, quantity = self.activities[-1].totals, LAP[path]
            totals[quantity] = totals.get(quantity, 0.0) + (self._number(quantity, text, name) or 0.0)
        elif name == "Trackpoint" and self._time is not None:
            activity = self.activities[-1]
            activity.points.append((self._time, self._place, str(activity.laps), self._point))

    @property
    def _place(self) -> str:
        return f"Track point {self._count}"

    def _read_moment(self, text: str) -> datetime | None:
        try:
            return moment(text)
        except ValueError:
            raise self._unreadable(text, "Time") from None

    def _number(self, quantity: str, text: str, name: str) -> float | None:
        try:
            value = number(text)
        except ValueError:
            raise self._unreadable(text, name) from None
        if value is not None and name == "Speed":
            value = 500.0 / value if value > 0 else 0.0
        return believed(quantity, value, self._place, name)

    def _unreadable(self, text: str, name: str) -> RecordingError:
        said = outside_text(text, 30)
        return RecordingError(f'{self._place}, "{name}": {said!r} can\'t be read. Nothing of it was imported.')


def read_tcx(content: bytes) -> list[Row]:
    """Read a TCX file: one row for each activity that isn't a run or a ride.

    Raises:
        RecordingError: it is cut or damaged, or holds no row.
    """
    if _ENDLESS.search(content):
        raise RecordingError("It has a tag or a text that is longer than any of a TCX. Nothing of it was imported.")
    reader = _Reader()
    parser = ElementTree.XMLParser(target=reader)
    try:
        parser.feed(content)
        parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise RecordingError(f"It is XML, but cut or damaged ({outside_text(error, 60)}).") from None
    if reader.root != "TrainingCenterDatabase":
        raise RecordingError(f"It is XML, but no TCX: it begins with <{outside_text(reader.root, 30)}>.")
    rows = [_row(activity) for activity in reader.activities if activity.sport.casefold() not in OTHERS]
    if not rows:
        others = dict.fromkeys(OTHERS[activity.sport.casefold()] for activity in reader.activities)
        raise RecordingError(f"It is {' and '.join(others)}, not a row." if others else "It holds no activity.")
    return rows


def _row(activity: _Activity) -> Row:
    if not activity.points:
        raise RecordingError("It holds no samples of a row; totals alone can't be analysed.")
    times_s = [unix_s(at) for at, *_ in activity.points]
    first_s = min(times_s)
    points = []
    for at_s, (_, place, part, values) in zip(times_s, activity.points, strict=True):
        believed("time_s", at_s - first_s, place, "Time")
        points.append(Point(at_s - first_s, place, part, **values))
    started = datetime.fromtimestamp(first_s, UTC)
    has_zone = activity.points[0][0].tzinfo is not None
    return Row(
        "TCX",
        tuple(points),
        started_at=started if has_zone else started.replace(tzinfo=None),
        totals=Totals(**activity.totals),
        is_made_up=MADE_UP_BY in activity.notes,
    )
