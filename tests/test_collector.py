"""Hubs and their collector, without a broker between them: bytes on one disk in, the same bytes on the other out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rowsync.collector import SILENT_S, Collector
from rowsync.errors import StoreError
from rowsync.hub import MOST_READ, Hub
from rowsync.journal import Journal
from rowsync.recording import header_line, item_line
from rowsync.relay import Part, answer_bytes, batch_bytes
from rowsync.store import Store
from rowsync.telemetry import ENDED, Note
from tests.conftest import RECORDED
from tests.test_recording import HEADER, NOTIFICATIONS

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ID = HEADER.session_id
LINES = tuple(line[:-1] for line in (header_line(HEADER), *map(item_line, NOTIFICATIONS)))
ROW = RECORDED / "pace-only-10x45-75.jsonl"


class Gym:
    """A hub and a collector on a wire that may be cut; time goes only when it is told to."""

    def __init__(self, folder):
        self.hub_folder, self.folder = folder / "one-hub", folder / "collector"
        self.told, self.hub_told, self.now_s = [], [], 0.0
        (self.hub_folder / "journal").mkdir(parents=True)
        self.start_hub()
        self.start()

    def start_hub(self):
        self.hub = Hub([self.hub_folder], self.hub_told.append)

    def start(self):
        self.collector = Collector(self.folder, self.told.append, self.now_s)

    def take(self, payload, hub="one", now=NOW):
        return self.collector.take([(hub, payload)], now, self.now_s)

    def go_on(self, seconds=10.0, *, cut=False, step_s=0.5):
        for _ in range(round(seconds / step_s)):
            self.now_s += step_s
            for payload in self.hub.batches(self.now_s, NOW):
                if not cut:
                    for answer in self.take(payload).answers.values():
                        self.hub.answered(answer_bytes(answer), self.now_s)
            self.collector.tend(self.now_s)

    @property
    def journal(self):
        return self.hub_folder / "journal" / f"{ID}.jsonl"

    def store(self):
        """Store at the hub what was rowed there."""
        return Store(self.hub_folder).finish(self.journal)

    def held(self, session_id=ID):
        """What the collector has of a session."""
        self.collector.tend(self.now_s + 100)
        path = self.folder / "collect" / f"{session_id}.jsonl"
        return path.read_bytes() if path.exists() else b""

    def all_files(self):
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def gym(tmp_path):
    return Gym(tmp_path)


def rowed(gym, count=None, *, ended=False):
    with Journal(gym.journal, HEADER) as journal:
        for notification in NOTIFICATIONS[:count]:
            journal.append(notification)
        if ended:
            journal.append(Note(NOTIFICATIONS[-1].time_s + 1, ENDED))


def parquet_files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.glob("*/athlete=*/**/*.parquet")}


# --- the same session -------------------------------------------------------------------------------------------------


def test_the_collector_stores_the_same_session_to_the_last_bit(gym):
    journal = gym.journal.with_name(ROW.name)
    journal.write_bytes(ROW.read_bytes())
    alone = Store(gym.hub_folder).finish(journal).summary
    gym.go_on(20)
    recovered = Store(gym.folder).recover()
    assert [each.summary for each in recovered] == [alone]
    assert parquet_files(gym.folder) == parquet_files(gym.hub_folder)
    assert len(parquet_files(gym.folder)) == 2


def test_a_row_reaches_the_collector_while_it_is_rowed(gym):
    with Journal(gym.journal, HEADER) as journal:
        for notification in NOTIFICATIONS[:2]:
            journal.append(notification)
        while journal.durable < 2:
            pass
        gym.go_on()
        assert gym.held() == gym.journal.read_bytes()
        journal.append(NOTIFICATIONS[2])
        while journal.durable < 3:
            pass
        gym.go_on()
        assert gym.held() == gym.journal.read_bytes()


def test_a_hub_that_was_cut_off_for_an_hour_loses_nothing(gym):
    rowed(gym, 2)
    gym.go_on()
    gym.journal.unlink()
    rowed(gym, ended=True)
    gym.go_on(3600, cut=True, step_s=20)
    gym.store()
    whole = next((gym.hub_folder / "hub").glob("*.jsonl")).read_bytes()
    gym.go_on(120)
    assert (gym.folder / "journal" / f"{ID}.jsonl").read_bytes() == whole


def test_a_hub_lets_go_of_a_session_only_when_the_collector_has_it_whole(gym):
    rowed(gym, ended=True)
    gym.store()
    spooled = gym.hub_folder / "hub" / f"{ID}.jsonl"
    gym.go_on(30, cut=True)
    assert spooled.exists()
    gym.go_on(60)
    assert not spooled.exists()
    assert gym.hub_told == [f"The collector has {ID}, whole."]


def test_a_hub_that_is_started_after_the_row_sends_all_of_it(gym):
    rowed(gym, ended=True)
    gym.store()
    gym.start_hub()
    gym.go_on(20)
    assert (gym.folder / "journal" / f"{ID}.jsonl").exists()


def test_without_a_hub_a_stored_journal_goes(tmp_path):
    path = tmp_path / "journal" / "a.jsonl"
    path.parent.mkdir()
    with Journal(path, HEADER) as journal:
        journal.append(NOTIFICATIONS[0])
    Store(tmp_path).finish(path)
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_a_line_that_is_damaged_on_the_hubs_disk_costs_no_other(gym):
    gym.journal.write_bytes(b"\n".join((*LINES[:2], LINES[2][:-2] + b"??", *LINES[3:], b"")))
    gym.go_on()
    assert gym.held() == b"\n".join((*LINES[:2], b"", *LINES[3:], b""))
    assert ["1 line of" in each for each in gym.hub_told] == [True]


def test_a_hole_in_the_hubs_journal_is_said_at_both_ends_and_the_rest_goes_on(gym):
    whole = b"\n".join((*LINES, b""))
    gym.journal.write_bytes(whole)
    gym.hub.batches(0.0, NOW)
    begin, end = whole.index(LINES[2]) + 3, whole.index(LINES[4]) - 3
    gym.journal.write_bytes(whole[:begin] + bytes(end - begin) + whole[end:])
    gym.go_on()
    assert gym.held() == b"\n".join((*LINES[:2], b"", b"", *LINES[4:], b""))
    assert ["2 lines" in each and "from line 3 on" in each for each in gym.hub_told] == [True]
    assert ["one" in each and "2 lines" in each and ID in each and "line 3 on" in each for each in gym.told] == [True]
    gym.store()
    gym.go_on(60)
    (stored,) = Store(gym.folder).recover()
    assert stored.problem is None
    assert stored.summary["notifications"] == len(NOTIFICATIONS) - 2


def test_a_journal_cut_short_under_the_hub_is_said_and_its_session_is_over_all_the_same(gym):
    gym.journal.write_bytes(b"\n".join((*LINES, b"")))
    gym.hub.batches(0.0, NOW)
    gym.journal.write_bytes(b"\n".join((*LINES[:4], b"")))
    gym.store()
    gym.go_on(60)
    assert (gym.folder / "journal" / f"{ID}.jsonl").read_bytes() == b"\n".join(
        (*LINES[:4], *[b""] * (len(LINES) - 4), b"")
    )
    lost = f"{len(LINES) - 4} line"
    assert sum(lost in each for each in gym.hub_told) == sum(lost in each for each in gym.told) == 1


def test_what_the_hubs_disk_lost_and_the_collector_has_is_said_once_and_stays(gym):
    whole = b"\n".join((*LINES, b""))
    gym.journal.write_bytes(whole)
    gym.go_on()
    gym.journal.write_bytes(b"\n".join((*LINES[:4], b"")))
    gym.start_hub()
    gym.go_on(60)
    gym.store()
    gym.go_on(60)
    assert (gym.folder / "journal" / f"{ID}.jsonl").read_bytes() == whole
    assert not list((gym.hub_folder / "hub").glob("*.jsonl"))
    assert [f"{len(LINES) - 4} line" in each for each in gym.hub_told] == [True, False]


def test_a_hole_larger_than_what_is_read_at_once_holds_up_nothing(gym):
    gym.journal.write_bytes(b"\n".join((*LINES[:2], bytes(MOST_READ + 9), *LINES[2:], b"")))
    gym.go_on()
    assert gym.held().replace(b"\n\n", b"\n").replace(b"\n\n", b"\n") == b"\n".join((*LINES, b""))


def test_a_session_that_falls_silent_is_stored_as_it_is_and_again_when_the_rest_comes(gym):
    gym.journal.write_bytes(b"\n".join((*LINES[:3], b"")))
    gym.go_on(5)
    gym.now_s += SILENT_S
    gym.go_on(5, cut=True)
    (first,) = Store(gym.folder).recover()
    gym.journal.write_bytes(b"\n".join((*LINES, b"")))
    gym.store()
    gym.go_on(60)
    (second,) = Store(gym.folder).recover()
    assert (first.journal, first.problem, second.problem) == (second.journal, None, None)
    assert parquet_files(gym.folder) == parquet_files(gym.hub_folder)


# --- crashes ----------------------------------------------------------------------------------------------------------


def test_what_was_acknowledged_is_there_after_a_crash(gym):
    answers = gym.take(batch_bytes([Part(ID, 0, LINES[:4])])).answers
    assert answers["one"].have == {ID: 4}
    assert not (gym.folder / "collect" / f"{ID}.jsonl").exists()
    gym.start()
    assert gym.held() == b"\n".join((*LINES[:4], b""))
    assert gym.take(batch_bytes([Part(ID, 0, LINES[:4])])).answers["one"].have == {ID: 4}


@pytest.mark.parametrize("torn", range(0, 400, 29))
def test_a_log_that_a_crash_tore_gives_the_lines_before_the_tear(gym, torn):
    gym.take(batch_bytes([Part(ID, 0, LINES)]))
    (log,) = (gym.folder / "collect").glob("log-*")
    log.write_bytes(log.read_bytes()[: -torn or None])
    gym.start()
    held = gym.held()
    whole = b"\n".join((*LINES, b""))
    assert whole.startswith(held)
    assert len(whole) - len(held) < torn + max(map(len, LINES)) + 1
    gym.take(batch_bytes([Part(ID, 0, LINES)]))
    assert gym.held() == whole


def test_a_session_that_is_whole_stays_so_whenever_the_crash_comes(gym):
    rowed(gym, ended=True)
    whole = gym.journal.read_bytes()
    gym.store()
    for _ in range(120):
        gym.go_on(0.5)
        gym.start()
    assert (gym.folder / "journal" / f"{ID}.jsonl").read_bytes() == whole
    assert not list((gym.hub_folder / "hub").glob("*.jsonl"))


# --- what isn't taken -------------------------------------------------------------------------------------------------


def test_a_batch_that_is_sent_again_changes_nothing(gym):
    batch = batch_bytes([Part(ID, 0, LINES[:4])])
    gym.take(batch)
    before = gym.held()
    assert gym.take(batch).new == b""
    assert gym.held() == before


def test_forged_lines_are_refused_named_and_told(gym):
    gym.take(batch_bytes([Part(ID, 0, LINES[:4])]))
    before = gym.held()
    forged = batch_bytes([Part(ID, 2, (LINES[4], LINES[5]))])
    taken = gym.take(forged, hub="mallory")
    assert list(taken.answers["mallory"].refused) == [ID]
    assert gym.held() == before
    assert any(ID in each and "mallory" in each for each in gym.told)


def test_another_session_of_the_same_name_is_refused_and_stays_at_its_hub(gym):
    gym.take(batch_bytes([Part(ID, 0, (header_line(replace(HEADER, plan="another"))[:-1],))]), hub="other")
    rowed(gym)
    gym.go_on()
    assert [ID in each and str(gym.journal) in each for each in gym.hub_told] == [True]
    assert gym.journal.exists()


def claimed_by(session_id):
    """Lines of a session of one and the same rower."""
    header = replace(HEADER, session_id=session_id, machine={"name": "PM5", "address": "AA:BB:CC:DD:EE:FF"})
    return header_line(header)[:-1], *LINES[1:]


def send(gym, hub, first, stop, *, is_over=False):
    """Let a hub send some lines of its session of the rower, a second after what came before."""
    gym.now_s += 1.0
    session_id = f"session-{hub}"
    gym.take(batch_bytes([Part(session_id, first, claimed_by(session_id)[first:stop], is_over)]), hub=hub)
    gym.collector.tend(gym.now_s)


def conflicts(gym):
    return [
        each for each in gym.told if all(word in each for word in ("one", "two", "AA:BB", "session-one", "session-two"))
    ]


def test_two_hubs_that_claim_one_rower_are_told_of_once_and_both_kept(gym):
    for first in range(len(LINES)):
        send(gym, "one", first, first + 1)
        send(gym, "two", first, first + 1)
    assert gym.held("session-one").count(b"\n") == gym.held("session-two").count(b"\n") == len(LINES)
    assert len(conflicts(gym)) == len(gym.told) == 1


@pytest.mark.parametrize("is_in_journals", [False, True])
def test_a_conflict_that_lasts_is_told_of_after_a_restart_too(gym, is_in_journals):
    send(gym, "one", 0, 2)
    send(gym, "two", 0, 2)
    for _ in range(1 + is_in_journals):  # the first brings the log into the journals
        gym.start()
    gym.told.clear()
    for first in range(2, 5):
        send(gym, "one", first, first + 1)
        send(gym, "two", first, first + 1)
    assert len(conflicts(gym)) == 1


@pytest.mark.parametrize("restarts", [False, True])
def test_a_hub_that_gave_a_rower_up_is_in_nobodys_way(gym, restarts):
    send(gym, "one", 0, 4)
    send(gym, "two", 0, 2)
    if restarts:
        gym.start()
    send(gym, "one", 4, 5, is_over=True)
    for first in range(2, len(LINES)):
        send(gym, "two", first, first + 1)
    assert gym.told == []


def test_another_session_of_the_name_of_a_stored_one_is_refused(gym):
    gym.take(batch_bytes([Part(ID, 0, LINES, True)]))
    gym.go_on(5)
    other = (header_line(replace(HEADER, plan="another"))[:-1], *LINES[1:])
    answer = gym.take(batch_bytes([Part(ID, 0, other[:1])]), hub="other").answers["other"]
    assert (list(answer.refused), answer.over) == ([ID], set())


def tick(gym, *offsets_s):
    """Let a hub whose clock is off send a line a second."""
    for first, off_s in enumerate(offsets_s):
        gym.now_s += 1.0
        batch = batch_bytes([Part(ID, first, LINES[first : first + 1])], NOW + timedelta(seconds=off_s))
        gym.take(batch, hub="late")


def test_a_hub_with_a_wrong_clock_is_told_of_once_and_its_times_stay(gym):
    tick(gym, *[7200] * len(LINES))
    assert ["late" in each and "7200 s ahead" in each for each in gym.told] == [True]
    assert gym.held() == b"\n".join((*LINES, b""))


def test_a_clock_that_is_set_right_is_told_of_and_so_is_one_that_goes_wrong_again(gym):
    tick(gym, *[-90] * 9, *[0] * 3, *[-90] * 9)
    assert ["90 s behind" in each for each in gym.told] == [True, False, True]
    assert "right again" in gym.told[1]


def test_a_batch_that_lay_on_a_cut_wire_makes_no_clock_wrong(gym):
    tick(gym, 0, -100, -100, 0, 0, 0, 0, 0, -100)
    assert gym.told == []


ANYTHING = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda first, lines, is_over: batch_bytes([Part(ID, first, tuple(lines), is_over)]),
        st.integers(-2, 8),
        st.lists(st.sampled_from([*LINES, b"x", b"{}", b""]), max_size=3),
        st.just(False),
    ),
    st.integers(0, 200).map(lambda at: batch_bytes([Part("new", 0, LINES)])[:at]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ANYTHING, max_size=5))
def test_no_payload_raises_or_changes_what_is_held(gym, payloads):
    gym.take(batch_bytes([Part(ID, 0, LINES[:3])]))
    before = gym.held()
    for payload in payloads:
        gym.take(payload)
    assert gym.held().startswith(before)


# --- a full disk ------------------------------------------------------------------------------------------------------

FULL = """
import resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from rowsync.collector import Collector
from rowsync.relay import Part, batch_bytes
from tests.test_collector import ID, LINES

now, told = datetime.now(UTC), []
collector = Collector(Path(sys.argv[1]), told.append, 0.0)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (700, hard))  # one write is cut, the next refused
first, second = batch_bytes([Part(ID, 0, LINES[:2])]), batch_bytes([Part(ID, 2, LINES[2:])])
print(collector.take([("one", first)], now, 0.0).answers["one"].have[ID])
print(*(len(collector.take([("one", second)], now, at_s).answers) for at_s in (1.0, 2.0)))
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(collector.take([("one", second)], now, 3.0).answers["one"].have[ID])
print(collector.to_store)
print(told)
"""


def test_a_full_disk_acknowledges_nothing_and_goes_on_when_there_is_room(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True)
    have, refused, at_last, stores, told = done.stdout.splitlines()
    assert (have, refused, at_last) == ("2", "0 0", str(len(LINES)))
    assert stores == "True", "what was whole while the disk was full isn't stored"
    assert told.count("refuses") == told.count("takes what comes again") == 1
    again = Gym.__new__(Gym)
    again.folder, again.told, again.now_s = tmp_path, [], 0.0
    again.start()
    assert again.held() == b"\n".join((*LINES, b""))


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Nothing can be collected"):
        Collector(tmp_path / "file", print, 0.0)
