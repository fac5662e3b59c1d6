"""The machines that were rowed beside each other: how much higher or lower one reads, with its range."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dashboards.page import column_head, point, section, table_row
from rowsync.errors import UsageError
from rowsync.machine_factor import (
    NOTHING_CORRECTED,
    Machine,
    MachineFactor,
    Machines,
    label,
    machine_factor,
    machines,
    sentence,
    spread,
)
from rowsync.machines import machine_key
from rowsync.wording import NOT_MEASURED, count, number, percent_change

Row = Mapping[str, Any]

MOST_SHOWN = 8
"""So many machines have a line; a gym has more, and each takes a while to reckon."""
MARGIN = 0.02
"""What is free beside the outermost range, as a share of power."""


def machines_section(rows: Sequence[Row]) -> str:
    """A table of the machines with a dot and a range for each, as HTML; empty where there are no two.

    Args:
        rows: one a session, as `Store.rows` gives them.
    """
    found = machines(rows, most=MOST_SHOWN - 1)
    if found.reference is None or len(found.machines) < 2:
        return ""
    at = _scale(found)
    lines = table_row(
        _name(found.reference, found),
        (number(found.reference.sessions), "reference", "", point(at(1.0))),
    )
    lines += "".join(_line(each, found, at) for each in found.factors)
    heads = column_head("machine", kind="word") + column_head("sessions") + column_head("reads")
    heads += column_head("80 % range") + column_head("")
    table = (
        '<div class="scroll" role="region" aria-labelledby="machines-heading" tabindex="0">\n'
        '<table class="machines"><caption>Watts for the same work of the same people</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}</tbody></table></div>\n"
    )
    return section("machines", "Machines", table + _notes(found))


def _line(each: MachineFactor, found: Machines, at: Callable[[float], float]) -> str:
    name, sessions = _name(each.machine, found), number(each.machine.sessions)
    if each.factor is None or each.low is None or each.high is None:
        return table_row(name, (sessions, NOT_MEASURED, "", ""))
    drawn = point(at(each.factor), (at(each.low), at(each.high)))
    return table_row(name, (sessions, percent_change(each.factor), spread(each.low, each.high), drawn))


def _name(machine: Machine, found: Machines) -> str:
    return f"<bdi>{html.escape(label(machine, found.machines))}</bdi>"


def _scale(found: Machines) -> Callable[[float], float]:
    """Where a factor lies on the scale that holds all of them, from 0 to 1."""
    ends = [end for each in found.factors for end in (each.low, each.high) if end is not None]
    low, high = min([1.0, *ends]) - MARGIN, max([1.0, *ends]) + MARGIN
    return lambda factor: (factor - low) / (high - low)


def _notes(found: Machines) -> str:
    """What the table says, in sentences; why there is nothing in a line, too."""
    if found.reference is None:
        return ""
    said = [sentence(each, found.reference, found.machines) for each in found.factors]
    if any(each.factor is not None for each in found.factors):
        said.append(NOTHING_CORRECTED)
    more = len(found.machines) - 1 - len(found.factors)
    listed = "".join(f"<li>{html.escape(each)}</li>\n" for each in said)
    others = f'<p class="note">And {count(more, "more machine")}: <code>rowsync machines</code> has all.</p>\n'
    return f'<ul class="note">\n{listed}</ul>\n{others if more else ""}'


def factor_sentence(now: Row, before: Row, athlete: str, rows: Callable[[], Sequence[Row]]) -> str:
    """How the machine of a session reads beside that of an earlier one; empty where it is the same, or nobody knows.

    Args:
        now: the session's machine, `name` and `address`.
        before: the earlier one's.
        athlete: whose both are; where the athlete's own sessions can't tell, everybody's are asked.
        rows: gives one row a session; only asked where the machines differ.
    """
    here, there = machine_key(now), machine_key(before)
    if here is None or there is None or here == there:
        return ""
    known = rows()
    for whose in (athlete, None):
        try:
            factor, both = machine_factor(known, here, there, whose), machines(known, there, whose, most=0)
        except UsageError:  # the index doesn't have the one or the other
            continue
        if factor.factor is not None and both.reference is not None:
            return f"{sentence(factor, both.reference, both.machines)} {NOTHING_CORRECTED}"
    return ""
