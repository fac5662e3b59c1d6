"""How well intervals are found, beside four other ways of finding them, in the same run on the same bytes.

    python -m benchmarks.segmentation [--seeds 20] [--jobs 2] [--only WORD] [--no-peers] [--live] [--markdown FILE]

The sessions are synthetic and their truth is known.  Real labelled rows are scored as well where their folder is there
(`--rows`; what it holds is said in `rows.py`).  What the figures mean is said in `scores.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import chain
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from benchmarks.segmentation.scores import Live, Score, median_and_p95, total, total_live
from benchmarks.segmentation.trials import ROWSYNC, Outcome, Trial, real_trials, run, synthetic_trials

ROWS = Path(__file__).parents[3] / "shared" / "segmentation" / "dev"


class Report(NamedTuple):
    """A table of text, to be shown or written."""

    title: str
    head: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]


def main() -> None:
    """Run what is asked for, and print it."""
    asked = arguments()
    console = Console()
    trials = list(synthetic_trials(asked.seeds, asked.peers, asked.live))
    if (asked.rows / "index.json").is_file():
        trials += real_trials(asked.rows, asked.peers, asked.live)
    else:
        console.print(f"There are no real rows at {asked.rows}: only synthetic sessions are scored.", style="yellow")
    trials = [trial for trial in trials if asked.only.lower() in f"{trial.of}, {trial.by}".lower()]
    outcomes = outcomes_of(trials, asked.jobs, console)
    reports = [report for report in reports_of(outcomes) if report.lines]
    for report in reports:
        console.print(shown(report))
    if asked.markdown:
        asked.markdown.write_text("\n".join(map(markdown, reports)))


def arguments() -> argparse.Namespace:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segmentation", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how often each scenario is rowed by each athlete")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", default="", help="only sessions whose name or athlete holds this")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="try the peers as well")
    parser.add_argument("--live", action="store_true", help="also judge the effort said live, second by second")
    parser.add_argument("--rows", type=Path, default=ROWS, help="folder of real labelled rows")
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    return parser.parse_args()


def outcomes_of(trials: Sequence[Trial], jobs: int, console: Console) -> list[Outcome]:
    """Run all trials, in their order."""
    with Pool(jobs) as pool:
        running = pool.imap(run, trials, chunksize=4)
        return list(track(running, "Rowing", len(trials), console=console, transient=True))


# --- tables -----------------------------------------------------------------------------------------------------------

Group = tuple[str, str]
"""What is scored together: of what, and by whom or how."""


def reports_of(outcomes: Sequence[Outcome]) -> list[Report]:
    """All that the outcomes say."""
    groups: dict[Group, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.of, outcome.by), []).append(outcome)
    names = list(dict.fromkeys(chain.from_iterable(outcome.scores for outcome in outcomes)))
    totals = {
        group: {name: total(each.scores[name] for each in some if name in each.scores) for name in names}
        for group, some in groups.items()
    }
    lives = {group: total_live(each.live for each in some if each.live) for group, some in groups.items()}
    return [
        intervals_report(totals, names),
        steady_report(totals, names),
        live_report(lives),
        live_steady_report(lives),
        cost_report(outcomes),
    ]


def intervals_report(totals: dict[Group, dict[str, Score]], names: Sequence[str]) -> Report:
    """F1 and exact sessions of every detector, and rowsync's edges."""
    others = [name for name in names if name != ROWSYNC]
    lines = [
        (
            *group,
            f1_cell(scores[ROWSYNC]),
            edge_cell(scores[ROWSYNC].edges_s, "s"),
            edge_cell(scores[ROWSYNC].edges_strokes, "strokes"),
            *(f1_cell(scores[name]) for name in others),
        )
        for group, scores in totals.items()
        if scores[ROWSYNC].true
    ]
    head = ("session", "by", ROWSYNC, "its edges, median / p95", "in strokes", *others)
    return Report("Intervals found: F1 at IoU 0.8 (sessions exactly right)", head, lines)


def steady_report(totals: dict[Group, dict[str, Score]], names: Sequence[str]) -> Report:
    """False intervals of every detector on steady rows."""
    lines = [
        (*group, f"{scores[ROWSYNC].hours:.1f}", *(false_cell(scores[name]) for name in names))
        for group, scores in totals.items()
        if not scores[ROWSYNC].true
    ]
    return Report("Steady rows: false intervals (rows that have any)", ("session", "by", "hours", *names), lines)


def live_report(lives: dict[Group, Live]) -> Report:
    """How soon an edge is announced."""
    lines = [
        (*group, edge_cell(each.hard_after_s, "s"), edge_cell(each.easy_after_s, "s"), str(each.missed))
        for group, each in lives.items()
        if each.hard_after_s or each.easy_after_s or each.missed
    ]
    head = ("session", "by", "hard said after, median / p95", "easy said after", "edges never said")
    return Report("Live, one notification a second", head, lines)


def live_steady_report(lives: dict[Group, Live]) -> Report:
    """How often a steady row is called something else."""
    lines = [
        (*group, f"{each.steady_hours:.1f}", str(each.false_flips), f"{each.false_flips / each.steady_hours:.2f}")
        for group, each in lives.items()
        if each.steady_hours
    ]
    return Report("Live, steady rows", ("session", "by", "hours", "false flips", "in an hour"), lines)


def cost_report(outcomes: Sequence[Outcome]) -> Report:
    """What rowsync's answers cost, from bytes to session."""
    hours = sum(outcome.scores[ROWSYNC].hours for outcome in outcomes)
    followed = total_live(outcome.live for outcome in outcomes if outcome.live)
    lines = (
        [("an hour of rowing, after the fact", f"{sum(each.cost_s for each in outcomes) / hours:.2f} s")]
        if hours
        else []
    )
    if followed.samples:
        lines.append(("a notification, live", f"{1000 * followed.cost_s / followed.samples:.3f} ms"))
    return Report("Processor time of the whole core", ("of", "takes"), lines)


def f1_cell(scored: Score) -> str:
    """F1 and how many sessions are exactly right."""
    return f"{scored.f1:.3f} ({scored.exact}/{scored.sessions})" if scored.f1 is not None else "–"


def false_cell(scored: Score) -> str:
    """False intervals and how many rows have any."""
    return f"{scored.false} ({scored.flagged}/{scored.sessions})" if scored.sessions else "–"


def edge_cell(sizes: Sequence[float], unit: str) -> str:
    """Median and 95th percentile of the sizes."""
    both = median_and_p95(sizes)
    return f"{both[0]:.1f} / {both[1]:.1f} {unit}" if both else "–"


def shown(report: Report) -> Table:
    """A report for the terminal."""
    table = Table(*map(escape, report.head), title=report.title, title_justify="left")
    for line in report.lines:
        table.add_row(*map(escape, line))
    return table


def markdown(report: Report) -> str:
    """A report as a Markdown table under its title."""
    rows = [report.head, ("---",) * len(report.head), *report.lines]
    return "\n".join([f"### {report.title}", "", *("| " + " | ".join(row) + " |" for row in rows), ""])


if __name__ == "__main__":
    main()
