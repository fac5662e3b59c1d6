"""`rowsync hub` and `rowsync collect` as processes, with a real mosquitto: each killed, the network cut at any time."""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import AsyncExitStack, nullcontext

import aiomqtt
import pytest

from benchmarks.collect import MANY_HUBS, Hubs
from rowsync.journal import Journal
from rowsync.mqtt import MqttSettings, stay_connected
from rowsync.recording import read_recording
from rowsync.relay import read_log
from rowsync.store import Store
from rowsync.telemetry import ENDED, Note
from rowsync.wal import logs_left
from tests.broker import Broker, free_port
from tests.conftest import RECORDED, ROOT
from tests.network import Wire, missing
from tests.torture.refusing import disk
from tests.torture.refusing import missing as missing_disk

SEED = int(os.environ.get("ROWSYNC_SEED", "2"))
"""Of the schedule: what is killed and cut, and when."""

ROWS = ("pace-only-10x45-75.jsonl", "intervals-10x45-75.jsonl")


class Program:
    """One of our commands, as a process that is killed and started again."""

    def __init__(self, *arguments, inside=()):
        self._command = [*inside, sys.executable, "-m", "rowsync", *map(str, arguments)]
        self.start()

    def start(self):
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def kill(self):
        """End it, and tell what it said."""
        self._process.kill()
        return self._process.communicate()[1].decode()

    def restart(self):
        self.kill()
        self.start()


def parquet_files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.glob("*/athlete=*/**/*.parquet")}


def until(happened, within_s=90.0):
    give_up_s = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < give_up_s, "it doesn't happen"
        time.sleep(0.1)


def drawn(dice, faults):
    """Faults by lot, each as often as the others."""
    while True:
        yield from dice.sample(faults, len(faults))


@pytest.fixture(params=["this computer", "a wire that is cut"])
def wire(request):
    """How a hub reaches its broker; where no wire can be made, that is said aloud, and in the gate it is a failure."""
    if request.param == "this computer":
        return nullcontext()
    if (why := missing()) is not None:
        pytest.skip(why)
    return Wire()


def test_whatever_is_killed_or_cut_every_session_arrives_as_its_hub_has_it(tmp_path, wire):
    dice = random.Random(SEED)
    folders = [tmp_path / f"rower-{number}" for number, _ in enumerate(ROWS)]
    collected = tmp_path / "collected"
    with wire as cut, Broker(tmp_path, host=cut.here if cut else "127.0.0.1") as broker:
        hub = Program("hub", "--mqtt", broker.url, "--name", "left", *folders, inside=cut.inside if cut else ())
        collector = Program("collect", "--mqtt", broker.url, "--data", collected)

        def broken():
            broker.stop()
            broker.start()

        faults = drawn(dice, [hub.restart, collector.restart, broken] + ([cut.cut, cut.cut] if cut else []))
        try:
            recordings = [read_recording(RECORDED / name) for name in ROWS]
            journals = []
            for folder, recording in zip(folders, recordings, strict=True):
                (folder / "journal").mkdir(parents=True, exist_ok=True)
                path = folder / "journal" / f"{recording.header.session_id}.jsonl"
                journals.append(Journal(path, recording.header))
            until(lambda: all((folder / "hub").is_dir() for folder in folders))
            count = max(len(recording.items) for recording in recordings)
            for at in range(0, count, 40):
                for journal, recording in zip(journals, recordings, strict=True):
                    for item in recording.items[at : at + 40]:
                        journal.append(item)
                time.sleep(0.1)
                if cut and cut.is_cut and dice.random() < 0.2:
                    cut.mend()
                if dice.random() < 0.2:
                    next(faults)()
            for folder, journal, recording in zip(folders, journals, recordings, strict=True):
                journal.append(Note(recording.items[-1].time_s + 1, ENDED))
                journal.close()
                Store(folder).finish(journal.path)
            if cut:
                cut.mend()
            until(lambda: not any(path for folder in folders for path in (folder / "hub").glob("*.jsonl")))
            until(lambda: len(parquet_files(collected)) == 2 * len(ROWS) and not any(collected.glob("journal/*.jsonl")))
        finally:
            hub.kill()
            collector.kill()
    alone = {name: content for folder in folders for name, content in parquet_files(folder).items()}
    assert len(alone) == 2 * len(ROWS)
    assert parquet_files(collected) == alone


def logged(folder):
    """The lines of each session in a collector's log, each of which must stand there once."""
    lines = defaultdict(list)
    for log in logs_left(folder / "collect"):
        for part in read_log(log.read_bytes())[0]:
            assert part.first == len(lines[part.session_id])
            lines[part.session_id] += part.lines
    return lines


def test_a_disk_that_fills_while_forty_row_costs_nobody_a_line_and_is_said_once(tmp_path):
    (tmp_path / "tried").mkdir()
    if (why := missing_disk("full", tmp_path / "tried")) is not None:
        pytest.skip(why)

    async def row(broker, full, collected):
        hubs = Hubs(40, 7)
        settings = MqttSettings(url=broker.url)
        rowing = asyncio.create_task(stay_connected(settings, ("rowsync/hub/+/have",), hubs.serve, print))
        await asyncio.to_thread(until, lambda: all(each.saved_s for each in hubs.rowers))
        full.refuse()
        await asyncio.sleep(1.2)
        acknowledged, saved = {each.session_id: len(each.saved_s) for each in hubs.rowers}, logged(collected)
        rowed = {each.session_id: len(each.lines) for each in hubs.rowers}
        full.accept()
        hubs.end_s = time.monotonic() + 0.5
        await rowing
        assert all(acknowledged[each] <= len(saved[each]) < rowed[each] for each in rowed)
        return {each.session_id: each.lines for each in hubs.rowers}

    with disk("full", tmp_path) as full, Broker(tmp_path, "allow_anonymous true", *MANY_HUBS) as broker:
        collected = full.folder / "collected"
        program = Program("collect", "--mqtt", broker.url, "--data", collected)
        try:
            rowed = asyncio.run(row(broker, full, collected))
        finally:
            said = program.kill()
        held = logged(collected)
    assert held == rowed
    assert said.count("The disk refuses (No space left on device)") == said.count("Make room") == 1
    assert said.count("takes what comes again") == 1


def test_a_second_collector_of_a_folder_is_refused(tmp_path):
    with Broker(tmp_path) as broker:
        first = Program("collect", "--mqtt", broker.url, "--data", tmp_path / "data")
        try:
            until(lambda: (tmp_path / "data" / "collect").is_dir())
            command = [sys.executable, "-m", "rowsync", "collect", "--mqtt", broker.url, "--data", tmp_path / "data"]
            second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
        finally:
            first.kill()
    assert second.returncode == 2
    assert "Another rowsync" in second.stderr


def test_a_broker_that_is_not_there_is_said_in_a_line(tmp_path):
    command = [sys.executable, "-m", "rowsync", "collect", "--mqtt", f"mqtt://127.0.0.1:{free_port()}"]
    with subprocess.Popen([*command, "--data", tmp_path], cwd=ROOT, stderr=subprocess.PIPE, text=True) as collector:
        said = collector.stderr.readline()
        collector.kill()
    assert said.startswith("MQTT: 127.0.0.1 can't be reached")
    assert said.endswith("It is tried again.\n")


# --- who may write what -----------------------------------------------------------------------------------------------


def guarded(folder):
    """A broker with the access list of docs/collect.md; passwords are the users' names."""
    (access,) = re.findall(r"```acl\n(.*?)```", (ROOT / "docs" / "collect.md").read_text(), re.DOTALL)
    (folder / "acl").write_text(access)
    (folder / "passwords").write_text("".join(f"{name}:{name}\n" for name in USERS))
    (folder / "acl").chmod(0o600)
    (folder / "passwords").chmod(0o600)
    run_as = ["user root"] if os.geteuid() == 0 else []  # nobody else may read what a test writes
    rules = [f"password_file {folder / 'passwords'}", f"acl_file {folder / 'acl'}"]
    broker = Broker(folder, "allow_anonymous false", *rules, *run_as)
    subprocess.run(["mosquitto_passwd", "-U", folder / "passwords"], check=True)
    return broker


USERS = ("a", "b", "collector", "screen")
LAST = (("a", "rowsync/hub/a/batch"), ("collector", "rowsync/hub/a/have"), ("collector", "rowsync/hub/b/have"))
"""What reaches everybody in the end."""


async def delivered(broker, *messages):
    """Who gets what of messages (user, topic), where everybody asks for everything: (reader, user, topic)."""
    async with AsyncExitStack() as opened:
        clients = {
            name: await opened.enter_async_context(
                aiomqtt.Client(broker.host, broker.port, username=name, password=name, timeout=5)
            )
            for name in USERS
        }
        for client in clients.values():
            await client.subscribe("rowsync/#", qos=1)
        for user, topic in messages:
            await clients[user].publish(topic, user, qos=1)
        for user, topic in (*LAST, ("collector", "rowsync/collected")):
            await clients[user].publish(topic, "last", qos=1)
        got = set()
        async with asyncio.timeout(10):
            for name, client in clients.items():
                async for message in client.messages:
                    if (payload := bytes(message.payload).decode()) == "last":
                        break
                    got.add((name, payload, str(message.topic)))
        return got


def test_with_the_brokers_list_a_hub_writes_as_itself_alone_and_only_the_collector_acknowledges(tmp_path):
    batches = [(user, f"rowsync/hub/{hub}/batch") for user in ("a", "b", "screen") for hub in ("a", "b")]
    answers = [(user, f"rowsync/hub/{hub}/have") for user in USERS for hub in ("a", "b")]
    told = [(user, "rowsync/collected") for user in USERS]
    with guarded(tmp_path) as broker:
        got = asyncio.run(delivered(broker, *batches, *answers, *told))
    assert got == {
        ("collector", "a", "rowsync/hub/a/batch"),
        ("collector", "b", "rowsync/hub/b/batch"),
        ("a", "collector", "rowsync/hub/a/have"),
        ("b", "collector", "rowsync/hub/b/have"),
        ("screen", "collector", "rowsync/collected"),
    }
