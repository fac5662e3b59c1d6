"""Keys while rowing: one touch leads the row, and nothing that isn't a key does."""

from __future__ import annotations

import asyncio
import os
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowsync.commands import Command
from rowsync.errors import UsageError
from rowsync.keys import SURE_WITHIN_S, KeyCommands, Keys, key_names


@pytest.mark.parametrize(
    ("read", "keys"),
    [
        (b"n", ["n"]),
        (b"N", ["n"]),
        (b" ", ["space"]),
        (b"\x1b", ["escape"]),
        (b"\x1b[C", ["right"]),
        (b"\x1bOC", ["right"]),
        (b"\x1b[A", []),
        (b"\x1b[1;5C", []),
        (b"\x1b[", []),
        (b"++", ["+", "+"]),
        (b"next please", []),
        (b"\xff\xfe", []),
        (b"", []),
    ],
)
def test_what_a_terminal_sends_are_keys_or_nothing(read, keys):
    assert list(key_names(read)) == keys


@given(st.binary(max_size=40))
def test_any_bytes_are_keys_with_a_name_or_nothing(read):
    assert all(key.isprintable() and key for key in key_names(read))


class Row:
    """What a row was asked for, and what its person was told."""

    def __init__(self):
        self.commands, self.said, self.now_s, self.is_connected, self.is_muted = [], [], 0.0, True, False

    def do(self, command):
        if not self.is_connected:
            raise UsageError("No rower is connected yet.")
        self.commands.append(command)

    def mute(self):
        self.is_muted = not self.is_muted
        return self.is_muted

    def press(self, *keys):
        commands = self.keys if hasattr(self, "keys") else KeyCommands(self.do, self.said.append, self.mute, self.clock)
        self.keys = commands
        for key in keys:
            commands(key)

    def clock(self):
        return self.now_s


def test_a_key_leads_the_row():
    row = Row()
    row.press("n", "space", "right", "+", "b", "x")
    assert [command.name for command in row.commands] == ["next", "next", "next", "extend", "start"]


def test_ending_a_row_takes_two_presses_soon_after_each_other():
    row = Row()
    row.press("q")
    assert row.said == ["Press q again to end the session."]
    row.now_s = SURE_WITHIN_S + 1
    row.press("q")
    assert row.commands == []
    row.press("escape")
    assert row.commands == [Command("stop")]


def test_what_cannot_be_done_now_is_said():
    row = Row()
    row.is_connected = False
    row.press("n")
    assert row.said == ["No rower is connected yet."]


def test_m_turns_sound_off_and_on():
    row = Row()
    row.press("m", "m")
    assert row.said == ["Sound is off; m turns it on.", "Sound is on."]


async def test_keys_are_read_from_a_terminal_that_is_given_back_as_it_was():
    ours, theirs = os.openpty()
    with os.fdopen(theirs) as stream:
        before = termios.tcgetattr(theirs)
        pressed = []
        with Keys(pressed.append, stream) as keys:
            assert keys.is_open
            os.write(ours, b"n")
            for _ in range(100):
                await asyncio.sleep(0.01)
                if pressed:
                    break
        assert termios.tcgetattr(theirs) == before
    os.close(ours)


async def test_without_a_terminal_there_are_no_keys():
    read, write = os.pipe()
    with os.fdopen(read) as stream, Keys(pytest.fail, stream) as keys:
        os.write(write, b"n")
        await asyncio.sleep(0.02)
        assert not keys.is_open
    os.close(write)
