"""JSON: the document of `show` with the series behind it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rowsync.exports.picture import Picture
from rowsync.strokes import Stroke
from rowsync.telemetry import Sample


def json_bytes(picture: Picture) -> bytes:
    """A session as one JSON document: its summary, and `series` with a list a column of samples and of strokes."""
    series = {"samples": _columns(Sample, picture.samples), "strokes": _columns(Stroke, picture.strokes)}
    document = json.dumps({**picture.summary, "series": series}, separators=(",", ":"), allow_nan=False)
    return document.encode() + b"\n"


def _columns(kind: type[Sample | Stroke], values: Sequence[Sample | Stroke]) -> dict[str, list[Any]]:
    return {name: [_plain(value[at]) for value in values] for at, name in enumerate(kind._fields)}


def _plain(value: Any) -> Any:
    """A value to a millionth, as in the summary."""
    return round(value, 6) if isinstance(value, float) else value
