"""What stands on the screen of a room of rowers: one line for each lane.

Nothing here knows a terminal; a line is a row of spans as in `rowing_view`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rowsync import wording
from rowsync.guide import Cue
from rowsync.moment import Moment
from rowsync.rowing_view import Line


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane as it is seen.

    Attributes:
        number: the lane's, from 1.
        who: who rows there, or `guest N`.
        moment: where the row is; None while no session goes on.
        is_connected: whether its rower is connected.
        trouble: what is wrong, in words; None when all is well.
    """

    number: int
    who: str
    moment: Moment | None = None
    is_connected: bool = False
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class RoomView:
    """All that the screen shows.

    Attributes:
        lanes: the lanes, in the order of their lines.
        said: what was said so far; shown while there is no lane.
        message: what was said just now, or is asked; None after a while.
        hints: what the keys do.
        chosen: the number of the lane for which somebody is being chosen; None when that isn't so.
    """

    lanes: Sequence[LaneView] = ()
    said: Sequence[str] = ()
    message: str | None = None
    hints: str = ""
    chosen: int | None = None


class Column(NamedTuple):
    """A column: its heading, its width, and whether numbers stand at its right edge."""

    heading: str
    width: int
    is_number: bool = True


COLUMNS = (
    Column("lane", 4),
    Column("who", 14, is_number=False),
    Column("doing", 9, is_number=False),
    Column("round", 5),
    Column("left", 7),
    Column("W", 4),
    Column("spm", 4),
    Column("m", 7),
    Column("saved", 7),
    Column("trouble", 24, is_number=False),
)

HEADING_STYLE, CHOSEN_STYLE, TROUBLE_STYLE, PLAIN_STYLE, DIM_STYLE = "bold", "reverse", "bold yellow", "", "dim"


def by_metres(lanes: Sequence[LaneView]) -> list[LaneView]:
    """The lanes, who is farthest first; those who haven't rowed yet last, in order."""
    return sorted(lanes, key=lambda lane: (-_metres(lane), lane.number))


def _metres(lane: LaneView) -> float:
    return (lane.moment.sample.distance_m if lane.moment else None) or 0.0


def room_frame(view: RoomView, width: int, height: int) -> list[Line]:
    """The whole screen, line by line from the top.

    Args:
        view: what to show.
        width: of the screen [columns].
        height: of the screen [rows].
    """
    foot = [((text, DIM_STYLE),) for text in (view.message, view.hints) if text][: max(height - 1, 0)]
    room = height - len(foot)
    if view.lanes:
        body: list[Line] = [((_in_columns([column.heading for column in COLUMNS]), HEADING_STYLE),)]
        body += [_line(lane, is_chosen=lane.number == view.chosen) for lane in view.lanes]
        if len(body) > room > 1:
            body = [*body[: room - 1], ((f"... {len(body) - room + 1} more", DIM_STYLE),)]
    else:
        body = [((text, PLAIN_STYLE),) for text in view.said[-room:]]
    return [*body[:room], *[()] * (room - len(body)), *foot][:height]


def _line(lane: LaneView, is_chosen: bool) -> Line:
    style = CHOSEN_STYLE if is_chosen else PLAIN_STYLE
    *cells, trouble = cells_of(lane)
    return ((_in_columns(cells), style), (f" {trouble}", TROUBLE_STYLE))


def _in_columns(cells: Sequence[str]) -> str:
    padded = (
        cell[: column.width].rjust(column.width) if column.is_number else cell[: column.width].ljust(column.width)
        for cell, column in zip(cells, COLUMNS, strict=False)
    )
    return " ".join(padded)


def cells_of(lane: LaneView) -> tuple[str, ...]:
    """A lane's line, a text for each of `COLUMNS`."""
    moment = lane.moment
    head = (str(lane.number), wording.outside_text(lane.who))
    if moment is None:
        return (*head, "ready" if lane.is_connected else "away", *[wording.NOT_MEASURED] * 6, trouble_of(lane))
    sample, cue = moment.sample, moment.cue
    return (
        *head,
        _doing(moment),
        _round(cue),
        _left(cue),
        wording.number(sample.power_w),
        wording.number(sample.stroke_rate_spm),
        wording.number(sample.distance_m),
        str(moment.saved),
        trouble_of(lane),
    )


def trouble_of(lane: LaneView) -> str:
    """What is wrong in a lane: its own trouble, the lost link, the disk; "" when all is well."""
    moment = lane.moment
    words = [lane.trouble] if lane.trouble else []
    if moment is not None and moment.lost is not None:
        words.append(f"lost: {moment.lost}")
    if moment is not None and moment.trouble is not None:
        words.append(f"not saved: {moment.trouble}")
    return "; ".join(words)


def plain_line(lane: LaneView) -> str:
    """A lane as one line where no terminal is."""
    number, who, *cells, trouble = cells_of(lane)
    named = zip((column.heading for column in COLUMNS[2:]), cells, strict=False)
    shown = ", ".join(f"{cell} {name}" if name in _UNITS else f"{name} {cell}" for name, cell in named if cell)
    return f"{number} {who}: {shown}" + (f", {trouble}" if trouble else "")


_UNITS = ("W", "spm", "m")


def _doing(moment: Moment) -> str:
    cue = moment.cue
    if cue is None:
        return wording.effort_name(moment.effort) if moment.effort else "ready"
    return wording.effort_name(cue.piece.effort) if cue.piece and cue.state == "rowing" else str(cue.state)


def _round(cue: Cue | None) -> str:
    number = cue.piece.round_number if cue and cue.piece else None
    return f"{number}/{cue.rounds}" if cue and number else wording.NOT_MEASURED


def _left(cue: Cue | None) -> str:
    if cue is None:
        return wording.NOT_MEASURED
    if cue.left_m is not None:
        return f"{wording.number(cue.left_m)} m"
    return wording.NOT_MEASURED if cue.left_s is None else wording.clock(cue.left_s)
