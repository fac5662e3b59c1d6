"""The page of all sessions."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboards.bests import BestsChart, bests_chart, bests_figure, held, race_time
from dashboards.calendar import CalendarChart, calendar_chart, calendar_figure
from dashboards.history import KINDS, HistoryChart, athletes_of, counted, history_chart, history_figure
from dashboards.machines import machines_section
from dashboards.page import column_head, figure_box, page, quoted, total
from dashboards.session_page import energy_range
from rowsync.wording import (
    NOT_MEASURED,
    clock,
    count,
    long_date,
    measured,
    moment,
    number,
    outside_html,
    outside_text,
    short_day,
    time_of_day,
)

Row = dict[str, Any]
Link = Callable[[str], str | None]


def history_page(
    index: pd.DataFrame,
    *,
    session_link: Link,
    athlete: str | None = None,
    athlete_link: Link | None = None,
    programme_address: str | None = None,
    page_number: int = 1,
    rows_per_page: int | None = None,
) -> str:
    """The page of all sessions as HTML.

    Args:
        index: one row per session.
        session_link: the address of a session's page by its id; None where it has none.
        athlete: whose sessions are shown; None for everybody's.
        athlete_link: the address of an athlete's page by name, `EVERYBODY` for all; without it nobody is linked.
        programme_address: the address of the page of the training programme; None where there is none.
        page_number: which page of the table, from 1.
        rows_per_page: how many sessions a page lists; None for all.
    """
    if index.empty:
        body = (
            "<header><h1>Rowing</h1></header>\n<main><p>No session is stored yet. <code>rowsync row</code> records "
            "one, and <code>rowsync demo</code> makes one up.</p></main>"
        )
        return page("Rowing: no sessions yet", body)
    figures: dict[str, go.Figure] = {}
    nav = _athletes(index, athlete, athlete_link)
    if athlete is not None:
        index = index[index["athlete"] == athlete]
    rows = newest_first(index)
    first = 0 if rows_per_page is None else (page_number - 1) * rows_per_page
    shown = rows[first:] if rows_per_page is None else rows[first : first + rows_per_page]
    rowed = counted(index)
    main = _totals(newest_first(rowed)) + _calendar_section(calendar_chart(rowed), figures)
    main += "".join(_chart_section(history_chart(rowed, by), figures) for by in KINDS)
    main += _bests_section(bests_chart(rowed), session_link, figures) + machines_section(rows) + _synthetic_note(rows)
    main += _table(shown, session_link) + _paging(len(rows), page_number, rows_per_page, athlete)
    whose = "" if athlete is None else f": {outside_html(athlete)}"
    plan = "" if programme_address is None else f" · {_linked('training programme', programme_address)}"
    header = f'<header><h1>Rowing{whose}</h1><p class="about">{_period(rows)}{plan}</p>{nav}</header>'
    return page("Rowing: all sessions", f"{header}\n<main>\n{main}</main>\n{FOOTER}", figures)


EVERYBODY = ""
"""The name of nobody, under which the page of all athletes is linked."""


def _athletes(index: pd.DataFrame, athlete: str | None, link: Link | None) -> str:
    """Links to the pages of athletes, where there are several."""
    names = athletes_of(index)
    if link is None or len(names) < 2:
        return ""
    entries = [
        (EVERYBODY, "everybody", athlete is None),
        *((name, outside_html(name), name == athlete) for name in names),
    ]
    items = "".join(_athlete_link(link(name), words, is_here) for name, words, is_here in entries)
    return f'<nav class="athletes" aria-label="Athletes">{items}</nav>'


def _athlete_link(address: str | None, words: str, is_here: bool) -> str:
    if is_here or address is None:
        return f'<span aria-current="page">{words}</span> ' if is_here else f"<span>{words}</span> "
    return f'<a href="{html.escape(address)}">{words}</a> '


FOOTER = (
    "<footer><p>Energy is estimated. The numbers in brackets, and the thin lines on the bars, are its 80 % range. "
    "The ranges of a week are added up, since the estimate errs the same way each time. "
    "– means not measured · rowsync</p></footer>"
)


def newest_first(index: pd.DataFrame) -> list[Row]:
    """The index as rows with None for what was not measured, the newest first, the undated last."""
    rows: list[Row] = [
        {str(name): None if _missing(value) else value for name, value in row.items()}
        for row in index.to_dict(orient="records")
    ]
    return sorted(rows, key=lambda row: _stamp_s(row), reverse=True)


def _missing(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _stamp_s(row: Row) -> float:
    at = moment(row.get("started_at"))
    return float("-inf") if at is None else pd.Timestamp(at).timestamp()


def _period(rows: Sequence[Row]) -> str:
    dated = [at for row in rows if (at := moment(row.get("started_at"))) is not None]
    if not dated:
        return ""
    first, last = short_day(dated[-1]), short_day(dated[0])
    return first if first == last else f"{first} – {last}"


def _totals(rows: Sequence[Row]) -> str:
    energy = {name: _sum(rows, name) for name in ("gross_kcal", "low_kcal", "high_kcal")}
    totals: tuple[tuple[str, ...], ...] = (
        ("sessions", number(len(rows)), ""),
        ("time", clock(_sum(rows, "duration_s")), ""),
        ("distance", number(_sum(rows, "distance_m", per_unit=1000), 1), "km"),
        ("energy", number(energy["gross_kcal"]), f"kcal {energy_range(energy)}".strip(), "gross, 80 % range", "wide"),
    )
    cells = "".join(total(*each) for each in totals)
    return (
        '<section aria-labelledby="totals"><h2 id="totals" class="unseen">Totals</h2>\n'
        f'<dl class="totals large">{cells}</dl></section>\n'
    )


def _sum(rows: Sequence[Row], column: str, per_unit: float = 1) -> float | None:
    known = [value for row in rows if (value := measured(row.get(column))) is not None]
    return sum(known) / per_unit if known else None


def _calendar_section(chart: CalendarChart, figures: dict[str, go.Figure]) -> str:
    if not chart.days:
        return ""
    figures["calendar"] = calendar_figure(chart)
    minutes = sum(day.duration_s or 0.0 for day in chart.days) / 60
    label = f"A calendar of the last year: {count(len(chart.days), 'day')} with rowing, {minutes:.0f} minutes in all."
    box = figure_box("calendar", label, figures["calendar"].layout.height)
    note = '<p class="note">The longer a day\'s rowing, the stronger its colour.</p>'
    return f"<section><h2>The last year</h2>\n{box}{note}</section>\n"


def _chart_section(chart: HistoryChart, figures: dict[str, go.Figure]) -> str:
    """The chart of weeks, or of months where there are two."""
    if not chart.periods or (chart.by == "month" and len(chart.periods) < 2):
        return ""
    figures[chart.by] = history_figure(chart)
    rowed = sum(1 for period in chart.periods if period.sessions)
    label = f"Bar charts of energy, distance and time over {count(len(chart.periods), chart.by)}, {rowed} with rowing"
    label += f", and mean power of the hard rounds in {count(len(chart.hard), 'session')}." if chart.hard else "."
    box = figure_box(chart.by, label, figures[chart.by].layout.height)
    return f"<section><h2>{chart.kind.heading}</h2>\n{box}</section>\n"


def _bests_section(chart: BestsChart, session_link: Link, figures: dict[str, go.Figure]) -> str:
    if not chart.powers and not chart.times and not chart.unknown:
        return ""
    box = ""
    if chart.powers:
        figures["bests"] = bests_figure(chart)
        words = "; ".join(f"{held(best.over)} {best.value:.0f} W" for best in chart.powers)
        box = figure_box(
            "bests", f"The highest mean power held for each time: {words}.", figures["bests"].layout.height
        )
    times = "".join(
        f'<tr><th scope="row" class="word">{number(best.over)} m</th><td>{race_time(best.value)}</td>'
        f"<td>{race_time(best.value * 500 / best.over)}</td>"
        f'<td class="word">{_linked(long_date(best.day), session_link(best.session_id))}</td></tr>\n'
        for best in chart.times
    )
    heads = column_head("distance", kind="word") + column_head("time") + column_head("pace", "/500 m")
    heads += column_head("day", kind="word")
    table = (
        '<table class="bests"><caption>The shortest time for each distance, within any row</caption>'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{times}</tbody></table>"
    )
    return f"<section><h2>Bests</h2>\n{box}{table if chart.times else ''}{_older_note(chart.unknown)}</section>\n"


def _older_note(sessions: int) -> str:
    if not sessions:
        return ""
    whose = "an older session aren't" if sessions == 1 else f"{count(sessions, 'older session')} aren't"
    return f'<p class="note">The bests of {whose} among them yet: <code>rowsync rebuild</code> works them out.</p>\n'


def _linked(words: str, address: str | None) -> str:
    return words if address is None else f'<a href="{html.escape(address)}">{words}</a>'


def _synthetic_note(rows: Sequence[Row]) -> str:
    made_up = sum(1 for row in rows if row.get("origin") == "synthetic")
    if not made_up:
        return ""
    if made_up == len(rows):
        return '<p class="note">All of these are synthetic: a program made them; nobody rowed them.</p>\n'
    some = f"{number(made_up)} of {count(len(rows), 'session')} {'is' if made_up == 1 else 'are'} synthetic"
    return f'<p class="note">{some}: listed, not counted.</p>\n'


def _table(rows: Sequence[Row], session_link: Link) -> str:
    several = len({row.get("athlete") for row in rows}) > 1
    names = ["plan", *(["athlete"] if several else [])]
    words = "".join(column_head(name, kind="word") for name in names)
    units = (("time", ""), ("distance", "m"), ("power", "W"), ("rate", "spm"), ("hard rounds", ""), ("energy", "kcal"))
    heads = column_head("started", kind="word") + words + "".join(column_head(*unit) for unit in units)
    lines = "".join(_row(row, names, session_link) for row in rows)
    return (
        '<section><h2 id="sessions">Sessions</h2>\n'
        '<div class="scroll" role="region" aria-labelledby="sessions" tabindex="0">\n<table class="sessions">'
        '<caption class="unseen">Every session, the newest first</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{lines}</tbody></table></div></section>\n"
    )


def _row(row: Row, names: Sequence[str], session_link: Link) -> str:
    words = "".join(f'<td class="word">{_outside_cell(row.get(name))}</td>' for name in names)
    hard = NOT_MEASURED
    if rounds := measured(row.get("hard_intervals")):
        hard = number(rounds)
        if measured(row.get("mean_hard_power_w")) is not None:
            hard += f" × {number(row['mean_hard_power_w'])} W"
    bounds = energy_range(row)
    cells = (
        clock(row.get("duration_s")),
        number(row.get("distance_m")),
        number(row.get("mean_power_w")),
        number(row.get("mean_stroke_rate_spm"), 1),
        hard,
        number(row.get("gross_kcal")) + (f" <small>{bounds}</small>" if bounds else ""),
    )
    badge = ' <span class="badge">synthetic</span>' if row.get("origin") == "synthetic" else ""
    first = f'<th scope="row" class="word">{_started(row, session_link)}{badge}</th>'
    return f"<tr>{first}{words}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"


def _started(row: Row, session_link: Link) -> str:
    session_id = str(row.get("session_id"))
    at = moment(row.get("started_at"))
    words = html.escape(outside_text(session_id)) if at is None else f"{short_day(at)}, {time_of_day(at)[:5]}"
    address = session_link(session_id)
    return _linked(words, address)


def _outside_cell(value: Any) -> str:
    return NOT_MEASURED if value in (None, "") else outside_html(value)


def _paging(sessions: int, page_number: int, rows_per_page: int | None, athlete: str | None) -> str:
    if rows_per_page is None or sessions <= rows_per_page:
        return ""
    last = -(-sessions // rows_per_page)
    whose = "" if athlete is None else f"&amp;athlete={quoted(athlete)}"
    newer = f'<a rel="prev" href="?page={page_number - 1}{whose}">← newer</a>' if page_number > 1 else ""
    older = f'<a rel="next" href="?page={page_number + 1}{whose}">older →</a>' if page_number < last else ""
    return f'<nav aria-label="Pages">{newer} <span>page {page_number} of {last}</span> {older}</nav>\n'
