"""The journal: what it says is saved is on disk; a disk that refuses costs nothing."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from rowsync.errors import StoreError
from rowsync.journal import GATHER_S, Journal, claimed, journals_left
from rowsync.recording import header_line, item_line, read_recording
from rowsync.telemetry import Note
from tests.test_recording import HEADER, NOTIFICATIONS


def test_what_is_appended_is_read_back_after_closing(tmp_path):
    with Journal(tmp_path / "a.jsonl", HEADER) as journal:
        for notification in NOTIFICATIONS:
            journal.append(notification)
        journal.append(Note(10.0, "finished"))
    recording = read_recording(journal.path)
    assert (recording.header, recording.notifications) == (HEADER, NOTIFICATIONS)
    assert journal.durable == len(NOTIFICATIONS)


def test_a_notification_is_on_disk_soon_after_it_came(tmp_path):
    with Journal(tmp_path / "a.jsonl", HEADER) as journal:
        journal.append(NOTIFICATIONS[0])
        deadline_s = time.monotonic() + 20 * GATHER_S
        while not journal.durable and time.monotonic() < deadline_s:
            time.sleep(0.005)
        assert journal.durable == 1
        assert read_recording(journal.path).notifications == NOTIFICATIONS[:1]


def test_the_file_is_the_owners_alone_and_is_known_to_be_in_use(tmp_path):
    (tmp_path / "journal").mkdir()
    with Journal(tmp_path / "journal" / "a.jsonl", HEADER) as journal:
        assert journal.path.stat().st_mode & 0o777 == 0o600
        with claimed(journal.path) as ours:
            assert not ours
        assert journals_left(tmp_path) == []
    assert journals_left(tmp_path) == [journal.path]


def test_a_journal_never_writes_over_another(tmp_path):
    with Journal(tmp_path / "a.jsonl", HEADER), pytest.raises(StoreError, match="File exists"):
        Journal(tmp_path / "a.jsonl", HEADER)


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path):
    with pytest.raises(StoreError, match="Nothing can be recorded"):
        Journal(tmp_path / "absent" / "a.jsonl", HEADER)


FULL_DISK = """
import resource, signal, sys, time
from pathlib import Path
from rowsync.journal import Journal
from rowsync.telemetry import Note
from tests.test_recording import HEADER, NOTIFICATIONS

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (700, hard))  # room for 700 bytes: one write is cut, the next refused
with Journal(Path(sys.argv[1]), HEADER) as journal:
    for notification in NOTIFICATIONS:
        journal.append(notification)
    deadline_s = time.monotonic() + 10
    while journal.trouble is None and time.monotonic() < deadline_s:
        time.sleep(0.01)
    print(journal.trouble is not None, journal.durable)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))  # somebody makes room
print(journal.durable)
"""


def test_a_full_disk_is_said_and_nothing_is_lost_once_there_is_room_again(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path / "a.jsonl"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["True", "0", "20"], done.stderr
    recording = read_recording(tmp_path / "a.jsonl")
    assert (recording.notifications, recording.refused_lines) == (NOTIFICATIONS, 0)


def test_when_no_disk_takes_anything_it_is_never_called_saved(tmp_path):
    journal = Journal(tmp_path / "a.jsonl", HEADER)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        for notification in NOTIFICATIONS:
            journal.append(notification)
        with pytest.raises(StoreError, match=r"20 notifications could not be saved .*\. Nor in .*They are lost"):
            journal.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert journal.durable == 0


def test_a_journal_that_could_not_be_closed_in_order_is_free_for_the_next_who_comes(tmp_path, monkeypatch):
    (tmp_path / "journal").mkdir()
    journal = Journal(tmp_path / "journal" / "a.jsonl", HEADER)

    def failing(opened):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("os.fdatasync", failing)
        journal.append(NOTIFICATIONS[0])
        with pytest.raises(StoreError, match="1 notifications could not be saved"):
            journal.close()
    assert journals_left(tmp_path) == [journal.path]
    journal.close()


def test_what_a_failed_sync_may_have_dropped_is_written_again(tmp_path, monkeypatch):
    with Journal(tmp_path / "a.jsonl", HEADER) as journal:
        real, failures = os.fdatasync, [OSError(errno.EIO, "Input/output error")]

        def failing_once(opened):
            if failures:
                os.ftruncate(opened, journal._synced_size)  # as a disk that drops what it could not write
                raise failures.pop()
            real(opened)

        monkeypatch.setattr("os.fdatasync", failing_once)  # the system, not our code
        for notification in NOTIFICATIONS:
            journal.append(notification)
    assert journal.durable == len(NOTIFICATIONS)
    recording = read_recording(journal.path)
    assert (recording.notifications, recording.refused_lines) == (NOTIFICATIONS, 0)


def test_a_journal_that_cannot_be_begun_leaves_nothing_behind(tmp_path, monkeypatch):
    def failing(opened):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fdatasync", failing)
    with pytest.raises(StoreError, match="Nothing can be recorded"):
        Journal(tmp_path / "a.jsonl", HEADER)
    assert list(tmp_path.glob("*.jsonl")) == []


# --- going on after a crash -------------------------------------------------------------------------------------------


def left(path, *notifications, tail=b""):
    """A journal as a crash leaves it."""
    path.write_bytes(header_line(HEADER) + b"".join(map(item_line, notifications)) + tail)
    return path


@pytest.mark.parametrize("tail", [b"", b"0", item_line(NOTIFICATIONS[2])[:-1], item_line(NOTIFICATIONS[2])[:20]])
def test_a_journal_that_a_crash_left_is_gone_on_with_and_its_torn_line_is_cut_off(tmp_path, tail):
    path = left(tmp_path / "a.jsonl", *NOTIFICATIONS[:2], tail=tail)
    with Journal(path, None, 2) as journal:
        assert journal.durable == 2
        for notification in NOTIFICATIONS[2:]:
            journal.append(notification)
    recording = read_recording(path)
    assert (recording.notifications, recording.refused_lines) == (NOTIFICATIONS, 0)
    assert journal.durable == len(NOTIFICATIONS)


def test_a_journal_that_another_has_is_not_gone_on_with_and_not_touched(tmp_path):
    path = left(tmp_path / "a.jsonl", *NOTIFICATIONS, tail=b"torn")
    with claimed(path), pytest.raises(StoreError, match="another rowsync has it"):
        Journal(path, None)
    assert path.read_bytes().endswith(b"torn")


def test_closing_twice_is_closing_once(tmp_path):
    journal = Journal(tmp_path / "a.jsonl", HEADER)
    journal.close()
    journal.close()
