"""Rowing: `demo`, `row` and `scan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rowsync.cli.access import current_settings, open_store, store_of
from rowsync.cli.company import company, company_options
from rowsync.cli.options import (
    athlete_option,
    json_option,
    machine_option,
    mass_option,
    parsed_plan,
    plan_option,
    refuse_virtual_only,
    seed_option,
    shared_options,
)
from rowsync.cli.output import print_json, print_summary, tell
from rowsync.cli.pages import write_history, write_page
from rowsync.errors import MachineError, RecordingError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rowsync.athlete import Athlete
    from rowsync.config import Settings
    from rowsync.live import Company, Virtual
    from rowsync.plan import Plan
    from rowsync.rowing import Wishes
    from rowsync.store import Store

DEMO_PLAN = "5m + 10x45/75 + 5m"
DEMO_ATHLETE = "demo"
DEMO_MASS_KG = 75.0


@click.command()
@click.option("--plan", default=DEMO_PLAN, show_default=True, metavar="PLAN", help="What the virtual rower rows.")
@click.option("--real-time", is_flag=True, help="At a rower's speed instead of as fast as the computer can.")
@machine_option
@seed_option
@json_option
@shared_options
def demo(plan: str, real_time: bool, machine: str, seed: int, as_json: bool) -> None:
    """Show the whole way with no hardware: a virtual rower rows intervals over a virtual radio.

    \b
    A rower of mass and muscle is simulated; it advertises and notifies as a real Bluetooth rower would, and rowsync
    finds, guides, records, analyses and draws it as it would a real one. Nothing is skipped but the waiting.

    \b
    Examples:
      rowsync demo
      rowsync demo --plan "3m + 4x30/30 + 2m" --real-time
    """
    from rowsync.live import Virtual

    settings = current_settings()
    athlete = settings.who(DEMO_ATHLETE, settings.who(DEMO_ATHLETE, None).mass_kg or DEMO_MASS_KG)
    wishes = wishes_for(settings, athlete=athlete, plan=plan_for(plan, athlete), origin="synthetic", goes_on=False)
    summary = _row_and_store(settings, wishes, Virtual(machine, seed, wishes.plan), fast=not real_time)
    _conclude(open_store(settings), summary, as_json)


@click.command()
@plan_option
@click.option("--rower", metavar="NAME|ADDRESS", help="Which one (`rowsync scan`) [default: the last, or the nearest].")
@athlete_option
@mass_option
@click.option("--strap", metavar="NAME|ADDRESS", help="Heart-rate strap; any, none [default: the last one].")
@click.option("--virtual", is_flag=True, help="The virtual rower instead of a real one; only the radio differs.")
@click.option("--fast", is_flag=True, help="With --virtual: as fast as the computer can.")
@machine_option
@seed_option
@company_options
@json_option
@shared_options
def row(
    plan: str | None,
    rower: str | None,
    athlete: str | None,
    mass: float | None,
    strap: str | None,
    virtual: bool,
    fast: bool,
    machine: str,
    seed: int,
    as_json: bool,
    **following: Any,
) -> None:
    """Connect to a rower, guide and record until the plan is done or you press Ctrl-C.

    The plan begins with your first stroke. Stop rowing in a piece and it waits for you; easy pieces and rests go by.

    \b
    Examples:
      rowsync row
      rowsync row --plan intervals --mass 75
      rowsync row --plan "6m + 8x500m@1:55/2m + 5m" --athlete anna
      rowsync row --plan 20m@talk --web
      rowsync row --lan --voice --rower "PM5 430000000"
    """
    from rowsync.live import Virtual

    refuse_virtual_only(virtual, fast)
    settings = current_settings()
    if virtual:
        plan, athlete = DEMO_PLAN if plan is None else plan, athlete or DEMO_ATHLETE
    who = settings.who(athlete, mass)
    wishes = wishes_for(
        settings,
        athlete=who,
        plan=plan_for(plan, who),
        rower=rower,
        strap=strap,
        origin="synthetic" if virtual else "hardware",
    )
    followers = company(settings, fast=fast, **following)
    rows = Virtual(machine, seed, wishes.plan) if virtual else None
    summary = _row_and_store(settings, wishes, rows, fast, followers)
    _conclude(open_store(settings), summary, as_json)


@click.command()
@click.option("--seconds", type=click.FloatRange(1, 120), default=5.0, show_default=True, help="How long to listen.")
@json_option
@shared_options
def scan(seconds: float, as_json: bool) -> None:
    """List the rowers nearby, with what they offer.

    \b
    Examples:
      rowsync scan
      rowsync scan --seconds 15 --json
    """
    from rowsync.live import run_scan
    from rowsync.terminal import print_rows
    from rowsync.wording import outside_text

    found = run_scan(seconds)
    rows = [
        {
            "name": outside_text(each.name),
            "address": each.address,
            "signal_dbm": each.signal_dbm,
            "rower": {True: "yes", None: "perhaps", False: "no"}[each.is_rower],
            "services": " ".join(each.services),
        }
        for each in found
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_rows("name", rows)
    else:
        tell("No rower answered. Wake the machine (pull the handle, or choose Connect in its menu) and scan again.")


def wishes_for(settings: Settings, **wishes: Any) -> Wishes:
    """What is wanted of a row that is stored where the settings say."""
    from rowsync.config import runtime_path
    from rowsync.rowing import Wishes

    claims = runtime_path() if wishes.get("origin") != "synthetic" else None
    return Wishes(folder=settings.data, claims=claims, **wishes)


def plan_for(plan: str | None, athlete: Athlete) -> Plan | None:
    """A plan whose targets can be told for an athlete; None without one."""
    parsed = parsed_plan(plan)
    if parsed is not None:
        parsed.for_athlete(athlete)  # refuses a share of a best that nobody knows
    return parsed


def _row_and_store(
    settings: Settings,
    wishes: Wishes,
    virtual: Virtual | None,
    fast: bool,
    followers: Sequence[Company] = (),
) -> dict[str, Any]:
    from rowsync.live import run_row

    journal = run_row(wishes, virtual, fast, followers)
    if journal is None:
        raise MachineError("The rower sent nothing, so there is nothing to store.")
    store = store_of(settings)
    finished = store.finish(journal, wait=True)
    if finished is None:  # another command found the journal free, and was quicker
        return store.summary(journal.stem)
    if finished.problem is not None:
        raise RecordingError(finished.problem)
    if finished.summary is None:
        raise MachineError("Nobody rowed, so nothing is stored.")
    return finished.summary


def _conclude(store: Store, summary: dict[str, Any], as_json: bool) -> None:
    summary = store.compared(summary)
    try:
        page = write_page(store, summary["session_id"], None, home="index.html")
        write_history(store, page.parent)
    except StoreError as error:
        print_summary(summary | {"page": None}, as_json)
        raise StoreError(f"The session is stored, but its page could not be written. {error}") from None
    print_summary(summary | {"page": str(page)}, as_json)
    if not as_json:
        click.echo(f"Page: {page}")
