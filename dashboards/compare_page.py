"""The page that compares a session with the last ones of its plan, round by round."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dashboards.compare import MOST_EARLIER, THIS, CompareChart, ComparedSession, compare_chart, compare_figure
from dashboards.machines import factor_sentence
from dashboards.page import PLOTLY_FILE, column_head, figure_box, page, section, table_row
from dashboards.session_page import header, key_line, when
from rowsync.comparison import comparable_fields, comparison_sentences, strength_sentence
from rowsync.machines import machine_key
from rowsync.wording import NOT_MEASURED, count, number, percent_change

Fields = Mapping[str, Any]

NOTHING_BEFORE = "No earlier session of the same plan with hard rounds, so there is nothing to compare yet."


def compare_page(
    summary: Fields,
    earlier: Sequence[Fields],
    *,
    session: str | None = None,
    session_link: Callable[[str], str | None] = lambda _: None,
    rows: Callable[[], Sequence[Fields]] = tuple,
    plotly_address: str = PLOTLY_FILE,
) -> str:
    """The page as HTML.

    Args:
        summary: the JSON of `rowsync show`.
        earlier: the sessions before it by the same plan, newest first, as `rowsync.comparison.comparable_fields`.
        session: address of the session's own page, where there is one.
        session_link: address of the page of an earlier session by its id; None where there is none.
        rows: gives the index, one row a session; asked how machines read beside each other where they differ.
        plotly_address: where the page finds plotly.
    """
    chart = compare_chart(summary, earlier)
    figures: dict[str, go.Figure] = {}
    if chart is None:
        main = f'<p class="verdict">{NOTHING_BEFORE}</p>\n'
    else:
        main = (
            _sentences(summary, earlier, rows) + _chart_section(chart, figures) + _sessions_section(chart, session_link)
        )
        main += _rounds_section(chart)
    body = f"{header(summary, session, '← This session')}\n<main>\n{main}</main>\n"
    footer = "<footer><p>– means not measured · rowsync</p></footer>"
    return page(f"Against the last times, {when(summary)}", body + footer, figures, plotly_address=plotly_address)


def _sentences(summary: Fields, earlier: Sequence[Fields], rows: Callable[[], Sequence[Fields]]) -> str:
    now, before = comparable_fields(summary), earlier[0]
    factor = factor_sentence(now["machine"], before.get("machine") or {}, str(summary.get("athlete")), rows)
    said = (
        strength_sentence(now, before),
        *comparison_sentences({**summary, "before": before}),
        factor,
        _elsewhere(now, earlier),
    )
    return "".join(f'<p class="verdict">{html.escape(sentence)}</p>\n' for sentence in said if sentence)


def _elsewhere(now: Fields, earlier: Sequence[Fields]) -> str:
    """How many of the sessions before the last one were on another machine; empty for none."""
    here = machine_key(now["machine"])
    keys = [machine_key(each.get("machine") or {}) for each in earlier[1:MOST_EARLIER]]
    others = sum(key not in (None, here) for key in keys)
    be = "was" if others == 1 else "were"
    return f"Of the {len(keys)} before that, {others} {be} on another machine." if here and others else ""


def _chart_section(chart: CompareChart, figures: dict[str, go.Figure]) -> str:
    figures["compare"] = compare_figure(chart)
    if not figures["compare"].data:
        del figures["compare"]
        return ""
    told = "; ".join(f"{session.name}: {_listed(session)}" for session in chart.sessions)
    label = f"Line chart of mean power in each hard round [W], with stroke rate and recovery below; {told}."
    key = [
        f'<span class="swatch compared{place}"></span>{session.name}' for place, session in enumerate(chart.sessions)
    ]
    box = figure_box("compare", label, figures["compare"].layout.height)
    return section("rounds", "Round by round", key_line(key) + box)


def _listed(session: ComparedSession) -> str:
    return ", ".join(number(power_w) for power_w in session.power_w)


def _sessions_section(chart: CompareChart, session_link: Callable[[str], str | None]) -> str:
    """Each session in a line, with its power against this one's."""
    heads = (
        ("rounds", ""),
        ("power", "W"),
        ("this against it", ""),
        ("rate", "spm"),
        ("fade", ""),
        ("recovery", "bpm in 1 min"),
    )
    this_w = chart.sessions[0].mean_power_w
    lines = "".join(_session_row(session, this_w, session_link) for session in chart.sessions)
    return section("sessions", "Sessions of this plan", _table("Means over the hard rounds", "session", heads, lines))


def _session_row(session: ComparedSession, this_w: float | None, session_link: Callable[[str], str | None]) -> str:
    link = None if session.name == THIS else session_link(session.session_id)
    name = session.name if link is None else f'<a href="{html.escape(link)}">{session.name}</a>'
    then_w = session.mean_power_w
    cells = (
        number(len(session.power_w)),
        number(then_w),
        percent_change(this_w / then_w) if session.name != THIS and this_w is not None and then_w else NOT_MEASURED,
        number(session.mean_stroke_rate_spm, 1),
        NOT_MEASURED if session.fade is None else percent_change(1 + session.fade),
        number(session.mean_heart_rate_recovery_bpm),
    )
    return table_row(name, cells, "this" if session.name == THIS else "")


def _rounds_section(chart: CompareChart) -> str:
    heads = [(session.name, "W") for session in chart.sessions]
    lines = "".join(
        table_row(str(number_of), [_at(session.power_w, number_of) for session in chart.sessions])
        for number_of in range(1, chart.rounds + 1)
    )
    caption = f"Mean power in each of {count(chart.rounds, 'hard round')}"
    return section("powers", "Power of each round", _table(caption, "round", heads, lines))


def _at(values: Sequence[float | None], number_of: int) -> str:
    return number(values[number_of - 1]) if number_of <= len(values) else NOT_MEASURED


def _table(caption: str, first: str, heads: Sequence[tuple[str, str]], lines: str) -> str:
    named = "".join(column_head(name, unit) for name, unit in heads)
    return (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0">\n'
        f'<table class="compared"><caption>{caption}</caption>\n'
        f'<thead><tr><th scope="col" class="word">{first}</th>{named}</tr></thead>\n'
        f"<tbody>\n{lines}</tbody></table></div>"
    )
