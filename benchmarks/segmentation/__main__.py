"""How well intervals are found, beside four other ways of finding them, in the same run on the same bytes.

    python -m benchmarks.segmentation [--seeds 20] [--jobs 2] [--only WORD] [--no-peers] [--live] [--knob]
                                      [--short] [--data DIR] [--markdown FILE]

The sessions are synthetic and their truth is known.  Real labelled rows are scored as well where their folder is there
(`--rows`), and sessions of one's own whose intervals one corrected (`--data`): `rows.py` says more.  What the figures
mean is said in `scores.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from benchmarks.segmentation.scores import Live, Score, median_and_p95, total, total_live
from benchmarks.segmentation.trials import (
    ROWSYNC,
    ROWSYNC_PLAN,
    Besides,
    Outcome,
    Trial,
    corrected_trials,
    real_trials,
    run,
    synthetic_trials,
)

ROWS = Path(__file__).parents[3] / "shared" / "segmentation" / "dev"
SHORT_SEEDS = 3
WIDE = 240
"""Columns where nobody looks at them on a terminal; a table takes what it needs of them."""


class Report(NamedTuple):
    """A table of text, to be shown or written."""

    title: str
    head: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]


def main(words: Sequence[str] | None = None) -> None:
    """Run what is asked for on the command line, and print it."""
    asked = arguments(words)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    outcomes = outcomes_of(trials_of(asked, console), asked.jobs, console)
    reports = [report for report in reports_of(outcomes) if report.lines]
    for report in reports:
        console.print("", escape(report.title), shown(report), sep="\n", highlight=False)
    if asked.markdown:
        asked.markdown.write_text("\n".join(map(markdown, reports)))


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segmentation", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how often each scenario is rowed by each athlete")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", default="", help="only sessions whose name or athlete holds this")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="try the peers as well")
    parser.add_argument("--live", action="store_true", help="also judge the effort said live, second by second")
    parser.add_argument("--knob", action="store_true", help="also turn the live knob between delay and false alarms")
    parser.add_argument("--short", action="store_true", help=f"a quick look: {SHORT_SEEDS} seeds, no peers, not live")
    parser.add_argument("--rows", type=Path, default=ROWS, help="folder of real labelled rows")
    parser.add_argument("--data", type=Path, help="rowsync's data folder: also score the sessions corrected in it")
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    if parser.parse_args(words).short:
        parser.set_defaults(seeds=SHORT_SEEDS, peers=False, live=False)  # what is asked for by name counts more
    return parser.parse_args(words)


def trials_of(asked: argparse.Namespace, console: Console) -> list[Trial]:
    """What there is to try of what is asked for; says what there isn't."""
    besides = Besides(asked.peers, asked.live, asked.knob)
    has_rows = (asked.rows / "index.json").is_file()
    trials = list(synthetic_trials(asked.seeds, besides._replace(knob=asked.knob and not has_rows)))
    if has_rows:
        trials += real_trials(asked.rows, besides)
    else:
        console.print(f"There are no real rows at {asked.rows}: only synthetic sessions are scored.", style="yellow")
    if asked.data:
        corrected = list(corrected_trials(asked.data, besides))
        trials += corrected
        if not corrected:
            console.print(f"No session in {asked.data} was corrected.", style="yellow")
    return [trial for trial in trials if asked.only.lower() in f"{trial.of}, {trial.by}".lower()]


def outcomes_of(trials: Sequence[Trial], jobs: int, console: Console) -> list[Outcome]:
    """Run all trials, in their order."""
    with Pool(jobs) as pool:
        running = pool.imap(run, trials, chunksize=4)
        silent = not console.is_terminal
        return list(track(running, "Rowing", len(trials), console=console, transient=True, disable=silent))


# --- tables -----------------------------------------------------------------------------------------------------------

Group = tuple[str, str]
"""What is scored together: of what, and by whom or how."""

ALL: Group = ("all of these", "")

T = TypeVar("T")


def reports_of(outcomes: Sequence[Outcome]) -> list[Report]:
    """All that the outcomes say."""
    groups: dict[Group, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.of, outcome.by), []).append(outcome)
    totals = {group: total_by_name(outcome.scores for outcome in some) for group, some in groups.items()}
    lives = {group: total_live(each.live for each in some if each.live) for group, some in groups.items()}
    names = list(dict.fromkeys(chain.from_iterable(totals.values())))
    return [
        intervals_report(totals, [name for name in names if name not in (ROWSYNC, ROWSYNC_PLAN)]),
        steady_report(totals, names),
        live_report(lives),
        live_steady_report(lives),
        knob_report(outcomes),
        cost_report(outcomes),
    ]


def total_by_name(scores: Iterable[dict[str, Score]]) -> dict[str, Score]:
    """Each detector's scores as one."""
    some = list(scores)
    names = dict.fromkeys(chain.from_iterable(some))
    return {name: total(each[name] for each in some if name in each) for name in names}


def pooled(groups: dict[Group, T], total_of: Callable[[Iterable[T]], T]) -> dict[Group, T]:
    """The groups, and all of them as one."""
    return groups | {ALL: total_of(groups.values())} if groups else {}


def intervals_report(totals: dict[Group, dict[str, Score]], peers: Sequence[str]) -> Report:
    """F1 and exact sessions of every detector, and rowsync's edges."""
    groups = {group: scores for group, scores in totals.items() if scores[ROWSYNC].true}
    lines = [
        (
            *group,
            f1_cell(scores[ROWSYNC]),
            edge_cell(scores[ROWSYNC].edges_s),
            edge_cell(scores[ROWSYNC].edges_strokes),
            f1_cell(scores.get(ROWSYNC_PLAN, Score())),
            edge_cell(scores.get(ROWSYNC_PLAN, Score()).edges_strokes),
            *(f1_cell(scores.get(name, Score())) for name in peers),
        )
        for group, scores in pooled(groups, total_by_name).items()
    ]
    head = ("session", "by", ROWSYNC, "edges [s]", "edges [strokes]", "plan known", "edges [strokes]", *peers)
    return Report("Intervals found: F1 at IoU 0.8 (sessions exactly right); edges: median / p95", head, lines)


def steady_report(totals: dict[Group, dict[str, Score]], names: Sequence[str]) -> Report:
    """False intervals of every detector on steady rows."""
    groups = {group: scores for group, scores in totals.items() if not scores[ROWSYNC].true}
    lines = [
        (*group, f"{scores[ROWSYNC].hours:.1f}", *(false_cell(scores.get(name, Score())) for name in names))
        for group, scores in pooled(groups, total_by_name).items()
    ]
    return Report("Steady rows: false intervals (rows that have any)", ("session", "by", "hours", *names), lines)


def live_report(lives: dict[Group, Live]) -> Report:
    """How soon an edge is announced, and how much of what is said is right."""
    groups = {group: each for group, each in lives.items() if each.seconds}
    lines = [
        (
            *group,
            edge_cell(each.hard_after_s),
            edge_cell(each.easy_after_s),
            str(each.missed),
            share_cell(each.right, each.seconds),
            share_cell(each.settled_right, each.settled_seconds),
        )
        for group, each in pooled(groups, total_live).items()
    ]
    head = ("session", "by", "hard said after [s]", "easy said after [s]", "never said", "right at once", "12 s later")
    return Report("Live, one notification a second: delays (median / p95) and seconds called rightly", head, lines)


def live_steady_report(lives: dict[Group, Live]) -> Report:
    """How often a steady row is called something else."""
    groups = {group: each for group, each in lives.items() if each.steady_hours}
    lines = [
        (*group, f"{each.steady_hours:.1f}", str(each.false_flips), flips_cell(each))
        for group, each in pooled(groups, total_live).items()
    ]
    return Report("Live, steady rows", ("session", "by", "hours", "false flips", "in an hour"), lines)


def knob_report(outcomes: Sequence[Outcome]) -> Report:
    """What caution costs and what it is good for."""
    cautions = sorted(set(chain.from_iterable(outcome.turned for outcome in outcomes)))
    lives = {
        caution: total_live(outcome.turned[caution] for outcome in outcomes if caution in outcome.turned)
        for caution in cautions
    }
    lines = [
        (
            f"{caution:g}",
            edge_cell(each.hard_after_s),
            edge_cell(each.easy_after_s),
            str(each.missed),
            share_cell(each.right, each.seconds),
            share_cell(each.settled_right, each.settled_seconds),
            flips_cell(each),
            cost_cell(each),
        )
        for caution, each in lives.items()
    ]
    sources = ", ".join(dict.fromkeys(outcome.of for outcome in outcomes if outcome.turned))
    head = ("caution", "hard said after [s]", "easy said after [s]", "never said", "right at once", "12 s later")
    return Report(
        f"The live knob: {sources}", (*head, "false flips in an hour", "detector alone, a second [ms]"), lines
    )


def cost_report(outcomes: Sequence[Outcome]) -> Report:
    """What rowsync's answers cost, from bytes to session."""
    hours = sum(outcome.scores[ROWSYNC].hours for outcome in outcomes)
    followed = total_live(outcome.live for outcome in outcomes if outcome.live)
    lines = []
    if hours:
        cost_s = sum(each.cost_s for each in outcomes) / hours
        lines.append(("an hour of rowing, after the fact", f"{cost_s:.2f} s"))
    if followed.samples:
        lines.append(("a notification, live, and saying the effort", f"{cost_cell(followed)} ms"))
    return Report("Processor time of the whole core", ("of", "takes"), lines)


def f1_cell(scored: Score) -> str:
    """F1 and how many sessions are exactly right."""
    return f"{scored.f1:.3f} ({scored.exact}/{scored.sessions})" if scored.f1 is not None else "–"


def false_cell(scored: Score) -> str:
    """False intervals and how many rows have any."""
    return f"{scored.false} ({scored.flagged}/{scored.sessions})" if scored.sessions else "–"


def edge_cell(sizes: Sequence[float]) -> str:
    """Median and 95th percentile of the sizes."""
    both = median_and_p95(sizes)
    return f"{both[0]:.1f} / {both[1]:.1f}" if both else "–"


def share_cell(some: int, every: int) -> str:
    """A share in percent."""
    return f"{100 * some / every:.1f} %" if every else "–"


def flips_cell(each: Live) -> str:
    """False flips in an hour."""
    return f"{each.false_flips / each.steady_hours:.2f}" if each.steady_hours else "–"


def cost_cell(each: Live) -> str:
    """Processor time that one notification takes [ms]."""
    return f"{1000 * each.cost_s / each.samples:.3f}"


def shown(report: Report) -> Table:
    """A report's lines for the terminal; what pools all of them is set apart."""
    table = Table(*map(escape, report.head))
    for line in report.lines:
        if line[: len(ALL)] == ALL:
            table.add_section()
        table.add_row(*map(escape, line))
    return table


def markdown(report: Report) -> str:
    """A report as a Markdown table under its title."""
    rows = [report.head, ("---",) * len(report.head), *report.lines]
    return "\n".join([f"### {report.title}", "", *("| " + " | ".join(row) + " |" for row in rows), ""])


if __name__ == "__main__":
    main()
