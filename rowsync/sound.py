"""What is called out, to be heard: three, two, one and what begins, as tones and in words.

Tones are played, and words spoken, by programs that the system has; without one, the terminal's bell rings.  Of either
kind one program runs at most: what is called now is worth more than what was called before.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import wave
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import pi, sin
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple

from rowsync.moment import Moment


class Tone(NamedTuple):
    """One tone: its pitch [Hz] and its length [s]."""

    pitch_hz: float
    length_s: float


_A, _A_LOW, _A_HIGH = 880.0, 440.0, 1760.0
_COUNT = (Tone(_A, 0.12),)
_HIGH = (Tone(_A_HIGH, 0.7),)
_LOW = (Tone(_A_LOW, 0.7),)

TONES: Mapping[str, tuple[Tone, ...]] = {
    **dict.fromkeys(("3", "2", "1"), _COUNT),
    "hard": _HIGH,
    **dict.fromkeys(("easy", "rest", "warmup", "cooldown", "steady"), _LOW),
    "paused": (Tone(_A, 0.15), Tone(_A_LOW, 0.15)),
    "done": (Tone(_A_LOW, 0.2), Tone(_A, 0.2), Tone(_A_HIGH, 0.6)),
}
"""How each call sounds: up is harder, down is easier.  What isn't here has no sound."""

WORDS: Mapping[str, str] = {
    "3": "Three.",
    "2": "Two.",
    "1": "One.",
    "hard": "Hard.",
    "easy": "Easy.",
    "rest": "Rest.",
    "warmup": "Warm up.",
    "cooldown": "Cool down.",
    "steady": "Steady.",
    "paused": "Paused. Row on when you are ready.",
    "done": "Done. Well rowed.",
}
"""What is said of each call."""

COUNTED = ("3", "2", "1")

PLAYERS: Mapping[str, tuple[str, ...]] = {"pw-play": (), "paplay": (), "aplay": ("-q",), "afplay": ()}
"""Programs that play a file, the best first, with their options: PipeWire, PulseAudio, ALSA, macOS."""

VOICES: Mapping[str, tuple[str, ...]] = {"spd-say": (), "espeak-ng": (), "say": ()}
"""Programs that say a text: speech-dispatcher, eSpeak NG, macOS."""

RATE_HZ = 22_050
LOUDNESS = 0.6
_FADE_S = 0.008
"""Tones begin and end softly, or they click [s]."""


def found(programs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """The first of some programs that is installed, with its options; None when none is."""
    paths = ((shutil.which(name), options) for name, options in programs.items())
    return next(((path, *options) for path, options in paths if path), None)


def wave_of(tones: Sequence[Tone]) -> bytes:
    """Tones one after the other as a WAV file: one channel of 16 bits."""
    samples = array("h", (round(32_767 * LOUDNESS * each) for tone in tones for each in _samples(tone)))
    if sys.byteorder == "big":
        samples.byteswap()
    with io.BytesIO() as file:
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(RATE_HZ)
            sound.writeframes(samples.tobytes())
        return file.getvalue()


def _samples(tone: Tone) -> list[float]:
    count, fade = round(tone.length_s * RATE_HZ), _FADE_S * RATE_HZ
    return [
        sin(2 * pi * tone.pitch_hz * at / RATE_HZ) * min(1.0, at / fade, (count - at) / fade) for at in range(count)
    ]


def words_for(call: str, moment: Moment) -> str | None:
    """What is said of a call; a hard piece has its number."""
    number = moment.cue.piece.round_number if moment.cue and moment.cue.piece else None
    said = WORDS.get(call)
    return f"{said} Round {number}." if said and call == "hard" and number else said


class Sound:
    """Calls out what the guide calls.

    Args:
        beeps: whether tones are played.
        voice: whether it is said in words; where tones count down, words don't.
        say: tells the person one line, such as that there is no sound.
        bell: rings the terminal's bell, where no program plays tones.
        player: the program that plays a file and its options; the first that is installed by default.
        speaker: the program that says a text and its options; the first that is installed by default.

    Attributes:
        is_muted: whether nothing is called for now.
    """

    def __init__(
        self,
        beeps: bool = True,
        voice: bool = False,
        say: Callable[[str], None] = lambda text: None,
        bell: Callable[[], None] = lambda: None,
        player: Sequence[str] | None = None,
        speaker: Sequence[str] | None = None,
    ) -> None:
        self._beeps, self._wants_voice, self._say, self._bell = beeps, voice, say, bell
        self._player = _Program(player or found(PLAYERS)) if beeps else _Program(None)
        self._speaker = _Program(speaker or found(VOICES)) if voice else _Program(None)
        self._folder: TemporaryDirectory[str] | None = None
        self.is_muted = False

    def __enter__(self) -> Sound:
        if self._beeps and self._player.is_there:
            self._folder = TemporaryDirectory(prefix="rowsync-")
            for call, tones in TONES.items():
                self._file(call).write_bytes(_wave_once(tones))
            self._file(_SILENCE).write_bytes(wave_of([Tone(0.0, 0.05)]))
            self._player.run(str(self._file(_SILENCE)))  # whether it can play is known before the first call
        if self._wants_voice and not self._speaker.is_there:
            self._say(f"This computer can't speak: install one of {', '.join(VOICES)}.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._player.finish()
        self._speaker.finish()
        if self._folder:
            self._folder.cleanup()

    def mute(self) -> bool:
        """Call nothing, or call again; answers whether nothing is called now."""
        self.is_muted = not self.is_muted
        return self.is_muted

    def say(self, text: str) -> None:
        """What is said to the person is read, not heard."""

    def show(self, moment: Moment) -> None:
        """Call out what a moment calls."""
        if not self.is_muted:
            for call in moment.calls:
                self._call(call, moment)

    def remember(self, past: Mapping[str, Any]) -> None:
        """What came before makes no sound."""

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """The end was called out already."""

    def _call(self, call: str, moment: Moment) -> None:
        if self._beeps and call in TONES:
            self._beep(call)
        words = words_for(call, moment)
        if words and not (self._beeps and call in COUNTED):
            self._tell(self._speaker.run(words), "The voice is silent: {name} can't speak here.")

    def _beep(self, call: str) -> None:
        if self._player.is_there:
            self._tell(self._player.run(str(self._file(call))), "{name} can't play here; the terminal's bell rings.")
        if not self._player.is_there:
            self._bell()

    def _tell(self, failed: str | None, sentence: str) -> None:
        if failed is not None:
            self._say(sentence.format(name=failed))

    def _file(self, call: str) -> Path:
        return Path(self._folder.name if self._folder else "", f"{call}.wav")


_SILENCE = "silence"


def _wave_once(tones: tuple[Tone, ...]) -> bytes:
    if tones not in _WAVES:
        _WAVES[tones] = wave_of(tones)
    return _WAVES[tones]


_WAVES: dict[tuple[Tone, ...], bytes] = {}


class _Program:
    """A program that is run for every call, one at a time and without waiting.

    One that fails isn't run again, nor is one that has never come to its end when the next call came.

    Args:
        command: its path and options; None when there is none.
    """

    def __init__(self, command: Sequence[str] | None) -> None:
        self._command = tuple(command or ())
        self._running: subprocess.Popen[bytes] | None = None
        self._killed: list[subprocess.Popen[bytes]] = []
        self._cut_short = 0

    @property
    def is_there(self) -> bool:
        """Whether it can be run."""
        return bool(self._command)

    def run(self, argument: str) -> str | None:
        """Run it in place of what still runs.

        Returns:
            Its name when it turned out now that it doesn't work.
        """
        self._killed = [each for each in self._killed if each.poll() is None]
        if not self._command or self._is_no_good():
            return self._give_up()
        self._end()
        try:
            self._running = subprocess.Popen(
                (*self._command, argument),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return self._give_up()
        return None

    def finish(self) -> None:
        """Let what runs come to its end, but not for long."""
        if self._running is not None:
            with suppress(subprocess.TimeoutExpired):
                self._running.wait(_LAST_WORD_S)
            self._end()
        for each in self._killed:
            with suppress(subprocess.TimeoutExpired):
                each.wait(_LAST_WORD_S)

    def _is_no_good(self) -> bool:
        """Whether what was run last failed, or so many before it were cut short."""
        if self._running is not None and (code := self._running.poll()) is not None:
            self._cut_short = 0
            return code > 0
        return self._cut_short >= _CUT_SHORT_AT_MOST

    def _end(self) -> None:
        """Kill what runs; it is waited for later, since the row can't wait."""
        if self._running is not None and self._running.poll() is None:
            self._running.kill()
            self._killed.append(self._running)
            self._cut_short += 1
        self._running = None

    def _give_up(self) -> str | None:
        name = Path(self._command[0]).name if self._command else None
        self._end()
        self._command = ()
        return name


_CUT_SHORT_AT_MOST = 6
"""So many calls in a row may be cut short by the next; a player that takes longer to begin is none."""

_LAST_WORD_S = 2.0
"""How long "done" may take when the program ends already [s]."""
