"""TCX, Garmin's XML of activities: for programs that take no FIT.

The order of elements and their types are those of Garmin's Training Center Database schema, version 2, with power in
its Activity Extension, version 2.  It knows no rowing, so the sport is "Other".  An interval is a lap; a gap ends a
track, and the next begins after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from rowsync.exports.picture import RESTED, Picture, Second, highest, speed_m_per_s, whole
from rowsync.telemetry import Sample
from rowsync.wording import outside_text, stamp

NAMESPACES = {
    "xmlns": "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2",
    "xmlns:ax": "http://www.garmin.com/xmlschemas/ActivityExtension/v2",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}

TRIGGERS = {"clock": "Time", "metres": "Distance", "person": "Manual", "end": "Manual"}
MOST_CADENCE, MOST_BYTE, MOST_SHORT = 254, 255, 65535


def tcx_bytes(picture: Picture) -> bytes:
    """A session as a TCX document in UTF-8."""
    start = picture.began.astimezone(UTC).replace(microsecond=0)
    root = Element("TrainingCenterDatabase", NAMESPACES)
    activity = SubElement(SubElement(root, "Activities"), "Activity", Sport="Other")
    _text(activity, "Id", stamp(start))
    seconds = list(picture.seconds())
    for interval, ending, kcal in zip(picture.intervals, picture.endings(), picture.whole_kcals(), strict=True):
        lap = SubElement(activity, "Lap", StartTime=_at(start, ceil(interval["start_s"])))
        _summarise(lap, interval, kcal, picture.between(interval["start_s"], interval["end_s"]), TRIGGERS[ending])
        for run in _runs(_within(picture, interval, seconds)):
            track = SubElement(lap, "Track")
            for second in run:
                _trackpoint(SubElement(track, "Trackpoint"), second, start)
        _extend_lap(lap, interval, picture.between(interval["start_s"], interval["end_s"]))
    _text(activity, "Notes", _notes(picture))
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _summarise(lap: Element, interval: Mapping[str, Any], kcal: int, samples: Sequence[Sample], trigger: str) -> None:
    """What a lap says of itself before its tracks."""
    _text(lap, "TotalTimeSeconds", _decimal(interval["duration_s"]))
    # The schema wants metres and calories of every lap, also where none are known.
    _text(lap, "DistanceMeters", _decimal(interval["distance_m"]) or "0")
    _text(lap, "MaximumSpeed", _decimal(highest(samples, speed_m_per_s)))
    _text(lap, "Calories", _whole(kcal, MOST_SHORT) or "0")
    _heart_rate(lap, "AverageHeartRateBpm", interval["mean_heart_rate_bpm"])
    _heart_rate(lap, "MaximumHeartRateBpm", highest(samples, lambda sample: sample.heart_rate_bpm))
    _text(lap, "Intensity", "Resting" if interval["effort"] in RESTED else "Active")
    _text(lap, "Cadence", _whole(interval["mean_stroke_rate_spm"], MOST_CADENCE))
    _text(lap, "TriggerMethod", trigger)


def _extend_lap(lap: Element, interval: Mapping[str, Any], samples: Sequence[Sample]) -> None:
    max_power_w = highest(samples, lambda sample: sample.power_w)
    mean_w, max_w = (_whole(power_w, MOST_SHORT) for power_w in (interval["mean_power_w"], max_power_w))
    _extension(lap, "ax:LX", {"ax:AvgWatts": mean_w, "ax:MaxWatts": max_w})


def _within(picture: Picture, interval: Mapping[str, Any], seconds: Sequence[Second]) -> list[Second]:
    """The seconds of an interval; the session's last one is the last interval's."""
    start_s, end_s = ceil(interval["start_s"]), ceil(interval["end_s"])
    end_s += end_s == picture.last_second_s
    return [second for second in seconds if start_s <= second.time_s < end_s]


def _trackpoint(point: Element, second: Second, start: datetime) -> None:
    sample = second.sample
    _text(point, "Time", _at(start, second.time_s))
    _text(point, "DistanceMeters", _decimal(sample.distance_m))
    _heart_rate(point, "HeartRateBpm", sample.heart_rate_bpm)
    _text(point, "Cadence", _whole(sample.stroke_rate_spm, MOST_CADENCE))
    _extension(
        point,
        "ax:TPX",
        {"ax:Speed": _decimal(speed_m_per_s(sample)), "ax:Watts": _whole(sample.power_w, MOST_SHORT)},
    )


def _runs(seconds: Sequence[Second]) -> Iterator[list[Second]]:
    """The seconds in stretches without a gap."""
    run: list[Second] = []
    for second in seconds:
        if run and second.time_s > run[-1].time_s + 1:
            yield run
            run = []
        run.append(second)
    if run:
        yield run


def _notes(picture: Picture) -> str:
    plan = picture.summary["plan"]
    told = [f"plan {outside_text(plan)}" if plan else "", f"machine {picture.machine}" if picture.machine else ""]
    return "; ".join([f"Indoor rowing by {picture.maker}", *filter(None, told)])


# --- elements ---------------------------------------------------------------------------------------------------------


def _text(parent: Element, name: str, text: str | None) -> None:
    """An element with a text, unless there is none."""
    if text is not None:
        SubElement(parent, name).text = "".join(filter(_is_of_xml, text))


def _is_of_xml(character: str) -> bool:
    """Whether XML 1.0 can hold a character at all (its section 2.2)."""
    return (
        character in "\t\n\r"
        or " " <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character > "\uffff"
    )


def _heart_rate(parent: Element, name: str, value: float | None) -> None:
    """A heart rate from 1 on; a heart that doesn't beat was not measured."""
    text = _whole(value, MOST_BYTE)
    if text not in (None, "0"):
        _text(SubElement(parent, name), "Value", text)


def _extension(parent: Element, name: str, values: Mapping[str, str | None]) -> None:
    if any(value is not None for value in values.values()):
        extension = SubElement(SubElement(parent, "Extensions"), name)
        for each, value in values.items():
            _text(extension, each, value)


def _at(start: datetime, second_s: int) -> str:
    return stamp(start + timedelta(seconds=second_s))


def _decimal(value: float | None) -> str | None:
    """A number to a millimetre or a millisecond, as XML writes it."""
    return None if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _whole(value: float | None, most: int) -> str | None:
    """A value as a whole number, as XML writes it."""
    rounded = whole(value, most)
    return None if rounded is None else str(rounded)
