"""What stands in the terminal before and after a row: sessions, athletes, machines and programmes as tables."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rowsync import corrections, wording
from rowsync.cost import cost_line, cost_sentences, phases_line, plus_minus, training_sentences, with_range
from rowsync.energy import Energy
from rowsync.formulas import FORMULAS
from rowsync.palette import EFFORT_STYLES
from rowsync.programme import spanned
from rowsync.verdict import DOUBTFUL, is_doubtful, percent, sentences


def _console(piped_columns: int = 200) -> Console:
    """Standard output; where it is no terminal, lines may be so long."""
    console = _OutputConsole()
    return console if console.is_terminal else _OutputConsole(width=piped_columns)


class _OutputConsole(Console):
    """Standard output; a reader who has had enough is no error."""

    def on_broken_pipe(self) -> None:
        """End the program in order."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show that something is going on for as long as it does."""
    with Console(stderr=True).status(text):
        yield


def print_session(summary: Mapping[str, Any], console: Console | None = None) -> None:
    """Print one session: its totals, its intervals, its energy."""
    console = console or _console()
    energy = summary["energy"]
    started = wording.moment(summary["started_at"])
    title = Text("Session ").append(wording.outside_text(summary["session_id"]), "bold")
    if summary.get("origin") == "synthetic":
        title.append("  synthetic", "yellow")
    console.print(title)
    about = [
        f"{wording.day(started)}, {wording.time_of_day(started)}" if started else "",
        wording.outside_text(summary.get("athlete") or ""),
        wording.outside_text(summary["machine"].get("name") or ""),
        f"plan {wording.outside_text(summary['plan'])}" if summary.get("plan") else "free row",
    ]
    console.print(Text(" · ".join(filter(None, about))))
    console.print(
        Text(
            f"{wording.clock(summary['duration_s'])} · {wording.number(summary['distance_m'])} m · "
            f"{wording.count(summary['stroke_count'], 'stroke')} · "
            f"{wording.pace(summary['mean_pace_s_per_500m'])} /500 m · "
            f"{wording.number(summary['mean_power_w'])} W · {wording.number(summary['mean_stroke_rate_spm'], 1)} spm"
        )
    )
    for sentence in sentences(summary):
        console.print(Text(sentence))
    console.print(_intervals(summary["intervals"], plus_minus(energy.get("half_width"))))
    if any(map(is_doubtful, summary["intervals"])):
        console.print(Text(f"? the change at this start is less than {percent(DOUBTFUL)} sure", "dim"))
    if said := corrections.said(summary):
        console.print(Text(f"Intervals {said}", "dim"))
    console.print(Text(cost_line(summary)).append(f"  80 % range; {energy['model']}", "dim"))
    for sentence in filter(None, (phases_line(summary), *cost_sentences(summary), *training_sentences(summary))):
        console.print(Text(sentence))
    for gap in summary["gaps"]:
        between = f"{wording.clock(gap['start_s'])}–{wording.clock(gap['end_s'])}"
        console.print(Text(f"Gap {between}: {wording.outside_text(gap['reason'], longest=200)}", "yellow"))
    if summary["malformed_notifications"]:
        console.print(
            Text(f"{summary['malformed_notifications']} of {summary['notifications']} notifications came cut short.")
        )


def print_sessions(rows: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print the list of sessions."""
    table = _table("session", "started", "athlete", right=("time", "metres", "kcal"))
    table.add_column("plan")
    for row in rows:
        started = wording.moment(row["started_at"])
        _add_row(
            table,
            row["session_id"],
            started.strftime("%Y-%m-%d %H:%M") if started else wording.NOT_MEASURED,
            wording.outside_text(row["athlete"]),
            wording.clock(row["duration_s"]),
            wording.number(row["distance_m"]),
            with_range(row, "gross_kcal", "low_kcal", "high_kcal"),
            wording.outside_text(row["plan"] or wording.NOT_MEASURED),
        )
    (console or _console()).print(table)


def print_machines(shown: Mapping[str, Any], note: str, console: Console | None = None) -> None:
    """Print the machines that were rowed and how they read beside the reference.

    Args:
        shown: as `machine_factor.machines_fields` gives it.
        note: what holds for all factors; said where there is one.
        console: where to; standard output by default.
    """
    console = console or _console()
    table = _table("machine", "last rowed", right=("sessions", "days", "reads", "80 % range"))
    for each in shown["machines"]:
        last = wording.moment(each["last_at"])
        _add_row(
            table,
            each["label"],
            wording.short_day(last) if last else wording.NOT_MEASURED,
            wording.number(each["sessions"]),
            wording.number(each["days"]),
            *_reads(each, is_reference=each["key"] == shown["reference"]),
        )
    console.print(table)
    for each in shown["machines"]:
        if each["sentence"]:
            console.print(Text(each["sentence"]))
    if any(each["factor"] is not None for each in shown["machines"]):
        console.print(Text(note, "dim"))
    if not shown["machines"]:
        console.print("No session says what it was rowed on yet. Row one, or try: rowsync demo")


def _reads(machine: Mapping[str, Any], is_reference: bool) -> tuple[str, str]:
    """What a machine reads beside the reference, and the range."""
    if is_reference:
        return "reference", ""
    ends = [machine[name] for name in ("factor", "low", "high")]
    if None in ends:
        return wording.NOT_MEASURED, ""
    factor, low, high = map(wording.percent_change, ends)
    return factor, f"{low} to {high}"


def print_athlete(athlete: Mapping[str, Any], default: str, console: Console | None = None) -> None:
    """Print what is known of an athlete, and what isn't: by which option it is said, and what it is good for."""
    console = console or _console()
    by_default = "rows by default" if athlete["default"] else f"rows with --athlete; by default: {_name_of(default)}"
    console.print(Text.assemble("Athlete ", (_name_of(athlete["name"]), "bold"), (f"  {by_default}", "dim")))
    known = Table.grid(padding=(0, 2))
    for what, value in _known_of(athlete):
        known.add_row(Text(what), Text(value))
    if known.row_count:
        console.print(known)
    if athlete["unknown"]:
        console.print(Text("Not known, and what it would be good for:", "dim"))
        wanted = Table.grid(padding=(0, 2))
        for each in athlete["unknown"]:
            wanted.add_row(Text(each["option"]), Text(each["good_for"], "dim"))
        console.print(wanted)
    console.print()


KNOWN_OF_AN_ATHLETE = {
    "birth_year": ("born", "{:d}"),
    "age_years": ("age", "{:g} years"),
    "height_cm": ("height", "{:g} cm"),
    "sex": ("sex", "{}"),
    "max_heart_rate_bpm": ("highest heart rate", "{:g} bpm"),
    "resting_heart_rate_bpm": ("heart rate at rest", "{:g} bpm"),
    "vo2max_ml_per_kg_min": ("oxygen uptake", "{:g} mL/kg/min"),
    "max_power_w": ("power for six minutes", "{:.0f} W"),
    "critical_power_w": ("critical power", "{:g} W"),
    "w_prime_kj": ("W'", "{:g} kJ"),
    "time_zone": ("time zone", "{}"),
    "weekly_aim_kcal": ("aim of a week", "{:g} kcal net"),
}
"""What is said of an athlete beside masses and a 2k, in this order."""


def _known_of(athlete: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known of an athlete, and how it reads; masses latest first."""
    masses = athlete["masses"]
    for at, entry in reversed(list(enumerate(masses))):
        since = f" from {entry['from']}" if entry["from"] else " before" if len(masses) > 1 else ""
        yield "body mass" if at == len(masses) - 1 else "", f"{entry['mass_kg']:g} kg{since}"
    if athlete["best_2k_s"]:
        yield "best 2,000 m", wording.pace(athlete["best_2k_s"])
    for key, (what, form) in KNOWN_OF_AN_ATHLETE.items():
        if athlete[key] is not None:
            yield what, form.format(athlete[key])


def _name_of(name: str) -> str:
    return wording.outside_text(name)


def print_examination(examination: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what a machine really does: what it sends, what was found out, and the rows that it wants.

    Where it is no terminal, lines end where their text does.
    """
    console = console or _console(PIPED_COLUMNS)
    if console.is_terminal:
        _print_examination(examination, console)
        return
    with console.capture() as page:
        _print_examination(examination, console)
    console.file.write("\n".join(line.rstrip() for line in page.get().split("\n")))


PIPED_COLUMNS = 100
"""How long lines of prose are where there is no terminal to fit."""


def _print_examination(examination: Mapping[str, Any], console: Console) -> None:
    says = {name: value for name, value in examination["says"].items() if isinstance(value, str)}
    about = dict.fromkeys(says[name] for name in ("maker", "model", "hardware", "firmware", "software") if name in says)
    console.print(Text("Rower ").append(wording.outside_text(examination["name"] or "without a name"), "bold"))
    if about:
        console.print(Text(" · ".join(map(wording.outside_text, about))))
    console.print(
        Text(
            f"{wording.clock(examination['duration_s'])} recorded · {wording.clock(examination['rowed_s'])} rowed · "
            f"{wording.count(examination['stroke_count'], 'stroke')}"
        )
    )
    console.print(Text(_conclusion(examination["findings"]), "bold"))
    if examination["refused_lines"]:
        console.print(Text(f"{wording.count(examination['refused_lines'], 'line')} could not be read.", "yellow"))
    console.print()
    console.print(_streams(examination["streams"]))
    for what, fields in _dull_fields(examination["fields"]).items():
        console.print(Text(f"{what}: {', '.join(fields)}", "dim"))
    for verdict, (heading, style) in VERDICTS.items():
        findings = [finding for finding in examination["findings"] if finding["verdict"] == verdict]
        if findings:
            console.print()
            console.print(Text(heading, style))
            console.print(_findings(findings))
    rows = dict.fromkeys(finding["row"] for finding in examination["findings"] if finding["row"])
    for row in rows:
        console.print()
        console.print(Text("The row it may want in rowsync/machines.py:", "dim"))
        console.print(Text(row), soft_wrap=True)


def _conclusion(findings: Sequence[Mapping[str, Any]]) -> str:
    """An examination in a sentence, for who reads no further."""
    counts = Counter(finding["verdict"] for finding in findings)
    perhaps = sum(bool(finding["row"]) for finding in findings if finding["verdict"] == "unknown")
    if counts["needs_row"]:
        return "rowsync reads this machine wrongly in part: it should be told of it."
    if not counts["fine"] and not counts["handled"]:
        return "There is too little to say how rowsync gets on with this machine."
    unusual = wording.count(counts["handled"], "oddity", "oddities")
    dealt_with = f": {unusual}, {'' if perhaps else 'all '}dealt with" if counts["handled"] else ""
    open_still = f"; {wording.count(perhaps, 'thing')} may want a row of its own" if perhaps else ""
    return f"rowsync gets on with this machine{dealt_with}{open_still}."


VERDICTS = {
    "needs_row": ("Wants a row of its own: please share this recording", "bold red"),
    "handled": ("Unusual, and dealt with", "bold yellow"),
    "noted": ("Worth knowing", "bold cyan"),
    "unknown": ("Not known from this recording", "bold magenta"),
    "fine": ("As it should be", "bold green"),
}
"""What an examination's verdicts are called."""

MOST_STREAMS = 20
"""More than any machine has; a broken one may send any number."""


def _streams(streams: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("it sends", right=("packets", "every", "±", "longest", "octets"))
    for stream in streams[:MOST_STREAMS]:
        octets = list(stream["lengths"])
        _add_row(
            table,
            wording.outside_text(" ".join(filter(None, (stream["name"], stream["shape"])))),
            wording.number(stream["notifications"]),
            *(_seconds(stream[name]) for name in ("interval_s", "jitter_s", "longest_silence_s")),
            octets[0] if len(octets) == 1 else f"{octets[0]}–{octets[-1]}",
        )
    if len(streams) > MOST_STREAMS:
        _add_row(table, f"and {len(streams) - MOST_STREAMS} more")
    return table


def _seconds(value: float | None) -> str:
    return wording.NOT_MEASURED if value is None else f"{wording.number(value, 2)} s"


FEW = 10
"""A field that came more seldom may have something to say yet."""


def _dull_fields(fields: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The fields that never say anything, by what they say instead."""
    dull: dict[str, list[str]] = {}
    for field in fields:
        if field["notifications"] < FEW:
            continue
        if field["notifications"] == field["not_available"]:
            dull.setdefault("Never available", []).append(field["field"])
        elif field["notifications"] == field["zero"] + field["not_available"]:
            dull.setdefault("Always 0", []).append(field["field"])
    return {what: list(dict.fromkeys(names)) for what, names in dull.items()}


def _findings(findings: Sequence[Mapping[str, Any]]) -> Table:
    """Findings under each other, wrapped beside their quirks; what rowsync does about them in dim letters."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, width=4)
    table.add_column(overflow="fold")
    for finding in findings:
        text = Text(finding["what"])
        if finding["answer"]:
            would = "with a row: " if finding["verdict"] == "needs_row" else ""
            text.append(f"\n→ {would}{finding['answer']}", "dim")
        table.add_row(Text(finding["quirk"] or "", "bold"), text)
    return table


def print_energy(reckoned: Energy, console: Console | None = None) -> None:
    """Print what some rowing costs, beside what other formulas say.

    Args:
        reckoned: rowsync's, with the others' in it.
        console: where to; standard output by default.
    """
    console = console or _console(PIPED_COLUMNS)
    summary = {"energy": asdict(reckoned)}
    console.print(Text(cost_line(summary), "bold").append(f"  80 % range; {reckoned.model}", "not bold dim"))
    for doubt in reckoned.doubts:
        console.print(Text(doubt))
    table = _table("by", right=("kcal", "against rowsync"))
    ours_kcal = reckoned.formulas_kcal.get(FORMULAS[0].name) or reckoned.gross_kcal
    for formula in FORMULAS[1:]:
        kcal = reckoned.formulas_kcal.get(formula.name)
        if kcal is not None:
            share = wording.percent_change(kcal / ours_kcal) if ours_kcal else ""
            _add_row(table, formula.title, wording.number(kcal), share)
    console.print(table)


def print_programme(overview: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a programme beside what was done of it.

    Args:
        overview: as `programme.overview` gives it.
        console: where to; standard output by default.
    """
    console = console or _console(PIPED_COLUMNS)
    plan, weeks = overview["programme"], overview["weeks"]
    athlete = wording.outside_text(overview["athlete"])
    console.print(Text(wording.outside_text(plan["name"]), "bold").append(f"  {athlete}", "not bold"))
    console.print(_weeks_gone(overview))
    if weeks:
        _print_this_week(overview, weeks[-1], console)
        console.print()
        console.print(_weeks(plan, weeks, narrow=console.width < NARROW))
        latest = next((week for week in reversed(weeks[-2:]) if week["minutes"]), weeks[-1])
        for note in latest["notes"]:
            console.print(Text(f"Week {latest['number']}: {wording.outside_text(note, LONGEST_SENTENCE)}", "yellow"))
    console.print()
    _print_what_to_do(overview, console)
    console.print()
    for sentence in plan["about"]:
        console.print(Text(f"· {wording.outside_text(sentence, LONGEST_SENTENCE)}"))
    for each in plan["safety"]:
        note = Text(f"· {wording.outside_text(each['text'], LONGEST_SENTENCE)} ")
        console.print(note.append(f"({wording.outside_text(each['source'], LONGEST_SENTENCE)})", "dim"))
    console.print(Text(overview["information"], "bold"))


NARROW = 80
"""Where the whole table of weeks has no room [columns]."""
LONGEST_SENTENCE = 400
"""What a programme of somebody else's may say at once [letters]."""


def _weeks_gone(overview: Mapping[str, Any]) -> Text:
    """`Week 3 of 8–12, since Mon 2 Nov 2026`, with a bar."""
    least, most = (round(end) for end in overview["programme"]["weeks"])
    began, week = wording.short_day(datetime.fromisoformat(overview["started"])), overview["week"]
    if week is None:
        return Text(f"Begins {began}")
    ahead = [max(0, end - max(begin, week)) for begin, end in ((0, least), (least, most))]
    bar = "█" * week + "░" * ahead[0] + "·" * ahead[1]
    text = Text(f"Week {week} of {spanned((least, most))}, since {began}  ")
    if week > most:
        return text.append("\nIt is over: well done. Another one begins with: rowsync programme --start DATE", "green")
    return text.append(bar if most <= MOST_CELLS else "", "green")


MOST_CELLS = 30
"""The longest bar of weeks."""


def _print_this_week(overview: Mapping[str, Any], week: Mapping[str, Any], console: Console) -> None:
    rowing, eating = overview["programme"]["rowing"], overview["programme"]["eating"]
    names = [day["name"] for day in overview["programme"]["days"]]
    console.print()
    done = (
        f"{week['rows']} of {spanned(rowing['rows_a_week'])} rows",
        f"{_intervals_done(week)} of {rowing['interval_rows_a_week']} with intervals",
        f"{wording.number(week['minutes'])} of {spanned(rowing['minutes_a_week'])} min",
        f"{len(week['strength'])} of {len(names)} strength days",
    )
    console.print(Text("This week: ", "bold").append(" · ".join(done), "not bold"))
    left = " · ".join(map(wording.outside_text, overview["left"]))
    console.print(Text(f"Left: {left}" if left else "Nothing is left of it. Well done; rest is part of it."))
    if not week["net_kcal"]:
        return
    net, low, high = (wording.number(week[name]) for name in ("net_kcal", "net_low_kcal", "net_high_kcal"))
    deficit = "–".join(map(wording.number, reversed(eating["deficit_kcal_a_day"])))
    console.print(
        Text(
            f"Rowing's share: {net} kcal net, 80 % range {low}–{high}, are {_percents(week['deficit_share'])} of this "
            f"week's deficit at {deficit} kcal a day; with the range, {_percents(week['deficit_share_range'])}."
        )
    )
    console.print(Text("The range is the same error each time: weeks don't average it away, but they compare.", "dim"))


def _intervals_done(week: Mapping[str, Any]) -> str:
    """How many interval rows; one that was cut short counts by its share."""
    return wording.number(week["intervals"], 0 if week["intervals"] == week["interval_rows"] else 1)


def _percents(shares: Sequence[float]) -> str:
    return f"{spanned([100 * share for share in shares])} %"


def _weeks(plan: Mapping[str, Any], weeks: Sequence[Mapping[str, Any]], *, narrow: bool) -> Table:
    """Week by week; a narrow table has the range of the energy only, and leaves out the kinds of row."""
    kinds = () if narrow else ("talk", "day C")
    table = _table("week", "from", right=("rows", "hard", *kinds, "min"))
    table.add_column("days", no_wrap=True)
    table.add_column("net kcal", justify="right", no_wrap=True)
    table.add_column("deficit", justify="right", no_wrap=True)
    names = [day["name"] for day in plan["days"]]
    for week in weeks:
        monday = datetime.fromisoformat(week["monday"])
        net, low, high = (wording.number(week[name]) for name in ("net_kcal", "net_low_kcal", "net_high_kcal"))
        _add_row(
            table,
            str(week["number"]),
            f"{monday.day} {wording.MONTHS[monday.month - 1][:3]}",
            str(week["rows"]),
            _intervals_done(week),
            *([] if narrow else [str(week["conversational_rows"]), str(week["day_c_rows"])]),
            wording.number(week["minutes"]),
            " ".join(wording.outside_text(name) if name in week["strength"] else "·" for name in names),
            (f"{low}–{high}" if narrow else f"{net} ({low}–{high})") if week["net_kcal"] else net,
            _percents(week["deficit_share"]) if week["net_kcal"] else wording.NOT_MEASURED,
        )
    return table


def _print_what_to_do(overview: Mapping[str, Any], console: Console) -> None:
    """The next strength day, the rows, and what to eat."""
    plan, eating = overview["programme"], overview["programme"]["eating"]
    (day,) = (each for each in plan["days"] if each["name"] == overview["next_day"])
    console.print(Text(f"Next strength day: {wording.outside_text(day['name'])}", "bold"))
    if day["first"]:
        console.print(Text(wording.outside_text(day["first"], LONGEST_SENTENCE)))
    console.print(_beside((_dose(each), each["name"], each["cue"]) for each in day["exercises"]))
    console.print()
    console.print(Text("Rows", "bold"))
    rows = [plan["rowing"][kind] for kind in ("conversational", "intervals", "day_c")]
    console.print(_beside((f"{spanned(row['minutes'])} min", row["plan"] or "free row", row["how"]) for row in rows))
    warm_up = f"{spanned(plan['rowing']['warm_up_minutes'])} min of easy rowing, then {plan['rowing']['then']}"
    console.print(Text(f"Before any of them: {wording.outside_text(warm_up, LONGEST_SENTENCE)}."))
    console.print()
    console.print(Text("Each day", "bold"))
    fibre = f"{spanned(overview['fibre_g'])} g of fibre"
    if overview["protein_g"] is None:
        console.print(Text(f"{spanned(eating['protein_g_per_kg'], 1)} g of protein per kg of body mass, {fibre}."))
        athlete = wording.outside_text(overview["athlete"])
        console.print(Text(f"For grams, set your mass: rowsync athlete {athlete} --mass KG"))
    else:
        mass = wording.number(overview["mass_kg"])
        console.print(Text(f"{spanned(overview['protein_g'])} g of protein (for {mass} kg), {fibre}."))


def _beside(rows: Iterable[Sequence[str]]) -> Table:
    """How much, what, and how, in three columns of which the last wraps."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_column(style="dim", overflow="fold")
    for row in rows:
        _add_row(table, *(wording.outside_text(cell, LONGEST_SENTENCE) for cell in row))
    return table


def _dose(exercise: Mapping[str, Any]) -> str:
    """Sets, repetitions and holds: `3 × 8–12 a side`, `2–3 × 20–60 s`."""
    hold = f"{spanned(exercise['hold_s'])} s" if exercise["hold_s"] else ""
    reps = spanned(exercise["reps"]) if exercise["reps"] else ""
    much = f"{reps} of {hold}" if reps and hold else reps or hold
    sets = spanned(exercise["sets"]) if exercise["sets"] else ""
    return " × ".join(filter(None, (sets, much))) + (" a side" if exercise["each_side"] else "")


def print_rows(title: str, rows: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print any rows of one shape as a table."""
    table = _table(title, *list(rows[0])[1:]) if rows else _table(title)
    for row in rows:
        _add_row(
            table,
            *(wording.NOT_MEASURED if value is None else wording.outside_text(value) for value in row.values()),
        )
    (console or _console()).print(table)


def _intervals(intervals: Sequence[Mapping[str, Any]], energy_range: str = "") -> Table:
    starts = [wording.clock(interval["start_s"]) for interval in intervals]
    widest = max(map(len, starts), default=0)  # right-justified here: a question mark hangs behind the column
    right = ("time", "metres", "power", "spm", "/500 m", "bpm", f"kcal {energy_range}".strip())
    table = _table("#", "effort", "start".rjust(widest), right=right)
    for start, interval in zip(starts, intervals, strict=True):
        effort = interval["effort"]
        _add_row(
            table,
            str(interval["number"]),
            wording.effort_name(effort),
            start.rjust(widest) + ("?" if is_doubtful(interval) else ""),
            wording.clock(interval["duration_s"]),
            wording.number(interval["distance_m"]),
            wording.number(interval["mean_power_w"]),
            wording.number(interval["mean_stroke_rate_spm"], 1),
            wording.pace(interval["mean_pace_s_per_500m"]),
            wording.number(interval["mean_heart_rate_bpm"]),
            wording.number(interval["gross_kcal"], 1),
            style=EFFORT_STYLES.get(effort, ""),
        )
    return table


def _table(*left: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in left:
        table.add_column(heading, no_wrap=True)
    for heading in right:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _add_row(table: Table, *cells: str, style: str = "") -> None:
    """Add cells as they are: a stranger's text must not be taken for Rich's markup."""
    table.add_row(*map(Text, cells), style=style)
