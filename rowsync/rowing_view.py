"""What stands on the screen while rowing, for any size of screen: what to do now first, then power, then all else.

A line is a row of spans, each a text and its style in the words of Rich.  Nothing here knows a terminal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

from rowsync import wording
from rowsync.big_digits import big, columns, largest_scale, rows
from rowsync.cost import plus_minus
from rowsync.guide import COUNTED_DOWN, Cue, GuideState
from rowsync.moment import Moment
from rowsync.palette import BAND_STYLES, EFFORT_STYLES, PLAIN_BAND
from rowsync.plan import Piece
from rowsync.target import HEART_RATE, ON, OVER, PACE, POWER, STROKE_RATE, UNDER, Target, judged, target_words

Span = tuple[str, str]
Line = tuple[Span, ...]

MINUTE = 60
"""How much of power and rate is drawn [s]."""

DOT = " · "


class Signs(NamedTuple):
    """What a terminal can draw with.

    Attributes:
        blocks: whether it has half blocks.
        levels: bars from the lowest to the highest.
        done: the part of the plan that is over.
        ahead: the part to come.
    """

    blocks: bool
    levels: str
    done: str
    ahead: str


UNICODE_SIGNS = Signs(True, "▁▂▃▄▅▆▇█", "━", "─")
LINUX_SIGNS = Signs(True, "▄█", "█", "─")
"""The console of a Linux without windows has no eighths of a block."""
ASCII_SIGNS = Signs(False, "_.-=+*#", "=", "-")


class Minute:
    """Power and stroke rate of the last minute, one value a second."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, float | None, float | None]] = deque(maxlen=MINUTE)

    def add(self, moment: Moment) -> None:
        """Take a moment; the last one of a second stands for it."""
        second = int(moment.time_s)
        if self._seconds and self._seconds[-1][0] >= second:
            self._seconds.pop()
        self._seconds.append((second, moment.sample.power_w, moment.sample.stroke_rate_spm))

    def powers_w(self) -> list[float | None]:
        """Power of each second, the newest last [W]; None where nothing is known."""
        return self._values(1)

    def rates_spm(self) -> list[float | None]:
        """Stroke rate of each second, the newest last [1/min]; None where nothing is known."""
        return self._values(2)

    def _values(self, column: int) -> list[float | None]:
        values: list[float | None] = [None] * MINUTE
        for entry in self._seconds:
            age_s = self._seconds[-1][0] - entry[0]
            if age_s < MINUTE:
                values[-1 - age_s] = entry[column]
        return values


@dataclass(frozen=True, slots=True)
class View:
    """All that the screen shows.

    Attributes:
        moment: where the row is; None before the first notification.
        said: what was said so far, line by line.
        message: what was said just now; None after a while.
        hints: what the keys do.
        minute: the last minute.
    """

    moment: Moment | None = None
    said: Sequence[str] = ()
    message: str | None = None
    hints: str = ""
    minute: Minute = field(default_factory=Minute)


def frame(view: View, width: int, height: int, signs: Signs = UNICODE_SIGNS) -> list[Line]:
    """The whole screen, line by line from the top; a line may be longer than the screen is wide.

    Args:
        view: what to show.
        width: of the screen [columns].
        height: of the screen [rows].
        signs: what to draw with.
    """
    if view.moment is None:
        return _before_the_first_stroke(view, width, height)
    moment = view.moment
    details = list(_details(view, moment, width, height, signs))
    banners = _banners(moment, width) if height >= _ROOM_FOR_BANNERS else []
    top = _top(moment, width, max(1, height - len(details) - len(banners)), signs, banners)
    lines = [*top, *details][:height]
    if height < _ROOM_FOR_FOOTER and (line := _urgent(view, moment, width, height)):
        lines[-1] = line
    return lines


_ROOM_FOR_BANNERS = 5
_ROOM_FOR_FOOTER = 8
_ROOM_FOR_MESSAGES = 3
"""From which height on there is room for a line of its own, or for one that covers the last line for a while [rows]."""


def _before_the_first_stroke(view: View, width: int, height: int) -> list[Line]:
    """The lines that were said, the newest at the bottom."""
    title = _band_line([("ROWSYNC", "getting ready")], width, PLAIN_BAND) if height >= _ROOM_FOR_MESSAGES else None
    room = height - (title is not None)
    said: list[Line] = [((text, ""),) for text in view.said[-room:]]
    return [*([title] if title else []), *said]


# --- the band of what now, with the number that matters, and the second number ----------------------------------------


class _Headline(NamedTuple):
    """What now.

    Attributes:
        name: what to do, `hard`.
        word: the same in large.
        style: of the band.
        number: what matters most, in large.
        unit: of the number.
        about: what else there is to say, the most important first.
        second: the second number.
        second_unit: of that.
    """

    name: str
    word: str
    style: str
    number: str
    unit: str
    about: tuple[str, ...]
    second: str
    second_unit: str


_WORDS = {"warmup": "WARM", "cooldown": "COOL"}
"""Words that are too long to be large."""

SHAPE = "00:00"
"""Numbers are as large as fits this one, so that they don't jump between `9:59` and `10:00`."""

_SECOND_SHARE = 0.4
"""How much of the height at the top the second number and its neighbours get."""

_LEAST_BIG = rows(1)


def _top(moment: Moment, width: int, height: int, signs: Signs, banners: list[Line]) -> list[Line]:
    headline = _headline(moment)
    is_flashing = any(call in _COUNTED_DOWN for call in moment.calls)
    style = f"{headline.style} reverse" if is_flashing else headline.style
    numbers = _numbers(moment, headline)
    second_height = max(_LEAST_BIG, ceil(_SECOND_SHARE * height)) if height >= 2 * _LEAST_BIG + 1 else 1
    band = _band(headline, width, max(1, height - second_height), style, signs)
    panel = _panel(headline, numbers, width, height - len(band), signs)
    left_over = height - len(band) - len(panel)
    if len(band) > 1 and left_over > 0:
        band = [_filled("", width, style), *band]
        left_over -= 1
    if len(band) > 1 and left_over > 0:
        band = [*band, _filled("", width, style)]
        left_over -= 1
    return [*band, *banners, *_spread(panel, left_over)]


_COUNTED_DOWN = tuple(map(str, COUNTED_DOWN))


def _spread(panel: list[Line], left_over: int) -> list[Line]:
    """A panel with the rows that are left over around it."""
    above = left_over // 2
    return [*[()] * above, *panel, *[()] * (left_over - above)]


def _headline(moment: Moment) -> _Headline:
    cue, sample = moment.cue, moment.sample
    power, elapsed = wording.number(sample.power_w), wording.clock(int(max(0.0, moment.time_s)))
    if cue is None:
        effort = str(moment.effort or "ready")
        return _Headline(
            wording.effort_name(effort),
            _word(effort),
            BAND_STYLES.get(effort, PLAIN_BAND),
            power,
            "W",
            () if moment.effort else ("Row when you are ready.",),
            elapsed,
            "rowed",
        )
    number, unit = _left(cue, elapsed)
    name, about = _ABOUT[cue.state](cue)
    effort = str(cue.piece.effort) if cue.piece and cue.state is GuideState.ROWING else str(cue.state)
    style = BAND_STYLES.get(effort, PLAIN_BAND)
    word = _STATE_WORDS.get(cue.state) or _word(effort)
    return _Headline(name, word, style, number, unit, tuple(filter(None, about)), power, "W")


_STATE_WORDS = {GuideState.WAITING: "READY", GuideState.PAUSED: "PAUSE", GuideState.DONE: "DONE"}


def _word(effort: str) -> str:
    return _WORDS.get(effort, effort.upper())


def _left(cue: Cue, elapsed: str) -> tuple[str, str]:
    """What is left of a piece, and its unit; the whole of the first while it waits, and the time when all is done."""
    if cue.state is GuideState.DONE:
        return elapsed, "rowed"
    if cue.piece is None:
        return _length(cue.following) if cue.following else ("", "")
    if cue.left_s is None:
        return str(ceil(cue.left_m or 0.0)), "m left"
    return wording.clock(ceil(cue.left_s - _ON_THE_BELL_S)), "left"


_ON_THE_BELL_S = 0.02
"""So much early a second counts as over, since clocks are only so exact [s]."""


def _length(piece: Piece) -> tuple[str, str]:
    return (
        (f"{piece.distance_m or 0.0:.0f}", "m") if piece.duration_s is None else (wording.clock(piece.duration_s), "")
    )


def _named(piece: Piece) -> str:
    return " ".join(filter(None, (wording.effort_name(piece.effort), *_length(piece))))


def _round(cue: Cue) -> str:
    number = cue.piece.round_number if cue.piece else None
    return f"round {number} of {cue.rounds}" if number else ""


def _next(cue: Cue) -> str:
    return f"next: {_named(cue.following)}" if cue.following else "the last piece"


_ABOUT: dict[GuideState, Callable[[Cue], tuple[str, tuple[str, ...]]]] = {
    GuideState.WAITING: lambda cue: (
        "ready",
        ("Row when you are ready.", f"first: {_named(cue.following)}" if cue.following else ""),
    ),
    GuideState.ROWING: lambda cue: (
        wording.effort_name(cue.piece.effort) if cue.piece else "",
        (_round(cue), _next(cue)),
    ),
    GuideState.PAUSED: lambda cue: (
        "paused",
        (f"{wording.effort_name(cue.piece.effort)} waits: row on" if cue.piece else "", _round(cue)),
    ),
    GuideState.DONE: lambda _: ("done", ("Well rowed.",)),
}
"""For each state of the guide what it is called, and what there is to say."""


def _band(headline: _Headline, width: int, height: int, style: str, signs: Signs) -> list[Line]:
    """The coloured band: word and number side by side, or one above the other, or all in one line."""
    wide, narrow = (
        _large(headline, width, room, signs, beside) for room, beside in ((height, True), (height - 1, False))
    )
    if wide and wide >= narrow * _WORTH_A_WORD:
        return _wide_band(headline, width, style, signs, wide)
    about = [(headline.name.upper(), ""), *((text, "") for text in headline.about)]
    if narrow:
        has_unit = columns(headline.number, narrow) + 1 + len(headline.unit) <= width
        digits = _with_unit(headline.number, headline.unit if has_unit else "", narrow, signs)
        return [
            _band_line([(text, "") for text, _ in about], width, style),
            *(_filled(row.center(width), width, style) for row in digits),
        ]
    return [_band_line([(headline.name.upper(), f"{headline.number} {headline.unit}"), *about[1:]], width, style)]


_WORTH_A_WORD = 2 / 3
"""The number may be so much smaller when the word gets large beside it."""


def _large(headline: _Headline, width: int, height: int, signs: Signs, beside: bool) -> int:
    """At which scale the number of the band fits; 0 where it doesn't."""
    if beside and (not signs.blocks or height < rows(2)):
        return 0
    room = width - (columns(headline.word, 1) + _GAP + 2 if beside else 0)
    return largest_scale(_shape(headline.number), room, height, signs.blocks) or largest_scale(
        headline.number, room, height, signs.blocks
    )


def _shape(number: str) -> str:
    return max(number, SHAPE, key=len) if ":" in number else number


def _wide_band(headline: _Headline, width: int, style: str, signs: Signs, scale: int) -> list[Line]:
    room = width - 2 - columns(headline.number, scale) - _GAP
    word_scale = largest_scale(headline.word, room, rows(scale) - _ROWS_BELOW_WORD)
    has_unit = columns(headline.word, word_scale) + 1 + len(headline.unit) <= room
    digits = _with_unit(headline.number, headline.unit if has_unit else "", scale, signs)
    left = [*big(headline.word, word_scale), *headline.about]
    if len(left) < len(digits):
        left.insert(rows(word_scale), "")
    left = [*left, *[""] * len(digits)][: len(digits)]
    indent = width - 1 - len(digits[0])
    lines = (f" {text[: indent - 2]:<{indent - 1}}{row}" for text, row in zip(left, digits, strict=True))
    return [_filled(line, width, style) for line in lines]


_ROWS_BELOW_WORD = 3
_GAP = 3


def _band_line(texts: Sequence[Span], width: int, style: str) -> Line:
    """One line of the band: as much as fits."""
    return _filled(
        " " + _joined((" ".join(filter(None, each)).strip() for each in texts), width - 2, "  "), width, style
    )


def _filled(text: str, width: int, style: str) -> Line:
    return ((text.ljust(width), style),)


def _joined(texts: Iterable[str], width: int, between: str = DOT) -> str:
    """As many texts as fit a width; the first in any case."""
    whole = ""
    for text in filter(None, texts):
        longer = f"{whole}{between}{text}" if whole else text
        if whole and len(longer) > width:
            break
        whole = longer
    return whole


def _with_unit(number: str, unit: str, scale: int, signs: Signs) -> list[str]:
    """A number in large, with its unit behind the foot of it."""
    *above, foot = big(number, scale, signs.blocks)
    return [*(f"{row} {' ' * len(unit)}" for row in above), f"{foot} {unit}"] if unit else [*above, foot]


def _numbers(moment: Moment, headline: _Headline) -> list[tuple[str, str]]:
    """Rate, heart rate where there is one, and pace, each with its unit."""
    sample = moment.sample
    heart = [(wording.number(sample.heart_rate_bpm), "bpm")] if sample.heart_rate_bpm is not None else []
    return [(wording.number(sample.stroke_rate_spm), "spm"), *heart, (wording.pace(sample.pace_s_per_500m), "/500 m")]


def _panel(headline: _Headline, numbers: list[tuple[str, str]], width: int, height: int, signs: Signs) -> list[Line]:
    """The second number in large with the others beside it, or all in one line."""
    shape = max(headline.second, _LEAST_SHAPE, key=lambda text: columns(text, 1))
    scale = largest_scale(shape, int(_SECOND_WIDTH * width), height, signs.blocks)
    if not scale:
        texts = [f"{number} {unit}" for number, unit in ((headline.second, headline.second_unit), *numbers)]
        return [((_joined(texts, width), "bold"),)] if height > 0 else []
    left = [f" {row}" for row in _with_unit(headline.second, headline.second_unit, scale, signs)]
    left_width = max(max(map(len, left)), columns(shape, scale) + len(headline.second_unit) + 2)
    right = _beside(numbers, width - left_width - _GAP, height, signs)
    if not right:
        joined = _joined((f"{number} {unit}" for number, unit in numbers), width - 1)
        return [*_styled(left), *([((f" {joined}", ""),)] if len(left) < height else [])]
    high = max(len(left), len(right))
    left, right = ([*[""] * ((high - len(each)) // 2), *each] for each in (left, right))
    left, right = ([*each, *[""] * (high - len(each))] for each in (left, right))
    return [((f"{a:<{left_width + _GAP}}", "bold"), (b, "")) for a, b in zip(left, right, strict=True)]


_LEAST_SHAPE = "000"
_SECOND_WIDTH = 0.45
"""How much of the width the second number gets: its neighbours want to be large too."""


def _styled(texts: Iterable[str], style: str = "bold") -> list[Line]:
    return [((text, style),) for text in texts]


def _beside(numbers: list[tuple[str, str]], width: int, height: int, signs: Signs) -> list[str]:
    """The other numbers in two rows, as large as fits, or one below the other; nothing where they don't fit."""
    groups = [numbers[:-1], numbers[-1:]]
    scale = _scale_of(groups, width, height, signs)
    if scale:
        return [line for group in groups for line in _side_by_side(group, scale, signs)]
    texts = [f"{number} {unit}" for number, unit in numbers]
    return texts if width >= max(map(len, texts)) and height >= len(texts) else []


_SHAPES = {"spm": "00", "bpm": "000", "/500 m": "0:00.0"}
"""What the numbers are as wide as, so that nothing jumps."""


def _scale_of(groups: list[list[tuple[str, str]]], width: int, height: int, signs: Signs) -> int:
    for scale in range(_LARGEST_BESIDE, 0, -1):
        needed = max(
            sum(columns(_SHAPES[unit], scale) + 1 + len(unit) for _, unit in group) + _GAP * (len(group) - 1)
            for group in groups
        )
        if needed <= width and len(groups) * rows(scale) <= height and (signs.blocks or scale % 2 == 0):
            return scale
    return 0


_LARGEST_BESIDE = 4


def _side_by_side(group: list[tuple[str, str]], scale: int, signs: Signs) -> list[str]:
    blocks = []
    for number, unit in group:
        wide = columns(_SHAPES[unit], scale) + 1 + len(unit)
        blocks.append([row.ljust(wide) for row in _with_unit(number, unit, scale, signs)])
    return [(" " * _GAP).join(parts) for parts in zip(*blocks, strict=True)]


# --- banners and messages ---------------------------------------------------------------------------------------------

ALARM = "bold black on yellow"


def _banners(moment: Moment, width: int) -> list[Line]:
    """What goes wrong and lasts."""
    return [_filled(f" {text}", width, ALARM) for text in _alarms(moment)]


def _alarms(moment: Moment) -> Iterator[str]:
    if moment.lost is not None:
        yield f"No data: {wording.outside_text(moment.lost)}. Row on: rowsync connects again by itself."
    if moment.trouble is not None:
        yield (
            f"Not saved just now: {wording.outside_text(moment.trouble)}. "
            f"{moment.notifications - moment.saved} wait in memory. Row on."
        )


def _urgent(view: View, moment: Moment, width: int, height: int) -> Line | None:
    """What covers the last line of a screen without room for it."""
    if view.message and height >= _ROOM_FOR_MESSAGES:
        return ((view.message, "bold"),)
    is_covered = 1 < height < _ROOM_FOR_BANNERS
    return next(iter(_banners(moment, width)), None) if is_covered else None


# --- the lines below --------------------------------------------------------------------------------------------------


def _details(view: View, moment: Moment, width: int, height: int, signs: Signs) -> Iterator[Line]:
    for least_height, line_of in _DETAILS:
        if height >= least_height and (line := line_of(view, moment, width, signs)) is not None:
            yield line


def _target(view: View, moment: Moment, width: int, signs: Signs) -> Line | None:
    """What the piece asks for, and how it is met; blank in a piece that asks for nothing, so that nothing jumps."""
    if moment.cue is None:
        return None
    targets = moment.cue.piece.targets if moment.cue.piece else ()
    return tuple(span for target in targets for span in _target_spans(target, moment))


def _target_spans(target: Target, moment: Moment) -> tuple[Span, ...]:
    verdict = judged(target, moment.sample)
    said, style = _VERDICTS.get((target.quantity, verdict)) or _VERDICTS.get(("", verdict)) or ("", "")
    return ((f" target {target_words(target)} ", ""), (f" {said} " if said else "", style), (" ", ""))


_VERDICTS: dict[tuple[str, str | None], tuple[str, str]] = {
    ("", ON): ("on it", "bold green"),
    (POWER, UNDER): ("push more", "bold yellow"),
    (POWER, OVER): ("ease off", "bold yellow"),
    (PACE, UNDER): ("faster", "bold yellow"),
    (PACE, OVER): ("slower", "bold yellow"),
    (HEART_RATE, UNDER): ("push more", "bold yellow"),
    (HEART_RATE, OVER): ("ease off", "bold yellow"),
    (STROKE_RATE, UNDER): ("more strokes", "bold yellow"),
    (STROKE_RATE, OVER): ("fewer strokes", "bold yellow"),
}
"""What to do about a target, as somebody in the boat would call it."""


def _power_trace(view: View, moment: Moment, width: int, signs: Signs) -> Line:
    values = view.minute.powers_w()
    most = max((value for value in values if value is not None), default=0.0)
    high = max(_POWER_STEP_W, ceil(most / _POWER_STEP_W) * _POWER_STEP_W)
    return _trace("power", values, 0.0, high, "W", width, signs)


_POWER_STEP_W = 50.0
_RATE_STEP_SPM = 5.0


def _rate_trace(view: View, moment: Moment, width: int, signs: Signs) -> Line:
    values = view.minute.rates_spm()
    rowed = [value for value in values if value]
    low = min(rowed, default=20.0) // _RATE_STEP_SPM * _RATE_STEP_SPM
    high = max(low + 2 * _RATE_STEP_SPM, ceil(max(rowed, default=30.0) / _RATE_STEP_SPM) * _RATE_STEP_SPM)
    return _trace("rate", values, low, high, "spm", width, signs)


def _trace(
    name: str, values: Sequence[float | None], low: float, high: float, unit: str, width: int, signs: Signs
) -> Line:
    """A line of bars, a second or two each, with its scale."""
    scale = f" {low:.0f}–{high:.0f} {unit}"
    room = width - len(scale) - _LABEL
    per_bar = 1 if room >= len(values) else 2
    wide = max(1, room // len(values)) if room >= len(values) else 1
    bars = "".join(_bar(value, low, high, signs) * wide for value in values[::-1][::per_bar][::-1])
    return (_label(name), (bars[-room:] if room > 0 else "", "bold cyan"), (scale, "dim"))


_LABEL = 8


def _label(name: str) -> Span:
    return f" {name:<{_LABEL - 1}}", "dim"


def _bar(value: float | None, low: float, high: float, signs: Signs) -> str:
    if value is None:
        return " "
    share = (value - low) / (high - low)
    return signs.levels[max(0, min(len(signs.levels) - 1, round(share * (len(signs.levels) - 1))))]


def _rounds(view: View, moment: Moment, width: int, signs: Signs) -> Line | None:
    """The power of each hard piece so far, as bars, with figures where there is room."""
    if moment.cue is None or not moment.cue.rounds:
        return None
    powers = [each.mean_power_w for each in moment.rounds]
    known = [power for power in powers if power is not None]
    if not known:
        return (_label("rounds"), ("hard power of each round, as they are rowed", "dim"))
    low = _BARS_FROM * min(known)
    bars = [_bar(power, low, max(known), signs) for power in powers]
    red = EFFORT_STYLES["hard"]
    with_figures: list[Span] = [(" W", "dim")]
    for bar, power in zip(bars[::-1], powers[::-1], strict=True):
        with_figures[:0] = [(f"{' ' * _GAP}{bar}{bar} ", red), (wording.number(power), "")]
    with_figures[0] = (with_figures[0][0].lstrip(), red)
    if sum(len(text) for text, _ in with_figures) <= width - _LABEL:
        return (_label("rounds"), *with_figures)
    scale = f" {wording.number(min(known))}–{wording.number(max(known))} W"
    return (_label("rounds"), ("".join(bars)[-max(1, width - _LABEL - len(scale)) :], red), (scale, "dim"))


_BARS_FROM = 0.75
"""Bars begin at so much of the weakest round: rounds differ by a few percent."""


def _progress(view: View, moment: Moment, width: int, signs: Signs) -> Line | None:
    if moment.cue is None:
        return None
    share = f" {wording.number(100 * moment.cue.share)} %"
    room = max(0, width - _LABEL - len(share) - 1)
    done = round(min(1.0, max(0.0, moment.cue.share)) * room)
    return (_label("plan"), (signs.done * done, "bold green"), (signs.ahead * (room - done), "dim"), (share, ""))


def _totals(view: View, moment: Moment, width: int, signs: Signs) -> Line:
    sample = moment.sample
    texts = (
        f"{wording.number(sample.distance_m)} m",
        f"{wording.number(moment.gross_kcal)} kcal {plus_minus(moment.energy_half_width)}".strip(),
        wording.clock(int(max(0.0, moment.time_s))),
        f"saved {moment.saved} of {moment.notifications}",
        wording.outside_text(moment.heading.athlete.name),
    )
    return ((" " + _joined(texts, width - 2), ""),)


def _footer(view: View, moment: Moment, width: int, signs: Signs) -> Line:
    """What was said just now, else what the keys do."""
    return ((f" {view.message}", "bold"),) if view.message else ((f" {view.hints}", "dim"),)


_DETAILS: tuple[tuple[int, Callable[[View, Moment, int, Signs], Line | None]], ...] = (
    (10, _target),
    (14, _power_trace),
    (22, _rate_trace),
    (16, _rounds),
    (12, _progress),
    (13, _totals),
    (_ROOM_FOR_FOOTER, _footer),
)
"""The lines below, from the top, and from which height of the screen on there is room for each [rows]."""
