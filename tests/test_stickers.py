"""A code for each machine of a room, to print."""

from __future__ import annotations

import re
import socket

import pytest
from click.testing import CliRunner

from rowsync.cli import cli
from rowsync.cli.company import lan_address, live_token, room_token
from rowsync.cli.qr import printed_code

HERE, THERE = "F0:0D:00:00:00:01", "F0:0D:00:00:00:02"


def stickers(folder, *options):
    asked = [str(each) for each in ("stickers", *options, "-o", folder / "sheet.html", "--data", folder)]
    done = CliRunner().invoke(cli, asked)
    return done, (folder / "sheet.html").read_text() if not done.exception else ""


def test_each_rower_has_a_code_that_leads_to_its_lane_with_the_rooms_secret(tmp_path):
    done, sheet = stickers(tmp_path, HERE, THERE, HERE, "--web-port", "8800")
    links = [f"http://{lan_address()}:8800/claim/{each}#{room_token(tmp_path)}" for each in (HERE, THERE)]
    assert re.findall("<svg.*?</svg>", sheet, re.DOTALL) == [printed_code(link) for link in links]
    assert HERE in sheet
    assert THERE in sheet
    assert lan_address() in done.stderr, "how long a code is good is said"


def test_a_code_leads_to_the_computers_name_where_its_address_changes(tmp_path):
    done, sheet = stickers(tmp_path, HERE, "--by-name")
    link = f"http://{socket.gethostname()}.local:8766/claim/{HERE}#{room_token(tmp_path)}"
    assert printed_code(link) in sheet
    assert not done.stderr


def test_what_a_code_shows_to_everybody_leads_nobodys_row(tmp_path):
    assert room_token(tmp_path) != live_token(tmp_path)
    assert room_token(tmp_path) == room_token(tmp_path), "a code that is printed stays good"


def test_an_address_of_any_text_is_printed_as_text(tmp_path):
    _, sheet = stickers(tmp_path, "<b>&#x41;")
    assert "&lt;b&gt;&amp;#x41;" in sheet
    assert printed_code(f"http://{lan_address()}:8766/claim/%3Cb%3E%26%23x41%3B#{room_token(tmp_path)}") in sheet


@pytest.mark.parametrize("place", ["", "file/sheet.html"])
def test_where_it_cannot_be_written_is_said_with_what_to_type(tmp_path, place):
    (tmp_path / "file").touch()
    done = CliRunner().invoke(cli, ["stickers", HERE, "-o", str(tmp_path / place), "--data", str(tmp_path)])
    assert str(done.exception).endswith("Choose another place with -o.")  # a path may hold "-o" itself
