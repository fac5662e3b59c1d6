"""A plan in the terminal: a line of blocks as high as it is hard, and its pieces with their start times."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rowsync import wording
from rowsync.intervals import Effort
from rowsync.palette import EFFORT_STYLES
from rowsync.plan import NamedPlan, Piece, Plan
from rowsync.target import PACE, target_words

BLOCKS = {"hard": "█", "steady": "▅", "easy": "▃", "warmup": "▃", "cooldown": "▃", "rest": "▁"}
LETTERS = {"hard": "#", "steady": "=", "easy": "-", "warmup": "-", "cooldown": "-", "rest": "_"}
"""The same for a terminal that has no blocks."""

USUAL_PACE_S = {"hard": 120.0, "steady": 140.0, "easy": 150.0, "warmup": 150.0, "cooldown": 150.0, "rest": 300.0}
"""How wide a piece by the metre is drawn where it asks for no pace; for the picture only [s/500 m]."""


def print_plan(plan: Plan, console: Console | None = None) -> None:
    """Print a plan: what it is called, its picture, its pieces, and how long it takes."""
    console = console or Console()
    console.print(_title(plan))
    console.print(_picture(plan.pieces, console), no_wrap=True, overflow="crop")
    console.print(_pieces(plan))
    console.print(Text(_total(plan), "bold"))


def print_named_plans(plans: Mapping[str, NamedPlan], console: Console | None = None) -> None:
    """Print the plans that have a name, each with what it stands for and a sentence."""
    console = console or Console()
    for name, plan in plans.items():
        console.print(Text(name, "bold").append(f"  {plan.text}", "not bold"))
        console.print(Text(f"  {plan.about}", "dim"))
    console.print(Text("Look at one: rowsync plan intervals. Row it: rowsync row --plan intervals"))


def _title(plan: Plan) -> Text:
    title = Text(wording.outside_text(plan.name or plan.text, _LONGEST_TITLE), "bold")
    if plan.name:
        title.append(f"  {wording.outside_text(plan.text, _LONGEST_TITLE)}", "not bold")
    return (
        title.append(f"\n{wording.outside_text(plan.about, _LONGEST_TITLE)}", "not bold dim") if plan.about else title
    )


_LONGEST_TITLE = 300


def _picture(pieces: Sequence[Piece], console: Console) -> Text:
    """A column for each moment of the plan, as high and as coloured as the piece that is rowed then."""
    signs = LETTERS if console.options.ascii_only else BLOCKS
    ends_s = list(accumulate(map(_drawn_s, pieces)))
    moments_s = (ends_s[-1] * (column + 0.5) / console.width for column in range(console.width))
    efforts = (pieces[min(bisect_right(ends_s, moment_s), len(pieces) - 1)].effort for moment_s in moments_s)
    blocks = ((signs[effort] * len(list(equal)), EFFORT_STYLES.get(effort, "")) for effort, equal in groupby(efforts))
    return Text.assemble(*blocks)


def _drawn_s(piece: Piece) -> float:
    """How long a piece is drawn [s]."""
    if piece.duration_s is not None:
        return piece.duration_s
    paces = [each.low or each.high for each in piece.targets if each.quantity == PACE]
    return (piece.distance_m or 0.0) / 500.0 * (next(iter(paces), None) or USUAL_PACE_S[piece.effort])


def _pieces(plan: Plan) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("start", "round", "length"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("effort", no_wrap=True)
    if any(piece.targets for piece in plan.pieces):
        table.add_column("target")
    for cells, effort in _rows(plan):
        table.add_row(*map(Text, cells[: len(table.columns)]), style=EFFORT_STYLES.get(effort, ""))
    return table


def _rows(plan: Plan) -> Iterator[tuple[tuple[str, ...], Effort]]:
    for piece, start_s in zip(plan.pieces, plan.starts_s, strict=True):
        length = (
            f"{wording.number(piece.distance_m)} m" if piece.duration_s is None else wording.clock(piece.duration_s)
        )
        number = str(piece.round_number) if piece.effort is Effort.HARD else ""
        targets = ", ".join(map(target_words, piece.targets))
        yield (wording.clock(start_s), number, length, wording.effort_name(piece.effort), targets), piece.effort


def _total(plan: Plan) -> str:
    """How long the plan is, in words."""
    by_clock = sum(piece.duration_s or 0.0 for piece in plan.pieces)
    metres = sum(piece.distance_m or 0.0 for piece in plan.pieces)
    lengths = [*([wording.clock(by_clock)] if by_clock else []), *([f"{wording.number(metres)} m"] if metres else [])]
    rounds = f", {wording.count(plan.rounds, 'hard piece')}" if plan.rounds else ""
    return f"{' and '.join(lengths)} in all{rounds}"
