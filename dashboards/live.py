"""The live page: a reader of the row that tells it to browsers (`dashboards.stream`), and takes what they ask for.

    show ──▶ LivePage ──▶ events: session, rounds, said, moment, end
    do ◀── /commands

`show` keeps the moment and wakes the viewers.  Who is slow gets the newest moment and every point of the chart.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette

from dashboards.live_page import LIVE
from dashboards.stream import Ask, Stream, Viewer, create_app, event_text, open_stream
from rowsync.commands import Command, read_command
from rowsync.errors import UsageError
from rowsync.guide import Cue
from rowsync.intervals import Effort
from rowsync.moment import Moment, heading_fields, round_fields
from rowsync.plan import parse_plan, plan_fields
from rowsync.session import Header, Interval, fade_of
from rowsync.verdict import sentences
from rowsync.wording import outside_text

LONGEST_LINE = 300
LINES_KEPT = 20

MOST_POINTS = 4 * 3600 * 4
"""Four hours at 4 Hz; from then on every second point of all before is dropped."""

CLOSEST_MS = 150
"""Several notifications may tell of one moment; those of a machine at 4 Hz come later than this, jitter and all."""

MOST_SPANS = 2000

NOT_MEASURED = -1
"""What stands in the series for nothing."""

SERIES = ("power_w", "stroke_rate_spm", "heart_rate_bpm")


class Points:
    """The row as the chart draws it, in whole numbers: 14 bytes a point, and never more than `MOST_POINTS`."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self._times_ms = array("i")
        self._series = {name: array("h") for name in SERIES}
        self._closest_ms = CLOSEST_MS

    def take(self, moment: Moment) -> None:
        """Keep a moment that brought something, unless it is too close to the one before."""
        time_ms = round(1000 * moment.time_s)
        is_known = self._numbers and moment.number <= self._numbers[-1]
        if is_known or (self._times_ms and time_ms < self._times_ms[-1] + self._closest_ms):
            return
        if len(self._numbers) >= MOST_POINTS:
            self._thin()
        self._numbers.append(moment.number)
        self._times_ms.append(min(time_ms, 2**31 - 1))
        for name, values in self._series.items():
            values.append(_whole(getattr(moment.sample, name)))

    def since(self, number: int) -> dict[str, list[int]]:
        """The points of moments after a number, one list for each quantity; `NOT_MEASURED` is none."""
        first = bisect_right(self._numbers, number)
        columns = {"time_ms": self._times_ms, **self._series}
        return {name: values[first:].tolist() for name, values in columns.items()}

    def __len__(self) -> int:
        return len(self._numbers)

    def _thin(self) -> None:
        self._closest_ms *= 2
        self._numbers, self._times_ms = self._numbers[::2], self._times_ms[::2]
        self._series = {name: values[::2] for name, values in self._series.items()}


def _whole(value: float | None) -> int:
    return NOT_MEASURED if value is None else min(max(0, round(value)), 2**15 - 1)


class LivePage(Stream):
    """A reader of the row that any number of browsers follow.

    Args:
        do: carries out what a browser asks for; raises UsageError when it can't be done now.
        token: who knows it may look and ask.
    """

    def __init__(self, do: Callable[[Command], None], token: str) -> None:
        super().__init__(token)
        self.do = do
        self._before: dict[str, Any] | None = None
        self._said: deque[str] = deque(maxlen=LINES_KEPT)
        self._end: dict[str, Any] | None = None
        self._events = dict.fromkeys(_WRITERS, 0) | {"session": 1}
        self._heading: Header | None = None
        self._moment: Moment | None = None
        self._rounds: tuple[Interval, ...] = ()
        self._spans: list[tuple[float, Effort | None]] = []
        self.points = Points()

    # --- the reader ---

    def say(self, text: str) -> None:
        """Tell every browser one line."""
        self._said.append(outside_text(text, LONGEST_LINE))
        self._tell("said")

    def show(self, moment: Moment) -> None:
        """Take where the row is; costs some microseconds, whatever the browsers do."""
        before, self._moment = self._moment, moment
        if moment.heading is not self._heading:
            self._head(moment.heading)
        self.points.take(moment)
        self._turn(before, moment)
        if moment.rounds != self._rounds:
            self._rounds = moment.rounds
            self._tell("rounds")
        self._tell("moment")

    def remember(self, past: Mapping[str, Any]) -> None:
        """Take the last time this plan was rowed."""
        self._before = past.get("before")
        self._tell("session")

    def end(self, summary: Mapping[str, Any] | None) -> None:
        """The row is over, and this is what it was; None when nothing was stored."""
        self._end = {"summary": {**summary, "said": sentences(summary)} if summary else None}
        self._tell("end")

    # --- for the browsers ---

    def welcome(self, last_event_id: str = "") -> Viewer:
        """Somebody looks, who has everything up to an event's id."""
        session_id, _, number = last_event_id.rpartition(":")
        known = number.isascii() and number.isdigit() and len(number) < 16
        viewer = super().welcome()
        if known:
            viewer.session_id, viewer.number = session_id, int(number)
        viewer.seen = {"said": max(0, self._events["said"] - 1), "rounds": self._events["rounds"], "end": 0}
        if self._moment is None:
            viewer.seen["moment"] = self._events["moment"]
        return viewer

    def news(self, viewer: Viewer) -> bytes:
        """What a viewer hasn't got yet, as server-sent events; nothing when there is none."""
        events = []
        for name, write in _WRITERS.items():
            if viewer.seen.get(name) != self._events[name]:
                content = write(self, viewer)
                viewer.seen[name] = self._events[name]
                events.append(event_text(name, content, f"{viewer.session_id}:{viewer.number}"))
        return "".join(events).encode()

    def _session_event(self, viewer: Viewer) -> dict[str, Any]:
        heading = self._heading
        session_id = heading.session_id if heading else ""
        is_new = viewer.session_id != session_id or not session_id
        if is_new:
            viewer.session_id, viewer.number = session_id, -1
        viewer.seen["rounds"] = self._events["rounds"]
        return {
            "heading": _outside(heading_fields(heading)) if heading else None,
            "plan": _plan(heading) if heading else None,
            "before": self._before,
            "restarted": is_new,
            "points": self._points_for(viewer),
            **self._rounds_event(viewer),
        }

    def _rounds_event(self, viewer: Viewer) -> dict[str, Any]:
        return {
            "rounds": [round_fields(each) for each in self._rounds],
            "fade": fade_of(self._rounds),
            "spans": self._spans,
        }

    def _said_event(self, viewer: Viewer) -> dict[str, Any]:
        new = min(len(self._said), self._events["said"] - viewer.seen.get("said", 0))
        return {"texts": list(self._said)[-new:]}

    def _moment_event(self, viewer: Viewer) -> dict[str, Any]:
        return {**(self._moment.fields() if self._moment else {}), "points": self._points_for(viewer)}

    def _end_event(self, viewer: Viewer) -> dict[str, Any] | None:
        return self._end

    def _points_for(self, viewer: Viewer) -> dict[str, list[int]]:
        points = self.points.since(viewer.number)
        if self._moment is not None:
            viewer.number = max(viewer.number, self._moment.number)
        return points

    # --- what is kept of the row ---

    def _head(self, heading: Header) -> None:
        """Another session, or another plan."""
        known, self._heading = self._heading, heading
        if known is not None and known.plan != heading.plan:
            self._before = None
        if known is not None and known.session_id != heading.session_id:
            self.points, self._rounds, self._spans, self._end = Points(), (), [], None
            for seen in (self._events, *(viewer.seen for viewer in self.viewers)):
                seen["end"] = 0
        self._tell("session")

    def _turn(self, before: Moment | None, moment: Moment) -> None:
        """Keep when what is rowed changes: by the plan's bells, or as it was found where there is no plan."""
        effort = _effort(moment)
        if before is not None and self._spans and (_piece(before), _effort(before)) == (_piece(moment), effort):
            return
        self._spans.append((_bell_s(before.cue if before else None, moment), effort))
        del self._spans[:-MOST_SPANS]
        self._tell("rounds")

    def _tell(self, name: str) -> None:
        self._events[name] += 1
        self.wake()


_WRITERS: dict[str, Callable[[LivePage, Viewer], Any]] = {
    "session": LivePage._session_event,
    "rounds": LivePage._rounds_event,
    "said": LivePage._said_event,
    "moment": LivePage._moment_event,
    "end": LivePage._end_event,
}
"""Every kind of event and who writes it, in the order in which they are sent."""


def _effort(moment: Moment) -> Effort | None:
    if moment.cue is None:
        return moment.effort
    return moment.cue.piece.effort if moment.cue.piece else None


def _piece(moment: Moment) -> int | None:
    return moment.cue.number if moment.cue else None


def _bell_s(before: Cue | None, moment: Moment) -> float:
    """When the piece before ended by the clock, or else now [s]."""
    rang_s = before.ends_s if before is not None and moment.cue is not None else None
    return round(moment.time_s if rang_s is None else min(rang_s, moment.time_s), 3)


def _plan(heading: Header) -> dict[str, Any] | None:
    """The session's plan with its targets in values; as it was typed where they can't be reckoned."""
    try:
        plan = parse_plan(heading.plan) if heading.plan else None
    except UsageError:
        return None
    if plan is None:
        return None
    try:
        return plan_fields(plan.for_athlete(heading.athlete))
    except UsageError:
        return plan_fields(plan)


def _outside(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: outside_text(value, LONGEST_LINE) if value is not None else None for name, value in fields.items()}


def _asks(page: LivePage) -> dict[str, Ask[Command]]:
    """What the live page may ask for, by path."""

    def done(command: Command) -> dict[str, str]:
        page.do(command)
        return {"command": command.name}

    return {"/commands": Ask(read_command, done)}


def create_live_app(page: LivePage, *, allowed_hosts: Sequence[str]) -> Starlette:
    """The live page, its events and its commands.

    Args:
        page: what is shown.
        allowed_hosts: the names (without port) under which it answers; any other Host gets 400.
    """
    return create_app(page, LIVE, _asks(page), allowed_hosts=allowed_hosts)


@asynccontextmanager
async def open_live_page(
    do: Callable[[Command], None],
    *,
    host: str,
    port: int,
    allowed_hosts: Sequence[str],
    token: str,
    announce: Callable[[str], None],
) -> AsyncIterator[LivePage]:
    """Serve the live page in the running loop, for as long as the context lasts.

    Args:
        do: carries out what a browser asks for; raises UsageError when it can't be done now.
        host: the address to bind.
        port: the port to bind; 0 takes any free one.
        allowed_hosts: the names (without port) under which it answers.
        token: who knows it may look and ask; 128 random bits.
        announce: gets the link, token and all, when the page can be reached.

    Yields:
        The page, a reader of the row.

    Raises:
        UsageError: that address can't be bound.
    """
    page = LivePage(do, token)
    async with open_stream(
        page,
        LIVE,
        _asks(page),
        host=host,
        port=port,
        allowed_hosts=allowed_hosts,
        announce=lambda address: announce(f"{address}#{token}"),
    ):
        yield page
