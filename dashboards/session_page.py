"""The page of one session."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from dashboards.page import PLOTLY_FILE, column_head, figure_box, page, total
from dashboards.session import (
    PANELS,
    HardContrast,
    SessionChart,
    hard_contrast,
    hard_rounds,
    rounds_chart,
    rounds_figure,
    session_chart,
    session_figure,
)
from rowsync.corrections import said
from rowsync.cost import PARTS, cost_sentences, plus_minus, training_sentences
from rowsync.formulas import FORMULAS
from rowsync.verdict import DOUBTFUL, is_doubtful, percent, sentences
from rowsync.wording import (
    NOT_MEASURED,
    clock,
    count,
    day,
    effort_name,
    measured,
    moment,
    number,
    outside_html,
    outside_text,
    pace,
    percent_change,
    time_of_day,
)

Row = Mapping[str, Any]

ORIGINS = {
    "synthetic": "Synthetic: a program made this session; nobody rowed it.",
    "converted": "Converted from another program's file.",
}
MOST_GAPS_LISTED = 6


class Column(NamedTuple):
    """A column of the interval table; `value` gives the cell's HTML."""

    name: str
    unit: str
    value: Callable[[Row], str]


COLUMNS = (
    Column("start", "", lambda row: _start(row)),
    Column("time", "", lambda row: clock(row.get("duration_s"))),
    Column("distance", "m", lambda row: number(row.get("distance_m"))),
    Column("pace", "/500 m", lambda row: pace(row.get("mean_pace_s_per_500m"))),
    Column("power", "W", lambda row: number(row.get("mean_power_w"))),
    Column("rate", "spm", lambda row: number(row.get("mean_stroke_rate_spm"), 1)),
    Column("heart", "bpm", lambda row: number(row.get("mean_heart_rate_bpm"))),
    Column("energy", "kcal", lambda row: number(row.get("gross_kcal"))),
    Column("net", "kcal", lambda row: number(row.get("net_kcal"))),
)


def session_page(
    summary: Row, samples: pd.DataFrame, *, home: str | None = None, plotly_address: str = PLOTLY_FILE
) -> str:
    """The page of a session as HTML.

    Args:
        summary: the JSON of `rowsync show`.
        samples: its samples; NaN is not measured.
        home: address of the history, where there is one.
        plotly_address: where the page finds plotly.
    """
    chart = session_chart(summary, samples)
    figures: dict[str, go.Figure] = {}
    main = [_totals(summary), _verdict_html(summary), _contrast_html(hard_contrast(summary))]
    main += [
        _chart_section(chart, figures, said(summary)),
        _rounds_section(summary, figures),
        _interval_section(summary),
        _energy_section(summary),
        _training_section(summary),
        _recording_section(summary, chart),
    ]
    body = f"{_header(summary, home)}\n<main>\n{''.join(main)}</main>\n{_footer(summary)}"
    return page(f"Rowing, {_when(summary)}", body, figures, plotly_address=plotly_address)


def contrast_line(contrast: HardContrast) -> str:
    """The hard rounds in one line: how hard, against the easy ones, and how they held up; empty without power."""
    parts = []
    if contrast.mean_power_w is not None:
        parts.append(f"mean {number(contrast.mean_power_w)} W")
    if contrast.hard_to_easy is not None:
        parts.append(f"hard:easy power {number(contrast.hard_to_easy, 1)}")
    if contrast.last_to_first is not None and contrast.compared_rounds:
        against = "last against first"
        if contrast.compared_rounds == 3:
            against = "last three against first three"
        word = "rise" if round(100 * contrast.last_to_first) > 100 else "fade"
        parts.append(f"{word} {percent_change(contrast.last_to_first)} ({against})")
    return f"Hard rounds: {' · '.join(parts)}" if parts else ""


def energy_range(row: Row, low: str = "low_kcal", high: str = "high_kcal") -> str:
    """The 80 % range in brackets, `(240–332)`; empty when there is none."""
    if measured(row.get(low)) is None or measured(row.get(high)) is None:
        return ""
    return f"({number(row[low])}–{number(row[high])})"


def _when(summary: Row) -> str:
    at = moment(summary.get("started_at"))
    return "at an unknown time" if at is None else f"{day(at)}, {time_of_day(at)}"


def _header(summary: Row, home: str | None) -> str:
    at = moment(summary.get("started_at"))
    title = "Rowing session"
    if at is not None:
        stamp = html.escape(at.isoformat())
        title = f'<time datetime="{stamp}">{day(at)} <span class="hour">{time_of_day(at)}</span></time>'
    machine = (summary.get("machine") or {}).get("name")
    about = [outside_html(text) for text in (summary.get("plan"), machine, summary.get("athlete")) if text]
    if summary.get("origin") == "synthetic":
        about.append('<strong class="badge">synthetic</strong>')
    back = f'<p class="back"><a href="{html.escape(home)}">← All sessions</a></p>' if home else ""
    return f'<header>\n{back}<h1>{title}</h1>\n<p class="about">{" · ".join(about)}</p>\n</header>'


def _totals(summary: Row) -> str:
    energy = summary.get("energy") or {}
    moving_s = measured(summary.get("moving_s"))
    large = [
        total("time", clock(summary.get("duration_s")), "", "" if moving_s is None else f"{clock(moving_s)} moving"),
        total("distance", number(summary.get("distance_m")), "m"),
        total("mean pace", pace(summary.get("mean_pace_s_per_500m")), "/500 m"),
        total("mean power", number(summary.get("mean_power_w")), "W"),
    ]
    bounds, net_bounds = energy_range(energy), energy_range(energy, "net_low_kcal", "net_high_kcal")
    small = [
        total(
            "energy", number(energy.get("gross_kcal")), f"kcal {bounds}".strip(), "80 % range" if bounds else "", "wide"
        ),
        total("net energy", number(energy.get("net_kcal")), f"kcal {net_bounds}".strip(), "without rest", "wide"),
        total("stroke rate", number(summary.get("mean_stroke_rate_spm"), 1), "spm"),
        total("strokes", number(summary.get("stroke_count")), ""),
    ]
    if measured(summary.get("mean_heart_rate_bpm")) is not None:
        small.append(total("heart rate", number(summary["mean_heart_rate_bpm"]), "bpm"))
    if measured(energy.get("machine_kcal")) is not None:
        small.append(total("machine's own count", number(energy["machine_kcal"]), "kcal", kind="apart"))
    return (
        '<section aria-labelledby="totals"><h2 id="totals" class="unseen">Totals</h2>\n'
        f'<dl class="totals large">{"".join(large)}</dl>\n<dl class="totals small">{"".join(small)}</dl></section>\n'
    )


def _verdict_html(summary: Row) -> str:
    return "".join(f'<p class="verdict">{html.escape(sentence)}</p>\n' for sentence in sentences(summary))


def _contrast_html(contrast: HardContrast | None) -> str:
    line = "" if contrast is None else contrast_line(contrast)
    return f'<p class="contrast">{line}</p>\n' if line else ""


def _chart_section(chart: SessionChart, figures: dict[str, go.Figure], corrected: str) -> str:
    names = [panel.title.partition(" [")[0] for panel in PANELS if getattr(chart, panel.series)]
    if not names:
        return "<section><h2>Over time</h2><p>Nothing was measured in this session.</p></section>\n"
    figures["session"] = session_figure(chart)
    label = f"Line chart of {_listed(names)} over {clock(chart.duration_min * 60)}"
    key = []
    if chart.hard:
        label += f"; {count(len(chart.hard), 'hard round')} shaded"
        what = ["hard rounds", "numbered" if chart.hard[0].label else "", corrected]
        key.append(f'<span class="swatch hard"></span>{", ".join(filter(None, what))}')
    if chart.gaps:
        label += f"; {count(len(chart.gaps), 'gap')} in grey"
        key.append('<span class="swatch gap"></span>gap, nothing recorded')
    if chart.doubts:
        label += f"; {count(len(chart.doubts), 'doubtful change')} dashed"
        key.append('<span class="swatch doubt"></span>doubtful change of effort')
    if chart.bells_min:
        key.append('<span class="swatch bell"></span>bell, as planned')
    key_html = f'<p class="key">{" ".join(f"<span>{part}</span>" for part in key)}</p>' if key else ""
    box = figure_box("session", label + ".", figures["session"].layout.height)
    return f"<section><h2>Over time</h2>{key_html}\n{box}</section>\n"


def _rounds_section(summary: Row, figures: dict[str, go.Figure]) -> str:
    chart = rounds_chart(summary)
    if chart is None:
        return ""
    figures["rounds"] = rounds_figure(chart)
    lowest, highest = min(chart.mean_power_w), max(chart.mean_power_w)
    label = f"Bar chart of mean power in {count(len(chart.rounds), 'hard round')}, {lowest:.0f} to {highest:.0f} W."
    key = f'<p class="key"><span><span class="swatch mean"></span>mean {number(chart.overall_power_w)} W</span></p>'
    box = figure_box("rounds", label, figures["rounds"].layout.height)
    return f"<section><h2>Hard rounds</h2>{key}\n{box}</section>\n"


def _interval_section(summary: Row) -> str:
    rows: Sequence[Row] = summary.get("intervals") or ()
    if not rows:
        return ""
    without_heart = all(measured(row.get("mean_heart_rate_bpm")) is None for row in rows)
    columns = [column for column in COLUMNS if not (without_heart and column.name == "heart")]
    width = plus_minus((summary.get("energy") or {}).get("half_width"))
    heads = "".join(
        column_head(column.name, f"{column.unit} {width}".strip() if column.name == "energy" else column.unit)
        for column in columns
    )
    rounds = {id(row): place for place, row in enumerate(hard_rounds(summary), start=1)}
    lines = "".join(_interval_row(row, columns, rounds.get(id(row))) for row in rows)
    return (
        '<section><h2 id="intervals">Intervals</h2>\n'
        '<p class="key">Every stretch in order. Hard rounds are set in bold, with a bar on their left.'
        f"{_doubt_html(rows)}{_corrected_html(summary)}</p>\n"
        '<div class="scroll" role="region" aria-labelledby="intervals" tabindex="0">\n<table class="intervals">'
        '<caption class="unseen">Every stretch of the session, in order</caption>\n'
        f'<thead><tr><th scope="col">#</th><th scope="col" class="word">effort</th>{heads}</tr></thead>\n'
        f"<tbody>\n{lines}</tbody></table></div></section>\n"
    )


def _doubt_html(rows: Sequence[Row]) -> str:
    key = f' <span class="doubt-key">A ? is a start less than {percent(DOUBTFUL)} sure.</span>'
    return key if any(map(is_doubtful, rows)) else ""


def _corrected_html(summary: Row) -> str:
    return f" <strong>The intervals were {said(summary)}.</strong>" if said(summary) else ""


def _interval_row(row: Row, columns: Sequence[Column], round_number: int | None) -> str:
    effort = html.escape(outside_text(effort_name(row["effort"])))
    kind = ""
    if round_number is not None:
        effort, kind = f"{effort} {round_number}", ' class="hard"'
    cells = "".join(f"<td>{column.value(row)}</td>" for column in columns)
    first = f'<th scope="row">{number(row.get("number"))}</th><td class="word">{effort}</td>'
    return f"<tr{kind}>{first}{cells}</tr>\n"


def _start(row: Row) -> str:
    if not is_doubtful(row):
        return clock(row.get("start_s"))
    sure = f"{percent(row['start_confidence'])} sure"
    return f'{clock(row.get("start_s"))}<abbr class="doubt" title="{sure}">?</abbr>'


def _energy_section(summary: Row) -> str:
    """What the energy is made of, what each effort cost, and what other formulas say."""
    energy = summary.get("energy") or {}
    if measured(energy.get("gross_kcal")) is None:
        return ""
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in (*_parts(energy), *cost_sentences(summary)))
    return (
        '<section><h2 id="energy">Energy</h2>\n'
        f"<ul>{notes}</ul>\n{_phases_html(energy)}{_formulas_html(energy)}</section>\n"
    )


def _parts(energy: Row) -> list[str]:
    parts = [(name, measured(energy.get(key))) for name, key in PARTS]
    said = ", ".join(f"{name} {number(kcal)}" for name, kcal in parts if kcal is not None)
    return [f"Of it {said} kcal."] if said else []


def _phases_html(energy: Row) -> str:
    width = plus_minus(energy.get("half_width"))
    rows = [
        (
            effort_name(phase["effort"]),
            clock(phase["duration_s"]),
            number(phase["gross_kcal"]),
            number(phase["net_kcal"]),
        )
        for phase in energy.get("phases") or ()
    ]
    heads = (("time", ""), ("gross", f"kcal {width}".strip()), ("net", "kcal"))
    return _table_html("What each effort asked of the body, whenever the breath paid for it", "effort", heads, rows)


def _formulas_html(energy: Row) -> str:
    by_formula = energy.get("formulas_kcal") or {}
    ours = measured(by_formula.get(FORMULAS[0].name))
    rows = [
        (formula.title, number(by_formula[formula.name]), percent_change(by_formula[formula.name] / ours))
        for formula in FORMULAS
        if ours and measured(by_formula.get(formula.name)) is not None
    ]
    heads = (("gross", "kcal"), ("against rowsync", ""))
    return _table_html("The same strokes by other formulas, without the rests between them", "formula", heads, rows)


def _table_html(caption: str, first: str, heads: Sequence[tuple[str, str]], rows: Sequence[tuple[str, ...]]) -> str:
    """A small table whose first column is words; empty without rows."""
    if not rows:
        return ""
    named = "".join(column_head(name, unit) for name, unit in heads)
    lines = "".join(
        f'<tr><th scope="row" class="word">{html.escape(word)}</th><td>{"</td><td>".join(cells)}</td></tr>\n'
        for word, *cells in rows
    )
    return (
        f'<div class="scroll"><table><caption>{html.escape(caption)}</caption>\n'
        f'<thead><tr><th scope="col" class="word">{first}</th>{named}</tr></thead>\n'
        f"<tbody>\n{lines}</tbody></table></div>\n"
    )


def _training_section(summary: Row) -> str:
    said_of = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in training_sentences(summary))
    return f"<section><h2>Training</h2><ul>{said_of}</ul></section>\n" if said_of else ""


def _recording_section(summary: Row, chart: SessionChart) -> str:
    notes = [ORIGINS[origin]] if (origin := summary.get("origin")) in ORIGINS else []
    notes += [_heard(summary), _gap_note(summary.get("gaps") or ())]
    if chart.thinned:
        notes.append("The chart shows the lowest and the highest value of each short stretch, so no peak is lost.")
    items = "".join(f"<li>{note}</li>" for note in notes if note)
    return f"<section><h2>This recording</h2><ul>{items}</ul></section>\n"


def _heard(summary: Row) -> str:
    samples, heard = measured(summary.get("samples")), measured(summary.get("notifications"))
    malformed = measured(summary.get("malformed_notifications"))
    parts = []
    if samples is not None and heard is not None:
        parts.append(f"{count(int(samples), 'sample')} from {count(int(heard), 'notification')}.")
    if malformed:
        parts.append(f"{count(int(malformed), 'notification')} {_was(malformed)} cut short; what they held was read.")
    elif malformed == 0:
        parts.append("Every notification was whole.")
    return " ".join(parts)


def _was(how_many: float) -> str:
    return "was" if how_many == 1 else "were"


def _gap_note(gaps: Sequence[Row]) -> str:
    if not gaps:
        return "No gaps."
    lengths_s = [(measured(gap.get("end_s")) or 0.0) - (measured(gap.get("start_s")) or 0.0) for gap in gaps]
    listed = [
        f"{clock(gap.get('start_s'))}–{clock(gap.get('end_s'))}"
        + (f" ({outside_html(gap['reason'], longest=200)})" if gap.get("reason") else "")
        for gap in gaps[:MOST_GAPS_LISTED]
    ]
    if len(gaps) > MOST_GAPS_LISTED:
        listed.append(f"and {len(gaps) - MOST_GAPS_LISTED} more")
    return f"{count(len(gaps), 'gap')}, {number(sum(lengths_s))} s in all: {', '.join(listed)}."


def _footer(summary: Row) -> str:
    energy = summary.get("energy") or {}
    parts = ["<footer><p>"]
    if measured(energy.get("gross_kcal")) is not None:
        model = f" by the model <b>{outside_html(energy['model'])}</b>" if energy.get("model") else ""
        parts.append(
            f"Energy is estimated{model}. The numbers in brackets are its 80 % range: for four people of five the true "
            "value should lie between them, and it errs the same way every time, so a week's range is as wide. Net "
            "energy leaves out what the body uses at rest: it is what counts for a deficit.</p><p>"
        )
    parts.append(f"Session {outside_html(summary.get('session_id') or NOT_MEASURED)} · – means not measured · rowsync")
    return "".join(parts) + "</p></footer>"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
