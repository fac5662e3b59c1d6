"""The screen while rowing: what now and how long yet, at any size, and a terminal that comes back as it was."""

from __future__ import annotations

import fcntl
import io
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from rowsync import big_digits
from rowsync.guide import Cue, Guide, GuideState
from rowsync.intervals import Effort
from rowsync.moment import Moment
from rowsync.plan import parse_plan
from rowsync.rowing_screen import MESSAGE_S, RowingScreen
from rowsync.rowing_view import ASCII_SIGNS, UNICODE_SIGNS, Minute, View, frame
from rowsync.session import Header, Interval
from rowsync.telemetry import Sample
from tests.conftest import ROOT

SIZES = [(200, 60), (120, 40), (80, 24), (60, 20), (40, 12), (20, 6), (20, 3), (20, 2), (5, 1), (1, 1)]
HOSTILE = "\x1b[2J\x1b[H[red]x[/red]\n\u202eboo\x07 \u6f22\u5b57"
HEADER = Header("20261124T120000Z-0000", datetime(2026, 11, 24, 12, tzinfo=UTC))
SAMPLE = Sample(
    200.0, True, stroke_count=80, stroke_rate_spm=28.0, distance_m=698.0, pace_s_per_500m=117.0, power_w=217.0
)
PLAN = parse_plan("5m + 10x45@180-220W@24-26spm/75 + 5m")


def cue(state=GuideState.ROWING, number=3, left_s=29.6, left_m=None):
    piece = PLAN.pieces[number] if state in (GuideState.ROWING, GuideState.PAUSED) else None
    following = None if state is GuideState.DONE else PLAN.pieces[number + 1 if piece else 0]
    return Cue(state, piece, following, number, PLAN.rounds, left_s, left_m, share=0.32)


def moment(of=None, **changed):
    plain = Moment(9, SAMPLE.time_s, SAMPLE, of, Effort.HARD, 38.2, 0.24, 400, 399, None, HEADER)
    return replace(plain, **changed)


def round_of(number, power_w):
    numbers = (0.0, 45.0, 45.0, 200.0, 20, power_w, 28.0, 117.0, 160.0, 9.0, 8.0)
    return Interval(number, Effort.HARD, *numbers)


def text_of(lines):
    return ["".join(text for text, _ in line) for line in lines]


def is_harmless(letter):
    """Whether a terminal shows it, or doesn't know it, and obeys nothing in it."""
    return letter.isprintable() or unicodedata.category(letter) in ("Cn", "Co", "Zs")


def shown(view, width=80, height=24, signs=UNICODE_SIGNS):
    return text_of(frame(view, width, height, signs))


class Terminal:
    """The few control sequences that the screen uses, obeyed: what somebody would see."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.rows = [[" "] * width for _ in range(height)]
        self.at = (0, 0)

    def take(self, sent):
        for move, erase, other, letter in re.findall(
            r"\x1b\[(\d+;\d+)H|\x1b\[(K)|(\x1b\[\??[\d;]*[a-zA-Z])|([\s\S])", sent
        ):
            row, column = self.at
            if move:
                row, column = (int(each) - 1 for each in move.split(";"))
                self.at = row, column
            elif erase:
                self.rows[row][column:] = [" "] * (self.width - column)
            elif letter:
                assert is_harmless(letter), f"{letter!r} is obeyed by a terminal"
                assert column < self.width, "a line is longer than the screen is wide"
                self.rows[row][column] = letter
                self.at = row, column + 1
            else:
                assert re.fullmatch(r"\x1b\[(\?1049[hl]|\?25[hl]|[\d;]*m)", other), other

    @property
    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.rows)


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def screen_of(clock, width=80, height=24, **console):
    out = io.StringIO()
    console = {"force_terminal": True, "color_system": "standard", "legacy_windows": False, **console}
    return RowingScreen(Console(file=out, width=width, height=height, **console), clock), out


@pytest.fixture
def colourful(monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


# --- what stands where ------------------------------------------------------------------------------------------------


def test_the_font_is_a_table_of_seven_rows_of_equal_length():
    for character, rows in big_digits.GLYPHS.items():
        assert len(rows) == 7, character
        assert len({len(row) for row in rows}) == 1, character


def test_a_digit_scales_to_the_pixel():
    assert big_digits.big("1", 1) == (" ▄█  ", "  █  ", "  █  ", " ▀▀▀ ")
    assert big_digits.big("1", 2)[0] == "    ██    "
    assert len(big_digits.big("1", 2)) == big_digits.rows(2) == 7
    assert len(big_digits.big("12:34", 3)[0]) == big_digits.columns("12:34", 3)
    assert big_digits.big("1", 2, blocks=False)[0] == "    ##    "


def test_what_now_stands_at_the_top_with_the_time_left_at_least_seven_rows_high():
    lines = shown(View(moment(cue())))
    digits = big_digits.big("0:30", 2)
    at = next(at for at, line in enumerate(lines) if digits[0] in line)
    assert at < 3
    assert all(digit in line for digit, line in zip(digits, lines[at:], strict=False))
    assert any("next: easy 1:15" in line for line in lines)
    assert any("round 2 of 10" in line for line in lines)
    assert any(big_digits.big("217", 2)[6] in line for line in lines)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("signs", [UNICODE_SIGNS, ASCII_SIGNS], ids=["unicode", "ascii"])
@pytest.mark.parametrize(
    "now",
    [
        moment(cue()),
        moment(cue(left_s=None, left_m=12_345.6)),
        moment(cue(GuideState.WAITING)),
        moment(cue(GuideState.PAUSED), lost="gone", trouble="no space left"),
        moment(cue(GuideState.DONE), rounds=tuple(round_of(at, 200.0 + at) for at in range(1, 31))),
        moment(effort=None, sample=Sample(0.0, False)),
        moment(time_s=36_000.0),
    ],
    ids=["hard", "metres", "waiting", "paused", "done", "nothing", "ten-hours"],
)
def test_any_moment_fits_any_screen_with_the_most_important_first(now, width, height, signs):
    minute = Minute()
    minute.add(now)
    lines = shown(View(now, (), "something was said", "n next", minute), width, height, signs)
    assert len(lines) <= height
    if width >= 20:
        what = {"rowing": "hard", "waiting": "ready"}.get(now.cue.state, now.cue.state) if now.cue else ""
        large = {"HARD": "HARD", "READY": "READY", "PAUSED": "PAUSE", "DONE": "DONE"}.get(what.upper(), "")
        top = "\n".join(lines)
        assert (
            what.upper() in top
            or big_digits.big(large, 1)[0] in top
            or big_digits.big(large, 2)[0] in top
            or (any(big_digits.big(large, scale)[0] in top for scale in range(3, 8)))
            or (what == "paused" and "waits: row on" in top)
        )


def test_two_lines_are_enough_for_what_now_what_is_left_and_power():
    assert shown(View(moment(cue())), 20, 2) == [" HARD 0:30 left     ", "217 W · 28 spm"]


def test_a_small_screen_says_that_nothing_comes_instead_of_numbers():
    assert "No data: gone" in shown(View(moment(cue(), lost="gone")), 40, 2)[1]


def test_without_a_plan_power_is_the_largest():
    lines = "\n".join(shown(View(moment())))
    assert big_digits.big("217", 3)[0] in lines
    assert big_digits.big("HARD", 1)[0] in lines


def test_a_second_is_over_when_the_next_is_called():
    for left_s, says in ((3.0, "0:03"), (2.999, "0:03"), (2.0004, "0:02"), (0.3, "0:01")):
        assert f"HARD {says} left" in shown(View(moment(cue(left_s=left_s))), 30, 2)[0]


def test_the_band_flashes_at_three_two_and_one():
    (first, *_), (flash, *_) = (frame(View(moment(cue(), calls=calls)), 80, 24) for calls in ((), ("3",)))
    assert flash[0][1] == f"{first[0][1]} reverse"


def test_a_target_stands_beside_what_to_do_about_it():
    (line,) = (each for each in shown(View(moment(cue()))) if "target" in each)
    assert re.sub(" +", " ", line).strip() == "target 180–220 W on it target 24–26 spm fewer strokes"


def test_rounds_are_bars_with_their_power_and_only_bars_where_there_is_no_room():
    now = moment(cue(), rounds=(round_of(1, 202.0), round_of(2, 215.0)))
    (line,) = (each for each in shown(View(now)) if each.startswith(" rounds"))
    assert re.fullmatch(r" rounds ▇▇ 202   ██ 215 W", line)
    many = moment(cue(), rounds=tuple(round_of(at, 200.0 + at) for at in range(1, 21)))
    (line,) = (each for each in shown(View(many)) if each.startswith(" rounds"))
    assert line.endswith("201–220 W")
    assert len(line) <= 80


def test_the_last_minute_is_a_bar_a_second_with_its_scale():
    minute = Minute()
    for second in range(100):
        minute.add(moment(time_s=float(second), sample=SAMPLE._replace(power_w=float(second))))
    minute.add(moment(time_s=99.5, sample=SAMPLE._replace(power_w=None)))
    assert minute.powers_w()[:2] == [40.0, 41.0]
    assert minute.powers_w()[-2:] == [98.0, None]
    (line,) = (each for each in shown(View(moment(cue()), minute=minute)) if each.startswith(" power"))
    assert re.fullmatch(r" power  [▁▂▃▄▅▆▇█]{59}  0–100 W", line)


# --- what is sent to a terminal ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_size_wraps_or_leaves_the_screen(width, height, clock, colourful):
    screen, out = screen_of(clock, width, height)
    terminal = Terminal(width, height)
    with screen:
        screen.say(HOSTILE)
        for at in range(20):
            clock.now_s += 0.3
            screen.show(moment(cue(left_s=20.0 - at), time_s=200.0 + at, trouble=HOSTILE, lost=HOSTILE))
        terminal.take(out.getvalue().replace("\u6f22", "?").replace("\u5b57", "?"))


@given(text=st.text(max_size=300))
@settings(max_examples=60)
def test_whatever_a_machine_says_moves_nothing(text):
    clock = Clock()
    screen, out = screen_of(clock, 60, 20)
    with screen:
        screen.say(text)
        screen.show(moment(cue(), lost=text, heading=replace(HEADER, athlete=replace(HEADER.athlete, name=text))))
        sent = out.getvalue()
    left = re.sub(r"\x1b\[(\d+;\d+H|K|\?1049[hl]|\?25[hl]|[\d;]*m)", "", sent)
    assert all(map(is_harmless, left))


def test_what_changed_is_drawn_over_what_stood_there(clock, colourful):
    screen, out = screen_of(clock)
    terminal, fresh = Terminal(80, 24), Terminal(80, 24)
    with screen:
        for at in range(40):
            clock.now_s += 0.25
            now = moment(cue(left_s=45.0 - at), time_s=200.0 + at, sample=SAMPLE._replace(power_w=190.0 + 7 * at))
            screen.show(now)
        terminal.take(out.getvalue())
    other, again = screen_of(clock)
    with other:
        other._minute = screen._minute
        other.show(now)
        fresh.take(again.getvalue())
    assert terminal.text == fresh.text


def test_only_what_changed_is_sent_and_four_times_a_second_at_most(clock, colourful):
    screen, out = screen_of(clock)
    with screen:
        screen.show(moment(cue()))
        whole = out.tell()
        clock.now_s += 0.3
        screen.show(moment(cue()))
        assert out.tell() == whole
        screen.show(moment(cue(left_s=20.0)))  # too soon
        assert out.tell() == whole
        clock.now_s += 0.3
        screen.show(moment(cue(left_s=20.0)))
        assert 0 < out.tell() - whole < whole / 2


def test_a_call_is_drawn_at_once(clock, colourful):
    screen, out = screen_of(clock)
    with screen:
        screen.show(moment(cue(left_s=3.2)))
        before = out.tell()
        screen.show(moment(cue(left_s=3.0), calls=("3",)))
        assert out.tell() > before


def test_what_others_wrote_on_the_screen_is_gone_after_a_while(clock, colourful):
    screen, out = screen_of(clock)
    with screen:
        screen.show(moment(cue()))
        whole = out.tell()
        clock.now_s += 11
        screen.show(moment(cue()))
        assert out.tell() - whole > whole / 2


def test_what_was_said_stays_for_a_while_and_is_printed_in_the_end(clock, colourful):
    screen, out = screen_of(clock)
    terminal = Terminal(80, 24)
    with screen:
        screen.hint("n next")
        screen.show(moment(cue()))
        screen.say("Heart-rate strap: Polar H10.")
        terminal.take(out.getvalue())
        assert terminal.rows[-1][:11] == list(" Heart-rate")
        clock.now_s += MESSAGE_S + 0.1
        before = out.tell()
        screen.show(moment(cue()))
        terminal.take(out.getvalue()[before:])
        assert "".join(terminal.rows[-1]).strip() == "n next"
    *_, after = out.getvalue().split("\x1b[?1049l")
    assert after == "Heart-rate strap: Polar H10.\n"


def test_what_is_said_before_the_first_stroke_stands_line_below_line(clock, colourful):
    screen, out = screen_of(clock, 40, 6)
    terminal = Terminal(40, 6)
    with screen:
        for number in range(9):
            screen.say(f"line {number}")
        terminal.take(out.getvalue())
    assert terminal.text.split("\n")[1:] == [f"line {number}" for number in (4, 5, 6, 7, 8)]


def test_after_the_end_of_a_row_the_screen_waits_for_the_next(clock, colourful):
    screen, out = screen_of(clock, 40, 6)
    terminal = Terminal(40, 6)
    with screen:
        screen.show(moment(cue()))
        screen.say("All 400 notifications saved.")
        screen.end({})
        terminal.take(out.getvalue())
    assert "HARD" not in terminal.text
    assert "All 400 notifications saved." in terminal.text


def test_no_colour_where_none_is_wanted_but_a_band_all_the_same(clock, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    screen, out = screen_of(clock)
    with screen:
        screen.show(moment(cue()))
    codes = {code for found in re.findall(r"\x1b\[([\d;]+)m", out.getvalue()) for code in found.split(";")}
    assert codes <= {"0", "1", "2", "7"}
    assert "7" in codes


def test_a_terminal_without_unicode_gets_letters(clock, colourful):
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="latin-1", errors="strict", write_through=True) as out:
        console = Console(file=out, width=80, height=24, force_terminal=True, legacy_windows=False)
        with RowingScreen(console, clock) as screen:
            screen.show(moment(cue(), lost="漢", rounds=(round_of(1, 200.0),)))
        assert raw.getvalue().isascii()
        assert b"##########" in raw.getvalue()


@pytest.mark.parametrize("term", ["dumb", ""])
def test_plain_lines_where_no_screen_can_be_drawn(term, clock, monkeypatch):
    monkeypatch.setenv("TERM", term or "xterm")
    screen, out = screen_of(clock, force_terminal=bool(term), width=200)
    with screen:
        screen.say("Looking for a rower ...")
        for number in (3, 3, 4):
            screen.show(moment(cue(number=number)))
        screen.bell()
    assert out.getvalue().splitlines() == [
        "Looking for a rower ...",
        "3:20 hard round 2: 698 m, 217 W, 38 kcal ±24\u202f%, saved 399 of 400 notifications",
        "3:20 easy round 2: 698 m, 217 W, 38 kcal ±24\u202f%, saved 399 of 400 notifications",
    ]


def test_a_disk_that_refuses_is_said_once_and_stands_on_the_screen(clock, colourful):
    screen, out = screen_of(clock)
    terminal = Terminal(80, 24)
    with screen:
        screen.show(moment(cue(), trouble="No space left on device"))
        clock.now_s += MESSAGE_S + 1
        screen.show(moment(cue(), trouble="No space left on device"))
        terminal.take(out.getvalue())
        assert "Not saved just now: No space left on device." in terminal.text
        screen.show(moment(cue()))
    assert out.getvalue().endswith("The disk takes data again; everything is saved.\n")


def test_the_guides_own_cues_reach_the_screen_from_ready_to_done():
    guide = Guide(parse_plan("2x20/500mr"))
    says = []
    for second in range(70):
        guide.sample(SAMPLE._replace(time_s=float(second), moving=second > 2, distance_m=50.0 * second))
        top = shown(View(moment(guide.cue(float(second)), time_s=float(second))), 60, 2)[0]
        says.append(top.split()[0])
    assert list(dict.fromkeys(says)) == ["READY", "HARD", "REST", "DONE"]


# --- a real terminal --------------------------------------------------------------------------------------------------

ROW = """
import signal, sys, time
from rowsync.rowing_screen import RowingScreen
from tests.test_rowing_screen import cue, moment

def ended(number, frame):
    raise SystemExit(3)

for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, ended)
with RowingScreen() as screen:
    screen.say("Looking for a rower ...")
    for at in range(200):
        screen.show(moment(cue(left_s=40.0 - at / 8)))
        if at == 2 and "fail" in sys.argv:
            raise ValueError("our mistake")
        if at == 2 and "ask" in sys.argv:
            print("ANSWER", screen.ask("Take it?"), flush=True)
            break
        time.sleep(0.02)
"""


class Shell:
    """A program in a terminal of its own."""

    def __init__(self, *arguments, code=ROW):
        self.ours, self.theirs = os.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.modes = termios.tcgetattr(self.theirs)
        command = ["setsid", "--ctty", "--wait", sys.executable, "-c", code, *arguments]
        environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, env=environment, cwd=ROOT
        )
        self.sent = ""

    def read(self, until, seconds=20.0):
        give_up_s = time.monotonic() + seconds
        while until not in self.sent and time.monotonic() < give_up_s:
            if select.select([self.ours], [], [], 0.05)[0]:
                self.sent += os.read(self.ours, 65536).decode("utf-8", "replace")
        assert until in self.sent

    def type(self, keys):
        os.write(self.ours, keys)

    def close(self):
        give_up_s = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < give_up_s:
            if select.select([self.ours], [], [], 0.05)[0]:
                self.sent += os.read(self.ours, 65536).decode("utf-8", "replace")
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        while select.select([self.ours], [], [], 0.05)[0]:
            self.sent += os.read(self.ours, 65536).decode("utf-8", "replace")
        same = termios.tcgetattr(self.theirs) == self.modes
        os.close(self.ours)
        os.close(self.theirs)
        assert same, "the terminal's modes aren't what they were"


pytty = pytest.mark.skipif(sys.platform != "linux", reason="setsid --ctty is of Linux")


@pytty
@pytest.mark.parametrize("how", ["TERM", "HUP", "INT", "fail"])
def test_on_every_way_out_the_terminal_is_as_it_was(how):
    shell = Shell(how)
    shell.read("\x1b[?1049h")
    if how != "fail":
        shell.read("left")
        os.kill(shell.process.pid, getattr(signal, f"SIG{how}"))
    shell.close()
    before, after = shell.sent.rsplit("\x1b[?25h\x1b[?1049l", 1)
    assert before.count("\x1b[?1049h") == 1
    assert "Looking for a rower ..." in after


@pytty
def test_a_question_is_asked_on_the_screen_of_before():
    shell = Shell("ask")
    shell.read("Take it?")
    assert shell.sent.index("\x1b[?1049l") < shell.sent.index("Take it?")
    shell.type(b"y\n")
    shell.read("ANSWER True")
    shell.close()


@pytty
def test_a_terminal_that_stands_still_holds_up_nothing():
    stalled = ROW.replace("time.sleep(0.02)", "").replace("range(200)", "range(20_000)") + '\nopen(sys.argv[1], "w")\n'
    read, write = os.pipe()
    shell = Shell(f"/dev/fd/{write}", code=stalled.replace('open(sys.argv[1], "w")', "print('DONE', flush=True)"))
    shell.read("\x1b[?1049h")
    time.sleep(0.2)  # and nobody reads
    os.close(read)
    os.close(write)
    shell.read("DONE")
    shell.close()
