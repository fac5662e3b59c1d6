"""SYNTHETIC strokes whose intervals are known, made directly from a list of pieces.

Stroke noise is AR(1), the flywheel shows half of a step in the first stroke and 90 % in the third, and the athlete only
reacts at a stroke.  The noise of the two athletes and the step response are measured on real rows (interval study,
section 1.2).  `sent` turns strokes into what a machine would send of them.
"""

import math
from bisect import bisect_right

import numpy as np

from rowsync.ftms import ROWER_DATA, RowerData, encode_rower_data
from rowsync.intervals import Effort, Segment, Segmenter
from rowsync.strokes import Stroke
from rowsync.telemetry import Notification

HARD, EASY, REST, WARMUP, COOLDOWN, STEADY = (
    Effort.HARD, Effort.EASY, Effort.REST, Effort.WARMUP, Effort.COOLDOWN, Effort.STEADY,
)  # fmt: skip
NOISE, DRIFT = {"trained": 0.03, "beginner": 0.074}, {"trained": 0.02, "beginner": 0.07}
RISE, FALL = (0.5, 0.8, 0.9, 0.95, 1.0), (0.3, 0.6, 0.8, 0.92, 1.0)


def rowed(pieces, athlete="trained", seed=0, reported=True, tick_s=0.0, hole_s=None):
    """Strokes of (duration_s, power_w) pieces, 0 W a full stop; ends rounded up to `tick_s`, 10 s lost at `hole_s`."""
    random = np.random.default_rng(seed)
    strokes, time_s, bell_s, noise, drift, level = [], 0.0, 0.0, 0.0, 0.0, math.log(60)
    counted_s = 0.0
    for duration_s, power_w in pieces:
        bell_s += duration_s
        if power_w == 0:
            time_s, level = max(time_s, bell_s), math.log(25)
            continue
        begin, goal = level, math.log(power_w)
        stroke_in_piece = 0
        while time_s < bell_s:
            response = RISE if goal > begin else FALL
            level = begin + (goal - begin) * response[min(stroke_in_piece, 4)]
            took_s = 60 / min(max(17 + 11 * power_w / 220 + random.normal(0, 0.6), 14), 38)
            noise = 0.6 * noise + 0.8 * random.normal(0, NOISE[athlete])
            drift += -drift * took_s / 120 + math.sqrt(2 * took_s / 120) * random.normal(0, DRIFT[athlete])
            watts = math.exp(level + noise + drift)
            start_s, end_s = time_s, time_s + took_s
            if tick_s:
                start_s, end_s = (math.ceil(t / tick_s) * tick_s for t in (start_s, end_s))
                start_s = max(start_s, counted_s)
            metres = took_s * (watts / 2.8) ** (1 / 3)
            counted_s, time_s = end_s, time_s + took_s
            stroke_in_piece += 1
            if hole_s is None or not hole_s < end_s <= hole_s + 10:
                strokes.append(Stroke(len(strokes) + 1, start_s, end_s, metres, round(watts) if reported else None))
    return strokes, bell_s


def repeats(times, work_s, work_w, easy_s, easy_w, warmup=(300, 110.0), cooldown=(300, 100.0)):
    """Warm-up, `times` pieces with recoveries between them, cool-down; and when the pieces truly were."""
    between = [(work_s, work_w), (easy_s, easy_w)] * times
    truth = [(warmup[0] + n * (work_s + easy_s), warmup[0] + n * (work_s + easy_s) + work_s) for n in range(times)]
    return [warmup, *between[:-1], cooldown], truth


def fed(strokes, caution=1.0):
    """A segmenter that has seen these strokes."""
    segmenter = Segmenter(caution)
    for stroke in strokes:
        segmenter.feed(stroke)
    return segmenter


def segmented(strokes, end_s):
    """The segments of a free row."""
    return fed(strokes).finish(end_s).segments


def efforts(segments):
    """What segments were rowed as."""
    return [segment.effort for segment in segments]


def hard(segments):
    """Start and end of each hard segment [s]."""
    return [(segment.start_s, segment.end_s) for segment in segments if segment.effort is HARD]


def due(*pieces):
    """The timetable of (effort, duration_s) pieces that follow each other from 0 on."""
    timetable, start_s = [], 0.0
    for effort, duration_s in pieces:
        timetable.append(Segment(effort, start_s, start_s + duration_s))
        start_s += duration_s
    return tuple(timetable)


def said_each_second(strokes, end_s, ask=lambda segmenter, time_s: segmenter.effort(time_s), caution=1.0):
    """What a segmenter answers at each whole second, having seen the strokes that ended by then."""
    segmenter, waiting, said = Segmenter(caution), list(strokes), []
    for time_s in range(int(end_s)):
        while waiting and waiting[0].end_s <= time_s:
            segmenter.feed(waiting.pop(0))
        said.append(ask(segmenter, time_s))
    return said


def sent(strokes, end_s, **altered):
    """What a machine sends of strokes: the last one once a second, in stops for ever.

    Each of `altered` is a field of Rower Data and a function of the time [s] that answers what to send instead.
    """
    ends_s, metres = [stroke.end_s for stroke in strokes], np.cumsum([0.0, *(stroke.distance_m for stroke in strokes)])
    packets = []
    for time_s in range(int(end_s) + 1):
        count = bisect_right(ends_s, time_s)
        last = strokes[count - 1] if count else None
        shown = {
            "stroke_rate_spm": 60 / last.duration_s if last else 0,
            "stroke_count": count,
            "total_distance_m": int(metres[count]),
            "instantaneous_power_w": round(last.power_w) if last else 0,
        }
        shown |= {name: value(time_s) for name, value in altered.items()}
        packets.append(Notification(float(time_s), ROWER_DATA, encode_rower_data(RowerData(**shown))))
    return packets
