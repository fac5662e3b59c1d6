"""rowsync in a process of its own: what the recorder asks it, and what it does when there is no answer."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from dataclasses import replace

from rowsync import apart
from rowsync.store import Store


async def test_a_session_in_the_journal_is_stored_and_answered(tmp_path, intervals_recording):
    from rowsync.recording import recording_bytes

    (tmp_path / "journal").mkdir()
    said = []
    header = replace(intervals_recording.header, session_id="one")
    content = recording_bytes(header, intervals_recording.items)
    (tmp_path / "journal" / "one.jsonl").write_bytes(content)
    summary = await apart.summary_of(tmp_path, "one", said.append)
    assert (summary["session_id"], summary["stroke_count"]) == ("one", 647)
    assert [row["session_id"] for row in Store(tmp_path).rows()] == ["one"]
    past = await apart.past(tmp_path, "virtual", header.origin, "5m+10x45/75+5m", said.append)
    assert past["before"]["session_id"] == "one"
    assert any("Recovered" in line for line in said)
    assert past["lifetime_kcal"] == round(summary["energy"]["gross_kcal"], 1)


async def test_a_session_that_is_not_there_is_none_and_a_past_that_cannot_be_told_is_empty(tmp_path):
    said = []
    assert await apart.summary_of(tmp_path, "nowhere", said.append) is None
    (tmp_path / "file").touch()
    assert await apart.past(tmp_path / "file", "me", "hardware", None, said.append) == {}
    assert "There are no sessions" in said[0]


def test_who_no_longer_wants_to_know_leaves_nothing_behind(tmp_path, capfd):
    async def asked(seconds):
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await apart.past(tmp_path, "me", "hardware", None, print)

    for seconds in (0.0, 0.001, 0.05):
        asyncio.run(asked(seconds))
        gc.collect()
    assert capfd.readouterr().err == ""
