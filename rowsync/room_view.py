"""What stands on the screen of a room of rowers: one line for each lane.

Nothing here knows a terminal; a line is a row of spans as in `rowing_view`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rowsync import wording
from rowsync.guide import Cue
from rowsync.moment import SHOWN, Moment
from rowsync.rowing_view import Line
from rowsync.team import Standing

SILENT_S = 5.0
"""A rower of whom nothing was heard for so long is silent [s]."""


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane as it is seen.

    Attributes:
        number: the lane's, from 1.
        who: who rows there, or `guest N`.
        moment: where the row is; None while no session goes on.
        is_connected: whether its rower is connected.
        trouble: what is wrong, in words; None when all is well.
        address: its rower's.
        rower: what its rower calls itself.
        silent_s: for how long nothing was heard of its rower [s]; None when nobody keeps that.
    """

    number: int
    who: str
    moment: Moment | None = None
    is_connected: bool = False
    trouble: str | None = None
    address: str = ""
    rower: str = ""
    silent_s: float | None = None


class RoomLook(NamedTuple):
    """How a room is at one moment.

    Attributes:
        lanes: the lanes, by number.
        people: who may be chosen, by name.
        team: how all stand beside their goal; None without one.
        kept: what stays to be read while there are lanes, such as a link.
    """

    lanes: Sequence[LaneView] = ()
    people: Sequence[str] = ()
    team: Standing | None = None


@dataclass(frozen=True, slots=True)
class RoomView:
    """All that the screen shows.

    Attributes:
        lanes: the lanes, in the order of their lines.
        said: what was said so far; shown while there is no lane.
        message: what was said just now, or is asked; None after a while.
        hints: what the keys do.
        chosen: the number of the lane for which somebody is being chosen; None when that isn't so.
        team: how all stand beside their goal; None without one.
    """

    lanes: Sequence[LaneView] = ()
    said: Sequence[str] = ()
    message: str | None = None
    hints: str = ""
    chosen: int | None = None
    team: Standing | None = None
    kept: str = ""


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


ORDERS = {"place": None, "metres": "distance_m", "power": "power_w", "rate": "stroke_rate_spm"}
"""By what lanes may be sorted, and the attribute of a sample that it is; None is by number."""


def in_order(lanes: Sequence[LaneView], order: str) -> list[LaneView]:
    """The lanes in one of `ORDERS`, the greatest first; those of which nothing is known last, by number."""
    quantity = ORDERS[order]
    if quantity is None:
        return sorted(lanes, key=lambda lane: lane.number)
    return sorted(lanes, key=lambda lane: (-_value(lane, quantity), lane.number))


def _value(lane: LaneView, quantity: str) -> float:
    value = getattr(lane.moment.sample, quantity) if lane.moment else None
    return -1.0 if value is None else float(value)


def room_frame(view: RoomView, width: int, height: int) -> list[Line]:
    """The whole screen, line by line from the top.

    Args:
        view: what to show.
        width: of the screen [columns].
        height: of the screen [rows].
    """
    kept = view.kept if view.lanes else ""
    foot = [((text, DIM_STYLE),) for text in (view.message, kept, view.hints) if text][: max(height - 1, 0)]
    room = height - len(foot)
    if view.lanes:
        body: list[Line] = [((team_line(view.team), HEADING_STYLE),)] if view.team else []
        body += [((_in_columns([column.heading for column in COLUMNS]), HEADING_STYLE),)]
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
    if (silence := _silence(lane)) is not None:
        words.append(silence)
    return "; ".join(words)


def _silence(lane: LaneView) -> str | None:
    """Since when nothing is heard of a rower of which something should be."""
    if lane.silent_s is None or lane.silent_s < SILENT_S:
        return None
    if not lane.is_connected:
        return f"away for {wording.clock(lane.silent_s)}, looking for it"
    return f"no data for {wording.clock(lane.silent_s)}" if lane.moment is not None else None


def team_line(team: Standing) -> str:
    """How all stand beside their goal, as one line."""
    return f"Together, {team.goal}: {team.words}"


def lane_fields(lane: LaneView) -> dict[str, Any]:
    """A lane as JSON holds it, by the names of the rest of rowsync."""
    moment, cells = lane.moment, cells_of(lane)
    sample, cue = (moment.sample, moment.cue) if moment else (None, None)
    leads = cue.piece if cue and cue.state == "rowing" else None
    return {
        "lane": lane.number,
        "who": cells[1],
        "address": wording.outside_text(lane.address),
        "rower": wording.outside_text(lane.rower),
        "is_connected": lane.is_connected,
        "doing": cells[2],
        "effort": leads.effort if leads else moment.effort if moment and cue is None else None,
        "round": cells[3],
        "left": cells[4],
        **{name: _rounded(getattr(sample, name, None)) for name in SHOWN},
        "saved": moment.saved if moment else None,
        "notifications": moment.notifications if moment else None,
        "trouble": wording.outside_text(trouble_of(lane), LONGEST_TROUBLE),
    }


LONGEST_TROUBLE = 200


def _rounded(value: Any) -> Any:
    return round(value, 1) if isinstance(value, float) else value


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
