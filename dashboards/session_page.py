"""The page of one session."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from dashboards.formulas import formulas_chart, formulas_html
from dashboards.interval_table import interval_table
from dashboards.page import PLOTLY_FILE, column_head, figure_box, page, section, total
from dashboards.session import (
    PANELS,
    HardContrast,
    Panel,
    SessionChart,
    hard_contrast,
    rounds_chart,
    rounds_figure,
    session_chart,
    session_figure,
)
from dashboards.strokes import StrokesChart, strokes_chart, strokes_figure
from dashboards.zones import NOTHING_KNOWN, zones_charts, zones_html
from rowsync.corrections import said
from rowsync.cost import PARTS, cost_sentences, plus_minus, training_sentences
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
POWER_SOURCES = {
    "machine": "The watts are the machine's own.",
    "pace": "The machine sends no watts: they are reckoned from its pace, as if it were a Concept2.",
    "distance": "The machine sends neither watts nor pace: the watts are reckoned from its metres, roughly.",
}
HEART_RATE_SOURCES = {
    "strap": "The heart rate is a strap's.",
    "machine": "The heart rate is what the machine says.",
    "strap and machine": "The heart rate is a strap's, and the machine's where the strap was silent.",
}


class Spoken(NamedTuple):
    """How a series of the chart is read aloud."""

    mean: str
    most: str
    extreme: Callable[[Iterable[float]], float]
    words: Callable[[Any], str]
    unit: str


SPOKEN = {
    "power_w": Spoken("mean_power_w", "highest", max, number, " W"),
    "stroke_rate_spm": Spoken("mean_stroke_rate_spm", "highest", max, lambda rate: number(rate, 1), " a minute"),
    "pace_s_per_500m": Spoken("mean_pace_s_per_500m", "fastest", min, pace, " per 500 m"),
    "heart_rate_bpm": Spoken("mean_heart_rate_bpm", "highest", max, number, " a minute"),
}


def session_page(
    summary: Row,
    samples: pd.DataFrame,
    *,
    home: str | None = None,
    compare: str | None = None,
    plotly_address: str = PLOTLY_FILE,
) -> str:
    """The page of a session as HTML.

    Args:
        summary: the JSON of `rowsync show`.
        samples: its samples; NaN is not measured.
        home: address of the history, where there is one.
        compare: address of the page that compares it with earlier ones of its plan, where there is one.
        plotly_address: where the page finds plotly.
    """
    chart = session_chart(summary, samples)
    figures: dict[str, go.Figure] = {}
    main = [_totals(summary), _verdict_html(summary), _contrast_html(hard_contrast(summary)), _compare_html(compare)]
    main += [
        _chart_section(chart, figures, summary),
        _rounds_section(summary, figures),
        _interval_section(summary),
        _strokes_section(strokes_chart(summary, samples), figures),
        _energy_section(summary),
        _training_section(summary),
        _recording_section(summary, chart),
    ]
    body = f"{header(summary, home)}\n<main>\n{''.join(main)}</main>\n{_footer(summary)}"
    return page(f"Rowing, {when(summary)}", body, figures, plotly_address=plotly_address)


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


def when(summary: Row) -> str:
    """When a session began, in words."""
    at = moment(summary.get("started_at"))
    return "at an unknown time" if at is None else f"{day(at)}, {time_of_day(at)}"


def header(summary: Row, home: str | None, back: str = "← All sessions") -> str:
    """The head of a page of one session, as HTML: a way back, when it was, what, on what, and who.

    Args:
        summary: the JSON of `rowsync show`.
        home: where the way back leads, if anywhere.
        back: what it is called.
    """
    at = moment(summary.get("started_at"))
    title = "Rowing session"
    if at is not None:
        stamp = html.escape(at.isoformat())
        title = f'<time datetime="{stamp}">{day(at)} <span class="hour">{time_of_day(at)}</span></time>'
    machine = (summary.get("machine") or {}).get("name")
    about = [outside_html(text) for text in (summary.get("plan"), machine, summary.get("athlete")) if text]
    if summary.get("origin") == "synthetic":
        about.append('<strong class="badge">synthetic</strong>')
    way = f'<p class="back"><a href="{html.escape(home)}">{back}</a></p>' if home else ""
    return f'<header>\n{way}<h1>{title}</h1>\n<p class="about">{" · ".join(about)}</p>\n</header>'


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
    lists = f'<dl class="totals large">{"".join(large)}</dl>\n<dl class="totals small">{"".join(small)}</dl>'
    return section("totals", "Totals", lists, unseen=True)


def _verdict_html(summary: Row) -> str:
    return "".join(f'<p class="verdict">{html.escape(sentence)}</p>\n' for sentence in sentences(summary))


def _contrast_html(contrast: HardContrast | None) -> str:
    line = "" if contrast is None else contrast_line(contrast)
    return f'<p class="contrast">{line}</p>\n' if line else ""


def _compare_html(address: str | None) -> str:
    if address is None:
        return ""
    return f'<p class="contrast"><a href="{html.escape(address)}">Round by round against the last times</a></p>\n'


def _chart_section(chart: SessionChart, figures: dict[str, go.Figure], summary: Row) -> str:
    spoken = [_spoken(panel, chart, summary) for panel in PANELS if getattr(chart, panel.series)]
    if not spoken:
        return section("over-time", "Over time", "<p>Nothing was measured in this session.</p>")
    figures["session"] = session_figure(chart)
    label = [f"Line chart over {clock(chart.duration_min * 60)}", *spoken]
    key = []
    if chart.hard:
        label.append(f"{count(len(chart.hard), 'hard round')} shaded")
        what = ["hard rounds", "numbered" if chart.hard[0].label else "", said(summary)]
        key.append(f'<span class="swatch hard"></span>{", ".join(filter(None, what))}')
    if chart.gaps:
        label.append(f"{count(len(chart.gaps), 'gap')} in grey")
        key.append('<span class="swatch gap"></span>gap, nothing recorded')
    if chart.doubts:
        label.append(f"{count(len(chart.doubts), 'doubtful change')} dashed")
        key.append('<span class="swatch doubt"></span>doubtful change of effort')
    if chart.doubtful_power:
        label.append("doubtful watts underlined")
        key.append('<span class="swatch doubtful_power"></span>watts that the heart rate contradicts')
    if chart.bells_min:
        key.append('<span class="swatch bell"></span>bell, as planned')
    box = figure_box("session", "; ".join(label) + ".", figures["session"].layout.height)
    return section("over-time", "Over time", key_line(key) + box)


def _spoken(panel: Panel, chart: SessionChart, summary: Row) -> str:
    """A series in words: `power, mean 122 W, highest 225 W`."""
    spoken = SPOKEN[panel.series]
    values = [value for value in getattr(chart, panel.series) if value is not None]
    parts = [("mean", measured(summary.get(spoken.mean))), (spoken.most, spoken.extreme(values))]
    said_of = [f"{what} {spoken.words(value)}{spoken.unit}" for what, value in parts if value is not None]
    return ", ".join((panel.title.partition(" [")[0], *said_of))


def key_line(parts: Sequence[str]) -> str:
    """What the marks of a chart mean, as HTML; empty for no marks."""
    return f'<p class="key">{" ".join(f"<span>{part}</span>" for part in parts)}</p>\n' if parts else ""


def _rounds_section(summary: Row, figures: dict[str, go.Figure]) -> str:
    chart = rounds_chart(summary)
    if chart is None:
        return ""
    figures["rounds"] = rounds_figure(chart)
    powers = ", ".join(number(power_w) for power_w in chart.mean_power_w)
    label = f"Bar chart of mean power in {count(len(chart.rounds), 'hard round')}: {powers} W."
    key = key_line([f'<span class="swatch mean"></span>mean {number(chart.overall_power_w)} W'])
    return section("rounds", "Hard rounds", key + figure_box("rounds", label, figures["rounds"].layout.height))


def _interval_section(summary: Row) -> str:
    rows: Sequence[Row] = summary.get("intervals") or ()
    if not rows:
        return ""
    table = interval_table(rows, plus_minus((summary.get("energy") or {}).get("half_width")))
    return section(
        "intervals",
        "Intervals",
        '<p class="key">Every stretch in order. Hard rounds are set in bold, with a bar on their left.'
        f"{_doubt_html(rows)}{_corrected_html(summary)}</p>\n"
        f'<div class="scroll" role="region" aria-labelledby="intervals-heading" tabindex="0">\n{table}</div>',
    )


def _strokes_section(chart: StrokesChart | None, figures: dict[str, go.Figure]) -> str:
    """Power against stroke rate, and the same in a table of medians."""
    if chart is None:
        return ""
    figures["strokes"] = strokes_figure(chart)
    told = [
        f"{group.kind.name}, {count(group.stroke_count, 'stroke')}: usually {number(group.median_power_w)} W at "
        f"{number(group.median_stroke_rate_spm, 1)} a minute, {number(group.median_work_per_stroke_j)} joules a stroke"
        for group in chart.groups
    ]
    label = f"Scatter chart of power against stroke rate; {'; '.join(told)}."
    key = [f'<span class="swatch {group.kind.uid}"></span>{group.kind.name}' for group in chart.groups]
    if chart.work_lines_j:
        key.append('<span class="swatch mean"></span>equal work a stroke')
    rows = [
        (
            group.kind.name,
            number(group.stroke_count),
            number(group.median_power_w),
            number(group.median_stroke_rate_spm, 1),
            number(group.median_work_per_stroke_j),
        )
        for group in chart.groups
    ]
    heads = (("strokes", ""), ("power", "W"), ("rate", "spm"), ("work", "J a stroke"))
    table = _table_html("The usual stroke (medians); its work is 60 × power / rate", "effort", heads, rows)
    return section(
        "strokes",
        "Strokes",
        key_line(key) + figure_box("strokes", label, figures["strokes"].layout.height) + "\n" + table,
    )


def _doubt_html(rows: Sequence[Row]) -> str:
    key = f' <span class="doubt-key">A ? is a start less than {percent(DOUBTFUL)} sure.</span>'
    return key if any(map(is_doubtful, rows)) else ""


def _corrected_html(summary: Row) -> str:
    return f" <strong>The intervals were {said(summary)}.</strong>" if said(summary) else ""


def _energy_section(summary: Row) -> str:
    """What the energy is made of, what each effort cost, and what other formulas say."""
    energy = summary.get("energy") or {}
    if measured(energy.get("gross_kcal")) is None:
        return ""
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in (*_parts(energy), *cost_sentences(summary)))
    formulas = formulas_chart(summary)
    drawn = "" if formulas is None else formulas_html(formulas)
    return section("energy", "Energy", f"<ul>{notes}</ul>\n{_phases_html(energy)}{drawn}")


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
    """Time in zones, and what it comes to in sentences."""
    if not summary.get("training"):
        return ""
    charts = zones_charts(summary)
    said_of = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in training_sentences(summary, bands=False))
    notes = f"<ul>{said_of}</ul>\n" if said_of else ""
    zones = "".join(map(zones_html, charts)) or f'<p class="key">{NOTHING_KNOWN}</p>\n'
    return section("training", "Training", notes + zones)


def _recording_section(summary: Row, chart: SessionChart) -> str:
    """How far the recording is to be believed: its origin, what was heard, holes, and where the figures come from."""
    notes = [ORIGINS[origin]] if (origin := summary.get("origin")) in ORIGINS else []
    notes += [_heard(summary), _gap_note(summary.get("gaps") or ())]
    notes += [POWER_SOURCES.get(str(summary.get("power_source")), ""), _doubtful_note(summary)]
    notes.append(HEART_RATE_SOURCES.get(str(summary.get("heart_rate_source")), ""))
    if chart.thinned:
        notes.append("The chart shows the lowest and the highest value of each short stretch, so no peak is lost.")
    items = "".join(f"<li>{note}</li>" for note in notes if note)
    return section("recording", "This recording", f"<ul>{items}</ul>")


def _doubtful_note(summary: Row) -> str:
    doubtful = summary.get("doubtful_power")
    if not doubtful:
        return ""
    stretch = f"{clock(doubtful['start_s'])} to {clock(doubtful['end_s'])}"
    return f"The watts are doubtful from {stretch}: the heart rate contradicts them (see Energy)."


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
