"""Attack 14: nothing of the person leaves the computer unasked; not one packet, not even an attempt."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import RECORDED, ROOT
from tests.torture.planted import holds, versions

LIFE = """
import fcntl, json, socket, struct, sys, threading, urllib.request
from pathlib import Path

with socket.socket() as probe:  # the loopback of an empty network is down: SIOCSIFFLAGS, IFF_UP | IFF_RUNNING
    fcntl.ioctl(probe, 0x8914, struct.pack("16sh14x", b"lo", 0x41))

from rowsync.cli import cli

commands, data = json.loads(sys.argv[1]), sys.argv[2]
for arguments in commands:
    cli.main([*arguments, "--data", data], standalone_mode=False)

from dashboards.app import create_app, serve
from rowsync.store import Store

store, addresses, ready = Store(Path(data)), [], threading.Event()
announce = lambda address: (addresses.append(address), ready.set())
served = {"target": serve, "args": (create_app(store), "127.0.0.1", 0), "kwargs": {"announce": announce}}
threading.Thread(**served, daemon=True).start()
ready.wait(10)
for path in ("", f"session/{store.find()}", "plotly.min.js"):
    with urllib.request.urlopen(addresses[0] + path) as answer:
        assert answer.status == 200
"""

UPLOADS = """
import socket

try:
    socket.create_connection(("192.0.2.1", 443), timeout=1)  # an address of nobody's (RFC 5737)
except OSError:
    pass
"""


def commands(folder):
    yield ("row", "--virtual", "--fast", "--plan", "2x20/20", "--mass", "75")
    yield ("replay", str(RECORDED / "pace-only-10x45-75.jsonl"), "--store")
    yield ("show",)
    yield ("sessions",)
    yield ("report", "--all", "-o", f"{folder}/site")
    yield ("export", "session", "-o", f"{folder}/row.fit")
    yield ("programme",)


def strace_path():
    """Where strace is; without one the test is skipped, or fails when it runs in CI."""
    found = shutil.which("strace")
    if found is None:
        reason = "no strace here (apt-get install strace), so no connection can be seen"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


def lives():
    return LIFE


def uploads_heart_rates():
    return UPLOADS


@versions(lives, uploads_heart_rates)
def test_a_whole_life_of_rowing_asks_nobody_but_this_computer(defence, outcome, tmp_path):
    seen = tmp_path / "seen"
    alone = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")
    watched = (strace_path(), "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(seen))
    life = (sys.executable, "-c", defence(), json.dumps(list(commands(tmp_path))), str(tmp_path / "data"))
    done = subprocess.run((*alone, *watched, *life), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = seen.read_text().splitlines()
    with outcome:
        addresses = set(re.findall(r'inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"', "\n".join(lines)))
        holds(addresses <= {"127.0.0.1", "::1"}, f"asked {addresses}")
    if defence is lives:
        assert any("127.0.0.1" in line for line in lines), "the pages were asked for, and strace saw it"


def test_a_page_names_no_address_but_its_own():
    outside = re.compile(r"""(?:src|href|action)=["']?(?:https?:)?//|url\(["']?(?:https?:)?//|@import""")
    for path in (ROOT / "dashboards").iterdir():
        if path.suffix in (".js", ".css", ".html", ".py"):
            assert not outside.search(path.read_text()), path
