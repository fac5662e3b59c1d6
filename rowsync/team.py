"""What a room of rowers wants together: everyone inside a band, strokes that fall together, or a distance in sum.

A goal is typed as `band 180-220W`, `synchrony` or `10000m`.  Each keeper hears the moments of every lane, with the
room's time beside them, and tells how the team stands.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, pi, sin
from statistics import fmean, median
from typing import NamedTuple, Protocol

from rowsync import wording
from rowsync.errors import UsageError
from rowsync.moment import Moment
from rowsync.target import CONVERSATION, ON, Target, judged, target_at, target_text, target_words

SYNCHRONY = "synchrony"

UNHEARD_S = 5.0
"""A lane that tells nothing for so long has no session any more: a silent rower's still tells every second [s]."""

STILL_S = 1.5
"""More than this between two moments isn't counted as rowed in the band: nobody knows [s]."""

SPEED_OVER_S = 30.0
"""The present speed is that of so long [s]."""

SYNCHRONY_OVER_S = 15.0
"""How together the strokes are is said of so long [s]."""

LOOK_EVERY_S = 0.25
"""So often it is looked how the team is [s]."""

LEAST_NEWS_PER_STROKE = 8
"""So many times in a stroke a machine has to tell something, for the moment of a stroke to be known from it.

A stroke is dated when its machine tells of it, so up to one news too late; where a stroke takes a whole number k of
news it is late by the same each time, and no mean takes that out.  Two who are perfectly together are then seen as at
least cos(2 pi / k) together (derived): with eight as 0.71 or more, with four it could be 0.
"""

MOST_M = 10_000_000


class Standing(NamedTuple):
    """How a team stands.

    Attributes:
        goal: what it wants, as typed.
        words: how it stands, in one line.
        share: how much of the goal is there, 0 to 1; None when that isn't known.
        lanes: how each lane does, by its number: `on`, `under` or `over` the band; empty where that isn't asked.
    """

    goal: str
    words: str
    share: float | None
    lanes: Mapping[int, str | None]


class Team(Protocol):
    """Keeps how a team stands beside its goal."""

    def hear(self, now_s: float, lane: int, moment: Moment) -> None:
        """Take where a lane's row is, at a time of the room [s]."""

    def standing(self, now_s: float) -> Standing:
        """How the team stands at a time of the room [s]."""


# --- as typed ---------------------------------------------------------------------------------------------------------

_BAND = re.compile(r"\s*band\b\s*@?\s*(.*?)\s*", re.IGNORECASE | re.DOTALL)
_DISTANCE = re.compile(r"\s*(\d{1,8}(?:\.\d{1,3})?)\s*(k?m)\s*", re.IGNORECASE)
_KNOWN = "Type one of: 'band 180-220W', 'synchrony', '10000m'."


def team_of(goal: str) -> Team:
    """What keeps a goal, as it is typed.

    Raises:
        UsageError: it is no goal; the message says what one looks like.
    """
    if goal.strip().casefold() == SYNCHRONY:
        return Synchrony()
    if (band := _BAND.fullmatch(goal)) is not None:
        return Band(_target(band[1]))
    if (distance := _DISTANCE.fullmatch(goal)) is not None:
        metres = float(distance[1]) * (1000 if distance[2].casefold() == "km" else 1)
        if 1 <= metres <= MOST_M:
            return Together(metres)
        raise UsageError(f"A team rows 1 m to {MOST_M:,} m together, not {wording.outside_text(goal)}. {_KNOWN}")
    raise UsageError(f"A team can't have the goal {wording.outside_text(goal)!r}. {_KNOWN}")


def _target(text: str) -> Target:
    read = target_at(text)
    if read is None or read[1] != len(text):
        raise UsageError(f"{wording.outside_text(text)!r} is no band. Type one as: 'band 180-220W', 'band 24-26spm'.")
    target = read[0]
    if target.of is not None or target.quantity == CONVERSATION:
        raise UsageError(f"{target_words(target)} is another band for everyone. Type one as: 'band 180-220W'.")
    return target


# --- everyone inside a band -------------------------------------------------------------------------------------------


@dataclass
class Band:
    """Who is inside a band now, and for how much of the time everyone was.

    Everyone is who has begun to row in a session that goes on.  Time counts while at least one of them rows; who has
    stopped, or of whom nothing is measured, isn't inside.

    Attributes:
        target: the band.
        rowed_s: how long at least one of them rowed [s].
        inside_s: how long everyone was inside [s].
    """

    target: Target
    rowed_s: float = 0.0
    inside_s: float = 0.0
    _moments: dict[int, tuple[float, Moment]] = field(default_factory=dict)
    _heard_s: float | None = None

    def hear(self, now_s: float, lane: int, moment: Moment) -> None:
        """Take where a lane's row is, at a time of the room [s]."""
        before = self._lanes(now_s)
        passed_s = 0.0 if self._heard_s is None else max(0.0, now_s - self._heard_s)
        if passed_s <= STILL_S and any(each.sample.moving for each in self._rowing(now_s)):
            self.rowed_s += passed_s
            self.inside_s += passed_s if all(is_on == ON for is_on in before.values()) else 0.0
        self._heard_s = now_s
        self._moments[lane] = now_s, moment

    def standing(self, now_s: float) -> Standing:
        """How the team stands at a time of the room [s]."""
        lanes = self._lanes(now_s)
        inside = sum(is_on == ON for is_on in lanes.values())
        share = self.inside_s / self.rowed_s if self.rowed_s else None
        words = f"{inside} of {len(lanes)} inside {target_words(self.target)}" if lanes else "nobody rows yet"
        if share is not None:
            words += f" · everyone {round(100 * share)} % of the time"
        return Standing(f"band {target_text(self.target)}", words, share, lanes)

    def _rowing(self, now_s: float) -> list[Moment]:
        return [moment for _, moment in self._known(now_s)]

    def _lanes(self, now_s: float) -> dict[int, str | None]:
        return {
            lane: judged(self.target, moment.sample) if moment.sample.moving and moment.lost is None else None
            for lane, moment in self._known(now_s)
        }

    def _known(self, now_s: float) -> Iterator[tuple[int, Moment]]:
        for lane, (heard_s, moment) in sorted(self._moments.items()):
            if now_s - heard_s <= UNHEARD_S and moment.sample.stroke_count:
                yield lane, moment


# --- strokes that fall together ---------------------------------------------------------------------------------------


def togetherness(phases: Sequence[float]) -> float | None:
    """How together phases are: the mean cosine of the differences of all pairs.

    This is the pairwise phase consistency of Vinck et al., NeuroImage 51(1):112, 2010.  With R = |mean(exp(i phase))|,
    the mean resultant length of circular statistics, it is (n R^2 - 1) / (n - 1) (derived, by expanding the square).
    Unlike R it doesn't depend on how many there are: 1 is together, 0 is as chance has it, for two -1 is opposite.

    Args:
        phases: one for each rower, from 0 at a stroke's end to 2 pi at the next [rad].

    Returns:
        From -1 / (n - 1) to 1; None for fewer than two.
    """
    count = len(phases)
    if count < 2:
        return None
    squared = (sum(map(cos, phases)) / count) ** 2 + (sum(map(sin, phases)) / count) ** 2
    return (count * squared - 1) / (count - 1)


class _Strokes:
    """When a rower's last stroke was, how long one takes, and how finely the machine tells."""

    def __init__(self) -> None:
        self.heard_s = 0.0
        self._moving = False
        self._period_s: float | None = None
        self._end_s: float | None = None
        self._news_s: deque[float] = deque(maxlen=12)

    def hear(self, now_s: float, moment: Moment) -> None:
        """Take where the row is."""
        sample, self.heard_s = moment.sample, now_s
        began_s = now_s - moment.time_s
        self._moving = sample.moving and moment.lost is None
        if not self._news_s or began_s + sample.time_s - self._news_s[-1] > 0.02:
            self._news_s.append(began_s + sample.time_s)
        if sample.stroke_rate_spm:
            self._period_s = 60.0 / sample.stroke_rate_spm
        for stroke in moment.strokes:
            if stroke.seen:
                self._end_s = began_s + stroke.end_s

    def is_rowing(self, now_s: float) -> bool:
        """Whether somebody rows here."""
        return self._moving and now_s - self.heard_s <= UNHEARD_S

    def is_fine(self) -> bool:
        """Whether the machine tells often enough for the moment of a stroke to be known."""
        gaps_s = [later_s - before_s for before_s, later_s in pairwise(self._news_s)]
        if len(gaps_s) < 4 or self._period_s is None:
            return False
        return median(gaps_s) * LEAST_NEWS_PER_STROKE <= self._period_s

    def phase(self, now_s: float) -> float | None:
        """How far the present stroke is, if it goes on as the last [rad]; None where that isn't known."""
        if self._end_s is None or self._period_s is None or not self.is_fine():
            return None
        strokes = (now_s - self._end_s) / self._period_s
        return 2 * pi * strokes if 0 <= strokes <= 2 else None


class Synchrony:
    """How together the strokes of a room fall; not known where machines tell too seldom, or fewer than two row."""

    def __init__(self) -> None:
        self._strokes: dict[int, _Strokes] = {}
        self._looks: deque[tuple[float, float]] = deque()
        self._next_look_s = float("-inf")

    def hear(self, now_s: float, lane: int, moment: Moment) -> None:
        """Take where a lane's row is, at a time of the room [s]."""
        self._strokes.setdefault(lane, _Strokes()).hear(now_s, moment)
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + LOOK_EVERY_S
        phases = [each.phase(now_s) for each in self._strokes.values() if each.is_rowing(now_s)]
        together = togetherness([phase for phase in phases if phase is not None])
        if together is not None:
            self._looks.append((now_s, together))

    def together(self, now_s: float) -> float | None:
        """The mean of the last quarter of a minute, as `togetherness` has it; None when it isn't known."""
        while self._looks and self._looks[0][0] < now_s - SYNCHRONY_OVER_S:
            self._looks.popleft()
        return fmean(each for _, each in self._looks) if self._looks else None

    def standing(self, now_s: float) -> Standing:
        """How the team stands at a time of the room [s]."""
        together = self.together(now_s)
        rowing = [each for each in self._strokes.values() if each.is_rowing(now_s)]
        coarse = sum(not each.is_fine() for each in rowing)
        if together is not None:
            words = f"{round(100 * together)} % together"
        elif len(rowing) < 2:
            words = "not known: fewer than two row"
        elif len(rowing) - coarse < 2:
            words = "not known: the machines tell too seldom when a stroke was"
        else:
            words = "not known yet"
        if coarse and together is not None:
            words += f" · without {wording.count(coarse, 'rower')} whose machine tells too seldom"
        share = None if together is None else max(0.0, together)
        return Standing(SYNCHRONY, words, share, {})


# --- a distance in sum ------------------------------------------------------------------------------------------------


@dataclass
class Together:
    """How far a room has rowed in sum, what is left, and when it will be there at the present speed.

    Attributes:
        goal_m: how far it wants to go [m].
        reached_s: when it was there, in the room's time [s]; None before.
    """

    goal_m: float
    reached_s: float | None = None
    _sessions_m: dict[str, float] = field(default_factory=dict)
    _sums: deque[tuple[float, float]] = field(default_factory=deque)
    _began_s: float | None = None
    _next_look_s: float = float("-inf")

    @property
    def distance_m(self) -> float:
        """What all sessions have together [m]."""
        return sum(self._sessions_m.values())

    @property
    def left_m(self) -> float:
        """What is left [m]."""
        return max(0.0, self.goal_m - self.distance_m)

    def hear(self, now_s: float, lane: int, moment: Moment) -> None:
        """Take where a lane's row is, at a time of the room [s]."""
        session_id, metres = moment.heading.session_id, moment.sample.distance_m or 0.0
        self._sessions_m[session_id] = max(metres, self._sessions_m.get(session_id, 0.0))
        if self._began_s is None and metres > 0:
            self._began_s = now_s
        if self.reached_s is None and self.left_m == 0:
            self.reached_s = now_s
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + LOOK_EVERY_S
            self._sums.append((now_s, self.distance_m))
            while self._sums[0][0] < now_s - SPEED_OVER_S:
                self._sums.popleft()

    def speed_m_per_s(self, now_s: float) -> float | None:
        """How fast all go together, over the last half minute [m/s]; None while nobody knows."""
        since = [each for each in self._sums if each[0] >= now_s - SPEED_OVER_S]
        if len(since) < 2 or now_s - since[0][0] < 1:
            return None
        return (self.distance_m - since[0][1]) / (now_s - since[0][0])

    def finishes_in_s(self, now_s: float) -> float | None:
        """How long it takes yet at the present speed [s]; None when nobody moves."""
        speed = self.speed_m_per_s(now_s)
        return self.left_m / speed if speed else None

    def standing(self, now_s: float) -> Standing:
        """How the team stands at a time of the room [s]."""
        rowed, goal = wording.number(self.distance_m), wording.number(self.goal_m)
        words = f"{rowed} of {goal} m"
        finishes_in_s = self.finishes_in_s(now_s)
        if self.reached_s is not None and self._began_s is not None:
            words = f"{goal} m done in {wording.clock(self.reached_s - self._began_s)}"
        elif finishes_in_s is not None:
            words += f" · {wording.number(self.left_m)} m left, {wording.clock(finishes_in_s)} at this speed"
        else:
            words += f" · {wording.number(self.left_m)} m left"
        goal_text = f"{self.goal_m:.3f}".rstrip("0").rstrip(".")
        return Standing(f"{goal_text}m", words, min(1.0, self.distance_m / self.goal_m), {})
