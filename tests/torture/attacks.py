"""The attacks that need dice, as functions of a `Random`: a short run in the gate, a long one by command.

    python -m tests.torture.attacks [--cases N] [--seed N] [--attack NAME] [--weak]

Each takes the defence that it is tried on, so that a planted weak one can take its place; a violation prints the one
command that repeats it.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import struct
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import PurePosixPath
from random import Random
from typing import Any, NamedTuple

from rowsync.decoding import DESCRIBED, describe
from rowsync.messages import machine_id
from rowsync.readers import READERS, read
from rowsync.recording import header_line, parse_recording
from rowsync.session import Header, Tracker
from rowsync.slug import slug
from rowsync.telemetry import Notification
from rowsync.wording import no_formula, outside_html, outside_text
from tests.torture.hostile import name, payload
from tests.torture.planted import Violation, holds

CHARACTERISTICS = (*sorted({*READERS, *DESCRIBED}), "ffff")
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class Attack(NamedTuple):
    """One attack: what is tried, on rowsync's own defence and on one that is known to be weak."""

    strike: Callable[[Random, Any], None]
    ours: Any
    weak: Any


# --- bytes ------------------------------------------------------------------------------------------------------------


def send(dice: Random, tracker: Callable[[], Any]) -> None:
    """A hundred packets of anything, as a row: nothing raises."""
    follows = tracker()
    try:
        for number in range(100):
            follows.feed(Notification(number / 10, dice.choice(CHARACTERISTICS), payload(dice)))
        json.dumps(follows.finish().summary(), allow_nan=False)
    except Exception as error:
        raise Violation(f"{type(error).__name__}: {error}") from error


class Follows:
    """rowsync: every packet is read, described and counted."""

    def __init__(self) -> None:
        self._tracker = Tracker(Header("attack", parse_recording(header_line(HEADER)).header.started_at))

    def feed(self, packet: Notification) -> None:
        read(packet)
        describe(packet.characteristic, packet.payload)
        self._tracker.feed(packet)

    def finish(self) -> Any:
        return self._tracker.finish()


class TakesItsWord(Follows):
    """Believes the flags."""

    def feed(self, packet: Notification) -> None:
        flags = struct.unpack_from("<H", packet.payload)[0]
        struct.unpack_from("<BH" if flags & 1 == 0 else "<", packet.payload, 2)


# --- names ------------------------------------------------------------------------------------------------------------


def show_in_a_terminal(dice: Random, shown: Callable[[str], str]) -> None:
    """What is shown of a name moves, hides and turns nothing, and is no longer than a line."""
    text = shown(name(dice))
    for character in text:
        moves = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        turns = unicodedata.bidirectional(character) in TURNING
        holds(not moves and not turns and character not in "\u200b\ufeff", f"{text!r} is not plain")
    holds(len(text) <= 81 * 6, f"{text!r} is too long")


def show_on_a_page(dice: Random, shown: Callable[[str], str]) -> None:
    """What is shown of a name has no tag, no attribute and no end of anything in it."""
    text = shown(name(dice))
    inside = text.removeprefix("<bdi>").removesuffix("</bdi>")
    holds(not set(inside) & set("<>\"'\x00"), f"{text!r} is markup")
    holds(text == text.encode("utf-8", "replace").decode(), f"{text!r} can't be written")


def name_a_topic(dice: Random, part: Callable[[str], str]) -> None:
    """A name's part of a topic is one part, which every broker takes."""
    topic = part(name(dice))
    holds(bool(re.fullmatch(r"[A-Za-z0-9_-]+", topic)), f"{topic!r} is no part of a topic")


def name_a_file(dice: Random, file: Callable[[str], str]) -> None:
    """A name's file lies where it is put, and is a file's name everywhere."""
    made = file(name(dice))
    path = PurePosixPath("/data") / made
    holds(path.parent == PurePosixPath("/data") and made not in (".", ".."), f"{made!r} climbs out")
    holds(bool(re.fullmatch(r"[A-Za-z0-9_.-]{1,255}", made)), f"{made!r} is no name of a file")


def write_a_cell(dice: Random, cell: Callable[[str], str]) -> None:
    """A name in a table for spreadsheets is no formula, and is still the name."""
    text = name(dice)
    written = cell(text)
    holds(written[:1] not in tuple("=+-@\t\r\n\0") or not written, f"{written!r} is a formula")
    holds(written.removeprefix("'") == text.removeprefix("'"), f"{written!r} was {text!r}")


def keep_in_a_recording(dice: Random, kept: Callable[[str], bytes]) -> None:
    """A name in a recording's header is one line, and the next line is still read."""
    recording = parse_recording(kept(name(dice)) + b'{"t":0,"c":"2ad1","v":"2c0000000000"}\n')
    holds((len(recording.notifications), recording.refused_lines) == (1, 0), "a name broke its line")


HEADER = Header("attack", parse_recording(b'{"rowsync_recording":1}').header.started_at)


def _kept(text: str) -> bytes:
    return header_line(Header("attack", HEADER.started_at, machine={"name": text}))


def _kept_as_it_is(text: str) -> bytes:
    return f'{{"rowsync_recording":1,"machine":{{"name":"{text}"}}}}\n'.encode("utf-8", "replace")


ATTACKS = {
    "payloads": Attack(send, Follows, TakesItsWord),
    "terminal": Attack(show_in_a_terminal, outside_text, str.strip),
    "page": Attack(show_on_a_page, outside_html, "<bdi>{}</bdi>".format),
    "topic": Attack(name_a_topic, machine_id, lambda text: text.replace("/", "_")),
    "file": Attack(name_a_file, slug, lambda text: html.escape(text.strip())),
    "cell": Attack(write_a_cell, no_formula, str),
    "recording": Attack(keep_in_a_recording, _kept, _kept_as_it_is),
}


def strike(attack: str, seed: int, case: int, weak: bool = False) -> None:
    """One case of one attack.

    Raises:
        Violation: it succeeded.
    """
    how = ATTACKS[attack]
    how.strike(Random(f"{attack} {seed} {case}"), how.weak if weak else how.ours)


def main() -> int:
    """Run many cases of each attack, and say how many succeeded."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.attacks", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="cases of each attack")
    parser.add_argument("--first", type=int, default=0, help="the first case's number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--attack", choices=ATTACKS, help="only this one")
    parser.add_argument("--weak", action="store_true", help="on the planted weak versions, which must be caught")
    wanted = parser.parse_args()
    total = 0
    for attack in [wanted.attack] if wanted.attack else ATTACKS:
        began_s, violations = time.monotonic(), 0
        for case in range(wanted.first, wanted.first + wanted.cases):
            if sys.stderr.isatty() and case % 100 == 0:
                done = case - wanted.first
                print(f"\r{attack}: {'#' * (40 * done // wanted.cases):<40} {done}", end="\r", file=sys.stderr)
            try:
                strike(attack, wanted.seed, case, wanted.weak)
            except Violation as violation:
                violations += 1
                if violations <= 3:
                    again = f"--attack {attack} --seed {wanted.seed} --first {case} --cases 1"
                    print(f"{violation}\n  python -m tests.torture.attacks {again}{' --weak' * wanted.weak}")
        took_s = time.monotonic() - began_s
        print(f"| attacks: {attack} | {wanted.cases:,} | {violations:,} violations | {took_s:.1f} s |")
        total += violations
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
