"""What is there afterwards, found by our real code, and judged by what was told before.

The promise: what was told to be saved is there, unaltered; every session can be read, in the list and alone; a session
is what was there before or what was to be there, never a mixture that can't be told; nothing of the other sessions
changes.  Samples that don't follow from their bytes count as healed where `rebuild` mends them, and are counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rowsync.errors import RecordingError
from rowsync.recording import Recording, read_recording
from rowsync.session import analyse
from rowsync.store import Store
from tests.torture.gathering import gathered
from tests.torture.works import BEGINNING, LONG, Work, first, said, store_in, whole

ROWED_FROM = next(n for n in range(LONG) if analyse(first("new", n).header, first("new", n).items).is_rowed)
"""A session of fewer notifications isn't stored, since nobody rowed in it."""


@dataclass(slots=True)
class Outcome:
    """What is there.

    Attributes:
        lengths: how many notifications of each session, from the first, without a hole, all of them unaltered.
        said: when each session's correction was said, and of how it felt what was said.
        healed: sessions whose samples didn't follow from their bytes until they were rebuilt.
        wrong: what breaks the promise by itself.
    """

    lengths: dict[str, int] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    healed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def found(folder: Path) -> Outcome:
    """What our code finds in a data folder, as at the next start."""
    outcome = Outcome()
    store = store_in(folder)
    try:
        gathered(folder)
        store.recover()
        _read(store, outcome)
    except Exception as error:  # any at all: a traceback at the next start is no promise kept
        outcome.wrong.append(f"the store can't be used: {type(error).__name__}: {error}")
    return outcome


def _read(store: Store, outcome: Outcome) -> None:
    for session_id in store.stored():
        _heal(store, session_id, outcome)
    outcome.wrong += [f"left out of the list: {why}" for why in store.upkeep().left_out.values()]
    listed = {row["session_id"]: row for row in store.rows()}
    for session_id in store.stored():
        recording, summary = store.recording(session_id), store.summary(session_id)
        outcome.lengths[session_id] = prefix(recording, outcome.wrong)
        duration_s = listed[session_id]["duration_s"] if session_id in listed else None
        if (summary["notifications"], duration_s) != (len(recording.notifications), summary["duration_s"]):
            outcome.wrong.append(f"{session_id} is shown with other figures than it has: {duration_s} s in the list")
        correction, felt = store.correction(session_id), summary.get("felt") or {}
        outcome.said[session_id] = {
            "said": None if correction is None else correction.corrected_at.isoformat(),
            "felt": felt.get("exertion"),
            "talked": felt.get("talked"),
        }


def _heal(store: Store, session_id: str, outcome: Outcome) -> None:
    """Whether a session's samples are there, once, and follow from its bytes; if not, whether that can be mended."""

    def amiss() -> str | None:
        if len(samples := list(store.folder.glob(f"samples/*/*/{session_id}.parquet"))) != 1:
            return f"its samples are there {len(samples)} times"
        store._samples(session_id)  # without pandas, which isn't ours
        store.summary(session_id)
        derived = store._derived(store._places(session_id)).rebuilt
        return derived.problem or ("its samples don't follow from its bytes" if derived.is_new else None)

    if amiss() is not None:
        outcome.healed.append(session_id)
        list(store.rebuild([session_id]))
        if (why := amiss()) is not None:
            outcome.wrong.append(f"{session_id} can't be healed: {why}")


def prefix(recording: Recording, wrong: list[str]) -> int:
    """How many notifications there are without a hole, from the first.

    After them, of what was never told to be saved, some may be there and others not; but none that never came.
    """
    session_id = recording.header.session_id
    rowed, kept = whole(session_id).notifications, recording.notifications
    length = next((at for at, pair in enumerate(zip(rowed, kept, strict=False)) if pair[0] != pair[1]), len(kept))
    later = iter(rowed[length:])
    if any(notification not in later for notification in kept[length:]):
        wrong.append(f"{session_id} is altered")
    return length


def judged(work: Work, outcome: Outcome, told: Iterable[dict[str, Any]]) -> list[str]:
    """What of the promise is broken."""
    wrong = list(outcome.wrong)
    lengths = BEGINNING | work.lengths
    for session_id, allowed in lengths.items():
        length = outcome.lengths.get(session_id, 0)
        if length not in allowed:
            wrong.append(f"{session_id} has {length} notifications")
    wrong += [f"there is a session {name} from nowhere" for name in outcome.lengths.keys() - lengths.keys()]
    older = outcome.said.get("older") or {}
    if older.get("talked") is not True or older.get("felt") not in (4.0, 7.0) or older.get("said") not in _SAID:
        wrong.append(f"what was said of older is {older}")
    for each in told:
        wrong += _broken(outcome, each)
    return wrong


_SAID = {said(0).corrected_at.isoformat(), said(60).corrected_at.isoformat()}


def _broken(outcome: Outcome, told: dict[str, Any]) -> list[str]:
    wrong = []
    for session_id, length in told.get("saved", {}).items():
        if length >= ROWED_FROM and (there := outcome.lengths.get(session_id, 0)) < length:
            wrong.append(f"{length} notifications of {session_id} were told to be saved, {there} are there")
    for kind in ("said", "felt"):
        for session_id, what in told.get(kind, {}).items():
            if (there := outcome.said.get(session_id, {}).get(kind)) != what:
                wrong.append(f"{kind} of {session_id} was told to be saved, {there} is there")
    if "traceback" in told:
        wrong.append(f"a traceback: {told['traceback'].strip().splitlines()[-1]}")
    if "The whole session is in " in told.get("refused", ""):
        path = Path(told["refused"].split("The whole session is in ", 1)[1].split(": free", 1)[0])
        try:
            length = prefix(read_recording(path), wrong)
        except RecordingError:
            length = 0
        if length != LONG:
            wrong.append(f"the whole session was told to be elsewhere, {length} notifications are there")
    return wrong


def as_json(outcome: Outcome) -> str:
    """An outcome, from one process to another."""
    return json.dumps([outcome.lengths, outcome.said, outcome.healed, outcome.wrong])


def from_json(text: str) -> Outcome:
    """An outcome, from another process."""
    return Outcome(*json.loads(text))
