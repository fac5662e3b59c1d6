"""What may be asked for while a row goes on: everything else is refused with a sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.commands import COMMANDS, LARGEST_BYTES, Command, carry_out, read_command
from rowsync.errors import UsageError


class Told:
    """What a connection was told."""

    def __init__(self):
        self.notes = []

    def tell(self, event, **details):
        self.notes.append((event, details))


def carried_out(content):
    told = Told()
    carry_out(read_command(content), told)
    return told.notes


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        (b'{"command": "next"}', [("next", {})]),
        (b"next\n", [("next", {})]),
        ("stop", [("stop", {})]),
        ("start", [("begin", {})]),
        ('{"command": "start", "plan": " 10x45/75 "}', [("plan", {"text": "10x45/75"})]),
        ('{"command": "extend", "seconds": 60}', [("extend", {"seconds": 60.0})]),
        ('{"command": "extend", "metres": 100}', [("extend", {"metres": 100.0})]),
        ("extend", [("extend", {})]),
    ],
)
def test_a_command_becomes_a_note_in_the_session(content, notes):
    assert carried_out(content) == notes


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        "[]",
        '{"command": "reboot"}',
        '{"command": ["next"]}',
        '{"command": "next", "seconds": 5}',
        '{"command": "extend", "seconds": -5}',
        '{"command": "extend", "seconds": NaN}',
        '{"command": "extend", "seconds": true}',
        '{"command": "extend", "seconds": "60"}',
        '{"command": "start", "plan": "10y45"}',
        '{"command": "start", "plan": 5}',
        "[" * 5000,
        " " * (LARGEST_BYTES + 1),
    ],
)
def test_anything_else_is_refused_with_a_sentence(content):
    with pytest.raises(UsageError) as refused:
        read_command(content)
    assert len(str(refused.value)) < 400


@given(st.binary(max_size=200) | st.text(max_size=200) | st.dictionaries(st.text(), st.integers()).map(json.dumps))
def test_whatever_arrives_is_a_command_or_refused(content):
    try:
        command = read_command(content)
    except UsageError:
        return
    assert isinstance(command, Command)
    assert command.name in COMMANDS
