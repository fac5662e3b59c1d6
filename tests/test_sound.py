"""Sound: what is called can be heard; a computer that can't play says so once, and the row goes on."""

from __future__ import annotations

import io
import sys
import time
import wave

import pytest

from rowsync.sound import COUNTED, TONES, WORDS, Sound, Tone, wave_of, words_for
from tests.test_rowing_screen import cue, moment


def calling(*calls, piece=1):
    """A moment that calls, in a piece of the plan."""
    return moment(cue(number=piece), calls=calls)


@pytest.fixture
def player(tmp_path):
    """A program that stands in for a sound card: it writes down what it was given."""
    heard = tmp_path / "heard"
    script = tmp_path / "player.py"
    script.write_text(
        "import sys\n"
        f"with open({str(heard)!r}, 'a') as file: file.write(sys.argv[1].split('/')[-1].removesuffix('.wav') + '\\n')\n"
    )
    heard.touch()
    return [sys.executable, str(script)], heard


def lines_of(path, count, within_s=10.0):
    give_up_s = time.monotonic() + within_s
    while len(path.read_text().splitlines()) < count and time.monotonic() < give_up_s:
        time.sleep(0.01)
    return path.read_text().splitlines()


def test_a_wave_holds_its_tones_one_after_the_other():
    with wave.open(io.BytesIO(wave_of([Tone(880.0, 0.1), Tone(440.0, 0.2)]))) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(0.3, abs=0.001)
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)


def test_every_call_of_the_guide_has_a_tone_and_words():
    calls = {"3", "2", "1", "hard", "easy", "rest", "warmup", "cooldown", "steady", "paused", "done"}
    assert set(TONES) == set(WORDS) == calls


def test_calls_are_played_as_they_come(player):
    command, heard = player
    with Sound(player=command) as sound:
        lines_of(heard, 1)
        for number, call in enumerate(("3", "hard"), start=2):
            sound.show(calling(call))
            lines_of(heard, number)
    assert heard.read_text().splitlines() == ["silence", "3", "hard"]


def test_a_program_that_cannot_play_is_named_once_and_the_bell_rings_instead():
    said, rung = [], []
    failing = [sys.executable, "-c", "raise SystemExit(1)"]
    with Sound(player=failing, say=said.append, bell=lambda: rung.append("ring")) as sound:
        sound._player._running.wait(30)
        for call in ("3", "2", "1", "hard"):
            sound.show(calling(call))
    assert len(said) == 1
    assert "the terminal's bell rings" in said[0]
    assert len(rung) >= 3


def test_showing_never_waits_for_the_player():
    with Sound(player=[sys.executable, "-c", "import time; time.sleep(60)"]) as sound:
        began_s = time.monotonic()
        for _ in range(5):
            sound.show(calling("hard"))
        assert time.monotonic() - began_s < 1.5
        sound._player._end()


def test_a_program_that_never_comes_to_an_end_is_named_and_the_bell_rings_instead():
    said, rung = [], []
    stuck = [sys.executable, "-c", "import time; time.sleep(60)"]
    with Sound(player=stuck, say=said.append, bell=lambda: rung.append("ring")) as sound:
        for _ in range(4):
            for call in ("3", "2", "1", "hard"):
                sound.show(calling(call))
    assert len(said) == 1
    assert len(rung) >= 8


def test_a_muted_sound_calls_nothing(player):
    command, heard = player
    with Sound(player=command) as sound:
        lines_of(heard, 1)
        assert sound.mute()
        sound.show(calling("hard"))
        assert not sound.mute()
    assert heard.read_text().splitlines() == ["silence"]


def test_a_hard_piece_is_said_with_its_number():
    assert words_for("hard", calling("hard", piece=5)) == "Hard. Round 3."
    assert words_for("easy", calling("easy", piece=6)) == "Easy."
    assert words_for("waiting", calling("waiting")) is None


def test_where_tones_count_down_words_do_not(player):
    command, heard = player
    with Sound(voice=True, player=command, speaker=command) as sound:
        lines_of(heard, 1)
        for number, call in enumerate((*COUNTED, "easy"), start=2):
            sound.show(calling(call))
            lines_of(heard, number)
        lines_of(heard, 6)
    assert sorted(heard.read_text().splitlines()) == sorted(["silence", "3", "2", "1", "easy", "Easy."])
