"""The page of a training programme: what was planned beside what was done, week by week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboards.page import column_head, page, table_row
from rowsync.programme import spanned
from rowsync.wording import NOT_MEASURED, moment, number, outside_html, short_day

LONGEST = 400
"""What a programme of somebody else's may say at once [letters]."""

_Table = Mapping[str, Any]


def programme_page(overview: _Table, *, home: str) -> str:
    """The page as HTML.

    Args:
        overview: the JSON of `rowsync programme`.
        home: address of the history's page.
    """
    plan, weeks = overview["programme"], overview["weeks"]
    title = outside_html(plan["name"], LONGEST)
    header = (
        f'<header><p class="back"><a href="{home}">← All sessions</a></p>'
        f'<h1>{title}</h1><p class="about">{outside_html(overview["athlete"])} · {_week_words(overview)}</p></header>'
    )
    main = _this_week(overview) + _weeks(plan, weeks) + _notes(weeks) if weeks else "<p>It has not begun yet.</p>"
    footer = f"<footer><p>{outside_html(overview['information'], LONGEST)}</p></footer>"
    return page("Rowing: programme", f"{header}\n<main>\n{main}</main>\n{footer}")


def _week_words(overview: _Table) -> str:
    began = moment(f"{overview['started']}T00:00:00Z")
    since = "" if began is None else f", since {short_day(began)}"
    if overview["week"] is None:
        return f"not begun{since.replace('since', 'begins')}"
    return f"week {overview['week']} of {spanned([round(end) for end in overview['programme']['weeks']])}{since}"


def _this_week(overview: _Table) -> str:
    left = "".join(f"<li>{outside_html(each, LONGEST)}</li>" for each in overview["left"])
    what = f"<ul>{left}</ul>" if left else "<p>Nothing is left of it. Rest is part of it.</p>"
    return f'<section aria-labelledby="left"><h2 id="left">Left of this week</h2>\n{what}</section>\n'


def _weeks(plan: _Table, weeks: Any) -> str:
    """Every week beside the plan, the newest first."""
    rowing, days = plan["rowing"], [day["name"] for day in plan["days"]]
    heads = column_head("week", kind="word") + column_head("rows") + column_head("with intervals")
    heads += column_head("to talk at") + column_head("time", "min") + column_head("strength days")
    heads += column_head("net energy", "kcal") + column_head("of the deficit", "%")
    planned = (
        spanned(rowing["rows_a_week"]),
        number(rowing["interval_rows_a_week"]),
        NOT_MEASURED,
        spanned(rowing["minutes_a_week"]),
        number(len(days)),
        NOT_MEASURED,
        NOT_MEASURED,
    )
    lines = table_row("planned", planned) + "".join(table_row(_name(week), _done(week)) for week in reversed(weeks))
    return (
        '<section><h2 id="weeks">Week by week</h2>\n'
        '<div class="scroll" role="region" aria-labelledby="weeks" tabindex="0">\n<table>'
        '<caption class="unseen">What was planned, and what was done of it, the newest week first</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}</tbody></table></div></section>\n"
    )


def _name(week: _Table) -> str:
    monday = moment(f"{week['monday']}T00:00:00Z")
    return f"{week['number']}" + ("" if monday is None else f", from {short_day(monday)}")


def _done(week: _Table) -> tuple[str, ...]:
    rowed = bool(week["minutes"])
    energy = (
        f"{number(week['net_kcal'])} <small>({number(week['net_low_kcal'])}–{number(week['net_high_kcal'])})</small>"
    )
    return (
        number(week["rows"]),
        number(week["intervals"], 0 if week["intervals"] == week["interval_rows"] else 1),
        number(week["conversational_rows"]),
        number(week["minutes"]),
        " ".join(outside_html(name) for name in week["strength"]) or "0",
        energy if rowed else "0",
        spanned([100 * share for share in week["deficit_share"]]) if rowed else "0",
    )


def _notes(weeks: Any) -> str:
    said = [(week["number"], note) for week in weeks[-2:] for note in week["notes"]]
    items = "".join(f"<li>Week {number}: {outside_html(note, LONGEST)}</li>" for number, note in said)
    return f"<section><h2>Worth a thought</h2>\n<ul>{items}</ul></section>\n" if items else ""
