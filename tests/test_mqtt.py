"""MQTT against a real mosquitto: what is told, that nothing gets lost, and that nothing of it reaches the row."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from statistics import median

import pytest

from rowsync.commands import Command
from rowsync.errors import UsageError
from rowsync.mqtt import MqttSettings, _Apart, open_mqtt, read_url
from tests.broker import Broker, said, subscribed
from tests.conftest import ROOT
from tests.test_rowing import Listening, rowed


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    screen = Listening()
    rowed(tmp_path_factory.mktemp("row"), "10 + 2x20/20", screen)
    return screen.moments


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path) as broker:
        yield broker


class Row:
    """What the row was asked for, and what its person was told."""

    def __init__(self):
        self.commands, self.told = [], []

    def do(self, command):
        self.commands.append(command)


@asynccontextmanager
async def telling(broker, folder, row=None, **settings):
    row = row or Row()
    asked = MqttSettings(broker.url, **settings)
    async with open_mqtt(row.do, asked, folder=folder, say=row.told.append, machine="Virtual Rower") as reader:
        yield reader


def strokes_of(moments):
    return sum(len(moment.strokes) for moment in moments)


def numbers(payloads):
    return [json.loads(payload)["number"] for payload in payloads]


# --- what is told -----------------------------------------------------------------------------------------------------


async def test_a_row_is_told_in_numbers_from_its_start_to_its_end(broker, moments, tmp_path):
    async with subscribed(broker) as heard:
        async with telling(broker, tmp_path) as reader:
            for moment in moments:
                reader.show(moment)
            await heard.until("/stroke", strokes_of(moments))
            await heard.until("/live", says='"state":"done"')
            reader.end(None)
            await heard.until("/event", 4)
        strokes, events = heard.of("/stroke"), [json.loads(each) for each in heard.of("/event")]
    assert numbers(strokes) == list(range(1, len(strokes) + 1))
    assert {"session_id", "number", "power_w", "stroke_rate_spm", "distance_m", "at"} <= set(json.loads(strokes[5]))
    assert [event["event"] for event in events] == ["session_start", "round_done", "round_done", "session_end"]
    assert heard.of("bridge/status")[-1] == "offline"
    assert json.loads(heard.of("/interval")[-1])["phase"] == "idle"


async def test_who_subscribes_late_finds_what_is_retained(broker, moments, tmp_path):
    async with telling(broker, tmp_path) as reader:
        today = moments[0].heading.started_at.replace(hour=0, minute=0, second=0, microsecond=0)
        reader.remember({"lifetime_kcal": 1000.0, "kcal_today": 50.0, "day_start": today.isoformat()})
        for moment in moments[:100]:
            reader.show(moment)
        async with subscribed(broker) as heard:
            totals = json.loads((await heard.until("/totals"))[-1])
            await heard.until("/config")
            await heard.until("bridge/status")
    assert totals["lifetime_kcal"] == pytest.approx(1000 + moments[99].gross_kcal, abs=0.2)
    assert totals["kcal_today"] == pytest.approx(50 + moments[99].gross_kcal, abs=0.2)
    retained = {topic.split("/", 1)[1] for topic, _, is_retained in heard if is_retained}
    assert not any(topic.endswith(("/live", "/stroke", "/event")) for topic in retained)


async def test_lifetime_energy_never_falls_and_what_is_not_known_is_not_told(broker, moments, tmp_path):
    async with subscribed(broker) as heard:
        async with telling(broker, tmp_path) as reader:
            for moment in moments[:100]:
                reader.show(moment)
            await heard.until("/stroke", 5)
            assert heard.of("/totals") == []
            reader.remember({"lifetime_kcal": 500.0, "kcal_today": 0.0, "day_start": None})
            await heard.until("/totals")
        async with telling(broker, tmp_path) as reader:
            reader.remember({"lifetime_kcal": 10.0, "kcal_today": 0.0, "day_start": None})
            for moment in moments[:150]:
                reader.show(moment)
            await heard.until("/totals", 2)
        lifetimes = [json.loads(each)["lifetime_kcal"] for each in heard.of("/totals")]
    assert lifetimes == sorted(lifetimes)
    assert lifetimes[0] >= 500


async def test_a_hostile_machine_name_is_one_safe_topic(broker, moments, tmp_path):
    heading = replace(moments[0].heading, machine={"name": "+/#/\x00💥/../$SYS"})
    async with subscribed(broker) as heard, telling(broker, tmp_path) as reader:
        for moment in moments[:60]:
            reader.show(replace(moment, heading=heading))
        await heard.until("/stroke", 2)
    machines = {topic.split("/")[1] for topic, *_ in heard if topic.endswith("/stroke")}
    assert len(machines) == 1
    assert not set(machines.pop()) & set("+#/\x00$.")


# --- nothing is lost --------------------------------------------------------------------------------------------------


async def test_what_was_rowed_while_the_broker_was_away_comes_when_it_is_back(broker, moments, tmp_path):
    row = Row()
    async with telling(broker, tmp_path, row) as reader:
        for moment in moments[:60]:
            reader.show(moment)
        await asyncio.sleep(0.5)
        broker.stop()
        took_s = []
        for moment in moments[60:]:
            began_s = time.perf_counter()
            reader.show(moment)
            took_s.append(time.perf_counter() - began_s)
            await asyncio.sleep(0)
        broker.start()
        async with subscribed(broker) as heard:
            due = strokes_of(moments)
            reader.show(replace(moments[-1], number=moments[-1].number + 1, strokes=()))
            await heard.until("/stroke", due - strokes_of(moments[:60]))
            await asyncio.sleep(0.3)
            late = numbers(heard.of("/stroke"))
    assert median(took_s) < 0.01  # not the slowest: a busy machine delays that
    assert sorted(set(late))[-1] == due
    assert set(range(strokes_of(moments[:60]) + 1, due + 1)) <= set(late)
    assert len(late) - len(set(late)) <= 1
    assert any("can't be reached" in text for text in row.told)


async def test_a_broker_that_is_killed_in_the_middle_loses_no_stroke(broker, tmp_path, moments):
    due = set(range(1, strokes_of(moments) + 1))
    async with subscribed(broker) as heard, telling(broker, tmp_path) as reader:
        for at, moment in enumerate(moments):
            reader.show(moment)
            await asyncio.sleep(0.002)
            if at == len(moments) // 2:
                broker.stop(signal.SIGKILL)
                broker.start()
        await heard.until("/stroke", says=f'"number":{max(due)}}}')
        if missing := due - set(numbers(heard.of("/stroke"))):  # what was in the broker's own hands is asked for again
            (topic, *_) = next(each for each in heard if each[0].endswith("/stroke"))
            asked = {"command": "replay", "session_id": moments[0].heading.session_id, "from": min(missing)}
            await said(broker, topic.replace("/stroke", "/cmd"), json.dumps(asked))
            await heard.until("/stroke", len(due) - min(missing) + 1, says='"replayed":true')
    assert set(numbers(heard.of("/stroke"))) == due


async def test_what_no_broker_took_is_kept_and_sent_first_the_next_time(tmp_path, moments):
    broker, row = Broker(tmp_path), Row()
    async with telling(broker, tmp_path, row) as reader:
        for moment in moments:
            reader.show(moment)
        reader.end(None)
    left = list((tmp_path / "mqtt" / "left").iterdir())
    assert len(left) == 1
    assert left[0].stat().st_mode & 0o077 == 0
    with broker:
        async with subscribed(broker) as heard, telling(broker, tmp_path):
            found = await heard.until("/stroke", strokes_of(moments))
            await heard.until("/event", 4)
    assert numbers(found) == list(range(1, strokes_of(moments) + 1))
    assert not list((tmp_path / "mqtt" / "left").iterdir())


async def test_a_session_that_is_shown_again_after_a_restart_is_not_told_twice(broker, moments, tmp_path):
    async with subscribed(broker) as heard:
        for upto in (150, len(moments)):
            async with telling(broker, tmp_path) as reader:
                for moment in moments[:upto]:
                    reader.show(moment)
                await heard.until("/stroke", strokes_of(moments[:upto]))
        found = numbers(heard.of("/stroke"))
    assert found == list(range(1, strokes_of(moments) + 1))


async def test_a_replay_sends_what_is_asked_for_and_marks_it(broker, moments, tmp_path):
    async with subscribed(broker) as heard, telling(broker, tmp_path) as reader:
        for moment in moments:
            reader.show(moment)
        await heard.until("/stroke", strokes_of(moments))
        (topic, *_) = next(each for each in heard if each[0].endswith("/stroke"))
        asked = {"command": "replay", "session_id": moments[0].heading.session_id, "from": 5}
        await said(broker, topic.replace("/stroke", "/cmd"), json.dumps(asked))
        found = await heard.until("/stroke", 2 * strokes_of(moments) - 4)
    again = [json.loads(each) for each in found if "replayed" in each]
    assert [each["number"] for each in again] == list(range(5, strokes_of(moments) + 1))


# --- commands ---------------------------------------------------------------------------------------------------------


async def test_a_command_leads_the_row_and_anything_else_is_answered_with_a_sentence(broker, moments, tmp_path):
    row = Row()
    async with subscribed(broker) as heard, telling(broker, tmp_path, row) as reader:
        reader.show(moments[0])
        await heard.until("/live")
        base = next(each for each, *_ in heard if each.endswith("/live"))[:-5]
        await said(broker, f"{base}/cmd", '{"command": "extend", "seconds": 30}')
        for _ in range(200):
            if row.commands:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.15)
        await said(broker, f"{base}/cmd", '{"command": "reboot"}')
        refused = json.loads((await heard.until("/error"))[-1])
    assert row.commands == [Command("extend", {"seconds": 30.0})]
    assert "There is no command" in refused["error"]


async def test_a_retained_stop_does_not_end_every_row(broker, moments, tmp_path):
    row = Row()
    async with telling(broker, tmp_path) as reader, subscribed(broker) as heard:
        reader.show(moments[0])
        await heard.until("/live")
        base = next(each for each, *_ in heard if each.endswith("/live"))[:-5]
    await said(broker, f"{base}/cmd", "stop", retain=True)
    async with telling(broker, tmp_path, row) as reader, subscribed(broker) as heard:
        reader.show(moments[0])
        await heard.until("/live")
        await asyncio.sleep(0.3)
    assert row.commands == []


# --- a broker that is no good -----------------------------------------------------------------------------------------


async def test_a_broker_that_takes_the_connection_and_never_answers_delays_nothing(moments, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        accepted = []
        threading.Thread(target=lambda: accepted.append(silent.accept()), daemon=True).start()
        settings = MqttSettings(f"mqtt://127.0.0.1:{silent.getsockname()[1]}")
        took_s = []
        began_s = time.monotonic()
        async with open_mqtt(print, settings, folder=tmp_path, say=lambda text: None) as reader:
            for moment in moments:
                at_s = time.perf_counter()
                reader.show(moment)
                took_s.append(time.perf_counter() - at_s)
                await asyncio.sleep(0)
        assert median(took_s) < 0.01  # not the slowest: a busy machine delays that
        assert time.monotonic() - began_s < 9
        for connection, _ in accepted:
            connection.close()
    assert (tmp_path / "mqtt" / "left").is_dir()


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_a_password_is_never_shown_and_never_in_the_address():
    settings = MqttSettings("mqtts://anna@home", password="hunter2")
    assert "hunter2" not in repr(settings) + str(settings)
    with pytest.raises(UsageError) as refused:
        read_url("mqtts://anna:hunter2@home")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["", "home", "http://home", "mqtt://", "mqtt://home:99999", "mqtt://home/path", "mqtt://a b"]
)
def test_an_address_that_is_none_is_refused_in_a_sentence(url):
    with pytest.raises(UsageError):
        MqttSettings(url)


def test_a_password_that_would_go_unencrypted_to_a_far_host_is_warned_of():
    assert "unencrypted" in MqttSettings("mqtt://a@broker.example", password="x").warning()
    assert MqttSettings("mqtts://a@broker.example", password="x").warning() is None
    assert MqttSettings("mqtt://a@192.168.1.5", password="x").warning() is None


def certificates(folder):
    """A certificate for 127.0.0.1 that signs itself."""
    names = ("-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1")
    options = ("-newkey", "rsa:2048", "-nodes", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run(["openssl", "req", "-x509", *options, *map(str, names)], check=True, capture_output=True)
    (folder / "key.pem").chmod(0o644)


async def test_tls_is_verified_and_a_stranger_is_told_nothing(tmp_path, moments):
    certificates(tmp_path)
    lines = ("allow_anonymous true", f"certfile {tmp_path}/cert.pem", f"keyfile {tmp_path}/key.pem")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and len(folder.parts) > 2:
            folder.chmod(0o755)
    with Broker(tmp_path, *lines) as broker:
        url = broker.url.replace("mqtt:", "mqtts:")
        for ca_file, says in ((None, "isn't trusted"), (tmp_path / "cert.pem", "gets the row now")):
            row = Row()
            settings = MqttSettings(url, ca_file=ca_file)
            async with open_mqtt(row.do, settings, folder=tmp_path, say=row.told.append, machine="PM5") as reader:
                reader.show(moments[0])
                for _ in range(300):
                    if any(says in text for text in row.told):
                        break
                    await asyncio.sleep(0.02)
            assert any(says in text for text in row.told), row.told


async def test_the_will_says_offline_when_rowsync_is_killed(broker, tmp_path):
    options = ("--no-sound", "--mqtt", broker.url, "--data", str(tmp_path / "data"))
    command = [sys.executable, "-m", "rowsync", "row", "--virtual", *options]
    async with subscribed(broker) as heard:
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL, cwd=ROOT)
        await heard.until("/stroke", 1, within_s=30)
        assert heard.of("bridge/status")[-1] == "online"
        process.kill()
        await process.wait()
        await heard.until("bridge/status", 2)
        assert heard.of("bridge/status") == ["online", "offline"]


def test_a_connection_that_fails_after_the_row_says_nothing(monkeypatch):
    failures, row_is_over = [], threading.Event()
    monkeypatch.setattr(threading, "excepthook", failures.append)

    def refused():
        row_is_over.wait(10)
        raise ConnectionRefusedError

    future = _Apart().submit(refused)
    (thread,) = (each for each in threading.enumerate() if each.name == "mqtt connects")
    future.cancel()
    row_is_over.set()
    thread.join(10)
    assert failures == []
