"""A session as a file for other programs: bytes from a picture of it, and nothing else.

- `picture`: what an export may tell: summary, samples, strokes, and the row at every whole second
- `fit`, `tcx`, `csv_samples`, `rowingdata`, `json_document`, `goldencheetah`: one format each

The same session gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rowsync.errors import UsageError
from rowsync.exports.csv_samples import csv_bytes
from rowsync.exports.goldencheetah import goldencheetah_bytes
from rowsync.exports.json_document import json_bytes
from rowsync.exports.picture import Picture
from rowsync.exports.rowingdata import rowingdata_bytes
from rowsync.exports.tcx import tcx_bytes


class Format(NamedTuple):
    """A format of sessions.

    Attributes:
        encode: makes its bytes; raises a `UsageError` for a session that it can't say.
        ending: of its files' names, where that alone tells it; else None.
        is_text: whether a terminal can show it.
    """

    encode: Callable[[Picture], bytes]
    ending: str | None = None
    is_text: bool = True


def _fit_bytes(picture: Picture) -> bytes:
    from rowsync.exports.fit import fit_bytes  # fit-tool knows the whole profile and takes its time to load

    return fit_bytes(picture)


FORMATS = {
    "fit": Format(_fit_bytes, ".fit", is_text=False),
    "tcx": Format(tcx_bytes, ".tcx"),
    "csv": Format(csv_bytes, ".csv"),
    "json": Format(json_bytes, ".json"),
    "goldencheetah": Format(goldencheetah_bytes),
    "rowingdata": Format(rowingdata_bytes),
}


def session_bytes(form: str, picture: Picture) -> bytes:
    """A session in one of `FORMATS`.

    Raises:
        UsageError: nobody rowed in it, or the format can't say it.
    """
    if not picture.intervals:
        raise UsageError("Nobody rowed in this session, so there is nothing in it to export.")
    return FORMATS[form].encode(picture)


__all__ = ["FORMATS", "Format", "Picture", "session_bytes"]
