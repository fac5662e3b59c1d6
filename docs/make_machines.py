"""Write docs/machines.md anew from the table that it is printed from, `rowsync.machines.QUIRKS`.

python docs/make_machines.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rowsync.machines import NAMES, OTHER_NAMES, QUIRKS, Quirk, Remedy

PAGE = Path(__file__).parent / "machines.md"

INTRODUCTION = """\
# Real machines

How rowing machines depart from the Fitness Machine Service, where that was seen, and what rowsync does about it. This
page is printed from `rowsync/machines.py` by `docs/make_machines.py`: change the table, not the page.

Yours behaves oddly? `rowsync doctor` has you row for a minute, stop for ten seconds, and says what the machine really
sends, which of these rows suit it, and, where it needs one of its own, how that row would read.
`rowsync doctor --share FILE` writes a recording without your name, your machine's address and its serial number;
attached to an issue, it becomes a row here.

QZ is qdomyos-zwift, TMIW TrackMyIndoorWorkout.
"""

HEADINGS = {
    Remedy.RULE: "One rule for every machine, so that a machine nobody has seen is read right as well.",
    Remedy.ROW: "Handled by the beginning of the advertised name; `#` is any digit.",
    Remedy.NOT_MET: "Beyond what a Fitness Machine Service client can do.",
}


def machines_page() -> str:
    """The page as it should be."""
    return "\n".join([INTRODUCTION, *(line for remedy in HEADINGS for line in _section(remedy)), *_names()])


def _section(remedy: Remedy) -> Iterator[str]:
    quirks = [quirk for quirk in QUIRKS if quirk.remedy is remedy]
    yield f"## {remedy.value.capitalize()}\n"
    yield f"{HEADINGS[remedy]}\n"
    columns = ["#", "the machine", "seen on", "rowsync", *(["names"] if remedy is Remedy.ROW else []), "source"]
    yield _row(columns)
    yield _row(["---"] * len(columns))
    for quirk in quirks:
        yield _row(_cells(quirk))
    yield ""


def _cells(quirk: Quirk) -> list[str]:
    names = [", ".join(f"`{name}`" for name in quirk.names)] if quirk.remedy is Remedy.ROW else []
    return [quirk.key, quirk.what, quirk.seen_on, quirk.answer, *names, quirk.source]


def _names() -> Iterator[str]:
    yield "## Names of rowers\n"
    yield "A machine that advertises no service data is taken for a rower when its name begins with one of:\n"
    yield ", ".join(f"`{name}`" for name in NAMES) + ".\n"
    yield (
        "These speak a protocol of their own, and aren't connected: " + ", ".join(f"`{n}`" for n in OTHER_NAMES) + ".\n"
    )


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(machines_page(), encoding="utf-8")
