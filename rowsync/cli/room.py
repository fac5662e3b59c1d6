"""Many rowers at once: `room`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rowsync.athlete import Athlete
from rowsync.cli.access import current_settings
from rowsync.cli.company import page_is_wanted, page_options, room_page, room_token
from rowsync.cli.options import Name, machine_option, parsed_plan, plan_option, refuse, seed_option, shared_options
from rowsync.cli.rowing import DEMO_PLAN, plan_for
from rowsync.errors import UsageError

if TYPE_CHECKING:
    from rowsync.config import Settings
    from rowsync.plan import Plan

MOST_LANES = 99


@click.command()
@plan_option
@click.option(
    "--athlete",
    "athletes",
    type=Name(),
    multiple=True,
    metavar="NAME",
    help="Who rows, in the order in which rowers are connected; once for each person.",
)
@click.option(
    "--lane",
    "places",
    type=Name(),
    multiple=True,
    metavar="ADDRESS=NAME",
    help="Who rows on the rower at an address (`rowsync scan`); its lane is kept.",
)
@click.option(
    "--lanes",
    type=click.IntRange(1, MOST_LANES),
    metavar="N",
    help="How many rowers at most [default: 7, which an adapter usually holds].",
)
@click.option(
    "--virtual",
    type=click.IntRange(1, MOST_LANES),
    metavar="N",
    help="So many virtual rowers instead of real ones, who row --plan.",
)
@click.option(
    "--goal",
    metavar="GOAL",
    help="What all want together: 'band 180-220W', 'synchrony', or a distance in sum, '10000m'.",
)
@page_options
@machine_option
@seed_option
@shared_options
def room(
    plan: str | None,
    athletes: Sequence[str],
    places: Sequence[str],
    lanes: int | None,
    virtual: int | None,
    goal: str | None,
    web: bool,
    lan: bool,
    web_port: int,
    machine: str,
    seed: int,
) -> None:
    """Record every rower that is near, side by side: a lane, a person and a session for each.

    A session begins with the lane's first stroke, or for all with b, and ends when nobody has rowed there for five
    minutes; Ctrl-C ends all. What nobody claimed is stored under "guest" and the lane's number. In the terminal, a
    lane's number and then a person's say who rows there: those named here, and those of the settings.

    \b
    Examples:
      rowsync room
      rowsync room --plan 20m --athlete anna --athlete ben
      rowsync room --lane F0:0D:00:00:00:01=anna --lane F0:0D:00:00:00:02=ben
      rowsync room --lan --goal "band 180-220W"
      rowsync room --virtual 6 --plan 10x45/75
    """
    from rowsync.config import runtime_path
    from rowsync.live import Virtual, run_room
    from rowsync.room import USUAL_LINKS, RoomWishes
    from rowsync.team import team_of

    if virtual is None:
        refuse(("machine", "seed"), "goes with --virtual.")
    settings = current_settings()
    at = dict(map(_place, places))
    if len({address.casefold() for address in at}) < len(places):
        raise UsageError("--lane names one rower twice: a lane has one person.")
    wishes = RoomWishes(
        folder=settings.data,
        plan=_plan_for_all(plan, settings, (*athletes, *at.values())),
        arriving=[settings.who(name, None) for name in athletes],
        places={address: settings.who(name, None) for address, name in at.items()},
        others=[settings.who(name, None) for name in settings.athletes],
        lanes=lanes or max(USUAL_LINKS, virtual or 0),
        origin="synthetic" if virtual else "hardware",
        claims=None if virtual else runtime_path(),
        goal=goal,
    )
    if goal is not None:
        team_of(goal)
    rows = Virtual(machine, seed, parsed_plan(plan or DEMO_PLAN)) if virtual else None
    company = [room_page(room_token(settings.data), web_port, lan)] if page_is_wanted(web, lan) else []
    run_room(wishes, rows, virtual or 1, company)


def _place(text: str) -> tuple[str, str]:
    address, equals, name = text.partition("=")
    if not (address.strip() and equals and name.strip()):
        raise UsageError(f"--lane takes an address and a name, such as F0:0D:00:00:00:01=anna, and not {text!r}.")
    return address.strip(), name.strip()


def _plan_for_all(plan: str | None, settings: Settings, names: Sequence[str]) -> Plan | None:
    """A plan whose targets can be told for everybody who may row it, guests included."""
    for name in names:
        plan_for(plan, settings.who(name, None))
    return plan_for(plan, Athlete())
