"""Attack 8: the broker's password, the service's key and the live page's secret are nowhere to be found."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx

from rowsync.cli.company import live_token
from rowsync.mqtt import MqttSettings, _tls
from rowsync.uploads import Service
from tests.broker import free_port
from tests.conftest import ROOT
from tests.torture.planted import holds, versions

SECRET = "correct-horse-battery-staple"

WEAK = """
import sys, time
print("connecting as anna with", sys.argv[1], file=sys.stderr, flush=True)
open(sys.argv[2] + "/session.json", "w").write(sys.argv[1])
time.sleep(60)
"""


def rowsync(data, secrets):
    """A row that tells a broker which isn't there, with `--debug`, its password in the environment or a file."""
    url = f"mqtt://anna@127.0.0.1:{free_port()}"
    row = ("row", "--virtual", "--plan", "20", "--no-sound", "--web", "--web-port", str(free_port()))
    command = [sys.executable, "-m", "rowsync", *row, "--mqtt", url, "--debug", "--data", str(data)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | secrets, stdout=-1, stderr=-1)


def with_it_as_an_argument(data, secrets):
    """As `mosquitto_sub -P`, and as programs that log how they connect."""
    data.mkdir()
    return subprocess.Popen([sys.executable, "-c", WEAK, SECRET, str(data)], stdout=-1, stderr=-1)


def in_files(folder):
    """The password where only its owner can read it, and settings that say where."""
    (folder / "password").write_text(f"{SECRET}\n")
    (folder / "password").chmod(0o600)
    (folder / "config.toml").write_text(f'[mqtt]\npassword_file = "{folder}/password"\n')
    return {"ROWSYNC_CONFIG": str(folder / "config.toml")}


@versions(rowsync, with_it_as_an_argument)
def test_the_password_is_in_no_list_of_processes_no_output_and_no_file(defence, outcome, tmp_path):
    data = tmp_path / "data"
    process = defence(data, in_files(tmp_path))
    rows_for_a_while(data)
    argument, kept = Path(f"/proc/{process.pid}/cmdline").read_bytes(), contents(data)
    process.terminate()  # not SIGINT, to which a child of a job in the background is deaf
    said = b"".join(process.communicate(timeout=60))
    after = contents(data)
    with outcome:
        holds(SECRET.encode() not in argument, "it stands in the list of processes")
        holds(SECRET.encode() not in said, "it was printed")
        for name, content in (*kept.items(), *after.items()):
            holds(SECRET.encode() not in content, f"it is in {name}")
        token = after.get("live-token", b"-" * 22)
        holds(
            [name for name, content in after.items() if token in content] == ["live-token"], "the link's secret leaks"
        )
    if defence is rowsync:
        assert b"MQTT" in said
        assert b"Traceback" not in said
        assert any(name.endswith(".jsonl") for name in kept)


def rows_for_a_while(data, octets=1500):
    """Wait until some strokes are on disk, or what a weak one writes."""
    for _ in range(600):
        if (data / "session.json").exists() or any(len(each) > octets for each in contents(data / "journal").values()):
            return
        time.sleep(0.05)
    raise AssertionError("nobody rows")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Told:
    """Says all that it knows."""

    def __init__(self, url, secret):
        self.secret = secret

    def __repr__(self):
        return f"Told({self.secret!r})"


@versions(lambda url, secret: (MqttSettings(url, password=secret), Service(url, secret)), Told)
def test_a_crash_that_prints_its_values_prints_no_secret(defence, outcome):
    shown = repr(defence("mqtt://anna@home", SECRET))
    with outcome:
        holds(SECRET not in shown, shown)


def seven_letters(folder):
    return "letmein"


@versions(live_token, seven_letters)
def test_the_links_secret_cannot_be_guessed(defence, outcome, tmp_path):
    secrets = {defence(tmp_path / str(number)) for number in range(50)}
    with outcome:
        holds(len(secrets) == 50, "two computers have the same")
        holds(min(map(len, secrets)) >= 22, "128 bits are 22 letters of 64")


def test_what_goes_to_a_broker_or_a_service_is_encrypted_by_no_old_tls():
    for context in (_tls(None), httpx.create_ssl_context()):
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_no_option_takes_a_secret():
    done = subprocess.run(
        [sys.executable, "-c", OPTIONS], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    names = done.stdout.split()
    assert "--mqtt" in names
    assert not [name for name in names if any(word in name for word in ("password", "key", "token", "secret"))]


OPTIONS = """
from rowsync.cli import cli

def options(command):
    for parameter in command.params:
        yield from parameter.opts
    for inner in getattr(command, "commands", {}).values():
        yield from options(inner)

print(*options(cli))
"""
