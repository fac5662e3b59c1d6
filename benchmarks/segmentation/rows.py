"""Real rows whose intervals are known: other people's from a folder of tables, and one's own from rowsync's store.

Other people's have no licence to be passed on, so they aren't in the repository.  They are scored as the bytes that a
machine would have sent.  Their folder holds
`NAME.csv` (`t_s, power_w, stroke_rate_spm, pace_s_per_500m, distance_m`; a line per stroke) and `index.json`
(`{NAME: {"group": ..., "labels": ..., "hard": [[start_s, end_s], ...] or null for a steady row}}`).

One's own are scored where their intervals were corrected, on the bytes that were recorded.  An edge that the person let
stand is the detector's own, so on these it looks better than it is.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.segmentation.sessions import LabelledSession, Shown, began_s, notifications
from rowsync.intervals import Effort
from rowsync.store import Store, Truth

BY_EYE = "by eye"
"""Labels that say so share the detectors' own idea of where an edge is; they date none."""


def index_of(folder: Path) -> dict[str, dict[str, Any]]:
    """What is known of each row in a folder."""
    index: dict[str, dict[str, Any]] = json.loads((folder / "index.json").read_text())
    return index


def real_row(folder: Path, name: str, stream: str) -> LabelledSession:
    """A real row as a machine would have sent it: each second, repeating the last stroke for ever, or each stroke.

    Args:
        folder: where the rows are.
        name: which one.
        stream: when the machine notifies, a key of `STREAMS`.
    """
    with (folder / f"{name}.csv").open(newline="") as file:
        strokes = sorted(
            (_shown(line) for line in csv.DictReader(file) if _number(line["t_s"]) is not None), key=_time_s
        )
    sends_power = 2 * sum(shown.power_w is not None for shown in strokes) > len(strokes)
    hard = tuple((start_s, end_s) for start_s, end_s in index_of(folder)[name]["hard"] or ())
    end_s = strokes[-1].time_s
    return LabelledSession(tuple(notifications(strokes, stream, end_s, sends_power)), hard, None, end_s)


def _shown(line: dict[str, str]) -> Shown:
    return Shown(
        _number(line["t_s"]) or 0.0,
        *(_number(line[name]) for name in ("power_w", "stroke_rate_spm", "pace_s_per_500m", "distance_m")),
    )


def _time_s(shown: Shown) -> float:
    return shown.time_s


def _number(text: str) -> float | None:
    """A number in a table; None for an empty field."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


# --- corrected sessions -----------------------------------------------------------------------------------------------


def corrected_sessions(folder: Path) -> Iterator[tuple[str, LabelledSession]]:
    """Who rowed each session of a store whose intervals a person corrected, and the session as the person sees it."""
    for truth in Store(folder).truths():
        yield str(truth.summary["athlete"]), corrected_session(truth)


def corrected_session(truth: Truth) -> LabelledSession:
    """A session with the hard intervals that a person sees in it."""
    items, header = truth.recording.items, truth.recording.header
    zero_s = began_s(items)
    hard = [(zero_s + each.start_s, zero_s + each.end_s) for each in truth.segments if each.effort is Effort.HARD]
    return LabelledSession(
        items, tuple(hard), header.plan, zero_s + truth.summary["duration_s"], str(header.machine.get("name") or "")
    )
